use proptest::prelude::{any, prop, prop_assert_eq, proptest};

use super::*;

fn all(sender: Sender, bytes: &[u8]) -> Result<Vec<Frame>, Malformed> {
    let mut decoder = Decoder::new(sender);
    decoder.push(bytes);
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next_frame()? {
        frames.push(frame);
    }
    assert!(decoder.is_idle() || frames.is_empty());
    Ok(frames)
}

#[test]
fn reads_the_examples_of_the_rfc() {
    // Section 5.7.
    let hello = |mask| Frame {
        kind: Kind::Text,
        mask,
        payload: b"Hello".to_vec(),
    };
    let server = all(Sender::Server, b"\x81\x05Hello");
    assert_eq!(server, Ok(vec![hello(None)]));
    let masked = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    let key = Some([0x37, 0xfa, 0x21, 0x3d]);
    assert_eq!(all(Sender::Client, masked), Ok(vec![hello(key)]));
    let parts = b"\x01\x03Hel\x89\x02hi\x80\x02lo";
    let frames = all(Sender::Server, parts).unwrap();
    assert_eq!(frames[0].kind, Kind::Ping);
    assert_eq!(frames[1], hello(None));
    let mut written = Vec::new();
    write(Kind::Text, key, b"Hello", &mut written);
    assert_eq!(written, masked);
}

#[test]
fn refuses_what_another_reader_could_take_for_something_else() {
    let long = [&b"\x82\x7f"[..], &(1_u64 << 40).to_be_bytes()].concat();
    let negative = [&b"\x82\x7f"[..], &u64::MAX.to_be_bytes()].concat();
    for (name, bytes) in [
        ("a reserved bit: compressed", &b"\xc2\x01a"[..]),
        ("a reserved opcode", b"\x83\x01a"),
        ("a masked frame of a server", b"\x82\x81\0\0\0\0a"),
        ("a length in 16 bits that needs 7", b"\x82\x7e\0\x05Hello"),
        (
            "a length in 64 bits that needs 16",
            b"\x82\x7f\0\0\0\0\0\0\x01\0",
        ),
        ("a frame over the limit", &long),
        ("a negative length", &negative),
        ("a long ping", b"\x89\x7e\0\x7e"),
        ("a ping in parts", b"\x09\x01a"),
        ("a continuation of nothing", b"\x80\x01a"),
        ("a message within another", b"\x02\x01a\x82\x01b"),
        ("a close with half a code", b"\x88\x01\x03"),
        ("more after a close", b"\x88\0\x82\x01a"),
    ] {
        assert!(all(Sender::Server, bytes).is_err(), "{name}");
    }
    assert!(all(Sender::Client, b"\x82\x01a").is_err(), "not masked");
}

#[test]
fn a_message_in_parts_is_bounded_as_a_whole() {
    let mut decoder = Decoder::new(Sender::Server);
    let half = vec![0; MAX_STREAM_MESSAGE / 2 + 1];
    let mut bytes = Vec::new();
    write(Kind::Binary, None, &half, &mut bytes);
    let first = &mut bytes[0];
    *first &= !FIN;
    decoder.push(&bytes);
    assert_eq!(decoder.next_frame(), Ok(None));
    let first = &mut bytes[0];
    *first = FIN | CONTINUATION;
    decoder.push(&bytes);
    assert!(matches!(
        decoder.next_frame(),
        Err(Malformed::TooMany { .. })
    ));
}

proptest! {
    #[test]
    fn however_the_bytes_are_cut_the_frames_are_equal(
        payloads in prop::collection::vec((0..5_usize, any::<Option<[u8; 4]>>(), 0..70_000_usize), 0..5),
        cuts in prop::collection::vec(1..5000_usize, 1..8),
    ) {
        let kinds = [Kind::Text, Kind::Binary, Kind::Ping, Kind::Pong, Kind::Binary];
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for (kind, mask, length) in payloads {
            let kind = kinds[kind];
            let mask = Some(mask.unwrap_or([0; 4]));
            let length = if matches!(kind, Kind::Ping | Kind::Pong) { length % 126 } else { length };
            let payload = vec![7; length];
            write(kind, mask, &payload, &mut bytes);
            expected.push(Frame { kind, mask, payload });
        }
        let mut decoder = Decoder::new(Sender::Client);
        let (mut frames, mut rest) = (Vec::new(), &bytes[..]);
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            rest = later;
            decoder.push(now);
            while let Some(frame) = decoder.next_frame().unwrap() {
                frames.push(frame);
            }
        }
        prop_assert_eq!(frames, expected);
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, client: bool) {
        let sender = if client { Sender::Client } else { Sender::Server };
        let mut decoder = Decoder::new(sender);
        decoder.push(&bytes);
        while let Ok(Some(_)) = decoder.next_frame() {}
    }
}
