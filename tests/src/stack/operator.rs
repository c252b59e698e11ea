//! People who run the CLI.

use std::{process::Command, time::Duration};

use serde_json::Value;

use crate::{
    Context as _, Result,
    process::{Ran, Started},
    tools, wait,
};

/// Longest run of one CLI command.
const COMMAND: Duration = Duration::from_secs(30);

/// Someone who runs the CLI against a control plane.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The control plane.
    pub address: String,
    /// Who they are.
    pub token: String,
}

impl Operator {
    /// Runs `ostiary` with these arguments.
    pub fn run(&self, arguments: &[&str]) -> Result<Ran> {
        self.start(arguments)?.finish(COMMAND)
    }

    /// The same, still running.
    pub fn start(&self, arguments: &[&str]) -> Result<Started> {
        let mut command = Command::new(tools::ostiary()?);
        command
            .args(arguments)
            .env("OSTIARY_ADDRESS", &self.address)
            .env("OSTIARY_TOKEN", &self.token);
        Started::new(command, "")
    }

    /// Runs a command that must succeed and reads its answer.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        let ran = self
            .run(&[&["--output", "json"], arguments].concat())?
            .ok()?;
        serde_json::from_str(&ran.out)
            .with_context(|| format!("JSON of {arguments:?}: {}", ran.out))
    }

    /// The same for a command that prints one object a line.
    pub fn json_lines(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        let ran = self
            .run(&[&["--output", "json"], arguments].concat())?
            .ok()?;
        ran.out
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("JSON: {line}")))
            .collect()
    }

    /// Waits for a pending approval whose statement holds this text.
    pub fn pending(&self, text: &str) -> Result<Value> {
        wait::until(&format!("an approval of `{text}`"), wait::SOON, || {
            let answer = self.json(&["approvals", "list"])?;
            let all = answer["approvals"].as_array().cloned().unwrap_or_default();
            Ok(all
                .into_iter()
                .find(|it| it["statement"].as_str().is_some_and(|it| it.contains(text))))
        })
    }

    /// Waits until an approval has this state, and reads it.
    pub fn settled(&self, id: &str, state: &str) -> Result<Value> {
        wait::until(&format!("approval {id} to be {state}"), wait::SOON, || {
            let approval = self.json(&["approvals", "show", id])?;
            Ok((approval["state"] == state).then_some(approval))
        })
    }

    /// The sessions of a subject, newest first.
    pub fn sessions(&self, subject: &str) -> Result<Vec<Value>> {
        let answer = self.json(&["sessions", "list", "--subject", subject])?;
        Ok(answer["sessions"].as_array().cloned().unwrap_or_default())
    }

    /// Waits until the newest session of a subject is closed, and reads its events.
    pub fn recorded(&self, subject: &str) -> Result<Vec<Value>> {
        let session = wait::until(&format!("the record of {subject}"), wait::SOON, || {
            let newest = self.sessions(subject)?.into_iter().next();
            Ok(newest.filter(|session| !session["closed"].is_null()))
        })?;
        self.events(session["id"].as_str().context("a session id")?)
    }

    /// Every event of every session of a subject so far.
    pub fn events_of(&self, subject: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        for session in self.sessions(subject)? {
            all.extend(self.events(session["id"].as_str().context("a session id")?)?);
        }
        Ok(all)
    }

    /// The events of a session so far.
    pub fn events(&self, session: &str) -> Result<Vec<Value>> {
        self.json_lines(&["sessions", "replay", "--instant", session])
    }
}
