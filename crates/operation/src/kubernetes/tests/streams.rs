//! Requests for streams, and for what is behind the server.

use super::*;

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
