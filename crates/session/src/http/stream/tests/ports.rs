//! Forwarded ports against their frames, over SPDY and over SPDY inside WebSocket.

use super::*;

/// Writes header blocks as zlib may: each stored as it is.
#[derive(Default)]
struct Blocks {
    began: bool,
}

impl Blocks {
    fn control(&mut self, kind: u16, fixed: &[u8], headers: &[(&str, &str)]) -> Vec<u8> {
        let length = |of: usize| u32::try_from(of).unwrap().to_be_bytes();
        let mut plain = length(headers.len()).to_vec();
        for text in headers.iter().flat_map(|(name, value)| [name, value]) {
            plain.extend(length(text.len()));
            plain.extend(text.as_bytes());
        }
        let mut block = match self.began {
            true => Vec::new(),
            false => bytes("78f9e3c6a7c2"),
        };
        self.began = true;
        let size = u16::try_from(plain.len()).unwrap();
        block.push(0);
        block.extend(size.to_le_bytes());
        block.extend((!size).to_le_bytes());
        block.extend(plain);
        let mut frame = vec![0x80, 3];
        frame.extend(kind.to_be_bytes());
        frame.extend(length(fixed.len() + block.len()));
        frame.extend(fixed);
        frame.extend(block);
        frame
    }

    fn open(&mut self, stream: u32, headers: &[(&str, &str)]) -> Vec<u8> {
        let fixed = [&stream.to_be_bytes()[..], &[0; 6]].concat();
        self.control(1, &fixed, headers)
    }

    fn connect(&mut self, stream: u32, port: &str, pair: &str) -> Vec<u8> {
        let headers = |kind| [("streamtype", kind), ("port", port), ("requestid", pair)];
        let error = self.open(stream, &headers("error"));
        [error, self.open(stream + 2, &headers("data"))].concat()
    }

    fn reply(&mut self, stream: u32) -> Vec<u8> {
        self.control(2, &stream.to_be_bytes(), &[])
    }
}

fn data(stream: u32, fin: bool, said: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    spdy::write_data(stream, fin, said, &mut out).unwrap();
    out
}

fn reset(stream: u32) -> Vec<u8> {
    [
        &bytes("8003000300000008")[..],
        &stream.to_be_bytes(),
        &[0, 0, 0, 5],
    ]
    .concat()
}

fn forward(carrier: Carrier) -> Stream {
    let (upgrade, version) = match carrier {
        Carrier::WebSocket => ("websocket", "SPDY/3.1+portforward.k8s.io"),
        Carrier::Spdy => ("SPDY/3.1", "portforward.k8s.io"),
    };
    let asked = Streams {
        purpose: Purpose::Ports,
        carrier,
        offers: vec![version],
        tty: false,
    };
    let agreed = [
        ("upgrade".to_owned(), upgrade.to_owned()),
        (carrier.version_header().to_owned(), version.to_owned()),
    ];
    Stream::begin(&asked, &agreed, &masking(), 1).unwrap()
}

/// As the carrier brings it.
fn carried(carrier: Carrier, sender: Sender, spdy: &[u8]) -> Vec<u8> {
    if carrier == Carrier::Spdy {
        return spdy.to_vec();
    }
    let mut out = Vec::new();
    let mask = (sender == Sender::Client).then_some(KEY);
    websocket::write(websocket::Kind::Binary, mask, spdy, &mut out);
    out
}

/// What the carrier brought.
fn brought(carrier: Carrier, sender: Sender, bytes: &[u8]) -> Vec<u8> {
    if carrier == Carrier::Spdy {
        return bytes.to_vec();
    }
    let mut decoder = websocket::Decoder::new(sender);
    decoder.push(bytes);
    let mut all = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        all.extend(frame.payload);
    }
    all
}

fn counted(stream: &mut Stream) -> Vec<(Channel, u32, u64)> {
    let all = stream.recorded(None).into_iter();
    all.map(|(_, kind)| match kind {
        Kind::Streamed(it) => {
            assert!(it.data.is_empty());
            (it.channel(), it.port, it.size)
        }
        other => panic!("{other:?}"),
    })
    .collect()
}

