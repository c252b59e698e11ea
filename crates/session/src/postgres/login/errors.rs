//! Why a login ends.

use ostiary_wire::Malformed;

use crate::postgres::core::Fatal;
use crate::postgres::reply;

pub(super) fn broken(error: &Malformed) -> Fatal {
    Fatal::new(reply::PROTOCOL, "protocol", error.to_string())
}

pub(super) fn server_broken(error: &Malformed) -> Fatal {
    hostile(&format!("the server broke the protocol: {error}"))
}

pub(super) fn hostile(message: &str) -> Fatal {
    Fatal::new(reply::UNAVAILABLE, "server", message.to_owned())
}

pub(super) fn too_much_ahead() -> Fatal {
    Fatal::new(
        reply::PROTOCOL,
        "limit",
        "too many bytes were sent ahead of the login".to_owned(),
    )
}

pub(super) fn ahead_of_answer() -> Fatal {
    Fatal::new(
        reply::PROTOCOL,
        "protocol",
        "bytes came after the first message and before its answer".to_owned(),
    )
}

/// A step came without the state it needs: ends the connection rather than guess.
pub(super) fn lost_state() -> Fatal {
    Fatal::new(
        reply::PROTOCOL,
        "protocol",
        "the login is in no state to go on".to_owned(),
    )
}
