//! The words of a replication command, as `repl_scanner.l` cuts them; what only some version of it reads, or
//! SQL reads otherwise, is refused.

/// A word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword or a name, as written.
    Word(&'a str),
    /// A name in double quotes, without them.
    Quoted(&'a str),
    /// A string, without its quotes.
    Text(String),
    Number,
    /// A place in the WAL.
    Position,
    Mark(u8),
}

impl Token<'_> {
    /// Whether the server takes it for the name or value `lower`.
    pub(super) fn is(&self, lower: &str) -> bool {
        match self {
            Self::Word(word) => word.eq_ignore_ascii_case(lower),
            Self::Quoted(name) => *name == lower,
            Self::Text(text) => text == lower,
            Self::Number | Self::Position | Self::Mark(_) => false,
        }
    }
}

/// Cuts `text`; `None` if anything in it belongs into no command.
pub(super) fn scan(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' | ')' | ',' | ';' | '.' => (Token::Mark(u8::try_from(first).ok()?), 1),
            '\'' => string(rest)?,
            '"' => quoted(rest)?,
            _ => word(rest)?,
        };
        tokens.push(token);
        rest = rest.get(length..)?.trim_start_matches(is_space);
    }
    Some(tokens)
}

/// White space of every version.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n')
}

/// `'…'`, in which `''` stands for a quote. A backslash is itself to the walsender, which not all that reads
/// SQL agrees with.
fn string(rest: &str) -> Option<(Token<'_>, usize)> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => return None,
            '\'' if characters.next_if(|(_, next)| *next == '\'').is_some() => text.push('\''),
            '\'' => return Some((Token::Text(text), at.saturating_add(1))),
            other => text.push(other),
        }
    }
    None
}

/// `"…"`. A quote inside is two names to the walsender.
fn quoted(rest: &str) -> Option<(Token<'_>, usize)> {
    let inside = rest.get(1..)?;
    let length = inside.find('"')?;
    let end = length.saturating_add(2);
    let doubled = rest.get(end..)?.starts_with('"');
    let name = inside.get(..length)?;
    (!doubled && !name.is_empty()).then_some((Token::Quoted(name), end))
}

/// A word, a number or a place in the WAL, up to where no such thing can go on.
fn word(rest: &str) -> Option<(Token<'_>, usize)> {
    let goes_on =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '$' | '/');
    let length = rest
        .find(|character| !goes_on(character))
        .unwrap_or(rest.len());
    let word = rest.get(..length).filter(|word| !word.is_empty())?;
    let is_hex = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let token = match word.split_once('/') {
        Some((high, low)) => (is_hex(high) && is_hex(low)).then_some(Token::Position)?,
        None if word.bytes().all(|byte| byte.is_ascii_digit()) => Token::Number,
        None => {
            let first = word.chars().next()?;
            (first.is_ascii_alphabetic() || first == '_').then_some(Token::Word(word))?
        }
    };
    Some((token, length))
}
