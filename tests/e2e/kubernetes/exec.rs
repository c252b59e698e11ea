//! exec and attach through a real API server to Kubernetes' own streaming code, over each carrier.

use std::{thread, time::Duration};

use ostiary_tests::{Result, kubernetes::Kubectl, process::Ran, wait};

use super::cluster::with_cluster;
use crate::of_kind;

/// kubectl takes WebSocket if it is not told otherwise.
const CARRIERS: [(&str, &str); 2] = [("websocket", "true"), ("spdy", "false")];
const PATIENCE: Duration = Duration::from_secs(60);

fn exec(
    agent: &Kubectl,
    carrier: &str,
    flags: &[&str],
    command: &[&str],
    input: &str,
) -> Result<Ran> {
    let arguments = [&["exec"], flags, &["shell-0", "--"], command].concat();
    let carrier = [("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", carrier)];
    agent
        .start_with(&carrier, &arguments, input)?
        .finish(PATIENCE)
}

#[test]
fn what_a_command_prints_is_masked_and_its_exit_code_comes_through() -> Result<()> {
    with_cluster(|it| {
        for (name, carrier) in CARRIERS {
            let agent = it.agent_in(&format!("exec-{name}"), &["analysts", "streamers"])?;
            let script = "at=@; echo out ada.brook${at}example.com; echo err bob${at}example.com >&2; printf 'no end'; exit 7";
            let ran = exec(&agent, carrier, &[], &["sh", "-c", script], "")?.exits(7)?;
            assert!(ran.out.starts_with("out ****.com\n"), "{name}: {ran:?}");
            assert!(ran.out.ends_with("no end"), "{name}: {ran:?}");
            assert!(ran.err.starts_with("err ****.com\n"), "{name}: {ran:?}");
            let auditor = it.stack.auditor()?;
            let session = wait::until("all of it on record", wait::SOON, || {
                let events = auditor.events_of(&format!("exec-{name}"))?;
                let replied = of_kind(&events, "replied");
                let ended = replied.iter().any(|event| event["exit_code"] == 7);
                assert!(!format!("{events:?}").contains("ada.brook@"));
                let text: String = of_kind(&events, "streamed")
                    .iter()
                    .filter(|event| event["channel"] == "stdout")
                    .filter_map(|event| event["text"].as_str())
                    .collect();
                let session = of_kind(&events, "streamed")
                    .first()
                    .map(|event| event["session_id"].clone());
                Ok(session.filter(|_| ended && text == "out ****.com\nno end"))
            })?;
            let id = session.as_str().unwrap_or_default();
            let replayed = auditor
                .run(&["sessions", "replay", id, "--instant"])?
                .ok()?;
            assert!(replayed.out.contains("| out ****.com"), "{replayed:?}");
            assert!(replayed.out.contains("exit code 7"), "{replayed:?}");
            let cast = auditor.run(&["sessions", "export", id])?.ok()?;
            let lines: Vec<serde_json::Value> = cast
                .out
                .lines()
                .map(serde_json::from_str)
                .collect::<std::result::Result<_, _>>()?;
            assert_eq!(lines[0]["version"], 3, "{cast:?}");
            assert!(
                lines[1..].iter().any(|it| it[1] == "x" && it[2] == "7"),
                "{cast:?}"
            );
            assert!(!cast.out.contains("ada.brook@"), "{cast:?}");
        }
        Ok(())
    })
}

#[test]
fn what_is_typed_and_much_output_go_through_whole() -> Result<()> {
    with_cluster(|it| {
        for (name, carrier) in CARRIERS {
            let agent = it.agent_in(&format!("bulk-{name}"), &["analysts", "streamers"])?;
            let input: String = (0..60_000).map(|n| format!("line {n}\n")).collect();
            let ran = exec(&agent, carrier, &["-i"], &["cat"], &input)?.ok()?;
            assert!(
                ran.out == input,
                "{name}: {} of {}",
                ran.out.len(),
                input.len()
            );
            let ran = exec(&agent, carrier, &[], &["seq", "1000000"], "")?.ok()?;
            assert_eq!(ran.out.lines().count(), 1_000_000, "{name}");
            assert_eq!(ran.out.lines().last(), Some("1000000"), "{name}");
        }
        Ok(())
    })
}

#[test]
fn a_prompt_without_an_end_of_line_is_seen_before_it_is_answered() -> Result<()> {
    with_cluster(|it| {
        for (name, carrier) in CARRIERS {
            let agent = it.agent_in(&format!("prompt-{name}"), &["analysts", "streamers"])?;
            // The terminal answers the prompts once it has seen them.
            let script = r#"
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    ask = 'printf "first? "; read a; printf "second? "; read b; echo "$a and $b"'
    os.execvp(sys.argv[1], [sys.argv[1], "exec", "-it", "shell-0", "--", "sh", "-c", ask])
seen = b""
def until(what):
    global seen
    while what not in seen:
        seen += os.read(fd, 1000)
until(b"first? "); os.write(fd, b"one\n")
until(b"second? "); os.write(fd, b"two\n")
until(b"one and two")
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(status))
"#;
            let ran = agent
                .on_terminal(script, &[("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", carrier)])?
                .ok()?;
            assert!(ran.out.contains("one and two"), "{name}: {ran:?}");
        }
        Ok(())
    })
}

