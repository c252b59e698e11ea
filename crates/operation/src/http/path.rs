//! The path of a request: decoded once, and refused if another reader could decode it otherwise.

use super::Refused;

/// Bytes of a path.
const MAX_PATH: usize = 8192;
const MAX_SEGMENTS: usize = 128;

/// A path without query, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    // INVARIANT: no segment but the last is empty, and none holds `/`, `\`, `%`, `;`, a control
    // character, or is `.` or `..`.
    segments: Vec<String>,
    text: String,
}

impl Path {
    /// Reads a path as it stands in the request.
    pub fn parse(raw: &str) -> Result<Self, Refused> {
        if raw.len() > MAX_PATH {
            return Err(Refused {
                status: 414,
                reason: format!("the path is longer than {MAX_PATH} bytes"),
            });
        }
        let Some(rest) = raw.strip_prefix('/') else {
            return Err(Refused::bad("the path does not begin with `/`"));
        };
        let mut segments = Vec::new();
        for part in rest.split('/') {
            if segments.last().is_some_and(String::is_empty) {
                return Err(Refused::bad("the path has an empty segment (`//`)"));
            }
            if segments.len() == MAX_SEGMENTS {
                let reason = format!("the path has more than {MAX_SEGMENTS} segments");
                return Err(Refused::bad(reason));
            }
            segments.push(segment(part)?);
        }
        if segments.len() > 1 && segments.first().is_some_and(String::is_empty) {
            return Err(Refused::bad("the path has an empty segment (`//`)"));
        }
        let text = format!("/{}", segments.join("/"));
        Ok(Self { segments, text })
    }

    /// The whole path, decoded.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its segments, decoded; the last is empty if the path ends with `/`.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }
}

fn segment(raw: &str) -> Result<String, Refused> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        let decoded = match byte {
            b'%' => escaped(&mut rest)?,
            b'\\' => return Err(Refused::bad("the path holds a backslash")),
            b';' => {
                return Err(Refused::bad(
                    "the path holds `;`, which some servers cut at",
                ));
            }
            b'#' => return Err(Refused::bad("the path holds `#`")),
            b'!'..=b'~' => byte,
            _ => return Err(Refused::bad("the path holds a byte that must be escaped")),
        };
        bytes.push(decoded);
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Refused::bad("the path is not UTF-8 when it is decoded"))?;
    if text.chars().any(char::is_control) {
        return Err(Refused::bad("the path holds an escaped control character"));
    }
    if text == "." || text == ".." {
        return Err(Refused::bad("the path holds a `.` or `..` segment"));
    }
    Ok(text)
}

/// The byte behind a `%`. An escape that hides what separates or names segments is refused: servers
/// disagree on when they decode it.
fn escaped(rest: &mut impl Iterator<Item = u8>) -> Result<u8, Refused> {
    let mut digit = || rest.next().and_then(super::query::hex);
    let (Some(high), Some(low)) = (digit(), digit()) else {
        return Err(Refused::bad("the path holds a broken escape"));
    };
    match high << 4 | low {
        b'/' | b'\\' => Err(Refused::bad("the path holds an escaped slash")),
        b'%' => Err(Refused::bad("the path holds an escaped `%`")),
        b';' | b'?' | b'#' => Err(Refused::bad("the path holds an escaped delimiter")),
        b'.' | b'-' | b'_' => Err(Refused::bad("the path escapes what needs no escape")),
        byte if byte.is_ascii_alphanumeric() => {
            Err(Refused::bad("the path escapes what needs no escape"))
        }
        byte => Ok(byte),
    }
}
