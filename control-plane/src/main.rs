//! The `ostiary` command.
//!
//! In: arguments, environment, `ostiary.yaml`. Out: a running gateway, or answers of a control plane
//! to people and scripts. Deliberately absent: decisions; those are the policy crate's and people's.

mod command;
mod dev;
mod envoy;
mod output;
mod private;
mod relay;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
