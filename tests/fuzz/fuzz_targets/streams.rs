//! Frames of WebSocket and SPDY: no panic, the same however they are cut, and what is written is read back.
//! Of forwarded ports nothing goes on that nobody was to judge.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ostiary_wire::{
    Malformed, spdy,
    websocket::{self, Sender},
};

fn cut<'b, F>(
    bytes: &'b [u8],
    at: usize,
    mut next: impl FnMut(&'b [u8]) -> Vec<Result<F, Malformed>>,
) -> Vec<Result<F, Malformed>> {
    let (first, second) = bytes.split_at(at.min(bytes.len()));
    let mut frames = next(first);
    if frames.iter().all(Result::is_ok) {
        frames.extend(next(second));
    }
    frames
}

fn websocket(sender: Sender, bytes: &[u8], at: usize) -> Vec<Result<websocket::Frame, Malformed>> {
    let mut decoder = websocket::Decoder::new(sender);
    cut(bytes, at, |piece| {
        decoder.push(piece);
        let mut frames = Vec::new();
        while let Some(frame) = decoder.next_frame().transpose() {
            let failed = frame.is_err();
            frames.push(frame);
            if failed {
                break;
            }
        }
        frames
    })
}

fn spdy(bytes: &[u8], at: usize) -> Vec<Result<spdy::Frame, Malformed>> {
    let mut decoder = spdy::Decoder::new();
    cut(bytes, at, |piece| {
        decoder.push(piece);
        let mut frames = Vec::new();
        while let Some(frame) = decoder.next_frame().transpose() {
            let failed = frame.is_err();
            frames.push(frame);
            if failed {
                break;
            }
        }
        frames
    })
}

fuzz_target!(|input: &[u8]| {
    assert_eq!(ostiary_session::http::exercise_ports(input), Ok(()));
    let Some((&at, bytes)) = input.split_first() else {
        return;
    };
    for sender in [Sender::Client, Sender::Server] {
        let whole = websocket(sender, bytes, usize::MAX);
        let mut written = Vec::new();
        let frames: Vec<_> = whole.iter().flatten().cloned().collect();
        for frame in &frames {
            websocket::write(frame.kind, frame.mask, &frame.payload, &mut written);
        }
        let again: Vec<_> = websocket(sender, &written, usize::MAX)
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(again, frames);
        let ok = |all: Vec<Result<websocket::Frame, Malformed>>| {
            all.into_iter().flatten().collect::<Vec<_>>()
        };
        assert_eq!(ok(websocket(sender, bytes, at.into())), frames);
    }
    let ok =
        |all: Vec<Result<spdy::Frame, Malformed>>| all.into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(ok(spdy(bytes, at.into())), ok(spdy(bytes, usize::MAX)));
});
