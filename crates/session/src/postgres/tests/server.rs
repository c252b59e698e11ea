//! A PostgreSQL server as far as these tests need one.
//!
//! It answers every message, keeps names as the real one does, skips to Sync after an error, and
//! writes down what it was really asked to run.

use std::collections::BTreeMap;

use ostiary_wire::postgres::{
    Authentication, Backend, CopyFormat, Format, Frontend, Startup, StartupMessage, Target,
    TransactionStatus, backend::encode, frame, frontend, sasl::InitialResponse, startup, tag,
};

use super::answer::{Answer, CONTACTS, Col, ORDERS, Said, USERS, said};
use super::scram_server::ScramServer;
use super::sql::{self, Meaning};

/// What the server stores of the brokered credential.
pub(super) const PASSWORD: &str = "upstream secret";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Auth {
    Trust,
    Cleartext,
    Md5,
    Scram,
}

/// A statement that ran: as the message said it, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ran {
    pub(super) said: String,
    pub(super) did: String,
    /// Whether a backslash was special when it was read.
    pub(super) backslash: bool,
}

#[derive(Clone, Debug)]
struct Prepared {
    text: String,
    backslash: bool,
}

#[derive(Clone, Debug)]
struct Portal {
    prepared: Prepared,
    formats: Vec<Format>,
    at: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Startup,
    Password,
    Open,
    Gone,
}

#[derive(Debug)]
pub(super) struct Server {
    auth: Auth,
    stage: Stage,
    scram: ScramServer,
    inbox: Vec<u8>,
    pub(super) out: Vec<u8>,
    /// It says nothing of itself; the test speaks for it.
    pub(super) silent: bool,
    pub(super) answers: BTreeMap<String, Answer>,
    status: TransactionStatus,
    skipping: bool,
    prepared: BTreeMap<Vec<u8>, Prepared>,
    portals: BTreeMap<Vec<u8>, Portal>,
    backslash: bool,
    deferred: Option<Said>,
    pub(super) ran: Vec<Ran>,
    pub(super) catalogue_reads: u64,
    pub(super) startup: Vec<u8>,
    pub(super) terminated: bool,
    /// FunctionCall messages it got.
    pub(super) calls: u64,
    pub(super) cancelled: bool,
    /// Whether the catalogue query fails.
    pub(super) catalogue_fails: bool,
    /// It takes each text for one statement: how texts are cut is what is tried.
    pub(super) whole: bool,
    /// What a walsender says to a command, and to `(done)`, the end of the client's data.
    pub(super) walsender: BTreeMap<String, Vec<u8>>,
    /// Commands it got.
    pub(super) commands: Vec<String>,
    /// Data of the client.
    pub(super) taken: Vec<u8>,
    /// It takes data; whether of a simple query.
    taking: Option<bool>,
}

/// Labelled columns: relation, OID, attribute, name, and the column of `users` it stands for.
const COLUMNS: [(&str, u32, i16, &str, &str); 6] = [
    ("users", USERS, 3, "email", "email"),
    ("users", USERS, 4, "ssn", "ssn"),
    ("users", USERS, 5, "card", "card"),
    ("users", USERS, 6, "born", "born"),
    ("contacts", CONTACTS, 1, "mail", "email"),
    ("contacts", CONTACTS, 2, "name", "email"),
];

impl Server {
    pub(super) fn new(auth: Auth) -> Self {
        Self {
            auth,
            stage: Stage::Startup,
            scram: ScramServer::default(),
            inbox: Vec::new(),
            out: Vec::new(),
            silent: false,
            answers: BTreeMap::new(),
            status: TransactionStatus::Idle,
            skipping: false,
            prepared: BTreeMap::new(),
            portals: BTreeMap::new(),
            backslash: false,
            deferred: None,
            ran: Vec::new(),
            catalogue_reads: 0,
            startup: Vec::new(),
            terminated: false,
            calls: 0,
            cancelled: false,
            catalogue_fails: false,
            whole: false,
            walsender: BTreeMap::new(),
            commands: Vec::new(),
            taken: Vec::new(),
            taking: None,
        }
    }

    /// Says `bytes` to a replication command.
    pub(super) fn on_command(&mut self, text: &str, bytes: Vec<u8>) {
        self.walsender.insert(text.to_owned(), bytes);
    }

