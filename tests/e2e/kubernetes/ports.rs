//! `kubectl port-forward` through a real API server to Kubernetes' own streaming code, over each carrier.

use std::{net::TcpStream, process::Command, time::Duration};

use ostiary_tests::{
    Result,
    api::{Answer, Api},
    http::Response,
    kubernetes::Kubectl,
    ports,
    process::{Ran, Started},
    wait,
};

use super::cluster::with_cluster;
use crate::of_kind;

/// kubectl from 1.31 on takes WebSocket if it is not told otherwise; older ones know SPDY only.
const CARRIERS: [(&str, &str); 2] = [("websocket", "true"), ("spdy", "false")];
const PATIENCE: Duration = Duration::from_secs(60);

/// kubectl that forwards a port of this machine to one of the pod, and the former.
fn forward(agent: &Kubectl, carrier: &str, port: u16) -> Result<(Started, u16)> {
    let local = ports::free();
    let carrier = [("KUBECTL_PORT_FORWARD_WEBSOCKETS", carrier)];
    let pair = format!("{local}:{port}");
    let arguments = ["port-forward", "pod/shell-0", &pair, "--address=127.0.0.1"];
    let mut running = agent.start_with(&carrier, &arguments, "")?;
    wait::until_true("kubectl to listen", PATIENCE, || {
        // A connection would be one on record.
        Ok(running.has_ended()? || std::net::TcpListener::bind(("127.0.0.1", local)).is_err())
    })?;
    Ok((running, local))
}

fn refused(agent: &Kubectl, carrier: &str, port: u16) -> Result<Ran> {
    forward(agent, carrier, port)?.0.finish(PATIENCE)
}

fn get(port: u16, path: &str) -> Result<Response> {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-i", "-m", "30", "--noproxy", "*"]);
    curl.arg(format!("http://127.0.0.1:{port}{path}"));
    Response::parse(&Started::new(curl, "")?.finish(PATIENCE)?.ok()?.out)
}

#[test]
fn a_port_is_reached_where_policy_says_so_and_is_on_record() -> Result<()> {
    with_cluster(|it| {
        let long = "0123456789abcdef".repeat(64 << 10);
        let body = long.clone();
        let api = Api::start(move |_| {
            Answer::new(200, &[("content-type", "text/plain")], body.as_bytes())
        })?;
        for (name, carrier) in CARRIERS {
            let agent = it.agent_in(&format!("ports-{name}"), &["analysts", "reachers"])?;
            let (running, local) = forward(&agent, carrier, api.port())?;
            for path in ["/first", "/second"] {
                let answer = get(local, &format!("{path}-{name}"))?;
                assert_eq!(answer.status, 200, "{name}");
                assert!(answer.body == long, "{name}: {} bytes", answer.body.len());
                assert_eq!(api.seen(&format!("{path}-{name}")).len(), 1);
            }
            drop(running);
            let auditor = it.stack.auditor()?;
            wait::until("all of it on record", wait::SOON, || {
                let events = auditor.events_of(&format!("ports-{name}"))?;
                let operated = of_kind(&events, "operated");
                // Once: kubectl did not have to fall back.
                let forwarded = operated.iter().filter(|it| {
                    let text = it.to_string();
                    text.contains("k8s:portforward pods/shell-0/portforward")
                });
                let on_record = forwarded.count() == 1;
                let streamed = of_kind(&events, "streamed");
                let sizes = |channel: &str| {
                    let of = streamed.iter().filter(|it| it["channel"] == channel);
                    let of = of.filter(|it| it["port"] == api.port());
                    of.filter_map(|it| it["size"].as_u64())
                        .filter(|it| *it > 0)
                        .collect::<Vec<_>>()
                };
                let (to, from) = (sizes("to port"), sizes("from port"));
                let counted = to.len() == 2 && from.len() == 2;
                let whole = from.iter().all(|it| *it > 1 << 20);
                let ended = of_kind(&events, "replied").iter().any(|it| {
                    it["error"] == "" && it["bytes"].as_u64().is_some_and(|it| it > 2 << 20)
                });
                assert!(
                    !events
                        .iter()
                        .any(|it| it.to_string().contains("0123456789abcdef0"))
                );
                Ok((on_record && counted && whole && ended).then_some(()))
            })?;
        }
        Ok(())
    })
}

#[test]
fn a_port_is_not_reached_without_a_permit_for_what_is_not_read() -> Result<()> {
    with_cluster(|it| {
        let api = Api::start(|_| Answer::json("{}"))?;
        for groups in [&["analysts"][..], &["analysts", "streamers"]] {
            for (name, carrier) in CARRIERS {
                let agent = it.agent_in("ports-denied", groups)?;
                let ran = refused(&agent, carrier, api.port())?;
                assert_ne!(ran.code, 0, "{name}: {ran:?}");
                assert!(ran.err.contains("`default-deny`"), "{name}: {ran:?}");
            }
        }
        assert!(api.seen("").is_empty());
        Ok(())
    })
}

#[test]
fn a_port_that_a_policy_names_ends_the_connection_before_it_is_reached() -> Result<()> {
    with_cluster(|it| {
        for (name, carrier) in CARRIERS {
            let name = format!("ports-named-{name}");
            let agent = it.agent_in(&name, &["analysts", "reachers"])?;
            let (running, local) = forward(&agent, carrier, 5432)?;
            let _connection = TcpStream::connect(("127.0.0.1", local))?;
            let ran = running.finish(PATIENCE)?;
            assert_ne!(ran.code, 0, "{ran:?}");
            let auditor = it.stack.auditor()?;
            wait::until("the refusal on record", wait::SOON, || {
                let events = auditor.events_of(&name)?;
                let why = "port 5432: denied by rule `no-database`: the database is not for agents";
                let replied = of_kind(&events, "replied");
                Ok(replied.iter().any(|it| it["error"] == why).then_some(()))
            })?;
        }
        Ok(())
    })
}
