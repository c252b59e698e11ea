//! Tables of requests and what is made of them.

mod streams;

use expect_test::{Expect, expect, expect_file};

use super::*;

/// One line of the table of paths.
fn line(request: &str) -> String {
    let (method, target) = request.split_once(' ').unwrap();
    let head = match Head::read(method, target, &[]) {
        Ok(head) => head,
        Err(refused) => return format!("{}: {}", refused.status, refused.reason),
    };
    let mut shown = format!("{} ({})", head.info().verb, head.verb);
    let Some(it) = &head.info().resource else {
        return format!("{shown} path {}", head.info().path);
    };
    for (name, value) in [
        ("group", it.group.as_str()),
        ("version", &it.version),
        ("namespace", it.namespace.as_deref().unwrap_or_default()),
        ("resource", &it.name),
        ("subresource", &it.subresource),
        ("name", it.object.as_deref().unwrap_or_default()),
        ("behind", it.behind.as_deref().unwrap_or_default()),
    ] {
        if !value.is_empty() {
            shown.push_str(&format!(" {name} {value}"));
        }
    }
    shown
}

#[test]
fn a_request_is_what_the_api_server_takes_it_for() {
    let mut table = String::new();
    for request in include_str!("../../testdata/kubernetes.txt").lines() {
        if request.starts_with('#') {
            table.push_str(&format!("{request}\n"));
            continue;
        }
        table.push_str(&format!("{request}\n    {}\n", line(request)));
    }
    expect_file!["../../testdata/kubernetes.out"].assert_eq(&table);
}

/// `METHOD target`, a content type and a body, to the facts that are not empty.
#[track_caller]
fn check(request: &str, content_type: &str, body: &str, expected: Expect) {
    expected.assert_eq(&show(request, content_type, body));
}

fn show(request: &str, content_type: &str, body: &str) -> String {
    let (method, target) = request.split_once(' ').unwrap();
    let headers = [("content-type".to_owned(), content_type.to_owned())];
    let read = Head::read(method, target, &headers).and_then(|it| it.operation(body.as_bytes()));
    let operation = match read {
        Ok(operation) => operation,
        Err(refused) => return format!("{}: {}", refused.status, refused.reason),
    };
    let access = operation.accesses.first().unwrap();
    let mut shown = format!("{} {}", access.verb, access.object);
    let facts = operation.facts.objects.unwrap();
    for (name, values) in [
        ("kinds", &facts.kinds),
        ("images", &facts.images),
        ("accounts", &facts.service_accounts),
    ] {
        if !values.is_empty() {
            shown.push_str(&format!(" {name} {values:?}"));
        }
    }
    for (name, value) in [
        ("privileged", facts.privileged),
        ("host path", facts.host_path),
        ("host namespaces", facts.host_namespaces),
        ("wildcard rules", facts.wildcard_rules),
        ("dry run", facts.dry_run),
    ] {
        if value {
            shown.push_str(&format!(", {name}"));
        }
    }
    if let Some(why) = operation.facts.unreadable {
        shown.push_str(&format!(", unreadable: {why}"));
    }
    shown
}

const JSON: &str = "application/json";
const JSON_PATCH: &str = "application/json-patch+json";