    pub(super) fn on(&mut self, text: &str, answer: Answer) {
        self.answers.insert(text.to_owned(), answer);
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
        loop {
            let inbox = std::mem::take(&mut self.inbox);
            let used = match self.stage {
                Stage::Startup => self.on_startup(&inbox),
                Stage::Password | Stage::Open => self.on_frame(&inbox),
                Stage::Gone => return,
            };
            self.inbox = inbox[used..].to_vec();
            if used == 0 {
                return;
            }
        }
    }

    fn on_startup(&mut self, inbox: &[u8]) -> usize {
        let (message, used) = match startup::take(inbox) {
            Ok(Some(taken)) => taken,
            Ok(None) => return 0,
            Err(_) => {
                self.stage = Stage::Gone;
                return 0;
            }
        };
        match message {
            Startup::Ssl | Startup::GssEnc => self.put(b"N"),
            Startup::Cancel { .. } => {
                self.cancelled = true;
                self.stage = Stage::Gone;
            }
            Startup::Startup(StartupMessage { .. }) => {
                self.startup = inbox[..used].to_vec();
                let step = match self.auth {
                    Auth::Trust => return self.welcome(used),
                    Auth::Cleartext => Authentication::CleartextPassword,
                    Auth::Md5 => Authentication::Md5Password { salt: [1, 2, 3, 4] },
                    Auth::Scram => Authentication::Sasl {
                        mechanisms: vec!["SCRAM-SHA-256"],
                    },
                };
                self.stage = Stage::Password;
                self.say(&Backend::Authentication(step));
            }
        }
        used
    }

    fn welcome(&mut self, used: usize) -> usize {
        self.stage = Stage::Open;
        self.say(&Backend::Authentication(Authentication::Ok));
        for (name, value) in [
            ("server_version", "16.1"),
            ("client_encoding", "UTF8"),
            ("standard_conforming_strings", "on"),
        ] {
            self.report(name, value);
        }
        self.say(&Backend::BackendKeyData {
            process_id: 42,
            secret: b"key!",
        });
        self.ready();
        used
    }

    fn on_frame(&mut self, inbox: &[u8]) -> usize {
        let Some(frame) = frame::take(inbox, usize::MAX).expect("a sound frame") else {
            return 0;
        };
        let message = Frontend::parse(frame.tag, frame.body).expect("a sound message");
        if self.stage == Stage::Password {
            self.on_password(message);
        } else {
            self.on_message(message);
        }
        frame.bytes.len()
    }

    fn on_password(&mut self, message: Frontend<'_>) {
        let Frontend::Password(body) = message else {
            return self.reject("08P01", "expected a password");
        };
        let inner = |text: &str| {
            use md5::{Digest as _, Md5};
            let digest = Md5::digest(text.as_bytes());
            digest
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect::<String>()
        };
        let good = match self.auth {
            Auth::Trust => true,
            Auth::Cleartext => frontend::password(body) == Ok(PASSWORD.as_bytes()),
            Auth::Md5 => {
                use md5::{Digest as _, Md5};
                let mut salted = inner(&format!("{PASSWORD}shop_app")).into_bytes();
                salted.extend([1, 2, 3, 4]);
                let digest = Md5::digest(&salted);
                let expected: String = digest.iter().map(|b| format!("{b:02x}")).collect();
                frontend::password(body) == Ok(format!("md5{expected}").as_bytes())
            }
            Auth::Scram => {
                if let Ok(InitialResponse { mechanism, data }) = InitialResponse::parse(body) {
                    if mechanism != "SCRAM-SHA-256" {
                        return self.reject("08P01", "no such mechanism");
                    }
                    let first = self.scram.first(data.unwrap_or_default());
                    return self.say(&Backend::Authentication(Authentication::SaslContinue(
                        &first,
                    )));
                }
                match self.scram.last(body, PASSWORD) {
                    None => false,
                    Some(proof) => {
                        self.say(&Backend::Authentication(Authentication::SaslFinal(&proof)));
                        true
                    }
                }
            }
        };
        if good {
            self.welcome(0);
        } else {
            self.reject("28P01", "password authentication failed");
        }
    }

