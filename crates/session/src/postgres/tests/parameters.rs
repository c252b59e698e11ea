//! Parameters on record: masked as the columns they meet are.

use ostiary_wire::postgres::{Format, frontend::encode};

use super::client::{Client, parse};
use super::policy::Rules;
use super::rig::Rig;

const EMAIL: &str = "alice@example.com";

/// What the record keeps of the parameters, bound in either format.
#[track_caller]
fn check(rules: Rules, sql: &str, parameters: &[&str], expected: &str) {
    for format in [Format::Text, Format::Binary] {
        let mut rig = Rig::open(rules);
        let values: Vec<_> = parameters.iter().map(|p| Some(p.as_bytes())).collect();
        let Client(mut bytes) = parse("", sql);
        encode::bind(&mut bytes, b"", b"", &[format], &values, &[]).unwrap();
        rig.send(&Client(bytes).execute("").sync());
        let seen = rig.take();
        let hex = |text: &str| text.bytes().map(|b| format!("{b:02x}")).collect::<String>();
        let mut shown = expected.to_owned();
        if format == Format::Binary {
            for bare in parameters {
                shown = shown.replace(&format!("={bare}="), &format!("\\x{}", hex(bare)));
            }
        }
        let shown = shown.replace('=', "");
        assert!(
            seen.contains(&format!("{sql} ({shown}")),
            "{format:?} {shown} {seen}"
        );
    }
}

#[test]
fn parameters_are_masked_by_the_labels_of_what_they_meet() {
    use Rules::{Detectors, Labels, Observe, Plain};
    let insert = "INSERT INTO users (id, email) VALUES ($1, $2)";
    check(Labels, insert, &["7", EMAIL], "=7= | ****.com)");
    check(Plain, insert, &["7", EMAIL], "=7= | =alice@example.com=)");
    check(Observe, insert, &["7", EMAIL], "[redacted] | [redacted])");
    check(
        Labels,
        "UPDATE users SET ssn = $2, name = $1 WHERE id = $3",
        &["ada", "078-05-1120", "1"],
        "=ada= | [redacted] | =1=)",
    );
    check(
        Labels,
        "UPDATE users SET card = lower($1) WHERE id = 1",
        &["4111111111111111"],
        "h:",
    );
    check(Labels, "SELECT name FROM users LIMIT $1", &["9"], "=9=)");
    // Here they may meet anything.
    for sql in [
        "INSERT INTO users VALUES ($1)",
        "SELECT app_function($1) FROM users",
    ] {
        check(Labels, sql, &["9"], "[redacted])");
    }
    check(Labels, "INSERT INTO orders VALUES ($1)", &["9"], "=9=)");
    check(
        Detectors,
        "INSERT INTO orders VALUES ($1, $2)",
        &["write to alice@example.com", "9"],
        "write to [redacted] | =9=)",
    );
}

#[test]
fn parameters_bound_under_other_labels_are_not_shown() {
    let mut rig = Rig::open(Rules::Plain);
    let sql = "INSERT INTO users (id, email) VALUES ($1, $2)";
    let bound = parse("", sql).bind_with("", "", &[Some("7"), Some(EMAIL)], &[]);
    rig.send(&bound.flush().0);
    rig.change(Rules::Labels);
    rig.send(&Client::default().execute("").sync());
    let seen = rig.take();
    assert!(seen.contains("([redacted] | [redacted])"), "{seen}");
}
