//! Texts of one shape do the same.

use crate::sql::{Analysis, Named, Reading, Statement, Tokens, lexer};

fn reading() -> Reading {
    Reading {
        standard_conforming_strings: true,
        utf8: true,
        server_utf8: true,
    }
}

/// What a session keeps of an analysis.
fn kept(tokens: &Tokens<'_>) -> Analysis {
    fn forget(statement: &mut Statement) {
        statement.values.literals.clear();
        if let Some(Named::Prepare { statement, .. } | Named::Declare { statement, .. }) =
            &mut statement.named
        {
            forget(statement);
        }
    }
    let mut analysis = tokens.analyze();
    analysis.statements.iter_mut().for_each(forget);
    analysis
}

/// `text` with other constants.
fn varied(text: &str) -> String {
    let tokens = lexer::lex(text, reading()).expect("a text that can be cut");
    let mut varied = String::new();
    let mut end = 0;
    for token in &tokens {
        let range = token.literal();
        varied.push_str(text.get(end..range.start).unwrap());
        end = range.end;
        match token.kind {
            lexer::Kind::Number => varied.push_str("907"),
            lexer::Kind::String if text.get(range.clone()).unwrap().starts_with('\'') => {
                varied.push_str("'another'");
            }
            _ => varied.push_str(text.get(range).unwrap()),
        }
    }
    varied.push_str(text.get(end..).unwrap());
    varied
}

#[test]
fn a_shape_holds_for_nothing_that_does_something_else() {
    let mut fit = 0;
    let mut total = 0;
    for text in include_str!("everyday.sql").split("\n--\n") {
        let one = Tokens::cut(text, reading());
        let analysis = kept(&one);
        let other_text = varied(text);
        let other = Tokens::cut(&other_text, reading());
        let Some(shape) = one.shape() else { continue };
        assert_eq!(one.outline(), other.outline(), "{text}");
        total += 1;
        if other.fit(&shape) {
            fit += 1;
            assert_eq!(analysis, kept(&other), "{text}\n{other_text}");
        }
    }
    assert!(fit > total / 2 && total > 100, "{fit} of {total}");
}

#[test]
fn constants_that_matter_are_part_of_a_shape() {
    for (one, other, same) in [
        (
            "SELECT a FROM t WHERE b = 1",
            "select a  from t where b=\t2",
            true,
        ),
        (
            "SELECT a FROM t WHERE b = 'x'",
            "SELECT a FROM t WHERE b = 'y''z'",
            true,
        ),
        (
            "SELECT a FROM t WHERE b = 1",
            "SELECT a FROM t WHERE b = '1'",
            false,
        ),
        (
            "SELECT a FROM t WHERE b = 1",
            "SELECT a FROM t WHERE b = 1.5e3",
            true,
        ),
        ("SELECT a FROM t LIMIT 1", "SELECT a FROM t LIMIT 2", false),
        (
            "SELECT a, b FROM t ORDER BY 1",
            "SELECT a, b FROM t ORDER BY 2",
            false,
        ),
        (
            "SELECT set_config('a', '1', true)",
            "SELECT set_config('role', '1', true)",
            false,
        ),
        ("SELECT nextval('s')", "SELECT nextval('t')", false),
        ("SET role 'a'", "SET role 'b'", false),
        ("SELECT a FROM \"t\"", "SELECT a FROM t", false),
        (
            "COPY (SELECT 1) TO STDOUT",
            "COPY (SELECT 22) TO STDOUT",
            false,
        ),
        (
            "DECLARE c CURSOR FOR SELECT 1",
            "DECLARE c CURSOR FOR SELECT 2",
            true,
        ),
        ("DO 'a'", "DO 'b'", false),
    ] {
        let (one, other) = (Tokens::cut(one, reading()), Tokens::cut(other, reading()));
        one.analyze();
        let fits =
            one.outline() == other.outline() && one.shape().is_some_and(|shape| other.fit(&shape));
        assert_eq!(fits, same, "{one:?} {other:?}");
    }
}