    fn reject(&mut self, sqlstate: &str, message: &str) {
        encode::error(&mut self.out, "FATAL", sqlstate, message, None, None).unwrap();
        self.stage = Stage::Gone;
    }

    fn on_message(&mut self, message: Frontend<'_>) {
        if self.skipping && !matches!(message, Frontend::Sync | Frontend::Terminate) {
            return;
        }
        match message {
            Frontend::Query { sql } => self.on_query(sql),
            Frontend::Parse { name, sql, .. } => self.on_parse(name, sql),
            Frontend::Bind {
                portal,
                statement,
                result_formats,
                ..
            } => self.on_bind(portal, statement, result_formats),
            Frontend::Describe { kind, name } => self.on_describe(kind, name),
            Frontend::Execute { portal, max_rows } => self.on_execute(portal, max_rows),
            Frontend::Close { kind, name } => {
                match kind {
                    Target::Statement => self.prepared.remove(key(name)).map(drop),
                    Target::Portal => self.portals.remove(key(name)).map(drop),
                };
                self.say(&Backend::CloseComplete);
            }
            // It is read as the end of no round then.
            Frontend::Sync if self.taking.is_some() => {}
            Frontend::Sync => {
                self.skipping = false;
                if self.status == TransactionStatus::Idle {
                    self.end_transaction();
                }
                self.ready();
            }
            Frontend::Terminate => {
                self.terminated = true;
                self.stage = Stage::Gone;
            }
            Frontend::CopyData(data) => self.taken.extend_from_slice(data),
            Frontend::CopyDone if self.taking.is_some() => {
                let simple = self.taking.take() == Some(true);
                let rows = self.taken.iter().filter(|byte| **byte == b'\n').count();
                let tag = format!("COPY {rows}");
                encode::command_complete(&mut self.out, tag.as_bytes()).unwrap();
                if simple {
                    self.end_query();
                }
            }
            Frontend::CopyDone => {
                let said = self.walsender.get("(done)").cloned();
                self.put(&said.unwrap_or_default());
            }
            Frontend::Flush | Frontend::CopyFail(_) => {}
            Frontend::FunctionCall(_) => {
                self.calls += 1;
                self.say(&Backend::FunctionCallResponse(Some(b"a value")));
                self.ready();
            }
            Frontend::Password(_) => panic!("{message:?}"),
        }
    }

    fn on_query(&mut self, sql: &[u8]) {
        let text = std::str::from_utf8(sql).unwrap();
        if let Some(said) = self.walsender.get(text).cloned() {
            self.commands.push(text.to_owned());
            return self.put(&said);
        }
        self.prepared.remove(b"".as_slice());
        self.portals.remove(b"".as_slice());
        let parts: Vec<String> = match sql::meaning(text) {
            Meaning::Catalogue | Meaning::Refusal => vec![text.to_owned()],
            _ if self.whole => vec![text.to_owned()],
            _ => sql::split(text, self.backslash)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        };
        if parts.is_empty() {
            self.say(&Backend::EmptyQueryResponse);
        }
        for part in parts {
            let prepared = Prepared {
                text: part,
                backslash: self.backslash,
            };
            if !self.run(text, &prepared, None) {
                break;
            }
        }
        if self.taking.is_none() {
            self.end_query();
        }
    }

    fn end_query(&mut self) {
        if self.status == TransactionStatus::Idle {
            self.end_transaction();
        }
        self.ready();
    }

    fn on_parse(&mut self, name: &[u8], sql: &[u8]) {
        let text = std::str::from_utf8(sql).unwrap().to_owned();
        let refusal = sql::meaning(&text) == Meaning::Refusal;
        if refusal || self.answers.get(&text).is_some_and(|a| a.unparsable) {
            return self.fail(&said("42601", "syntax error").with(b'P', "1"));
        }
        if !name.is_empty() && self.prepared.contains_key(key(name)) {
            return self.fail(&said("42P05", "prepared statement already exists"));
        }
        let prepared = Prepared {
            text,
            backslash: self.backslash,
        };
        self.prepared.insert(key(name).to_vec(), prepared);
        self.say(&Backend::ParseComplete);
    }

