//! Quoted things: string constants in their five spellings, and quoted identifiers.

use std::borrow::Cow;

use super::{Kind, Lexer, Token, cut, is_identifier_start, token, token_of};

const UNENDED: &str = "a quoted string that does not end";

impl<'a> Lexer<'a> {
    /// `'…'`, with its continuations on later lines.
    pub(super) fn plain_string(&mut self) -> Result<Token<'a>, &'static str> {
        self.at += 1;
        let mut value = Cow::Borrowed("");
        loop {
            let start = self.at;
            while !matches!(self.peek(0), b'\'' | b'\\' | 0) {
                self.at += 1;
            }
            match self.peek(0) {
                b'\\' if self.standard_strings => {
                    self.at += 1;
                    append(&mut value, self.slice(start, self.at));
                }
                b'\\' => {
                    return Err(
                        "a backslash in a plain string while `standard_conforming_strings` is off",
                    );
                }
                b'\'' => {
                    append(&mut value, self.slice(start, self.at));
                    self.at += 1;
                    if self.peek(0) == b'\'' {
                        self.at += 1;
                        append(&mut value, "'");
                    } else if let Some(next) = self.continuation() {
                        self.at = next;
                    } else {
                        return Ok(token_of(Kind::String, value));
                    }
                }
                _ => return Err(UNENDED),
            }
        }
    }

    /// Where the string goes on, if only white space with a line break and then a quote follow.
    fn continuation(&self) -> Option<usize> {
        let mut at = self.at;
        let mut broken = false;
        loop {
            match (self.byte(at), self.byte(at.saturating_add(1))) {
                (b' ' | b'\t' | 0x0b | 0x0c, _) => at += 1,
                (b'\n' | b'\r', _) => {
                    broken = true;
                    at += 1;
                }
                (b'-', b'-') => at = self.end_of_line(at),
                (b'\'', _) => return broken.then_some(at.saturating_add(1)),
                _ => return None,
            }
        }
    }

    /// `E'…'`.
    pub(super) fn escape_string(&mut self) -> Result<Token<'a>, &'static str> {
        self.at += 2;
        let mut value = Vec::new();
        loop {
            let byte = self.peek(0);
            match byte {
                0 => return Err(UNENDED),
                b'\'' => {
                    self.at += 1;
                    if self.peek(0) == b'\'' {
                        self.at += 1;
                        value.push(b'\'');
                    } else if let Some(next) = self.continuation() {
                        self.at = next;
                    } else {
                        break;
                    }
                }
                b'\\' => self.escape(&mut value)?,
                _ => {
                    self.at += 1;
                    value.push(byte);
                }
            }
        }
        Ok(match String::from_utf8(value) {
            Ok(value) => token_of(Kind::String, Cow::Owned(value)),
            Err(_) => token(Kind::Opaque, ""),
        })
    }

    fn escape(&mut self, value: &mut Vec<u8>) -> Result<(), &'static str> {
        let letter = self.peek(1);
        self.at += 2;
        match letter {
            0 => return Err(UNENDED),
            b'b' => value.push(0x08),
            b'f' => value.push(0x0c),
            b'n' => value.push(b'\n'),
            b'r' => value.push(b'\r'),
            b't' => value.push(b'\t'),
            b'v' => value.push(0x0b),
            b'0'..=b'7' => {
                self.at -= 1;
                let code = self.code(8, 3).unwrap_or(0) & 0xff;
                value.push(u8::try_from(code).unwrap_or(0));
            }
            b'x' => match self.code(16, 2) {
                Some(code) => value.push(u8::try_from(code).unwrap_or(0)),
                None => value.push(b'x'),
            },
            b'u' | b'U' => {
                let length = if letter == b'u' { 4 } else { 8 };
                let start = self.at;
                let code = self.code(16, length).unwrap_or(0);
                if self.at.saturating_sub(start) != length {
                    return Err("an invalid Unicode escape");
                }
                // Halves of a surrogate pair make the value not UTF-8, hence unknown.
                match char::from_u32(code) {
                    Some(character) => {
                        value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    None => value.push(0xff),
                }
            }
            other => value.push(other),
        }
        Ok(())
    }

