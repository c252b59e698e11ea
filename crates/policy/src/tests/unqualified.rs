//! A name without a schema is judged wherever it may be.

use expect_test::{Expect, expect};

use super::check;

const OPEN: &str = "@id(\"open\") permit (principal, action, resource);\n";

#[track_caller]
fn forbidding(rule: &str, operation: &str, expected: Expect) {
    check(
        &format!("{OPEN}@id(\"no\") {rule}"),
        "",
        operation,
        expected,
    );
}

#[test]
fn a_forbid_on_a_table_holds_however_the_table_is_spelled() {
    for schema in ["public", "sales"] {
        let rule =
            format!(r#"forbid (principal, action, resource == Table::"shop/db/{schema}.users");"#);
        let denied = || expect!["deny no: forbidden by policy [no]"];
        forbidding(&rule, "sql:select users", denied());
        forbidding(&rule, &format!("sql:select {schema}.users"), denied());
        forbidding(&rule, "sql:select orders", expect!["allow [open]"]);
        forbidding(&rule, "sql:select other.users", expect!["allow [open]"]);
    }
}

#[test]
fn a_forbid_on_a_schema_holds_for_every_name_that_may_be_in_it() {
    for rule in [
        r#"forbid (principal, action, resource in Schema::"shop/db/secret");"#,
        r#"forbid (principal, action, resource is Table) when { resource.schema == "secret" };"#,
        r#"forbid (principal, action, resource is Table) when { resource.schema != "public" };"#,
        r#"forbid (principal, action, resource is Table) unless { resource.schema == "public" };"#,
        r#"forbid (principal, action, resource is Table) when { resource.schema like "sec*" };"#,
        r#"forbid (principal, action, resource is Table)
           when { resource.schema like "sec*" && resource.schema != "sec" };"#,
        r#"forbid (principal, action, resource is Table)
           when { ["hidden", "secret"].contains(resource.schema) };"#,
        r#"forbid (principal, action, resource is Table)
           when { resource.schema == (if context.dynamic then "x" else "secret") };"#,
        r#"forbid (principal, action, resource)
           when { resource is Table && !(resource.name == "x") && resource.schema == "secret" };"#,
    ] {
        for name in ["users", "secret.users"] {
            let operation = format!("sql:select {name}");
            forbidding(
                rule,
                &operation,
                expect!["deny no: forbidden by policy [no]"],
            );
        }
        forbidding(rule, "sql:select public.users", expect!["allow [open]"]);
    }
}

#[test]
fn a_permit_of_one_schema_does_not_cover_a_name_that_may_be_elsewhere() {
    check(
        r#"@id("p") permit (principal, action, resource in Schema::"shop/db/public");"#,
        "",
        "sql:select users",
        expect!["deny default-deny: nothing permits `sql:select` on users [default-deny]"],
    );
    check(
        r#"@id("p") permit (principal, action, resource in Database::"shop/db");"#,
        "",
        "sql:select users",
        expect!["allow [p]"],
    );
}

#[test]
fn catalogues_are_searched_first() {
    let rule = r#"forbid (principal, action, resource in Schema::"shop/other/pg_catalog");"#;
    forbidding(rule, "sql:select pg_authid", expect!["allow [open]"]);
    let rule = r#"forbid (principal, action, resource == Table::"shop/db/pg_catalog.pg_authid");"#;
    forbidding(
        rule,
        "sql:select pg_authid",
        expect!["deny no: forbidden by policy [no]"],
    );
    let rule =
        r#"forbid (principal, action, resource == Function::"shop/db/pg_catalog.pg_read_file");"#;
    forbidding(
        rule,
        "sql:call pg_read_file()",
        expect!["deny no: forbidden by policy [no]"],
    );
    forbidding(
        rule,
        "sql:call public.pg_read_file()",
        expect!["allow [open]"],
    );
}
