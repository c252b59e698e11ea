//! Which output columns of a SELECT cannot depend on any stored value.
//!
//! Strict on purpose: an item is clean only if every token of it is understood.

use super::Outputs;
use super::lexer::{Kind, Token};

/// Functions without arguments whose value comes from the session or the clock.
#[rustfmt::skip]
const CLEAN_CALLS: [&str; 21] = [
    "clock_timestamp", "current_database", "current_schema", "gen_random_uuid", "inet_client_addr",
    "inet_client_port", "inet_server_addr", "inet_server_port", "now", "pg_backend_pid",
    "pg_is_in_recovery", "pg_my_temp_schema", "pg_postmaster_start_time", "random",
    "statement_timestamp", "timeofday", "transaction_timestamp", "txid_current", "uuidv4", "uuidv7",
    "version",
];

/// Words that stand for a value without parentheses, and the words of operators.
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

/// The outputs of a query (without its `WITH`); known only for a plain SELECT.
pub(super) fn of_query(tokens: &[Token<'_>]) -> Outputs {
    let Some((select, mut rest)) = tokens.split_first() else {
        return Outputs::Unknown;
    };
    if !select.is("select") {
        return Outputs::Unknown;
    }
    let mut items = Vec::new();
    match rest {
        [first, second, ..] if first.is("distinct") && second.is("on") => return Outputs::Unknown,
        [first, tail @ ..] if first.is("distinct") || first.is("all") => rest = tail,
        _ => {}
    }
    let mut depth = 0_i64;
    let mut start = 0;
    let mut end = None;
    for (index, token) in rest.iter().enumerate() {
        if token.is_mark("(") || token.is_mark("[") {
            depth += 1;
        } else if token.is_mark(")") || token.is_mark("]") {
            depth -= 1;
        } else if depth == 0 {
            let labels = index
                .checked_sub(1)
                .and_then(|before| rest.get(before))
                .is_some_and(|before| {
                    before.is("as") || before.is("distinct") || before.is_mark(".")
                });
            if labels {
                continue;
            }
            if is_set_operation(token) || token.is("into") {
                return Outputs::Unknown;
            }
            if end.is_none() && token.is_mark(",") {
                items.push(rest.get(start..index).unwrap_or_default());
                start = index + 1;
            } else if end.is_none() && ends_items(token) {
                end = Some(index);
            }
        }
    }
    let last = rest
        .get(start..end.unwrap_or(rest.len()))
        .unwrap_or_default();
    if !last.is_empty() || !items.is_empty() {
        items.push(last);
    }
    let mut clean = Vec::with_capacity(items.len());
    for item in items {
        // How many columns a `*` stands for is not known.
        if is_wildcard(item) {
            return Outputs::Unknown;
        }
        clean.push(is_clean(without_label(item)));
    }
    Outputs::Clean(clean)
}

fn is_set_operation(token: &Token<'_>) -> bool {
    token.is("union") || token.is("intersect") || token.is("except")
}

fn ends_items(token: &Token<'_>) -> bool {
    token.kind == Kind::Word
        && matches!(
            token.text.as_ref(),
            "from"
                | "where"
                | "group"
                | "having"
                | "window"
                | "order"
                | "limit"
                | "offset"
                | "fetch"
                | "for"
        )
}

/// `*`, `t.*`, `(x).*`: a star with nothing to multiply by. The server ignores a label behind it, so
/// it counts wherever it stands.
fn is_wildcard(item: &[Token<'_>]) -> bool {
    let star = |token: &Token<'_>| token.is_mark("*");
    item.first().is_some_and(star)
        || item
            .iter()
            .zip(item.iter().skip(1))
            .any(|(before, token)| before.is_mark(".") && star(token))
}

fn without_label<'t, 'a>(item: &'t [Token<'a>]) -> &'t [Token<'a>] {
    match item {
        [value @ .., keyword, _label] if keyword.is("as") => value,
        [value @ .., last, label]
            if matches!(label.kind, Kind::Word | Kind::Quoted)
                && !CLEAN_WORDS.contains(&label.text.as_ref())
                && ends_value(last) =>
        {
            item.get(..value.len().saturating_add(1))
                .unwrap_or_default()
        }
        _ => item,
    }
}

fn ends_value(token: &Token<'_>) -> bool {
    matches!(
        token.kind,
        Kind::Number | Kind::String | Kind::Opaque | Kind::Parameter
    ) || token.is_mark(")")
        || (CLEAN_WORDS.iter().any(|word| token.is(word)) && !is_word_operator(token))
        || CLEAN_TYPES.iter().any(|word| token.is(word))
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
                // `FILTER (…)` belongs to the call; alone it may be anybody's function.
                match after_parens(tail) {
                    Some([filter, open, tail @ ..]) if filter.is("filter") && open.is_mark("(") => {
                        match after_parens(tail) {
                            Some(tail) => tail,
                            None => return false,
                        }
                    }
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
    token.is("and") || token.is("or") || token.is("not") || token.is("is")
}

fn is_clean_token(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Number | Kind::String | Kind::Opaque | Kind::Parameter => true,
        // Built-in operators only: a longer one may be anybody's.
        Kind::Operator => matches!(
            token.text.as_ref(),
            "+" | "-" | "*" | "/" | "%" | "||" | "=" | "<" | ">" | "<=" | ">=" | "<>" | "!="
        ),
        Kind::Punctuation => matches!(token.text.as_ref(), "(" | ")" | ","),
        Kind::Word => CLEAN_WORDS.contains(&token.text.as_ref()),
        Kind::Quoted | Kind::Fault(_) => false,
    }
}

/// What follows the parenthesis that closes the one already open.
fn after_parens<'t, 'a>(mut rest: &'t [Token<'a>]) -> Option<&'t [Token<'a>]> {
    let mut depth = 1_u32;
    while let [token, tail @ ..] = rest {
        rest = tail;
        if token.is_mark("(") {
            depth += 1;
        } else if token.is_mark(")") {
            depth -= 1;
            if depth == 0 {
                return Some(rest);
            }
        }
    }
    None
}
