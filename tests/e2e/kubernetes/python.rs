//! The Python client of Kubernetes, which runs commands over WebSocket with v4 channels.

use ostiary_tests::{Result, wait};
use serde_json::Value;

use super::cluster::with_cluster;
use crate::of_kind;

#[test]
fn the_python_client_runs_commands_and_reads_refusals() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent_in("python-exec", &["analysts", "streamers"])?;
        let ran = agent.python("kubernetes_exec.py")?.ok()?;
        let found: Value = serde_json::from_str(&ran.out)?;
        assert_eq!(found["printed"], "****.com\n", "{found}");
        assert_eq!(found["typed"], "typed\n", "{found}");
        assert_eq!(found["code"], 3, "{found}");
        let denied = found["denied"].to_string();
        assert!(
            denied.contains("403") && denied.contains("denied by rule `no-env`"),
            "{found}"
        );
        let auditor = it.stack.auditor()?;
        wait::until("what was typed on record", wait::SOON, || {
            let events = auditor.events_of("python-exec")?;
            let said = |channel: &str, text: &str| {
                let streamed = of_kind(&events, "streamed");
                streamed
                    .iter()
                    .any(|it| it["channel"] == channel && it["text"] == text)
            };
            let operated = of_kind(&events, "operated");
            let v4 = operated
                .iter()
                .all(|it| it.to_string().contains("v4.channel.k8s.io"));
            let all = said("stdin", "typed\n") && said("stdout", "****.com\n") && v4;
            Ok(all.then_some(()))
        })
    })
}
