//! A server that keeps names as PostgreSQL does, and says what it ran.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ostiary_wire::postgres::{
    Authentication, Backend, CopyFormat, Format, Frontend, Startup, Target, TransactionStatus,
    backend::encode, frame, startup,
};

use super::Grant;
use super::meaning::{
    Carries, Class, Does, LABELLED, SECRET, carries, complete, describe, does, is_ours, row, say,
};

/// A statement that ran.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    /// Its text, as the message or the prepared statement had it.
    pub(super) said: String,
    pub(super) class: Class,
    /// What let it through.
    pub(super) grant: Option<Grant>,
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
    /// Portals that stopped at their limit.
    suspended: BTreeSet<Vec<u8>>,
    /// A COPY takes data; whether a Query said so.
    copying: Option<bool>,
    ran: Vec<Ran>,
    /// What no message may do.
    broken: Option<&'static str>,
}

/// What was asked for and how.
#[derive(Clone, Copy)]
struct Asked<'a> {
    simple: bool,
    grant: Option<&'a Grant>,
    fails: bool,
    /// The portal, if it stops after one row.
    limited: Option<&'a [u8]>,
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
            suspended: BTreeSet::new(),
            copying: None,
            ran: Vec::new(),
            broken: None,
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
    pub(super) fn ran(&mut self) -> Result<Vec<Ran>, &'static str> {
        match self.broken {
            Some(broken) if self.honest => Err(broken),
            _ => Ok(std::mem::take(&mut self.ran)),
        }
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
        if let Some(simple) = self.copying {
            return self.on_data(message, simple, fails, out);
        }
        match message {
            Frontend::Query { sql } => {
                self.prepared.remove(b"".as_slice());
                self.portals.remove(b"".as_slice());
                let text = String::from_utf8_lossy(sql).into_owned();
                let asked = Asked {
                    simple: true,
                    grant,
                    fails,
                    limited: None,
                };
                self.run(&text, (&text, 0), asked, out);
                self.skipping = false;
                if self.copying.is_some() {
                    return;
                }
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
                        self.suspended.remove(&key(portal));
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
            // A question of the session's own.
            Frontend::Execute { portal, .. } if is_ours(portal) => complete(out),
            Frontend::Execute { portal, max_rows } => match self.portals.get(&key(portal)).cloned()
            {
                None => self.fail("34000", out),
                Some(text) => {
                    let asked = Asked {
                        simple: false,
                        grant,
                        fails,
                        limited: (*max_rows == 1).then_some(*portal),
                    };
                    self.run(&text, (&text, 0), asked, out);
                }
            },
            Frontend::FunctionCall(_) => {
                self.ran.push(Ran {
                    said: String::new(),
                    class: Class::Denied,
                    grant: grant.cloned(),
                });
                say(out, &Backend::FunctionCallResponse(None));
                self.ready(out);
            }
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

    /// A message while a COPY takes data.
    fn on_data(&mut self, message: &Frontend<'_>, simple: bool, fails: bool, out: &mut Vec<u8>) {
        match message {
            Frontend::CopyData(_) if !fails => return,
            Frontend::CopyDone if !fails => complete(out),
            // Whoever goes away in the middle gives up.
            Frontend::CopyData(_)
            | Frontend::CopyDone
            | Frontend::CopyFail(_)
            | Frontend::Terminate => self.fail("57014", out),
            Frontend::Flush | Frontend::Sync => return,
            _ => {
                self.broken = Some("a message was taken for data of a COPY");
                return;
            }
        }
        self.copying = None;
        if simple {
            self.skipping = false;
            self.ready(out);
        }
    }

    /// Runs `text`, which the message or prepared statement `said` led to in `steps` steps.
    fn run(&mut self, said: &str, (text, steps): (&str, u8), asked: Asked<'_>, out: &mut Vec<u8>) {
        let Asked {
            simple,
            grant,
            fails,
            limited,
        } = asked;
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
                row(out, &[Some(SECRET)]);
                if let Some(portal) = limited
                    && self.suspended.insert(key(portal))
                {
                    return say(out, &Backend::PortalSuspended);
                }
                return complete(out);
            }
            Does::CopyIn | Does::CopyOut => {
                let takes = matches!(does, Does::CopyIn);
                let class = if takes { Class::Writes } else { Class::Reads };
                self.ran.push(ran(class));
                if fails {
                    return self.fail("42501", out);
                }
                let format = CopyFormat {
                    format: Format::Text,
                    column_formats: vec![Format::Text],
                };
                if takes {
                    self.copying = Some(simple);
                    return say(out, &Backend::CopyInResponse(format));
                }
                say(out, &Backend::CopyOutResponse(format));
                let value = match text.contains("users") {
                    true => LABELLED,
                    false => SECRET,
                };
                let line = [value, b"\n"].concat();
                say(out, &Backend::CopyData(&line));
                say(out, &Backend::CopyDone);
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
                        let limited = None;
                        self.run(said, inner, Asked { limited, ..asked }, out);
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
            | Does::Catalogue
            | Does::CopyIn
            | Does::CopyOut => {}
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
