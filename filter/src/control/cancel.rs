//! `Gateway.CancelWait`: a CancelRequest may end the wait of another session.

use std::time::Duration;

use ostiary_proto::{CancelWaitRequest, CancelWaitResponse};
use ostiary_session::Now;
use prost::Message;

use super::Kind;
use crate::{
    clock,
    sessions::{Connection, Phase},
    shell::Shell,
};

const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn ask(shell: &Shell, connection: &mut Connection, cancel_key_sha256: [u8; 32]) {
    if connection.phase != Phase::Open {
        return;
    }
    let request = CancelWaitRequest {
        resource: shell.config.resource.clone(),
        cancel_key_sha256: cancel_key_sha256.to_vec(),
    };
    let asked = shell.call("CancelWait", &request.encode_to_vec(), TIMEOUT);
    let waits =
        asked.is_ok_and(|token| shell.calls.insert(token, connection.context, Kind::Cancel));
    if !waits {
        log::warn!(
            "session {}: cannot ask for a cancel: {asked:?}",
            connection.id
        );
        connection.session.on_cancel(false, clock::now());
    }
}

/// `None` is a call that failed: the request is not forwarded then.
pub(crate) fn answer(connection: &mut Connection, bytes: Option<&[u8]>, now: Now) {
    connection.session.on_cancel(forward(bytes), now);
}

fn forward(bytes: Option<&[u8]>) -> bool {
    bytes
        .and_then(|bytes| CancelWaitResponse::decode(bytes).ok())
        .is_some_and(|answer| answer.known && !answer.waited)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwards_only_the_cancel_of_a_known_session_that_did_not_wait() {
        for (known, waited, expected) in [
            (true, false, true),
            (true, true, false),
            (false, false, false),
            (false, true, false),
        ] {
            let bytes = CancelWaitResponse { known, waited }.encode_to_vec();
            assert_eq!(forward(Some(&bytes)), expected, "{known} {waited}");
        }
        assert!(!forward(None));
        assert!(!forward(Some(&[0xff])));
    }
}
