//! Streams against their frames: both carriers, cut anywhere.

mod ports;

use std::{collections::BTreeMap, rc::Rc};

use ostiary_mask::{HashKey, Rewriter, Strategy, detect::Detector};
use ostiary_operation::kubernetes::{Carrier, Streams};
use ostiary_record::event::Kind;
use ostiary_wire::{
    spdy,
    websocket::{self, Sender},
};
use proptest::prelude::{Just, Strategy as _, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::*;

const KEY: [u8; 4] = [1, 2, 3, 4];
/// SYN_STREAM for `error`, `stdin` and `stdout` (1, 3, 5), as zlib writes them.
const OPENED: &str = "80030001000000280000000100000000000078f9e3c6a7c202a62346703a2b294a4dcc851625aca9a080060000\
    00ffff800300010000001700000003000000000000c22e555c02cc2e00000000ffff8003000100000019000000\
    05000000000000c22a054ce729f9a52500000000ffff";
/// SYN_STREAM for a type that is none.
const UNKNOWN: &str = "800300010000001700000007000000000000c22a072cdf8b4a00000000ffff";

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

fn masking() -> Masking {
    Masking {
        rewriter: Rc::new(Rewriter::new(
            [(Detector::Email, Strategy::Redact)],
            HashKey::new(vec![1; 32]),
        )),
        ..Masking::default()
    }
}

fn asked(carrier: Carrier, tty: bool) -> Streams {
    Streams {
        purpose: Purpose::Command,
        carrier,
        offers: vec!["v5.channel.k8s.io", "v4.channel.k8s.io"],
        tty,
    }
}

fn agreed(carrier: Carrier) -> Vec<(String, String)> {
    let (upgrade, version) = match carrier {
        Carrier::WebSocket => ("websocket", "v5.channel.k8s.io"),
        Carrier::Spdy => ("SPDY/3.1", "v4.channel.k8s.io"),
    };
    vec![
        ("upgrade".to_owned(), upgrade.to_owned()),
        (carrier.version_header().to_owned(), version.to_owned()),
    ]
}

fn begin(carrier: Carrier, tty: bool) -> Stream {
    Stream::begin(&asked(carrier, tty), &agreed(carrier), &masking(), 1).unwrap()
}

/// Where something is said: the number of a WebSocket channel, or of a SPDY stream.
fn frame(carrier: Carrier, sender: Sender, channel: u8, said: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match carrier {
        Carrier::WebSocket => {
            let mask = (sender == Sender::Client).then_some(KEY);
            let message = [&[channel], said].concat();
            websocket::write(websocket::Kind::Binary, mask, &message, &mut out);
        }
        Carrier::Spdy => {
            let stream = match channel {
                0 => 3,
                1 => 5,
                _ => 1,
            };
            spdy::write_data(stream, false, said, &mut out).unwrap();
        }
    }
    out
}

/// What is said in frames, by channel.
fn heard(carrier: Carrier, sender: Sender, frames: &[u8]) -> BTreeMap<u32, Vec<u8>> {
    let mut all: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    match carrier {
        Carrier::WebSocket => {
            let mut decoder = websocket::Decoder::new(sender);
            decoder.push(frames);
            while let Some(frame) = decoder.next_frame().unwrap() {
                let (channel, said) = frame.payload.split_first().unwrap();
                all.entry((*channel).into()).or_default().extend(said);
            }
        }
        Carrier::Spdy => {
            let mut decoder = spdy::Decoder::new();
            decoder.push(frames);
            while let Some(frame) = decoder.next_frame().unwrap() {
                if let spdy::Frame::Data {
                    stream, payload, ..
                } = frame
                {
                    let channel = match stream {
                        3 => 0,
                        5 => 1,
                        _ => 3,
                    };
                    all.entry(channel).or_default().extend(payload);
                }
            }
        }
    }
    all
}

fn opened(carrier: Carrier, tty: bool) -> Stream {
    let mut stream = begin(carrier, tty);
    if carrier == Carrier::Spdy {
        assert_eq!(stream.on_client(&bytes(OPENED), Now(0)), Ok(bytes(OPENED)));
    }
    stream
}

fn said(stream: &mut Stream) -> Vec<(Channel, String)> {
    let all = stream.recorded(None).into_iter();
    all.map(|(_, kind)| match kind {
        Kind::Streamed(it) => (it.channel(), String::from_utf8_lossy(&it.data).into_owned()),
        other => panic!("{other:?}"),
    })
    .collect()
}

const BOTH: [Carrier; 2] = [Carrier::WebSocket, Carrier::Spdy];

#[test]
fn a_secret_is_masked_on_its_way_out_and_in_the_record_alone_on_its_way_in() {
    for carrier in BOTH {
        let mut stream = opened(carrier, false);
        let typed = frame(carrier, Sender::Client, 0, b"login a@example.com\n");
        assert_eq!(stream.on_client(&typed, Now(1)), Ok(typed.clone()));
        let printed = frame(carrier, Sender::Server, 1, b"hello b@example.com\n");
        let shown = stream.on_target(&printed, Now(2)).unwrap();
        let shown = heard(carrier, Sender::Server, &shown);
        assert_eq!(shown[&1], b"hello [redacted]\n", "{carrier:?}");
        let of = |channel, text: &str| (channel, text.to_owned());
        assert_eq!(
            said(&mut stream),
            [
                of(Channel::Stdin, "login [redacted]\n"),
                of(Channel::Stdout, "hello [redacted]\n"),
            ]
        );
        assert_eq!(stream.totals().1, 1);
    }
}

#[test]
fn a_line_waits_for_its_end_and_not_for_ever() {
    const T: u64 = 1_000_000;
    for carrier in BOTH {
        for (tty, patience) in [(true, 0), (false, 250_000)] {
            let mut stream = opened(carrier, tty);
            let print = |text: &[u8]| frame(carrier, Sender::Server, 1, text);
            let first = stream.on_target(&print(b"to b@exam"), Now(T + 10)).unwrap();
            assert!(first.is_empty() && stream.holds());
            let rest = stream
                .on_target(&print(b"ple.com\n$ "), Now(T + 20))
                .unwrap();
            let rest = heard(carrier, Sender::Server, &rest);
            assert_eq!(rest[&1], b"to [redacted]\n");
            assert!(stream.holds());
            assert_eq!(
                stream.deadline().map(|at| at.0),
                Some(T + 20 + patience.min(100_000))
            );
            if patience > 0 {
                assert_eq!(stream.on_time(Now(T + 20 + patience - 1)), Ok(Vec::new()));
            }
            let prompt = stream.on_time(Now(T + 20 + patience)).unwrap();
            assert_eq!(heard(carrier, Sender::Server, &prompt)[&1], b"$ ");
            assert!(!stream.holds());
            // An answer of the client's releases it as well.
            stream.on_target(&print(b"more? "), Now(T + 30)).unwrap();
            let typed = frame(carrier, Sender::Client, 0, b"y\n");
            stream.on_client(&typed, Now(T + 31)).unwrap();
            let prompt = stream.on_time(Now(T + 31)).unwrap();
            assert_eq!(heard(carrier, Sender::Server, &prompt)[&1], b"more? ");
        }
    }
}

#[test]
fn the_status_comes_last_and_tells_the_exit_code() {
    let status = br#"{"status":"Failure","message":"for a@example.com","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}"#;
    for carrier in BOTH {
        let mut stream = opened(carrier, false);
        let mut frames = frame(carrier, Sender::Server, 1, b"no end");
        frames.extend(frame(carrier, Sender::Server, 3, status));
        let mut shown = stream.on_target(&frames, Now(1)).unwrap();
        shown.extend(stream.finish().unwrap());
        let shown = heard(carrier, Sender::Server, &shown);
        assert_eq!(shown[&1], b"no end");
        let status = String::from_utf8_lossy(&shown[&3]);
        assert!(status.contains("for [redacted]"), "{status}");
        assert_eq!(stream.totals().2, Some(7));
    }
}

#[test]
fn sizes_of_the_terminal_go_on_in_one_form_and_a_flood_of_them_is_one_event() {
    let mut stream = begin(Carrier::WebSocket, true);
    for width in 0..5000_u16 {
        let size = format!("{{ \"Height\":24, \"Width\":{width} }}");
        let frame = frame(Carrier::WebSocket, Sender::Client, 4, size.as_bytes());
        let on = stream.on_client(&frame, Now(5)).unwrap();
        let on = heard(Carrier::WebSocket, Sender::Client, &on);
        let expected = format!("{{\"Width\":{width},\"Height\":24}}\n");
        assert_eq!(on[&4], expected.as_bytes());
    }
    let recorded = stream.recorded(None);
    let [(_, Kind::Streamed(last))] = &recorded[..] else {
        panic!("{recorded:?}");
    };
    assert_eq!((last.columns, last.lines), (4999, 24));
}

#[test]
fn the_record_is_bounded_and_counts_the_rest() {
    let mut stream = begin(Carrier::WebSocket, false);
    let line = [&[b'x'; 1023][..], b"\n"].concat();
    for at in 0..2048 {
        let frame = frame(Carrier::WebSocket, Sender::Server, 1, &line);
        stream.on_target(&frame, Now(at)).unwrap();
    }
    let mut kept = 0;
    let mut size = 0;
    for (_, kind) in stream.recorded(None) {
        let Kind::Streamed(it) = kind else { panic!() };
        kept += it.data.len();
        size += it.size;
    }
    assert_eq!((kept, size), (1 << 20, 2 << 20));
}

#[test]
fn what_is_out_of_place_ends_the_stream() {
    let ws = |sender, channel, said: &[u8]| frame(Carrier::WebSocket, sender, channel, said);
    for (name, bytes) in [
        ("a client prints", ws(Sender::Client, 1, b"x")),
        ("no channel", vec![0x82, 0x80, 0, 0, 0, 0]),
        (
            "a size that is none",
            ws(Sender::Client, 4, b"{\"Width\":1}"),
        ),
        (
            "more than a size",
            ws(Sender::Client, 4, b"{\"Width\":1,\"Height\":2,\"X\":3}"),
        ),
        (
            "two sizes",
            ws(Sender::Client, 4, &b"{\"Width\":1,\"Height\":2}".repeat(2)),
        ),
        ("another channel closed", ws(Sender::Client, 255, &[1])),
        (
            "stdin closed twice",
            ws(Sender::Client, 255, &[0]).repeat(2),
        ),
        ("compressed", vec![0xc2, 0x81, 0, 0, 0, 0, 0]),
    ] {
        let mut stream = begin(Carrier::WebSocket, false);
        assert!(stream.on_client(&bytes, Now(1)).is_err(), "{name}");
    }
    for (name, bytes) in [
        ("a target types", ws(Sender::Server, 0, b"x")),
        ("a target resizes", ws(Sender::Server, 4, b"{}")),
        ("text", vec![0x81, 2, 1, b'x']),
        (
            "a secret in a ping",
            [&[0x89, 13][..], b"a@example.com"].concat(),
        ),
    ] {
        let mut stream = begin(Carrier::WebSocket, false);
        assert!(stream.on_target(&bytes, Now(1)).is_err(), "{name}");
    }
    let data = |stream, fin, said: &[u8]| {
        let mut out = Vec::new();
        spdy::write_data(stream, fin, said, &mut out).unwrap();
        out
    };
    for (name, frames) in [
        ("an unknown stream", data(9, false, b"x")),
        ("a client prints", data(5, false, b"x")),
        (
            "behind the end",
            [data(3, true, b"x"), data(3, false, b"y")].concat(),
        ),
        ("an unknown type", bytes(UNKNOWN)),
        ("a stream twice", bytes(OPENED)),
    ] {
        let mut stream = opened(Carrier::Spdy, false);
        assert!(stream.on_client(&frames, Now(1)).is_err(), "{name}");
    }
    for (name, frames) in [
        ("an unknown stream", data(9, false, b"x")),
        ("a target types", data(3, false, b"x")),
        (
            "behind the end",
            [data(5, true, b"x"), data(5, false, b"y")].concat(),
        ),
        ("a target opens", bytes(OPENED)),
    ] {
        let mut stream = opened(Carrier::Spdy, false);
        assert!(stream.on_target(&frames, Now(1)).is_err(), "{name}");
    }
}

#[test]
fn what_the_target_agrees_to_is_what_was_asked_for() {
    for carrier in BOTH {
        let good = agreed(carrier);
        let asked = asked(carrier, false);
        let begin =
            |headers: &[(String, String)]| Stream::begin(&asked, headers, &masking(), 1).is_ok();
        assert!(begin(&good));
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for (name, headers) in [
            ("no version", vec![good[0].clone()]),
            ("no upgrade", vec![good[1].clone()]),
            ("two versions", [&good[..], &good[1..]].concat()),
            (
                "another version",
                vec![
                    good[0].clone(),
                    header(carrier.version_header(), "v3.channel.k8s.io"),
                ],
            ),
            (
                "another protocol",
                vec![header("upgrade", "h2c"), good[1].clone()],
            ),
            (
                "an extension",
                [
                    &good[..],
                    &[header("sec-websocket-extensions", "permessage-deflate")],
                ]
                .concat(),
            ),
        ] {
            assert!(!begin(&headers), "{carrier:?}: {name}");
        }
    }
}

proptest! {
    #[test]
    fn however_the_bytes_are_cut_what_is_said_is_equal(
        spoken in prop::collection::vec(
            (0..2_u8, prop_oneof![
                Just(b"a@example.com".to_vec()),
                Just(b"\n".to_vec()),
                Just(b" and ".to_vec()),
                prop::collection::vec(any::<u8>(), 0..40).boxed(),
            ]),
            0..12,
        ),
        cuts in prop::collection::vec(1..60_usize, 1..6),
        spdy: bool,
    ) {
        let carrier = if spdy { Carrier::Spdy } else { Carrier::WebSocket };
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for (channel, text) in spoken {
            match channel {
                0 => up.extend(frame(carrier, Sender::Client, 0, &text)),
                _ => down.extend(frame(carrier, Sender::Server, 1, &text)),
            }
        }
        let run = |cuts: &[usize]| {
            let mut stream = opened(carrier, false);
            let (mut to_target, mut to_client) = (Vec::new(), Vec::new());
            for (bytes, client) in [(&up, true), (&down, false)] {
                let mut rest = &bytes[..];
                for cut in cuts.iter().cycle() {
                    if rest.is_empty() { break; }
                    let (now, later) = rest.split_at((*cut).min(rest.len()));
                    rest = later;
                    match client {
                        true => to_target.extend(stream.on_client(now, Now(1)).unwrap()),
                        false => to_client.extend(stream.on_target(now, Now(1)).unwrap()),
                    }
                }
            }
            to_client.extend(stream.finish().unwrap());
            (
                heard(carrier, Sender::Client, &to_target),
                heard(carrier, Sender::Server, &to_client),
                said(&mut stream),
            )
        };
        prop_assert_eq!(run(&cuts), run(&[usize::MAX]));
    }

    #[test]
    fn no_bytes_panic(client: Vec<u8>, target: Vec<u8>, spdy: bool) {
        let carrier = if spdy { Carrier::Spdy } else { Carrier::WebSocket };
        let mut stream = opened(carrier, true);
        let _ = stream.on_client(&client, Now(1));
        let _ = stream.on_target(&target, Now(2));
        let _ = stream.on_time(Now(3));
        let _ = stream.finish();
    }
}
