//! The few statements the scripted server understands by itself.

/// What a statement does to the server's state.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    Refusal,
    Catalogue,
    Empty,
    Begin,
    Commit,
    Rollback,
    Set { name: &'a str, value: &'a str },
    Prepare { name: &'a str, text: &'a str },
    Execute { name: &'a str },
    Deallocate { name: Option<&'a str> },
    Declare { name: &'a str, text: &'a str },
    Fetch { name: &'a str },
    Close { name: Option<&'a str> },
    DiscardAll,
    Other,
}

pub(super) fn split(text: &str, backslash: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut quoted = false;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted && backslash => escaped = true,
            '\'' => quoted = !quoted,
            ';' if !quoted => {
                parts.push(text.get(start..at).unwrap_or_default().trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default().trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn all(name: &str) -> Option<&str> {
    (!name.eq_ignore_ascii_case("all")).then_some(name)
}

pub(super) fn meaning(text: &str) -> Meaning<'_> {
    // Lazily: the session's question to the catalogue is long, and comes in every session.
    let between = |c: char| c == '(' || c.is_whitespace();
    let mut words = text.split(between).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    let third = words.next().unwrap_or_default();
    let mut backwards = text.rsplit(between);
    let last = backwards.find(|word| !word.is_empty()).unwrap_or_default();
    let after = |mark: &str| text.split_once(mark).map_or("", |(_, rest)| rest).trim();
    match first.to_ascii_uppercase().as_str() {
        "" => Meaning::Empty,
        "OSTIARY" => Meaning::Refusal,
        "WITH" if text.contains("pg_catalog.pg_inherits") => Meaning::Catalogue,
        "BEGIN" => Meaning::Begin,
        "COMMIT" => Meaning::Commit,
        "ROLLBACK" if second != "TO" => Meaning::Rollback,
        "SELECT" if second == "set_config" => {
            let mut parts = text.split('\'').skip(1).step_by(2);
            Meaning::Set {
                name: parts.next().unwrap_or_default(),
                value: parts.next().unwrap_or_default(),
            }
        }
        "SET" => Meaning::Set {
            name: match second {
                "NAMES" => "client_encoding",
                "LOCAL" | "SESSION" => third,
                name => name.split('=').next().unwrap_or_default(),
            },
            value: last
                .rsplit('=')
                .next()
                .unwrap_or_default()
                .trim_matches('\''),
        },
        "PREPARE" => Meaning::Prepare {
            name: second,
            text: after(" AS "),
        },
        "EXECUTE" => Meaning::Execute { name: second },
        "DEALLOCATE" => Meaning::Deallocate { name: all(last) },
        "DECLARE" => Meaning::Declare {
            name: second,
            text: after(" FOR "),
        },
        "FETCH" | "MOVE" => Meaning::Fetch { name: last },
        "CLOSE" => Meaning::Close { name: all(last) },
        "DISCARD" => Meaning::DiscardAll,
        _ => Meaning::Other,
    }
}
