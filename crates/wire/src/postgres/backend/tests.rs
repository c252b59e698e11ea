use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::postgres::frame;

/// Whether every shorter body is malformed: not so where the body is opaque.
type Strict = bool;

fn steps() -> Vec<(&'static [u8], Authentication<'static>, Strict)> {
    use Authentication as A;
    vec![
        (b"R\0\0\0\x08\0\0\0\0", A::Ok, true),
        (b"R\0\0\0\x08\0\0\0\x02", A::KerberosV5, true),
        (b"R\0\0\0\x08\0\0\0\x03", A::CleartextPassword, true),
        (
            b"R\0\0\0\x0c\0\0\0\x05salt",
            A::Md5Password { salt: *b"salt" },
            true,
        ),
        (b"R\0\0\0\x08\0\0\0\x07", A::Gss, true),
        (b"R\0\0\0\x0a\0\0\0\x08ab", A::GssContinue(b"ab"), false),
        (b"R\0\0\0\x08\0\0\0\x09", A::Sspi, true),
        (
            b"R\0\0\0\x2a\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0",
            A::Sasl {
                mechanisms: vec!["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"],
            },
            true,
        ),
        (b"R\0\0\0\x0b\0\0\0\x0br=a", A::SaslContinue(b"r=a"), false),
        (b"R\0\0\0\x0b\0\0\0\x0cv=a", A::SaslFinal(b"v=a"), false),
    ]
}

fn copy() -> CopyFormat {
    CopyFormat {
        format: Format::Text,
        column_formats: vec![Format::Text, Format::Binary],
    }
}

fn samples() -> Vec<(&'static [u8], Backend<'static>, Strict)> {
    let fields = Fields::parse(b"SERROR\0C42501\0Mno\0\0").unwrap();
    let mut samples: Vec<(&[u8], Backend<'_>, Strict)> = vec![
        (
            b"K\0\0\0\x0c\0\0\0\x07abcd",
            Backend::BackendKeyData {
                process_id: 7,
                secret: b"abcd",
            },
            true,
        ),
        (b"2\0\0\0\x04", Backend::BindComplete, true),
        (b"3\0\0\0\x04", Backend::CloseComplete, true),
        (
            b"C\0\0\0\x0dSELECT 1\0",
            Backend::CommandComplete { tag: b"SELECT 1" },
            true,
        ),
        (
            b"G\0\0\0\x0b\0\0\x02\0\0\0\x01",
            Backend::CopyInResponse(copy()),
            true,
        ),
        (
            b"H\0\0\0\x0b\0\0\x02\0\0\0\x01",
            Backend::CopyOutResponse(copy()),
            true,
        ),
        (
            b"W\0\0\0\x07\x01\0\0",
            Backend::CopyBothResponse(CopyFormat {
                format: Format::Binary,
                column_formats: vec![],
            }),
            true,
        ),
        (b"d\0\0\0\x06ab", Backend::CopyData(b"ab"), false),
        (b"c\0\0\0\x04", Backend::CopyDone, true),
        (b"D\0\0\0\x06\0\0", Backend::DataRow(b"\0\0"), false),
        (b"I\0\0\0\x04", Backend::EmptyQueryResponse, true),
        (
            b"E\0\0\0\x17SERROR\0C42501\0Mno\0\0",
            Backend::ErrorResponse(fields),
            true,
        ),
        (
            b"N\0\0\0\x17SERROR\0C42501\0Mno\0\0",
            Backend::NoticeResponse(fields),
            true,
        ),
        (
            b"V\0\0\0\x0a\0\0\0\x02ab",
            Backend::FunctionCallResponse(Some(b"ab")),
            true,
        ),
        (
            b"V\0\0\0\x08\xff\xff\xff\xff",
            Backend::FunctionCallResponse(None),
            true,
        ),
        (
            b"v\0\0\0\x13\0\x03\0\x02\0\0\0\x01_pq_.x\0",
            Backend::NegotiateProtocolVersion {
                minor: 2,
                options: vec![b"_pq_.x"],
            },
            true,
        ),
        (b"n\0\0\0\x04", Backend::NoData, true),
        (
            b"A\0\0\0\x0d\0\0\0\x07ch\0p\0",
            Backend::NotificationResponse {
                process_id: 7,
                channel: b"ch",
                payload: b"p",
            },
            true,
        ),
        (
            b"t\0\0\0\x0a\0\x01\0\0\0\x17",
            Backend::ParameterDescription(vec![23]),
            true,
        ),
        (
            b"S\0\0\0\x0bTZ\0UTC\0",
            Backend::ParameterStatus {
                name: b"TZ",
                value: b"UTC",
            },
            true,
        ),
        (b"1\0\0\0\x04", Backend::ParseComplete, true),
        (b"s\0\0\0\x04", Backend::PortalSuspended, true),
        (
            b"Z\0\0\0\x05E",
            Backend::ReadyForQuery {
                status: TransactionStatus::Failed,
            },
            true,
        ),
        (b"T\0\0\0\x06\0\0", Backend::RowDescription(vec![]), true),
        (
            b"T\0\0\0\x1b\0\x01id\0\0\0\x40\x01\0\x01\0\0\0\x17\0\x04\xff\xff\xff\xff\0\x01",
            Backend::RowDescription(vec![Column {
                name: b"id",
                table: 16_385,
                attribute: 1,
                type_id: 23,
                type_size: 4,
                type_modifier: -1,
                format: Format::Binary,
            }]),
            true,
        ),
    ];
    for (bytes, step, strict) in steps() {
        samples.push((bytes, Backend::Authentication(step), strict));
    }
    samples
}