    fn on_bind(&mut self, portal: &[u8], statement: &[u8], formats: Vec<Format>) {
        let Some(prepared) = self.prepared.get(key(statement)).cloned() else {
            return self.fail(&said("26000", "no such statement"));
        };
        if !portal.is_empty() && self.portals.contains_key(key(portal)) {
            return self.fail(&said("42P03", "portal already exists"));
        }
        let bound = Portal {
            prepared,
            formats,
            at: 0,
        };
        self.portals.insert(key(portal).to_vec(), bound);
        self.say(&Backend::BindComplete);
    }

    fn on_describe(&mut self, kind: Target, name: &[u8]) {
        let (text, formats) = match kind {
            Target::Statement => match self.prepared.get(key(name)).cloned() {
                None => return self.fail(&said("26000", "no such statement")),
                Some(prepared) => {
                    self.say(&Backend::ParameterDescription(Vec::new()));
                    (prepared.text, Vec::new())
                }
            },
            Target::Portal => match self.portals.get(key(name)).cloned() {
                None => return self.fail(&said("34000", "no such portal")),
                Some(portal) => (portal.prepared.text, portal.formats),
            },
        };
        let columns = self.answer_of(&self.resolve(&text)).columns;
        if columns.is_empty() {
            self.say(&Backend::NoData);
        } else {
            self.describe(&columns, &formats);
        }
    }

    /// The text a name stands for.
    fn resolve(&self, text: &str) -> String {
        match sql::meaning(text) {
            Meaning::Execute { name } => {
                let found = self.prepared.get(key(name.as_bytes()));
                found.map_or_else(String::new, |prepared| prepared.text.clone())
            }
            Meaning::Fetch { name } => {
                let found = self.portals.get(key(name.as_bytes()));
                found.map_or_else(String::new, |portal| portal.prepared.text.clone())
            }
            _ => text.to_owned(),
        }
    }

    fn on_execute(&mut self, name: &[u8], max_rows: i32) {
        let Some(portal) = self.portals.get(key(name)).cloned() else {
            return self.fail(&said("34000", "no such portal"));
        };
        let text = portal.prepared.text.clone();
        if sql::split(&text, portal.prepared.backslash).is_empty() {
            return self.say(&Backend::EmptyQueryResponse);
        }
        self.run(&text, &portal.prepared, Some((name, max_rows)));
    }

