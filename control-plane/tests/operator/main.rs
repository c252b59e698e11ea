//! Operators and reviewers at a real control plane: `ostiary serve` with what filters tell it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod gate;

use expect_test::expect;
use ostiary_proto::record::{
    ApprovalState, Closed, ConnectionOpened, Event, LoggedIn, Operated, Parameter, Replied, Row,
    Verdict, event::Kind,
};

use gate::{Gate, code};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_is_read_and_decided_by_those_who_may() {
    let gate = Gate::start();
    let mut filter = gate.filter().await;
    filter.open(&gate.token("claude-17", "analysts")).await;
    let statement = "DELETE FROM orders WHERE id = 7 -- \u{1b}[2Jharmless";
    let mut answer = filter.ask(statement).await;
    let rita = gate.token("rita", "dba");

    let listed = gate.json(&rita, &["approvals", "list"]);
    let id = listed["approvals"][0]["id"].as_str().unwrap().to_owned();
    let digest = listed["approvals"][0]["digest"].as_str().unwrap();
    assert_eq!(listed["approvals"][0]["statement"], statement);
    let prefix = id.get(..6).unwrap();
    let shown = gate.run(&rita, &["approvals", "show", prefix]);
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(
        text.contains("  | DELETE FROM orders WHERE id = 7 -- \\x1b[2Jharmless"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'));

    let cases = [
        (
            "no such approval",
            &rita,
            vec!["approve", "zzzzzz", "--yes"],
            5,
        ),
        ("nobody to ask", &rita, vec!["approve", prefix], 2),
        (
            "another digest",
            &rita,
            vec!["approve", prefix, "--yes", "--digest", "00"],
            6,
        ),
        (
            "not a reviewer",
            &gate.token("mallory", "analysts"),
            vec!["approve", &id, "--yes"],
            4,
        ),
        (
            "the requester",
            &gate.token("claude-17", "dba"),
            vec!["approve", &id, "--yes"],
            4,
        ),
        (
            "no token of ours",
            &"x.y.z".to_owned(),
            vec!["approve", &id, "--yes"],
            4,
        ),
    ];
    for (name, token, arguments, expected) in cases {
        let output = gate.run(token, &[&["approvals"], &arguments[..]].concat());
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(code(&output), expected, "{name}: {text}");
    }

    let approve = [
        "approvals",
        "approve",
        prefix,
        "--yes",
        "--digest",
        digest,
        "--comment",
        "ok",
    ];
    let output = gate.run(&rita, &approve);
    assert_eq!(code(&output), 0, "{output:?}");
    let last = filter.outcome(&mut answer).await;
    assert_eq!(last.state(), ApprovalState::Approved);
    assert_eq!(last.comment, "ok");
    let again = gate.run(&rita, &["approvals", "deny", &id, "--yes"]);
    assert_eq!(code(&again), 6);
    let output = gate.run(&rita, &["approvals", "list"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "nothing waits\n");
    let shown = gate.json(&rita, &["approvals", "show", prefix]);
    assert_eq!(shown["state"], "approved");
    assert_eq!(shown["decisions"][0]["comment"], "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_watched() {
    let gate = Gate::start();
    let mut filter = gate.filter().await;
    filter.open(&gate.token("claude-17", "analysts")).await;
    let rita = gate.token("rita", "dba");
    let mut watching = gate.follow(&rita, &["approvals", "watch", "--output", "json"]);
    let mut answer = filter.ask("DELETE FROM orders WHERE id = 8").await;
    let first = watching.next();
    assert_eq!(first["state"], "pending");
    assert_eq!(first["statement"], "DELETE FROM orders WHERE id = 8");
    let id = first["id"].as_str().unwrap();
    let denied = gate.run(
        &rita,
        &["approvals", "deny", id, "--yes", "--comment", "no"],
    );
    assert_eq!(code(&denied), 0);
    assert_eq!(watching.next()["state"], "denied");
    let last = filter.outcome(&mut answer).await;
    assert_eq!(last.state(), ApprovalState::Denied);
}

fn value(text: &str) -> Parameter {
    Parameter {
        value: Some(text.to_owned()),
    }
}

/// A session of one statement with a masked result, an attack on the terminal in its comment.
fn events(session: &str) -> Vec<Event> {
    let kinds = vec![
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
            role: "shop_app".into(),
            server_version: "15.18".into(),
            ..LoggedIn::default()
        }),
        Kind::Operated(Operated {
            operation: 1,
            statement: "SELECT email FROM users /* \u{1b}]52;c;eA==\u{7} */".into(),
            statement_size: 41,
            verb: "sql:select".into(),
            accesses: vec!["sql:select public.users".into()],
            verdict: Verdict::Allow.into(),
            rules: vec!["reads".into()],
            ..Operated::default()
        }),
        Kind::Replied(Replied {
            operation: 1,
            command_tag: "SELECT 1".into(),
            rows: 1,
            masked: 1,
            columns: vec!["email".into()],
            sample: vec![Row {
                values: vec![value("********.com")],
            }],
            duration_us: 2_000,
            ..Replied::default()
        }),
        Kind::Closed(Closed {
            reason: "client".into(),
            operations: 1,
        }),
    ];
    let first = 1_762_000_000_000_000;
    let events = kinds.into_iter().zip(1..).map(|(kind, seq)| Event {
        session_id: session.to_owned(),
        seq,
        time_us: first + seq * 100_000,
        kind: Some(kind),
    });
    events.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_found_and_played_back() {
    let gate = Gate::start();
    let mut filter = gate.filter().await;
    let id = filter.open(&gate.token("claude-17", "analysts")).await;
    let sam = gate.token("sam", "security");
    let prefix = id.get(..8).unwrap();
    let mut events = events(&id);
    let closed = events.pop().unwrap();
    filter.append(events).await;

    let mut tail = gate.follow(&sam, &["sessions", "tail", prefix, "--output", "json"]);
    assert_eq!(tail.next()["kind"], "connection_opened");
    for kind in ["logged_in", "operated", "replied"] {
        assert_eq!(tail.next()["kind"], kind);
    }
    filter.append(vec![closed]).await;
    assert_eq!(tail.next()["kind"], "closed");
    tail.end();

    let listed = gate.json(&sam, &["sessions", "list", "--subject", "claude-17"]);
    let session = &listed["sessions"][0];
    assert_eq!(session["id"], id.as_str());
    assert_eq!(
        (&session["operations"], &session["masked"]),
        (&1.into(), &1.into())
    );
    assert!(!session["closed"].is_null());

    let output = gate.run(&sam, &["sessions", "replay", prefix, "--instant"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains('\u{1b}'));
    let (_, steps) = text.split_once("\n\n").unwrap();
    expect![[r#"
        12:26:40.100  connected from 127.0.0.1:50000 to shop, database shop, as ann, with psql
        12:26:40.200  logged in: claude-17 of http://127.0.0.1:7701, as shop_app on server 15.18
        12:26:40.300  #1 SELECT email FROM users /* \x1b]52;c;eA==\x07 */
                      allowed by `reads`
                      sql:select public.users
        12:26:40.400  #1 SELECT 1 (2.0 ms, 1 value masked)
                       email
                      --------------
                       ********.com
                      (1 row)
        12:26:40.500  closed by client after 1 operation
    "#]]
    .assert_eq(steps);

    let hits = gate.run(
        &sam,
        &["sessions", "search", "FROM USERS", "--verb", "sql:select"],
    );
    let text = String::from_utf8_lossy(&hits.stdout);
    assert!(
        text.contains("    SELECT email FROM users /* \\x1b]52;c;eA==\\x07 */"),
        "{text}"
    );
    let none = gate.run(
        &sam,
        &["sessions", "search", "FROM users", "--verdict", "deny"],
    );
    assert_eq!(
        String::from_utf8_lossy(&none.stdout),
        "no statement found\n"
    );

    let nobody = gate.token("mallory", "analysts");
    assert_eq!(code(&gate.run(&nobody, &["sessions", "replay", prefix])), 4);
    assert_eq!(code(&gate.run(&sam, &["sessions", "show", "ffffffff"])), 5);
    assert_eq!(code(&gate.run(&sam, &["sessions", "kill", prefix])), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policy_is_applied_whole_or_not_at_all() {
    let gate = Gate::start();
    let pat = gate.token("pat", "platform,security");
    let bad = gate.dir().join("bad");
    std::fs::create_dir(&bad).unwrap();
    std::fs::write(
        bad.join("a.cedar"),
        "permit (principal, action, resource);\n",
    )
    .unwrap();
    let output = gate.run(&pat, &["policy", "apply", bad.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(code(&output), 1, "{text}");
    assert!(text.contains("bad/a.cedar:1: "), "{text}");

    let running = gate.json(&pat, &["policy", "get"]);
    assert_eq!(running["version"], 1);
    let good = gate.dir().join("policy");
    let same = gate.json(&pat, &["policy", "apply", good.to_str().unwrap()]);
    assert_eq!(
        (&same["changed"], &same["version"]),
        (&false.into(), &1.into())
    );
    std::fs::write(good.join("more.cedar"), "// nothing yet\n").unwrap();
    let changed = gate.json(&pat, &["policy", "apply", good.to_str().unwrap()]);
    assert_eq!(
        (&changed["changed"], &changed["version"]),
        (&true.into(), &2.into())
    );

    let out = gate.dir().join("got");
    let get = [
        "policy",
        "get",
        "--version",
        "1",
        "-o",
        out.to_str().unwrap(),
    ];
    assert_eq!(code(&gate.run(&pat, &get)), 0);
    assert!(!out.join("more.cedar").exists());
    let read = |dir: &std::path::Path| std::fs::read_to_string(dir.join("guards.cedar")).unwrap();
    assert_eq!(read(&out), read(&good));
    // Files that are there are not replaced.
    assert_eq!(code(&gate.run(&pat, &get)), 1);
    assert_eq!(
        code(&gate.run(&pat, &["policy", "get", "--version", "9"])),
        5
    );
    let rita = gate.token("rita", "dba");
    let apply = ["policy", "apply", good.to_str().unwrap()];
    assert_eq!(code(&gate.run(&rita, &apply)), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resources_show_who_guards_them() {
    let gate = Gate::start();
    let sam = gate.token("sam", "security");
    let listed = gate.json(&sam, &["resources", "list"]);
    let shop = &listed["resources"][0];
    assert_eq!(
        (&shop["name"], &shop["filters"]),
        (&"shop".into(), &0.into())
    );
    let mut filter = gate.filter().await;
    filter.watch().await;
    let listed = gate.json(&sam, &["resources", "list"]);
    assert_eq!(listed["resources"][0]["filters"], 1);
    let table = gate.run(&sam, &["resources", "list"]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert_eq!(table.lines().count(), 2, "{table}");
}
