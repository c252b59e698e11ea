//! Text to tokens, as PostgreSQL's own scanner (`scan.l`) cuts them.
//!
//! In: the text of a query. Out: its tokens, identifiers folded and cut as the server does it.
//! An error means the server refuses the whole text too, or that its reading depends on something
//! unknown. Absent: any notion of statements or grammar.

mod literal;

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;

use super::Reading;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An unquoted identifier or keyword, folded.
    Word,
    /// A quoted identifier.
    Quoted,
    /// A string constant whose value is known.
    String,
    /// A constant whose value is of no interest (bit string, `U&''`).
    Opaque,
    /// A number.
    Number,
    /// `$1`.
    Parameter,
    /// An operator, including `+ - * / < > = %  ^`.
    Operator,
    /// One of `( ) [ ] , ; . :` and `:: .. := =>`.
    Punctuation,
    /// Something the server reads but we decline to.
    Fault(&'static str),
}

/// One token.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    text: Cow<'a, str>,
    start: usize,
    end: usize,
    /// Whether the value of a constant was asked for, and whether the place of the token was: see
    /// [`Shape`](super::shape::Shape).
    was_read: Cell<bool>,
    was_located: Cell<bool>,
}

impl Token<'_> {
    /// Its text; for strings and identifiers the value.
    pub(super) fn text(&self) -> &str {
        self.was_read.set(true);
        &self.text
    }

    /// Its first byte in the text.
    pub(super) fn start(&self) -> usize {
        self.was_located.set(true);
        self.start
    }

    /// Its bytes, for [`Values::literals`](crate::Values::literals) and nothing else.
    pub(super) fn literal(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Whether it is a constant with a value.
    pub(super) fn is_constant(&self) -> bool {
        matches!(self.kind, Kind::String | Kind::Number)
    }

    /// Whether the value of this constant was asked for.
    pub(super) fn was_read(&self) -> bool {
        self.was_read.get()
    }

    /// Whether its place was asked for.
    pub(super) fn was_located(&self) -> bool {
        self.was_located.get()
    }

    /// Its text, for a [`Shape`](super::shape::Shape): no way for a rule of the grammar to look at it.
    pub(super) fn unread(&self) -> &str {
        &self.text
    }

    /// Whether this is the keyword `word` (given in lower case).
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    /// Whether this is the punctuation or operator `mark`.
    pub(super) fn is_mark(&self, mark: &str) -> bool {
        matches!(self.kind, Kind::Punctuation | Kind::Operator) && self.text == mark
    }
}

/// `NAMEDATALEN - 1`: longer identifiers are cut, so that two names can be one.
const MAX_IDENTIFIER: usize = 63;

/// Cuts `text` into tokens.
pub(super) fn lex(text: &str, reading: Reading) -> Result<Vec<Token<'_>>, &'static str> {
    if !reading.utf8 && !text.is_ascii() {
        return Err("text outside ASCII while the client encoding is not UTF-8");
    }
    if text.bytes().any(|byte| byte == 0) {
        return Err("NUL inside the text");
    }
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        start: 0,
        standard_strings: reading.standard_conforming_strings,
        any_names: reading.server_utf8,
    };
    let mut tokens = Vec::with_capacity(text.len() / 5);
    while let Some(mut token) = lexer.next_token()? {
        token.start = lexer.start;
        token.end = lexer.at;
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Where the last token began.
    start: usize,
    standard_strings: bool,
    /// Whether names outside ASCII are what they look like.
    any_names: bool,
}

impl<'a> Lexer<'a> {
    /// The byte `ahead` of the position; 0 past the end (the text holds no NUL).
    fn peek(&self, ahead: usize) -> u8 {
        self.byte(self.at.saturating_add(ahead))
    }

    fn byte(&self, index: usize) -> u8 {
        self.bytes.get(index).copied().unwrap_or(0)
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or("")
    }

    fn next_token(&mut self) -> Result<Option<Token<'a>>, &'static str> {
        self.skip_space()?;
        self.start = self.at;
        let first = self.peek(0);
        let token = match first {
            0 => return Ok(None),
            b'\'' => self.plain_string()?,
            b'"' => self.quoted_identifier()?,
            b'$' => self.dollar()?,
            b'0'..=b'9' => self.number()?,
            b'.' if self.peek(1).is_ascii_digit() => self.number()?,
            b'(' | b')' | b'[' | b']' | b',' | b';' => self.mark(1),
            b'.' => self.mark(if self.peek(1) == b'.' { 2 } else { 1 }),
            b':' => self.mark(if matches!(self.peek(1), b':' | b'=') {
                2
            } else {
                1
            }),
            _ if is_operator(first) => self.operator()?,
            _ if is_identifier_start(first) => self.word()?,
            _ => return Err("a character no token starts with"),
        };
        Ok(Some(token))
    }

