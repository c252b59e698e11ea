//! The agents' runs of requests of one listener and worker, and the requests that are alive.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use ostiary_session::{
    Config, Now,
    http::{Agent, Exchange, Reply, TokenKey},
};

use super::{door::Doorstep, heads::Head};
use crate::{id, shell::Shell};

/// Runs at a time. A token that is no token costs one until the control plane has said so.
const MAX_RUNS: usize = 4096;
/// Tokens of ended sessions that are remembered.
const MAX_BLOCKED: usize = 4096;
/// A run nobody uses for this long is closed, microseconds.
const IDLE_US: u64 = 300_000_000;

/// The digest of a token, and the task it is used for.
type Key = (TokenKey, String);

/// A request that is alive.
pub(crate) struct Live {
    pub(super) context: u32,
    pub(super) exchange: Exchange,
    pub(super) run: Rc<RefCell<Run>>,
    /// The call of the approval that is waited for.
    pub(super) approval: Option<u32>,
    pub(super) stage: Stage,
    /// Bytes of the answer that wait in the host under `Pause`, read already, for what the exchange holds.
    pub(super) waiting: Option<usize>,
}

/// What the host was told to do with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// To wait.
    Held,
    /// To go on.
    Sent,
    /// To answer it itself.
    Replied,
    /// It is gone, or about to be.
    Over,
}

/// A run of requests.
pub(super) struct Run {
    /// What its events are known by: the context of its first request.
    pub(super) key: u32,
    pub(super) token_key: TokenKey,
    pub(super) agent: Agent,
    /// The token, until the control plane is asked.
    pub(super) token: Option<String>,
    pub(super) login: Option<u32>,
    used: Now,
}

/// The registry.
#[derive(Default)]
pub(crate) struct Runs {
    runs: RefCell<BTreeMap<Key, Rc<RefCell<Run>>>>,
    /// Runs that take no more requests, until their last one is over.
    leaving: RefCell<Vec<Rc<RefCell<Run>>>>,
    lives: RefCell<BTreeMap<u32, Rc<RefCell<Live>>>>,
    blocked: RefCell<BTreeSet<TokenKey>>,
    pub(super) doorstep: Doorstep,
    /// Whether a request waits for the record to catch up.
    pub(super) stalled: Cell<bool>,
}

impl Runs {
    pub(super) fn get(&self, context: u32) -> Option<Rc<RefCell<Live>>> {
        self.lives.try_borrow().ok()?.get(&context).cloned()
    }

    pub(super) fn insert(&self, context: u32, live: Rc<RefCell<Live>>) {
        if let Ok(mut lives) = self.lives.try_borrow_mut() {
            lives.insert(context, live);
        }
    }

    pub(super) fn remove(&self, context: u32) {
        if let Ok(mut lives) = self.lives.try_borrow_mut() {
            lives.remove(&context);
        }
    }

    /// Contexts of the requests that `wanted` picks.
    pub(super) fn pick(&self, wanted: impl Fn(&Live) -> bool) -> Vec<u32> {
        let Ok(lives) = self.lives.try_borrow() else {
            return Vec::new();
        };
        lives
            .iter()
            .filter(|(_, live)| live.try_borrow().is_ok_and(|live| wanted(&live)))
            .map(|(context, _)| *context)
            .collect()
    }

    pub(super) fn runs(&self) -> Vec<Rc<RefCell<Run>>> {
        let (Ok(runs), Ok(leaving)) = (self.runs.try_borrow(), self.leaving.try_borrow()) else {
            return Vec::new();
        };
        runs.values().chain(leaving.iter()).cloned().collect()
    }

    fn find(&self, wanted: impl Fn(&Run) -> bool) -> Option<Rc<RefCell<Run>>> {
        let (runs, leaving) = (
            self.runs.try_borrow().ok()?,
            self.leaving.try_borrow().ok()?,
        );
        let mut all = runs.values().chain(leaving.iter());
        all.find(|run| run.try_borrow().is_ok_and(|run| wanted(&run)))
            .cloned()
    }

    pub(super) fn run(&self, key: u32) -> Option<Rc<RefCell<Run>>> {
        self.find(|run| run.key == key)
    }

    pub(super) fn of_login(&self, token: u32) -> Option<Rc<RefCell<Run>>> {
        self.find(|run| run.login == Some(token))
    }