    /// Runs one statement; false if it failed.
    fn run(&mut self, said_text: &str, prepared: &Prepared, portal: Option<(&[u8], i32)>) -> bool {
        let text = prepared.text.as_str();
        let meaning = sql::meaning(text);
        let ends = matches!(meaning, Meaning::Commit | Meaning::Rollback);
        if meaning == Meaning::Refusal {
            self.fail(&said("42601", "syntax error at or near \"OSTIARY\""));
            return false;
        }
        if self.status == TransactionStatus::Failed && !ends {
            self.fail(&said("25P02", "current transaction is aborted"));
            return false;
        }
        if meaning == Meaning::Catalogue {
            return self.catalogue(text);
        }
        let mut ran = Ran {
            said: said_text.to_owned(),
            did: text.to_owned(),
            backslash: prepared.backslash,
        };
        let mut effective = prepared.clone();
        let tag = match meaning {
            Meaning::Begin => {
                self.status = TransactionStatus::InTransaction;
                "BEGIN"
            }
            Meaning::Commit | Meaning::Rollback => {
                let failed = self.status == TransactionStatus::Failed;
                self.status = TransactionStatus::Idle;
                self.ran.push(ran);
                if !failed && let Some(error) = self.deferred.take() {
                    self.fail(&error);
                    return false;
                }
                self.portals.clear();
                let tag = if failed || meaning == Meaning::Rollback {
                    "ROLLBACK"
                } else {
                    "COMMIT"
                };
                encode::command_complete(&mut self.out, tag.as_bytes()).unwrap();
                return true;
            }
            Meaning::Set { name, value } if name == "standard_conforming_strings" => {
                self.backslash = value != "on";
                let value = if self.backslash { "off" } else { "on" };
                self.report(name, value);
                "SET"
            }
            Meaning::Set { name, value } if name == "client_encoding" => {
                self.report(name, value);
                "SET"
            }
            Meaning::Prepare { name, text } => {
                let prepared = Prepared {
                    text: text.to_owned(),
                    backslash: self.backslash,
                };
                if self.prepared.contains_key(key(name.as_bytes())) {
                    self.fail(&said("42P05", "prepared statement already exists"));
                    return false;
                }
                self.prepared
                    .insert(key(name.as_bytes()).to_vec(), prepared);
                // Nothing of it runs.
                "PREPARE"
            }
            Meaning::Deallocate { name } => {
                match name {
                    None => self.prepared.clear(),
                    Some(name) => {
                        if self.prepared.remove(key(name.as_bytes())).is_none() {
                            self.fail(&said("26000", "no such statement"));
                            return false;
                        }
                    }
                }
                "DEALLOCATE"
            }
            Meaning::Declare { name, text } => {
                let portal = Portal {
                    prepared: Prepared {
                        text: text.to_owned(),
                        backslash: self.backslash,
                    },
                    formats: Vec::new(),
                    at: 0,
                };
                self.portals.insert(key(name.as_bytes()).to_vec(), portal);
                "DECLARE CURSOR"
            }
            Meaning::Close { name } => {
                match name {
                    None => self.portals.clear(),
                    Some(name) => drop(self.portals.remove(key(name.as_bytes()))),
                }
                "CLOSE CURSOR"
            }
            Meaning::DiscardAll => {
                self.prepared.clear();
                self.portals.clear();
                "DISCARD ALL"
            }
            Meaning::Execute { name } => match self.prepared.get(key(name.as_bytes())).cloned() {
                None => {
                    self.fail(&said("26000", "no such statement"));
                    return false;
                }
                Some(inner) => {
                    effective = inner;
                    ""
                }
            },
            Meaning::Fetch { name } => match self.portals.get(key(name.as_bytes())).cloned() {
                None => {
                    self.fail(&said("34000", "no such cursor"));
                    return false;
                }
                Some(inner) => {
                    effective = inner.prepared;
                    ""
                }
            },
            _ => "",
        };
        ran.did.clone_from(&effective.text);
        ran.backslash = effective.backslash;
        // What the session asks for itself is no statement of anybody.
        if !portal.is_some_and(|(name, _)| name.starts_with(b"\x01ostiary")) {
            self.ran.push(ran);
        }
        if !tag.is_empty() {
            encode::command_complete(&mut self.out, tag.as_bytes()).unwrap();
            return true;
        }
        self.give(&self.answer_of(&effective.text), portal)
    }

    fn give(&mut self, answer: &Answer, portal: Option<(&[u8], i32)>) -> bool {
        for notice in &answer.notices {
            self.frame(tag::backend::NOTICE_RESPONSE, &notice.body("NOTICE"));
        }
        let bound = portal.and_then(|(name, _)| self.portals.get(key(name)).cloned());
        if portal.is_none() && !answer.columns.is_empty() {
            self.describe(&answer.columns, &[]);
        }
        let at = bound.map_or(0, |portal| portal.at);
        let limit = portal.map_or(0, |(_, limit)| usize::try_from(limit).unwrap_or(0));
        let rest = answer.rows.get(at..).unwrap_or_default();
        let take = if limit == 0 {
            rest.len()
        } else {
            limit.min(rest.len())
        };
        for row in &rest[..take] {
            self.row(row);
        }
        if let Some((name, _)) = portal
            && let Some(portal) = self.portals.get_mut(key(name))
        {
            portal.at += take;
        }
        if let Some(copy) = &answer.copy {
            self.say(&Backend::CopyOutResponse(CopyFormat {
                format: copy.format,
                column_formats: vec![copy.format; copy.columns],
            }));
            for data in &copy.data {
                self.say(&Backend::CopyData(data));
            }
            if answer.error.is_none() {
                self.say(&Backend::CopyDone);
            }
        }
        if let Some(columns) = answer.takes {
            self.say(&Backend::CopyInResponse(CopyFormat {
                format: Format::Text,
                column_formats: vec![Format::Text; columns],
            }));
            self.taking = Some(portal.is_none());
            return true;
        }
        if let Some(error) = &answer.error {
            self.fail(error);
            return false;
        }
        self.deferred = answer.deferred.clone().or(self.deferred.take());
        if limit > 0 && take < rest.len() {
            self.say(&Backend::PortalSuspended);
        } else {
            encode::command_complete(&mut self.out, answer.tag.as_bytes()).unwrap();
        }
        if let Some((name, value)) = answer.reports {
            self.report(name, value);
        }
        true
    }

