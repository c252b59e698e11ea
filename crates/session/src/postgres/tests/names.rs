//! Names of statements and portals: whatever a client does to them, what runs is what was judged.
//! The rig holds every statement the server runs against policy, by its own text.

use super::answer::Answer;
use super::client::{bind, parse, query};
use super::policy::Rules;
use super::rig::Rig;

const DELETE: &str = "DELETE FROM users";

/// A name of 63 bytes: the server ignores what comes after.
fn long(end: &str) -> String {
    format!("{}{end}", "n".repeat(63))
}

#[test]
fn a_name_the_server_cuts_is_not_two_names() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&parse(&long("a"), "SELECT 1").sync());
    rig.send(
        &super::client::Client::default()
            .close_statement(&long("b"))
            .sync(),
    );
    rig.send(&parse(&long("c"), DELETE).sync());
    rig.send(&bind("", &long("a")).execute("").sync());
    assert!(!rig.ran().contains(&DELETE), "{}", rig.take());
}

#[test]
fn a_name_the_server_converts_before_it_cuts_it_is_refused() {
    let mut rig = Rig::open(Rules::Plain);
    let mut setting = Vec::new();
    ostiary_wire::postgres::backend::encode::parameter_status(
        &mut setting,
        b"server_encoding",
        b"LATIN1",
    )
    .unwrap();
    rig.server_says(&setting);
    // 64 bytes in UTF-8, the client's encoding, and 33 in the server's.
    let long = |end: &str| format!("n{}{end}", "\u{e4}".repeat(31));
    rig.send(&parse(&long("a"), DELETE).sync());
    rig.send(&bind("", &long("a")).execute("").sync());
    assert!(
        rig.client_saw("a name is outside ASCII and may not be UTF-8"),
        "{}",
        rig.take()
    );
    assert!(rig.asked.is_empty() && !rig.ran().contains(&DELETE));
    rig.works();
}

#[test]
fn a_close_that_was_skipped_does_not_bring_an_old_meaning_back() {
    let mut rig = Rig::open(Rules::Plain);
    rig.server
        .on("SELECT 1/0", Answer::error("22012", "division by zero"));
    rig.send(&parse("s", "SELECT 1").sync());
    // All of it is sent before the server answers the first round.
    rig.server.silent = true;
    let mark = rig.upstream.len();
    rig.send(
        &parse("", "SELECT 1/0")
            .bind("", "")
            .execute("")
            .close_statement("s")
            .sync(),
    );
    rig.send(&query("DEALLOCATE s"));
    rig.send(&parse("s", DELETE).sync());
    rig.send(&bind("", "s").execute("").sync());
    rig.answers_one_by_one(mark);
    assert!(!rig.ran().contains(&DELETE), "{}", rig.take());
    // The last Bind waited until it was clear what the name stands for.
    assert_eq!(rig.asked.len(), 1);
    rig.approve(crate::Outcome::Expired);
    rig.works();
}

#[test]
fn execute_is_judged_with_its_arguments() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&query("PREPARE p AS SELECT $1"));
    rig.send(&query("EXECUTE p(public.purge())"));
    assert!(rig.take().contains("denied by rule `no-purge`"));
    rig.send(&query("EXECUTE p(1)"));
    assert_eq!(rig.ran(), ["PREPARE p AS SELECT $1", "SELECT $1"]);
}

#[test]
fn a_parse_of_a_name_that_exists_changes_nothing() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&parse("s", DELETE).sync());
    rig.send(&parse("s", "SELECT 1").sync());
    assert!(rig.take().contains("42P05"));
    rig.send(&bind("", "s").execute("").sync());
    assert_eq!(rig.asked.len(), 1);
    assert!(rig.ran().is_empty());
}

#[test]
fn a_pipeline_goes_on_after_a_query_that_was_skipped() {
    let mut rig = Rig::open(Rules::Plain);
    rig.server.on(
        "SELEC",
        Answer {
            unparsable: true,
            ..Answer::default()
        },
    );
    rig.server
        .on("SELECT 1/0", Answer::error("22012", "division by zero"));
    // A Query behind an error in the same round is dropped by the server.
    rig.server.silent = true;
    let mark = rig.upstream.len();
    rig.send(
        &parse("", "SELECT 1/0")
            .bind("", "")
            .execute("")
            .query("SELECT 2")
            .0,
    );
    rig.send(&parse("t", "SELECT 3").sync());
    rig.send(&parse("u", "SELECT 4").sync());
    rig.send(&bind("", "u").execute("").sync());
    rig.answers_one_by_one(mark);
    let seen = rig.take();
    assert_eq!(rig.ran(), ["SELECT 1/0", "SELECT 4"], "{seen}");
    rig.works();
}

