//! Bytes no client should send: a protocol error to that client, its connection closed, a record of why,
//! and no effect on anyone else.

use ostiary_tests::{
    Context as _, Result,
    stack::Stack,
    wait::{self, SOON},
    wire::{self, Raw},
};

use crate::{of_kind, with_shared};

/// A tag and a length that need not be true.
fn frame(tag: u8, length: u32, body: &[u8]) -> Vec<u8> {
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

#[test]
fn broken_frames_after_login_close_that_session_alone() -> Result<()> {
    with_shared(|stack, postgres| {
        let mut bystander = stack.agent("bystander-after")?.connect()?;
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("a length of 0", frame(b'Q', 0, b"")),
            ("a length of 3", frame(b'Q', 3, b"")),
            ("a length of 2^31-1", frame(b'Q', 0x7fff_ffff, b"SELECT 1")),
            ("a length of 2^31", frame(b'Q', 0x8000_0000, b"SELECT 1")),
            ("a length of 2^32-1", frame(b'Q', 0xffff_ffff, b"SELECT 1")),
            ("an unknown tag", frame(b'y', 4, b"")),
            ("a zero tag", frame(0, 8, b"abcd")),
            ("a tag of the server", frame(b'Z', 5, b"I")),
            ("a query without its end", wire::message('Q', b"SELECT 1")),
            (
                "a NUL inside a query",
                wire::message('Q', b"SELECT 1\0; DROP TABLE users\0"),
            ),
            (
                "a query that is no text",
                wire::message('Q', b"SELECT '\xff\xfe' /* no text */\0"),
            ),
            (
                "a Parse that is no text",
                wire::message('P', b"\0SELECT '\xc3\x28'\0\0\0"),
            ),
            (
                "a Parse without its end",
                wire::message('P', b"s\0SELECT 1\0"),
            ),
            (
                "a Bind whose count lies",
                wire::message('B', b"\0\0\0\0\xff\xff\0\0\0\x01a\0\0"),
            ),
            (
                "a Bind with a negative length",
                wire::message('B', b"\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0"),
            ),
            (
                "an Execute with bytes behind",
                wire::message('E', b"\0\0\0\0\0extra"),
            ),
            ("a Describe of nothing known", wire::message('D', b"X\0")),
            ("a Sync with a body", wire::message('S', b"x")),
            ("a second startup", wire::startup("agent", "shop")),
            ("a password after login", wire::message('p', b"again\0")),
        ];
        for (what, bytes) in cases {
            let mut raw = stack.agent("broken-frames")?.raw()?;
            raw.send(&bytes)?;
            // Some of these are a promise of more bytes: the client gives up on them.
            if what.starts_with("a second") {
                raw.half_close()?;
            }
            assert_refused(what, &raw.until_closed_or_reset().context(what)?);
            bystander.simple_query("SELECT 1")?;
        }
        let events = stack.auditor()?.recorded("broken-frames")?;
        let refused = of_kind(&events, "refused");
        assert_eq!(refused.len(), 1, "{events:?}");
        assert_eq!(refused[0]["stage"], "protocol");
        assert!(!postgres.was_sent("; DROP TABLE users"));
        assert!(!postgres.was_sent("no text"));
        Ok(())
    })
}

#[test]
fn broken_first_messages_are_refused() -> Result<()> {
    with_shared(|stack, _| {
        let mut bystander = stack.agent("bystander-before")?.connect()?;
        let startup = |body: &[u8]| wire::untagged(body);
        let version = 196_608_i32.to_be_bytes();
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("a length of 0", vec![0, 0, 0, 0]),
            ("a length of 3", vec![0, 0, 0, 3]),
            ("a length of 7", vec![0, 0, 0, 7, 0, 3, 0]),
            (
                "a length of 2^31-1",
                [&0x7fff_ffff_u32.to_be_bytes()[..], &version].concat(),
            ),
            (
                "a length of 1 MiB",
                [&(1_u32 << 20).to_be_bytes()[..], &version].concat(),
            ),
            ("protocol 2", startup(&131_072_i32.to_be_bytes())),
            ("protocol 9", startup(&589_824_i32.to_be_bytes())),
            ("an unknown request", startup(&80_877_199_i32.to_be_bytes())),
            (
                "no user",
                startup(&[&version[..], b"database\0shop\0\0"].concat()),
            ),
            (
                "no end",
                startup(&[&version[..], b"user\0agent\0"].concat()),
            ),
            (
                "a name without a value",
                startup(&[&version[..], b"user\0"].concat()),
            ),
            (
                "invalid UTF-8",
                startup(&[&version[..], b"user\0\xff\xfe\0\0"].concat()),
            ),
            ("HTTP", b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n".to_vec()),
            (
                "TLS",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            ),
            (
                "SSLRequest with bytes behind",
                [
                    wire::untagged(&80_877_103_i32.to_be_bytes()),
                    wire::startup("agent", "shop"),
                ]
                .concat(),
            ),
            ("a query without login", wire::message('Q', b"SELECT 1\0")),
        ];
        for (what, bytes) in cases {
            let mut raw = Raw::connect(stack.port("shop")?)?;
            raw.send(&bytes)?;
            // Some of these are a promise of more bytes: the client gives up on them.
            raw.half_close()?;
            assert_refused(what, &raw.until_closed_or_reset().context(what)?);
            bystander.simple_query("SELECT 1")?;
        }
        Ok(())
    })
}