    fn answer_of(&self, text: &str) -> Answer {
        self.answers.get(text).cloned().unwrap_or_else(|| {
            let word = text.split_whitespace().next().unwrap_or_default();
            Answer::done(&word.to_ascii_uppercase())
        })
    }

    /// Answers the session's own query, as the real server does for the labels in its VALUES.
    fn catalogue(&mut self, text: &str) -> bool {
        self.catalogue_reads += 1;
        if self.catalogue_fails {
            self.fail(&said(
                "57014",
                "canceling statement due to statement timeout",
            ));
            return false;
        }
        let values = text.split_once("VALUES ").unwrap().1;
        let values = values.split_once("), f(o").unwrap().0;
        for label in values.split("),(") {
            let parts: Vec<&str> = label.split(',').collect();
            let part = |at: usize| parts[at].split('\'').nth(1).unwrap_or_default();
            let index = parts[3].trim_end_matches(')');
            for (relation, oid, attribute, column, origin) in COLUMNS {
                if part(0) == "public" && part(1) == "users" && part(2) == origin {
                    self.row_of(&[
                        Some(&oid.to_string()),
                        Some(&attribute.to_string()),
                        Some(index),
                        Some("public"),
                        Some(relation),
                        Some(column),
                    ]);
                }
            }
        }
        let labelled =
            COLUMNS.map(|(relation, oid, attribute, column, _)| (relation, oid, attribute, column));
        let plain = [("users", USERS, 1, "id"), ("users", USERS, 2, "name")];
        for (relation, oid, attribute, column) in labelled.into_iter().chain(plain) {
            self.row_of(&[
                Some(&oid.to_string()),
                Some(&attribute.to_string()),
                None,
                Some("public"),
                Some(relation),
                Some(column),
            ]);
        }
        for oid in [USERS, ORDERS, CONTACTS] {
            self.row_of(&[Some(&oid.to_string()), None, None, None, None, None]);
        }
        encode::command_complete(&mut self.out, b"SELECT 9").unwrap();
        true
    }

    fn row_of(&mut self, values: &[Option<&str>]) {
        let values: Vec<_> = values
            .iter()
            .map(|v| v.map(|v| v.as_bytes().to_vec()))
            .collect();
        self.row(&values);
    }

    fn row(&mut self, values: &[Option<Vec<u8>>]) {
        let mut writer = ostiary_wire::postgres::RowWriter::start(&mut self.out);
        for value in values {
            writer.value(value.as_deref());
        }
        writer.finish().unwrap();
    }

    fn describe(&mut self, columns: &[Col], formats: &[Format]) {
        let columns: Vec<_> = columns
            .iter()
            .enumerate()
            .map(|(index, column)| column.wire(Format::of(formats, index).unwrap_or(Format::Text)))
            .collect();
        self.say(&Backend::RowDescription(columns));
    }

    fn fail(&mut self, error: &Said) {
        self.frame(tag::backend::ERROR_RESPONSE, &error.body("ERROR"));
        if self.status == TransactionStatus::InTransaction {
            self.status = TransactionStatus::Failed;
        }
        self.skipping = true;
    }

    fn end_transaction(&mut self) {
        self.portals.clear();
        if let Some(error) = self.deferred.take() {
            self.fail(&error);
            self.skipping = false;
        }
    }

    fn ready(&mut self) {
        // A Query ends what its own error started.
        self.skipping = false;
        encode::ready_for_query(&mut self.out, self.status).unwrap();
    }

    fn report(&mut self, name: &str, value: &str) {
        encode::parameter_status(&mut self.out, name.as_bytes(), value.as_bytes()).unwrap();
    }

    pub(super) fn frame(&mut self, tag: u8, body: &[u8]) {
        self.out.push(tag);
        let length = u32::try_from(body.len() + 4).unwrap();
        self.out.extend(length.to_be_bytes());
        self.out.extend_from_slice(body);
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn say(&mut self, message: &Backend<'_>) {
        message.encode(&mut self.out).unwrap();
    }
}

/// The server compares the first 63 bytes of names.
fn key(name: &[u8]) -> &[u8] {
    &name[..name.len().min(63)]
}