#[test]
fn a_wait_ends_with_the_round_it_belongs_to() {
    let mut rig = Rig::open(Rules::Plain);
    rig.server
        .on("SELECT 1/0", Answer::error("22012", "division by zero"));
    rig.server.silent = true;
    let mark = rig.upstream.len();
    rig.send(
        &parse("", "SELECT 1/0")
            .bind("", "")
            .execute("")
            .parse("", DELETE)
            .bind("", "")
            .execute("")
            .0,
    );
    assert_eq!(rig.asked.len(), 1);
    rig.answers_one_by_one(mark);
    assert_eq!(rig.cancelled, 1);
    rig.approve(super::rig::approved());
    rig.send(&super::client::Client::default().sync());
    let seen = rig.take();
    assert_eq!(rig.ran(), ["SELECT 1/0"], "{seen}");
    rig.works();
}

#[test]
fn prepare_and_execute_are_judged_in_every_order() {
    let cases: &[&[&str]] = &[
        &["PREPARE p AS DELETE FROM users", "EXECUTE p"],
        &[
            "PREPARE p AS SELECT 1",
            "DEALLOCATE p; PREPARE p AS DELETE FROM users",
            "EXECUTE p",
        ],
        &[
            "PREPARE p AS SELECT 1",
            "DEALLOCATE p; PREPARE p AS DELETE FROM users; EXECUTE p",
        ],
        &[
            "PREPARE p AS SELECT 1; DEALLOCATE ALL; PREPARE p AS DELETE FROM users",
            "EXECUTE p",
        ],
        &["DECLARE c CURSOR FOR SELECT 1", "FETCH 1 FROM c"],
        &["PREPARE p AS SELECT 1; SELECT 1/0", "EXECUTE p"],
    ];
    for case in cases {
        let mut rig = Rig::open(Rules::Plain);
        rig.server
            .on("SELECT 1/0", Answer::error("22012", "division by zero"));
        for sql in *case {
            rig.send(&query(sql));
            if !rig.asked.is_empty() {
                rig.asked.clear();
                rig.approve(crate::Outcome::Expired);
            }
        }
        assert!(!rig.ran().contains(&DELETE), "{case:?} {}", rig.take());
        rig.works();
    }
}

#[test]
fn deallocate_all_keeps_cursors_and_close_all_keeps_statements() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&query("BEGIN"));
    rig.send(&query("PREPARE p AS SELECT 1"));
    rig.send(&query("DECLARE c CURSOR FOR SELECT 2"));
    rig.send(&query("CLOSE ALL"));
    rig.send(&query("EXECUTE p"));
    assert!(rig.ran().contains(&"SELECT 1"), "{}", rig.take());
    rig.send(&query("DECLARE c CURSOR FOR SELECT 2"));
    rig.send(&query("DEALLOCATE ALL"));
    rig.send(&query("FETCH 1 FROM c"));
    assert!(rig.ran().contains(&"SELECT 2"), "{}", rig.take());
}

#[test]
fn an_unnamed_portal_is_the_one_bound_last() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(
        &parse("a", "SELECT 1")
            .parse("b", DELETE)
            .bind("", "a")
            .describe_portal("")
            .bind("", "b")
            .execute("")
            .sync(),
    );
    assert_eq!(rig.asked.len(), 1);
    rig.approve(crate::Outcome::Expired);
    assert!(rig.ran().is_empty());
    rig.works();
}

#[test]
fn a_portal_ends_with_its_transaction() {
    let mut rig = Rig::open(Rules::Plain);
    rig.send(&parse("a", "SELECT 1").bind("p", "a").sync());
    rig.take();
    rig.send(&bind("", "a").execute("p").sync());
    assert!(rig.take().contains("34000"));
    rig.send(&query("BEGIN"));
    rig.send(&bind("p", "a").sync());
    rig.send(&bind("", "a").execute("p").sync());
    assert_eq!(rig.ran().last(), Some(&"SELECT 1"));
}

#[test]
fn names_that_are_not_known_are_refused_as_the_server_does() {
    let mut rig = Rig::open(Rules::Plain);
    for (messages, expected) in [
        (bind("", "nobody").sync(), "26000"),
        (bind("", "").execute("nobody").sync(), "26000"),
        (parse("", "SELECT 1").execute("nobody").sync(), "34000"),
        (
            parse("", "SELECT 1").describe_portal("nobody").sync(),
            "34000",
        ),
        (bind("\u{1}ostiary x", "").sync(), "42939"),
        (parse("\u{1}ostiary x", "SELECT 1").sync(), "42939"),
    ] {
        rig.send(&messages);
        let seen = rig.take();
        assert!(seen.contains(expected), "{expected}: {seen}");
        rig.works();
    }
}

#[test]
fn a_copy_is_not_executed_by_its_name() {
    for (rules, text, refused) in [
        (Rules::Plain, "COPY t FROM STDIN", true),
        (Rules::Labels, "COPY t FROM STDIN", true),
        (Rules::Labels, "COPY t TO STDOUT", true),
        (Rules::Plain, "COPY t TO STDOUT", false),
    ] {
        let mut rig = Rig::open(rules);
        rig.send(&parse("a", text).sync());
        rig.take();
        rig.send(&[query("EXECUTE a"), query("SELECT 1")].concat());
        let seen = rig.take();
        assert_eq!(seen.contains("EXECUTE of a COPY"), refused, "{seen}");
        assert_eq!(rig.ran().len(), 2 - usize::from(refused), "{seen}");
        rig.works();
    }
}
