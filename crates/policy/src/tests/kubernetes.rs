//! Requests to an API server: kinds, namespaces, facts of bodies, what is secret.

use expect_test::{Expect, expect};
use ostiary_mask::Strategy;
use ostiary_operation::{Target, kubernetes::Head};

use super::{bundle, show, who};
use crate::{Bundle, Files};

const POLICIES: &str = r#"
@id("discovery") permit (principal, action == Action::"k8s:get", resource is Url);
@id("reads") permit (principal, action in Action::"k8s:read", resource in Cluster::"prod");
@id("deploys") permit (principal, action in Action::"k8s:write", resource in Namespace::"prod/web")
unless { context.objects.privileged || context.objects.host_path };
@id("not-system") @reason("the system's own") forbid (principal, action, resource in Namespace::"prod/kube-system");
@id("not-vault") forbid (principal, action, resource)
when { resource is Kind && resource.namespace == "vault" };
@id("scaling") @approval("dba") @reason("capacity costs")
forbid (principal, action == Action::"k8s:patch", resource == Kind::"prod/web/deployments.apps/scale")
unless { context.objects.dry_run };
@id("no-namespaces") forbid (principal, action == Action::"k8s:delete", resource)
when { resource is Kind && resource.name == "namespaces" };
@id("our-images") forbid (principal, action in Action::"k8s:write", resource)
when { context.objects.images.contains("evil") };
@id("not-to-zero") forbid (principal, action in Action::"k8s:write", resource)
when { context.request.numbers.hasTag("spec.replicas") && context.request.numbers.getTag("spec.replicas") == 0 };
@id("one-secret") forbid (principal, action in Action::"k8s:read", resource)
when { context.objects has name && context.objects.name == "root-ca" };
"#;