#[test]
fn broken_passwords_are_refused() -> Result<()> {
    with_shared(|stack, _| {
        let token = stack.agent("password-breaker")?.token;
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("a length of 2", frame(b'p', 2, b"")),
            ("a length of 2^31-1", frame(b'p', 0x7fff_ffff, b"x")),
            (
                "64 KiB",
                wire::message('p', &[vec![b'a'; 65_536], vec![0]].concat()),
            ),
            ("no end", wire::message('p', token.as_bytes())),
            ("a query instead", wire::message('Q', b"SELECT 1\0")),
            ("an unknown tag", frame(b'?', 4, b"")),
        ];
        for (what, bytes) in cases {
            let mut raw = Raw::connect(stack.port("shop")?)?;
            raw.send(&wire::startup("agent", "shop"))?;
            assert_eq!(raw.message()?.tag, 'R');
            raw.send(&bytes)?;
            raw.half_close()?;
            assert_refused(what, &raw.until_closed_or_reset().context(what)?);
        }
        Ok(())
    })
}

#[test]
fn an_oversized_statement_is_refused_before_it_is_read() -> Result<()> {
    with_shared(|stack, postgres| {
        let mut raw = stack.agent("oversized")?.raw()?;
        // The length alone is enough: 64 MiB are announced, a little is sent.
        raw.send(&frame(b'Q', 64 << 20, b"SELECT 'oversized"))?;
        assert_refused("64 MiB", &raw.until_closed_or_reset()?);
        assert!(!postgres.was_sent("oversized"));
        let mut raw = stack.agent("just-large")?.raw()?;
        let large = format!("SELECT length('{}')", "x".repeat(1 << 20));
        let answer = raw.query(&large)?;
        let row = answer
            .iter()
            .find(|it| it.tag == 'D')
            .expect("1 MiB is a statement like any other");
        assert_eq!(row.values()[0].as_deref(), Some(b"1048576".as_slice()));
        Ok(())
    })
}

#[test]
fn bytes_sent_ahead_of_a_waiting_statement_are_bounded() -> Result<()> {
    with_shared(|stack, postgres| {
        let database = postgres.database()?;
        let mut raw = stack.agent("ahead")?.on(&database).raw()?;
        raw.send(&wire::message(
            'Q',
            b"DELETE FROM orders WHERE 'ahead' = 'ahead'\0",
        ))?;
        let rita = stack.reviewer("rita")?;
        let approval = rita.pending("'ahead' = 'ahead'")?;
        let envoy = stack.envoy()?;
        let before = resident_mib(envoy)?;
        let more = wire::message(
            'Q',
            format!("SELECT '{}'\0", "y".repeat(100_000)).as_bytes(),
        );
        // 100 MB ahead; the connection may be closed before all of it is out.
        for _ in 0..1000 {
            if raw.send(&more).is_err() {
                break;
            }
        }
        let said = raw.until_closed_or_reset()?;
        assert!(
            said.iter().all(|it| matches!(it.tag, 'N' | 'E')),
            "{said:?}"
        );
        let grown = resident_mib(envoy)?.saturating_sub(before);
        assert!(grown < 64, "the gateway holds {grown} MiB more");
        rita.settled(approval["id"].as_str().unwrap_or_default(), "cancelled")?;
        assert_eq!(
            postgres.value(&database, "SELECT count(*) FROM orders")?,
            "4"
        );
        Ok(())
    })
}

fn resident_mib(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line
        .context("VmRSS")?
        .trim()
        .trim_end_matches(" kB")
        .parse::<u64>()?;
    Ok(kib / 1024)
}

#[test]
fn a_message_cut_into_single_bytes_is_the_same_message() -> Result<()> {
    with_shared(|stack, _| {
        let mut raw = stack.agent("byte-by-byte")?.raw()?;
        for byte in wire::message('Q', b"SELECT email FROM users WHERE id = 1\0") {
            raw.send(&[byte])?;
        }
        let answer = raw.until('Z')?;
        assert_eq!(answer.iter().filter(|it| it.tag == 'D').count(), 1);
        assert!(!format!("{answer:?}").contains("ada.brook"));
        Ok(())
    })
}

#[test]
fn many_connections_that_say_nothing_hinder_nobody() -> Result<()> {
    with_shared(|stack, _| {
        let silent: Vec<Raw> = (0..200)
            .map(|_| Raw::connect(stack.port("shop")?))
            .collect::<Result<_>>()?;
        let mut half: Vec<Raw> = (0..50)
            .map(|_| Raw::connect(stack.port("shop")?))
            .collect::<Result<_>>()?;
        for raw in &mut half {
            raw.send(&wire::startup("agent", "shop")[..9])?;
        }
        stack.agent("among-silent")?.psql(&["SELECT 1"])?.ok()?;
        drop((silent, half));
        still_serves(stack)
    })
}

fn still_serves(stack: &Stack) -> Result<()> {
    wait::until_true("the gateway to serve", SOON, || {
        Ok(stack.agent("still")?.connect().is_ok())
    })
}

/// At most one message, a fatal error of the protocol, then the end.
fn assert_refused(what: &str, said: &[wire::Message]) {
    let errors: Vec<_> = said.iter().filter(|it| it.tag == 'E').collect();
    assert!(
        said.iter().all(|it| !matches!(it.tag, 'D' | 'C' | 'T')),
        "{what}: answered: {said:?}"
    );
    assert!(errors.len() <= 1, "{what}: {said:?}");
    if let Some(error) = errors.first() {
        assert_eq!(
            error.field('S').as_deref(),
            Some("FATAL"),
            "{what}: {said:?}"
        );
    }
}
