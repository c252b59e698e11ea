//! One text, several statements: where the semicolons that count are.

use super::lexer::Token;

/// The statements of a text, empty ones left out.
pub(super) fn split<'t, 'a>(tokens: &'t [Token<'a>]) -> Result<Vec<&'t [Token<'a>]>, &'static str> {
    let mut statements = Vec::with_capacity(1);
    let mut parens: u32 = 0;
    let mut brackets: u32 = 0;
    // Inside the body of `CREATE FUNCTION … BEGIN ATOMIC … END` semicolons part the body.
    let mut body: u32 = 0;
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
        } else if token.is_mark(";") && parens == 0 && body == 0 {
            push(start, index);
            start = index + 1;
        } else if token.is("atomic")
            && body == 0
            && index
                .checked_sub(1)
                .and_then(|i| tokens.get(i))
                .is_some_and(|t| t.is("begin"))
            && tokens.get(start).is_some_and(|t| t.is("create"))
        {
            body = 1;
        } else if body > 0
            && token.is("begin")
            && tokens.get(index + 1).is_some_and(|t| t.is("atomic"))
        {
            return Err("a function body inside another");
        } else if body > 0 && token.is("case") {
            body += 1;
        } else if body > 0 && token.is("end") {
            body -= 1;
        }
    }
    if parens != 0 || brackets != 0 || body != 0 {
        return Err("unbalanced parentheses, brackets or a body without an end");
    }
    push(start, tokens.len());
    Ok(statements)
}
