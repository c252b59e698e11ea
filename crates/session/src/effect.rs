//! What the shell must do. Effects are carried out in the order they come.

use ostiary_record::Event;

/// One thing for the shell to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send these bytes to the server. May come after any input.
    ToServer(Vec<u8>),
    /// Send these bytes to the client. Comes only after `from_server`: the host can write to the
    /// client only while it handles bytes of the server.
    ToClient(Vec<u8>),
    /// Pass the server's bytes of the current `from_server` call on, all of them, as they came.
    /// Stands in the place of one [`Effect::ToClient`]; at most one comes per call.
    PassToClient,
    /// Verify the token; answer with `on_login`.
    OpenSession(OpenSession),
    /// Ask people; answer with `on_approval` as often as the control plane says something.
    AskApproval(AskApproval),
    /// Nobody waits any more: end the call of [`Effect::AskApproval`].
    CancelApproval,
    /// A CancelRequest came on this connection: tell the control plane, which ends a wait; answer
    /// with `on_cancel`.
    CancelWait {
        /// SHA-256 of the backend key in the request.
        cancel_key_sha256: [u8; 32],
    },
    /// Keep this event. The shell answers with `on_recorded(seq)` once it is durable.
    Record(Event),
    /// Close both sides now. No effect comes after it.
    Close,
}

/// A login to verify.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// The database asked for.
    pub database: String,
    /// The role the client named.
    pub requested_role: String,
    /// What the client calls itself; may be empty.
    pub application_name: String,
    /// The client's password: an OIDC token.
    pub token: String,
}

impl std::fmt::Debug for OpenSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenSession")
            .field("database", &self.database)
            .field("requested_role", &self.requested_role)
            .finish_non_exhaustive()
    }
}

/// An operation that needs people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskApproval {
    /// The operation's number within the session.
    pub operation: u64,
    /// Names from `approvals.yaml`; all must be given.
    pub approvals: Vec<String>,
    /// The whole statement.
    pub statement: String,
    /// Its parameters as text; `None` is NULL.
    pub parameters: Vec<Option<String>>,
    /// The verb, as policy names it.
    pub verb: String,
    /// What it touches, `sql:delete public.users`.
    pub accesses: Vec<String>,
    /// The rule that asks.
    pub rule: String,
    /// Its reason.
    pub reason: String,
    /// SHA-256 over everything the approval covers.
    pub digest: [u8; 32],
    /// SHA-256 of this session's backend key, for a CancelRequest to find it.
    pub cancel_key_sha256: [u8; 32],
    /// The database and role the session uses.
    pub database: String,
    /// The upstream role.
    pub role: String,
    /// The client will not wait: an equal question takes the answer, if a `grant` allows that.
    pub outlives_call: bool,
    /// The client sends it once more at once if it is refused: a denial answers that too.
    pub comes_again: bool,
    /// What other requests are to share the approval, if the client says that there are any.
    pub run: Option<Box<Run>>,
    /// What it would change, for people; `None` where nobody asked for that.
    pub difference: Option<Box<crate::http::Difference>>,
}

/// A run of a client: requests that may share one approval are equal in all of this, and in who asks
/// within which session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What the client calls it. Its word, so it only ever tells requests apart.
    pub id: String,
    /// What the client says it is doing, for people.
    pub command: String,
    /// Every rule that asks.
    pub rules: Vec<String>,
    /// Of the object; empty if it has none.
    pub namespace: String,
    /// Of the object: `deployments.apps/scale`.
    pub kind: String,
    /// The hash of the bundle that asks.
    pub bundle: String,
    /// SHA-256 over the request but for which object it is about.
    pub likeness: [u8; 32],
}
