//! Envoy as `ostiary up` runs it.
//!
//! In: the resources and where things are. Out: a bootstrap, a process that lives no longer than
//! ours, and its addresses. Deliberately absent: what the filter decides.

mod admin;
mod find;
mod process;
mod render;
mod supervise;

pub(crate) use admin::Admin;
pub(crate) use find::{find_binary, find_filter};
pub(crate) use process::{Envoy, Launch, exec};
pub(crate) use render::{
    ControlPlane, Guarded, HttpTarget, Peer, Plan, Upstream, listener_name, reachable, render,
};
pub(crate) use supervise::Restarts;
