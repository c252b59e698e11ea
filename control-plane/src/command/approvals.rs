//! `ostiary approvals`: what waits for people, and their answers.

mod formatted;
mod show;

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::Subcommand;
use ostiary_proto::{
    Approval, DecideRequest, GetApprovalRequest, ListApprovalsRequest, WatchApprovalsRequest,
    approvals_client::ApprovalsClient,
};
use serde_json::{Value, json};
use tonic::Code as Grpc;

use super::{
    Code, Failure,
    client::{Connection, Service},
};
use crate::output::{self, Printer, one_line};

/// Decide on operations that wait for people
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List what waits, newest last
    #[command(after_help = "Examples:\n  ostiary approvals list\n  \
                            ostiary approvals list --all --resource shop")]
    List {
        /// Also those already decided
        #[arg(long)]
        all: bool,
        /// Only of this resource
        #[arg(
            long,
            value_name = "NAME",
            default_value = "",
            hide_default_value = true
        )]
        resource: String,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show one approval with everything it covers
    #[command(after_help = "Examples:\n  ostiary approvals show 4f2a")]
    Show {
        /// The id, or its beginning
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Follow what waits and how it is decided
    #[command(after_help = "Examples:\n  ostiary approvals watch\n  \
                            ostiary approvals watch --output json | while read -r line; do …; done")]
    Watch {
        #[command(flatten)]
        connection: Connection,
    },
    /// Let one operation pass, after showing it
    ///
    /// Shows exactly what is approved and asks; the answer holds for that operation, and where it
    /// says `covers` for what that says, alone: the digest that was shown goes with it, and an
    /// approval of anything else is refused.
    #[command(after_help = "Examples:\n  ostiary approvals approve 4f2a\n  \
                            ostiary approvals approve 4f2a --comment 'ticket 812' --yes")]
    Approve {
        #[command(flatten)]
        decide: Decide,
        /// Of what `covers` says, approve the one operation that is shown and nothing else
        #[arg(long)]
        only_this: bool,
    },
    /// Refuse one operation
    #[command(after_help = "Examples:\n  ostiary approvals deny 4f2a --comment 'use the archive'")]
    Deny(Decide),
}

/// One decision.
#[derive(Debug, clap::Args)]
pub(crate) struct Decide {
    /// The id, or its beginning
    id: String,
    /// Said to the requester and kept in the record
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    comment: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Decide only if this is the digest of what waits (hex, as `show --output json` gives it)
    #[arg(long, value_name = "HEX")]
    digest: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

type Client = ApprovalsClient<Service>;

pub(crate) async fn run(verb: Verb, printer: Printer) -> Result<(), Failure> {
    match verb {
        Verb::List {
            all,
            resource,
            limit,
            connection,
        } => {
            let mut client = ApprovalsClient::new(connection.open().await?);
            let request = ListApprovalsRequest {
                all,
                resource,
                limit,
            };
            let approvals = client.list(request).await?.into_inner().approvals;
            if printer.is_json() {
                let approvals: Vec<Value> = approvals.iter().map(output::approval).collect();
                return Ok(printer.document(&json!({ "approvals": approvals }))?);
            }
            if approvals.is_empty() && !all {
                return Ok(printer.line("nothing waits")?);
            }
            Ok(printer.line(&show::list(&approvals))?)
        }
        Verb::Show { id, connection } => {
            let mut client = ApprovalsClient::new(connection.open().await?);
            let approval = find(&mut client, &id, true).await?;
            if printer.is_json() {
                return Ok(printer.document(&output::approval(&approval))?);
            }
            Ok(printer.line(&show::whole(&approval, printer, output::now_us()))?)
        }
        Verb::Watch { connection } => watch(&connection, printer).await,
        Verb::Approve {
            decide: args,
            only_this,
        } => decide(&args, true, only_this, printer).await,
        Verb::Deny(args) => decide(&args, false, false, printer).await,
    }
}

async fn watch(connection: &Connection, printer: Printer) -> Result<(), Failure> {
    let mut client = ApprovalsClient::new(connection.open().await?);
    let mut changes = client.watch(WatchApprovalsRequest {}).await?.into_inner();
    while let Some(approval) = changes.message().await? {
        match printer.is_json() {
            true => printer.object(&output::approval(&approval))?,
            false => printer.line(&show::change(&approval, printer))?,
        }
    }
    Err(Failure::new(
        Code::Unreachable,
        "the control plane ended the stream",
    ))
}

async fn decide(
    args: &Decide,
    approve: bool,
    only_this: bool,
    printer: Printer,
) -> Result<(), Failure> {
    let mut client = ApprovalsClient::new(args.connection.open().await?);
    let approval = find(&mut client, &args.id, false).await?;
    let digest = output::hex(&approval.digest);
    if let Some(seen) = &args.digest
        && !seen.eq_ignore_ascii_case(&digest)
    {
        return Err(Failure::new(
            Code::Conflict,
            format!(
                "approval `{}` covers another operation: its digest is {digest}",
                approval.id
            ),
        ));
    }
    if !printer.is_json() {
        printer.line(&show::whole(&approval, printer, output::now_us()))?;
    }
    if !args.yes {
        confirm(approve).await?;
    }
    let request = DecideRequest {
        id: approval.id.clone(),
        comment: args.comment.clone(),
        digest: approval.digest,
        only_this,
    };
    let decided = match approve {
        true => client.approve(request).await?.into_inner(),
        false => client.deny(request).await?.into_inner(),
    };
    if printer.is_json() {
        return Ok(printer.document(&output::approval(&decided))?);
    }
    Ok(printer.line(&show::outcome(&decided, printer))?)
}

/// By id, or by the beginning of one; `all` also looks among those already decided.
async fn find(client: &mut Client, id: &str, all: bool) -> Result<Approval, Failure> {
    let request = GetApprovalRequest { id: id.to_owned() };
    match client.get(request).await {
        Ok(found) => return Ok(found.into_inner()),
        Err(status) if matches!(status.code(), Grpc::NotFound | Grpc::InvalidArgument) => {}
        Err(status) => return Err(status.into()),
    }
    let request = ListApprovalsRequest {
        all,
        ..ListApprovalsRequest::default()
    };
    let listed = client.list(request).await?.into_inner().approvals;
    let mut matching: Vec<Approval> = listed
        .into_iter()
        .filter(|it| !id.is_empty() && it.id.starts_with(id))
        .collect();
    match (matching.pop(), matching.len()) {
        (Some(found), 0) => Ok(found),
        (Some(_), more) => Err(Failure::input(format!(
            "`{id}` is the beginning of {} approvals; give more of it",
            more.saturating_add(1)
        ))),
        (None, _) => Err(
            Failure::new(Code::NotFound, format!("no approval `{}`", one_line(id)))
                .cure("`ostiary approvals list` shows what waits"),
        ),
    }
}

/// Asks on the terminal; anything but yes is no.
async fn confirm(approve: bool) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::input("standard input is not a terminal to ask on")
            .cure("add --yes to decide without being asked"));
    }
    let question = match approve {
        true => "approve this operation? [y/N] ",
        false => "deny this operation? [y/N] ",
    };
    let answer = tokio::task::spawn_blocking(move || {
        let mut out = std::io::stderr().lock();
        out.write_all(question.as_bytes())?;
        out.flush()?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        Ok::<_, std::io::Error>(line)
    });
    let answer = answer
        .await
        .map_err(|error| Failure::failed(format!("cannot ask: {error}")))??;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::failed("nothing was decided")),
    }
}
