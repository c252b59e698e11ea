//! Labelled values leave masked in every form they can take. Whatever the statement, what the server
//! holds must not come through: each answer is searched for it, byte by byte.

use ostiary_tests::{
    Result,
    clients::Agent,
    stack::{Policy, example_policy},
    wire::{self, Message},
};

use crate::{of_kind, with_policy, with_shared};

/// What nobody without `reveal` may see, as the server holds it.
pub(crate) const SECRETS: [&str; 8] = [
    "ada.brook@example.com",
    "ben.ortiz@example.org",
    "cleo@example.net",
    "078-05-1120",
    "219-09-9999",
    "4111111111111111",
    "5500005555555559",
    "340000000000009",
];

/// Statements that read labelled columns in some way, each of them allowed to run or denied, none of
/// them answered bare.
const READS: [&str; 34] = [
    "SELECT * FROM users",
    "SELECT email FROM users",
    "SELECT email AS city, ssn AS name FROM users",
    "SELECT u.email FROM public.users AS u",
    "SELECT contact FROM customers",
    "SELECT * FROM customers",
    "SELECT e FROM (SELECT email AS e FROM users) AS inner_one",
    "WITH c AS (SELECT ssn AS s FROM users) SELECT s FROM c",
    "SELECT city FROM users UNION ALL SELECT email FROM users",
    "SELECT upper(email) FROM users",
    "SELECT lower(email) || '' FROM users",
    "SELECT substr(ssn, 1, 3), substr(ssn, 4) FROM users",
    "SELECT left(card, 8), right(card, 8) FROM users",
    "SELECT reverse(card) FROM users",
    "SELECT coalesce(ssn, 'none') FROM users",
    "SELECT CASE WHEN true THEN email END FROM users",
    "SELECT max(email), min(ssn) FROM users",
    "SELECT array_agg(email) FROM users",
    "SELECT string_agg(card, ',') FROM users",
    "SELECT to_json(u) FROM users u",
    "SELECT row_to_json(u)::text FROM users u",
    "SELECT u FROM users u",
    "SELECT u::text FROM users u",
    "SELECT (u).email FROM users u",
    "SELECT DISTINCT ON (id) email FROM users ORDER BY id",
    "SELECT first_value(email) OVER (ORDER BY id) FROM users",
    "SELECT o.id, u.email FROM orders o JOIN users u ON u.id = o.user_id",
    "SELECT l.email FROM orders o, LATERAL (SELECT email FROM users WHERE id = o.user_id) l",
    "SELECT (SELECT email FROM users WHERE id = 1)",
    "SELECT encode(convert_to(email, 'UTF8'), 'escape') FROM users",
    "SELECT format('%s', ssn) FROM users",
    "SELECT email::varchar(100) FROM users",
    "UPDATE users SET city = city WHERE id = 1 RETURNING email",
    "TABLE users",
];

#[test]
fn no_statement_brings_a_labelled_value_out_bare() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("reader")?.on(&database);
        check_reads(&agent)?;
        let record = serde_json::to_string(&stack.auditor()?.events_of("reader")?)?;
        for secret in SECRETS {
            assert!(!record.contains(secret), "the record holds {secret}");
        }
        Ok(())
    })
}

/// The same by the labels of columns alone: no detector that would find the values anyway.
#[test]
fn column_labels_hold_without_any_detector() -> Result<()> {
    with_policy(&without_detectors()?, |stack, postgres| {
        let database = postgres.database()?;
        check_reads(&stack.agent("reader")?.on(&database))
    })
}

/// Detectors alone, which know nothing of columns.
#[test]
fn detectors_find_values_wherever_they_come_from() -> Result<()> {
    let mut policy = example_policy()?;
    let labels = policy.get_mut("labels.yaml").unwrap();
    let (before, rest) = labels.split_once("columns:").unwrap();
    let (_, after) = rest.split_once("detectors:").unwrap();
    *labels = format!("{before}detectors:{after}");
    with_policy(&policy, |stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("detected")?.on(&database);
        for sql in [
            "SELECT note FROM orders ORDER BY id",
            "SELECT 'write to ada.brook@example.com now'",
            "SELECT * FROM users",
            "SELECT to_json(u) FROM users u",
            "SELECT string_agg(email, ' and ') FROM users",
        ] {
            for answer in answers(&agent, sql)? {
                assert_clean(sql, &answer);
            }
        }
        Ok(())
    })
}

#[test]
fn what_is_not_labelled_arrives_as_it_is() -> Result<()> {
    with_shared(|stack, _| {
        let mut session = stack.agent("plain")?.connect()?;
        let row = session.query_one("SELECT id, name, city FROM users WHERE id = 1", &[])?;
        assert_eq!(
            (
                row.get::<_, i32>(0),
                row.get::<_, &str>(1),
                row.get::<_, &str>(2)
            ),
            (1, "Ada Brook", "Lisbon")
        );
        let row = session.query_one("SELECT total::float8, note FROM orders WHERE id = 1", &[])?;
        assert_eq!(
            (row.get::<_, f64>(0), row.get::<_, &str>(1)),
            (42.5, "leave at the door")
        );
        Ok(())
    })
}

