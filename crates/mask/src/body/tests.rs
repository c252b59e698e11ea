//! Bodies in, bodies out, however they are cut.

use std::str::FromStr as _;

use proptest::prelude::{any, prop, prop_assert_eq, proptest};

use super::*;
use crate::detect::Detector;

fn fields(paths: &[(&str, Strategy)]) -> Vec<(FieldPath, Strategy)> {
    paths
        .iter()
        .map(|(path, strategy)| (FieldPath::from_str(path).unwrap(), strategy.clone()))
        .collect()
}

fn masker(form: Form, paths: &[(&str, Strategy)]) -> BodyMasker {
    let detectors = [
        (Detector::Email, Strategy::Redact),
        (Detector::PaymentCard, Strategy::Partial { keep: 4 }),
        (Detector::UsSsn, Strategy::Null),
        (Detector::PrivateKey, Strategy::Redact),
    ];
    let rewriter = Rewriter::new(detectors, HashKey::new(vec![7; 32]));
    BodyMasker::new(form, fields(paths), rewriter)
}

/// The whole body, or why it is broken; with how much was masked.
fn run(mut masker: BodyMasker, parts: &[&[u8]]) -> Result<(String, u64), &'static str> {
    let mut out = Vec::new();
    for part in parts {
        masker.push(part, &mut out).map_err(|it| it.reason)?;
    }
    masker.finish(&mut out).map_err(|it| it.reason)?;
    Ok((String::from_utf8_lossy(&out).into_owned(), masker.masked()))
}

fn people() -> Vec<(&'static str, Strategy)> {
    vec![
        ("$.email", Strategy::Partial { keep: 4 }),
        ("$..ssn", Strategy::Redact),
        ("$.items[*].price", Strategy::Null),
        ("$.map.*.code", Strategy::Redact),
        ("$[*].email", Strategy::Redact),
    ]
}

#[track_caller]
fn check(form: Form, body: &str, expected: &str, masked: u64) {
    let whole = run(masker(form, &people()), &[body.as_bytes()]);
    assert_eq!(whole, Ok((expected.to_owned(), masked)));
    let bytes: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
    assert_eq!(run(masker(form, &people()), &bytes), whole, "byte by byte");
}

#[test]
fn masks_labelled_fields_whatever_they_hold() {
    check(
        Form::Json,
        r#"{"email": "ada@x.org", "name": "Ada"}"#,
        r#"{"email": "****.org", "name": "Ada"}"#,
        1,
    );
    check(
        Form::Json,
        r#"{"EMAIL":"abcdefgh"}"#,
        r#"{"EMAIL":"****efgh"}"#,
        1,
    );
    check(
        Form::Json,
        r#"{"\u0065mail":"abcdefgh"}"#,
        r#"{"\u0065mail":"****efgh"}"#,
        1,
    );
    check(
        Form::Json,
        r#"{"a":[{"ssn":123},{"b":{"ssn":true}},{"ssn":null},{"ssn":{"x":["}"]}},{"ssn":[1,"]"]}]}"#,
        r#"{"a":[{"ssn":"[redacted]"},{"b":{"ssn":"[redacted]"}},{"ssn":null},{"ssn":"[redacted]"},{"ssn":"[redacted]"}]}"#,
        4,
    );
    check(
        Form::Json,
        r#"{"items":[{"price":1.5},{"price":{"eur":1}}],"price":2}"#,
        r#"{"items":[{"price":null},{"price":null}],"price":2}"#,
        2,
    );
    check(
        Form::Json,
        r#"{"map":{"x":{"code":1},"y":{"code":"z","d":2}}}"#,
        r#"{"map":{"x":{"code":"[redacted]"},"y":{"code":"[redacted]","d":2}}}"#,
        2,
    );
    check(
        Form::Json,
        r#"[{"email":"x"}]"#,
        r#"[{"email":"[redacted]"}]"#,
        1,
    );
}