#[test]
fn reads_and_writes_every_message() {
    for (bytes, message, _) in samples() {
        let frame = frame::take(bytes, 100).unwrap().unwrap();
        assert_eq!(frame.bytes, bytes);
        assert_eq!(Backend::parse(frame.tag, frame.body).as_ref(), Ok(&message));
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
            let parsed = Backend::parse(bytes[0], &bytes[5..cut]);
            assert!(!strict || parsed.is_err(), "{cut} of {message:?}");
        }
    }
}

#[test]
fn refuses_whatever_follows_a_message() {
    for (bytes, message, strict) in samples() {
        let longer = [&bytes[5..], b"\0"].concat();
        let parsed = Backend::parse(bytes[0], &longer);
        if strict && bytes[0] != tag::backend::BACKEND_KEY_DATA {
            let trailing = matches!(parsed, Err(Malformed::Trailing { extra: 1, .. }));
            assert!(trailing, "{message:?}");
        }
    }
}

#[test]
fn refuses_malformed_messages() {
    let many = [&b"\0\0\0\x0a"[..], &b"A\0".repeat(17), b"\0"].concat();
    let key = [&b"\0\0\0\x07"[..], &[1; 257]].concat();
    let cases: [(u8, &[u8], Malformed); 21] = [
        (
            b'R',
            b"\0\0\0\x01",
            Malformed::UnknownValue {
                field: "Authentication.method",
                value: 1,
            },
        ),
        (
            b'R',
            b"\0\0\0",
            Malformed::Truncated {
                field: "Authentication.method",
            },
        ),
        (
            b'R',
            b"\0\0\0\x05sal",
            Malformed::Truncated {
                field: "AuthenticationMD5Password.salt",
            },
        ),
        (
            b'R',
            b"\0\0\0\0x",
            Malformed::Trailing {
                message: "Authentication",
                extra: 1,
            },
        ),
        (
            b'R',
            b"\0\0\0\x0a\0",
            Malformed::Missing {
                field: "AuthenticationSASL.mechanism",
            },
        ),
        (
            b'R',
            &many,
            Malformed::TooMany {
                field: "AuthenticationSASL.mechanisms",
                count: 17,
                limit: 16,
            },
        ),
        (
            b'R',
            b"\0\0\0\x0a\xff\0\0",
            Malformed::Utf8 {
                field: "AuthenticationSASL.mechanism",
            },
        ),
        (
            b'K',
            b"\0\0\0\x07abc",
            Malformed::Length {
                field: "BackendKeyData.secret_key",
                length: 3,
            },
        ),
        (
            b'K',
            &key,
            Malformed::Length {
                field: "BackendKeyData.secret_key",
                length: 257,
            },
        ),
        (
            b'G',
            b"\x02\0\0",
            Malformed::UnknownValue {
                field: "CopyResponse.format",
                value: 2,
            },
        ),
        (
            b'H',
            b"\0\xff\xff\0\0",
            Malformed::Truncated {
                field: "CopyResponse.column_formats",
            },
        ),
        (
            b'E',
            b"SERROR\0",
            Malformed::Truncated {
                field: "ErrorResponse.field",
            },
        ),
        (
            b'N',
            b"SERROR",
            Malformed::UnterminatedString {
                field: "NoticeResponse.field",
            },
        ),
        (
            b'V',
            b"\x80\0\0\0",
            Malformed::Length {
                field: "FunctionCallResponse.value",
                length: i64::from(i32::MIN),
            },
        ),
        (
            b'v',
            b"\0\x02\0\0\0\0\0\0",
            Malformed::Protocol { major: 2, minor: 0 },
        ),
        (
            b'v',
            b"\0\x03\0\0\x7f\xff\xff\xff",
            Malformed::TooMany {
                field: "NegotiateProtocolVersion.options",
                count: 0x7fff_ffff,
                limit: 128,
            },
        ),
        (
            b'v',
            b"\0\x03\0\0\xff\xff\xff\xff",
            Malformed::Length {
                field: "NegotiateProtocolVersion.options",
                length: -1,
            },
        ),
        (
            b't',
            b"\xff\xff\0\0\0\x17",
            Malformed::Truncated {
                field: "ParameterDescription.types",
            },
        ),
        (
            b'Z',
            b"X",
            Malformed::UnknownValue {
                field: "ReadyForQuery.status",
                value: 88,
            },
        ),
        (
            b'T',
            b"\xff\xff\0",
            Malformed::Truncated {
                field: "RowDescription.columns",
            },
        ),
        (b'Q', b"", Malformed::UnknownTag { tag: b'Q' }),
    ];
    for (tag, body, malformed) in cases {
        assert_eq!(Backend::parse(tag, body), Err(malformed), "{body:?}");
        assert_eq!(exercise(&[&[tag], body].concat()), Ok(()));
    }
}

