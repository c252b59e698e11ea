//! Requests that would be something else than they look.

use ostiary_tests::Result;

use super::cluster::with_cluster;

#[test]
fn nobody_becomes_somebody_else() -> Result<()> {
    with_cluster(|it| {
        // The server itself would do as it is told.
        let direct = it.admin.run(&["--as=nobody", "get", "pods"])?.exits(1)?;
        assert!(direct.err.contains("User \"nobody\""), "{direct:?}");
        let agent = it.agent("pretender")?;
        agent.run(&["get", "pods"])?.ok()?;
        for arguments in [
            &["--as=admin", "get", "pods"][..],
            &["--as=admin", "--as-group=system:masters", "get", "pods"],
        ] {
            let ran = agent.run(arguments)?.exits(1)?;
            assert!(
                ran.err.contains("(Forbidden)") && ran.err.contains("does not impersonate"),
                "{ran:?}"
            );
        }
        for header in [
            "Impersonate-User: admin",
            "IMPERSONATE-GROUP: system:masters",
            "Impersonate-Uid: 1",
            "impersonate-extra-scopes: all",
        ] {
            for version in ["--http1.1", "--http2"] {
                let path = "/api/v1/namespaces/web/pods";
                let answer = it.curl("pretender", path, &[version, "-H", header])?;
                assert_eq!(answer.status, 403, "{header}: {answer:?}");
                assert_eq!(answer.json()?["kind"], "Status", "{answer:?}");
            }
        }
        // Headers of a proxy before the server count for nothing.
        let remote = [
            "-H",
            "X-Remote-User: admin",
            "-H",
            "X-Remote-Group: system:masters",
        ];
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let answer = it.curl("pretender", path, &remote)?;
        assert_ne!(answer.status, 200, "{answer:?}");
        Ok(())
    })
}

#[test]
fn a_path_has_one_reading_or_none() -> Result<()> {
    with_cluster(|it| {
        let system = "/api/v1/namespaces/kube-system/secrets/root";
        assert_eq!(it.curl("paths", system, &[])?.status, 403);
        assert_eq!(
            it.curl("paths", "/api/v1/namespaces/web/secrets/db", &[])?
                .status,
            200
        );
        for path in [
            "/api/v1//namespaces/kube-system/secrets/root",
            "/api//v1/namespaces/kube-system/secrets/root",
            "//api/v1/namespaces/kube-system/secrets/root",
            "/api/v1/namespaces/web/../kube-system/secrets/root",
            "/api/v1/namespaces/web/%2e%2e/kube-system/secrets/root",
            "/api/v1/namespaces/web/..;/kube-system/secrets/root",
            "/api/v1/namespaces/kube%2dsystem/secrets/root",
            "/api/v1/namespaces/kube-system%2fsecrets/root",
            "/api/v1/namespaces/KUBE-SYSTEM/secrets/root",
            "/api/v1/namespaces/kube-system;x/secrets/root",
            "/api/v1/namespaces/kube-system/secrets/root/",
            "/api/v1/namespaces/kube-system/secrets/root?watch=true",
            "/api/v1/namespaces/kube-system/secrets",
            "/api/v1/watch/namespaces/kube-system/secrets/root?timeoutSeconds=1",
            "/api/v1/watch/secrets?timeoutSeconds=1",
            "/api/v1/secrets",
            "/api/v1/secrets?fieldSelector=metadata.namespace=kube-system",
            "/api/v1/secrets?fieldSelector=metadata.namespace=web",
            "/API/v1/namespaces/kube-system/secrets/root",
            "/api/v1/proxy/namespaces/kube-system/pods/x",
        ] {
            let answer = it.curl("paths", path, &[])?;
            assert!(matches!(answer.status, 400 | 403), "{path}: {answer:?}");
            assert!(!answer.body.contains("\"data\""), "{path}: {answer:?}");
        }
        Ok(())
    })
}

#[test]
fn a_body_that_is_not_read_does_not_pass() -> Result<()> {
    with_cluster(|it| {
        let path = "/api/v1/namespaces/web/services";
        for (kind, body, status) in [
            ("application/vnd.kubernetes.protobuf", "k8s\u{1}", 403),
            ("application/cbor", "x", 415),
            (
                "application/yaml",
                "kind: Service\napiVersion: v1\nmetadata: {name: unread}\n",
                403,
            ),
            ("text/plain", "{}", 403),
            (
                "application/json",
                r#"{"kind":"Service","apiVersion":"v1","metadata":{"name":"unread"},"metadata":{"name":"unread"}}"#,
                400,
            ),
            ("application/json", r#"{"kind":"Service""#, 400),
        ] {
            let kind = format!("Content-Type: {kind}");
            let answer = it.curl("bodies", path, &["-H", &kind, "--data-binary", body])?;
            assert_eq!(answer.status, status, "{kind}: {answer:?}");
            let shown = answer.json()?;
            assert_eq!(shown["kind"], "Status", "{shown}");
            assert_eq!(shown["code"], status, "{shown}");
        }
        assert_eq!(it.admin.run(&["get", "service", "unread"])?.code, 1);
        Ok(())
    })
}
