//! A server that keeps names as PostgreSQL does, and says what it ran.

use std::collections::{BTreeMap, VecDeque};

use ostiary_wire::postgres::{
    Authentication, Backend, Column, Format, Frontend, RowWriter, Startup, Target,
    TransactionStatus, backend::encode, frame, startup,
};

use super::Grant;

/// What a statement needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Reads,
    Writes,
    Asks,
    Denied,
}

/// A statement that ran.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    /// Its text, as the message or the prepared statement had it.
    pub(super) said: String,
    pub(super) class: Class,
    /// What let it through.
    pub(super) grant: Option<Grant>,
}

/// What a frame is, to whoever lets it through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    Operation,
    /// Nothing that runs, or a message that is sure to fail.
    Nothing,
}

/// What a text does, for the texts of [`super::script::TEXTS`].
enum Does<'a> {
    Run(Class),
    Fail,
    Begin,
    Commit,
    Prepare(&'a str, &'a str),
    Execute(&'a str),
    Deallocate(Option<&'a str>),
    Declare(&'a str, &'a str),
    Fetch(&'a str),
    Close(&'a str),
    Nothing,
    Refusal,
    Catalogue,
}

fn does(text: &str) -> Does<'_> {
    let last = text.rsplit(' ').next().unwrap_or_default();
    let second = text.split(' ').nth(1).unwrap_or_default();
    let after = |mark: &str| text.split_once(mark).map_or("", |(_, rest)| rest);
    let first = text.split(' ').next().unwrap_or_default();
    match first {
        "" => Does::Nothing,
        "SELECT" if text.ends_with("1/0") => Does::Fail,
        "SELECT" => Does::Run(Class::Reads),
        "TRUNCATE" => Does::Run(Class::Denied),
        "DELETE" => Does::Run(Class::Asks),
        "INSERT" => Does::Run(Class::Writes),
        "BEGIN" => Does::Begin,
        "COMMIT" => Does::Commit,
        "PREPARE" => Does::Prepare(second, after(" AS ")),
        "EXECUTE" => Does::Execute(last),
        "DEALLOCATE" => Does::Deallocate((last != "ALL").then_some(last)),
        "DECLARE" => Does::Declare(second, after(" FOR ")),
        "FETCH" => Does::Fetch(last),
        "CLOSE" => Does::Close(last),
        "OSTIARY" => Does::Refusal,
        "WITH" => Does::Catalogue,
        // Bytes of the fuzzer's own: judged by their record alone.
        _ => Does::Run(Class::Reads),
    }
}

enum Work {
    Startup(Vec<u8>),
    Frame(Vec<u8>, Option<Grant>),
}

pub(super) struct Model {
    pub(super) honest: bool,
    /// Asks for a password.
    asks: bool,
    open: bool,
    started: bool,
    inbox: Vec<u8>,
    work: VecDeque<Work>,
    skipping: bool,
    status: TransactionStatus,
    prepared: BTreeMap<Vec<u8>, String>,
    portals: BTreeMap<Vec<u8>, String>,
    ran: Vec<Ran>,
}

/// The server compares 63 bytes of a name.
fn key(name: &[u8]) -> Vec<u8> {
    name.get(..63).unwrap_or(name).to_vec()
}

impl Model {
    pub(super) fn new(choice: u8) -> Self {
        Self {
            honest: true,
            asks: choice % 2 == 1,
            open: false,
            started: false,
            inbox: Vec::new(),
            work: VecDeque::new(),
            skipping: false,
            status: TransactionStatus::Idle,
            prepared: BTreeMap::new(),
            portals: BTreeMap::new(),
            ran: Vec::new(),
        }
    }

    /// Takes bytes of the session, which must be whole packets; `grant` lets each operation through.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        mut grant: impl FnMut(Carries) -> Result<Option<Grant>, &'static str>,
    ) -> Result<(), &'static str> {
        self.inbox.extend_from_slice(bytes);
        loop {
            let used = if self.started {
                let Ok(Some(frame)) = frame::take(&self.inbox, usize::MAX) else {
                    break;
                };
                let Ok(message) = Frontend::parse(frame.tag, frame.body) else {
                    return Err("a malformed message was forwarded");
                };
                let grant = grant(carries(&message))?;
                self.work
                    .push_back(Work::Frame(frame.bytes.to_vec(), grant));
                frame.bytes.len()
            } else {
                match startup::take(&self.inbox) {
                    Ok(Some((packet, used))) => {
                        self.started = matches!(packet, Startup::Startup(_));
                        let bytes = self.inbox.get(..used).unwrap_or_default();
                        self.work.push_back(Work::Startup(bytes.to_vec()));
                        used
                    }
                    Ok(None) => break,
                    // The goodbye of a session that never began.
                    Err(_) => self.inbox.len(),
                }
            };
            self.inbox.drain(..used);
        }
        if self.started && !self.inbox.is_empty() {
            return Err("a part of a message was forwarded");
        }
        Ok(())
    }

    pub(super) fn has_work(&self) -> bool {
        !self.work.is_empty()
    }

    /// What ran since the last time.
    pub(super) fn ran(&mut self) -> Vec<Ran> {
        std::mem::take(&mut self.ran)
    }

    /// The answer to the next message; some choices make it fail.
    pub(super) fn answer(&mut self, choice: u8) -> Vec<u8> {
        let mut out = Vec::new();
        match self.work.pop_front() {
            None => {}
            Some(Work::Startup(packet)) => match startup::take(&packet) {
                Ok(Some((Startup::Ssl | Startup::GssEnc, _))) => out.push(b'N'),
                Ok(Some((Startup::Startup(_), _))) if self.asks => {
                    say(
                        &mut out,
                        &Backend::Authentication(Authentication::CleartextPassword),
                    );
                }
                Ok(Some((Startup::Startup(_), _))) => self.welcome(&mut out),
                _ => {}
            },
            Some(Work::Frame(frame, grant)) => {
                if let Ok(Some(frame)) = frame::take(&frame, usize::MAX)
                    && let Ok(message) = Frontend::parse(frame.tag, frame.body)
                {
                    self.on_message(&message, grant.as_ref(), choice % 8 == 7, &mut out);
                }
            }
        }
        out
    }

    fn welcome(&mut self, out: &mut Vec<u8>) {
        self.open = true;
        say(out, &Backend::Authentication(Authentication::Ok));
        for (name, value) in [
            ("client_encoding", "UTF8"),
            ("standard_conforming_strings", "on"),
        ] {
            let (name, value) = (name.as_bytes(), value.as_bytes());
            say(out, &Backend::ParameterStatus { name, value });
        }
        self.ready(out);
    }

    fn ready(&self, out: &mut Vec<u8>) {
        say(
            out,
            &Backend::ReadyForQuery {
                status: self.status,
            },
        );
    }

    fn on_message(
        &mut self,
        message: &Frontend<'_>,
        grant: Option<&Grant>,
        fails: bool,
        out: &mut Vec<u8>,
    ) {
        if !self.open {
            if let Frontend::Password(_) = message {
                self.welcome(out);
            }
            return;
        }
        if self.skipping && !matches!(message, Frontend::Sync) {
            return;
        }
        match message {
            Frontend::Query { sql } => {
                self.prepared.remove(b"".as_slice());
                self.portals.remove(b"".as_slice());
                let text = String::from_utf8_lossy(sql).into_owned();
                self.run(&text, (&text, 0), true, grant, fails, out);
                self.skipping = false;
                if self.status == TransactionStatus::Idle {
                    self.portals.clear();
                }
                self.ready(out);
            }
            Frontend::Parse { name, sql, .. } => {
                if fails || !name.is_empty() && self.prepared.contains_key(&key(name)) {
                    return self.fail("42P05", out);
                }
                let text = String::from_utf8_lossy(sql).into_owned();
                self.prepared.insert(key(name), text);
                say(out, &Backend::ParseComplete);
            }
            Frontend::Bind {
                portal, statement, ..
            } => {
                let exists = !portal.is_empty() && self.portals.contains_key(&key(portal));
                match self.prepared.get(&key(statement)).cloned() {
                    Some(text) if !fails && !exists => {
                        self.portals.insert(key(portal), text);
                        say(out, &Backend::BindComplete);
                    }
                    _ => self.fail("26000", out),
                }
            }
            Frontend::Describe { kind, name } => {
                let known = match kind {
                    Target::Statement => self.prepared.contains_key(&key(name)),
                    Target::Portal => self.portals.contains_key(&key(name)),
                };
                if fails || !known {
                    return self.fail("34000", out);
                }
                if let Target::Statement = kind {
                    say(out, &Backend::ParameterDescription(Vec::new()));
                }
                describe(out);
            }
            Frontend::Execute { portal, .. } => match self.portals.get(&key(portal)).cloned() {
                None => self.fail("34000", out),
                Some(text) => self.run(&text, (&text, 0), false, grant, fails, out),
            },
            Frontend::Close { kind, name } => {
                match kind {
                    Target::Statement => self.prepared.remove(&key(name)),
                    Target::Portal => self.portals.remove(&key(name)),
                };
                say(out, &Backend::CloseComplete);
            }
            Frontend::Sync => {
                self.skipping = false;
                if self.status == TransactionStatus::Idle {
                    self.portals.clear();
                }
                self.ready(out);
            }
            _ => {}
        }
    }

    /// Runs `text`, which the message or prepared statement `said` led to in `steps` steps.
    fn run(
        &mut self,
        said: &str,
        (text, steps): (&str, u8),
        simple: bool,
        grant: Option<&Grant>,
        fails: bool,
        out: &mut Vec<u8>,
    ) {
        let complete = |out: &mut Vec<u8>| {
            let _ = encode::command_complete(out, b"DONE");
        };
        let does = does(text);
        match does {
            Does::Refusal => return self.fail("42601", out),
            Does::Nothing => return say(out, &Backend::EmptyQueryResponse),
            Does::Catalogue if fails => return self.fail("57014", out),
            Does::Catalogue => {
                row(
                    out,
                    &[
                        Some(b"16400"),
                        Some(b"3"),
                        Some(b"0"),
                        Some(b"public"),
                        Some(b"users"),
                    ],
                );
                row(out, &[Some(b"16400"), None, None, None, None]);
                return complete(out);
            }
            _ => {}
        }
        let ran = |class| Ran {
            said: said.to_owned(),
            class,
            grant: grant.cloned(),
        };
        if self.status == TransactionStatus::Failed && !matches!(does, Does::Commit) {
            return self.fail("25P02", out);
        }
        match does {
            Does::Run(class) => {
                self.ran.push(ran(class));
                if fails {
                    return self.fail("22012", out);
                }
                if simple {
                    describe(out);
                }
                row(out, &[Some(b"alice@example.com")]);
                return complete(out);
            }
            Does::Execute(name) | Does::Fetch(name) => {
                let names = match does {
                    Does::Execute(_) => &self.prepared,
                    _ => &self.portals,
                };
                return match names.get(name.as_bytes()).cloned() {
                    Some(inner) if steps < 3 => {
                        let inner = (inner.as_str(), steps.saturating_add(1));
                        self.run(said, inner, simple, grant, fails, out);
                    }
                    _ => self.fail("26000", out),
                };
            }
            _ => {}
        }
        self.ran.push(ran(Class::Reads));
        if fails {
            return self.fail("XX000", out);
        }
        match does {
            Does::Fail => return self.fail("22012", out),
            Does::Begin => self.status = TransactionStatus::InTransaction,
            Does::Commit => {
                self.status = TransactionStatus::Idle;
                self.portals.clear();
            }
            Does::Prepare(name, text) => {
                if self.prepared.contains_key(name.as_bytes()) {
                    return self.fail("42P05", out);
                }
                self.prepared
                    .insert(name.as_bytes().to_vec(), text.to_owned());
            }
            Does::Deallocate(None) => self.prepared.clear(),
            Does::Deallocate(Some(name)) => {
                if self.prepared.remove(name.as_bytes()).is_none() {
                    return self.fail("26000", out);
                }
            }
            Does::Declare(name, text) => {
                if self.portals.contains_key(name.as_bytes()) {
                    return self.fail("42P03", out);
                }
                self.portals
                    .insert(name.as_bytes().to_vec(), text.to_owned());
            }
            Does::Close(name) => {
                self.portals.remove(name.as_bytes());
            }
            Does::Run(_)
            | Does::Execute(_)
            | Does::Fetch(_)
            | Does::Nothing
            | Does::Refusal
            | Does::Catalogue => {}
        }
        complete(out);
    }

    fn fail(&mut self, sqlstate: &str, out: &mut Vec<u8>) {
        let _ = encode::error(out, "ERROR", sqlstate, "no", None, None);
        self.skipping = true;
        if self.status == TransactionStatus::InTransaction {
            self.status = TransactionStatus::Failed;
        }
    }
}

fn carries(message: &Frontend<'_>) -> Carries {
    match message {
        Frontend::Query { sql }
            if sql.starts_with(b"OSTIARY REFUSED") || sql.starts_with(b"WITH RECURSIVE l(") =>
        {
            Carries::Nothing
        }
        Frontend::Execute { portal, .. } if portal.starts_with(b"\x01ostiary") => Carries::Nothing,
        Frontend::Query { .. } | Frontend::Execute { .. } | Frontend::FunctionCall(_) => {
            Carries::Operation
        }
        _ => Carries::Nothing,
    }
}

fn describe(out: &mut Vec<u8>) {
    let column = Column {
        name: b"email",
        table: 16_400,
        attribute: 3,
        type_id: 25,
        type_size: -1,
        type_modifier: -1,
        format: Format::Text,
    };
    say(out, &Backend::RowDescription(vec![column]));
}

fn row(out: &mut Vec<u8>, values: &[Option<&[u8]>]) {
    let mut writer = RowWriter::start(out);
    for value in values {
        writer.value(*value);
    }
    let _ = writer.finish();
}

fn say(out: &mut Vec<u8>, message: &Backend<'_>) {
    let _ = message.encode(out);
}
