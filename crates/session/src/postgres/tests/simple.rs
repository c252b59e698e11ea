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
    check(
        &mut rig,
        &expect![[r#"
        == 3 Operated 1 allow by reads sql:select [sql:select users]: SELECT name FROM users
        -> Query SELECT name FROM users
        == 4 Replied 1 SELECT 2 rows=2 masked=0 [name] (alice) (bob)
        <- RowDescription name
        <- DataRow alice
        <- DataRow bob
        <- CommandComplete SELECT 2
        <- ReadyForQuery I
    "#]],
    );
}

#[test]
fn refuses_a_query_and_goes_on() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&query("TRUNCATE users"));
    check(
        &mut rig,
        &expect![[r#"
        == 3 Operated 1 deny by no-truncate sql:truncate [sql:truncate users]: TRUNCATE users
        -> Query OSTIARY REFUSED 0123456789abcdef0123456789abcdef/1
        <- Error ERROR 42501: denied by rule `no-truncate`: nobody empties a table [D: {"decision":"0123456789abcdef0123456789abcdef/1","verdict":"deny","rule":"no-truncate","approval":null,"ran":false,"next":"change-statement"}] [H: Nothing was run. The session goes on; this statement will be refused again until policy changes.]
        <- ReadyForQuery I
    "#]],
    );
    rig.works();
}
