//! Where each policy of a `*.cedar` file begins and ends, how large it is and how deep.
//!
//! Cedar's parser, checker and evaluator recurse over an expression. Inside Envoy nothing stops a
//! recursion but the end of a stack of one megabyte, which takes the whole VM: `1 + 1 + …` of 290
//! terms did. So depth is bounded before anything is parsed, from the text alone.

/// Levels of one policy's expression. A fifth of what overflowed in V8.
pub(crate) const MAX_DEPTH: usize = 48;

/// Levels a bracket stands for: the parser goes through every precedence there is.
const BRACKET: usize = 2;

/// The text of one policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    /// Byte offset in the file.
    pub(crate) start: usize,
    /// From the first annotation to the semicolon.
    pub(crate) text: &'a str,
    /// Words, strings and operators.
    pub(crate) weight: usize,
    /// At least the levels of the expression tree.
    pub(crate) depth: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Code,
    Word,
    Text,
    Escape,
    Comment,
}

/// Splits a file at the semicolons that are neither in a string nor in a comment. What follows the
/// last one, if anything, is a statement too, for the parser to refuse.
pub(crate) fn statements(file: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let mut place = Place::Code;
    let mut start = None;
    let mut size = Size::default();
    let mut word = String::new();
    let mut bytes = file.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        let next = bytes.peek().map(|(_, next)| *next);
        if place == Place::Word && !is_word(byte) {
            size.word(&std::mem::take(&mut word));
        }
        place = match (place, byte) {
            (Place::Comment, b'\n') => Place::Code,
            (Place::Comment, _) => Place::Comment,
            (Place::Escape, _) => Place::Text,
            (Place::Text, b'\\') => Place::Escape,
            (Place::Text, b'"') => Place::Code,
            (Place::Text, _) => Place::Text,
            (_, b'/') if next == Some(b'/') => Place::Comment,
            (_, byte) if byte.is_ascii_whitespace() => Place::Code,
            (_, b';') => {
                let from = start.take().unwrap_or(at);
                found.extend(statement(file, from, at.saturating_add(1), &mut size));
                Place::Code
            }
            (_, byte) => {
                start.get_or_insert(at);
                match byte {
                    b'"' => {
                        size.weight = size.weight.saturating_add(1);
                        Place::Text
                    }
                    byte if is_word(byte) => {
                        word.push(char::from(byte));
                        Place::Word
                    }
                    byte => {
                        size.punctuation(byte, next);
                        Place::Code
                    }
                }
            }
        };
    }
    if let Some(from) = start {
        found.extend(statement(file, from, file.len(), &mut size));
    }
    found
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn statement<'a>(file: &'a str, from: usize, to: usize, size: &mut Size) -> Option<Statement<'a>> {
    let size = std::mem::take(size);
    Some(Statement {
        start: from,
        text: file.get(from..to)?,
        weight: size.weight,
        depth: size.depth(),
    })
}

/// Size and depth of the statement so far.
#[derive(Default)]
struct Size {
    weight: usize,
    /// Open brackets, outermost first; the statement itself is below.
    open: Vec<Level>,
    bottom: Level,
}

/// What is between two brackets, or the statement itself. Items are separated by commas; of an item,
/// each operator may be a level above all others.
#[derive(Default)]
struct Level {
    operators: usize,
    /// Dots since the last operator, and the most of them.
    run: usize,
    longest_run: usize,
    /// The deepest bracket in the item.
    inner: usize,
    /// The deepest item that has ended.
    deepest: usize,
}

impl Size {
    fn top(&mut self) -> &mut Level {
        self.open.last_mut().unwrap_or(&mut self.bottom)
    }

    fn word(&mut self, word: &str) {
        self.weight = self.weight.saturating_add(1);
        if matches!(word, "if" | "when" | "unless") {
            self.top().operator();
        }
    }

    fn punctuation(&mut self, byte: u8, next: Option<u8>) {
        if !matches!(byte, b',' | b':' | b'@') {
            self.weight = self.weight.saturating_add(1);
        }
        match byte {
            b'(' | b'[' | b'{' => self.open.push(Level::default()),
            b')' | b']' | b'}' => self.close(),
            b',' => self.top().end_item(),
            b'.' => {
                let level = self.top();
                level.run = level.run.saturating_add(1);
                level.longest_run = level.longest_run.max(level.run);
            }
            b'&' | b'|' if next == Some(byte) => self.top().operator(),
            b'!' if next != Some(b'=') => self.top().operator(),
            b'+' | b'-' | b'*' => self.top().operator(),
            b'=' | b'<' | b'>' => self.top().run = 0,
            _ => {}
        }
    }

    fn close(&mut self) {
        if let Some(mut level) = self.open.pop() {
            level.end_item();
            let below = self.top();
            below.inner = below.inner.max(level.deepest.saturating_add(BRACKET));
        }
    }

    fn depth(mut self) -> usize {
        while !self.open.is_empty() {
            self.close();
        }
        self.bottom.end_item();
        self.bottom.deepest
    }
}

impl Level {
    fn operator(&mut self) {
        self.operators = self.operators.saturating_add(1);
        self.run = 0;
    }

    fn end_item(&mut self) {
        let depth = [self.operators, self.longest_run, self.inner, 1]
            .into_iter()
            .fold(0, usize::saturating_add);
        *self = Self {
            deepest: self.deepest.max(depth),
            ..Self::default()
        };
    }
}
