//! What an analysis hangs on: texts that differ only in constants nobody looked at do the same.
//!
//! The grammar reads the value of a constant in few places (an ordinal, a limit, the name of a setting)
//! and each look is noted by the token. An analysis is a function of what it looked at, so it holds for
//! every text with the same tokens but for the values of the other constants.

use super::lexer::{Kind, Token};

/// The shape of a text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Constants that were looked at: which token, and its value.
    fixed: Box<[(usize, Box<str>)]>,
}

impl Shape {
    /// Of tokens that an analysis has gone through; `None` if it hangs on where they stand in the text.
    pub(super) fn of(tokens: &[Token<'_>]) -> Option<Self> {
        if tokens.iter().any(Token::was_located) {
            return None;
        }
        let read = |(_, token): &(usize, &Token<'_>)| token.is_constant() && token.was_read();
        let fixed = tokens.iter().enumerate().filter(read);
        Some(Self {
            fixed: fixed
                .map(|(index, token)| (index, token.unread().into()))
                .collect(),
        })
    }

    /// Whether it is the shape of these tokens, too, whose outline is the same.
    pub(super) fn fits(&self, tokens: &[Token<'_>]) -> bool {
        self.fixed.iter().all(|(index, value)| {
            let token = tokens.get(*index);
            token.is_some_and(|token| *token.unread() == **value)
        })
    }
}

/// Everything of the tokens but the values of constants; equal outlines are of equal tokens.
pub(super) fn outline(tokens: &[Token<'_>]) -> Option<Vec<u8>> {
    let mut outline = Vec::with_capacity(tokens.len().saturating_mul(8));
    for token in tokens {
        let kind = match token.kind {
            Kind::Word => b'w',
            Kind::Quoted => b'q',
            Kind::String => b's',
            Kind::Opaque => b'o',
            Kind::Number => b'n',
            Kind::Parameter => b'p',
            Kind::Operator => b'+',
            Kind::Punctuation => b',',
            // Seldom, and its reason is no text.
            Kind::Fault(_) => return None,
        };
        outline.push(kind);
        if !token.is_constant() {
            let text = token.unread().as_bytes();
            outline.extend_from_slice(&u32::try_from(text.len()).ok()?.to_le_bytes());
            outline.extend_from_slice(text);
        }
    }
    Some(outline)
}
