use proptest::prelude::{any, prop, prop_assert, proptest};

use super::*;

/// SYN_STREAM for `error`, `stdin` and `stdout` with one compressor, as zlib writes them.
const STREAMS: &str = "80030001000000280000000100000000000078f9e3c6a7c202a62346703a2b294a4dcc851625aca9a080060000\
    00ffff800300010000001700000003000000000000c22e555c02cc2e00000000ffff8003000100000019000000\
    05000000000000c22a054ce729f9a52500000000ffff";
/// SYN_REPLY without headers.
const REPLY: &str = "80030002000000140000000178f9e3c6a7c202a6230600000000ffff";
/// A header of 300,000 bytes.
const BOMB: &str = "800300010000015f0000000100000000000078f9e3c6a7c2ecd4b10900200c004104174d6169236e92051d45c9\
    187237c3f3afa3569ded3562d64a7a9e0000000000000000000000000000000000000000000000000000000000\
    000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
    000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
    000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
    000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
    000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
    000000000000000000000000000000000000000000000000000000000000000000000000808f5c000000ffff";
const UPPER_CASE: &str = "800300010000002b0000000100000000000078f9e3c6a7c202a6234650ca0a2e294a4dcc0d811425acc525c03c\
    01000000ffff";
const TWICE: &str = "80030001000000310000000100000000000078f9e3c6a7c202e50e703a2b294a4dcc851625acc525c03c81210c\
    4cc829f9a52500000000ffff";
const TWO_VALUES: &str = "800300010000002f0000000100000000000078f9e3c6a7c202a62346703a2b294a4dcc8516253cc525c03cc100\
    24f34b4b00000000ffff";

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

fn all(bytes: &[u8]) -> Result<Vec<Frame>, Malformed> {
    let mut decoder = Decoder::new();
    decoder.push(bytes);
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next_frame()? {
        frames.push(frame);
    }
    Ok(frames)
}

/// A control frame without headers.
fn frame(kind: u16, flags: u8, words: &[u32]) -> Vec<u8> {
    let mut frame = [VERSION.to_be_bytes(), kind.to_be_bytes()].concat();
    let length = u8::try_from(words.len() * 4).unwrap();
    frame.extend([flags, 0, 0, length]);
    frame.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    frame
}

#[test]
fn reads_header_blocks_that_refer_to_those_before() {
    let input = bytes(STREAMS);
    let frames = all(&input).unwrap();
    let mut whole = Vec::new();
    let types: Vec<_> = frames
        .into_iter()
        .map(|frame| {
            let Frame::Control(
                Control::SynStream {
                    stream,
                    fin,
                    headers,
                },
                raw,
            ) = frame
            else {
                panic!("{frame:?}");
            };
            assert!(!fin);
            whole.extend(raw);
            (stream, headers[0].0.clone(), headers[0].1.clone())
        })
        .collect();
    let of = |stream, kind: &str| (stream, "streamtype".to_owned(), kind.to_owned());
    assert_eq!(types, [of(1, "error"), of(3, "stdin"), of(5, "stdout")]);
    assert_eq!(whole, input);
    let reply = Control::SynReply {
        stream: 1,
        fin: false,
        headers: Vec::new(),
    };
    let frames = all(&bytes(REPLY)).unwrap();
    assert_eq!(frames, [Frame::Control(reply, bytes(REPLY))]);
}

#[test]
fn reads_what_has_no_headers() {
    for (frame, expected) in [
        (
            frame(RST_STREAM, 0, &[3, 5]),
            Control::RstStream { stream: 3 },
        ),
        (frame(PING, 0, &[7]), Control::Ping { id: 7 }),
        (frame(GOAWAY, 0, &[3, 0]), Control::GoAway),
    ] {
        assert_eq!(all(&frame), Ok(vec![Frame::Control(expected, frame)]));
    }
    let mut data = Vec::new();
    write_data(5, true, b"hello", &mut data).unwrap();
    let expected = Frame::Data {
        stream: 5,
        fin: true,
        payload: b"hello".to_vec(),
    };
    assert_eq!(all(&data), Ok(vec![expected]));
    assert!(write_data(0, false, b"", &mut data).is_err());
    assert!(write_data(1, false, &vec![0; 1 << 24], &mut data).is_err());
}

#[test]
fn refuses_what_it_does_not_know_or_cannot_read_whole() {
    let cut = |hex: &str, at: usize, byte: u8| {
        let mut frame = bytes(hex);
        frame[at] = byte;
        frame
    };
    for (name, frame) in [
        ("SETTINGS", frame(4, 0, &[0])),
        ("HEADERS", frame(8, 0, &[1, 0])),
        ("WINDOW_UPDATE", frame(9, 0, &[1, 9])),
        ("SYN_STREAM without headers", frame(SYN_STREAM, 0, &[1, 0])),
        ("a ping with a flag", frame(PING, 1, &[7])),
        ("a ping and more", frame(PING, 0, &[7, 7])),
        ("an unknown status", frame(RST_STREAM, 0, &[3, 12])),
        ("stream 0", frame(RST_STREAM, 0, &[0, 1])),
        ("another version", cut(REPLY, 1, 2)),
        ("an unknown flag", cut(REPLY, 4, 2)),
        ("another dictionary", cut(REPLY, 15, 0)),
        ("no dictionary", cut(REPLY, 13, 0x9c)),
        ("a longer frame than there is a limit for", cut(REPLY, 5, 1)),
        ("data over the limit", vec![0, 0, 0, 1, 0, 0x10, 0, 1]),
        ("a header in capitals", bytes(UPPER_CASE)),
        ("a header twice", bytes(TWICE)),
        ("two values", bytes(TWO_VALUES)),
        ("a bomb", bytes(BOMB)),
    ] {
        assert!(all(&frame).is_err(), "{name}: {:?}", all(&frame));
    }
}

proptest! {
    #[test]
    fn however_the_bytes_are_cut_the_frames_are_equal(
        payloads in prop::collection::vec((1..9_u32, any::<bool>(), 0..70_000_usize), 0..4),
        cuts in prop::collection::vec(1..5000_usize, 1..8),
    ) {
        let mut input = bytes(STREAMS);
        for (stream, fin, length) in payloads {
            write_data(stream, fin, &vec![7; length], &mut input).unwrap();
            input.extend(frame(PING, 0, &[stream]));
        }
        let whole = all(&input).unwrap();
        let mut decoder = Decoder::new();
        let (mut frames, mut rest) = (Vec::new(), &input[..]);
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            rest = later;
            decoder.push(now);
            while let Some(frame) = decoder.next_frame().unwrap() {
                frames.push(frame);
            }
        }
        prop_assert!(decoder.is_idle());
        prop_assert!(frames == whole);
    }

    #[test]
    fn no_bytes_panic(noise: Vec<u8>, at in 0..200_usize, byte: u8) {
        let _ = all(&noise);
        let mut streams = bytes(STREAMS);
        let at = at % streams.len();
        streams[at] = byte;
        let _ = all(&streams);
    }
}
