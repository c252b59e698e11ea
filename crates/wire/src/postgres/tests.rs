use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const PSQL_CLIENT: &[u8] = include_bytes!("../../testdata/postgres-15/psql.client.bin");
const PSQL_SERVER: &[u8] = include_bytes!("../../testdata/postgres-15/psql.server.bin");
const PGBENCH_CLIENT: &[u8] = include_bytes!("../../testdata/postgres-15/pgbench.client.bin");
const PGBENCH_SERVER: &[u8] = include_bytes!("../../testdata/postgres-15/pgbench.server.bin");

/// The frames at the front of a stream, and how many bytes they are.
fn frames(bytes: &[u8]) -> (Vec<Frame<'_>>, usize) {
    let (mut frames, mut at) = (Vec::new(), 0);
    while let Some(frame) = frame::take(&bytes[at..], 1 << 20).unwrap() {
        at += frame.bytes.len();
        frames.push(frame);
    }
    (frames, at)
}

/// Reads the startup packets of a client and gives what follows them.
fn after_startup(mut bytes: &[u8]) -> &[u8] {
    loop {
        let (startup, consumed) = startup::take(bytes).unwrap().unwrap();
        let mut again = Vec::new();
        startup.encode(&mut again).unwrap();
        assert_eq!(again, bytes[..consumed]);
        bytes = &bytes[consumed..];
        if matches!(startup, Startup::Startup(_)) {
            return bytes;
        }
    }
}

/// What the server says after `N`, its answer to the SSLRequest.
fn after_refusal(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"N").unwrap()
}

fn streams() -> [&'static [u8]; 4] {
    [
        after_startup(PSQL_CLIENT),
        after_startup(PGBENCH_CLIENT),
        after_refusal(PSQL_SERVER),
        after_refusal(PGBENCH_SERVER),
    ]
}

#[test]
fn what_clients_really_send_reads_and_writes_back() {
    let cases = [
        (PSQL_CLIENT, "ppQQQQQQQQdcQdcQQQQQQQPSDSPSDSQX"),
        (PGBENCH_CLIENT, "ppPSBDESBDESX"),
    ];
    for (capture, tags) in cases {
        let mut again = Vec::new();
        let mut seen = String::new();
        for frame in frames(after_startup(capture)).0 {
            let message = Frontend::parse(frame.tag, frame.body).unwrap();
            message.encode(&mut again).unwrap();
            seen.push(char::from(frame.tag));
        }
        assert_eq!(seen, tags);
        assert_eq!(again, after_startup(capture));
    }
}

#[test]
fn what_servers_really_send_reads_and_writes_back() {
    let login = "RRRRSSSSSSSSSSSSSKZ";
    let cases = [
        (
            PSQL_SERVER,
            "CZCZTDDCZEZIZNCZHddcCZGCZGEZCZTDCZEZCZCZCAZCSZ1ZtnZ1ZtTZTDDCZ",
        ),
        (PGBENCH_SERVER, "1Z2TDCZ2TDCZ"),
    ];
    for (capture, tags) in cases {
        let mut again = Vec::new();
        let mut seen = String::new();
        for frame in frames(after_refusal(capture)).0 {
            let message = Backend::parse(frame.tag, frame.body).unwrap();
            message.encode(&mut again).unwrap();
            seen.push(char::from(frame.tag));
            if let Backend::DataRow(body) = message {
                assert_eq!(row::exercise(body), Ok(()));
                assert!(DataRow::parse(body).is_ok());
            }
        }
        assert_eq!(seen, format!("{login}{tags}"));
        assert_eq!(again, after_refusal(capture));
    }
}

#[test]
fn a_stream_cut_anywhere_gives_the_same_frames() {
    for stream in streams() {
        let (whole, consumed) = frames(stream);
        assert_eq!(consumed, stream.len());
        for cut in 0..stream.len() {
            let (first, consumed) = frames(&stream[..cut]);
            let (rest, _) = frames(&stream[consumed..]);
            assert_eq!([first, rest].concat(), whole, "{cut}");
        }
    }
}

#[test]
fn no_changed_byte_of_a_stream_breaks_anything() {
    for stream in streams() {
        for frame in frames(stream).0 {
            for at in 0..frame.bytes.len() {
                for byte in [0, 1, 0x7f, 0x80, 0xff] {
                    let mut bytes = frame.bytes.to_vec();
                    bytes[at] = byte;
                    assert_eq!(exercise(&bytes), Ok(()), "{bytes:?}");
                    // A row or fields need no header to be read.
                    assert_eq!(exercise(&bytes[frame::HEADER..]), Ok(()), "{bytes:?}");
                }
            }
        }
    }
}

/// Every tag there is and one there is not, before bodies that mean something in many messages.
#[test]
fn no_tag_and_body_breaks_anything() {
    let bodies: [&[u8]; 9] = [
        b"",
        b"\0",
        b"\0\0\0\0",
        b"\0\0\0\x05\0\0\0\0",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x7f\xff\xff\xff\0\0\0\0",
        b"a\0b\0\0\x01\0\x01\0\x01\0\0\0\x01x\0\0",
        b"Sa\0\0",
        b"\0\x01\xff\xff\xff\xff",
    ];
    for tag in 0..=u8::MAX {
        for body in bodies {
            let plain = [&[tag], body].concat();
            assert_eq!(exercise(&plain), Ok(()), "{tag} {body:?}");
            let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
            let framed = [&[tag], &length[..], body].concat();
            for cut in 0..=framed.len() {
                assert_eq!(exercise(&framed[..cut]), Ok(()), "{tag} {body:?}");
            }
        }
    }
}

#[test]
fn a_list_of_formats_may_be_empty_single_or_full() {
    use Format::{Binary, Text};
    assert_eq!(Format::of(&[], 7), Some(Text));
    assert_eq!(Format::of(&[Binary], 7), Some(Binary));
    assert_eq!(Format::of(&[Text, Binary], 1), Some(Binary));
    assert_eq!(Format::of(&[Text, Binary], 2), None);
}

proptest! {
    #[test]
    fn no_bytes_break_anything(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(exercise(&bytes), Ok(()));
    }

    #[test]
    fn no_bytes_after_a_tag_break_anything(
        tag in prop::sample::select(b"RK23CGHWdcDIENVvnAtS1sZTBPQXpfFE".to_vec()),
        bytes in vec(prop_oneof![3 => 0_u8..4, 1 => any::<u8>()], 0..60),
    ) {
        prop_assert_eq!(exercise(&[&[tag][..], &bytes].concat()), Ok(()));
    }
}
