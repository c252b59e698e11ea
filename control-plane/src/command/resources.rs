//! `ostiary resources`: what is guarded.

use clap::Subcommand;
use ostiary_proto::{ListResourcesRequest, resources_client::ResourcesClient};
use serde_json::{Value, json};

use super::{Failure, client::Connection};
use crate::output::{self, Printer, Table};

/// See what is guarded
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List the guarded resources, with their filters and open sessions
    #[command(
        after_help = "Examples:\n  ostiary resources list\n  ostiary resources list --output json"
    )]
    List {
        #[command(flatten)]
        connection: Connection,
    },
}

pub(crate) async fn run(verb: Verb, printer: Printer) -> Result<(), Failure> {
    let Verb::List { connection } = verb;
    let mut client = ResourcesClient::new(connection.open().await?);
    let answer = client.list(ListResourcesRequest {}).await?.into_inner();
    if printer.is_json() {
        let resources: Vec<Value> = answer.resources.iter().map(output::resource).collect();
        return Ok(printer.document(&json!({ "resources": resources }))?);
    }
    let mut table = Table::new([
        "NAME", "KIND", "LISTEN", "ADDRESS", "ROLE", "MODE", "FILTERS", "SESSIONS",
    ]);
    for it in answer.resources {
        table.row([
            it.name,
            it.kind,
            it.listen,
            it.address,
            it.role,
            it.mode,
            it.filters.to_string(),
            it.sessions.to_string(),
        ]);
    }
    Ok(printer.line(&table.render())?)
}
