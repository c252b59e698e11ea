//! Operations that wait for people.

use expect_test::expect;

use super::client::{Client, bind, extended, parse, query, terminate};
use super::policy::Rules;
use super::rig::{Rig, approved, check, pending};
use crate::{Limits, Outcome};

const DELETE: &str = "DELETE FROM users WHERE id = 1";

#[test]
fn holds_a_query_until_it_is_approved() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&query(DELETE));
    rig.approve(pending());
    rig.approve(approved());
    check(
        &mut rig,
        &expect![[r#"
        == 3 Operated 1 approve by deletes-need-approval sql:delete [sql:delete users]: DELETE FROM users WHERE id = 1
        !! AskApproval 1 dba: DELETE FROM users WHERE id = 1
        == 4 ApprovalAsked 1 ap-1 dba
        -> Close portal '\x01ostiary ping'
        -> Flush
        <- Notice NOTICE 00000: waiting for approval by one of dba (approval ap-1) [H: The statement runs once it is approved. Cancel it to stop waiting.]
        == 5 ApprovalResolved 1 ap-1 approved [ana] ok
        -> Query DELETE FROM users WHERE id = 1
        == 6 Replied 1 DELETE
        <- CommandComplete DELETE
        <- ReadyForQuery I
    "#]],
    );
    rig.works();
}

#[test]
fn holds_an_execute_and_everything_that_belongs_to_it() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&extended(DELETE));
    check(
        &mut rig,
        &expect![[r#"
        == 3 Operated 1 approve by deletes-need-approval sql:delete [sql:delete users]: DELETE FROM users WHERE id = 1
        !! AskApproval 1 dba: DELETE FROM users WHERE id = 1
    "#]],
    );
    rig.approve(pending());
    check(
        &mut rig,
        &expect![[r#"
        == 4 ApprovalAsked 1 ap-1 dba
        -> Close portal '\x01ostiary ping'
        -> Flush
        <- Notice NOTICE 00000: waiting for approval by one of dba (approval ap-1) [H: The statement runs once it is approved. Cancel it to stop waiting.]
    "#]],
    );
    rig.approve(approved());
    check(
        &mut rig,
        &expect![[r#"
        == 5 ApprovalResolved 1 ap-1 approved [ana] ok
        -> Parse '' DELETE FROM users WHERE id = 1
        -> Bind '' <- '' []
        -> Describe portal ''
        -> Execute '' 0
        -> Sync
        == 6 Replied 1 DELETE
        <- ParseComplete
        <- BindComplete
        <- NoData
        <- CommandComplete DELETE
        <- ReadyForQuery I
    "#]],
    );
    rig.works();
}

fn refusals() -> [(Outcome, &'static str); 5] {
    let reviewers = vec!["ana".to_owned()];
    let comment = "not today".to_owned();
    [
        (
            Outcome::Denied { reviewers, comment },
            "ERROR 42501: not approved (rule `deletes-need-approval`): denied by ana: not today",
        ),
        (
            Outcome::Expired,
            "ERROR 42501: not approved (rule `deletes-need-approval`): nobody answered in time",
        ),
        (
            Outcome::Cancelled,
            "ERROR 57014: canceling statement due to user request",
        ),
        (
            Outcome::Lost,
            "ERROR 42501: not approved (rule `deletes-need-approval`): the control plane was lost",
        ),
        (Outcome::Lost, "\"next\":\"retry\""),
    ]
}

#[test]
fn runs_nothing_that_is_not_approved() {
    for (outcome, expected) in refusals() {
        for asked in [false, true] {
            for in_transaction in [false, true] {
                for message in [query(DELETE), extended(DELETE)] {
                    let mut rig = Rig::open(Rules::Plain);
                    if in_transaction {
                        rig.send(&query("BEGIN"));
                        rig.take();
                    }
                    rig.send(&message);
                    if asked {
                        rig.approve(pending());
                    }
                    rig.approve(outcome.clone());
                    let seen = rig.take();
                    assert!(seen.contains(expected), "{outcome:?} {seen}");
                    let status = if in_transaction { 'E' } else { 'I' };
                    assert!(
                        seen.ends_with(&format!("<- ReadyForQuery {status}\n")),
                        "{seen}"
                    );
                    assert!(!rig.ran().contains(&DELETE));
                    // A late answer changes nothing.
                    rig.approve(approved());
                    assert!(!rig.ran().contains(&DELETE));
                    if in_transaction {
                        rig.send(&query("ROLLBACK"));
                    }
                    rig.works();
                }
            }
        }
    }
}

#[test]
fn a_wait_that_nobody_confirms_is_lost() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&query(DELETE));
    rig.wait(10_000_000);
    let seen = rig.take();
    assert!(
        seen.contains("!! CancelApproval") && seen.contains("the control plane was lost"),
        "{seen}"
    );
    rig.works();
    // Once it is pending, the control plane says how long.
    rig.send(&query(DELETE));
    rig.approve(pending());
    rig.wait(3_600_000_000);
    assert!(!rig.take().contains("lost"));
}

#[test]
fn a_client_that_leaves_takes_its_question_along() {
    for by_goodbye in [false, true] {
        for message in [query(DELETE), extended(DELETE)] {
            let mut rig = Rig::open(Rules::Plain);
            rig.send(&message);
            rig.approve(pending());
            if by_goodbye {
                rig.send(&terminate());
            }
            rig.session.on_client_closed(rig.now);
            rig.settle();
            let seen = rig.take();
            assert!(seen.contains("!! CancelApproval"), "{seen}");
            assert!(seen.contains("cancelled [] the session ended"), "{seen}");
            rig.ended();
            rig.approve(approved());
            assert!(rig.ran().is_empty());
        }
    }
}

#[test]
fn policy_that_changes_while_waiting_decides_anew() {
    for (rules, runs, expected) in [
        (Rules::Strict, false, "denied by rule `no-delete`: never"),
        (
            Rules::Boss,
            false,
            "policy changed while the statement waited",
        ),
        (Rules::None, false, "policy not received"),
        (Rules::Lax, true, "CommandComplete DELETE"),
        (Rules::Plain, true, "CommandComplete DELETE"),
    ] {
        for message in [query(DELETE), extended(DELETE)] {
            let mut rig = Rig::open(Rules::Plain);
            rig.send(&message);
            rig.approve(pending());
            rig.change(rules);
            rig.approve(approved());
            let seen = rig.take();
            assert!(seen.contains(expected), "{rules:?} {seen}");
            assert_eq!(rig.ran().len(), usize::from(runs), "{rules:?}");
        }
    }
}

#[test]
fn an_approved_write_waits_for_its_record() {
    for message in [query(DELETE), extended(DELETE)] {
        let mut rig = Rig::open(Rules::Plain);
        rig.acknowledges = false;
        rig.send(&message);
        rig.approve(pending());
        rig.acknowledge();
        rig.approve(approved());
        assert!(rig.ran().is_empty());
        assert!(rig.session.awaits_record());
        rig.acknowledge();
        assert_eq!(rig.ran(), [DELETE]);
    }
}

#[test]
fn nothing_behind_a_wait_is_read_before_it_ends() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(
        &[
            query(DELETE),
            query("SELECT 1"),
            query(DELETE),
            query("SELECT 2"),
        ]
        .concat(),
    );
    assert_eq!(rig.asked.len(), 1);
    assert!(rig.ran().is_empty());
    rig.approve(Outcome::Expired);
    assert_eq!((rig.asked.len(), rig.ran()), (2, vec!["SELECT 1"]));
    rig.approve(approved());
    assert_eq!(rig.ran(), ["SELECT 1", DELETE, "SELECT 2"]);
}

#[test]
fn a_pipeline_waits_in_its_middle() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(
        &parse("", "SELECT 1")
            .bind("", "")
            .execute("")
            .parse("", DELETE)
            .bind("", "")
            .execute("")
            .parse("", "SELECT 2")
            .bind("", "")
            .execute("")
            .sync(),
    );
    assert_eq!(rig.ran(), ["SELECT 1"]);
    rig.approve(pending());
    let seen = rig.take();
    assert!(
        seen.contains("Notice NOTICE 00000: waiting for approval by one of dba (approval ap-1)"),
        "{seen}"
    );
    rig.approve(approved());
    assert_eq!(rig.ran(), ["SELECT 1", DELETE, "SELECT 2"]);
    rig.works();
}

#[test]
fn preparing_does_not_ask_and_each_execution_does() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&parse("s", DELETE).describe_statement("s").sync());
    assert!(rig.asked.is_empty());
    for _ in 0..2 {
        rig.send(&bind("", "s").execute("").sync());
        rig.approve(approved());
    }
    assert_eq!((rig.asked.len(), rig.ran()), (2, vec![DELETE, DELETE]));
    rig.send(&query(&format!("PREPARE p AS {DELETE}")));
    rig.approve(approved());
    rig.send(&query("EXECUTE p"));
    assert_eq!(rig.asked.len(), 4);
    assert_eq!(rig.ran().len(), 3);
}

