//! Effects to host calls.

use ostiary_session::{Effect, Now};
use proxy_wasm::{hostcalls, types::BufferType};

use crate::{
    clock,
    control::{approval, cancel, login},
    sessions::{Connection, Phase, Stalled},
    shell::Shell,
};

/// The callback in which effects are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum During {
    /// `on_upstream_data` with this many bytes in the buffer: the only time to write to the client.
    ServerBytes(usize),
    /// Any other.
    Other,
}

/// A position past any buffer, where the host appends. At 0 it would put bytes before those that an
/// earlier round of the same callback wrote, which go out only when the callback ends.
const END: usize = usize::MAX;

/// The most of the client's bytes that a session sees before the queue of events is looked at again:
/// what can be in them stays well below the room that is left in it.
const CHUNK: usize = 16 << 10;

/// What the client gets of the server's bytes, relative to those of the current callback.
#[derive(Default)]
struct ToClient {
    before: Vec<u8>,
    pass: bool,
    after: Vec<u8>,
}

/// Gives the session the client's bytes and carries out what follows. While the record is behind,
/// they wait. The connection's context must be the effective one.
pub(crate) fn feed(shell: &Shell, connection: &mut Connection, bytes: &[u8], now: Now) {
    let mut rest = bytes;
    while let Some((chunk, later)) = rest
        .split_at_checked(CHUNK.min(rest.len()))
        .filter(|(chunk, _)| !chunk.is_empty())
    {
        if connection.phase != Phase::Open {
            return;
        }
        if let Some(stalled) = &mut connection.stalled {
            if stalled.bytes.len().saturating_add(rest.len()) > shell.config.limits.ahead {
                log::warn!(
                    "session {}: sends too much while it waits; it ends",
                    connection.id
                );
                shell.end(connection);
            } else {
                stalled.bytes.extend_from_slice(rest);
            }
            return;
        }
        if shell.recording.is_congested() {
            connection.stalled = Some(Stalled {
                bytes: rest.to_vec(),
                since: now,
            });
            return;
        }
        connection.session.from_client(chunk, now);
        apply(shell, connection, During::Other);
        rest = later;
    }
}

/// Carries out every effect the session has. The connection's context must be the effective one.
pub(crate) fn apply(shell: &Shell, connection: &mut Connection, during: During) {
    let mut to_server = std::mem::take(&mut connection.unsent);
    let mut to_client = ToClient::default();
    let mut unrecorded = false;
    while let Some(effect) = connection.session.next_effect() {
        match effect {
            Effect::ToServer(bytes) => append(&mut to_server, bytes),
            Effect::ToClient(bytes) if to_client.pass => append(&mut to_client.after, bytes),
            Effect::ToClient(bytes) => append(&mut to_client.before, bytes),
            Effect::PassToClient => to_client.pass = true,
            Effect::OpenSession(login) => login::ask(shell, connection, login),
            Effect::AskApproval(question) => approval::ask(shell, connection, question),
            Effect::CancelApproval => approval::cancel(shell, connection),
            Effect::CancelWait { cancel_key_sha256 } => {
                cancel::ask(shell, connection, cancel_key_sha256);
            }
            Effect::Record(event) => {
                let kept = shell.recording.push(connection.context, &event);
                if !kept && connection.phase == Phase::Open {
                    log::warn!(
                        "session {}: the record of this gateway is full; it ends",
                        connection.id
                    );
                    shell.metrics.record_overflows.add(1);
                    unrecorded = true;
                    shell.end(connection);
                }
            }
            Effect::Close => {
                log::debug!("session {}: closed", connection.id);
                shell.end(connection);
            }
        }
    }
    if unrecorded {
        // What this round would have sent may be what is not on record.
        to_server = Vec::new();
        to_client = ToClient::default();
    }
    write_server(connection, to_server);
    write_client(shell, connection, during, to_client);
    if connection.session.awaits_record() || shell.recording.is_eager() {
        shell.recording.flush(shell, connection.context);
    }
}

fn write_server(connection: &mut Connection, bytes: Vec<u8>) {
    if bytes.is_empty() || connection.phase == Phase::Closed {
        return;
    }
    if !connection.writable {
        connection.unsent = bytes;
        return;
    }
    log::trace!("session {}: {} bytes to server", connection.id, bytes.len());
    let written = hostcalls::set_buffer(BufferType::DownstreamData, END, 0, &bytes)
        .and_then(|()| hostcalls::resume_downstream());
    if let Err(status) = written {
        log::error!(
            "session {}: cannot write to server: {status:?}",
            connection.id
        );
    }
}

fn write_client(shell: &Shell, connection: &mut Connection, during: During, bytes: ToClient) {
    let During::ServerBytes(size) = during else {
        if (bytes.pass || !bytes.before.is_empty()) && connection.phase == Phase::Open {
            // The host would drop them, and the client would wait for ever.
            log::error!(
                "session {}: bytes for the client at a wrong time; it ends",
                connection.id
            );
            shell.end(connection);
        }
        return;
    };
    let set = |start, size, bytes: &[u8]| {
        hostcalls::set_buffer(BufferType::UpstreamData, start, size, bytes)
    };
    let written = if bytes.pass {
        // Appended first: it is addressed by the size of the buffer.
        let after = match bytes.after.as_slice() {
            [] => Ok(()),
            after => set(size, 0, after),
        };
        let before = match bytes.before.as_slice() {
            [] => Ok(()),
            before => set(0, 0, before),
        };
        after.and(before)
    } else {
        set(0, size, &bytes.before)
    };
    if let Err(status) = written {
        log::error!(
            "session {}: cannot write to client: {status:?}",
            connection.id
        );
        shell.end(connection);
    }
}

fn append(all: &mut Vec<u8>, bytes: Vec<u8>) {
    if all.is_empty() {
        *all = bytes;
    } else {
        all.extend_from_slice(&bytes);
    }
}

/// Tells the session that its client is gone, once, and keeps what it says about that.
pub(crate) fn finish(shell: &Shell, connection: &mut Connection) {
    if connection.phase == Phase::Closed {
        return;
    }
    if !connection.client_gone {
        connection.client_gone = true;
        connection.session.on_client_closed(clock::now());
    }
    connection.phase = Phase::Closed;
    apply(shell, connection, During::Other);
    shell.sessions.remove(connection.context);
    shell.calls.forget(connection.context);
    shell.metrics.sessions_active.add(-1);
}