#[test]
fn reads_a_negotiated_version_as_servers_and_as_the_manual_write_it() {
    let expected = Backend::NegotiateProtocolVersion {
        minor: 2,
        options: vec![],
    };
    for body in [b"\0\x03\0\x02\0\0\0\0", b"\0\0\0\x02\0\0\0\0"] {
        assert_eq!(Backend::parse(b'v', body).as_ref(), Ok(&expected));
    }
}

#[test]
fn writes_errors_with_both_severities_and_no_nul_inside() {
    let mut out = Vec::new();
    let written = encode::error(
        &mut out,
        "ERROR",
        "42501",
        "denied \0by rule",
        Some("{}"),
        Some("ask\0"),
    );
    assert_eq!(written, Ok(()));
    let body = b"SERROR\0VERROR\0C42501\0Mdenied ?by rule\0D{}\0Hask?\0\0";
    assert_eq!(out[0], b'E');
    assert_eq!(&out[5..], body);

    let mut out = Vec::new();
    encode::notice(&mut out, "NOTICE", "00000", "waiting", None, None).unwrap();
    assert_eq!(out[0], b'N');
    assert_eq!(&out[5..], b"SNOTICE\0VNOTICE\0C00000\0Mwaiting\0\0");
}

#[test]
fn writes_what_a_login_needs() {
    let mut out = Vec::new();
    encode::authentication_cleartext(&mut out).unwrap();
    encode::authentication_ok(&mut out).unwrap();
    encode::negotiate_protocol_version(&mut out, 0, &[b"_pq_.x"]).unwrap();
    encode::parameter_status(&mut out, b"TZ", b"UTC").unwrap();
    encode::backend_key_data(&mut out, 7, b"abcd").unwrap();
    encode::ready_for_query(&mut out, TransactionStatus::Idle).unwrap();
    let expected = [
        &b"R\0\0\0\x08\0\0\0\x03R\0\0\0\x08\0\0\0\0"[..],
        b"v\0\0\0\x13\0\x03\0\0\0\0\0\x01_pq_.x\0",
        b"S\0\0\0\x0bTZ\0UTC\0K\0\0\0\x0c\0\0\0\x07abcdZ\0\0\0\x05I",
    ]
    .concat();
    assert_eq!(out, expected);
}

