//! One text, several statements: where the semicolons that count are.

use super::lexer::Token;

/// The statements of a text, empty ones left out.
pub(super) fn split<'t, 'a>(tokens: &'t [Token<'a>]) -> Result<Vec<&'t [Token<'a>]>, &'static str> {
    let mut statements = Vec::with_capacity(1);
    let mut parens: u32 = 0;
    let mut brackets: u32 = 0;
    // Inside the body of `CREATE FUNCTION … BEGIN ATOMIC … END` semicolons part the body. Its END comes
    // behind one of them, or behind ATOMIC: elsewhere `end` is that of a CASE, or a label.
    let mut body: Option<usize> = None;
    let mut start = 0;
    let mut push = |from: usize, to: usize| {
        if let Some(statement) = tokens.get(from..to)
            && !statement.is_empty()
        {
            statements.push(statement);
        }
    };
    for (index, token) in tokens.iter().enumerate() {
        if token.is_mark("(") {
            parens += 1;
        } else if token.is_mark("[") {
            brackets += 1;
        } else if token.is_mark(")") {
            parens = parens.checked_sub(1).ok_or("unbalanced parentheses")?;
        } else if token.is_mark("]") {
            brackets = brackets.checked_sub(1).ok_or("unbalanced brackets")?;
        } else if parens > 0 {
            // A parameter may be called `begin` and be of a type called `atomic`.
        } else if token.is_mark(";") && body.is_none() {
            push(start, index);
            start = index + 1;
        } else if token.is("begin") && tokens.get(index + 1).is_some_and(|t| t.is("atomic")) {
            if body.is_some() {
                return Err("a function body inside another");
            }
            body = creates_routine(tokens.get(start..index).unwrap_or_default())
                .then_some(index.saturating_add(1));
        } else if let Some(atomic) = body
            && token.is("end")
            && let Some(before) = index.checked_sub(1)
            && (before == atomic || tokens.get(before).is_some_and(|t| t.is_mark(";")))
        {
            body = None;
        }
    }
    if parens != 0 || brackets != 0 || body.is_some() {
        return Err("unbalanced parentheses, brackets or a body without an end");
    }
    push(start, tokens.len());
    Ok(statements)
}

/// Whether a statement that starts so can have a body.
fn creates_routine(tokens: &[Token<'_>]) -> bool {
    let [create, rest @ ..] = tokens else {
        return false;
    };
    let rest = match rest {
        [or, replace, rest @ ..] if or.is("or") && replace.is("replace") => rest,
        _ => rest,
    };
    create.is("create")
        && rest
            .first()
            .is_some_and(|what| what.is("function") || what.is("procedure"))
}
