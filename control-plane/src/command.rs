//! The command line: what can be asked, and how an answer becomes an exit code.

mod approvals;
mod asciicast;
mod client;
mod dev;
mod docs;
mod envoy;
mod failure;
mod policy;
mod replay;
mod resources;
mod serve;
mod sessions;
mod signals;
mod up;

pub(crate) use failure::{Code, Failure};

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::output::{Format, Printer};

/// The doorkeeper between AI agents and production
///
/// Agents connect to Envoy as they would to the database itself; Ostiary's filter inside it asks
/// the control plane who they are, what may pass, what waits for a person and what is masked, and
/// records all of it.
#[derive(Debug, Parser)]
#[command(name = "ostiary", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// How to print answers
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "OSTIARY_OUTPUT",
        hide_env_values = true
    )]
    output: Format,
    /// Print without colours (they are also off when standard output is not a terminal)
    #[arg(long, global = true)]
    no_color: bool,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  ostiary up -f ostiary.yaml           Guard the resources of a configuration file
  ostiary policy check ./policy        Find every problem in a policy bundle, offline
  ostiary policy apply ./policy        Make it the running policy
  ostiary approvals watch              See what waits for people
  ostiary approvals approve 4f2a       Let one operation pass, after reading it
  ostiary sessions replay 9c81         Play a session back

Exit codes:
  0  done
  1  the answer is no, or the operation failed
  2  wrong usage or invalid input
  3  the control plane cannot be reached
  4  not authenticated, or not allowed
  5  not found
  6  conflict: already decided, or changed meanwhile";

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Args),
    Serve(serve::Args),
    #[command(subcommand)]
    Envoy(envoy::Verb),
    #[command(subcommand)]
    Policy(policy::Verb),
    #[command(subcommand)]
    Resources(resources::Verb),
    #[command(subcommand)]
    Approvals(approvals::Verb),
    #[command(subcommand)]
    Sessions(sessions::Verb),
    #[command(subcommand)]
    Dev(dev::Verb),
    /// Print a completion script for a shell
    ///
    /// For bash: `ostiary completions bash > ~/.local/share/bash-completion/completions/ostiary`
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print docs/cli.md
    #[command(hide = true)]
    Docs,
}

/// Parses the arguments, does what they ask and reports.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(cli.output, cli.no_color);
    match run(cli.command, printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(printer),
    }
}

fn run(command: Command, printer: Printer) -> Result<(), Failure> {
    // These need no runtime, and the last replaces this process.
    let command = match command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "ostiary", &mut script);
            return Ok(printer.line(String::from_utf8_lossy(&script).trim_end())?);
        }
        Command::Docs => return Ok(printer.line(docs::markdown(&Cli::command()).trim_end())?),
        Command::Envoy(envoy::Verb::Exec(args)) => return Err(envoy::exec(&args)),
        other => other,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start the runtime: {error}")))?;
    let outcome = runtime.block_on(dispatch(command, printer));
    // A prompt may still be reading standard input on a thread of the runtime.
    runtime.shutdown_background();
    outcome
}

async fn dispatch(command: Command, printer: Printer) -> Result<(), Failure> {
    match command {
        Command::Up(args) => up::run(args, printer).await,
        Command::Serve(args) => serve::run(args, printer).await,
        Command::Envoy(verb) => envoy::run(verb, printer).await,
        Command::Policy(verb) => policy::run(verb, printer).await,
        Command::Resources(verb) => resources::run(verb, printer).await,
        Command::Approvals(verb) => approvals::run(verb, printer).await,
        Command::Sessions(verb) => sessions::run(verb, printer).await,
        Command::Dev(verb) => dev::run(verb, printer).await,
        Command::Completions { .. } | Command::Docs => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
