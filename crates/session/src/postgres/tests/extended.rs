//! The extended protocol.

use expect_test::expect;
use ostiary_wire::postgres::Format;

use super::answer::{Answer, USERS, from};
use super::client::{Client, bind, extended, parse, query};
use super::policy::Rules;
use super::rig::{Rig, check};

const NAMES: &str = "SELECT name FROM users";

fn rig(rules: Rules) -> Rig {
    let mut rig = Rig::open(rules);
    rig.server.on(
        NAMES,
        Answer::rows(
            &[from("name", USERS, 2)],
            &[&["alice"], &["bob"], &["carol"]],
        ),
    );
    rig.server
        .on("SELECT 1/0", Answer::error("22012", "division by zero"));
    rig
}

#[test]
fn carries_a_statement() {
    let mut rig = rig(Rules::Plain);
    rig.send(&extended(NAMES));
    check(
        &mut rig,
        &expect![[r#"
        == 3 Operated 1 allow by reads sql:select [sql:select users]: SELECT name FROM users
        -> Parse '' SELECT name FROM users
        -> Bind '' <- '' []
        -> Describe portal ''
        -> Execute '' 0
        -> Sync
        == 4 Replied 1 SELECT 3 rows=3 masked=0 [name] (alice) (bob) (carol)
        <- ParseComplete
        <- BindComplete
        <- RowDescription name
        <- DataRow alice
        <- DataRow bob
        <- DataRow carol
        <- CommandComplete SELECT 3
        <- ReadyForQuery I
    "#]],
    );
}

#[test]
fn asks_for_the_columns_itself_where_something_is_masked() {
    let mut rig = rig(Rules::Labels);
    rig.send(&parse("s", NAMES).describe_statement("s").sync());
    rig.take();
    rig.send(&bind("", "s").execute("").sync());
    check(
        &mut rig,
        &expect![[r#"
        == 3 Operated 1 allow by reads sql:select [sql:select users]: SELECT name FROM users
        -> Bind '' <- 's' []
        -> Describe portal ''
        -> Execute '' 0
        -> Sync
        == 4 Replied 1 SELECT 3 rows=3 masked=0 [name] (alice) (bob) (carol)
        <- BindComplete
        <- DataRow alice
        <- DataRow bob
        <- DataRow carol
        <- CommandComplete SELECT 3
        <- ReadyForQuery I
    "#]],
    );
    rig.send(&bind("", "s").execute("").sync());
    assert_eq!(rig.ran(), [NAMES, NAMES]);
}

#[test]
fn refuses_at_parse_and_drops_the_rest_of_the_round() {
    let mut rig = rig(Rules::Plain);
    rig.send(
        &parse("", "TRUNCATE users")
            .bind("", "")
            .describe_portal("")
            .execute("")
            .parse("", NAMES)
            .bind("", "")
            .execute("")
            .sync(),
    );
    check(
        &mut rig,
        &expect![[r#"
        == 3 Operated 1 deny by no-truncate sql:truncate [sql:truncate users]: TRUNCATE users
        -> Execute '\x01ostiary refused' 0
        -> Sync
        <- Error ERROR 42501: denied by rule `no-truncate`: nobody empties a table [D: {"decision":"0123456789abcdef0123456789abcdef/1","verdict":"deny","rule":"no-truncate","approval":null,"ran":false,"next":"change-statement"}] [H: Nothing was run. The session goes on; this statement will be refused again until policy changes.]
        <- ReadyForQuery I
    "#]],
    );
    rig.works();
}

#[test]
fn refuses_in_the_middle_of_a_pipeline() {
    let mut rig = rig(Rules::Plain);
    let messages = [
        parse("", NAMES).bind("", "").execute("").sync(),
        parse("", "TRUNCATE users").bind("", "").execute("").sync(),
        parse("", NAMES)
            .bind("", "")
            .execute("")
            .parse("", "TRUNCATE users")
            .bind("", "")
            .execute("")
            .parse("", "SELECT 1")
            .bind("", "")
            .execute("")
            .sync(),
        parse("", NAMES).bind("", "").execute("").sync(),
    ];
    rig.send(&messages.concat());
    assert_eq!(rig.ran(), [NAMES, NAMES, NAMES]);
    let seen = rig.take();
    assert_eq!(seen.matches("<- Error ERROR 42501").count(), 2, "{seen}");
    assert_eq!(seen.matches("<- ReadyForQuery I").count(), 4, "{seen}");
    rig.works();
}

#[test]
fn what_follows_an_error_runs_neither_here_nor_there() {
    let mut rig = rig(Rules::Plain);
    rig.send(
        &parse("", "SELECT 1/0")
            .bind("", "")
            .execute("")
            .parse("", "INSERT INTO t VALUES (1)")
            .bind("", "")
            .execute("")
            .sync(),
    );
    assert_eq!(rig.ran(), ["SELECT 1/0"]);
    rig.works();
    // The error comes before the rest was sent.
    rig.send(&parse("", "SELECT 1/0").bind("", "").execute("").flush().0);
    rig.send(
        &parse("", "INSERT INTO t VALUES (1)")
            .bind("", "")
            .execute("")
            .0,
    );
    rig.send(&query("INSERT INTO t VALUES (2)"));
    rig.send(&Client::default().sync());
    assert!(!rig.ran().iter().any(|text| text.starts_with("INSERT")));
    rig.works();
}

#[test]
fn policy_that_changes_decides_at_bind_and_at_execute() {
    const DELETE: &str = "DELETE FROM users WHERE id = 1";
    let mut rig = Rig::open(Rules::Lax);
    rig.send(&parse("s", DELETE).sync());
    rig.change(Rules::Strict);
    rig.send(&bind("", "s").execute("").sync());
    assert!(rig.take().contains("denied by rule `no-delete`: never"));
    rig.change(Rules::Lax);
    rig.send(&query("BEGIN"));
    rig.send(&bind("p", "s").sync());
    rig.change(Rules::Strict);
    rig.send(&Client::default().execute("p").sync());
    assert!(rig.take().contains("denied by rule `no-delete`: never"));
    assert_eq!(rig.ran(), ["BEGIN"]);
}

#[test]
fn a_portal_gives_its_rows_in_parts() {
    for rules in [Rules::Plain, Rules::Labels, Rules::Detectors] {
        let mut rig = rig(rules);
        rig.send(&query("BEGIN"));
        rig.send(&parse("s", NAMES).bind("p", "s").execute_some("p", 2).sync());
        let seen = rig.take();
        assert!(
            seen.contains("PortalSuspended") && seen.contains("bob"),
            "{seen}"
        );
        rig.send(&Client::default().execute_some("p", 2).sync());
        let seen = rig.take();
        assert!(
            seen.contains("carol") && seen.contains("CommandComplete"),
            "{seen}"
        );
        rig.send(
            &Client::default()
                .close_portal("p")
                .close_statement("s")
                .sync(),
        );
        rig.send(&query("COMMIT"));
        rig.works();
    }
}

#[test]
fn records_parameters_and_samples_in_either_format() {
    let mut rig = rig(Rules::Plain);
    rig.send(
        &parse("s", NAMES)
            .bind_with("", "s", &[Some("7"), None], &[Format::Binary])
            .execute("")
            .sync(),
    );
    let seen = rig.take();
    assert!(seen.contains("SELECT name FROM users (7 | NULL)"), "{seen}");
    assert!(seen.contains(r"(\x616c696365)"), "{seen}");
    rig.send(&bind("", "s").execute("").sync());
    assert!(rig.take().contains("(alice) (bob)"));
}

#[test]
fn an_empty_statement_and_one_without_rows() {
    let mut rig = rig(Rules::Labels);
    rig.send(&extended(""));
    rig.send(&extended("INSERT INTO t VALUES (1)"));
    let seen = rig.take();
    assert!(
        seen.contains("EmptyQueryResponse") && seen.contains("CommandComplete INSERT"),
        "{seen}"
    );
    rig.works();
}

#[test]
fn flush_brings_answers_before_sync() {
    let mut rig = rig(Rules::Labels);
    rig.send(&parse("", NAMES).describe_statement("").flush().0);
    assert!(rig.take().contains("RowDescription"));
    rig.change(Rules::Plain);
    rig.change(Rules::Labels);
    rig.wait(61_000_000);
    // The catalogue is asked for between rounds, not inside of one.
    rig.send(&bind("", "").execute("").flush().0);
    let seen = rig.take();
    assert!(
        seen.contains("CommandComplete") && !seen.contains("catalogue"),
        "{seen}"
    );
    rig.send(&Client::default().sync());
    rig.take();
    rig.send(&extended(NAMES));
    assert!(rig.take().contains("catalogue"));
}

#[test]
fn observing_judges_nothing_away() {
    let mut rig = rig(Rules::Observe);
    rig.send(&extended("TRUNCATE users"));
    rig.send(&extended("DELETE FROM users"));
    assert_eq!(rig.ran(), ["TRUNCATE users", "DELETE FROM users"]);
    let seen = rig.take();
    assert!(
        seen.contains("deny (observed)") && seen.contains("approve (observed)"),
        "{seen}"
    );
}
