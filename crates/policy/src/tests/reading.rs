//! What is read from the YAML files when nothing is wrong.

use expect_test::expect;

use super::{bundle, files};
use crate::{Mode, statement::statements};

#[test]
fn approvals_have_defaults_and_say_who() {
    let mut files = files(r#"@id("p") permit (principal, action, resource);"#);
    files.insert(
        "approvals.yaml".to_owned(),
        "
approvals:
  plain: {reviewers: [dba]}
  strict:
    reviewers: [dba, security]
    people: 2
    hold: 90s
    grant: 1h
    batch: {requests: 50, within: 1m, kinds: any}
  alike: {reviewers: [dba], batch: {requests: 2}}
"
        .to_owned(),
    );
    let bundle = bundle(&files);
    let shown: Vec<String> = bundle
        .approvals()
        .map(|(name, approval)| {
            let who = approval.who();
            format!(
                "{name}: {who}, hold {}, grant {}, {:?}",
                approval.hold_us, approval.grant_us, approval.batch
            )
        })
        .collect();
    expect![[r#"
        alike: one of dba, hold 300000000, grant 0, Some(Batch { requests: 2, within_us: 300000000, any_kind: false })
        plain: one of dba, hold 300000000, grant 0, None
        strict: 2 of dba or security, hold 90000000, grant 3600000000, Some(Batch { requests: 50, within_us: 60000000, any_kind: true })"#]]
    .assert_eq(&shown.join("\n"));
    assert_eq!(
        bundle.approval("plain").map(|approval| approval.people),
        Some(1)
    );
    assert_eq!(bundle.approval("other"), None);
}

#[test]
fn resources_have_modes_and_tags() {
    let mut files = files(r#"@id("p") permit (principal, action, resource);"#);
    let text = "resources: {shop: {mode: observe, tags: {env: prod, team: web}}, b: {}}";
    files.insert("resources.yaml".to_owned(), text.to_owned());
    let bundle = bundle(&files);
    assert_eq!(bundle.mode("shop"), Mode::Observe);
    assert_eq!(bundle.mode("b"), Mode::Enforce);
    assert_eq!(bundle.mode("unknown"), Mode::Enforce);
    let tags: Vec<_> = bundle.tags("shop").collect();
    assert_eq!(tags, [("env", "prod"), ("team", "web")]);
}

#[test]
fn empty_files_say_nothing() {
    let mut files = files(r#"@id("p") permit (principal, action, resource);"#);
    for text in ["", "# nothing yet\n", "approvals:\n", "approvals: {}"] {
        files.insert("approvals.yaml".to_owned(), text.to_owned());
        assert_eq!(bundle(&files).approvals().count(), 0, "{text:?}");
    }
}

#[test]
fn statements_end_at_semicolons_outside_strings_and_comments() {
    let text = "// permit;\n@id(\"a;\\\";\") permit (x); // one; two\n\n forbid (y)\n;tail";
    let found: Vec<(usize, &str)> = statements(text)
        .iter()
        .map(|statement| (statement.start, statement.text))
        .collect();
    assert_eq!(
        found,
        [
            (11, "@id(\"a;\\\";\") permit (x);"),
            (50, "forbid (y)\n;"),
            (62, "tail"),
        ]
    );
}
