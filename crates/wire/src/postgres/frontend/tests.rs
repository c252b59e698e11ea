use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::postgres::frame;

/// Whether every shorter body is malformed: not so where the body is opaque.
type Strict = bool;

fn samples() -> Vec<(&'static [u8], Frontend<'static>, Strict)> {
    vec![
        (
            b"Q\0\0\0\x0dSELECT 1\0",
            Frontend::Query { sql: b"SELECT 1" },
            true,
        ),
        (b"Q\0\0\0\x05\0", Frontend::Query { sql: b"" }, true),
        (
            b"P\0\0\0\x1as\0SELECT $1\0\0\x02\0\0\0\x17\0\0\0\0",
            Frontend::Parse {
                name: b"s",
                sql: b"SELECT $1",
                parameter_types: vec![23, 0],
            },
            true,
        ),
        (
            b"B\0\0\0\x1fp\0s\0\0\x02\0\0\0\x01\0\x02\0\0\0\x03abc\xff\xff\xff\xff\0\x01\0\x01",
            Frontend::Bind {
                portal: b"p",
                statement: b"s",
                parameter_formats: vec![Format::Text, Format::Binary],
                parameters: vec![Some(b"abc"), None],
                result_formats: vec![Format::Binary],
            },
            true,
        ),
        (
            b"B\0\0\0\x0c\0\0\0\0\0\0\0\0",
            Frontend::Bind {
                portal: b"",
                statement: b"",
                parameter_formats: vec![],
                parameters: vec![],
                result_formats: vec![],
            },
            true,
        ),
        (
            b"D\0\0\0\x07Ss\0",
            Frontend::Describe {
                kind: Target::Statement,
                name: b"s",
            },
            true,
        ),
        (
            b"E\0\0\0\x0ap\0\0\0\0\x05",
            Frontend::Execute {
                portal: b"p",
                max_rows: 5,
            },
            true,
        ),
        (
            b"C\0\0\0\x07Pp\0",
            Frontend::Close {
                kind: Target::Portal,
                name: b"p",
            },
            true,
        ),
        (b"S\0\0\0\x04", Frontend::Sync, true),
        (b"H\0\0\0\x04", Frontend::Flush, true),
        (b"X\0\0\0\x04", Frontend::Terminate, true),
        (b"p\0\0\0\x08pwd\0", Frontend::Password(b"pwd\0"), false),
        (b"d\0\0\0\x07a\tb", Frontend::CopyData(b"a\tb"), false),
        (b"c\0\0\0\x04", Frontend::CopyDone, true),
        (b"f\0\0\0\x08why\0", Frontend::CopyFail(b"why"), true),
        (
            b"F\0\0\0\x08\0\0\0\x01",
            Frontend::FunctionCall(b"\0\0\0\x01"),
            false,
        ),
    ]
}

#[test]
fn reads_and_writes_every_message() {
    for (bytes, message, _) in samples() {
        let frame = frame::take(bytes, 100).unwrap().unwrap();
        assert_eq!(frame.bytes, bytes);
        assert_eq!(
            Frontend::parse(frame.tag, frame.body).as_ref(),
            Ok(&message)
        );
        let mut out = b"before".to_vec();
        assert_eq!(message.encode(&mut out), Ok(()));
        assert_eq!(&out[6..], bytes, "{message:?}");
    }
}

#[test]
fn no_prefix_of_a_message_is_one() {
    for (bytes, message, strict) in samples() {
        for cut in 0..bytes.len() {
            assert_eq!(frame::take(&bytes[..cut], 100), Ok(None));
            assert_eq!(exercise(&bytes[..cut]), Ok(()));
        }
        assert_eq!(exercise(bytes), Ok(()));
        for cut in 5..bytes.len() {
            let parsed = Frontend::parse(bytes[0], &bytes[5..cut]);
            assert!(!strict || parsed.is_err(), "{cut} of {message:?}");
        }
    }
}

