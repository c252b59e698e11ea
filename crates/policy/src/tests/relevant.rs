//! What a rule asks of a request, and nothing else, counts for its verdict.

use ostiary_operation::{Operation, http::Head};

use super::{bundle, who};
use crate::{Bundle, Verdict};

const ROUTES: &str = "resources: {crm: {routes: ['/users/{id}']}}";

/// A bundle that permits reading where a condition holds.
fn when(condition: &str) -> Bundle {
    let rule = format!(
        r#"@id("reads") permit (principal, action in Action::"http:read", resource) when {{ {condition} }};"#
    );
    let files = [("p.cedar", rule.as_str()), ("resources.yaml", ROUTES)];
    bundle(
        &files
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
    )
}

fn get(bundle: &Bundle, target: &str) -> Operation {
    let head = Head::read("GET", target, &[]).unwrap();
    head.operation(b"", bundle.routes("crm").unwrap()).unwrap()
}

fn permits(bundle: &Bundle, target: &str) -> bool {
    let crm = ostiary_operation::Target {
        resource: "crm".to_owned(),
        database: String::new(),
        role: String::new(),
    };
    let decision = bundle.decide(&who(""), &crm, &get(bundle, target));
    decision.verdict == Verdict::Allow
}

/// The condition holds for the first target and not for the second, whose facts are kept apart.
#[track_caller]
fn tells_apart(condition: &str, holds: &str, fails: &str) {
    let bundle = when(condition);
    assert!(permits(&bundle, holds), "{condition}: {holds}");
    assert!(!permits(&bundle, fails), "{condition}: {fails}");
    let relevant = |target| bundle.relevant(&get(&bundle, target));
    assert_ne!(relevant(holds), relevant(fails), "{condition}");
}

#[test]
fn what_is_asked_is_kept() {
    let path = r#"context.request.path == "/users/7""#;
    tells_apart(path, "/users/7", "/users/8");
    let path = r#"context has request.path && context.request.path like "*7""#;
    tells_apart(path, "/users/7", "/users/8");
    let path = r#"(if principal has subject then context.request else context.request).path == "/users/7""#;
    tells_apart(path, "/users/7", "/users/8");
    let path = r#"(if principal has subject then context else context).request.path == "/users/7""#;
    tells_apart(path, "/users/7", "/users/8");
    let path = r#"{"r": context.request}.r.path == "/users/7""#;
    tells_apart(path, "/users/7", "/users/8");
    let id = r#"context.request.parameters.hasTag("id") && context.request.parameters.getTag("id") == "7""#;
    tells_apart(id, "/users/7", "/users/8");
    let id = r#"Parameters::"path".hasTag("id") && Parameters::"path".getTag("id") == "7""#;
    tells_apart(id, "/users/7", "/users/8");
    let all = r#"context.request.query.hasTag("all") && context.request.query.getTag("all").contains("no")"#;
    tells_apart(all, "/users/7?all=no", "/users/7?all=yes");
    let computed = r#"context.request.query.hasTag(principal.subject)"#;
    tells_apart(computed, "/users/7?agent-7=1", "/users/7?agent-8=1");
}

#[test]
fn what_nobody_asks_is_left_out() {
    let bundle = when(r#"context.request.query.hasTag("all") || !context.request.has_body"#);
    let relevant = |target| bundle.relevant(&get(&bundle, target));
    assert_eq!(relevant("/users/7?a=1"), relevant("/users/8?b=2"));
    assert_ne!(relevant("/users/7"), relevant("/users"));
    // In other letters it is found out, so it must not be taken for a request without.
    assert_ne!(relevant("/users/7?All=1"), relevant("/users/7"));
    assert!(!permits(&bundle, "/users/7?All=1"));
    assert!(permits(&bundle, "/users/7"));
}