#[test]
fn attach_goes_through_as_well() -> Result<()> {
    with_cluster(|it| {
        for (name, carrier) in CARRIERS {
            let agent = it.agent_in(&format!("attach-{name}"), &["analysts", "streamers"])?;
            let carrier = [("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", carrier)];
            let ran = agent.start_with(&carrier, &["attach", "-i", "shell-0"], "hello\n")?;
            let ran = ran.finish(PATIENCE)?.ok()?;
            assert!(ran.out.contains("HELLO"), "{name}: {ran:?}");
        }
        Ok(())
    })
}

#[test]
fn a_refused_command_is_a_status_and_never_runs() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent_in("refused-exec", &["analysts", "streamers"])?;
        let marker = it.cluster.folder().join("it-ran");
        let command = format!("env > {}", marker.display());
        for (name, carrier) in CARRIERS {
            let ran = exec(&agent, carrier, &[], &["env", "sh", "-c", &command], "")?.exits(1)?;
            assert!(
                ran.err.contains("(Forbidden)") && ran.err.contains("`no-env`"),
                "{name}: {ran:?}"
            );
        }
        assert!(!marker.exists());
        Ok(())
    })
}

#[test]
fn the_example_permits_a_look_and_no_more() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent_in("looks", &["analysts"])?;
        exec(&agent, "true", &[], &["df", "-h"], "")?.ok()?;
        let ran = exec(&agent, "true", &[], &["df", "-h", "/"], "")?.exits(1)?;
        assert!(ran.err.contains("`default-deny`"), "{ran:?}");
        Ok(())
    })
}

#[test]
fn exec_waits_until_a_reviewer_agrees() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent_in("asking-exec", &["analysts", "askers"])?;
        let rita = it.stack.reviewer("rita")?;
        for (name, carrier) in CARRIERS {
            let word = format!("said over {name}");
            let waiting = {
                let (agent, word) = (agent.clone(), word.clone());
                thread::spawn(move || exec(&agent, carrier, &[], &["echo", &word], ""))
            };
            let approval = rita.pending(&format!("echo 'said over {name}'"))?;
            let id = approval["id"].as_str().unwrap_or_default();
            rita.run(&[
                "approvals",
                "approve",
                id,
                "--yes",
                "--comment",
                "in a test",
            ])?
            .ok()?;
            let ran = waiting.join().unwrap()?.ok()?;
            assert_eq!(ran.out, format!("{word}\n"), "{ran:?}");
        }
        Ok(())
    })
}

#[test]
fn a_reviewer_who_says_no_is_asked_once() -> Result<()> {
    with_cluster(|it| {
        let rita = it.stack.reviewer("rita")?;
        for (name, carrier) in CARRIERS {
            let agent = it.agent_in(&format!("denied-exec-{name}"), &["analysts", "askers"])?;
            let word = format!("no over {name}");
            let waiting = {
                let (agent, word) = (agent.clone(), word.clone());
                thread::spawn(move || exec(&agent, carrier, &[], &["echo", &word], ""))
            };
            let approval = rita.pending(&format!("echo '{word}'"))?;
            let id = approval["id"].as_str().unwrap_or_default();
            let deny = ["approvals", "deny", id, "--yes", "--comment", "in a test"];
            rita.run(&deny)?.ok()?;
            // kubectl tries SPDY when it is refused over WebSocket.
            let ran = waiting.join().unwrap()?.exits(1)?;
            assert!(ran.err.contains("denied by rita: in a test"), "{ran:?}");
            let all = rita.json(&["approvals", "list", "--all"])?;
            let all = all["approvals"].as_array().cloned().unwrap_or_default();
            let asked = all
                .iter()
                .filter(|it| it["statement"].to_string().contains(&word));
            assert_eq!(asked.count(), 1, "{name}");
        }
        Ok(())
    })
}

#[test]
fn an_operator_ends_a_session_and_its_streams() -> Result<()> {
    with_cluster(|it| {
        let agent = it.agent_in("ended-exec", &["analysts", "streamers"])?;
        let mut running = agent.start(
            &[
                "exec",
                "shell-0",
                "--",
                "sh",
                "-c",
                "echo up; exec sleep 1000",
            ],
            "",
        )?;
        let auditor = it.stack.auditor()?;
        let id = wait::until("it runs", wait::SOON, || {
            let events = auditor.events_of("ended-exec")?;
            let up = of_kind(&events, "streamed")
                .iter()
                .any(|event| event["text"] == "up\n");
            let id = events.first().map(|event| event["session_id"].clone());
            Ok(id.filter(|_| up))
        })?;
        assert!(!running.has_ended()?);
        let id = id.as_str().unwrap_or_default();
        let administrator = it.stack.administrator()?;
        administrator.run(&["sessions", "kill", id])?.ok()?;
        let ran = running.finish(PATIENCE)?;
        assert_ne!(ran.code, 0, "{ran:?}");
        Ok(())
    })
}
