//! Items that only compute: their value hangs on the columns they name and on nothing else.
//!
//! Strict as its parent: every token has to be understood. Which columns the names mean is not told here.

use super::{CLEAN_CALLS, CLEAN_TYPES};
use crate::sql::functions;
use crate::sql::keywords::{Class, class};
use crate::sql::lexer::{Kind, Token};

/// Words that can stand before a parenthesis and call nothing.
#[rustfmt::skip]
const BEFORE_PARENS: [&str; 32] = [
    "all", "and", "any", "as", "between", "by", "case", "cast", "coalesce", "distinct", "else",
    "extract", "filter", "from", "greatest", "ilike", "in", "is", "least", "like", "not", "nullif",
    "or", "order", "over", "partition", "position", "some", "substring", "then", "trim", "when",
];

/// Words that begin a query or something with a grammar of its own.
#[rustfmt::skip]
const NOT_READ: [&str; 12] = [
    "collation", "exists", "grouping", "operator", "over", "row", "select", "table", "treat",
    "unique", "values", "with",
];

/// Types beside the clean ones whose input functions are built in.
const TIMES: [&str; 5] = ["interval", "time", "timestamp", "timestamptz", "timetz"];

/// Free words that stand before a constant which is not of a type of that name.
const BEFORE_CONSTANT: [&str; 3] = ["between", "escape", "zone"];

/// Whether the expression is made of columns, constants and what is built in.
pub(in crate::sql) fn only_computes(item: &[Token<'_>]) -> bool {
    if item.is_empty() {
        return false;
    }
    let mut before: Option<&Token<'_>> = None;
    let mut rest = item;
    while let Some((token, tail)) = rest.split_first() {
        let tail = match step(before, token, tail) {
            Some(tail) => tail,
            None => return false,
        };
        before = Some(token);
        rest = tail;
    }
    true
}

/// What is left behind a token that is understood.
fn step<'t, 'a>(
    before: Option<&Token<'_>>,
    token: &Token<'_>,
    tail: &'t [Token<'a>],
) -> Option<&'t [Token<'a>]> {
    let called = tail.first().is_some_and(|next| next.is_mark("("));
    let fine = match token.kind {
        Kind::Number | Kind::Parameter => true,
        // Behind a name it is a constant of that type, whoever made the type.
        Kind::String | Kind::Opaque => before.is_none_or(|before| !names_type(before)),
        Kind::Operator => matches!(
            token.text(),
            "+" | "-"
                | "*"
                | "/"
                | "%"
                | "||"
                | "="
                | "<"
                | ">"
                | "<="
                | ">="
                | "<>"
                | "!="
                | "->"
                | "->>"
        ),
        Kind::Punctuation => match token.text() {
            "(" | ")" | "," | "[" | "]" => true,
            "::" => return behind_type(tail),
            "." => {
                before.is_some_and(is_name) && tail.first().is_some_and(is_name) && !is_call(tail)
            }
            _ => false,
        },
        Kind::Word if token.is("as") => return behind_type(tail),
        Kind::Word if token.is("over") => over(tail),
        Kind::Word if called => {
            let word = token.text();
            BEFORE_PARENS.contains(&word)
                || CLEAN_CALLS.contains(&word)
                || functions::is_total(word)
        }
        Kind::Word => !NOT_READ.contains(&token.text()),
        Kind::Quoted => !called,
        Kind::Fault(_) => false,
    };
    fine.then_some(tail)
}

fn is_name(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Quoted => true,
        Kind::Word => class(token.text()) != Class::Reserved,
        _ => false,
    }
}

fn is_call(tokens: &[Token<'_>]) -> bool {
    tokens.get(1).is_some_and(|next| next.is_mark("("))
}

/// Whether a constant behind the token is of the type it names, and that need not be a built-in one.
fn names_type(token: &Token<'_>) -> bool {
    let free = match token.kind {
        Kind::Quoted => true,
        Kind::Word => matches!(class(token.text()), Class::Free | Class::Column),
        _ => false,
    };
    let known = CLEAN_TYPES.iter().chain(&TIMES).chain(&BEFORE_CONSTANT);
    free && !known.into_iter().any(|word| token.is(word))
}

/// What is behind a built-in type.
fn behind_type<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<&'t [Token<'a>]> {
    let (name, mut rest) = tokens.split_first()?;
    let double = name.is("double") && rest.first().is_some_and(|next| next.is("precision"));
    let known = CLEAN_TYPES.iter().chain(&TIMES).any(|word| name.is(word));
    if !known && !double {
        return None;
    }
    while let Some((word, tail)) = rest.split_first() {
        if !["precision", "varying", "with", "without", "time", "zone"]
            .iter()
            .any(|part| word.is(part))
        {
            break;
        }
        rest = tail;
    }
    if let Some((open, mut tail)) = rest.split_first()
        && open.is_mark("(")
    {
        while let Some((token, after)) = tail.split_first() {
            tail = after;
            if token.is_mark(")") {
                return Some(tail);
            }
            if token.kind != Kind::Number && !token.is_mark(",") {
                return None;
            }
        }
        return None;
    }
    Some(rest)
}

/// Whether a window is written out: one that goes by a name stands elsewhere.
fn over(tail: &[Token<'_>]) -> bool {
    match tail {
        [open, first, ..] => {
            open.is_mark("(")
                && (first.is_mark(")")
                    || ["partition", "order", "rows", "range", "groups"]
                        .iter()
                        .any(|word| first.is(word)))
        }
        _ => false,
    }
}