#[test]
fn detectors_look_at_every_string_name_and_long_number() {
    check(
        Form::Json,
        r#"{"note":"write to ada@example.com \"now\"","4111 1111 1111 1111":1}"#,
        r#"{"note":"write to [redacted] \"now\"","****1111":1}"#,
        2,
    );
    check(
        Form::Json,
        r#""ada\u0040example.com""#,
        r#""[redacted]""#,
        1,
    );
    check(Form::Json, "[4111111111111111, 7]", r#"["****1111", 7]"#, 1);
    check(Form::Json, r#"{"a":"123-45-6789"}"#, r#"{"a":null}"#, 1);
    check(Form::Json, r#"{"123-45-6789":1}"#, r#"{"[redacted]":1}"#, 1);
    check(
        Form::Json,
        "\"\u{1f980} \\ud83e\\udd80 \\ud800\"",
        "\"\u{1f980} \\ud83e\\udd80 \\ud800\"",
        0,
    );
}

#[test]
fn values_may_follow_each_other() {
    check(
        Form::Json,
        "{\"email\":\"abcdefgh\"}\n{\"email\":\"bcdefghi\"}\r\n",
        "{\"email\":\"****efgh\"}\n{\"email\":\"****fghi\"}\r\n",
        2,
    );
    check(Form::Json, "\u{1e}{}\n\u{1e}1\n", "\u{1e}{}\n\u{1e}1\n", 0);
    check(Form::Json, "\u{feff}{\"a\":1}", "\u{feff}{\"a\":1}", 0);
    check(Form::Json, "", "", 0);
    check(Form::Json, " true ", " true ", 0);
}

#[test]
fn what_is_no_json_is_broken_and_nothing_of_it_passes_unread() {
    for body in [
        "{",
        "[1,",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "\"a",
        "{a:1}",
        "{'a':1}",
        "[1,]",
        "{\"a\":1,}",
        "{,}",
        "[,]",
        "1,2",
        "]",
        "}",
        "[}",
        "{]",
        "nul",
        "NaN",
        "+1",
        "01",
        "1.",
        ".5",
        "1e",
        "-",
        "0x10",
        "/* c */ {}",
        "// c\n{}",
        "\"\\x\"",
        "\"\\u12\"",
        "\"a\nb\"",
        "{\"a\" 1}",
        "<a/>",
        ")]}'\n{}",
    ] {
        let whole = run(masker(Form::Json, &people()), &[body.as_bytes()]);
        assert!(whole.is_err(), "{body}: {whole:?}");
        let bytes: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
        assert_eq!(run(masker(Form::Json, &people()), &bytes), whole, "{body}");
    }
    let deep = "[".repeat(100_000);
    assert!(run(masker(Form::Json, &[]), &[deep.as_bytes()]).is_err());
}

#[test]
fn what_is_too_long_to_be_read_is_left_out() {
    let long = "x".repeat(MAX_UNIT + 1);
    check(
        Form::Json,
        &format!("[\"{long}\",1]"),
        &format!("[\"{TOO_LONG}\",1]"),
        1,
    );
    check(
        Form::Json,
        &format!("[\"{}\",1]", "\\n".repeat(MAX_UNIT / 2 + 1)),
        &format!("[\"{TOO_LONG}\",1]"),
        1,
    );
    check(
        Form::Text,
        &format!("a\n{long}\nb"),
        &format!("a\n{TOO_LONG}\nb"),
        1,
    );
    let events = format!("data: {long}\n\n");
    assert!(run(masker(Form::Events, &[]), &[events.as_bytes()]).is_err());
}

#[test]
fn text_is_read_by_line_and_a_key_by_block() {
    check(
        Form::Text,
        "to ada@example.com\r\nok\n",
        "to [redacted]\r\nok\n",
        1,
    );
    check(Form::Text, "ada@example.com", "[redacted]", 1);
    check(Form::Text, "a 123-45-6789 b\nc", "\nc", 1);
    check(
        Form::Text,
        "a\n-----BEGIN PRIVATE KEY-----\nMIIBVQIBADANBgkqhkiG\n-----END PRIVATE KEY-----\nb\n",
        "a\n[redacted]\nb\n",
        1,
    );
}

#[test]
fn json_that_is_called_text_is_read_as_json() {
    check(
        Form::Text,
        " {\"email\":\"abcdefgh\"}",
        " {\"email\":\"****efgh\"}",
        1,
    );
    check(
        Form::Text,
        "[ {\"email\":\"abcdefgh\"}]",
        "[ {\"email\":\"[redacted]\"}]",
        1,
    );
    check(Form::Text, "[info] started", "[info] started", 0);
    check(Form::Text, "[", "[", 0);
}

#[test]
fn events_are_read_whole() {
    check(
        Form::Events,
        "event: user\ndata: {\"email\":\"abcdefgh\"}\n\n: ping\n\ndata: [DONE]\n\n",
        "event: user\ndata: {\"email\":\"****efgh\"}\n\n: ping\n\ndata: [DONE]\n\n",
        1,
    );
    check(
        Form::Events,
        "data:{\"email\":\r\ndata: \"abcdefgh\"}\r\rid: 7\r\n",
        "data: {\"email\":\ndata: \"****efgh\"}\n\nid: 7\n",
        1,
    );
    check(
        Form::Events,
        "data: ada@example.com\n\n",
        "data: [redacted]\n\n",
        1,
    );
    let cut = "data: {\"ssn\":\"1\n\n";
    assert!(run(masker(Form::Events, &people()), &[cut.as_bytes()]).is_err());
}

proptest! {
    #[test]
    fn the_same_however_the_bytes_are_cut(
        parts in prop::collection::vec((0..24_usize, any::<u8>()), 0..40),
        cuts in prop::collection::vec(1..9_usize, 0..60),
        form in 0..3_usize,
    ) {
        let pieces = [
            "{", "}", "[", "]", ",", ":", "\"email\"", "\"ssn\"", "\"items\"", "\"price\"",
            "\"a@example.com\"", "\"\\u0061\\n\"", "4111111111111111", "1.5e3", "true", "null",
            " ", "\n", "\r\n", "data: ", "ada@example.com", "-----BEGIN PRIVATE KEY-----\n",
            "-----END PRIVATE KEY-----", "\"",
        ];
        let body: Vec<u8> = parts
            .iter()
            .flat_map(|(piece, noise)| {
                let mut bytes = pieces[*piece].as_bytes().to_vec();
                if *noise > 250 {
                    bytes.push(*noise);
                }
                bytes
            })
            .collect();
        let form = [Form::Json, Form::Text, Form::Events][form];
        let whole = run(masker(form, &people()), &[&body]);
        let mut cut = Vec::new();
        let mut rest = body.as_slice();
        for size in cuts {
            let (part, after) = rest.split_at(size.min(rest.len()));
            cut.push(part);
            rest = after;
        }
        cut.push(rest);
        prop_assert_eq!(run(masker(form, &people()), &cut), whole);
    }
}
