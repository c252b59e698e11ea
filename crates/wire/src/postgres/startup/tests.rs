use super::*;

fn packet(body: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(body.len() + 4)
        .unwrap()
        .to_be_bytes()
        .to_vec();
    out.extend(body);
    out
}

fn version3(parameters: &[u8]) -> Vec<u8> {
    packet(&[&[0, 3, 0, 0], parameters].concat())
}

fn startup<'a>(minor: u16, parameters: &[(&'a str, &'a str)]) -> Startup<'a> {
    Startup::Startup(StartupMessage {
        major: 3,
        minor,
        parameters: parameters.to_vec(),
    })
}

fn samples() -> Vec<(Vec<u8>, Startup<'static>)> {
    static LONG: [u8; 256] = [7; 256];
    let cancel = |secret: &[u8]| packet(&[&[4, 0xd2, 0x16, 0x2e, 0, 0, 0, 9], secret].concat());
    vec![
        (SSL_REQUEST.to_vec(), Startup::Ssl),
        (GSSENC_REQUEST.to_vec(), Startup::GssEnc),
        (
            cancel(b"abcd"),
            Startup::Cancel {
                process_id: 9,
                secret: b"abcd",
            },
        ),
        (
            cancel(&LONG),
            Startup::Cancel {
                process_id: 9,
                secret: &LONG,
            },
        ),
        (
            version3(b"user\0alice\0\0"),
            startup(0, &[("user", "alice")]),
        ),
        (
            packet(b"\0\x03\0\x02user\0a\0database\0shop\0options\0\0_pq_.x\0on\0\0"),
            startup(
                2,
                &[
                    ("user", "a"),
                    ("database", "shop"),
                    ("options", ""),
                    ("_pq_.x", "on"),
                ],
            ),
        ),
    ]
}

#[test]
fn reads_and_writes_every_packet() {
    for (bytes, message) in samples() {
        let mut with_more = bytes.clone();
        with_more.extend(b"more");
        let expected = Ok(Some((message.clone(), bytes.len())));
        assert_eq!(take(&with_more), expected);
        let mut out = b"before".to_vec();
        assert_eq!(message.encode(&mut out), Ok(()));
        assert_eq!(&out[6..], bytes);
    }
}

#[test]
fn every_prefix_waits_for_more() {
    for (bytes, _) in samples() {
        for cut in 0..bytes.len() {
            assert_eq!(take(&bytes[..cut]), Ok(None), "{cut} of {bytes:?}");
            assert_eq!(exercise(&bytes[..cut]), Ok(()));
        }
        assert_eq!(exercise(&bytes), Ok(()));
    }
}

/// A body cut short whose length field says so.
#[test]
fn no_prefix_of_a_startup_message_is_one() {
    let bytes = version3(b"user\0alice\0database\0shop\0\0");
    for cut in 4..bytes.len() - 4 {
        assert!(take(&packet(&bytes[4..4 + cut])).is_err(), "{cut}");
    }
}

#[test]
fn refuses_impossible_lengths_on_the_length_alone() {
    for length in [0, 3, 4, 7, 10_005, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        let wrong = Malformed::Length {
            field: "StartupMessage.length",
            length: i64::from(length),
        };
        assert_eq!(take(&length.to_be_bytes()), Err(wrong));
    }
    assert_eq!(take(&10_004_u32.to_be_bytes()), Ok(None));
}

