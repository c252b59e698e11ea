//! `ostiary sessions`: find, show, replay, follow and end sessions.

mod args;

use std::collections::BTreeSet;

pub(crate) use args::Verb;

use ostiary_proto::{
    EventsRequest, GetSessionRequest, KillRequest, ListSessionsRequest, SearchRequest, Session,
    sessions_client::SessionsClient,
};
use ostiary_record::{Channel, Event, Verdict, event::Kind};
use serde_json::{Value, json};

use args::{Search, Wanted};

use super::{
    Code, Failure,
    asciicast::Asciicast,
    client::{Connection, Service},
    replay::{self, Pace},
};
use crate::output::{self, Printer, Table, one_line};

type Client = SessionsClient<Service>;

pub(crate) async fn run(verb: Verb, printer: Printer) -> Result<(), Failure> {
    match verb {
        Verb::List {
            resource,
            subject,
            open,
            limit,
            connection,
        } => {
            let mut client = SessionsClient::new(connection.open().await?);
            let request = ListSessionsRequest {
                resource,
                subject,
                open,
                limit,
            };
            list(&client.list(request).await?.into_inner().sessions, printer)
        }
        Verb::Show { id, connection } => {
            let mut client = SessionsClient::new(connection.open().await?);
            let session = find(&mut client, id).await?;
            match printer.is_json() {
                true => printer.document(&output::session(&session))?,
                false => printer.line(&replay::heading(&session))?,
            }
            Ok(())
        }
        Verb::Search(search) => find_statements(search, printer).await,
        Verb::Replay {
            id,
            speed,
            max_pause,
            instant,
            connection,
        } => {
            let pace = match instant || printer.is_json() {
                true => Pace::Instant,
                false => Pace::Own { speed, max_pause },
            };
            play(id, false, false, pace, &connection, printer).await
        }
        Verb::Export {
            id,
            operation,
            format: args::Export::Asciicast,
            connection,
        } => export(id, operation, &connection, printer).await,
        Verb::Tail {
            id,
            new,
            connection,
        } => play(id, true, new, Pace::Instant, &connection, printer).await,
        Verb::Kill {
            id,
            reason,
            connection,
        } => {
            let mut client = SessionsClient::new(connection.open().await?);
            let session_id = find(&mut client, id).await?.id;
            let request = KillRequest {
                session_id: session_id.clone(),
                reason,
            };
            client.kill(request).await?;
            match printer.is_json() {
                true => printer.document(&json!({"id": session_id, "killed": true}))?,
                false => printer.line(&one_line(&format!("{session_id}: ended")))?,
            }
            Ok(())
        }
    }
}

fn list(sessions: &[Session], printer: Printer) -> Result<(), Failure> {
    if printer.is_json() {
        let sessions: Vec<Value> = sessions.iter().map(output::session).collect();
        return Ok(printer.document(&json!({ "sessions": sessions }))?);
    }
    let mut table = Table::new([
        "ID",
        "OPENED",
        "LASTED",
        "AGENT",
        "RESOURCE",
        "OPERATIONS",
        "DENIED",
        "HELD",
        "MASKED",
    ]);
    for it in sessions {
        let lasted = match it.closed_us {
            0 => "open".to_owned(),
            closed => output::span(closed.saturating_sub(it.opened_us)),
        };
        let agent = match it.subject.as_str() {
            "" => "(not logged in)",
            subject => subject,
        };
        table.row([
            it.id.chars().take(12).collect(),
            output::local(it.opened_us),
            lasted,
            agent.to_owned(),
            format!("{}/{}", it.resource, it.database),
            it.operations.to_string(),
            it.denied.to_string(),
            it.held.to_string(),
            it.masked.to_string(),
        ]);
    }
    Ok(printer.line(&table.render())?)
}

async fn find(client: &mut Client, id: String) -> Result<Session, Failure> {
    Ok(client.get(GetSessionRequest { id }).await?.into_inner())
}

