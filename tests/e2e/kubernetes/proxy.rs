//! What is behind the API server, by its proxies: here the kubelet, which runs commands for whoever asks.

use ostiary_tests::{Result, wait};

use super::cluster::with_cluster;
use crate::of_kind;

const RUN: &str = "/api/v1/nodes/node/proxy/run/web/shell-0/shell";

fn run(command: &str) -> String {
    format!("{RUN}?cmd={}", command.replace(' ', "+"))
}

#[test]
fn a_proxy_needs_a_permit_for_what_is_not_read_as_well() -> Result<()> {
    with_cluster(|it| {
        let marker = it.cluster.folder().join("a-proxy-ran");
        let touch = run(&format!("touch {}", marker.display()));
        for groups in [&["analysts"][..], &["analysts", "streamers"]] {
            let agent = it.agent_in("proxy-denied", groups)?;
            let ran = agent.run(&["create", "--raw", &touch, "-f", "/dev/null"])?;
            assert!(ran.err.contains("(Forbidden)"), "{ran:?}");
            assert!(ran.err.contains("`default-deny`"), "{ran:?}");
        }
        let untouched = touch.replace("/shell?", "/untouched?");
        let agent = it.agent_in("proxy-denied", &["analysts", "reachers"])?;
        let ran = agent.run(&["create", "--raw", &untouched, "-f", "/dev/null"])?;
        assert!(ran.err.contains("`no-touching`"), "{ran:?}");
        assert!(!marker.exists());
        // The very request, permitted: it is what the others were kept from.
        agent
            .run(&["create", "--raw", &touch, "-f", "/dev/null"])?
            .ok()?;
        assert!(marker.exists());
        Ok(())
    })
}

#[test]
fn what_a_proxy_brings_is_masked_and_on_record() -> Result<()> {
    with_cluster(|it| {
        let name = "proxy-masked";
        let agent = it.agent_in(name, &["analysts", "reachers"])?;
        let echo = run("echo ada.brook@example.com").replace('@', "%40");
        let ran = agent
            .run(&["create", "--raw", &echo, "-f", "/dev/null"])?
            .ok()?;
        assert_eq!(ran.out.trim(), "****.com", "{ran:?}");
        let ran = agent.run(&["get", "--raw", "/api/v1/nodes/node/proxy/nothing/here/"])?;
        assert!(ran.err.contains("could not find"), "{ran:?}");
        let auditor = it.stack.auditor()?;
        wait::until("both on record", wait::SOON, || {
            let events = auditor.events_of(name)?;
            let operated = of_kind(&events, "operated");
            let on_record = |text: &str| operated.iter().any(|it| it.to_string().contains(text));
            let replied = of_kind(&events, "replied");
            let masked = replied.iter().any(|it| it["masked"] == 1);
            let all = on_record("k8s:proxy nodes/node/proxy")
                && on_record("POST /api/v1/nodes/node/proxy/run/web/shell-0/shell")
                && on_record("GET /api/v1/nodes/node/proxy/nothing/here/");
            Ok((all && masked).then_some(()))
        })
    })
}

#[test]
fn an_upgrade_inside_of_a_proxy_is_refused_whatever_policy_says() -> Result<()> {
    with_cluster(|it| {
        let path = "/api/v1/nodes/node/proxy/exec/web/shell-0/shell?command=id&output=1";
        for upgrade in ["SPDY/3.1", "websocket"] {
            let arguments = [
                "--http1.1",
                "-X",
                "POST",
                "-H",
                "Connection: Upgrade",
                "-H",
                &format!("Upgrade: {upgrade}"),
                "-H",
                "X-Stream-Protocol-Version: v4.channel.k8s.io",
            ];
            let answer = it.curl_in("proxy-up", &["analysts", "reachers"], path, &arguments)?;
            assert_eq!(answer.status, 403, "{answer:?}");
            assert!(
                answer.body.contains("does not change protocols"),
                "{answer:?}"
            );
        }
        Ok(())
    })
}
