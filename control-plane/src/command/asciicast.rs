//! What went over the streams of an operation as asciicast v3, which players of terminals read.
//!
//! <https://docs.asciinema.org/manual/asciicast/v3/>

use std::collections::BTreeMap;

use ostiary_record::{Channel, Event, event::Kind};
use serde_json::{Value, json};

use crate::output::{Tame, one_line};

/// What a terminal has before it says so.
const COLUMNS: u32 = 80;
const LINES: u32 = 24;

/// A recording that is being written.
#[derive(Debug)]
pub(crate) struct Asciicast {
    operation: u64,
    title: String,
    began: bool,
    last_us: u64,
    channels: BTreeMap<i32, Tame>,
}

impl Asciicast {
    /// Of one operation.
    pub(crate) fn new(operation: u64) -> Self {
        Self {
            operation,
            title: String::new(),
            began: false,
            last_us: 0,
            channels: BTreeMap::new(),
        }
    }

    /// The lines of the file that an event gives.
    pub(crate) fn lines(&mut self, event: &Event) -> Vec<Value> {
        match &event.kind {
            Some(Kind::Operated(it)) if it.operation == self.operation => {
                let (request, command) = it.statement.split_once("\n\n").unwrap_or_default();
                let first = it.statement.lines().next().unwrap_or_default();
                let title = if request.is_empty() { first } else { command };
                self.title = one_line(title);
                Vec::new()
            }
            Some(Kind::Streamed(it)) if it.operation == self.operation => {
                let is_resize = it.channel() == Channel::Resize;
                let (code, data) = match it.channel() {
                    Channel::Resize => ("r", format!("{}x{}", it.columns, it.lines)),
                    Channel::Stdin => ("i", self.tame(it.channel, &it.data)),
                    Channel::Stdout | Channel::Stderr | Channel::Unspecified => {
                        ("o", self.tame(it.channel, &it.data))
                    }
                    // Nothing of it was ever on a terminal.
                    Channel::ToPort | Channel::FromPort => return Vec::new(),
                };
                let mut lines = Vec::new();
                if !self.began {
                    let size = match is_resize {
                        true => (it.columns, it.lines),
                        false => (COLUMNS, LINES),
                    };
                    lines.push(self.begin(size, event.time_us));
                }
                if !data.is_empty() {
                    lines.push(self.event(event.time_us, code, &data));
                }
                lines
            }
            Some(Kind::Replied(it)) if it.operation == self.operation && self.began => {
                let mut lines = Vec::new();
                let rest: String = self.channels.values_mut().map(Tame::end).collect();
                if !rest.is_empty() {
                    lines.push(self.event(event.time_us, "o", &rest));
                }
                if let Some(code) = it.exit_code {
                    lines.push(self.event(event.time_us, "x", &code.to_string()));
                }
                lines
            }
            _ => Vec::new(),
        }
    }

    /// Whether there was anything to write.
    pub(crate) fn has_begun(&self) -> bool {
        self.began
    }

    fn begin(&mut self, (columns, lines): (u32, u32), time_us: u64) -> Value {
        self.began = true;
        self.last_us = time_us;
        json!({
            "version": 3,
            "term": {"cols": columns, "rows": lines},
            "timestamp": time_us / 1_000_000,
            "title": self.title,
        })
    }

    fn tame(&mut self, channel: i32, data: &[u8]) -> String {
        self.channels.entry(channel).or_default().next(data)
    }

    /// An event, with the time since the one before it.
    fn event(&mut self, time_us: u64, code: &str, data: &str) -> Value {
        let passed = time_us.saturating_sub(self.last_us);
        self.last_us = self.last_us.max(time_us);
        let seconds = std::time::Duration::from_micros(passed).as_secs_f64();
        json!([seconds, code, data])
    }
}

#[cfg(test)]
mod tests {
    use ostiary_record::{Operated, Replied, Streamed};

    use super::*;

    fn event(time_us: u64, kind: Kind) -> Event {
        Event {
            time_us,
            kind: Some(kind),
            ..Event::default()
        }
    }

    fn said(operation: u64, channel: Channel, data: &[u8]) -> Kind {
        Kind::Streamed(Streamed {
            operation,
            channel: channel.into(),
            data: data.to_vec(),
            ..Streamed::default()
        })
    }

    #[test]
    fn a_recording_is_a_header_and_what_was_said_when() {
        let size = Streamed {
            operation: 2,
            channel: Channel::Resize.into(),
            columns: 120,
            lines: 40,
            ..Streamed::default()
        };
        let events = [
            event(
                1_000_000,
                Kind::Operated(Operated {
                    operation: 2,
                    statement: "POST /api/exec\n\nsh -c 'date'".to_owned(),
                    ..Operated::default()
                }),
            ),
            event(2_000_000, Kind::Streamed(size)),
            event(2_500_000, said(2, Channel::Stdin, b"x\r")),
            event(2_500_000, said(1, Channel::Stdout, b"another's")),
            event(3_000_000, said(2, Channel::Stdout, b"\xe6\xbc")),
            event(
                3_250_000,
                said(2, Channel::Stdout, b"\xa2\x1b]52;c;eA==\x07\n"),
            ),
            event(
                4_000_000,
                Kind::Replied(Replied {
                    operation: 2,
                    exit_code: Some(7),
                    ..Replied::default()
                }),
            ),
        ];
        let mut cast = Asciicast::new(2);
        let lines: Vec<Value> = events.iter().flat_map(|it| cast.lines(it)).collect();
        let expected = [
            json!({
                "version": 3,
                "term": {"cols": 120, "rows": 40},
                "timestamp": 2,
                "title": "sh -c 'date'",
            }),
            json!([0.0, "r", "120x40"]),
            json!([0.5, "i", "x\r"]),
            json!([0.75, "o", "漢␛]52;c;eA==␇\r\n"]),
            json!([0.75, "x", "7"]),
        ];
        assert_eq!(lines, expected);
    }
}