async fn find_statements(search: Search, printer: Printer) -> Result<(), Failure> {
    let mut client = SessionsClient::new(search.connection.open().await?);
    let verdict = match search.verdict {
        None => Verdict::Unspecified,
        Some(Wanted::Allow) => Verdict::Allow,
        Some(Wanted::Approve) => Verdict::Approve,
        Some(Wanted::Deny) => Verdict::Deny,
    };
    let request = SearchRequest {
        text: search.text,
        resource: search.resource,
        subject: search.subject,
        verb: search.verb,
        verdict: verdict.into(),
        since_us: search.since.unwrap_or(0),
        until_us: search.until.unwrap_or(0),
        limit: search.limit,
    };
    let mut hits = client.search(request).await?.into_inner();
    let mut found = false;
    while let Some(hit) = hits.message().await? {
        let session = hit.session.unwrap_or_default();
        let event = hit.event.unwrap_or_default();
        found = true;
        if printer.is_json() {
            let session = output::session(&session);
            let event = output::event(&event);
            printer.object(&json!({"session": session, "event": event}))?;
        } else {
            printer.line(&replay::hit(&session, &event, printer))?;
        }
    }
    if !found && !printer.is_json() {
        printer.line("no statement found")?;
    }
    Ok(())
}

async fn play(
    id: String,
    follow: bool,
    new: bool,
    pace: Pace,
    connection: &Connection,
    printer: Printer,
) -> Result<(), Failure> {
    let mut client = SessionsClient::new(connection.open().await?);
    let session = find(&mut client, id).await?;
    if !printer.is_json() {
        printer.line(&replay::heading(&session))?;
    }
    let request = EventsRequest {
        session_id: session.id.clone(),
        follow,
        from_seq: match new {
            true => session.events.saturating_add(1),
            false => 0,
        },
    };
    let mut events = client.events(request).await?.into_inner();
    let mut before = None;
    while let Some(event) = events.message().await? {
        if let Some(pause) = pace.pause(before, event.time_us) {
            tokio::time::sleep(pause).await;
        }
        before = Some(event.time_us);
        match printer.is_json() {
            true => printer.object(&output::event(&event))?,
            false => printer.line(&replay::step(&event, printer))?,
        }
        if follow && is_closed(&event) {
            break;
        }
    }
    Ok(())
}

/// Writes the streams of one operation, or of the only one that has any.
async fn export(
    id: String,
    operation: Option<u64>,
    connection: &Connection,
    printer: Printer,
) -> Result<(), Failure> {
    let mut client = SessionsClient::new(connection.open().await?);
    let session = find(&mut client, id).await?;
    let request = EventsRequest {
        session_id: session.id.clone(),
        follow: false,
        from_seq: 0,
    };
    let operation = match operation {
        Some(number) => number,
        None => {
            let mut events = client.events(request.clone()).await?.into_inner();
            let mut with_streams = BTreeSet::new();
            while let Some(event) = events.message().await? {
                if let Some(Kind::Streamed(it)) = event.kind
                    && !matches!(it.channel(), Channel::ToPort | Channel::FromPort)
                {
                    with_streams.insert(it.operation);
                }
            }
            let numbers: Vec<String> = with_streams.iter().map(u64::to_string).collect();
            match (with_streams.first(), with_streams.len()) {
                (Some(only), 1) => *only,
                (None, _) => return Err(nothing(&session.id)),
                _ => {
                    let several = format!("operations {} have streams", numbers.join(", "));
                    return Err(Failure::input(several).cure("name one with --operation N"));
                }
            }
        }
    };
    let mut cast = Asciicast::new(operation);
    let mut events = client.events(request).await?.into_inner();
    while let Some(event) = events.message().await? {
        for line in cast.lines(&event) {
            printer.object(&line)?;
        }
    }
    match cast.has_begun() {
        true => Ok(()),
        false => Err(nothing(&session.id)),
    }
}

fn nothing(id: &str) -> Failure {
    let message = format!("nothing of {id} went over streams that are read");
    Failure::new(Code::NotFound, one_line(&message))
        .cure("`ostiary sessions replay` shows what there is")
}

fn is_closed(event: &Event) -> bool {
    matches!(event.kind, Some(Kind::Closed(_)))
}