    /// The call whose answer a request waits for.
    pub(super) fn waits_on(&self, context: u32) -> Option<u32> {
        self.get(context)?.try_borrow().ok()?.approval
    }

    pub(super) fn waits_no_more(&self, context: u32) {
        if let Some(live) = self.get(context)
            && let Ok(mut live) = live.try_borrow_mut()
        {
            live.approval = None;
        }
    }

    /// Keys of the runs that have a request alive.
    fn used(&self) -> Option<BTreeSet<u32>> {
        let lives = self.lives.try_borrow().ok()?;
        let keys = lives.values().filter_map(|live| {
            let live = live.try_borrow().ok()?;
            let run = live.run.try_borrow().ok()?;
            Some(run.key)
        });
        Some(keys.collect())
    }

    /// No new session with this token.
    pub(super) fn block(&self, token: TokenKey) {
        if let Ok(mut blocked) = self.blocked.try_borrow_mut() {
            if blocked.len() >= MAX_BLOCKED {
                blocked.pop_first();
            }
            blocked.insert(token);
        }
    }
}

/// The run a request belongs to, or what it is answered with.
pub(super) fn run_for(
    shell: &Shell,
    context: u32,
    key: Key,
    token: String,
    head: &Head,
    peer: impl FnOnce() -> String,
    now: Now,
) -> Result<Rc<RefCell<Run>>, Reply> {
    find_or_open(shell, context, key, token, head, peer, now)
        .unwrap_or_else(|| Err(Reply::unavailable("the session is in use")))
}

/// `None` cannot happen while the host is not reentrant.
fn find_or_open(
    shell: &Shell,
    context: u32,
    key: Key,
    token: String,
    head: &Head,
    peer: impl FnOnce() -> String,
    now: Now,
) -> Option<Result<Rc<RefCell<Run>>, Reply>> {
    let mut runs = shell.runs.runs.try_borrow_mut().ok()?;
    let ended = shell.runs.blocked.try_borrow().ok()?.contains(&key.0);
    if let Some(run) = runs.get(&key) {
        let over = {
            let mut known = run.try_borrow_mut().ok()?;
            known.used = now;
            known.agent.has_expired(now) || known.agent.is_over()
        };
        if !over || ended {
            return Some(Ok(Rc::clone(run)));
        }
        shell
            .runs
            .leaving
            .try_borrow_mut()
            .ok()?
            .push(Rc::clone(run));
        runs.remove(&key);
    }
    if ended {
        let detail = "a session of this token was ended by an operator";
        return Some(Err(Reply::ended(detail)));
    }
    if runs.len() >= MAX_RUNS {
        return Some(Err(Reply::unavailable("too many agents at a time")));
    }
    let config = Config {
        resource: shell.config.resource.clone(),
        role: String::new(),
        session_id: id::random()?,
        peer: peer(),
        limits: shell.config.limits,
    };
    log::info!("session {}: opened from {}", config.session_id, config.peer);
    let run = Rc::new(RefCell::new(Run {
        key: context,
        token_key: key.0,
        agent: Agent::of(shell.api(), config, head.client.clone(), shell.state()),
        token: Some(token),
        login: None,
        used: now,
    }));
    shell.metrics.sessions.add(1);
    shell.metrics.sessions_active.add(1);
    runs.insert(key, Rc::clone(&run));
    Some(Ok(run))
}

/// Closes the runs that nobody uses. Called from the root.
pub(super) fn close_idle(shell: &Shell, now: Now) {
    let Some(used) = shell.runs.used() else {
        return;
    };
    // True if it stays.
    let look = |run: &Rc<RefCell<Run>>, leaving: bool| {
        let Ok(mut run) = run.try_borrow_mut() else {
            return true;
        };
        let over = leaving || run.agent.is_over();
        let idle = now.since(run.used) > IDLE_US;
        if used.contains(&run.key) || !(over || idle) {
            return true;
        }
        run.agent.close("idle", now);
        log::info!("session {}: closed", run.agent.session_id());
        super::apply::keep_events(shell, &mut run);
        shell.metrics.sessions_active.add(-1);
        false
    };
    if let Ok(mut runs) = shell.runs.runs.try_borrow_mut() {
        runs.retain(|_, run| look(run, false));
    }
    if let Ok(mut leaving) = shell.runs.leaving.try_borrow_mut() {
        leaving.retain(|run| look(run, true));
    }
}