#[test]
fn refuses_malformed_packets() {
    let many = (0..129).map(|n| format!("p{n}\0\0")).collect::<String>();
    let many = format!("user\0a\0{many}\0");
    let cases = [
        (
            version3(b"database\0shop\0\0"),
            Malformed::Missing {
                field: "StartupMessage.user",
            },
        ),
        (
            version3(b"user\0\0\0"),
            Malformed::Missing {
                field: "StartupMessage.user",
            },
        ),
        (
            version3(b"user\0a\0user\0b\0\0"),
            Malformed::Duplicate {
                field: "StartupMessage.parameter_name",
            },
        ),
        (
            version3(b"user\0a\0\0x"),
            Malformed::Trailing {
                message: "StartupMessage",
                extra: 1,
            },
        ),
        (
            version3(b"user\0a\0"),
            Malformed::UnterminatedString {
                field: "StartupMessage.parameter_name",
            },
        ),
        (
            version3(b"user\0a"),
            Malformed::UnterminatedString {
                field: "StartupMessage.parameter_value",
            },
        ),
        (
            version3(b"user\0\xff\0\0"),
            Malformed::Utf8 {
                field: "StartupMessage.parameter_value",
            },
        ),
        (
            version3(many.as_bytes()),
            Malformed::TooMany {
                field: "StartupMessage.parameters",
                count: 129,
                limit: 128,
            },
        ),
        (
            packet(&[0, 2, 0, 0]),
            Malformed::Protocol { major: 2, minor: 0 },
        ),
        (
            packet(&[4, 0xd2, 0x16, 0x31]),
            Malformed::UnknownValue {
                field: "StartupMessage.request_code",
                value: 0x04d2_1631,
            },
        ),
        (
            packet(&[4, 0xd2, 0x16, 0x2f, 0]),
            Malformed::Trailing {
                message: "SSLRequest",
                extra: 1,
            },
        ),
        (
            packet(&[4, 0xd2, 0x16, 0x30, 0]),
            Malformed::Trailing {
                message: "GSSENCRequest",
                extra: 1,
            },
        ),
        (
            packet(&[4, 0xd2, 0x16, 0x2e, 0, 0]),
            Malformed::Truncated {
                field: "CancelRequest.process_id",
            },
        ),
    ];
    for (bytes, malformed) in cases {
        assert_eq!(take(&bytes), Err(malformed), "{bytes:?}");
    }
}

#[test]
fn refuses_keys_that_can_be_guessed_or_hoarded() {
    for length in [0, 3, 257] {
        let key = vec![1; length];
        let bytes = packet(&[&[4, 0xd2, 0x16, 0x2e, 0, 0, 0, 9], &key[..]].concat());
        let wrong = Malformed::Length {
            field: "CancelRequest.secret_key",
            length: i64::try_from(length).unwrap(),
        };
        assert_eq!(take(&bytes), Err(wrong));
        let mut out = Vec::new();
        assert_eq!(cancel(&mut out, 9, &key), Err(wrong));
        assert_eq!(out, b"");
    }
}

#[test]
fn writes_nothing_it_would_not_read() {
    let long = "x".repeat(MAX_STARTUP);
    let cases: [(&[(&str, &str)], Malformed); 5] = [
        (
            &[],
            Malformed::Missing {
                field: "StartupMessage.user",
            },
        ),
        (
            &[("user", "a"), ("", "b")],
            Malformed::Missing {
                field: "StartupMessage.parameter_name",
            },
        ),
        (
            &[("user", "a\0b")],
            Malformed::InteriorNul {
                field: "StartupMessage.parameter_value",
            },
        ),
        (
            &[("user", "a"), ("user", "a")],
            Malformed::Duplicate {
                field: "StartupMessage.parameter_name",
            },
        ),
        (
            &[("user", &long)],
            Malformed::TooLarge {
                message: "StartupMessage",
            },
        ),
    ];
    for (parameters, malformed) in cases {
        let mut out = b"before".to_vec();
        assert_eq!(startup(0, parameters).encode(&mut out), Err(malformed));
        assert_eq!(out, b"before");
    }
}

#[test]
fn finds_parameters_by_name() {
    let bytes = version3(b"user\0alice\0database\0shop\0\0");
    let Ok(Some((Startup::Startup(message), _))) = take(&bytes) else {
        panic!("not a StartupMessage");
    };
    assert_eq!(message.user(), Some("alice"));
    assert_eq!(message.parameter("database"), Some("shop"));
    assert_eq!(message.parameter("Database"), None);
}

#[test]
fn debug_shows_no_secret_key() {
    let cancel = Startup::Cancel {
        process_id: 9,
        secret: b"abcd",
    };
    assert_eq!(format!("{cancel:?}"), "Cancel { process_id: 9, .. }");
}
