//! A statement laid out for a reviewer by a second reader: sqlparser, which shares no code with the
//! analysis that decided. Comments are gone and every clause has its line, so nothing hides in a
//! long line or behind a comment. What it cannot read is shown as it came, and that is said.

use std::ops::ControlFlow;

use sqlparser::ast::{ObjectName, Query, Visit as _, Visitor};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Tokenizer;

/// A longer text is not laid out: sqlparser recurses for each join, and nobody reads that much.
const MAX_BYTES: usize = 16 << 10;
const MAX_TOKENS: usize = 2_000;
const MAX_DEPTH: usize = 40;

/// What the second reader makes of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Formatted {
    /// One statement after another.
    pub(super) text: String,
    /// Relations it names, that nothing in `accesses` mentions.
    pub(super) unmentioned: Vec<String>,
}

/// Lays `sql` out; `accesses` is what the analysis found, `sql:delete public.users`.
pub(super) fn formatted(sql: &str, accesses: &[String]) -> Option<Formatted> {
    if sql.len() > MAX_BYTES {
        return None;
    }
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize().ok()?;
    if tokens.len() > MAX_TOKENS {
        return None;
    }
    let statements = Parser::new(&dialect)
        .with_recursion_limit(MAX_DEPTH)
        .with_tokens(tokens)
        .parse_statements()
        .ok()?;
    let mut names = Names::default();
    let _ = statements.visit(&mut names);
    let mut unmentioned: Vec<String> = Vec::new();
    for name in names.relations {
        let known = names.ctes.contains(&name)
            || unmentioned.contains(&name)
            || accesses.iter().any(|access| last_name(access) == name);
        if !known {
            unmentioned.push(name);
        }
    }
    let text = statements
        .iter()
        .map(|statement| format!("{statement:#}"))
        .collect::<Vec<_>>()
        .join(";\n");
    Some(Formatted { text, unmentioned })
}

/// Names of a text: relations, and those that are common table expressions.
#[derive(Default)]
struct Names {
    relations: Vec<String>,
    ctes: Vec<String>,
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        self.ctes
            .extend(ctes.map(|cte| folded(&cte.alias.name.to_string())));
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        self.relations.push(last_name(&relation.to_string()));
        ControlFlow::Continue(())
    }
}

/// The last part of a dotted name, as the server folds it.
fn last_name(name: &str) -> String {
    folded(name.rsplit([' ', '.']).next().unwrap_or_default())
}

fn folded(name: &str) -> String {
    match name.strip_prefix('"') {
        Some(quoted) => quoted.trim_end_matches('"').to_owned(),
        None => name.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, accesses: &[&str], text: &str, unmentioned: &[&str]) {
        let accesses: Vec<String> = accesses.iter().map(ToString::to_string).collect();
        let formatted = formatted(sql, &accesses).unwrap();
        assert_eq!(formatted.text, text);
        assert_eq!(formatted.unmentioned, unmentioned);
    }

    #[test]
    fn lays_a_statement_out_without_its_comments() {
        check(
            "delete /* only one */ from users -- really\n where id = 7",
            &["sql:delete users", "sql:select users"],
            "DELETE FROM\n  users\nWHERE\n  id = 7",
            &[],
        );
    }

    #[test]
    fn names_a_relation_that_the_analysis_does_not() {
        check(
            "delete from users using orders",
            &["sql:delete public.users"],
            "DELETE FROM\n  users\nUSING\n  orders",
            &["orders"],
        );
    }

    #[test]
    fn knows_a_common_table_expression_from_a_table() {
        check(
            "with gone as (delete from users returning id) select * from gone",
            &["sql:delete users", "sql:select users"],
            "WITH gone AS (\n  DELETE FROM\n    users\n  RETURNING\n    id\n)\nSELECT\n  *\nFROM\n  gone",
            &[],
        );
    }

    #[test]
    fn leaves_what_it_cannot_read() {
        assert_eq!(formatted("delete users where", &[]), None);
        assert_eq!(formatted(&"a join b ".repeat(3_000), &[]), None);
    }
}
