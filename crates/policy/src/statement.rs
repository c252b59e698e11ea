//! Where each policy of a `*.cedar` file begins and ends, and how heavy it is.
//!
//! Cedar's parser, checker and evaluator recurse over an expression, and inside Envoy nothing stops
//! a recursion but the end of the stack, which takes the whole VM. So weight is bounded before
//! anything is parsed.

/// Operators and words of one policy; strings, commas and brackets are free. An expression is at
/// most half as deep.
pub(crate) const MAX_WEIGHT: usize = 600;
/// Brackets within brackets.
pub(crate) const MAX_NESTING: usize = 24;

/// The text of one policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    /// Byte offset in the file.
    pub(crate) start: usize,
    /// From the first annotation to the semicolon.
    pub(crate) text: &'a str,
    /// Operators and words outside strings.
    pub(crate) weight: usize,
    /// The deepest bracket.
    pub(crate) nesting: usize,
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
    let (mut weight, mut depth, mut nesting) = (0_usize, 0_usize, 0_usize);
    let mut bytes = file.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        place = match (place, byte) {
            (Place::Comment, b'\n') => Place::Code,
            (Place::Comment, _) => Place::Comment,
            (Place::Escape, _) => Place::Text,
            (Place::Text, b'\\') => Place::Escape,
            (Place::Text, b'"') => Place::Code,
            (Place::Text, _) => Place::Text,
            (_, b'/') if bytes.peek().is_some_and(|(_, next)| *next == b'/') => Place::Comment,
            (_, byte) if byte.is_ascii_whitespace() => Place::Code,
            (place, byte) => {
                let from = *start.get_or_insert(at);
                match byte {
                    b'"' => Place::Text,
                    b'(' | b'[' | b'{' => {
                        depth = depth.saturating_add(1);
                        nesting = nesting.max(depth);
                        Place::Code
                    }
                    b')' | b']' | b'}' => {
                        depth = depth.saturating_sub(1);
                        Place::Code
                    }
                    b',' | b':' | b'@' => Place::Code,
                    b';' => {
                        let end = at.saturating_add(1);
                        found.extend(file.get(from..end).map(|text| Statement {
                            start: from,
                            text,
                            weight,
                            nesting,
                        }));
                        start = None;
                        (weight, depth, nesting) = (0, 0, 0);
                        Place::Code
                    }
                    byte if byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii() => {
                        weight = weight.saturating_add(usize::from(place != Place::Word));
                        Place::Word
                    }
                    _ => {
                        weight = weight.saturating_add(1);
                        Place::Code
                    }
                }
            }
        };
    }
    let rest = start.and_then(|from| Some((from, file.get(from..)?)));
    found.extend(rest.map(|(start, text)| Statement {
        start,
        text,
        weight,
        nesting,
    }));
    found
}
