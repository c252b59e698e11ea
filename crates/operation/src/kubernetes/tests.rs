//! Tables of requests and what is made of them.

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
fn streams_are_asked_for_in_one_known_form() {
    let websocket = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        (
            "sec-websocket-protocol",
            "v5.channel.k8s.io, v3.channel.k8s.io",
        ),
        ("sec-websocket-protocol", "v4.channel.k8s.io"),
    ];
    let spdy = [
        ("connection", "Upgrade"),
        ("upgrade", "SPDY/3.1"),
        ("content-length", "0"),
        ("x-stream-protocol-version", "v5.channel.k8s.io"),
        ("x-stream-protocol-version", "v4.channel.k8s.io"),
        ("x-stream-protocol-version", "channel.k8s.io"),
    ];
    let read = |method: &str, headers: &[(&str, &str)]| {
        let owned = |it: &(&str, &str)| (it.0.to_owned(), it.1.to_owned());
        let headers: Vec<_> = headers.iter().map(owned).collect();
        let target = "/api/v1/namespaces/web/pods/p/exec?command=ls&tty=true";
        let head = Head::read(method, target, &headers).unwrap();
        assert_eq!(head.streams().is_none(), head.unsupported().is_some());
        head.streams().cloned()
    };
    let found = read("GET", &websocket).unwrap();
    assert_eq!(found.offers, ["v5.channel.k8s.io", "v4.channel.k8s.io"]);
    assert!(found.tty && found.carrier == Carrier::WebSocket);
    for method in ["GET", "POST"] {
        let found = read(method, &spdy).unwrap();
        assert_eq!(found.offers, ["v4.channel.k8s.io"]);
        assert_eq!(found.carrier, Carrier::Spdy);
    }
    assert_eq!(read("POST", &websocket), None);
    let with = |headers: &[(&'static str, &'static str)], name: &'static str, value| {
        let others = headers.iter().filter(|(it, _)| *it != name);
        others.copied().chain([(name, value)]).collect::<Vec<_>>()
    };
    for (what, headers) in [
        ("another upgrade", with(&websocket, "upgrade", "h2c")),
        ("two upgrades", [&websocket[..], &spdy[1..2]].concat()),
        ("no connection", with(&websocket, "connection", "close")),
        (
            "base64",
            with(
                &websocket,
                "sec-websocket-protocol",
                "base64.channel.k8s.io",
            ),
        ),
        ("no version", with(&websocket, "sec-websocket-version", "8")),
        ("a body", with(&spdy, "content-length", "5")),
        (
            "a body in parts",
            with(&spdy, "transfer-encoding", "chunked"),
        ),
        (
            "old channels",
            with(&spdy, "x-stream-protocol-version", "v3.channel.k8s.io"),
        ),
    ] {
        assert_eq!(read("GET", &headers), None, "{what}");
    }
}

#[test]
fn ports_are_asked_for_in_one_known_form() {
    let websocket = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "SPDY/3.1+portforward.k8s.io"),
    ];
    let spdy = [
        ("connection", "Upgrade"),
        ("upgrade", "SPDY/3.1"),
        ("x-stream-protocol-version", "portforward.k8s.io"),
    ];
    let read = |target: &str, method: &str, headers: &[(&str, &str)]| {
        let owned = |it: &(&str, &str)| (it.0.to_owned(), it.1.to_owned());
        let headers: Vec<_> = headers.iter().map(owned).collect();
        let head = Head::read(method, target, &headers).unwrap();
        match head.unsupported() {
            None => Ok(head.streams().map(|it| (it.purpose, it.carrier))),
            Some(why) => Err(why),
        }
    };
    let pod = "/api/v1/namespaces/web/pods/p/portforward";
    let found = |carrier| Ok(Some((Purpose::Ports, carrier)));
    assert_eq!(read(pod, "GET", &websocket), found(Carrier::WebSocket));
    assert_eq!(read(pod, "POST", &spdy), found(Carrier::Spdy));
    let channels = |name, value| [&spdy[..2], &[(name, value)]].concat();
    for headers in [
        channels("x-stream-protocol-version", "v4.channel.k8s.io"),
        channels("x-stream-protocol-version", ""),
        [
            &websocket[..4],
            &[("sec-websocket-protocol", "v4.channel.k8s.io")],
        ]
        .concat(),
        Vec::new(),
    ] {
        assert!(read(pod, "GET", &headers).is_err(), "{headers:?}");
    }
    let exec = "/api/v1/namespaces/web/pods/p/exec?command=ls";
    assert!(read(exec, "POST", &spdy).is_err());
    for other in [
        "/apis/subresources.kubevirt.io/v1/namespaces/web/virtualmachineinstances/vm/portforward",
        "/api/v1/namespaces/web/services/s/portforward",
    ] {
        assert!(read(other, "POST", &spdy).is_err(), "{other}");
    }
    // An upgrade inside of a proxy is none that could be followed.
    let proxy = "/api/v1/namespaces/web/pods/p/proxy/exec";
    assert_eq!(read(proxy, "GET", &[]), Ok(None));
    assert!(read(proxy, "GET", &websocket).is_err());
    for other in [
        "/apis/example.com/v1/namespaces/web/things/t/proxy/a",
        "/api/v1/namespaces/web/secrets/s/proxy/a",
        "/api/v1/proxy/nodes/n/exec",
    ] {
        assert!(read(other, "GET", &[]).is_err(), "{other}");
    }
}

#[test]
fn a_proxy_is_told_as_whom_it_leads_to_and_for_what() {
    let told = |target: &str| {
        let operation = Head::read("POST", target, &[]).and_then(|it| it.operation(b"a"));
        let facts = operation.map(|it| {
            assert!(it.facts.unreadable.is_some(), "{target}");
            it.facts.objects.unwrap_or_default()
        });
        facts.map(|it| (it.name.unwrap(), it.port, it.path.unwrap(), it.dry_run))
    };
    let at = "/api/v1/namespaces/web/services";
    for (target, name, port, path) in [
        (format!("{at}/api/proxy"), "api", None, "/"),
        (format!("{at}/api:web/proxy/"), "api", Some("web"), "/"),
        (
            format!("{at}/https:api:443/proxy/a/b/?dryRun=All"),
            "api",
            Some("443"),
            "/a/b/",
        ),
        (
            format!("{at}/:api:/proxy/a%20b?path=c"),
            "api",
            None,
            "/a b",
        ),
        (
            "/api/v1/nodes/n:10250/proxy/run/web/p/c".to_owned(),
            "n",
            Some("10250"),
            "/run/web/p/c",
        ),
    ] {
        let expected = (
            name.to_owned(),
            port.map(str::to_owned),
            path.to_owned(),
            false,
        );
        assert_eq!(told(&target), Ok(expected), "{target}");
    }
    for name in ["ftp:api:21", "a:b:c:d", ":80", "http::80"] {
        assert!(told(&format!("{at}/{name}/proxy/a")).is_err(), "{name}");
    }
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
