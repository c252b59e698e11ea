//! What the sets say together.

use expect_test::expect;

use super::{bundle, check, files, notation, shop, show, who};
use crate::Bundle;

/// Everything permitted, by two rules, one of them in halves.
const OPEN: &str = r#"
@id("open") permit (principal, action, resource);
"#;
const READ: &str = r#"
@id("read") permit (principal in Group::"a", action in Action::"sql:read", resource);
"#;
const DELETE_ASKS: &str = r#"
@id("open") permit (principal, action, resource);
@id("ask") @approval("dba") @reason("rows go")
forbid (principal, action == Action::"sql:delete", resource);
@id("ask-more") @approval("security") @reason("people are affected")
forbid (principal, action in Action::"sql:write", resource == Table::"shop/db/public.users");
@id("never") @reason("the ledger is append-only")
forbid (principal, action in [Action::"sql:update", Action::"sql:delete"], resource)
when { resource.name == "ledger" };
@id("also-never")
forbid (principal, action == Action::"sql:delete", resource) when { resource.name == "ledger" };
"#;

#[test]
fn denies_by_default() {
    check(
        READ,
        "b",
        "sql:select public.users",
        expect!["deny default-deny: nothing permits `sql:select` on public.users [default-deny]"],
    );
    check(
        READ,
        "a",
        "sql:insert public.users, sql:select public.orders",
        expect!["deny default-deny: nothing permits `sql:insert` on public.users [default-deny]"],
    );
}

#[test]
fn allows_when_every_access_is_permitted() {
    check(
        READ,
        "a",
        "sql:select public.users, sql:select public.orders, sql:show setting search_path",
        expect!["allow [read]"],
    );
}

#[test]
fn replication_is_permitted_by_its_name_alone() {
    let denied =
        || expect!["deny default-deny: nothing permits `sql:replicate` on database [default-deny]"];
    check(OPEN, "a", "sql:replicate database", denied());
    let group = r#"@id("admin") permit (principal, action in Action::"sql:admin", resource);"#;
    check(group, "a", "sql:replicate database", denied());
    let named = r#"@id("named") permit (principal, action == Action::"sql:replicate", resource);"#;
    check(
        named,
        "a",
        "sql:replicate database",
        expect!["allow [named]"],
    );
}

#[test]
fn an_operation_that_touches_nothing_is_denied() {
    check(
        OPEN,
        "a",
        "dynamic",
        expect!["deny default-deny: the operation names nothing that it touches [default-deny]"],
    );
}

#[test]
fn a_plain_forbid_wins_over_approvals_and_permits() {
    check(
        DELETE_ASKS,
        "",
        "sql:delete public.ledger",
        expect!["deny also-never: forbidden by policy [also-never, never]"],
    );
    check(
        DELETE_ASKS,
        "",
        "sql:update public.ledger",
        expect!["deny never: the ledger is append-only [never]"],
    );
}

#[test]
fn approvals_of_every_access_are_united() {
    check(
        DELETE_ASKS,
        "",
        "sql:delete public.orders",
        expect!["approve dba: rows go [ask]"],
    );
    check(
        DELETE_ASKS,
        "",
        "sql:delete public.orders, sql:insert public.users, sql:select public.users",
        expect!["approve dba, security: people are affected; rows go [ask, ask-more]"],
    );
}

#[test]
fn deny_wins_over_approve_whichever_access_comes_first() {
    for operation in [
        "sql:delete public.orders, sql:update public.ledger",
        "sql:delete zoo.orders, sql:update public.ledger",
    ] {
        check(
            DELETE_ASKS,
            "",
            operation,
            expect!["deny never: the ledger is append-only [never]"],
        );
    }
}

#[test]
fn an_approval_lifts_a_forbid_and_permits_nothing() {
    check(
        r#"@id("ask") @approval("dba") forbid (principal, action == Action::"sql:delete", resource);"#,
        "",
        "sql:delete public.orders",
        expect!["deny default-deny: nothing permits `sql:delete` on public.orders [default-deny]"],
    );
}

#[test]
fn a_policy_that_cannot_be_evaluated_denies() {
    let overflow = r#"
@id("open") permit (principal, action, resource);
@id("limits") forbid (principal, action == Action::"sql:select", resource)
when { context has row_limit && context.row_limit * 9223372036854775807 > 10 };
"#;
    check(
        overflow,
        "",
        "sql:select public.users, limit 5",
        expect![
            "deny policy-error: rule `limits` could not be evaluated: integer overflow while attempting to multiply the values `5` and `9223372036854775807` [limits]"
        ],
    );
    check(
        overflow,
        "",
        "sql:select public.users",
        expect!["allow [open]"],
    );
    let asking = overflow.replace("@id(\"limits\")", "@id(\"limits\") @approval(\"dba\")");
    check(
        &asking,
        "",
        "sql:select public.users, limit 5",
        expect![
            "deny policy-error: rule `limits` could not be evaluated: integer overflow while attempting to multiply the values `5` and `9223372036854775807` [limits]"
        ],
    );
    let permit = overflow.replace("forbid", "permit");
    check(
        &permit,
        "",
        "sql:select public.users, limit 5",
        expect![
            "deny policy-error: rule `limits` could not be evaluated: integer overflow while attempting to multiply the values `5` and `9223372036854775807` [limits]"
        ],
    );
}