    /// Reads up to `most` digits; `None` if there is none.
    fn code(&mut self, radix: u32, most: usize) -> Option<u32> {
        let mut code = None;
        for _ in 0..most {
            let Some(digit) = char::from(self.peek(0)).to_digit(radix) else {
                break;
            };
            code = Some(
                code.unwrap_or(0_u32)
                    .wrapping_mul(radix)
                    .wrapping_add(digit),
            );
            self.at += 1;
        }
        code
    }

    /// `b'…'` and `x'…'`.
    pub(super) fn bit_string(&mut self) -> Result<Token<'a>, &'static str> {
        self.at += 2;
        loop {
            while !matches!(self.peek(0), b'\'' | 0) {
                self.at += 1;
            }
            if self.peek(0) == 0 {
                return Err(UNENDED);
            }
            self.at += 1;
            match self.continuation() {
                Some(next) => self.at = next,
                None => return Ok(token(Kind::Opaque, "")),
            }
        }
    }

    /// `U&'…'`: ends like a plain string, its value is not needed.
    pub(super) fn unicode_string(&mut self) -> Result<Token<'a>, &'static str> {
        if !self.standard_strings {
            return Err("a string with Unicode escapes while `standard_conforming_strings` is off");
        }
        self.at += 2;
        self.plain_string()?;
        Ok(token(Kind::Opaque, ""))
    }

    /// `"…"`.
    pub(super) fn quoted_identifier(&mut self) -> Result<Token<'a>, &'static str> {
        self.at += 1;
        let mut value = Cow::Borrowed("");
        loop {
            let start = self.at;
            while !matches!(self.peek(0), b'"' | 0) {
                self.at += 1;
            }
            if self.peek(0) == 0 {
                return Err("a quoted identifier that does not end");
            }
            append(&mut value, self.slice(start, self.at));
            self.at += 1;
            if self.peek(0) != b'"' {
                break;
            }
            self.at += 1;
            append(&mut value, "\"");
        }
        if value.is_empty() {
            return Err("an empty quoted identifier");
        }
        if let Some(fault) = self.foreign_name(&value) {
            return Ok(fault);
        }
        Ok(token_of(Kind::Quoted, cut(value)))
    }

    /// `$1`, `$$…$$` and `$tag$…$tag$`.
    pub(super) fn dollar(&mut self) -> Result<Token<'a>, &'static str> {
        let start = self.at;
        if self.peek(1).is_ascii_digit() {
            self.at += 1;
            while self.peek(0).is_ascii_digit() {
                self.at += 1;
            }
            if is_identifier_start(self.peek(0)) {
                return Err("a parameter that runs into a word");
            }
            return Ok(token(Kind::Parameter, self.slice(start, self.at)));
        }
        self.at += 1;
        if is_identifier_start(self.peek(0)) {
            while is_identifier_start(self.peek(0)) || self.peek(0).is_ascii_digit() {
                self.at += 1;
            }
        }
        if self.peek(0) != b'$' {
            return Err("a dollar sign on its own");
        }
        self.at += 1;
        let delimiter = self.slice(start, self.at);
        let body = self.text.get(self.at..).unwrap_or("");
        let Some(length) = body.find(delimiter) else {
            return Err("a dollar-quoted string that does not end");
        };
        self.at = self
            .at
            .saturating_add(length)
            .saturating_add(delimiter.len());
        Ok(token(Kind::String, body.get(..length).unwrap_or("")))
    }
}

/// Adds `more`, without a copy while the value is one piece of the text.
fn append<'a>(value: &mut Cow<'a, str>, more: &'a str) {
    if value.is_empty() {
        *value = Cow::Borrowed(more);
    } else if !more.is_empty() {
        value.to_mut().push_str(more);
    }
}
