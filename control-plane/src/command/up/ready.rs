//! What is said once agents can connect: a line for each resource, and a file for scripts.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{command::Failure, output::Printer, private};

/// Addresses, for people and scripts.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    pub(super) control_plane: String,
    pub(super) admin: String,
    pub(super) dev_issuer: Option<DevIssuer>,
    pub(super) resources: Vec<ReadyResource>,
}

#[derive(Clone, Debug)]
pub(super) struct DevIssuer {
    pub(super) url: String,
    pub(super) state: PathBuf,
}

#[derive(Clone, Debug)]
pub(super) struct ReadyResource {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) listen: String,
    pub(super) address: String,
    pub(super) role: String,
    pub(super) upstream: &'static str,
}

impl Ready {
    /// Prints it.
    pub(super) fn print(&self, printer: Printer) -> Result<(), Failure> {
        if printer.is_json() {
            return Ok(printer.object(&self.json())?);
        }
        printer.line(&format!("control plane  {}", self.control_plane))?;
        if let Some(issuer) = &self.dev_issuer {
            let state = issuer.state.display();
            printer.line(&format!(
                "dev issuer     {} (dev token --state {state})",
                issuer.url
            ))?;
        }
        let width = self
            .resources
            .iter()
            .map(|it| it.name.len())
            .max()
            .unwrap_or(0);
        for it in &self.resources {
            let role = match it.role.as_str() {
                "" => String::new(),
                role => format!(" as {role}"),
            };
            printer.line(&format!(
                "ready          {:width$}  {}  {} -> {}{role} ({})",
                it.name, it.kind, it.listen, it.address, it.upstream
            ))?;
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let resources: Vec<Value> = self
            .resources
            .iter()
            .map(|it| {
                json!({
                    "name": it.name,
                    "kind": it.kind,
                    "listen": it.listen,
                    "address": it.address,
                    "role": it.role,
                    "upstream": it.upstream,
                })
            })
            .collect();
        json!({
            "pid": std::process::id(),
            "control_plane": self.control_plane,
            "envoy_admin": self.admin,
            "dev_issuer": self.dev_issuer.as_ref().map(|it| &it.url),
            "resources": resources,
        })
    }
}

/// The file of `--ready-file`: there while agents can connect.
#[derive(Debug)]
pub(super) struct ReadyFile(Option<PathBuf>);

impl ReadyFile {
    /// Removes one of an earlier run.
    pub(super) fn new(path: Option<&Path>) -> Self {
        let file = Self(path.map(Path::to_owned));
        file.remove();
        file
    }

    pub(super) fn write(&self, ready: &Ready) -> Result<(), Failure> {
        let Some(path) = &self.0 else {
            return Ok(());
        };
        private::write(path, format!("{:#}\n", ready.json()).as_bytes())
            .map_err(|error| Failure::failed(format!("cannot write `{}`: {error}", path.display())))
    }

    pub(super) fn remove(&self) {
        if let Some(path) = &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        self.remove();
    }
}