fn files() -> Files {
    let labels = "labels: {env: {strategy: redact}}\nfields:\n\
        - {field: '$.spec.template.spec.containers[*].env[*].value', label: env, kind: deployments.apps}\n\
        - {field: $..password, label: env}\n- {field: $.x, label: env, resource: elsewhere, kind: pods}\n";
    [
        ("p.cedar", POLICIES),
        ("approvals.yaml", super::APPROVALS),
        ("labels.yaml", labels),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into()
}

fn prod() -> Target {
    Target {
        resource: "prod".to_owned(),
        database: String::new(),
        role: String::new(),
    }
}

/// `METHOD target`, and a JSON body after a space.
fn decide(bundle: &Bundle, request: &str) -> String {
    let mut words = request.splitn(3, ' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let body = words.next().unwrap_or_default();
    let kind = match method {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    let headers = [("content-type".to_owned(), kind.to_owned())];
    let head = Head::read(method, target, &headers);
    match head.and_then(|head| head.operation(body.as_bytes())) {
        Ok(operation) => show(&bundle.decide(&who("sre"), &prod(), &operation)),
        Err(refused) => format!("{}: {refused}", refused.status),
    }
}

#[track_caller]
fn check(requests: &[&str], expected: Expect) {
    let bundle = bundle(&files());
    let shown: Vec<String> = requests
        .iter()
        .map(|request| format!("{request} -> {}\n", decide(&bundle, request)))
        .collect();
    expected.assert_eq(&shown.concat());
}

#[test]
fn requests_are_decided_by_kind_namespace_and_facts() {
    check(
        &[
            "GET /version",
            "GET /api/v1/namespaces/web/pods",
            "GET /api/v1/nodes",
            "GET /api/v1/namespaces/web/secrets/root-ca",
            "POST /version",
            r#"POST /api/v1/namespaces/web/pods {"spec":{"containers":[{"image":"a"}]}}"#,
            r#"POST /api/v1/namespaces/web/pods {"spec":{"containers":[{"image":"evil"}]}}"#,
            r#"POST /api/v1/namespaces/web/pods {"spec":{"hostPath":{"path":"/"}}}"#,
            r#"POST /api/v1/namespaces/other/pods {}"#,
            "DELETE /api/v1/namespaces/web",
            "DELETE /api/v1/namespaces/web/pods",
            r#"PATCH /apis/apps/v1/namespaces/web/deployments/api/scale {"spec":{"replicas":5}}"#,
            r#"PATCH /apis/apps/v1/namespaces/web/deployments/api/scale?dryRun=All {"spec":{"replicas":5}}"#,
            r#"PATCH /apis/apps/v1/namespaces/web/deployments/api/scale {"spec":{"replicas":0}}"#,
            "POST /api/v1/namespaces/web/pods/p/exec",
        ],
        expect![[r#"
            GET /version -> allow [discovery, reads]
            GET /api/v1/namespaces/web/pods -> allow [reads]
            GET /api/v1/nodes -> allow [reads]
            GET /api/v1/namespaces/web/secrets/root-ca -> deny one-secret: forbidden by policy [one-secret]
            POST /version -> deny default-deny: nothing permits `k8s:create` on /version [default-deny]
            POST /api/v1/namespaces/web/pods {"spec":{"containers":[{"image":"a"}]}} -> allow [deploys]
            POST /api/v1/namespaces/web/pods {"spec":{"containers":[{"image":"evil"}]}} -> deny our-images: forbidden by policy [our-images]
            POST /api/v1/namespaces/web/pods {"spec":{"hostPath":{"path":"/"}}} -> deny default-deny: nothing permits `k8s:create` on pods in web [default-deny]
            POST /api/v1/namespaces/other/pods {} -> deny default-deny: nothing permits `k8s:create` on pods in other [default-deny]
            DELETE /api/v1/namespaces/web -> deny no-namespaces: forbidden by policy [no-namespaces]
            DELETE /api/v1/namespaces/web/pods -> allow [deploys]
            PATCH /apis/apps/v1/namespaces/web/deployments/api/scale {"spec":{"replicas":5}} -> approve dba: capacity costs [scaling]
            PATCH /apis/apps/v1/namespaces/web/deployments/api/scale?dryRun=All {"spec":{"replicas":5}} -> allow [deploys]
            PATCH /apis/apps/v1/namespaces/web/deployments/api/scale {"spec":{"replicas":0}} -> deny not-to-zero: forbidden by policy [not-to-zero]
            POST /api/v1/namespaces/web/pods/p/exec -> deny default-deny: nothing permits `k8s:exec` on pods/p/exec in web [default-deny]
        "#]],
    );
}

#[test]
fn what_is_asked_of_every_namespace_is_asked_of_each_that_is_named() {
    check(
        &[
            "GET /api/v1/namespaces/kube-system/pods",
            "GET /api/v1/pods",
            "GET /apis/stable.example.com/v1/crontabs?watch=true",
            "GET /api/v1/nodes",
            "GET /api/v1/namespaces",
            "GET /api/v1/namespaces/kube-system",
            "GET /api/v1/namespaces/vault/pods",
        ],
        expect![[r#"
            GET /api/v1/namespaces/kube-system/pods -> deny not-system: the system's own [not-system]
            GET /api/v1/pods -> deny not-system: the system's own [not-system, not-vault]
            GET /apis/stable.example.com/v1/crontabs?watch=true -> deny not-system: the system's own [not-system, not-vault]
            GET /api/v1/nodes -> allow [reads]
            GET /api/v1/namespaces -> allow [reads]
            GET /api/v1/namespaces/kube-system -> deny not-system: the system's own [not-system]
            GET /api/v1/namespaces/vault/pods -> deny not-vault: forbidden by policy [not-vault]
        "#]],
    );
}

#[test]
fn only_a_permit_that_names_it_passes_what_cannot_be_read() {
    let mut files = files();
    let read = |bundle: &Bundle| {
        let headers = [("content-type".to_owned(), "application/yaml".to_owned())];
        let head = Head::read("POST", "/api/v1/namespaces/web/pods", &headers).unwrap();
        let operation = head.operation(b"kind: Pod").unwrap();
        show(&bundle.decide(&who("sre"), &prod(), &operation))
    };
    expect!["deny default-deny: could not be read: its body is YAML [default-deny]"]
        .assert_eq(&read(&bundle(&files)));
    let more = r#"@id("yaml") permit (principal, action == Action::"k8s:unreadable", resource in Namespace::"prod/web");"#;
    files.insert("more.cedar".to_owned(), more.to_owned());
    expect!["allow [deploys, yaml]"].assert_eq(&read(&bundle(&files)));
}

#[test]
fn secrets_are_masked_unless_a_policy_reveals_them() {
    let mut files = files();
    let secrets = |files: &Files| bundle(files).masks(&who("sre"), &prod()).secrets;
    assert_eq!(secrets(&files), Some(Strategy::Redact));
    let labels = "labels: {kubernetes.secret: {strategy: hash}}";
    files.insert("labels.yaml".to_owned(), labels.to_owned());
    assert_eq!(secrets(&files), Some(Strategy::Hash));
    files.remove("labels.yaml");
    let reveal = r#"@id("see") permit (principal in Group::"sre", action == Action::"reveal", resource == Label::"kubernetes.secret");"#;
    files.insert("more.cedar".to_owned(), reveal.to_owned());
    assert_eq!(secrets(&files), None);
}

#[test]
fn fields_are_labelled_by_kind() {
    let masks = bundle(&files()).masks(&who("sre"), &prod());
    let of = |kind: Option<&str>| {
        let fields = masks.fields.iter().filter(|(field, _)| field.is_of(kind));
        let paths: Vec<String> = fields.map(|(field, _)| field.path.to_string()).collect();
        paths.join(" ")
    };
    assert_eq!(
        of(Some("deployments.apps")),
        "$.spec.template.spec.containers[*].env[*].value $..password"
    );
    assert_eq!(of(Some("pods")), "$..password");
    assert_eq!(of(None), "$..password");
    assert!(
        !masks
            .fields
            .iter()
            .any(|(field, _)| field.kind.is_some() && field.is_on(None))
    );
}

#[test]
fn what_would_never_hold_is_a_mistake() {
    let mut files = files();
    files.insert(
        "p.cedar".to_owned(),
        r#"@id("a") permit (principal, action, resource == Kind::"prod/pods");
@id("b") permit (principal, action, resource in Namespace::"web");
@id("c") permit (principal, action == Action::"k8s:delete", resource == Url::"prod");
@id("d") permit (principal, action == Action::"k8s:get", resource is Table);
"#
        .to_owned(),
    );
    files.insert(
        "labels.yaml".to_owned(),
        "labels: {l: {strategy: redact}}\nfields:\n- {field: $.a, label: l, kind: Secret}\n\
         - {field: $.a, label: l, kind: pods, route: /x}\n"
            .to_owned(),
    );
    let problems = Bundle::parse(&files).unwrap_err();
    let shown: Vec<String> = problems.iter().map(|it| format!("{it}\n")).collect();
    expect![[r#"
        labels.yaml:0: a field is labelled on `/x`, which is no route
        labels.yaml:3: `Secret` is no kind: write it as the API does, like secrets or deployments.apps
        labels.yaml:4: a field has a `route` or a `kind`, not both
        p.cedar:1: `Kind::"prod/pods"` can never match: an id of this type is "resource/namespace/kind.group/subresource"
        p.cedar:2: `Namespace::"web"` can never match: an id of this type is "resource/namespace"
        p.cedar:3: `Url::"prod"` can never match: an id of this type is "resource/path"
        p.cedar:4: unable to find an applicable action given the policy scope constraints
    "#]].assert_eq(&shown.concat());
}
