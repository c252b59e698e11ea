//! YAML as a tree that knows its lines.
//!
//! Scalars stay text; anchors, aliases, tags and several documents are refused, so that a file means
//! what it shows.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// Levels of nesting read.
const MAX_DEPTH: usize = 32;

/// A value and where it starts.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    /// An empty plain scalar, `~` or `null`.
    Null,
    Scalar(String),
    List(Vec<Node>),
    /// Keys in the order of the file, with their lines; duplicates are kept for the reader to name.
    Map(Vec<(String, usize, Node)>),
}

/// Why a text is not such a tree: line and message.
pub(super) type Invalid = (usize, String);

/// Reads one document; an empty text is [`Value::Null`].
pub(super) fn parse(text: &str) -> Result<Node, Invalid> {
    let mut events = Events {
        parser: Parser::new_from_str(text),
    };
    let mut root = None;
    loop {
        let (event, line) = events.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            Event::DocumentStart(_) if root.is_some() => {
                return Err((line, "a second document in the file".to_owned()));
            }
            Event::DocumentStart(_) => {}
            event => root = Some(node(event, line, &mut events, 0)?),
        }
    }
    Ok(root.unwrap_or(Node {
        line: 1,
        value: Value::Null,
    }))
}

struct Events<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
}

impl<'a> Events<'a> {
    fn next(&mut self) -> Result<(Event<'a>, usize), Invalid> {
        match self.parser.next() {
            None => Ok((Event::StreamEnd, 0)),
            Some(Ok((event, Span { start, .. }))) => Ok((event, start.line())),
            Some(Err(error)) => Err((
                error.marker().line(),
                format!("not YAML: {}", error.info().to_lowercase()),
            )),
        }
    }
}

fn node(
    event: Event<'_>,
    line: usize,
    events: &mut Events<'_>,
    depth: usize,
) -> Result<Node, Invalid> {
    if depth > MAX_DEPTH {
        return Err((line, "nested too deeply".to_owned()));
    }
    let value = match event {
        Event::Scalar(text, style, 0, None) => {
            let plain = matches!(style, ScalarStyle::Plain);
            if plain && matches!(&*text, "" | "~" | "null") {
                Value::Null
            } else {
                Value::Scalar(text.into_owned())
            }
        }
        Event::SequenceStart(0, None) => Value::List(list(events, depth)?),
        Event::MappingStart(0, None) => Value::Map(map(events, depth)?),
        Event::Alias(_)
        | Event::Scalar(_, _, 1.., _)
        | Event::SequenceStart(1.., _)
        | Event::MappingStart(1.., _) => {
            return Err((line, "anchors and aliases are not read here".to_owned()));
        }
        _ => return Err((line, "tags are not read here".to_owned())),
    };
    Ok(Node { line, value })
}

fn list(events: &mut Events<'_>, depth: usize) -> Result<Vec<Node>, Invalid> {
    let mut items = Vec::new();
    loop {
        let (event, line) = events.next()?;
        if matches!(event, Event::SequenceEnd | Event::StreamEnd) {
            return Ok(items);
        }
        items.push(node(event, line, events, depth + 1)?);
    }
}

fn map(events: &mut Events<'_>, depth: usize) -> Result<Vec<(String, usize, Node)>, Invalid> {
    let mut entries = Vec::new();
    loop {
        let (event, line) = events.next()?;
        let key = match event {
            Event::MappingEnd | Event::StreamEnd => return Ok(entries),
            Event::Scalar(key, _, 0, None) => key.into_owned(),
            _ => return Err((line, "a key must be plain text".to_owned())),
        };
        let (event, value_line) = events.next()?;
        entries.push((key, line, node(event, value_line, events, depth + 1)?));
    }
}
