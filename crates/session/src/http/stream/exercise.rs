//! What a fuzzer drives: both sides of forwarded ports. What goes on can be read by whoever is there, and
//! leads to no port that was not to be judged first.

use std::collections::BTreeSet;

use ostiary_wire::{
    spdy::{Control, Decoder, Frame},
    websocket,
};

use super::{Carrier, Masking, Tape, Voices};
use crate::Now;

/// The first byte says what carries them; of the rest each byte says whose bytes follow, and how many.
pub fn exercise(script: &[u8]) -> Result<(), &'static str> {
    let Some((carrier, mut rest)) = script.split_first() else {
        return Ok(());
    };
    let tunnelled = carrier & 1 == 1;
    let mut carrier = match tunnelled {
        true => Carrier::tunnel(),
        false => Carrier::ports(),
    };
    let mut voices = Voices::new(&Masking::default(), Tape::new(1, true), false);
    let (mut client, mut judged) = (Reader::new(tunnelled), BTreeSet::new());
    while let Some((head, after)) = rest.split_first() {
        let size = usize::from(head >> 1).min(after.len());
        let (bytes, later) = after.split_at(size);
        rest = later;
        let mut out = Vec::new();
        let read = match head & 1 {
            0 => carrier.on_client(&mut voices, bytes, Now(1), &mut out),
            _ => carrier.on_target(&mut voices, bytes, Now(1), &mut out),
        };
        if let Some(ports) = carrier.as_ports_mut() {
            judged.extend(ports.asked());
        }
        if read.is_err() {
            break;
        }
        if head & 1 == 0 && !client.reads(&out, &judged) {
            return Err("what goes to the target cannot be accounted for");
        }
    }
    if let Some(ports) = carrier.as_ports_mut() {
        ports.end(&mut voices, Now(2));
    }
    voices.recorded(None);
    Ok(())
}

/// Who reads what the client's side gives.
struct Reader {
    outer: Option<websocket::Decoder>,
    inner: Decoder,
}

impl Reader {
    fn new(tunnelled: bool) -> Self {
        Self {
            outer: tunnelled.then(|| websocket::Decoder::new(websocket::Sender::Client)),
            inner: Decoder::new(),
        }
    }

    /// Whether it can, and each stream is of a port that was to be judged.
    fn reads(&mut self, bytes: &[u8], judged: &BTreeSet<u16>) -> bool {
        match &mut self.outer {
            None => self.inner.push(bytes),
            Some(outer) => {
                outer.push(bytes);
                loop {
                    match outer.next_frame() {
                        Ok(Some(frame)) if frame.kind == websocket::Kind::Binary => {
                            self.inner.push(&frame.payload);
                        }
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(_) => return false,
                    }
                }
            }
        }
        loop {
            match self.inner.next_frame() {
                Ok(Some(Frame::Control(Control::SynStream { headers, .. }, _))) => {
                    let mut port = headers.iter().filter(|(name, _)| name == "port");
                    let port = port.next().and_then(|(_, port)| port.parse().ok());
                    if !port.is_some_and(|port: u16| judged.contains(&port)) {
                        return false;
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }
}