#[test]
fn a_masked_value_keeps_its_form_where_the_strategy_says_so() -> Result<()> {
    with_shared(|stack, _| {
        let mut session = stack.agent("forms")?.connect()?;
        let row = session.query_one("SELECT card, ssn FROM users WHERE id = 1", &[])?;
        assert!(row.get::<_, &str>(0).ends_with("1111"), "{row:?}");
        assert!(!row.get::<_, &str>(1).contains("078"), "{row:?}");
        // NULL stays NULL: a mask tells nothing new.
        let row = session.query_one("SELECT ssn FROM users WHERE id = 3", &[])?;
        assert_eq!(row.get::<_, Option<&str>>(0), None);
        Ok(())
    })
}

#[test]
fn who_may_reveal_a_label_sees_it_and_nothing_more() -> Result<()> {
    with_shared(|stack, _| {
        let mut session = stack
            .agent_in("supporter", &["analysts", "support"])?
            .connect()?;
        let row = session.query_one("SELECT email, ssn FROM users WHERE id = 1", &[])?;
        assert_eq!(row.get::<_, &str>(0), "ada.brook@example.com");
        assert_ne!(row.get::<_, &str>(1), "078-05-1120");
        Ok(())
    })
}

#[test]
fn a_prepared_statement_is_masked_each_time_and_portal_by_portal() -> Result<()> {
    with_shared(|stack, _| {
        let mut raw = stack.agent("portals")?.raw()?;
        for format in [0, 1] {
            raw.send(
                &[
                    wire::parse("s", "SELECT email FROM users ORDER BY id"),
                    wire::sync(),
                ]
                .concat(),
            )?;
            raw.until('Z')?;
            // Without Describe, one row at a time, out of a portal that stays suspended between.
            raw.send(
                &[
                    wire::bind("p", "s", &[], format),
                    wire::execute("p", 1),
                    wire::execute("p", 1),
                    wire::execute("p", 0),
                    wire::sync(),
                ]
                .concat(),
            )?;
            let answer = raw.until('Z')?;
            assert_eq!(
                answer.iter().filter(|it| it.tag == 'D').count(),
                3,
                "{answer:?}"
            );
            assert_clean("a portal", &answer);
            raw.send(&[wire::message('C', b"Ss\0"), wire::sync()].concat())?;
            raw.until('Z')?;
        }
        Ok(())
    })
}

#[test]
fn an_error_of_the_server_does_not_quote_a_labelled_value() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let agent = stack.agent("errors")?.on(&database);
        for sql in [
            "SELECT email::int FROM users",
            "SELECT ssn::date FROM users",
            "SELECT 1 FROM users WHERE card::int = 1",
            "INSERT INTO users SELECT 1, name, email, ssn, card, city FROM users",
            "UPDATE users SET name = NULL WHERE id = 1",
        ] {
            for answer in answers(&agent, sql)? {
                assert_clean(sql, &answer);
            }
        }
        Ok(())
    })
}

#[test]
fn the_record_counts_what_was_masked_and_keeps_the_masked_form() -> Result<()> {
    with_shared(|stack, _| {
        stack
            .agent("counted")?
            .psql(&["SELECT email FROM users"])?
            .ok()?;
        let events = stack.auditor()?.recorded("counted")?;
        let replied = of_kind(&events, "replied");
        assert_eq!(
            (replied[0]["rows"].as_u64(), replied[0]["masked"].as_u64()),
            (Some(3), Some(3)),
            "{events:?}"
        );
        assert_eq!(replied[0]["columns"].to_string(), r#"["email"]"#);
        assert_eq!(replied[0]["sample"].as_array().map(Vec::len), Some(3));
        Ok(())
    })
}

fn check_reads(agent: &Agent) -> Result<()> {
    for sql in READS {
        for answer in answers(agent, sql)? {
            assert_clean(sql, &answer);
            // A refusal is an answer; silence would prove nothing.
            assert!(
                answer.iter().any(|it| matches!(it.tag, 'D' | 'E')),
                "{sql}: {answer:?}"
            );
        }
    }
    Ok(())
}

/// What the server answers to a statement, three ways: simple, extended in text, extended in binary.
fn answers(agent: &Agent, sql: &str) -> Result<Vec<Vec<Message>>> {
    let mut raw = agent.raw()?;
    let mut all = vec![raw.query(sql)?];
    for format in [0, 1] {
        let describe = wire::message('D', b"P\0");
        raw.send(
            &[
                wire::parse("", sql),
                wire::bind("", "", &[], format),
                describe,
                wire::execute("", 0),
                wire::sync(),
            ]
            .concat(),
        )?;
        all.push(raw.until('Z')?);
    }
    Ok(all)
}

fn assert_clean(sql: &str, answer: &[Message]) {
    for message in answer {
        // Values side by side, as a reader puts them together again.
        let mut text = String::from_utf8_lossy(&message.body).into_owned();
        if message.tag == 'D' {
            text.push('\n');
            for value in message.values().into_iter().flatten() {
                text.push_str(&String::from_utf8_lossy(&value));
            }
        }
        let (lower, reversed) = (text.to_lowercase(), text.chars().rev().collect::<String>());
        for secret in SECRETS {
            let found = lower.contains(secret) || reversed.contains(secret);
            assert!(
                !found,
                "{sql}\nlet {secret} through in a {:?} message: {text}",
                message.tag
            );
        }
    }
}

fn without_detectors() -> Result<Policy> {
    let mut policy = example_policy()?;
    let labels = policy.get_mut("labels.yaml").unwrap();
    *labels = labels
        .split("# Run over every text value")
        .next()
        .unwrap()
        .split("detectors:")
        .next()
        .unwrap()
        .to_owned();
    Ok(policy)
}
