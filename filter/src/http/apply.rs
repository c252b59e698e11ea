//! Effects of an exchange to host calls.

use ostiary_session::{
    AskApproval, Now, Outcome,
    http::{Agent, Api, Edits, Effect, Exchange, Reply},
};
use prost::Message as _;
use proxy_wasm::{hostcalls, types::MapType};

use super::{
    door,
    runs::{Live, Run, Stage},
    target,
};
use crate::{
    clock,
    control::{Kind, approval},
    shell::Shell,
};

/// Gives the exchange some input and carries out what follows; true if the request goes on, which
/// the caller tells the host. The exchange's context must be the effective one.
pub(super) fn feed(
    shell: &Shell,
    live: &mut Live,
    input: impl FnOnce(&mut Exchange, &mut Agent, Now),
) -> bool {
    feed_at(shell, live, clock::now(), input)
}

/// The same where the time is known: each call of the host costs as much as a good part of an exchange.
pub(super) fn feed_at(
    shell: &Shell,
    live: &mut Live,
    now: Now,
    input: impl FnOnce(&mut Exchange, &mut Agent, Now),
) -> bool {
    let run = live.run.clone();
    let Ok(mut run) = run.try_borrow_mut() else {
        log::error!("the session of request {} is in use", live.context);
        return false;
    };
    let is_congested = shell.recording.is_congested();
    run.agent.set_congested(is_congested);
    input(&mut live.exchange, &mut run.agent, now);
    if is_congested && live.exchange.waits_for_record() {
        shell.runs.stalled.set(true);
    }
    let mut goes_on = false;
    loop {
        // What is not on record must not happen.
        let kept = keep_events(shell, &mut run);
        if !kept && live.exchange.is_streaming() {
            live.exchange.on_closed(&mut run.agent, clock::now());
            live.stage = Stage::Over;
            let _ = hostcalls::reset_http_request();
            return false;
        }
        if !kept && live.exchange.is_held() {
            let reply = Reply::unavailable("the record of this gateway is full");
            let reply = live.exchange.fitting(reply);
            live.exchange.on_closed(&mut run.agent, clock::now());
            while live.exchange.next_effect().is_some() {}
            cancel(shell, live);
            answer(live, &reply);
            return false;
        }
        let Some(effect) = live.exchange.next_effect() else {
            break;
        };
        match effect {
            Effect::AskApproval(question) => {
                if !ask(shell, live, run.agent.session_id(), *question) {
                    let now = clock::now();
                    live.exchange
                        .on_approval(&mut run.agent, &Outcome::Lost, now);
                }
            }
            Effect::AskTarget(call) => {
                if !target::ask(shell, live.context, &call) {
                    let now = clock::now();
                    live.exchange
                        .on_target(&mut run.agent, call.which, None, now);
                }
            }
            Effect::CancelApproval => cancel(shell, live),
            Effect::Forward(edits) => {
                edit(MapType::HttpRequestHeaders, &edits);
                if live.stage == Stage::Held {
                    live.stage = Stage::Sent;
                    goes_on = true;
                }
            }
            Effect::Reply(reply) => answer(live, &reply),
            Effect::Reset => {
                live.stage = Stage::Over;
                let _ = hostcalls::reset_http_request();
            }
        }
    }
    if live.exchange.awaits_record() || shell.recording.is_eager() {
        shell.recording.flush(shell, live.context);
    }
    goes_on
}

/// Hands the events of a run to the record; false if one had no room.
pub(super) fn keep_events(shell: &Shell, run: &mut Run) -> bool {
    let mut kept = true;
    while let Some(stranger) = run.agent.next_stranger() {
        door::turn_away(shell, &stranger, clock::now());
    }
    while let Some(event) = run.agent.next_event() {
        if !shell.recording.push(run.key, &event) {
            log::warn!("the record of this gateway is full");
            shell.metrics.record_overflows.add(1);
            kept = false;
        }
    }
    kept
}

/// Changes a head of the effective context.
pub(super) fn edit(map: MapType, edits: &Edits) {
    let mut outcome = Ok(());
    for name in &edits.remove {
        outcome = outcome.and(hostcalls::remove_map_value(map, name));
    }
    for (name, value) in &edits.set {
        outcome = outcome.and(hostcalls::set_map_value(map, name, Some(value)));
    }
    for (name, value) in &edits.add {
        outcome = outcome.and(hostcalls::add_map_value(map, name, value));
    }
    if let Err(status) = outcome {
        // A token or a credential may still be in it.
        log::error!("a head could not be changed: {status:?}");
        let _ = hostcalls::reset_http_request();
    }
}

fn answer(live: &mut Live, with: &Reply) {
    if live.stage != Stage::Over {
        live.stage = Stage::Replied;
        reply(with);
    }
}

/// Answers the request of the effective context.
pub(super) fn reply(reply: &Reply) {
    let headers = reply
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let body = (!reply.body.is_empty()).then_some(reply.body.as_slice());
    let sent = hostcalls::send_http_response(u32::from(reply.status), headers, body);
    if let Err(status) = sent {
        log::error!("a request could not be answered: {status:?}");
        let _ = hostcalls::reset_http_request();
    }
}

/// 503, for a request that has no exchange.
pub(super) fn fail(api: Api, detail: &str) {
    let unavailable = Reply::unavailable(detail);
    reply(&match api {
        Api::Http => unavailable,
        Api::Kubernetes => unavailable.into_status(),
    });
}

fn ask(shell: &Shell, live: &mut Live, session_id: &str, question: AskApproval) -> bool {
    cancel(shell, live);
    if live.stage != Stage::Held {
        return false;
    }
    let operation = question.operation;
    let message = approval::request(session_id, &shell.config.resource, question).encode_to_vec();
    match shell.open("RequestApproval") {
        Ok(token) => {
            if shell.calls.insert(token, live.context, Kind::HttpApproval)
                && hostcalls::send_grpc_stream_message(token, Some(&message), true).is_ok()
            {
                log::info!("session {session_id}: operation {operation} waits");
                live.approval = Some(token);
                return true;
            }
            shell.calls.remove(token);
            let _ = hostcalls::cancel_grpc_stream(token);
        }
        Err(status) => log::warn!("session {session_id}: cannot ask for approval: {status:?}"),
    }
    false
}

/// Ends the call, which cancels the approval.
fn cancel(shell: &Shell, live: &mut Live) {
    if let Some(token) = live.approval.take() {
        shell.calls.remove(token);
        let _ = hostcalls::cancel_grpc_stream(token);
    }
}