    fn mark(&mut self, length: usize) -> Token<'a> {
        let end = self.at.saturating_add(length);
        let text = self.slice(self.at, end);
        self.at = end;
        token(Kind::Punctuation, text)
    }

    fn skip_space(&mut self) -> Result<(), &'static str> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, _) => self.at += 1,
                (b'-', b'-') => self.at = self.end_of_line(self.at),
                (b'/', b'*') => self.block_comment()?,
                _ => return Ok(()),
            }
        }
    }

    /// The index of the `\n` or `\r` that ends the line, or of the end.
    fn end_of_line(&self, from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        rest.iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))
            .map_or(self.bytes.len(), |length| from.saturating_add(length))
    }

    fn block_comment(&mut self) -> Result<(), &'static str> {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth = depth.saturating_sub(1);
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                (0, _) => return Err("a comment that does not end"),
                _ => self.at += 1,
            }
        }
    }

    fn operator(&mut self) -> Result<Token<'a>, &'static str> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let mut length = rest.iter().take_while(|byte| is_operator(**byte)).count();
        let run = rest.get(..length).unwrap_or_default();
        // A comment start ends the operator.
        if let Some(comment) = run
            .windows(2)
            .position(|pair| matches!(pair, b"--" | b"/*"))
        {
            length = comment;
        }
        // `+` and `-` end an operator only together with one of these, so that `a=-1` is three tokens.
        let mut run = run.get(..length).unwrap_or_default();
        while let [head @ .., b'+' | b'-'] = run {
            let keeps = head.iter().any(|byte| {
                matches!(
                    byte,
                    b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%'
                )
            });
            if head.is_empty() || keeps {
                break;
            }
            run = head;
        }
        if run.len() > MAX_IDENTIFIER {
            return Err("an operator that is too long");
        }
        let end = self.at.saturating_add(run.len());
        let text = self.slice(self.at, end);
        self.at = end;
        let kind = if text == "=>" {
            Kind::Punctuation
        } else {
            Kind::Operator
        };
        Ok(token(kind, text))
    }

    fn word(&mut self) -> Result<Token<'a>, &'static str> {
        match (self.peek(0), self.peek(1), self.peek(2)) {
            (b'e' | b'E', b'\'', _) => return self.escape_string(),
            (b'b' | b'B' | b'x' | b'X', b'\'', _) => return self.bit_string(),
            (b'n' | b'N', b'\'', _) => {
                self.at += 1;
                return self.plain_string();
            }
            (b'u' | b'U', b'&', b'\'') => return self.unicode_string(),
            (b'u' | b'U', b'&', b'"') => {
                self.at += 2;
                self.quoted_identifier()?;
                return Ok(token(
                    Kind::Fault("an identifier with Unicode escapes"),
                    "U&\"\"",
                ));
            }
            _ => {}
        }
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = rest
            .iter()
            .take_while(|byte| is_identifier_part(**byte))
            .count();
        self.at = start.saturating_add(length);
        let text = self.slice(start, self.at);
        if !text.is_ascii() && text.chars().any(is_deceptive) {
            return Ok(token(
                Kind::Fault("an invisible character outside quotes"),
                text,
            ));
        }
        if let Some(fault) = self.foreign_name(text) {
            return Ok(fault);
        }
        let text = if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
        Ok(token_of(Kind::Word, cut(text)))
    }

    /// Single-byte encodings fold letters outside ASCII, cut names elsewhere, and some know several
    /// characters as one.
    pub(super) fn foreign_name(&self, name: &str) -> Option<Token<'a>> {
        (!self.any_names && !name.is_ascii()).then(|| {
            token(
                Kind::Fault("a name outside ASCII in a database that is not UTF-8"),
                "",
            )
        })
    }

    fn number(&mut self) -> Result<Token<'a>, &'static str> {
        let start = self.at;
        let radix = match (self.peek(0), self.peek(1) | 0x20) {
            (b'0', b'x') => Some(16),
            (b'0', b'o') => Some(8),
            (b'0', b'b') => Some(2),
            _ => None,
        };
        if let Some(radix) = radix {
            self.at += 2;
            if self.peek(0) == b'_' {
                self.at += 1;
            }
            if self.digits(radix) == 0 {
                return Err("a number that does not end as one");
            }
        } else {
            self.digits(10);
            // `1..2` is two numbers and a range.
            if self.peek(0) == b'.' && self.peek(1) != b'.' {
                self.at += 1;
                self.digits(10);
            }
            if matches!(self.peek(0), b'e' | b'E') {
                self.at += if matches!(self.peek(1), b'+' | b'-') {
                    2
                } else {
                    1
                };
                if self.digits(10) == 0 {
                    return Err("a number that does not end as one");
                }
            }
        }
        // Servers before 15 read `1x` as two tokens, later ones refuse it.
        if is_identifier_start(self.peek(0)) {
            return Err("a number that runs into a word");
        }
        Ok(token(Kind::Number, self.slice(start, self.at)))
    }

    /// Skips digits with single underscores between them; answers how many there are.
    fn digits(&mut self, radix: u32) -> usize {
        let is_digit = |byte: u8| char::from(byte).is_digit(radix);
        let mut count = 0;
        loop {
            if is_digit(self.peek(0)) {
                self.at += 1;
            } else if count > 0 && self.peek(0) == b'_' && is_digit(self.peek(1)) {
                self.at += 2;
            } else {
                return count;
            }
            count += 1;
        }
    }
}

fn token(kind: Kind, text: &str) -> Token<'_> {
    token_of(kind, Cow::Borrowed(text))
}

/// A token whose place is not known yet.
fn token_of(kind: Kind, text: Cow<'_, str>) -> Token<'_> {
    Token {
        kind,
        text,
        start: 0,
        end: 0,
        was_read: Cell::new(false),
        was_located: Cell::new(false),
    }
}

/// Cuts an identifier as the server does, on a character boundary.
fn cut(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= MAX_IDENTIFIER {
        return text;
    }
    let mut end = MAX_IDENTIFIER;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(..end).unwrap_or("")),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}

fn is_operator(byte: u8) -> bool {
    matches!(
        byte,
        b'~' | b'!'
            | b'@'
            | b'#'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'<'
            | b'>'
            | b'='
    )
}

fn is_identifier_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_identifier_part(byte: u8) -> bool {
    is_identifier_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

/// Characters that look like nothing or like a space; to the server they are letters.
fn is_deceptive(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(u32::from(character),
            0x00ad | 0x034f | 0x061c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f
            | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0x2800 | 0x3164
            | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0xe0000..=0xe0fff)
}