#[test]
fn a_connection_goes_through_as_it_is_and_is_counted() {
    for carrier in BOTH {
        let (mut up, mut down) = (Blocks::default(), Blocks::default());
        let mut stream = forward(carrier);
        let asked = [up.connect(1, "8080", "0"), data(1, true, b"")].concat();
        let there = carried(carrier, Sender::Client, &asked);
        assert_eq!(stream.on_client(&there, Now(1)), Ok(there), "{carrier:?}");
        assert_eq!(Vec::from_iter(stream.asked_ports()), [8080]);
        assert!(stream.asked_ports().is_empty());
        let said = carried(carrier, Sender::Client, &data(3, true, b"a@example.com?"));
        assert_eq!(stream.on_client(&said, Now(2)), Ok(said), "{carrier:?}");
        let answer = [
            [down.reply(1), down.reply(3)].concat(),
            data(3, false, b"b@example.com"),
            data(1, true, b"of a@example.com"),
            data(3, true, b""),
        ]
        .concat();
        let back = stream
            .on_target(&carried(carrier, Sender::Server, &answer), Now(3))
            .unwrap();
        let back = brought(carrier, Sender::Server, &back);
        let text = String::from_utf8_lossy(&back);
        // Of a port nothing is read; what the target says of an error is.
        assert!(text.contains("b@example.com"), "{text}");
        assert!(text.contains("of [redacted]"), "{text}");
        assert_eq!(stream.totals().0, 13);
        assert_eq!(
            counted(&mut stream),
            [
                (Channel::ToPort, 8080, 0),
                (Channel::ToPort, 8080, 14),
                (Channel::FromPort, 8080, 13),
            ]
        );
        assert!(stream.is_open_ended());
    }
}

#[test]
fn what_cannot_be_accounted_for_ends_the_connection() {
    let headers = |kind, port, pair| [("streamtype", kind), ("port", port), ("requestid", pair)];
    let good = || {
        let mut blocks = Blocks::default();
        (blocks.connect(1, "80", "0"), blocks)
    };
    let after = |rest: &dyn Fn(&mut Blocks) -> Vec<u8>| {
        let (first, mut blocks) = good();
        [first, rest(&mut blocks)].concat()
    };
    let opened = |headers: &[(&str, &str)]| after(&|it| it.open(5, headers));
    for (what, sent) in [
        ("another type", opened(&headers("stdin", "80", "1"))),
        (
            "no port",
            opened(&[("streamtype", "data"), ("requestid", "1")]),
        ),
        ("no pair", opened(&[("streamtype", "data"), ("port", "80")])),
        ("port 0", opened(&headers("data", "0", "1"))),
        ("a port with a sign", opened(&headers("data", "+80", "1"))),
        ("a port with a zero", opened(&headers("data", "080", "1"))),
        (
            "a port that is too high",
            opened(&headers("data", "65536", "1")),
        ),
        (
            "a pair that is no number",
            opened(&headers("data", "80", "a")),
        ),
        (
            "more headers",
            opened(&[&headers("data", "80", "1")[..], &[("host", "other")]].concat()),
        ),
        (
            "a pair of two ports",
            after(&|it| {
                [
                    it.open(5, &headers("error", "81", "1")),
                    it.open(7, &headers("data", "82", "1")),
                ]
                .concat()
            }),
        ),
        ("two of a pair", opened(&headers("data", "80", "0"))),
        (
            "an even stream",
            after(&|it| it.open(6, &headers("data", "80", "1"))),
        ),
        (
            "a stream twice",
            after(&|it| it.open(3, &headers("data", "80", "1"))),
        ),
        ("data of no stream", after(&|_| data(9, false, b"a"))),
        (
            "data behind its end",
            after(&|_| [data(3, true, b"a"), data(3, false, b"b")].concat()),
        ),
        ("an error of its own", after(&|_| data(1, false, b"a"))),
        ("an answer", after(&|it| it.reply(3))),
        (
            "a frame that is too long",
            after(&|_| bytes("0000000300ffffff")),
        ),
        (
            "many ports",
            after(&|it| {
                (100..400)
                    .flat_map(|n| it.connect(n * 4 + 1, &n.to_string(), &n.to_string()))
                    .collect()
            }),
        ),
    ] {
        for carrier in BOTH {
            let mut stream = forward(carrier);
            let read = stream.on_client(&carried(carrier, Sender::Client, &sent), Now(1));
            assert!(read.is_err(), "{what} over {carrier:?}");
            // The connection that was there is on record to its end.
            stream.close(Now(2));
            let ends = counted(&mut stream);
            assert!(
                ends.contains(&(Channel::FromPort, 80, 0)),
                "{what}: {ends:?}"
            );
        }
    }
    let target = |answer: &dyn Fn(&mut Blocks) -> Vec<u8>| {
        let mut stream = forward(Carrier::Spdy);
        stream.on_client(&good().0, Now(1)).unwrap();
        stream.on_target(&answer(&mut Blocks::default()), Now(2))
    };
    for (what, answer) in [
        (
            "a stream of its own",
            target(&|it| it.open(2, &headers("data", "80", "1"))),
        ),
        ("data of no stream", target(&|_| data(5, false, b"a"))),
        (
            "data behind its end",
            target(&|_| [data(3, true, b"a"), data(3, false, b"b")].concat()),
        ),
        (
            "two answers",
            target(&|it| [it.reply(3), it.reply(3)].concat()),
        ),
        (
            "an endless error",
            target(&|_| {
                [
                    data(1, false, &[b'a'; 65_000]),
                    data(1, false, &[b'a'; 65_000]),
                ]
                .concat()
            }),
        ),
    ] {
        assert!(answer.is_err(), "{what}");
    }
}

