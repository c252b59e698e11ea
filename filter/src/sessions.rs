//! The connections of one listener, by context id.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use ostiary_session::{Now, postgres::Session};

/// One connection: its session, and how far the host has come with it.
pub(crate) struct Connection {
    pub(crate) context: u32,
    pub(crate) id: String,
    /// "address:port" of the client.
    pub(crate) peer: String,
    pub(crate) session: Session,
    /// The downstream buffer was drained and is kept under `Pause`: the host accepts bytes for the
    /// server. Before that, writing to it is an error that ends the VM.
    pub(crate) writable: bool,
    /// Bytes for the server that came before that.
    pub(crate) unsent: Vec<u8>,
    /// Bytes of the client that wait, since when, for the record to catch up.
    pub(crate) stalled: Option<Stalled>,
    /// The call of the approval that is waited for.
    pub(crate) approval: Option<u32>,
    pub(crate) phase: Phase,
    pub(crate) client_gone: bool,
    pub(crate) server_gone: bool,
}

/// Client bytes that the session has not seen.
pub(crate) struct Stalled {
    pub(crate) bytes: Vec<u8>,
    pub(crate) since: Now,
}

/// The life of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Bytes pass through the session.
    Open,
    /// The session, or the shell on its behalf, closed it. Nothing passes any more; a later tick
    /// closes the connection, because closing it in the callback that wrote the last bytes to the
    /// client would drop them.
    Ending,
    /// The host closed it: no host call may name it.
    Closed,
}

/// The registry.
#[derive(Default)]
pub(crate) struct Sessions {
    by_context: RefCell<BTreeMap<u32, Rc<RefCell<Connection>>>>,
}

impl Sessions {
    pub(crate) fn get(&self, context: u32) -> Option<Rc<RefCell<Connection>>> {
        self.by_context.try_borrow().ok()?.get(&context).cloned()
    }

    /// False if the registry is in use, which a caller must take for a refusal.
    pub(crate) fn insert(&self, connection: Rc<RefCell<Connection>>, context: u32) -> bool {
        let Ok(mut map) = self.by_context.try_borrow_mut() else {
            return false;
        };
        map.insert(context, connection);
        true
    }

    pub(crate) fn remove(&self, context: u32) {
        if let Ok(mut map) = self.by_context.try_borrow_mut() {
            map.remove(&context);
        }
    }

    /// Context ids of the connections that `wanted` picks, in the order they were opened.
    pub(crate) fn pick(&self, wanted: impl Fn(&Connection) -> bool) -> Vec<u32> {
        let Ok(map) = self.by_context.try_borrow() else {
            return Vec::new();
        };
        map.iter()
            .filter(|(_, connection)| connection.try_borrow().is_ok_and(|c| wanted(&c)))
            .map(|(context, _)| *context)
            .collect()
    }
}