#[test]
fn refuses_whatever_follows_a_message() {
    for (bytes, message, strict) in samples() {
        let longer = [&bytes[5..], b"\0"].concat();
        let parsed = Frontend::parse(bytes[0], &longer);
        if strict {
            let trailing = matches!(parsed, Err(Malformed::Trailing { extra: 1, .. }));
            assert!(trailing, "{message:?}");
        }
    }
}

#[test]
fn refuses_malformed_messages() {
    let cases: [(u8, &[u8], Malformed); 17] = [
        // What stands behind the NUL would be read by us or by the server, not by both.
        (
            b'Q',
            b"SELECT 1\0DROP TABLE t\0",
            Malformed::Trailing {
                message: "Query",
                extra: 13,
            },
        ),
        (
            b'Q',
            b"SELECT 1",
            Malformed::UnterminatedString { field: "Query.sql" },
        ),
        (
            b'Q',
            b"",
            Malformed::UnterminatedString { field: "Query.sql" },
        ),
        (
            b'P',
            b"s\0",
            Malformed::UnterminatedString { field: "Parse.sql" },
        ),
        (
            b'P',
            b"\0\0\xff\xff",
            Malformed::Truncated {
                field: "Parse.parameter_types",
            },
        ),
        (
            b'B',
            b"\0\0\xff\xff",
            Malformed::Truncated {
                field: "Bind.parameter_formats",
            },
        ),
        (
            b'B',
            b"\0\0\0\x01\0\x02\0\0\0\0",
            Malformed::UnknownValue {
                field: "Bind.parameter_formats",
                value: 2,
            },
        ),
        (
            b'B',
            b"\0\0\0\0\xff\xff",
            Malformed::Truncated {
                field: "Bind.parameters",
            },
        ),
        (
            b'B',
            b"\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0",
            Malformed::Length {
                field: "Bind.parameter",
                length: -2,
            },
        ),
        (
            b'B',
            b"\0\0\0\0\0\x01\x7f\xff\xff\xff\0\0",
            Malformed::Truncated {
                field: "Bind.parameter",
            },
        ),
        (
            b'B',
            b"\0\0\0\0\0\0\0\x01\xff\xff",
            Malformed::UnknownValue {
                field: "Bind.result_formats",
                value: -1,
            },
        ),
        (
            b'B',
            b"\0\0\0\x02\0\0\0\0\0\x01\0\0\0\0\0\0",
            Malformed::Count {
                field: "Bind.parameter_formats",
                count: 2,
                expected: 1,
            },
        ),
        (
            b'D',
            b"Xs\0",
            Malformed::UnknownValue {
                field: "Describe.kind",
                value: 88,
            },
        ),
        (
            b'E',
            b"p\0\0\0",
            Malformed::Truncated {
                field: "Execute.max_rows",
            },
        ),
        (
            b'S',
            b"\0",
            Malformed::Trailing {
                message: "Sync",
                extra: 1,
            },
        ),
        (b'q', b"SELECT 1\0", Malformed::UnknownTag { tag: b'q' }),
        (0, b"", Malformed::UnknownTag { tag: 0 }),
    ];
    for (tag, body, malformed) in cases {
        assert_eq!(Frontend::parse(tag, body), Err(malformed), "{body:?}");
        assert_eq!(exercise(&[&[tag], body].concat()), Ok(()));
    }
}

#[test]
fn reads_as_many_parameters_as_the_server() {
    let mut body = b"\0\0\0\0\xff\xff".to_vec();
    body.resize(body.len() + 4 * 65_535, 0xff);
    body.extend([0, 0]);
    let Ok(Frontend::Bind { parameters, .. }) = Frontend::parse(b'B', &body) else {
        panic!("not a Bind");
    };
    assert_eq!(parameters.len(), 65_535);
    let too_many = vec![None; 65_536];
    let mut out = b"before".to_vec();
    let wrong = Err(Malformed::TooLarge { message: "Bind" });
    assert_eq!(encode::bind(&mut out, b"", b"", &[], &too_many, &[]), wrong);
    assert_eq!(out, b"before");
}

