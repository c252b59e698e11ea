//! `ostiary serve`: the control plane alone.

use std::path::{Path, PathBuf};

use ostiary_control_plane::{
    config::{Config, Problem},
    server::{Server, StartError},
    telemetry,
};
use serde_json::json;

use super::{Code, Failure, failure::chain, signals::Signals};
use crate::output::{Printer, block, count};

/// Run the control plane alone, for an Envoy of your own
///
/// `ostiary envoy render` prints the configuration such an Envoy needs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  ostiary serve -f ostiary.yaml")]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigFile,
}

/// The configuration.
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigFile {
    /// Configuration file; docs/operating.md explains each key
    #[arg(
        short = 'f',
        long = "file",
        value_name = "FILE",
        default_value = "ostiary.yaml"
    )]
    pub(crate) path: PathBuf,
}

impl ConfigFile {
    /// Reads it; every problem is in the failure.
    pub(crate) fn load(&self) -> Result<Config, Failure> {
        Config::load(&self.path).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
            refused(&self.path, &lines)
        })
    }
}

fn refused(path: &Path, problems: &[String]) -> Failure {
    let count = count(problems.len(), "problem");
    let lines = block(&problems.join("\n"), "  ");
    let path = path.display();
    Failure::new(Code::Input, format!("{path} has {count}\n{lines}"))
}

pub(crate) async fn run(args: Args, printer: Printer) -> Result<(), Failure> {
    let config = args.config.load()?;
    telemetry::init();
    let mut signals = Signals::new()?;
    let server = start(&config).await?;
    let address = url(&config, server.address());
    match printer.is_json() {
        true => printer.object(&json!({"control_plane": address}))?,
        false => printer.line(&format!("control plane  {address}"))?,
    }
    signals.next().await;
    server.shutdown().await;
    Ok(())
}

/// Starts the control plane.
pub(crate) async fn start(config: &Config) -> Result<Server, Failure> {
    Server::start(config).await.map_err(|error| match error {
        StartError::Policy(problems) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let dir = config.policy.as_deref().unwrap_or(Path::new("policy"));
            refused(dir, &lines)
        }
        other => Failure::failed(format!("cannot start the control plane: {}", chain(&other))),
    })
}

/// Where operators reach it.
pub(crate) fn url(config: &Config, address: std::net::SocketAddr) -> String {
    match config.control_plane.tls {
        Some(_) => format!("https://{address}"),
        None => format!("http://{address}"),
    }
}
