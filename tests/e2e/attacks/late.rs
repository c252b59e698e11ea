//! What was judged earlier than it runs: portals, cursors and prepared statements that wait, and errors that
//! come at the end of a transaction.

use ostiary_tests::{
    Result, ensure,
    stack::{Policy, example_policy},
    wire::{self, Message, Raw},
};

use super::{LAB, labelled_lab, sqlstates};
use crate::with_policy;

/// One round: everything that was sent, and Sync.
fn round(raw: &mut Raw, messages: &[Vec<u8>]) -> Result<Vec<Message>> {
    raw.send(&[messages.concat(), wire::sync()].concat())?;
    raw.until('Z')
}

fn extended(sql: &str) -> [Vec<u8>; 3] {
    [
        wire::parse("", sql),
        wire::bind("", "", &[], 0),
        wire::execute("", 0),
    ]
}

/// The rows, as text.
fn rows(answer: &[Message]) -> Vec<String> {
    let rows = answer.iter().filter(|it| it.tag == 'D');
    rows.map(|it| String::from_utf8_lossy(&it.body).into_owned())
        .collect()
}

#[test]
fn errors_that_come_late_quote_no_labelled_value() -> Result<()> {
    with_policy(&labelled_lab()?, |stack, postgres| {
        let database = postgres.database()?;
        postgres.admin(&database)?.batch_execute(LAB)?;
        postgres
            .admin(&database)?
            .batch_execute("ALTER TABLE safe OWNER TO shop")?;
        let mut raw = stack.agent("latecomer")?.on(&database).raw()?;
        let late = "SELECT id, CASE WHEN id = 2 THEN code::int END FROM safe ORDER BY id";
        let hold = format!("DECLARE c CURSOR WITH HOLD FOR {late}");
        let mut said = Vec::new();
        // The last statement of each fails; those before do not.
        for texts in [
            &["BEGIN", hold.as_str(), "COMMIT"][..],
            &["BEGIN", &hold, "FETCH 1 FROM c", "END"],
            &[&hold],
            &[
                "BEGIN",
                &format!("DECLARE c CURSOR FOR {late}"),
                "MOVE ALL FROM c",
            ],
            &[
                "BEGIN",
                &format!("DECLARE c CURSOR FOR {late}"),
                "FETCH 1 FROM c",
                "FETCH 1 FROM c",
            ],
            &[&format!("PREPARE late AS {late}"), "EXECUTE late"],
            &[&format!("COPY ({late}) TO STDOUT")],
            &[&format!("EXPLAIN ANALYZE {late}")],
            &["CREATE UNIQUE INDEX ON safe (replace(code, 'abracadabra', 'open-sesame'))"],
            &[
                "BEGIN",
                "SAVEPOINT s",
                "UPDATE public.safe SET code = (SELECT code FROM public.safe WHERE id = 2) WHERE id = 1",
                "RELEASE s",
                "COMMIT",
            ],
        ] {
            let (last, before) = texts.split_last().unwrap();
            for sql in before {
                let answer = raw.query(sql)?;
                ensure!(sqlstates(&answer).is_empty(), "`{sql}`: {answer:?}");
                said.extend(answer);
            }
            let answer = raw.query(last)?;
            ensure!(!sqlstates(&answer).is_empty(), "`{last}`: {answer:?}");
            said.extend(answer);
            raw.query("ROLLBACK")?;
            raw.query("CLOSE ALL")?;
        }
        // The same on the wire: at Sync, at the second Execute of a portal, by Execute of a cursor.
        let answer = round(&mut raw, &extended(&hold))?;
        ensure!(!sqlstates(&answer).is_empty(), "at Sync: {answer:?}");
        said.extend(answer);
        raw.query("BEGIN")?;
        let portal = [
            wire::parse("", late),
            wire::bind("p", "", &[], 0),
            wire::execute("p", 1),
        ];
        said.extend(round(&mut raw, &portal)?);
        let answer = round(&mut raw, &[wire::execute("p", 1)])?;
        ensure!(!sqlstates(&answer).is_empty(), "suspended: {answer:?}");
        said.extend(answer);
        raw.query("ROLLBACK")?;
        // Notices of whatever the session asks for.
        raw.query("SET client_min_messages = debug5")?;
        for setting in [
            "debug_print_parse",
            "debug_print_rewritten",
            "debug_print_plan",
        ] {
            said.extend(raw.query(&format!("SET {setting} = on"))?);
        }
        said.extend(raw.query("SELECT max(code) FROM safe")?);
        said.extend(raw.query("UPDATE safe SET code = code || '!' WHERE id = 1 RETURNING code")?);
        for message in said {
            let text = String::from_utf8_lossy(&message.body).into_owned();
            assert!(!text.contains("sesame") && !text.contains("abra"), "{text}");
        }
        Ok(())
    })
}

fn example_and(file: &str, text: &str) -> Result<Policy> {
    let mut policy = example_policy()?;
    policy.insert(file.to_owned(), text.to_owned());
    Ok(policy)
}

#[test]
fn what_waits_is_judged_and_masked_by_the_policy_of_the_day() -> Result<()> {
    with_policy(&example_policy()?, |stack, _| {
        let mut raw = stack.agent("sleeper")?.raw()?;
        let cities = "SELECT city FROM users ORDER BY id";
        raw.query(
            "DECLARE c CURSOR WITH HOLD FOR SELECT city, upper(city) AS u FROM users ORDER BY id",
        )?;
        raw.query(&format!("PREPARE s AS {cities}"))?;
        raw.query("BEGIN")?;
        let first = [
            wire::parse("", cities),
            wire::bind("p", "", &[], 0),
            wire::execute("p", 1),
        ];
        let answer = [round(&mut raw, &first)?, raw.query("FETCH 1 FROM c")?].concat();
        ensure!(
            rows(&answer).iter().all(|it| it.contains("Lisbon")),
            "{answer:?}"
        );
        let mut labelled = example_policy()?;
        let labels = labelled.entry("labels.yaml".to_owned()).or_default();
        *labels = labels.replace(
            "columns:\n",
            "columns:\n  - {column: public.users.city, label: pii.ssn}\n",
        );
        stack.switch(&labelled)?;
        let next = [wire::execute("p", 1)];
        let ways = |raw: &mut Raw| -> Result<[Vec<Message>; 3]> {
            raw.query("SAVEPOINT here")?;
            let portal = round(raw, &next)?;
            raw.query("ROLLBACK TO here")?;
            let cursor = raw.query("FETCH 1 FROM c")?;
            raw.query("ROLLBACK TO here")?;
            let prepared = raw.query("EXECUTE s")?;
            raw.query("ROLLBACK TO here")?;
            Ok([portal, cursor, prepared])
        };
        for answer in ways(&mut raw)? {
            ensure!(!rows(&answer).is_empty(), "{answer:?}");
            for row in rows(&answer) {
                ensure!(
                    ["isbon", "orto", "aro", "ISBON", "ORTO", "ARO"]
                        .iter()
                        .all(|city| !row.contains(city)),
                    "{row}"
                );
            }
        }
        stack.switch(&example_and(
            "no-users.cedar",
            "@id(\"no-users\") forbid (principal, action, resource is Table) when { resource.name == \"users\" };",
        )?)?;
        for answer in ways(&mut raw)? {
            assert_eq!(sqlstates(&answer), ["42501"], "{answer:?}");
        }
        Ok(())
    })
}
