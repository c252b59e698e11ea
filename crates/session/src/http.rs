//! HTTP: an agent's run of requests, and each request of it.
//!
//! In: heads and bodies from either side, answers of the control plane, time. Out: events of the
//! [`Agent`], [`Effect`]s of each [`Exchange`], and what of a response goes on. A request is held
//! whole until its verdict; a response is masked as it streams. Deliberately absent: framing, which
//! is Envoy's on both sides.
//!
//! exec and attach of Kubernetes go on as streams, which are read in `stream.rs`. The requests of a Kubernetes API server take the same way; what is particular to them is in
//! `kubernetes.rs`.

mod agent;
mod batch;
mod decided;
mod difference;
mod digest;
mod door;
mod exchange;
mod form;
mod head;
mod hold;
mod kubernetes;
mod masking;
mod preview;
mod record;
mod reply;
mod response;
mod stream;

#[cfg(test)]
mod tests;

pub use agent::{
    Agent, Identity, Login, LoginRequest, Opened, TokenKey, UpstreamHeader, bearer, token_key,
};
pub use difference::{Change, Difference};
pub use door::{Door, Stranger};
pub use exchange::{Exchange, Request};
pub use preview::{Answer, Call, MAX_ANSWER, Which};
pub use reply::Reply;
pub use response::{Body, ResponseHead};
pub use stream::{Upgraded, exercise as exercise_ports};

use crate::AskApproval;

/// Which API is guarded, and so how its requests are read and refusals are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// An HTTP API of any kind.
    Http,
    /// A Kubernetes API server.
    Kubernetes,
}

/// What the shell must do for one request, in the order it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask people; answer with `on_approval` as often as the control plane says something.
    AskApproval(Box<AskApproval>),
    /// Ask the target something of the gateway's own; answer with `on_target`.
    AskTarget(Box<Call>),
    /// Nobody waits any more: end the call of [`Effect::AskApproval`].
    CancelApproval,
    /// Let the request go on, head and body, with its head changed so.
    Forward(Edits),
    /// Answer it here. No effect comes after it.
    Reply(Reply),
    /// End the stream without another word.
    Reset,
}

/// Changes to a head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Names that go, all values of them.
    pub remove: Vec<String>,
    /// Names of one value, and what that becomes: one call of the host in place of two.
    pub set: Vec<(String, String)>,
    /// What is added after that.
    pub add: Vec<(String, String)>,
}

impl Edits {
    /// Removes a name, once.
    pub(crate) fn remove(&mut self, name: &str) {
        if !self.remove.iter().any(|it| it == name) {
            self.remove.push(name.to_owned());
        }
    }

    /// Puts `value` in the place of all that `headers` has of a name, and beside what was put there before.
    pub(crate) fn put(&mut self, headers: &[(String, String)], name: &str, value: String) {
        let own = (name.to_owned(), value);
        let of_name = |(it, _): &&(String, String)| it.eq_ignore_ascii_case(name);
        let is_first = !self.set.iter().chain(&self.add).any(|it| of_name(&it));
        if is_first {
            match headers.iter().filter(of_name).count() {
                0 => {}
                1 => {
                    self.remove.retain(|it| !it.eq_ignore_ascii_case(name));
                    return self.set.push(own);
                }
                // A host that sets a name may leave its other values as they are.
                _ => self.remove(name),
            }
        }
        self.add.push(own);
    }
}
