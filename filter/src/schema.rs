//! Tells the VMs of other workers that a session here changed the schema, and is told.
//!
//! By a number in the host's shared data, raised by each change and looked at on each tick. It says only
//! that something changed: each VM asks the server itself.

use std::cell::Cell;

use ostiary_session::postgres::Shared;
use proxy_wasm::hostcalls;

/// What was seen last.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    /// The number all VMs share.
    common: Cell<u64>,
    /// What the sessions of this VM count.
    own: Cell<u64>,
}

impl Schema {
    pub(crate) fn on_tick(&self, resource: &str, shared: &Shared) {
        let key = format!("ostiary.schema.{resource}");
        let Ok((bytes, cas)) = hostcalls::get_shared_data(&key) else {
            return;
        };
        let Some(bytes) = bytes else {
            // A number that is there can be raised without losing what another VM does meanwhile.
            let _ = hostcalls::set_shared_data(&key, Some(&0_u64.to_be_bytes()), cas);
            return;
        };
        let mut common = bytes.try_into().map_or(0, u64::from_be_bytes);
        let others = common != self.common.get();
        if shared.schema() != self.own.get() {
            let next = common.wrapping_add(1);
            // Another VM was faster: the next tick tries again.
            if hostcalls::set_shared_data(&key, Some(&next.to_be_bytes()), cas).is_ok() {
                self.own.set(shared.schema());
                common = next;
            }
        }
        self.common.set(common);
        if others {
            let told = shared.schema() == self.own.get();
            shared.change_schema();
            if told {
                self.own.set(shared.schema());
            }
        }
    }
}
