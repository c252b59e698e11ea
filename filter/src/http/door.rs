//! Requests of nobody, to the record.

use std::cell::RefCell;

use ostiary_session::{
    Now,
    http::{Door, Stranger},
};

use crate::{id, shell::Shell};

/// The record of the minute, while there is one.
#[derive(Default)]
pub(super) struct Doorstep(RefCell<Option<Door>>);

/// A request was refused for want of an identity.
pub(super) fn turn_away(shell: &Shell, stranger: &Stranger, now: Now) {
    shell.metrics.logins_rejected.add(1);
    let Ok(mut door) = shell.runs.doorstep.0.try_borrow_mut() else {
        return;
    };
    if door.is_none() {
        let resource = shell.config.resource.clone();
        *door = id::random().map(|id| Door::new(id, resource, now));
    }
    if let Some(door) = door.as_mut() {
        door.turn_away(stranger, now);
        keep(shell, door);
    }
}

/// Ends the record of a minute that is over. Called from the root.
pub(super) fn on_tick(shell: &Shell, now: Now) {
    let Ok(mut door) = shell.runs.doorstep.0.try_borrow_mut() else {
        return;
    };
    if let Some(over) = door.take_if(|door| door.is_due(now)).as_mut() {
        over.close(now);
        keep(shell, over);
    }
}

fn keep(shell: &Shell, door: &mut Door) {
    while let Some(event) = door.next_event() {
        // Nothing waits for these, so they go by the root's id, which is no request's.
        if !shell.recording.push(shell.root, &event) {
            log::warn!("the record of this gateway is full");
            shell.metrics.record_overflows.add(1);
        }
    }
}
