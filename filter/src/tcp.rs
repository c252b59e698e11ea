//! One TCP connection: host callbacks to session inputs.

use std::{
    cell::{RefCell, RefMut},
    rc::Rc,
};

use ostiary_session::{Config, postgres::Session};
use proxy_wasm::{
    hostcalls,
    traits::{Context, StreamContext},
    types::{Action, BufferType, PeerType},
};

use crate::{
    apply::{self, During},
    clock, control, id,
    sessions::{Connection, Phase},
    shell::Shell,
};

pub(crate) struct Tcp {
    context: u32,
    shell: Option<Rc<Shell>>,
    connection: Option<Rc<RefCell<Connection>>>,
}

impl Tcp {
    pub(crate) fn new(context: u32, shell: Option<Rc<Shell>>) -> Self {
        Self {
            context,
            shell,
            connection: None,
        }
    }

    /// The session of this connection; if there is none, the connection is closed.
    fn session(&self) -> Option<(&Shell, RefMut<'_, Connection>)> {
        let found = self
            .shell
            .as_deref()
            .zip(self.connection.as_ref())
            .and_then(|(shell, connection)| Some((shell, connection.try_borrow_mut().ok()?)));
        if found.is_none() {
            log::error!("connection {} has no session; it is closed", self.context);
            let _ = hostcalls::close_downstream();
        }
        found
    }

    fn open(&mut self) -> Option<()> {
        let shell = self.shell.as_ref()?;
        let now = clock::now();
        let peer = self
            .get_property(vec!["source", "address"])
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default();
        let id = id::random()?;
        let config = Config {
            resource: shell.config.resource.clone(),
            role: shell.config.role.clone(),
            session_id: id.clone(),
            peer: peer.clone(),
            limits: shell.config.limits,
        };
        log::info!("session {id}: opened from {peer}");
        let connection = Rc::new(RefCell::new(Connection {
            context: self.context,
            id,
            peer,
            session: Session::new(config, shell.state(), Rc::clone(&shell.shared), now),
            writable: false,
            unsent: Vec::new(),
            stalled: None,
            approval: None,
            phase: Phase::Open,
            client_gone: false,
            server_gone: false,
        }));
        if !shell.sessions.insert(Rc::clone(&connection), self.context) {
            return None;
        }
        shell.metrics.sessions.add(1);
        shell.metrics.sessions_active.add(1);
        self.connection = Some(connection);
        Some(())
    }

    /// The host has closed the connection, or is about to drop its context.
    fn closed(&self, by: PeerType) {
        let Some((shell, connection)) = self.shell.as_deref().zip(self.connection.as_ref()) else {
            return;
        };
        let Ok(mut connection) = connection.try_borrow_mut() else {
            return;
        };
        if connection.phase == Phase::Closed {
            return;
        }
        log::info!("session {}: closed by {by:?}", connection.id);
        // The host closes a connection itself when the server's side broke or never came up.
        let by_server = by == PeerType::Local && connection.phase == Phase::Open;
        if by_server && !connection.server_gone {
            connection.server_gone = true;
            connection.session.on_server_closed(clock::now());
        }
        apply::finish(shell, &mut connection);
    }
}

impl Drop for Tcp {
    fn drop(&mut self) {
        self.closed(PeerType::Unknown);
    }
}

impl Context for Tcp {
    fn on_grpc_call_response(&mut self, token: u32, status: u32, size: usize) {
        if let Some(shell) = &self.shell {
            control::on_answer(shell, self.context, token, status, size);
        }
    }

    fn on_grpc_stream_message(&mut self, token: u32, size: usize) {
        if let Some(shell) = &self.shell {
            control::on_message(shell, self.context, token, size);
        }
    }

    fn on_grpc_stream_close(&mut self, token: u32, status: u32) {
        if let Some(shell) = &self.shell {
            control::on_close(shell, self.context, token, status);
        }
    }
}

impl StreamContext for Tcp {
    fn on_new_connection(&mut self) -> Action {
        if self.open().is_none() {
            log::error!(
                "connection {} cannot have a session; it is closed",
                self.context
            );
            let _ = hostcalls::close_downstream();
            return Action::Pause;
        }
        Action::Continue
    }

    /// The buffer is always drained and kept under `Pause`, so that bytes for the server can be written
    /// from any later callback.
    fn on_downstream_data(&mut self, size: usize, mut end: bool) -> Action {
        let bytes = hostcalls::get_buffer(BufferType::DownstreamData, 0, size)
            .ok()
            .flatten()
            .unwrap_or_default();
        let _ = hostcalls::set_buffer(BufferType::DownstreamData, 0, size, &[]);
        let Some((shell, mut connection)) = self.session() else {
            return Action::Pause;
        };
        connection.writable = true;
        log::trace!(
            "session {}: {} bytes from client",
            connection.id,
            bytes.len()
        );
        if connection.phase == Phase::Open && !connection.client_gone {
            let now = clock::now();
            if bytes.len() == size {
                apply::feed(shell, &mut connection, &bytes, now);
            } else {
                log::error!(
                    "session {}: the host kept bytes back; it ends",
                    connection.id
                );
                shell.end(&mut connection);
            }
            // Until the answer comes the end is held back, too.
            end &= !connection.session.cancels();
            if end {
                connection.stalled = None;
                connection.client_gone = true;
                connection.session.on_client_closed(now);
            }
            apply::apply(shell, &mut connection, During::Other);
        }
        if end {
            // Nothing more may pass; the server is told, and closes.
            if connection.phase == Phase::Open {
                connection.phase = Phase::Ending;
            }
            let _ = hostcalls::resume_downstream();
        }
        Action::Pause
    }

    fn on_upstream_data(&mut self, size: usize, end: bool) -> Action {
        let drop_all = || {
            let _ = hostcalls::set_buffer(BufferType::UpstreamData, 0, size, &[]);
            Action::Continue
        };
        let Some((shell, mut connection)) = self.session() else {
            return drop_all();
        };
        if connection.phase != Phase::Open {
            return drop_all();
        }
        let bytes = hostcalls::get_buffer(BufferType::UpstreamData, 0, size)
            .ok()
            .flatten()
            .unwrap_or_default();
        log::trace!(
            "session {}: {} bytes from server",
            connection.id,
            bytes.len()
        );
        if bytes.len() != size {
            log::error!(
                "session {}: the host kept bytes back; it ends",
                connection.id
            );
            shell.end(&mut connection);
            return drop_all();
        }
        let now = clock::now();
        connection.session.from_server(&bytes, now);
        if end && !connection.server_gone {
            connection.server_gone = true;
            connection.session.on_server_closed(now);
        }
        apply::apply(shell, &mut connection, During::ServerBytes(size));
        if end {
            shell.end(&mut connection);
        }
        Action::Continue
    }

    fn on_downstream_close(&mut self, by: PeerType) {
        self.closed(by);
    }
}
