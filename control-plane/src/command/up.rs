//! `ostiary up`: everything, in front of the resources of one file.

mod lock;
mod ready;
mod run;
mod ways;

use std::path::PathBuf;

use super::{Failure, serve::ConfigFile};
use crate::output::Printer;

/// Guard the resources of a configuration file: control plane, Envoy and filter
///
/// Starts the control plane, Envoy with the filter, and a relay for servers that want TLS; waits
/// until agents can connect and prints one line for each resource. Ctrl-C lets open sessions end
/// for a few seconds, then stops all of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  ostiary up -f ostiary.yaml\n  \
                        ostiary up -f ostiary.yaml --dev\n  \
                        ostiary up --ready-file /run/ostiary.json --output json")]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// Also run the development issuer, at the loopback address the configuration names as issuer
    #[arg(long)]
    dev: bool,
    /// Write the addresses to this file as JSON once agents can connect; it is removed at the end
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// Let open sessions end for this many seconds when stopping
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    grace: u64,
}

pub(crate) async fn run(args: Args, printer: Printer) -> Result<(), Failure> {
    run::run(&args, printer).await
}