#[test]
fn an_approval_covers_parameters_to_the_last_byte() {
    let mut digests = Vec::new();
    let long = "x".repeat(5000);
    let longer = format!("{long}y");
    let mut ask = |messages: Client| {
        let mut rig = Rig::open(Rules::Plain);
        rig.send(&messages.execute("").sync());
        digests.push(rig.asked[0].digest);
    };
    let sql = "DELETE FROM users WHERE name = $1";
    for value in [None, Some(""), Some("x"), Some(&*long), Some(&*longer)] {
        ask(parse("", sql).bind_with("", "", &[value], &[]));
    }
    ask(parse("", sql).bind_with("", "", &[Some("x"), Some("")], &[]));
    ask(parse("", &format!("{sql} ")).bind_with("", "", &[Some("x")], &[]));
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count);
}

#[test]
fn too_many_bytes_behind_a_wait_end_the_session() {
    let limits = Limits {
        ahead: 1000,
        ..Limits::default()
    };
    let mut rig = Rig::open_with(Rules::Plain, limits);
    rig.send(&query(DELETE));
    rig.approve(pending());
    rig.send(&query(&"x".repeat(900)));
    assert!(!rig.take().contains("FATAL"));
    rig.send(&query(&"x".repeat(900)));
    let seen = rig.take();
    assert!(
        seen.contains("FATAL 08P01") && seen.contains("!! CancelApproval"),
        "{seen}"
    );
    rig.ended();
    assert!(rig.ran().is_empty());
}

#[test]
fn a_revoked_session_stops_waiting() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&query(DELETE));
    rig.approve(pending());
    rig.session.on_revoked("off duty", rig.now);
    rig.settle();
    let seen = rig.take();
    assert!(
        seen.contains("FATAL 57P01: the session was ended by an operator: off duty"),
        "{seen}"
    );
    rig.approve(approved());
    rig.ended();
    assert!(rig.ran().is_empty());
}

#[test]
fn a_cancelled_wait_is_found_by_the_backend_key() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&query(DELETE));
    assert_ne!(rig.asked[0].cancel_key_sha256, [0; 32]);
    assert_eq!(
        (&*rig.asked[0].database, &*rig.asked[0].role),
        ("app", "shop_app")
    );
}
