//! What the root hears, to the requests it is for.

use ostiary_session::{
    Now, Outcome, State,
    http::{Agent, Exchange},
};
use proxy_wasm::hostcalls;

use super::{
    apply, door, login,
    runs::{self, Stage},
    streams,
};
use crate::{
    clock,
    shell::{Shell, enter},
};

/// Gives an exchange some input from a callback of `caller`, and carries out what follows.
pub(super) fn with(
    shell: &Shell,
    caller: u32,
    context: u32,
    input: impl FnOnce(&mut Exchange, &mut Agent, Now),
) {
    let Some(live) = shell.runs.get(context) else {
        return;
    };
    let Ok(mut live) = live.try_borrow_mut() else {
        return log::error!("request {context} is in use");
    };
    if live.stage == Stage::Over || !enter(context) {
        return;
    }
    if apply::feed(shell, &mut live, input) {
        let _ = hostcalls::resume_http_request();
    }
    enter(caller);
}

/// The root's tick: logins go out, waits end, runs that nobody uses are closed.
pub(crate) fn on_tick(shell: &Shell, now: Now) {
    login::send(shell);
    door::on_tick(shell, now);
    end_expired(shell, now);
    let due = shell
        .runs
        .pick(|live| live.exchange.poll_timeout().is_some_and(|at| at <= now));
    for context in due {
        if streams::release(shell, context) {
            continue;
        }
        with(shell, shell.root, context, |exchange, agent, now| {
            exchange.on_timeout(agent, now);
        });
    }
    runs::close_idle(shell, now);
}

/// Ends the requests of agents whose token has expired.
fn end_expired(shell: &Shell, now: Now) {
    for run in shell.runs.runs() {
        let key = match run.try_borrow_mut() {
            Ok(mut run) if run.agent.has_expired(now) => {
                run.agent.on_expired();
                run.key
            }
            _ => continue,
        };
        wake(shell, key, |exchange, agent, now| {
            exchange.on_identity(agent, now);
        });
    }
}

/// The answer to a login. Called from the root.
pub(crate) fn on_login(shell: &Shell, token: u32, answer: Option<&[u8]>) {
    let Some(run) = shell.runs.of_login(token) else {
        return;
    };
    let Ok(key) = run.try_borrow_mut().map(|mut run| {
        login::answer(shell, &mut run, answer, clock::now());
        run.key
    }) else {
        return;
    };
    wake(shell, key, |exchange, agent, now| {
        exchange.on_identity(agent, now);
    });
}

/// News of an approval; `token` is its call.
pub(crate) fn on_approval(shell: &Shell, caller: u32, context: u32, token: u32, outcome: &Outcome) {
    if shell.runs.waits_on(context) != Some(token) {
        return;
    }
    match outcome {
        Outcome::Pending { .. } => {}
        Outcome::Lost => {
            if enter(context) {
                let _ = hostcalls::cancel_grpc_stream(token);
                enter(caller);
            }
            shell.calls.remove(token);
            shell.runs.waits_no_more(context);
        }
        // The other side ends the call.
        _ => shell.runs.waits_no_more(context),
    }
    with(shell, caller, context, |exchange, agent, now| {
        exchange.on_approval(agent, outcome, now);
    });
}

/// Events of a run are durable; false if there is no such run. Called from the root.
pub(crate) fn on_recorded(shell: &Shell, key: u32, seq: u64) -> bool {
    let Some(run) = shell.runs.run(key) else {
        return false;
    };
    if let Ok(mut run) = run.try_borrow_mut() {
        run.agent.on_recorded(seq);
    }
    wake(shell, key, |exchange, agent, now| {
        exchange.on_recorded(agent, now);
    });
    true
}

/// The record has caught up: requests that waited for it go on. Called from the root.
pub(crate) fn resume(shell: &Shell) {
    if !shell.runs.stalled.replace(false) {
        return;
    }
    let waiting = shell.runs.pick(|live| live.exchange.waits_for_record());
    for context in waiting {
        with(shell, shell.root, context, |exchange, agent, now| {
            exchange.on_identity(agent, now);
        });
    }
}

/// Policy changed. Called from the root.
pub(crate) fn on_state(shell: &Shell, state: &State) {
    for run in shell.runs.runs() {
        if let Ok(mut run) = run.try_borrow_mut() {
            run.agent.on_state(state.clone());
        }
    }
    let streaming = shell.runs.pick(|live| live.exchange.is_streaming());
    for context in streaming {
        with(shell, shell.root, context, |exchange, agent, now| {
            exchange.on_state(agent, now);
        });
    }
}

/// An operator ended a session. Called from the root.
pub(crate) fn on_revoked(shell: &Shell, session_id: &str, reason: &str) {
    let now = clock::now();
    for run in shell.runs.runs() {
        let key = {
            let Ok(mut run) = run.try_borrow_mut() else {
                continue;
            };
            if run.agent.session_id() != session_id {
                continue;
            }
            log::info!("session {session_id}: revoked");
            run.agent.on_revoked(reason, now);
            shell.runs.block(run.token_key);
            run.key
        };
        wake(shell, key, |exchange, agent, now| {
            exchange.on_identity(agent, now);
        });
    }
}

/// Gives every exchange of a run some input. Called from the root.
pub(super) fn wake(shell: &Shell, key: u32, input: impl Fn(&mut Exchange, &mut Agent, Now)) {
    let all = shell
        .runs
        .pick(|live| live.run.try_borrow().is_ok_and(|run| run.key == key));
    for context in all {
        with(shell, shell.root, context, &input);
    }
}
