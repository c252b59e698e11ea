//! What sessions of one VM give each other, and what they do not.

use std::rc::Rc;

use super::answer::{Answer, USERS, from};
use super::client::{extended, query};
use super::policy::Rules;
use super::rig::{Rig, config, principal};
use super::server::Auth;
use crate::postgres::Shared;
use crate::{Config, Opened};

const BUILD: &str = "CREATE OR REPLACE VIEW contacts AS SELECT 1";

/// Sessions of one VM.
#[derive(Default)]
struct Vm(Rc<Shared>);

impl Vm {
    fn connect(&self) -> Rig {
        self.open(Rules::Labels, &["analysts", "owners"], "shop_app")
    }

    fn open(&self, rules: Rules, groups: &[&str], role: &str) -> Rig {
        let config = Config {
            role: role.to_owned(),
            ..config()
        };
        let mut rig = Rig::beside(&self.0, rules.state(), Auth::Scram, config);
        rig.principal = principal(groups);
        rig.logged_in()
    }
}

#[track_caller]
fn masks(rig: &mut Rig) {
    for message in [
        query("SELECT email FROM users"),
        extended("SELECT email FROM users"),
    ] {
        rig.server.on(
            "SELECT email FROM users",
            Answer::rows(&[from("email", USERS, 3)], &[&["alice@example.com"]]),
        );
        rig.take();
        rig.send(&message);
        assert!(rig.take().contains("<- DataRow ****.com"));
    }
}

#[test]
fn a_login_takes_a_map_that_another_has_asked_for() {
    let vm = Vm::default();
    let first = vm.connect();
    let mut second = vm.connect();
    assert_eq!(first.server.catalogue_reads, 1);
    assert_eq!(second.server.catalogue_reads, 0);
    masks(&mut second);
    assert_eq!(second.server.catalogue_reads, 0);
}

#[test]
fn a_map_is_for_its_labels_and_its_role() {
    let vm = Vm::default();
    let reads = |groups: &[&str], role| vm.open(Rules::Labels, groups, role).server.catalogue_reads;
    assert_eq!(reads(&["analysts"], "shop_app"), 1);
    assert_eq!(reads(&["analysts", "other"], "shop_app"), 0);
    assert_eq!(reads(&["analysts", "support"], "shop_app"), 1);
    assert_eq!(reads(&["analysts"], "shop_admin"), 1);
}

#[test]
fn a_map_is_asked_for_once_in_its_time() {
    let vm = Vm::default();
    let (mut first, mut second) = (vm.connect(), vm.connect());
    for rig in [&mut first, &mut second] {
        rig.wait(61_000_000);
        masks(rig);
    }
    assert_eq!(first.server.catalogue_reads, 2);
    assert_eq!(second.server.catalogue_reads, 0);
    vm.0.forget_old(second.now.after(61_000_000));
    assert_eq!(vm.connect().server.catalogue_reads, 1);
}

#[test]
fn a_change_of_the_schema_is_seen_by_every_session() {
    let vm = Vm::default();
    let (mut owner, mut other) = (vm.connect(), vm.connect());
    owner.send(&query(BUILD));
    // The one that comes first asks; it need not be the one that made the change.
    masks(&mut other);
    assert_eq!(other.server.catalogue_reads, 1);
    assert_eq!(vm.connect().server.catalogue_reads, 0);
    // Who made it asks, too: the map may be older than the end of the change.
    masks(&mut owner);
    assert_eq!(owner.server.catalogue_reads, 2);
    masks(&mut other);
    assert_eq!(other.server.catalogue_reads, 1);
}

#[test]
fn what_a_transaction_sees_stays_in_it() {
    let vm = Vm::default();
    let (mut owner, mut other) = (vm.connect(), vm.connect());
    owner.send(&query("BEGIN"));
    owner.send(&query(BUILD));
    masks(&mut owner);
    assert_eq!(owner.server.catalogue_reads, 2);
    // Nobody else can see it yet, and nobody is given the map of the transaction.
    masks(&mut other);
    assert_eq!(other.server.catalogue_reads, 0);
    owner.send(&query("COMMIT"));
    masks(&mut other);
    assert_eq!(other.server.catalogue_reads, 1);
    masks(&mut owner);
    assert_eq!(owner.server.catalogue_reads, 3);
}

#[test]
fn a_change_that_nobody_saw_the_end_of_counts() {
    let vm = Vm::default();
    let (mut owner, mut other) = (vm.connect(), vm.connect());
    owner.server.silent = true;
    owner.send(&query(BUILD));
    let before = vm.0.schema();
    owner.session.on_client_closed(owner.now);
    assert_ne!(vm.0.schema(), before);
    masks(&mut other);
    assert_eq!(other.server.catalogue_reads, 1);
}

#[test]
fn keys_are_not_used_for_another_password() {
    let vm = Vm::default();
    vm.connect().works();
    vm.connect().works();
    let mut rig = Rig::beside(&vm.0, Rules::Plain.state(), Auth::Scram, config());
    rig.opens = false;
    rig.send(&super::client::hello());
    rig.send(&super::client::password(super::rig::TOKEN));
    let opened = Opened {
        password: "another".to_owned(),
        ..rig.login()
    };
    rig.session.on_login(crate::Login::Opened(opened), rig.now);
    rig.settle();
    assert!(!rig.take().contains("ReadyForQuery"));
    vm.connect().works();
}