#[test]
fn what_comes_of_a_stream_that_was_reset_goes_no_further() {
    let (mut up, mut down) = (Blocks::default(), Blocks::default());
    let mut stream = forward(Carrier::Spdy);
    let sent = [up.connect(1, "80", "0"), reset(3)].concat();
    assert_eq!(stream.on_client(&sent, Now(1)), Ok(sent));
    // The target had said so much before it heard of it.
    let late = [down.reply(3), data(3, false, b"late"), reset(3)].concat();
    assert_eq!(
        stream.on_target(&late, Now(2)),
        Ok(Blocks::default().reply(3))
    );
    assert_eq!(
        stream.on_client(&data(3, true, b"more"), Now(3)),
        Ok(Vec::new())
    );
    assert_eq!(
        counted(&mut stream)[1..],
        [(Channel::ToPort, 80, 0), (Channel::FromPort, 80, 0)]
    );
    // Its streams are forgotten, so that many connections can follow each other.
    stream.on_client(&reset(1), Now(4)).unwrap();
    for n in 1..3000 {
        let first = n * 4 + 1;
        let sent = [
            up.connect(first, "80", &n.to_string()),
            reset(first),
            reset(first + 2),
        ];
        stream.on_client(&sent.concat(), Now(5)).unwrap();
    }
}

proptest! {
    #[test]
    fn forwarded_ports_are_the_same_however_they_are_cut(cut in 0_usize..400, tunnelled: bool) {
        let carrier = if tunnelled { Carrier::WebSocket } else { Carrier::Spdy };
        let mut blocks = Blocks::default();
        let sent = [
            carried(carrier, Sender::Client, &blocks.connect(1, "80", "0")),
            carried(carrier, Sender::Client, &data(3, true, b"hello")),
            carried(carrier, Sender::Client, &blocks.connect(5, "81", "1")),
        ]
        .concat();
        let mut stream = forward(carrier);
        let (first, second) = sent.split_at(cut.min(sent.len()));
        let mut out = stream.on_client(first, Now(1)).unwrap();
        out.extend(stream.on_client(second, Now(1)).unwrap());
        prop_assert_eq!(out, sent);
        prop_assert_eq!(Vec::from_iter(stream.all_ports()), [80, 81]);
    }

    #[test]
    fn nothing_goes_on_that_nobody_was_to_judge(
        noise: Vec<u8>,
        at in 0_usize..300,
        tunnelled: bool,
    ) {
        // Bytes that would be right, and some that are not among them.
        let carrier = if tunnelled { Carrier::WebSocket } else { Carrier::Spdy };
        let mut blocks = Blocks::default();
        let mut bytes = carried(carrier, Sender::Client, &blocks.connect(1, "80", "0"));
        bytes.extend(carried(carrier, Sender::Client, &blocks.connect(5, "81", "1")));
        let at = at.min(bytes.len());
        bytes.splice(at..at, noise);
        let mut script = vec![u8::from(tunnelled)];
        for piece in bytes.chunks(100) {
            script.push(u8::try_from(piece.len()).unwrap() << 1);
            script.extend(piece);
        }
        prop_assert_eq!(exercise(&script), Ok(()));
    }

    #[test]
    fn no_bytes_panic_a_forwarder(client: Vec<u8>, target: Vec<u8>, tunnelled: bool) {
        let mut stream = forward(if tunnelled { Carrier::WebSocket } else { Carrier::Spdy });
        let _ = stream.on_client(&client, Now(1));
        let _ = stream.on_target(&target, Now(2));
        stream.close(Now(3));
    }
}
