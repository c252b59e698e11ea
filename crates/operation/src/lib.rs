//! What someone is trying to do, in one vocabulary for every protocol.
//!
//! In: the text of a statement, or a request. Out: an [`Operation`]: its verb, every object it
//! touches and the facts a policy may ask about. Deliberately absent: policy, I/O, and guessing.
//! What cannot be read is [`Verb::Unreadable`].

pub mod http;
pub mod kubernetes;
mod object;
mod principal;
mod roles;
pub mod sql;
mod target;
mod verb;

pub use object::{Access, Object};
pub use principal::Principal;
pub use roles::{Mention, Move, Place, Roles, Values};
pub use target::Target;
pub use verb::{Group, Protocol, Verb};

use std::collections::BTreeSet;

/// One statement, request or tool call, as policy sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// The strongest effect, for headlines and records; policy judges every entry of `accesses`.
    pub verb: Verb,
    /// Everything the operation touches and how. Never empty: an operation that touches no table
    /// accesses the database itself.
    pub accesses: BTreeSet<Access>,
    /// Typed facts for policy conditions.
    pub facts: Facts,
}

/// Facts a policy may ask about (the `context` of a Cedar request).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facts {
    /// False if an UPDATE or DELETE lacks a WHERE clause anywhere in the statement; true otherwise.
    pub has_where: bool,
    /// Functions called, `schema.name` or `name`, folded as the server folds them.
    pub functions: BTreeSet<String>,
    /// Runs text that is not visible in the statement (`DO`, `EXECUTE` of an unknown name,
    /// `query_to_xml`, `dblink`).
    pub dynamic: bool,
    /// The reason why the operation could not be read, if so.
    pub unreadable: Option<String>,
    /// The outermost LIMIT, if it is a literal.
    pub row_limit: Option<u64>,
    /// What columns are used for, beside being returned.
    pub columns: Roles,
    /// Of an HTTP request: its own facts.
    pub request: Option<Box<http::RequestFacts>>,
    /// Of a request to a Kubernetes API server: what it says of objects.
    pub objects: Option<Box<kubernetes::ObjectFacts>>,
}

impl Operation {
    /// An operation that could not be read; `database` is what it may touch.
    pub fn unreadable(reason: impl Into<String>) -> Self {
        Self {
            verb: Verb::Unreadable,
            accesses: BTreeSet::from([Access {
                verb: Verb::Unreadable,
                object: Object::Database,
            }]),
            facts: Facts {
                unreadable: Some(reason.into()),
                ..Facts::default()
            },
        }
    }

    /// Whether any effect of the operation can change state (data, schema, roles, settings of
    /// others). Such an operation is forwarded only after its record is durable.
    pub fn writes(&self) -> bool {
        self.accesses.iter().any(|access| !access.verb.is_read())
    }
}
