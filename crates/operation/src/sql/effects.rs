//! What has been found out about one statement so far.

use std::collections::BTreeSet;

use super::catalogue;
use crate::{Access, Facts, Object, Operation, Roles, Verb};

/// Accesses and facts, gathered while reading.
#[derive(Debug)]
pub(super) struct Effects {
    pub(super) accesses: BTreeSet<Access>,
    pub(super) functions: BTreeSet<String>,
    pub(super) dynamic: bool,
    pub(super) has_where: bool,
    pub(super) row_limit: Option<u64>,
}

impl Default for Effects {
    fn default() -> Self {
        Self {
            accesses: BTreeSet::new(),
            functions: BTreeSet::new(),
            dynamic: false,
            has_where: true,
            row_limit: None,
        }
    }
}

impl Effects {
    pub(super) fn add(&mut self, verb: Verb, object: Object) {
        catalogue::record_write(self, verb, &object);
        self.accesses.insert(Access { verb, object });
    }

    /// Adds everything of `other`; its row limit stays its own.
    pub(super) fn merge(&mut self, other: Self) {
        self.accesses.extend(other.accesses);
        self.functions.extend(other.functions);
        self.dynamic |= other.dynamic;
        self.has_where &= other.has_where;
    }

    /// The operation; `fallback` is what it does if nothing else was found.
    pub(super) fn into_operation(mut self, fallback: Verb) -> Operation {
        if self.accesses.is_empty() {
            self.add(fallback, Object::Database);
        }
        let strongest = self.accesses.iter().map(|access| access.verb);
        let verb = strongest.max_by_key(|verb| strength(*verb));
        Operation {
            verb: verb.unwrap_or(fallback),
            accesses: self.accesses,
            facts: Facts {
                has_where: self.has_where,
                functions: self.functions,
                dynamic: self.dynamic,
                unreadable: None,
                row_limit: self.row_limit,
                columns: Roles::default(),
                request: None,
                objects: None,
            },
        }
    }
}

/// Which of several verbs names the whole operation: the one that can do the most harm.
fn strength(verb: Verb) -> u8 {
    match verb {
        Verb::Select => 0,
        Verb::Show => 1,
        Verb::Transaction => 2,
        Verb::Set => 3,
        Verb::Explain => 4,
        Verb::Listen => 5,
        Verb::CopyOut => 6,
        Verb::Lock => 7,
        Verb::Notify => 8,
        Verb::Call => 9,
        Verb::Maintain => 10,
        Verb::CopyIn => 12,
        Verb::Insert => 11,
        Verb::Update => 13,
        Verb::Delete => 14,
        Verb::Merge => 15,
        Verb::Create => 16,
        Verb::Alter => 17,
        Verb::Truncate => 18,
        Verb::Drop => 19,
        Verb::Do => 20,
        Verb::Grant => 21,
        Verb::SetRole => 22,
        Verb::Role => 23,
        Verb::ServerFile => 24,
        Verb::Administer => 25,
        Verb::Replicate => 26,
        Verb::FunctionCall => 27,
        Verb::Unreadable => 28,
        // No statement does these.
        Verb::HttpGet
        | Verb::HttpHead
        | Verb::HttpOptions
        | Verb::HttpPost
        | Verb::HttpPut
        | Verb::HttpPatch
        | Verb::HttpDelete
        | Verb::GraphqlQuery
        | Verb::GraphqlSubscription
        | Verb::GraphqlMutation
        | Verb::GrpcCall
        | Verb::HttpUpgrade
        | Verb::HttpUnreadable
        | Verb::K8sGet
        | Verb::K8sList
        | Verb::K8sWatch
        | Verb::K8sLog
        | Verb::K8sCreate
        | Verb::K8sUpdate
        | Verb::K8sPatch
        | Verb::K8sDelete
        | Verb::K8sDeleteCollection
        | Verb::K8sExec
        | Verb::K8sAttach
        | Verb::K8sPortForward
        | Verb::K8sProxy
        | Verb::K8sUnreadable => 29,
    }
}