#[test]
fn the_unreadable_passes_only_by_a_permit_that_names_it() {
    let unread = "sql:unreadable database, unreadable unclosed quote";
    check(
        OPEN,
        "",
        unread,
        expect!["deny default-deny: could not be read: unclosed quote [default-deny]"],
    );
    for permit in [
        r#"@id("x") permit (principal, action == Action::"sql:unreadable", resource);"#,
        r#"@id("x") permit (principal, action in [Action::"sql:do", Action::"sql:unreadable"], resource);"#,
    ] {
        check(permit, "", unread, expect!["allow [x]"]);
    }
    check(
        r#"
@id("x") permit (principal, action == Action::"sql:unreadable", resource);
@id("no") @reason("not in production") forbid (principal, action, resource) when { context.unreadable };
"#,
        "",
        unread,
        expect!["deny no: not in production [no]"],
    );
    check(
        r#"
@id("x") permit (principal, action == Action::"sql:unreadable", resource);
@id("ask") @approval("dba") forbid (principal, action == Action::"sql:unreadable", resource);
"#,
        "",
        unread,
        expect!["approve dba:  [ask]"],
    );
}

#[test]
fn an_unreadable_fact_is_judged_even_if_no_access_says_so() {
    check(
        OPEN,
        "",
        "sql:select public.users, unreadable a function of another language",
        expect![
            "deny default-deny: could not be read: a function of another language [default-deny]"
        ],
    );
}

#[test]
fn facts_reach_conditions() {
    let facts = r#"
@id("open") permit (principal, action, resource);
@id("no-dynamic") forbid (principal, action, resource) when { context.dynamic };
@id("needs-where") forbid (principal, action in Action::"sql:write", resource)
unless { context.has_where };
@id("needs-limit") forbid (principal, action == Action::"sql:select", resource is Table)
unless { context has row_limit && context.row_limit <= 100 };
@id("no-sleep") forbid (principal, action, resource)
when { context.functions.contains("pg_sleep") };
@id("no-copying") forbid (principal, action == Action::"sql:insert", resource)
when { context.tables_read.contains("public.users")
    && context.tables_written.contains("public.copies") };
@id("no-prod") forbid (principal, action in Action::"sql:ddl", resource)
when { context.tags.contains("env=prod") };
@id("no-superuser") forbid (principal, action, resource) when { context.role == "postgres" };
"#;
    for (operation, expected) in [
        (
            "sql:do database, dynamic",
            expect!["deny no-dynamic: forbidden by policy [no-dynamic]"],
        ),
        (
            "sql:delete public.users, no where",
            expect!["deny needs-where: forbidden by policy [needs-where]"],
        ),
        (
            "sql:select public.users, limit 100",
            expect!["allow [open]"],
        ),
        (
            "sql:select public.users, limit 18446744073709551615",
            expect!["deny needs-limit: forbidden by policy [needs-limit]"],
        ),
        (
            "sql:select public.users",
            expect!["deny needs-limit: forbidden by policy [needs-limit]"],
        ),
        (
            "sql:select database, calls pg_sleep",
            expect!["deny no-sleep: forbidden by policy [no-sleep]"],
        ),
        (
            "sql:insert public.copies, sql:select public.users, limit 1",
            expect!["deny no-copying: forbidden by policy [no-copying]"],
        ),
        (
            "sql:insert public.copies, sql:select public.orders, limit 1",
            expect!["allow [open]"],
        ),
        (
            "sql:drop public.users",
            expect!["deny no-prod: forbidden by policy [no-prod]"],
        ),
    ] {
        let mut files = files(facts);
        files.insert(
            "resources.yaml".to_owned(),
            "resources: {shop: {tags: {env: prod}}}".to_owned(),
        );
        let decision = bundle(&files).decide(&who(""), &shop(), &notation::operation(operation));
        expected.assert_eq(&show(&decision));
    }
}

#[test]
fn the_principal_is_issuer_and_subject_together() {
    let policies = r#"
@id("one") permit (principal == Agent::"https://id.example|agent-7", action, resource);
@id("human") forbid (principal, action, resource)
unless { principal has on_behalf_of && principal.on_behalf_of == "ada"
    && principal.issuer == "https://id.example" && principal.subject like "agent-*" };
"#;
    let bundle = bundle(&files(policies));
    let operation = notation::operation("sql:select public.users");
    let mut ada = who("");
    ada.on_behalf_of = Some("ada".to_owned());
    assert_eq!(
        show(&bundle.decide(&ada, &shop(), &operation)),
        "allow [one]"
    );
    let mut other = ada.clone();
    other.issuer = "https://other.example".to_owned();
    assert!(show(&bundle.decide(&other, &shop(), &operation)).starts_with("deny human"));
    let mut shifted = ada.clone();
    shifted.issuer = "https://id.example|agent-7".to_owned();
    shifted.subject = String::new();
    assert!(show(&bundle.decide(&shifted, &shop(), &operation)).starts_with("deny human"));
    assert!(show(&bundle.decide(&who(""), &shop(), &operation)).starts_with("deny human"));
}

#[test]
fn deny_all_denies_and_says_why() {
    let bundle = Bundle::deny_all("policy not received");
    let operation = notation::operation("sql:show setting x");
    let decision = bundle.decide(&who("a"), &shop(), &operation);
    assert_eq!(
        show(&decision),
        "deny no-policy: policy not received [no-policy]"
    );
    assert_eq!(bundle.hash(), "");
}
