//! exec, attach, port-forward and proxy: verbs of their own, whatever carries them.

use ostiary_tests::{Result, wait};

use crate::of_kind;

use super::cluster::with_cluster;

const POD: &str = "/api/v1/namespaces/web/pods/api-0";

/// kubectl's ways in, and the verb of each.
const WAYS: [(&[&str], &str); 4] = [
    (
        &["exec", "api-0", "--", "id"],
        "k8s:exec pods/api-0/exec in web",
    ),
    (&["attach", "api-0"], "k8s:attach pods/api-0/attach in web"),
    (
        &["port-forward", "pod/api-0", "18080:80"],
        "k8s:portforward pods/api-0/portforward in web",
    ),
    (
        &[
            "get",
            "--raw",
            "/api/v1/namespaces/web/pods/api-0/proxy/etc",
        ],
        "k8s:proxy pods/api-0/proxy in web",
    ),
];

#[test]
fn kubectl_is_told_that_a_way_in_is_denied_and_it_is_on_record() -> Result<()> {
    with_cluster(|it| {
        for (groups, said) in [
            (
                &["analysts"][..],
                "denied by rule `default-deny`: nothing permits",
            ),
            // What is behind is not read, and nothing says that it may pass so.
            (&["analysts", "streamers"], "could not be read"),
        ] {
            let name = format!("ways-{}", groups.len());
            let agent = it.agent_in(&name, groups)?;
            for (arguments, verb) in WAYS {
                if arguments.contains(&"attach") || arguments.contains(&"port-forward") {
                    // kubectl itself asks only of pods that run.
                    continue;
                }
                if groups.contains(&"streamers") && arguments.contains(&"exec") {
                    // It is passed on: see exec.rs. This pod has no node.
                    let ran = agent.run(arguments)?;
                    assert!(ran.err.contains("does not have a host"), "{ran:?}");
                    continue;
                }
                let ran = agent.run(arguments)?;
                assert_ne!(ran.code, 0, "{verb}: {ran:?}");
                assert!(ran.err.contains(said), "{verb}: {ran:?}");
            }
            for way in ["attach?stdout=1", "portforward"] {
                let upgrade = [
                    "-X",
                    "POST",
                    "-H",
                    "Connection: Upgrade",
                    "-H",
                    "Upgrade: SPDY/3.1",
                ];
                let path = format!("{POD}/{way}");
                let token = it.stack.issuer().token(&name, groups)?;
                let answer = it.curl_as(&token, &path, &[&["--http1.1"], &upgrade[..]].concat())?;
                assert_eq!(answer.status, 403, "{answer:?}");
                // What policy permits, and the gateway cannot follow, is refused as well.
                let said = match groups.contains(&"streamers") && way.starts_with("attach") {
                    true => "the gateway cannot pass this",
                    false => said,
                };
                assert!(answer.body.contains(said), "{answer:?}");
            }
            let auditor = it.stack.auditor()?;
            wait::until("each on record as what it is", wait::SOON, || {
                let events = auditor.events_of(&name)?;
                let on_record = |verb: &str| {
                    let mut all = of_kind(&events, "operated").into_iter();
                    all.any(|event| event.to_string().contains(verb))
                };
                Ok(WAYS.iter().all(|(_, verb)| on_record(verb)).then_some(()))
            })?;
        }
        Ok(())
    })
}

#[test]
fn an_upgrade_is_judged_as_what_it_does_whatever_carries_it() -> Result<()> {
    with_cluster(|it| {
        let websocket = [
            "-H",
            "Connection: Upgrade",
            "-H",
            "Upgrade: websocket",
            "-H",
            "Sec-WebSocket-Version: 13",
            "-H",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "-H",
            "Sec-WebSocket-Protocol: v4.channel.k8s.io",
        ];
        let spdy = [
            "-X",
            "POST",
            "-H",
            "Connection: Upgrade",
            "-H",
            "Upgrade: SPDY/3.1",
        ];
        let plain = ["-X", "POST"];
        for (version, arguments) in [
            ("--http1.1", &websocket[..]),
            ("--http1.1", &spdy[..]),
            ("--http1.1", &plain[..]),
            ("--http2", &plain[..]),
            ("--http1.1", &[][..]),
            ("--http2", &[][..]),
        ] {
            for way in [
                "exec?command=id&stdout=1",
                "exec?command=id&watch=true",
                "attach",
                "portforward",
                "proxy/a",
            ] {
                let path = format!("{POD}/{way}");
                let answer = it.curl("upgrades", &path, &[&[version], arguments].concat())?;
                assert_eq!(answer.status, 403, "{version} {way}: {answer:?}");
                let status = answer.json()?;
                assert!(
                    status["message"]
                        .as_str()
                        .is_some_and(|it| it.contains("default-deny")),
                    "{status}"
                );
            }
        }
        // A permitted request to read that would become something else.
        for upgrade in [
            &websocket[..],
            &["-H", "Connection: Upgrade", "-H", "Upgrade: SPDY/3.1"],
        ] {
            let answer = it.curl("upgrades", POD, &[&["--http1.1"], upgrade].concat())?;
            assert_eq!(answer.status, 403, "{answer:?}");
            assert!(
                answer.body.contains("does not change protocols"),
                "{answer:?}"
            );
        }
        Ok(())
    })
}
