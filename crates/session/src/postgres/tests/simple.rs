//! The simple protocol.

use expect_test::expect;

use super::answer::{Answer, USERS, from};
use super::client::query;
use super::policy::Rules;
use super::rig::{Rig, check};

#[test]
fn carries_a_query() {
    let mut rig = Rig::open(Rules::Plain);
    rig.server.on(
        "SELECT name FROM users",
        Answer::rows(&[from("name", USERS, 2)], &[&["alice"], &["bob"]]),
    );
    rig.send(&query("SELECT name FROM users"));
    check(&mut rig, &expect![[""]]);
}

#[test]
fn refuses_a_query_and_goes_on() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&query("TRUNCATE users"));
    check(&mut rig, &expect![[""]]);
    rig.works();
}
