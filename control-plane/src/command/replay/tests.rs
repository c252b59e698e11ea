//! A whole session, told.

use std::time::Duration;

use expect_test::expect;
use ostiary_record::{
    ApprovalAsked, ApprovalResolved, ApprovalState, Closed, ConnectionOpened, Event, LoggedIn,
    Operated, Parameter, Refused, Replied, Row, Verdict, event::Kind,
};

use super::{Pace, step};
use crate::output::Printer;

fn told(kinds: Vec<Kind>) -> String {
    let events = kinds.into_iter().zip(1..).map(|(kind, seq)| Event {
        session_id: "9c81".into(),
        seq,
        time_us: 0,
        kind: Some(kind),
    });
    let steps: Vec<String> = events.map(|event| step(&event, Printer::plain())).collect();
    steps.join("\n")
}

fn value(text: &str) -> Parameter {
    Parameter {
        value: Some(text.into()),
    }
}

#[test]
fn a_session_reads_from_top_to_bottom() {
    let told = told(vec![
        Kind::ConnectionOpened(ConnectionOpened {
            resource: "shop".into(),
            peer: "127.0.0.1:50000".into(),
            database: "shop".into(),
            requested_role: "ann".into(),
            application_name: "psql".into(),
        }),
        Kind::LoggedIn(LoggedIn {
            issuer: "http://127.0.0.1:7701".into(),
            subject: "claude-17".into(),
            on_behalf_of: "mara".into(),
            role: "shop_app".into(),
            server_version: "15.18".into(),
            ..LoggedIn::default()
        }),
        Kind::Operated(Operated {
            operation: 1,
            statement: "SELECT id, email\nFROM users".into(),
            statement_size: 27,
            verb: "sql:select".into(),
            accesses: vec!["sql:select public.users".into()],
            verdict: Verdict::Allow.into(),
            rules: vec!["reads".into()],
            ..Operated::default()
        }),
        Kind::Replied(Replied {
            operation: 1,
            command_tag: "SELECT 3".into(),
            rows: 3,
            masked: 2,
            columns: vec!["id".into(), "email".into()],
            sample: vec![
                Row {
                    values: vec![value("1"), value("****.com")],
                },
                Row {
                    values: vec![value("2"), Parameter { value: None }],
                },
            ],
            duration_us: 1_240,
            ..Replied::default()
        }),
        Kind::Operated(Operated {
            operation: 2,
            statement: "DROP TABLE users".into(),
            statement_size: 16,
            verb: "sql:drop".into(),
            verdict: Verdict::Deny.into(),
            rules: vec!["no-ddl".into()],
            reason: "agents do not change schemas".into(),
            ..Operated::default()
        }),
        Kind::Operated(Operated {
            operation: 3,
            statement: "DELETE FROM orders WHERE id = $1".into(),
            statement_size: 90_000,
            verb: "sql:delete".into(),
            verdict: Verdict::Approve.into(),
            rules: vec!["deletes".into()],
            parameters: vec![value("7")],
            ..Operated::default()
        }),
        Kind::ApprovalAsked(ApprovalAsked {
            operation: 3,
            approval_id: "4f2a".into(),
            approvals: vec!["dba".into()],
        }),
        Kind::ApprovalResolved(ApprovalResolved {
            operation: 3,
            approval_id: "4f2a".into(),
            state: ApprovalState::Approved.into(),
            reviewers: vec!["rita".into()],
            comment: "go\u{1b}[2K".into(),
        }),
        Kind::Replied(Replied {
            operation: 3,
            sqlstate: "23503".into(),
            error: "update or delete violates a constraint".into(),
            duration_us: 900,
            ..Replied::default()
        }),
        Kind::Refused(Refused {
            stage: "protocol".into(),
            reason: "length 3".into(),
        }),
        Kind::Closed(Closed {
            reason: "client".into(),
            operations: 3,
        }),
    ]);
    expect![[r#"
        -  connected from 127.0.0.1:50000 to shop, database shop, as ann, with psql
        -  logged in: claude-17 of http://127.0.0.1:7701, for mara, as shop_app on server 15.18
        -  #1 SELECT id, email
                      FROM users
                      allowed by `reads`
                      sql:select public.users
        -  #1 SELECT 3 (1.2 ms, 2 values masked)
                       id | email
                      ----+----------
                        1 | ****.com
                        2 | ∅
                      (3 rows, 1 not recorded)
        -  #2 DROP TABLE users
                      denied by `no-ddl`: agents do not change schemas
                      sql:drop
        -  #3 DELETE FROM orders WHERE id = $1
                      … 90000 bytes in all
                      $1 = `7`
                      held by `deletes`
                      sql:delete
        -  #3 waits: approval 4f2a of dba
        -  #3 approved by rita: go\x1b[2K
        -  #3 ERROR 23503: update or delete violates a constraint (900 us)
        -  refused (protocol): length 3
        -  closed by client after 3 operations"#]]
    .assert_eq(&told);
}

#[test]
fn replay_keeps_the_pace_it_is_given() {
    let own = |speed, max_pause| Pace::Own { speed, max_pause };
    let second = Duration::from_secs(1);
    let cases = [
        (own(1.0, None), None, 5_000_000, None),
        (own(1.0, None), Some(4_000_000), 5_000_000, Some(second)),
        (own(4.0, None), Some(1_000_000), 5_000_000, Some(second)),
        (own(1.0, Some(second)), Some(0), 9_000_000, Some(second)),
        (own(1.0, None), Some(9), 5, Some(Duration::ZERO)),
        (own(1e-300, None), Some(0), u64::MAX, Some(Duration::MAX)),
        (Pace::Instant, Some(0), 5_000_000, None),
    ];
    for (pace, before, time, expected) in cases {
        assert_eq!(pace.pause(before, time), expected, "{pace:?}");
    }
}
