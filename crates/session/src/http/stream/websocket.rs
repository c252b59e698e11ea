//! Channels over WebSocket: `v4.channel.k8s.io`, and v5, in which a client can close its stdin.
//!
//! Every frame is written anew, a message as one frame, with the client's own mask. Of a close the code
//! goes on, its text does not.

use ostiary_record::Channel;
use ostiary_wire::websocket::{Decoder, Frame, Kind, Sender, write};

use super::{
    Broken, Voices,
    carrier::broken,
    resize::{self, Sizes},
};
use crate::Now;

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const RESIZE: u8 = 4;
/// v5: the channel named by the next byte is closed.
const CLOSED: u8 = 255;

const OUTPUT: [(u8, Channel); 2] = [(STDOUT, Channel::Stdout), (STDERR, Channel::Stderr)];

#[derive(Debug)]
pub(super) struct WebSocket {
    client: Decoder,
    target: Decoder,
    can_close: bool,
    has_closed: bool,
}

impl WebSocket {
    pub(super) fn new(can_close: bool) -> Self {
        Self {
            client: Decoder::new(Sender::Client),
            target: Decoder::new(Sender::Server),
            can_close,
            has_closed: false,
        }
    }

    pub(super) fn on_client(
        &mut self,
        voices: &mut Voices,
        bytes: &[u8],
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        self.client.push(bytes);
        while let Some(frame) = self
            .client
            .next_frame()
            .map_err(|it| broken("client", it))?
        {
            match frame.kind {
                Kind::Ping | Kind::Pong => write(frame.kind, frame.mask, &frame.payload, out),
                Kind::Close => close(&frame, out),
                Kind::Text | Kind::Binary => self.heard(voices, &frame, now, out)?,
            }
        }
        Ok(())
    }

    fn heard(
        &mut self,
        voices: &mut Voices,
        frame: &Frame,
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        if frame.kind == Kind::Text && std::str::from_utf8(&frame.payload).is_err() {
            return Err(broken("client", "a text is not UTF-8"));
        }
        match frame.payload.split_first() {
            Some((&STDIN, typed)) if !self.has_closed => {
                voices.typed(typed, now);
                write(frame.kind, frame.mask, &frame.payload, out);
            }
            Some((&RESIZE, text)) => {
                let mut sizes = Sizes::default();
                let read = sizes.read(text).filter(|_| sizes.is_idle());
                let Some([size]) = read.as_deref() else {
                    return Err(broken("client", "a size of the terminal is not one"));
                };
                voices.resize(size.0, size.1, now);
                let text = resize::write(*size);
                let message = [&[RESIZE], text.as_bytes()].concat();
                write(frame.kind, frame.mask, &message, out);
            }
            Some((&CLOSED, [STDIN])) if self.can_close && !self.has_closed => {
                self.has_closed = true;
                write(frame.kind, frame.mask, &frame.payload, out);
            }
            _ => return Err(broken("client", "a message is on no channel of its own")),
        }
        Ok(())
    }

    pub(super) fn on_target(
        &mut self,
        voices: &mut Voices,
        bytes: &[u8],
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        self.target.push(bytes);
        while let Some(frame) = self
            .target
            .next_frame()
            .map_err(|it| broken("target", it))?
        {
            match frame.kind {
                Kind::Ping | Kind::Pong if voices.is_plain(&frame.payload) => {
                    write(frame.kind, None, &frame.payload, out);
                }
                Kind::Close => {
                    self.release(voices, None, out);
                    close(&frame, out);
                }
                Kind::Binary => self.said(voices, &frame.payload, now, out)?,
                _ => return Err(broken("target", "a frame is not one of these channels")),
            }
        }
        Ok(())
    }

    fn said(
        &self,
        voices: &mut Voices,
        message: &[u8],
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        let Some((number, said)) = message.split_first() else {
            return Err(broken("target", "a message is on no channel"));
        };
        let output = OUTPUT.iter().find(|(it, _)| it == number);
        match (output, *number) {
            // Says that the streams are there.
            _ if said.is_empty() && *number <= STATUS => write(Kind::Binary, None, message, out),
            (Some((_, channel)), _) => {
                let shown = voices.print(*channel, said, now);
                speak(*number, &shown, out);
            }
            (None, STATUS) => {
                self.release(voices, None, out);
                speak(STATUS, &voices.status(said, true)?, out);
            }
            _ => return Err(broken("target", "a message is on no channel of its own")),
        }
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "as SPDY has it, which needs itself")]
    pub(super) fn release(&self, voices: &mut Voices, now: Option<Now>, out: &mut Vec<u8>) {
        for (number, channel) in OUTPUT {
            let shown = voices.release(channel, now);
            speak(number, &shown, out);
        }
    }
}

fn speak(number: u8, text: &[u8], out: &mut Vec<u8>) {
    if !text.is_empty() {
        write(Kind::Binary, None, &[&[number], text].concat(), out);
    }
}

/// Of a close the code goes on.
pub(super) fn close(frame: &Frame, out: &mut Vec<u8>) {
    let code = frame.payload.get(..2).unwrap_or_default();
    write(Kind::Close, frame.mask, code, out);
}
