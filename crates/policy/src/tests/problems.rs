//! What authors are told.

use expect_test::{Expect, expect};

use super::files;
use crate::{Bundle, Files};

fn told(files: &Files) -> String {
    let Err(problems) = Bundle::parse(files) else {
        return "nothing wrong".to_owned();
    };
    let lines = problems.iter().map(|problem| format!("{problem}\n"));
    lines.collect()
}

#[track_caller]
fn check(policies: &str, expected: Expect) {
    expected.assert_eq(&told(&files(policies)));
}

#[track_caller]
fn check_file(name: &str, text: &str, expected: Expect) {
    let mut files = files(r#"@id("p") permit (principal, action, resource);"#);
    files.insert(name.to_owned(), text.to_owned());
    expected.assert_eq(&told(&files));
}

#[test]
fn names_that_the_schema_does_not_know() {
    check(
        r#"@id("a")
permit (
  principal,
  action == Action::"sql:delet",
  resource is Tabel
)
when { context.has_were };

@id("b")
permit (principal in Groups::"x", action == Action::"sql:select", resource)
when { resource.owner == "x" };

@id("c")
permit (principal, action == Action::"sql:select", resource)
when { resource.name == 3 };

@id("d")
permit (principal, action == Action::"sql:select", resource)
when { context.row_limit < 3 };
"#,
        expect![[r#"
            p.cedar:4: unrecognized action `Action::"sql:delet"`; did you mean `Action::"sql:delete"`?
            p.cedar:5: unrecognized entity type `Tabel`; did you mean `Label`?
            p.cedar:10: unrecognized entity type `Groups`; did you mean `Group`?
            p.cedar:11: attribute `owner` on entity type `Database` not found; did you mean `name`?
            p.cedar:15: the types Long and String are not compatible; both operands to a `==` expression must have compatible types. Types must be exactly equal to be compatible
            p.cedar:19: unable to guarantee safety of access to optional attribute `row_limit` in context for Action::"sql:select"; try testing for the attribute's presence with `context has row_limit && ..`
        "#]],
    );
}

#[test]
fn policies_that_do_not_parse() {
    check(
        r#"@id("a") permit (principal, action, resource)
@id("b") permit (principal, action resource);
@id("c") permit (principal, action, resource) when { };
@id("d") allow (principal, action, resource);
@id("e") permit (principal == ?principal, action, resource);
@id("f") permit (principal, action, resource);
}
"#,
        expect![[r#"
            p.cedar:2: unexpected token `@`; expected `;` or identifier
            p.cedar:3: `when` condition clause cannot be empty
            p.cedar:4: invalid policy effect: allow; effect must be either `permit` or `forbid`
            p.cedar:5: templates are not supported: write the principal or resource itself
            p.cedar:7: unexpected token `}`; expected `@` or identifier
        "#]],
    );
}

#[test]
fn annotations() {
    check(
        r#"permit (principal, action, resource);
@id("a b") permit (principal, action, resource);
@id("twice") permit (principal, action, resource);
@id("twice") permit (principal, action, resource);
@id("default-deny") permit (principal, action, resource);
@id("p") @approval("dba") permit (principal, action, resource);
@id("q") @approval("dbas") forbid (principal, action, resource);
@id("r") @aproval("dba") forbid (principal, action, resource);
@id("s")
@reason("two
lines")
forbid (principal, action, resource);
@id permit (principal, action, resource);
"#,
        expect![[r#"
            p.cedar:1: the policy lacks `@id("…")`, the name a refused client is shown
            p.cedar:2: `@id("a b")` is no name: a name is ASCII letters, digits, `-`, `_` and `.`, at most 64
            p.cedar:4: `@id("twice")` is taken by the policy at p.cedar:3
            p.cedar:5: `@id("default-deny")` is the name of a built-in rule
            p.cedar:6: `@approval` belongs on a `forbid`: it is what an approval lifts
            p.cedar:7: approval `dbas` is not defined in approvals.yaml; did you mean `dba`?
            p.cedar:8: unknown annotation `@aproval`; did you mean `approval`?
            p.cedar:10: `@reason` must be one line of visible text, at most 300 bytes
            p.cedar:13: `@id("")` is no name: a name is ASCII letters, digits, `-`, `_` and `.`, at most 64
        "#]],
    );
}

#[test]
fn entities_that_cannot_be() {
    check(
        r#"
@id("a") permit (principal, action, resource == Table::"public.users");
@id("b") permit (principal, action, resource in Schema::"shop/public");
@id("c") permit (principal, action, resource in Resource::"shop/db");
@id("d") permit (principal == Agent::"ada", action, resource);
@id("e") permit (principal, action == Action::"reveal", resource == Label::"pii.emial");
@id("f") permit (principal, action, resource) when { resource == Setting::"search_path" };
@id("g") permit (principal, action, resource == Table::"shop/db/public.50%");
"#,
        expect![[r#"
            p.cedar:2: `Table::"public.users"` can never match: an id of this type is "resource/database/schema.table"
            p.cedar:3: `Schema::"shop/public"` can never match: an id of this type is "resource/database/schema"
            p.cedar:4: `Resource::"shop/db"` can never match: an id of this type is "resource"
            p.cedar:5: `Agent::"ada"` can never match: an id of this type is "<issuer>|<subject>"
            p.cedar:6: label `pii.emial` is not defined in labels.yaml; did you mean `pii.email`?
            p.cedar:7: `Setting::"search_path"` can never match: an id of this type is "resource/database/setting"
            p.cedar:8: `Table::"shop/db/public.50%"` can never match: in an id `%` is written %25, `/` %2F, and `.` in a schema %2E
        "#]],
    );
}

#[test]
fn policies_that_never_apply() {
    check(
        r#"
@id("a") forbid (principal, action == Action::"sql:select", resource == Label::"pii.email");
@id("b") forbid (principal, action == Action::"sql:select", resource is Database)
when { resource has schema && resource.schema == "x" };
"#,
        expect![[r#"
            p.cedar:2: unable to find an applicable action given the policy scope constraints
            p.cedar:3: policy is impossible: the policy expression evaluates to false for all valid requests
        "#]],
    );
}

#[test]
fn text_that_a_reviewer_reads_otherwise() {
    check(
        "@id(\"a\") forbid (principal, action, resource is Table) when { resource.name == \"us\u{202e}sre\" };",
        expect![[r#"
            p.cedar:1: string `"us\u{202e}sre"` contains BIDI control characters
        "#]],
    );
}

#[test]
fn policies_that_are_too_large() {
    let conditions = [
        format!("{}true{}", "(".repeat(50), ")".repeat(50)),
        vec!["true"; 60].join(" || "),
        format!("0 < {}", vec!["1"; 60].join(" + ")),
        format!("context{}", ".a".repeat(60)),
        format!("{}true", "if true then true else ".repeat(60)),
        format!("{}true{}", "!(true && ".repeat(20), ")".repeat(20)),
    ];
    let policies: String = conditions
        .iter()
        .zip('a'..)
        .map(|(condition, id)| {
            format!("@id(\"{id}\") permit (principal, action, resource) when {{ {condition} }};\n")
        })
        .collect();
    check(
        &policies,
        expect![[r#"
        p.cedar:1: the policy is 155 levels deep, of at most 48; join terms with `contains` or split the policy
        p.cedar:2: the policy is 64 levels deep, of at most 48; join terms with `contains` or split the policy
        p.cedar:3: the policy is 64 levels deep, of at most 48; join terms with `contains` or split the policy
        p.cedar:4: the policy is 65 levels deep, of at most 48; join terms with `contains` or split the policy
        p.cedar:5: the policy is 65 levels deep, of at most 48; join terms with `contains` or split the policy
        p.cedar:6: the policy is 105 levels deep, of at most 48; join terms with `contains` or split the policy
    "#]],
    );
}

#[test]
fn policies_may_be_as_deep_as_the_bound_says() {
    let conditions = [
        format!("{}true{}", "(".repeat(14), ")".repeat(14)),
        vec!["context.dynamic"; 40].join(" && "),
        vec!["context.dynamic"; 40].join(" || "),
        format!("0 < {}", vec!["1"; 42].join(" + ")),
        format!("{}true", "if context.dynamic then true else ".repeat(40)),
        format!("{}true{}", "!(context.dynamic && ".repeat(7), ")".repeat(7)),
        format!("[{}\"x\"].contains(context.role)", "\"y\", ".repeat(1000)),
    ];
    for condition in conditions {
        let policy = format!(
            "@id(\"x\") permit (principal, action == Action::\"sql:select\", resource)\n\
             when {{ {condition} }};"
        );
        let bundle = super::bundle(&files(&policy));
        let operation = super::notation::operation("sql:select public.users");
        bundle.decide(&super::who(""), &super::shop(), &operation);
    }
}

#[test]
fn bundles_that_are_too_large() {
    let policy = "@id(\"x\") permit (principal, action, resource);";
    let mut big = files(policy);
    big.insert("big.cedar".to_owned(), " ".repeat(1 << 20));
    expect![[r#"
        :0: the bundle is 1048800 bytes, more than 1048576
    "#]]
    .assert_eq(&told(&big));
    let mut many = files(policy);
    many.extend((0..300).map(|n| (format!("{n}.cedar"), String::new())));
    expect![[r#"
        :0: the bundle has 303 files, more than 256
    "#]]
    .assert_eq(&told(&many));
    let many: String = (0..=500)
        .map(|n| format!("@id(\"p{n}\") permit (principal, action == Action::\"sql:do\", resource is Table);\n"))
        .collect();
    let heavy = vec!["context.dynamic"; 40].join(" && ");
    let heavy: String = (0..120)
        .map(|n| {
            format!(
                "@id(\"p{n}\") permit (principal, action == Action::\"sql:do\", resource is Table) \
                 when {{ {heavy} }};\n"
            )
        })
        .collect();
    check(
        &heavy,
        expect![[r#"
        p.cedar:93: the policies are too large together: more than 20000 words, strings and operators
    "#]],
    );
    check(
        &many,
        expect![[r#"
        p.cedar:501: a bundle holds at most 500 policies
    "#]],
    );
}

#[test]
fn files_that_are_not_known() {
    let mut unknown = Files::new();
    for name in ["label.yaml", "approvals.yml", "README.md"] {
        unknown.insert(name.to_owned(), String::new());
    }
    expect![[r#"
        :0: no `*.cedar` file: such a bundle would deny everything
        README.md:0: unknown file; known: *.cedar, labels.yaml, approvals.yaml, resources.yaml
        approvals.yml:0: unknown file; did you mean `approvals.yaml`?
        label.yaml:0: unknown file; did you mean `labels.yaml`?
    "#]]
    .assert_eq(&told(&unknown));
}

#[test]
fn labels() {
    check_file(
        "labels.yaml",
        r#"labels:
  pii.email: {strategy: {partial: {kep: 4}}}
  "pii ssn": {strategy: redact}
  a:
    strategy: partial
  b: {strategy: null}
  c: {strategy: blur}
  d: {}
  e: {strategy: {partial: {keep: 0}}}
  f:
    strategy: hash
    colour: red
columns:
  - {column: users.email, label: pii.email}
  - column: public.users.name
    label: pii.emial
  - {column: public.users.email, label: a}
  - {column: db.public.users.email, label: b}
  - {column: db.public.users.phone, label: b, database: other}
  - {column: public..email, label: b}
  - {column: '"public.users.email', label: b}
  - {label: b}
  - {column: public.users.city}
  - public.users.ssn
detectors:
  - {detector: emails, label: a}
  - {detector: email, label: a}
  - {detector: email, label: b}
  - {detector: [jwt], label: b}
colums: []
"#,
        expect![[r#"
            labels.yaml:2: `labels.pii.email.strategy.partial` lacks `keep`
            labels.yaml:2: unknown key `kep`; did you mean `keep`?
            labels.yaml:3: `pii ssn` is no name: a name is ASCII letters, digits, `-`, `_` and `.`, at most 64
            labels.yaml:5: `partial` needs a number: `partial: {keep: 4}`
            labels.yaml:6: `strategy` is empty; for NULL write `"null"`, in quotes
            labels.yaml:7: unknown strategy `blur`; known: `redact`, `partial: {keep: n}`, `hash` or `"null"`
            labels.yaml:8: `labels.d` lacks `strategy`
            labels.yaml:9: `keep` must be from 1 to 64
            labels.yaml:12: unknown key `colour`; known: strategy, rows
            labels.yaml:14: `users.email` is no column; write `schema.table.column`
            labels.yaml:16: label `pii.emial` is not defined under `labels`; did you mean `pii.email`?
            labels.yaml:18: `db.public.users.email` is labelled `a` already
            labels.yaml:19: `db.public.users.phone` is in database `db`, not `other`
            labels.yaml:20: `public..email` is no column; write `schema.table.column`
            labels.yaml:21: `"public.users.email` is no column; write `schema.table.column`
            labels.yaml:22: `columns.8` lacks `column`
            labels.yaml:23: `columns.9` lacks `label`
            labels.yaml:24: `columns.10` must be a mapping, not text
            labels.yaml:26: unknown detector `emails`; known are `email`, `payment_card`, `us_ssn`, `phone`, `ipv4`, `ipv6`, `jwt`, `private_key`, `aws_key`, `github_token`, `slack_token`, `gcp_key`
            labels.yaml:28: detector `email` has label `a` already
            labels.yaml:29: `detectors.4.detector` must be text, not a list
            labels.yaml:30: unknown key `colums`; did you mean `columns`?
        "#]],
    );
}

#[test]
fn approvals() {
    check_file(
        "approvals.yaml",
        r#"approvals:
  dba: {reviewers: [dba], people: 0, hold: 5}
  a: {reviewers: [], hold: 5 minutes, grant: 8d}
  b: {people: 17, hold: 0s}
  c: {reviewers: dba, hold: 25h}
  d: {reviewers: [""], grant: -1s}
  e: {reviewers: [dba], people: two, notify: "dba"}
  f: [dba]
  g: {reviewers: [dba], batch: {requests: 1, within: 2h, kinds: all}}
  h: {reviewers: [dba], batch: {within: 0s, objects: 3}}
  i: {reviewers: [dba], difference: 'yes'}
"#,
        expect![[r#"
            approvals.yaml:2: `people` must be at least 1
            approvals.yaml:2: no duration: write a whole number and a unit (s, m, h, d), such as `5m`
            approvals.yaml:3: `grant` must be at most 7d
            approvals.yaml:3: `reviewers` is empty: nobody could approve
            approvals.yaml:3: no duration: write a whole number and a unit (s, m, h, d), such as `5m`
            approvals.yaml:4: `approvals.b` lacks `reviewers`
            approvals.yaml:4: `hold` must be longer than 0s
            approvals.yaml:4: `people` must be at most 16
            approvals.yaml:5: `approvals.c.reviewers` must be a list, not text
            approvals.yaml:5: `hold` must be at most 24h
            approvals.yaml:5: `reviewers` is empty: nobody could approve
            approvals.yaml:6: `approvals.d.reviewers.1` is empty
            approvals.yaml:6: no duration: write a whole number and a unit (s, m, h, d), such as `5m`
            approvals.yaml:7: `approvals.e.people` must be a whole number, not text
            approvals.yaml:7: unknown key `notify`; known: reviewers, people, hold, grant, batch, difference
            approvals.yaml:8: `approvals.f` must be a mapping, not a list
            approvals.yaml:9: `kinds` must be `same` or `any`
            approvals.yaml:9: `requests` must be between 2 and 1000
            approvals.yaml:9: `within` must be at most 1h
            approvals.yaml:10: `approvals.h.batch` lacks `requests`
            approvals.yaml:10: `within` must be longer than 0s
            approvals.yaml:10: unknown key `objects`; known: requests, within, kinds
            approvals.yaml:11: `approvals.i.difference` must be `true` or `false`, not text
        "#]],
    );
}

#[test]
fn resources() {
    check_file(
        "resources.yaml",
        "resources:\n  shop: {mode: observed}\n  b: {mod: enforce}\n  c: {tags: {env: 1, 2: x}}\n",
        expect![[r#"
            resources.yaml:2: unknown mode `observed`; did you mean `observe`?
            resources.yaml:3: unknown key `mod`; did you mean `mode`?
            resources.yaml:4: `resources.c.tags.env` must be text, not a number
            resources.yaml:4: `resources.c.tags` has a key that is not text; quote it
        "#]],
    );
}

#[test]
fn yaml_that_does_not_parse() {
    check_file(
        "labels.yaml",
        "labels:\n  a: {strategy: redact\n",
        expect![[r#"
        labels.yaml:3: not readable as YAML: did not find expected ',' or '}'
    "#]],
    );
    check_file(
        "labels.yaml",
        "labels:\n  a: {strategy: redact}\n  a: {strategy: hash}\n",
        expect![[r#"
            labels.yaml:2: not readable as YAML: labels: duplicate entry with key "a"
        "#]],
    );
    check_file(
        "labels.yaml",
        "- a\n- b\n",
        expect![[r#"
        labels.yaml:0: the file must be a mapping, not a list
    "#]],
    );
    check_file(
        "labels.yaml",
        "labels: {}\n---\nlabels: {}\n",
        expect![[r#"
        labels.yaml:0: not readable as YAML: deserializing from YAML containing more than one document is not supported
    "#]],
    );
    let deep = format!("labels: {}{}", "[".repeat(300), "]".repeat(300));
    check_file(
        "labels.yaml",
        &deep,
        expect![[r#"
        labels.yaml:1: not readable as YAML: recursion limit exceeded
    "#]],
    );
    let laughs = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
                  c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
                  e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
                  g: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
    check_file(
        "labels.yaml",
        laughs,
        expect![[r#"
        labels.yaml:0: not readable as YAML: repetition limit exceeded
    "#]],
    );
}

#[test]
fn problems_of_every_file_come_at_once_and_are_bounded() {
    let mut bad = files("permit (principal, action, resource);");
    bad.insert("labels.yaml".to_owned(), "label: {}".to_owned());
    bad.insert("approvals.yaml".to_owned(), "approvals: [".to_owned());
    bad.insert("resources.yaml".to_owned(), "resources: 3".to_owned());
    expect![[r#"
        approvals.yaml:2: not readable as YAML: did not find expected node content
        labels.yaml:1: unknown key `label`; did you mean `labels`?
        p.cedar:1: the policy lacks `@id("…")`, the name a refused client is shown
        resources.yaml:1: `resources` must be a mapping, not a number
    "#]]
    .assert_eq(&told(&bad));
    let many: String = (0..1000).map(|n| format!("key{n}: 1\n")).collect();
    bad.insert("labels.yaml".to_owned(), many);
    let told = told(&bad);
    assert_eq!(told.lines().count(), 201);
    assert_eq!(
        told.lines().last(),
        Some(":0: 803 more problems are not listed")
    );
}

#[test]
fn policies_that_name_too_many_schemas() {
    let names: Vec<String> = (0..200).map(|n| format!("\"tenant_{n}\"")).collect();
    check(
        &format!(
            "@id(\"a\") forbid (principal, action, resource is Table) when {{ [{}].contains(resource.schema) }};",
            names.join(",")
        ),
        expect![[r#"
            :0: the policies name 200 schemas in which one table may be, more than 128; use `resource.schema like` for schemas that are alike
        "#]],
    );
}