#[test]
fn writes_no_string_its_reader_would_cut() {
    let mut out = b"before".to_vec();
    let nul = |field| Err(Malformed::InteriorNul { field });
    assert_eq!(encode::query(&mut out, b"a\0b"), nul("Query.sql"));
    assert_eq!(encode::parse(&mut out, b"", b"\0", &[]), nul("Parse.sql"));
    assert_eq!(encode::execute(&mut out, b"p\0", 0), nul("Execute.portal"));
    assert_eq!(
        encode::password(&mut out, b"p\0"),
        nul("PasswordMessage.password")
    );
    assert_eq!(encode::copy_fail(&mut out, b"\0"), nul("CopyFail.message"));
    assert_eq!(out, b"before");
}

#[test]
fn reads_a_password_without_its_nul() {
    let mut out = Vec::new();
    encode::password(&mut out, b"secret").unwrap();
    assert_eq!(password(&out[5..]), Ok(&b"secret"[..]));
    let field = "PasswordMessage.password";
    assert_eq!(
        password(b"secret"),
        Err(Malformed::UnterminatedString { field })
    );
    let trailing = Malformed::Trailing {
        message: "PasswordMessage",
        extra: 1,
    };
    assert_eq!(password(b"a\0b"), Err(trailing));
}

#[test]
fn debug_shows_no_password() {
    assert_eq!(
        format!("{:?}", Frontend::Password(b"eyJ\0")),
        "Password(..)"
    );
    let query = Frontend::Query { sql: b"a\x1b\"" };
    assert_eq!(format!("{query:?}"), r#"Query { sql: "a\x1b\"" }"#);
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    vec(1..=u8::MAX, 0..20)
}

fn formats() -> impl Strategy<Value = Vec<Format>> {
    let format = prop_oneof![Just(Format::Text), Just(Format::Binary)];
    vec(format, 0..4)
}

#[derive(Clone, Debug)]
struct AnyBind {
    portal: Vec<u8>,
    statement: Vec<u8>,
    formats: Vec<Format>,
    values: Vec<Option<Vec<u8>>>,
    results: Vec<Format>,
}

fn any_bind() -> impl Strategy<Value = AnyBind> {
    let values = vec(proptest::option::of(vec(any::<u8>(), 0..20)), 0..5);
    (text(), text(), formats(), values, formats()).prop_map(
        |(portal, statement, mut formats, values, results)| {
            if formats.len() > 1 {
                formats.resize(values.len(), Format::Binary);
            }
            AnyBind {
                portal,
                statement,
                formats,
                values,
                results,
            }
        },
    )
}

proptest! {
    #[test]
    fn a_bind_reads_back(any in any_bind()) {
        let bind = Frontend::Bind {
            portal: &any.portal,
            statement: &any.statement,
            parameter_formats: any.formats.clone(),
            parameters: any.values.iter().map(Option::as_deref).collect(),
            result_formats: any.results.clone(),
        };
        let mut out = Vec::new();
        prop_assert_eq!(bind.encode(&mut out), Ok(()));
        let frame = frame::take(&out, out.len()).unwrap().unwrap();
        prop_assert_eq!(Frontend::parse(frame.tag, frame.body), Ok(bind));
        for cut in 0..frame.body.len() {
            prop_assert!(Frontend::parse(frame.tag, &frame.body[..cut]).is_err());
        }
    }

    #[test]
    fn a_parse_reads_back(name in text(), sql in text(), types in vec(any::<u32>(), 0..9)) {
        let parse = Frontend::Parse { name: &name, sql: &sql, parameter_types: types };
        let mut out = Vec::new();
        prop_assert_eq!(parse.encode(&mut out), Ok(()));
        prop_assert_eq!(Frontend::parse(out[0], &out[5..]), Ok(parse));
    }

    #[test]
    fn a_message_with_one_byte_changed_breaks_nothing(
        sample in 0_usize..16, at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = samples()[sample].0.to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        prop_assert_eq!(exercise(&bytes), Ok(()));
        bytes.drain(1..5);
        prop_assert_eq!(exercise(&bytes), Ok(()));
    }
}