#[test]
fn facts_of_a_pod_are_found_wherever_its_template_stands() {
    let pod = r#"{"containers":[{"name":"c","image":"a:1","securityContext":{"privileged":true}},{"image":"b:2"}],
        "initContainers":[{"image":"c:3"}],"volumes":[{"name":"v","hostPath":{"path":"/"}}],
        "hostNetwork":true,"serviceAccountName":"admin"}"#;
    let all = expect![[
        r#"k8s:create pods in web kinds {"Pod"} images {"a:1", "b:2", "c:3"} accounts {"admin"}, privileged, host path, host namespaces"#
    ]];
    let body = format!(r#"{{"kind":"Pod","spec":{pod}}}"#);
    check("POST /api/v1/namespaces/web/pods", JSON, &body, all);
    let body = format!(
        r#"{{"kind":"CronJob","spec":{{"jobTemplate":{{"spec":{{"template":{{"spec":{pod}}}}}}}}}}}"#
    );
    check(
        "POST /apis/batch/v1/namespaces/web/cronjobs",
        JSON,
        &body,
        expect![[
            r#"k8s:create cronjobs.batch in web kinds {"CronJob"} images {"a:1", "b:2", "c:3"} accounts {"admin"}, privileged, host path, host namespaces"#
        ]],
    );
    check(
        "POST /api/v1/namespaces/web/pods",
        JSON,
        r#"{"kind":"Pod","metadata":{"labels":{"image.of":"x"}},"spec":{"hostNetwork":false,"containers":[{"image":"a:1","securityContext":{"privileged":false}}]}}"#,
        expect![[r#"k8s:create pods in web kinds {"Pod"} images {"a:1"}"#]],
    );
}

#[test]
fn every_form_of_patch_says_what_it_sets() {
    let path = "PATCH /apis/apps/v1/namespaces/web/deployments/api";
    for kind in [
        "application/strategic-merge-patch+json",
        "application/merge-patch+json",
        "application/apply-patch+yaml",
    ] {
        let body = r#"{"spec":{"template":{"spec":{"$patch":"replace","containers":[{"image":"evil"}]}}}}"#;
        let shown = show(path, kind, body);
        assert_eq!(
            shown, r#"k8s:patch deployments.apps/api in web images {"evil"}"#,
            "{kind}"
        );
    }
    check(
        path,
        JSON_PATCH,
        r#"[{"op":"test","path":"/metadata/resourceVersion","value":"1"},{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"evil"},
            {"op":"add","path":"/spec/template/spec/containers/0/securityContext","value":{"privileged":true}},
            {"op":"add","path":"/spec/template/spec/volumes/-","value":{"hostPath":{"path":"/"}}}]"#,
        expect![[
            r#"k8s:patch deployments.apps/api in web images {"evil"}, privileged, host path"#
        ]],
    );
    check(
        path,
        JSON_PATCH,
        r#"[{"op":"copy","from":"/metadata/annotations/x","path":"/spec/template/spec/containers/0/image"}]"#,
        expect![
            "k8s:patch deployments.apps/api in web, unreadable: its patch copies values it does not show"
        ],
    );
    for (body, expected) in [
        (r#"{"op":"add"}"#, "its body is no JSON patch"),
        (
            r#"[{"op":"test","path":"/data/password","value":"Z3Vlc3M="}]"#,
            "its patch asks what a value is",
        ),
        (
            r#"[{"op":"test","path":"/metadata/annotations/x","value":"{}"}]"#,
            "its patch asks what a value is",
        ),
        (
            r#"[{"op":"add","path":"spec/replicas","value":0}]"#,
            "its patch has a path that is none",
        ),
        (
            r#"[{"op":"ADD","path":"/spec/replicas","value":0}]"#,
            "its patch copies values it does not show",
        ),
    ] {
        let shown = show(path, JSON_PATCH, body);
        assert!(shown.ends_with(expected), "{shown}");
    }
}

#[test]
fn a_patch_names_fields_as_the_object_does() {
    let headers = [("content-type".to_owned(), JSON_PATCH.to_owned())];
    let target = "/apis/apps/v1/namespaces/web/deployments/api";
    let head = Head::read("PATCH", target, &headers).unwrap();
    let body = br#"[{"op":"replace","path":"/spec/replicas","value":0},{"op":"add","path":"/metadata/labels/a~1b","value":"x"}]"#;
    let request = head.operation(body).unwrap().facts.request.unwrap();
    assert_eq!(request.numbers["spec.replicas"], 0);
    assert!(
        request.body.contains_key("metadata.labels.\"a/b\""),
        "{request:?}"
    );
}

#[test]
fn roles_that_hold_everything_are_told() {
    check(
        "POST /apis/rbac.authorization.k8s.io/v1/clusterroles",
        JSON,
        r#"{"kind":"ClusterRole","rules":[{"verbs":["get"],"resources":["pods"],"apiGroups":["*"]}]}"#,
        expect![[
            r#"k8s:create clusterroles.rbac.authorization.k8s.io kinds {"ClusterRole"}, wildcard rules"#
        ]],
    );
    check(
        "POST /apis/rbac.authorization.k8s.io/v1/clusterroles",
        JSON,
        r#"{"rules":[{"verbs":["get"],"resources":["pods"],"apiGroups":[""]}]}"#,
        expect!["k8s:create clusterroles.rbac.authorization.k8s.io"],
    );
}

#[test]
fn a_dry_run_is_one_only_where_the_server_looks() {
    for (request, body, expected) in [
        (
            "POST /api/v1/namespaces/web/pods?dryRun=All",
            r#"{"kind":"Pod"}"#,
            true,
        ),
        (
            "POST /api/v1/namespaces/web/pods",
            r#"{"dryRun":["All"]}"#,
            false,
        ),
        ("DELETE /api/v1/namespaces/web/pods/p?dryRun=All", "", true),
        // The body is heeded, and says nothing.
        (
            "DELETE /api/v1/namespaces/web/pods/p?dryRun=All",
            "{}",
            false,
        ),
        (
            "DELETE /api/v1/namespaces/web/pods/p",
            r#"{"dryRun":["All"]}"#,
            true,
        ),
        ("DELETE /api/v1/namespaces/web/pods?dryRun=All", "", true),
        (
            "POST /api/v1/namespaces/web/serviceaccounts/sa/token?dryRun=All",
            "{}",
            false,
        ),
        (
            "POST /api/v1/namespaces/web/pods/p/eviction?dryRun=All",
            "{}",
            false,
        ),
        ("GET /api/v1/namespaces/web/pods/p?dryRun=All", "", false),
        ("POST /version?dryRun=All", "", false),
    ] {
        let shown = show(request, JSON, body);
        assert_eq!(
            shown.contains("dry run"),
            expected,
            "{request} {body}: {shown}"
        );
    }
    for query in [
        "dryRun=",
        "dryRun=None",
        "dryRun=all",
        "dryRun=All&dryRun=x",
    ] {
        let shown = show(
            &format!("POST /api/v1/namespaces/web/pods?{query}"),
            JSON,
            "{}",
        );
        assert_eq!(shown, "400: `dryRun` is `All` or absent", "{query}");
    }
}

#[test]
fn what_is_not_read_says_so_and_binary_forms_are_refused() {
    let path = "POST /api/v1/namespaces/web/pods";
    for (kind, body, expected) in [
        (
            "application/yaml",
            "kind: Pod",
            ", unreadable: its body is YAML",
        ),
        (
            "application/yaml",
            r#"{"<<":{"a":1}}"#,
            ", unreadable: its body may merge YAML (`<<`)",
        ),
        (
            "application/yaml",
            r#"{"a":[{"\u003c\u003c":{"a":1}}]}"#,
            ", unreadable: its body may merge YAML (`<<`)",
        ),
        (
            "application/yaml",
            r#" {"kind":"Pod"}"#,
            r#" kinds {"Pod"}"#,
        ),
        ("text/plain", "x", ", unreadable: its body is not JSON"),
        (
            "application/vnd.kubernetes.protobuf",
            "k8s\0",
            ", unreadable: its body is protobuf; `kubectl apply -f` sends JSON",
        ),
        (
            "application/x-www-form-urlencoded",
            "a=b",
            ", unreadable: its body is not JSON",
        ),
    ] {
        let shown = show(path, kind, body);
        assert_eq!(
            shown,
            format!("k8s:create pods in web{expected}"),
            "{kind} {body}"
        );
    }
    for kind in ["application/cbor", "application/apply-patch+cbor"] {
        assert!(show(path, kind, "x").starts_with("415: "), "{kind}");
    }
    for (kind, body) in [
        (JSON, r#"{"kind":"Pod","kind":"Node"}"#),
        ("application/yaml", "{kind: Pod}"),
        (JSON, "kind: Pod"),
        (
            JSON_PATCH,
            r#"[{"op":"add","path":"/a","path":"/b","value":1}]"#,
        ),
    ] {
        assert!(
            show(path, kind, body).starts_with("400: the body"),
            "{body}"
        );
    }
    assert_eq!(
        show("GET /api/v1/pods", JSON, "{}"),
        "400: a request to read has no body"
    );
}

#[test]
fn what_the_gateway_cannot_follow_is_told_after_it_is_read() {
    let unsupported = |request: &str, headers: &[(&str, &str)]| {
        let (method, target) = request.split_once(' ').unwrap();
        let owned = |it: &(&str, &str)| (it.0.to_owned(), it.1.to_owned());
        let headers: Vec<_> = headers.iter().map(owned).collect();
        let head = Head::read(method, target, &headers);
        head.map(|head| (head.verb, head.unsupported().is_some()))
    };
    let spdy = [("connection", "Upgrade"), ("upgrade", "SPDY/3.1")];
    let exec = "POST /api/v1/namespaces/web/pods/p/exec?command=ls";
    assert_eq!(unsupported(exec, &spdy), Ok((Verb::K8sExec, true)));
    assert_eq!(unsupported(exec, &[]), Ok((Verb::K8sExec, true)));
    let get = "GET /api/v1/namespaces/web/pods/p";
    assert_eq!(unsupported(get, &spdy), Ok((Verb::K8sGet, true)));
    assert_eq!(unsupported(get, &[]), Ok((Verb::K8sGet, false)));
    for name in [
        "impersonate-user",
        "impersonate-group",
        "impersonate-extra-scopes",
    ] {
        let refused = unsupported(get, &[(name, "root")]).unwrap_err();
        assert_eq!(refused.status, 403, "{name}");
    }
    assert_eq!(unsupported(get, &[("x_y", "1")]).unwrap_err().status, 400);
}

#[test]
fn the_command_of_exec_is_told_as_it_would_be_typed() {
    let command = |query: &str| {
        let target = format!("/api/v1/namespaces/web/pods/p/exec?{query}");
        let operation = Head::read("POST", &target, &[])
            .unwrap()
            .operation(b"")
            .unwrap();
        let facts = operation.facts.objects.unwrap();
        (facts.command, facts.container)
    };
    let told = |command: &str, container: Option<&str>| {
        (Some(command.to_owned()), container.map(str::to_owned))
    };
    assert_eq!(
        command("command=rm&container=c&command=-rf&command=%2Fa+b&comm%61nd=it%27s&command="),
        told("rm -rf '/a b' 'it'\\''s' ''", Some("c"))
    );
    assert_eq!(command("stdin=true"), (None, None));
    let two = "/api/v1/namespaces/web/pods/p/exec?container=a&container=b";
    assert!(
        Head::read("POST", two, &[])
            .unwrap()
            .operation(b"")
            .is_err()
    );
}
