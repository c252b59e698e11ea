//! Which output columns of a SELECT cannot depend on any stored value.
//!
//! Strict on purpose: an item is clean only if every token of it is understood.

mod computed;

pub(super) use computed::only_computes;

use super::Outputs;
use super::lexer::{Kind, Token};

/// Functions without arguments whose value comes from the session or the clock, in every version:
/// where there is none built in, the name may be a user's.
#[rustfmt::skip]
const CLEAN_CALLS: [&str; 18] = [
    "clock_timestamp", "current_database", "current_schema", "inet_client_addr",
    "inet_client_port", "inet_server_addr", "inet_server_port", "now", "pg_backend_pid",
    "pg_is_in_recovery", "pg_my_temp_schema", "pg_postmaster_start_time", "random",
    "statement_timestamp", "timeofday", "transaction_timestamp", "txid_current", "version",
];

/// Words that stand for a value without parentheses, and the words of operators. `system_user` is a
/// column before PostgreSQL 16.
#[rustfmt::skip]
const CLEAN_WORDS: [&str; 18] = [
    "and", "current_catalog", "current_date", "current_role", "current_schema", "current_time",
    "current_timestamp", "current_user", "false", "is", "localtime", "localtimestamp", "not",
    "null", "or", "session_user", "true", "user",
];

/// Built-in types: a cast to another type may call anything.
#[rustfmt::skip]
const CLEAN_TYPES: [&str; 19] = [
    "bigint", "bool", "boolean", "char", "date", "float4", "float8", "int", "int2", "int4", "int8",
    "integer", "name", "numeric", "real", "smallint", "text", "uuid", "varchar",
];

/// The outputs of a query (without its `WITH`), given the values of the items of its first SELECT.
pub(super) fn of_query(tokens: &[Token<'_>], items: &[&[Token<'_>]]) -> Outputs {
    let known = match tokens {
        [select, distinct, on, ..] if select.is("select") && distinct.is("distinct") => {
            !on.is("on")
        }
        [select, ..] => select.is("select"),
        [] => false,
    };
    // How many columns a `*` stands for is not known.
    if !known || is_combined(tokens) || items.iter().any(|item| has_wildcard(item)) {
        return Outputs::Unknown;
    }
    Outputs::Clean(items.iter().map(|item| is_clean(item)).collect())
}

/// Whether the rows may come from other queries too, or go elsewhere. A label that reads like it
/// counts: where the words stand shows only to who reads the whole query.
fn is_combined(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0_i64;
    tokens.iter().any(|token| {
        if token.is_mark("(") {
            depth += 1;
        } else if token.is_mark(")") {
            depth -= 1;
        }
        depth == 0 && (is_set_operation(token) || token.is("into"))
    })
}

fn is_set_operation(token: &Token<'_>) -> bool {
    token.is("union") || token.is("intersect") || token.is("except")
}

/// `*`, `t.*`, `(t.*)`: a star with nothing to multiply by. `count(t.*)` has but one value.
fn has_wildcard(item: &[Token<'_>]) -> bool {
    let item = match item {
        [count, open, table, dot, star, close, tail @ ..]
            if count.is("count")
                && open.is_mark("(")
                && matches!(table.kind, Kind::Word | Kind::Quoted)
                && dot.is_mark(".")
                && star.is_mark("*")
                && close.is_mark(")") =>
        {
            tail
        }
        _ => item,
    };
    item.first().is_some_and(|first| first.is_mark("*"))
        || item.windows(2).any(|pair| match pair {
            [dot, star] => {
                dot.is_mark(".") && star.kind != Kind::Word && star.text().starts_with('*')
            }
            _ => false,
        })
}

/// Whether nothing in the expression can carry a stored value.
fn is_clean(mut rest: &[Token<'_>]) -> bool {
    if rest.is_empty() {
        return false;
    }
    loop {
        rest = match rest {
            [] => return true,
            // Only a call: `pg_catalog` may also be the alias of a table.
            [catalog, dot, name, open, ..]
                if catalog.is("pg_catalog")
                    && dot.is_mark(".")
                    && open.is_mark("(")
                    && (name.is("count") || CLEAN_CALLS.iter().any(|call| name.is(call))) =>
            {
                rest.get(2..).unwrap_or_default()
            }
            [count, open, tail @ ..] if count.is("count") && open.is_mark("(") => {
                match after_count(tail) {
                    Some(tail) => tail,
                    None => return false,
                }
            }
            [name, open, close, tail @ ..]
                if open.is_mark("(")
                    && close.is_mark(")")
                    && CLEAN_CALLS.iter().any(|call| name.is(call)) =>
            {
                tail
            }
            // `current_schema` alone is a value, before a parenthesis it is a call.
            [word, open, ..]
                if word.kind == Kind::Word && open.is_mark("(") && !is_word_operator(word) =>
            {
                return false;
            }
            [cast, name, tail @ ..]
                if cast.is_mark("::") && CLEAN_TYPES.iter().any(|t| name.is(t)) =>
            {
                tail
            }
            [token, tail @ ..] if is_clean_token(token) => tail,
            _ => return false,
        };
    }
}

fn is_word_operator(token: &Token<'_>) -> bool {
    token.is("and") || token.is("or") || token.is("not")
}

fn is_clean_token(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Number | Kind::String | Kind::Opaque | Kind::Parameter => true,
        // Built-in operators only: a longer one may be anybody's.
        Kind::Operator => matches!(
            token.text(),
            "+" | "-" | "*" | "/" | "%" | "||" | "=" | "<" | ">" | "<=" | ">=" | "<>" | "!="
        ),
        Kind::Punctuation => matches!(token.text(), "(" | ")" | ","),
        Kind::Word => CLEAN_WORDS.contains(&token.text()),
        Kind::Quoted | Kind::Fault(_) => false,
    }
}

/// What follows the arguments of `count` and its filter.
fn after_count<'t, 'a>(arguments: &'t [Token<'a>]) -> Option<&'t [Token<'a>]> {
    let (count, rest) = split_parens(arguments)?;
    // The built-in one has one argument.
    if count.iter().any(|token| token.is_mark(",")) {
        return None;
    }
    match rest {
        [filter, open, tail @ ..] if filter.is("filter") && open.is_mark("(") => {
            split_parens(tail).map(|(_, rest)| rest)
        }
        _ => Some(rest),
    }
}

/// What stands before and behind the parenthesis that closes the one already open.
fn split_parens<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(&'t [Token<'a>], &'t [Token<'a>])> {
    let mut depth = 1_u32;
    for (index, token) in tokens.iter().enumerate() {
        if token.is_mark("(") {
            depth += 1;
        } else if token.is_mark(")") {
            depth -= 1;
            if depth == 0 {
                return Some((tokens.get(..index)?, tokens.get(index + 1..)?));
            }
        }
    }
    None
}
