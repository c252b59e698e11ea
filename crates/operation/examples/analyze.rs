//! Statements in, analyses out, one JSON object a line: what `tests/differential` compares with
//! PostgreSQL's own parser.
//!
//! In: `{"sql": "…"}`. Out: `{"statements": […]}`, in the same order.

use std::io::{self, BufRead, Write};

use ostiary_operation::sql::{Named, Outputs, Reading, Statement, analyze};
use ostiary_operation::{Access, Mention, Object};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let sql = request.get("sql").and_then(Value::as_str).unwrap_or("");
        let standard = request.get("standard_conforming_strings");
        let reading = Reading {
            standard_conforming_strings: standard.and_then(Value::as_bool).unwrap_or(true),
            server_utf8: true,
            utf8: request.get("utf8").and_then(Value::as_bool).unwrap_or(true),
        };
        let analysis = analyze(sql, reading);
        let statements: Vec<Value> = analysis.statements.iter().map(statement).collect();
        writeln!(out, "{}", json!({ "statements": statements }))?;
    }
    out.flush()
}

fn statement(statement: &Statement) -> Value {
    let facts = &statement.operation.facts;
    json!({
        "verb": statement.operation.verb.as_str(),
        "accesses": statement.operation.accesses.iter().map(access).collect::<Vec<_>>(),
        "functions": facts.functions,
        "has_where": facts.has_where,
        "dynamic": facts.dynamic,
        "unreadable": facts.unreadable,
        "row_limit": facts.row_limit,
        "outputs": match &statement.outputs {
            Outputs::Unknown => Value::Null,
            Outputs::Clean(clean) => json!(clean),
        },
        "shaping": facts.columns.shaping.iter().map(mention).collect::<Vec<_>>(),
        "moved": facts.columns.moved.iter().map(|moved| mention(&moved.from)).collect::<Vec<_>>(),
        "named": statement.named.as_ref().map(named),
    })
}

fn access(access: &Access) -> Value {
    let (kind, schema, name): (&str, Option<&str>, &str) = match &access.object {
        Object::Database => ("database", None, ""),
        Object::Schema { name } => ("schema", None, name),
        Object::Relation { schema, name } => ("relation", schema.as_deref(), name),
        Object::Function { schema, name } => ("function", schema.as_deref(), name),
        Object::Setting { name } => ("setting", None, name),
        Object::Role { name } => ("role", None, name),
        Object::Other { kind, name } => (kind, None, name),
        Object::Api => ("api", None, ""),
        Object::Route { template } => ("route", None, template),
        Object::Field { name, .. } => ("field", None, name),
        Object::Method { name, .. } => ("method", None, name),
        Object::Kind { resource, .. } => ("kind", None, resource),
        Object::Url { path } => ("url", None, path),
    };
    json!([access.verb.as_str(), kind, schema, name])
}

/// `[relation, column]`; null for any of them.
fn mention(mention: &Mention) -> Value {
    let relation = mention.relation.as_ref().map(|(_, name)| name);
    json!([relation, mention.column])
}

fn named(named: &Named) -> Value {
    match named {
        Named::Prepare {
            name,
            statement: inner,
        } => json!({"kind": "prepare", "name": name, "statement": statement(inner)}),
        Named::Declare {
            name,
            statement: inner,
        } => json!({"kind": "declare", "name": name, "statement": statement(inner)}),
        Named::Execute { name } => json!({"kind": "execute", "name": name}),
        Named::Fetch { name } => json!({"kind": "fetch", "name": name}),
        Named::Forget { name, .. } => json!({"kind": "forget", "name": name}),
    }
}
