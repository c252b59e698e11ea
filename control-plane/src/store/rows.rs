//! Rows as they are stored: protobuf, so that fields can be added.

use std::collections::BTreeMap;

use ostiary_proto::{Approval, Session};

/// A session and where its events stand.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SessionRow {
    /// What operators see.
    #[prost(message, required, tag = "1")]
    pub session: Session,
    /// `seq` the next new event has.
    #[prost(uint64, tag = "2")]
    pub next_seq: u64,
    /// Events that never came.
    #[prost(message, repeated, tag = "3")]
    pub gaps: Vec<Gap>,
    /// The filter that sent the last events; empty if it did not say.
    #[prost(string, tag = "4")]
    pub filter_id: String,
    /// The identity was verified here, not reported by the filter alone.
    #[prost(bool, tag = "5")]
    pub verified: bool,
}

/// Events `from..to` of a session are missing.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Gap {
    /// First missing.
    #[prost(uint64, tag = "1")]
    pub from: u64,
    /// First that is there again.
    #[prost(uint64, tag = "2")]
    pub to: u64,
}

/// An approval, its history and who asked.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ApprovalRow {
    /// What reviewers see.
    #[prost(message, required, tag = "1")]
    pub approval: Approval,
    /// Counts writes from 1.
    #[prost(uint64, tag = "2")]
    pub revision: u64,
    /// The human behind the requester; empty if there is none.
    #[prost(string, tag = "3")]
    pub on_behalf_of: String,
    /// Why it ended, when no person ended it.
    #[prost(string, tag = "4")]
    pub ended: String,
    /// Who decided, with what decided it: one for each of `approval.decisions`.
    #[prost(message, repeated, tag = "5")]
    pub voters: Vec<Voter>,
}

/// A person who decided.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Voter {
    /// `iss` of their token.
    #[prost(string, tag = "1")]
    pub issuer: String,
    /// `sub` of their token.
    #[prost(string, tag = "2")]
    pub subject: String,
    /// The approvals they may give.
    #[prost(string, repeated, tag = "3")]
    pub approvals: Vec<String>,
}

/// A version of the bundle.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PolicyRow {
    /// Counts from 1.
    #[prost(uint64, tag = "1")]
    pub version: u64,
    /// `Bundle::hash`.
    #[prost(string, tag = "2")]
    pub hash: String,
    /// The files as their author wrote them.
    #[prost(btree_map = "string, string", tag = "3")]
    pub files: BTreeMap<String, String>,
    /// When.
    #[prost(uint64, tag = "4")]
    pub applied_us: u64,
    /// By whom.
    #[prost(string, tag = "5")]
    pub applied_by: String,
}