#[test]
fn writes_nothing_it_would_not_read() {
    let none = Authentication::Sasl { mechanisms: vec![] };
    let mut out = b"before".to_vec();
    assert!(encode::authentication(&mut out, &none).is_err());
    assert!(encode::backend_key_data(&mut out, 7, b"abc").is_err());
    assert!(encode::parameter_status(&mut out, b"a\0", b"").is_err());
    assert!(encode::command_complete(&mut out, b"SELECT\0 1").is_err());
    let options: [&[u8]; 129] = [b"x"; 129];
    assert!(encode::negotiate_protocol_version(&mut out, 0, &options).is_err());
    assert_eq!(out, b"before");
}

fn any_column() -> impl Strategy<Value = (Vec<u8>, u32, i16, u32, i16, i32, bool)> {
    let name = vec(1..=u8::MAX, 0..20);
    (
        name,
        any::<u32>(),
        any::<i16>(),
        any::<u32>(),
        any::<i16>(),
        any::<i32>(),
        any::<bool>(),
    )
}

proptest! {
    #[test]
    fn a_row_description_reads_back(columns in vec(any_column(), 0..9)) {
        let columns = columns.iter().map(|(name, table, attribute, type_id, size, modifier, b)| Column {
            name,
            table: *table,
            attribute: *attribute,
            type_id: *type_id,
            type_size: *size,
            type_modifier: *modifier,
            format: if *b { Format::Binary } else { Format::Text },
        });
        let message = Backend::RowDescription(columns.collect());
        let mut out = Vec::new();
        prop_assert_eq!(message.encode(&mut out), Ok(()));
        let frame = frame::take(&out, out.len()).unwrap().unwrap();
        prop_assert_eq!(Backend::parse(frame.tag, frame.body), Ok(message));
        for cut in 0..frame.body.len() {
            prop_assert!(Backend::parse(frame.tag, &frame.body[..cut]).is_err());
        }
    }

    #[test]
    fn an_error_reads_back(message in "\\PC{0,40}", detail in proptest::option::of("\\PC{0,40}")) {
        let mut out = Vec::new();
        encode::error(&mut out, "FATAL", "28000", &message, detail.as_deref(), None).unwrap();
        let Ok(Backend::ErrorResponse(fields)) = Backend::parse(out[0], &out[5..]) else {
            panic!("not an ErrorResponse");
        };
        prop_assert_eq!(fields.severity(), Some(&b"FATAL"[..]));
        prop_assert_eq!(fields.sqlstate(), Some(&b"28000"[..]));
        prop_assert_eq!(fields.message(), Some(message.as_bytes()));
        prop_assert_eq!(fields.get(b'D'), detail.as_deref().map(str::as_bytes));
    }

    #[test]
    fn a_message_with_one_byte_changed_breaks_nothing(
        sample in 0_usize..35, at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = samples()[sample].0.to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        prop_assert_eq!(exercise(&bytes), Ok(()));
        bytes.drain(1..5);
        prop_assert_eq!(exercise(&bytes), Ok(()));
    }
}
