//! What is masked for whom.

use expect_test::{Expect, expect};

use super::{bundle, shop, who};
use crate::{Bundle, Files};

const LABELS: &str = r#"
labels:
  pii.email: {strategy: {partial: {keep: 4}}}
  pii.ssn: {strategy: redact}
  secret: {strategy: hash, rows: allow}
  gone: {strategy: "null", rows: refuse}
columns:
  - {column: public.users.email, label: pii.email}
  - {column: public.users.ssn, label: pii.ssn, resource: shop}
  - {column: other.public.users.city, label: gone}
  - {column: db.public.users.city, label: gone, resource: elsewhere}
  - column: '"odd.schema"."a ""b""".Column'
    label: gone
detectors:
  - {detector: email, label: pii.email}
  - {detector: jwt, label: secret}
"#;

fn files(policies: &str) -> Files {
    [("p.cedar", policies), ("labels.yaml", LABELS)]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into()
}

#[track_caller]
fn check(policies: &str, groups: &str, expected: Expect) {
    let masks = bundle(&files(policies)).masks(&who(groups), &shop());
    let columns = masks.columns.iter().map(|(column, strategy)| {
        let (schema, table) = (&column.schema, &column.table);
        let (column, label) = (&column.column, &column.label);
        format!("{schema} | {table} | {column}: {label} {strategy:?}\n")
    });
    let detectors = masks
        .detectors
        .iter()
        .map(|(detector, (label, strategy))| format!("{detector:?}: {label} {strategy:?}\n"));
    expected.assert_eq(&columns.chain(detectors).collect::<String>());
}

#[test]
fn masks_everything_labelled_here_even_under_a_blanket_permit() {
    check(
        r#"@id("open") permit (principal, action, resource);"#,
        "support",
        expect![[r#"
            odd.schema | a "b" | Column: gone Null
            public | users | email: pii.email Partial { keep: 4 }
            public | users | ssn: pii.ssn Redact
            Email: pii.email Partial { keep: 4 }
            Jwt: secret Hash
        "#]],
    );
}

#[test]
fn reveals_what_a_permit_names() {
    let policies = r#"
@id("one") permit (principal in Group::"support", action == Action::"reveal",
  resource == Label::"pii.email");
@id("all") permit (principal in Group::"dpo", action in [Action::"reveal"], resource);
@id("here") permit (principal in Group::"local", action == Action::"reveal",
  resource == Label::"secret") when { context.resource == "shop" && context.database == "db" };
@id("not") forbid (principal in Group::"intern", action, resource == Label::"pii.ssn");
@id("ask") @approval("x") forbid (principal in Group::"asked", action, resource);
"#;
    let mut with_approval = files(policies);
    with_approval.insert(
        "approvals.yaml".to_owned(),
        "approvals: {x: {reviewers: [y]}}".to_owned(),
    );
    let bundle = bundle(&with_approval);
    let shown = |groups: &str| {
        let masks = bundle.masks(&who(groups), &shop());
        let columns = masks.columns.iter().map(|(column, _)| column.label.clone());
        let detectors = masks.detectors.values().map(|(label, _)| label.clone());
        let labels: std::collections::BTreeSet<String> = columns.chain(detectors).collect();
        labels.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(shown(""), "gone pii.email pii.ssn secret");
    assert_eq!(shown("support"), "gone pii.ssn secret");
    assert_eq!(shown("local"), "gone pii.email pii.ssn");
    assert_eq!(shown("dpo"), "");
    assert_eq!(shown("dpo intern"), "pii.ssn");
    // Nobody can be asked about a mask, so an annotated forbid is a plain one here.
    assert_eq!(shown("dpo asked"), "gone pii.email pii.ssn secret");
}

#[test]
fn what_cannot_be_evaluated_stays_masked() {
    let policies = r#"
@id("all") permit (principal, action == Action::"reveal", resource);
@id("bad") forbid (principal, action == Action::"reveal", resource == Label::"pii.ssn")
when { 9223372036854775807 + 1 > 0 };
"#;
    check(
        policies,
        "",
        expect![[r#"
        public | users | ssn: pii.ssn Redact
    "#]],
    );
}

#[test]
fn columns_apply_where_they_are_said_to_be() {
    let bundle = bundle(&files(r#"@id("p") permit (principal, action, resource);"#));
    let mut target = shop();
    let columns = |target: &_| {
        let masks = bundle.masks(&who(""), target);
        let columns = masks.columns.into_iter().map(|(column, _)| column.column);
        columns.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(columns(&target), "Column email ssn");
    target.database = "other".to_owned();
    assert_eq!(columns(&target), "Column city email ssn");
    target.resource = "elsewhere".to_owned();
    target.database = "db".to_owned();
    assert_eq!(columns(&target), "Column city email");
}

#[test]
fn rows_are_refused_unless_the_label_says_otherwise() {
    let bundle = bundle(&files(r#"@id("p") permit (principal, action, resource);"#));
    let masks = bundle.masks(&who(""), &shop());
    let allowed: Vec<_> = masks.rows_allowed.iter().collect();
    assert_eq!(allowed, ["secret"]);
}

#[test]
fn deny_all_masks_nothing_because_nothing_passes() {
    let masks = Bundle::deny_all("x").masks(&who(""), &shop());
    assert_eq!(masks, crate::Masks::default());
}

#[test]
fn a_label_of_another_database_is_masked_somewhere() {
    let labels = "labels:\n  one: {strategy: redact}\n  two: {strategy: redact}\n\
                  columns:\n  - {column: other.public.users.city, label: one}\n  \
                  - {column: public.users.email, label: two, resource: elsewhere}\n";
    let sees = r#"permit (principal in Group::"dpo", action == Action::"reveal", resource == Label::"one");"#;
    let bundle = bundle(&Files::from([
        ("p.cedar".to_owned(), format!("@id(\"sees\") {sees}")),
        ("labels.yaml".to_owned(), labels.to_owned()),
    ]));
    let (nobody, dpo) = (who(""), who("dpo"));
    assert_eq!(bundle.masked(&nobody, &shop()), None);
    let found = bundle.masked_anywhere(&nobody, &shop());
    assert_eq!(found.as_deref(), Some("one"));
    assert_eq!(bundle.masked_anywhere(&dpo, &shop()), None);
}
