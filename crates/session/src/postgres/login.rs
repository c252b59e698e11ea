//! The login: the client proves who it is to Ostiary, Ostiary proves who it is to the server.
//!
//! The StartupMessage goes upstream with the brokered role; the server's answer is withheld and the
//! client is asked for a password, its OIDC token. Once that is verified the upstream login is
//! finished with the brokered password, and the withheld greeting goes out.

use std::rc::Rc;

use ostiary_operation::sql::Reading;
use ostiary_operation::{Principal, Target};
use ostiary_policy::{Mode, Verdict};
use ostiary_record::{ConnectionOpened, LoggedIn, event::Kind};
use ostiary_wire::Malformed;
use ostiary_wire::postgres::startup::{self, SSL_REQUEST, Startup};
use ostiary_wire::postgres::{Authentication, Backend, Frame, backend, frame, frontend, tag};
use sha2::{Digest as _, Sha256};

use super::core::{Core, Fatal, encoded};
use super::judge::Judge;
use super::open::{LoggedIn as HandedOver, Open, Server};
use super::replication::{Gate, Replication};
use super::scram::{self, Scram};
use super::startup::Wanted;
use super::{Next, reply};
use crate::{Config, Effect, Login as Answer, Now, OpenSession, Opened};

/// Bytes a server may send before the session is open: a greeting is a few hundred.
const MAX_GREETING: usize = 64 << 10;
/// Bytes of a token with its frame; the control plane takes 8 KiB.
const MAX_PASSWORD: usize = 16 << 10;

/// A login under way.
pub(super) struct Login {
    stage: Stage,
    deadline: Now,
    inbox: Vec<u8>,
    server: Vec<u8>,
    /// Encryption requests that have been answered; the server takes one.
    encryption_asked: bool,
    wanted: Option<Wanted>,
    method: Option<Method>,
    opened: Option<Opened>,
    /// The greeting (AuthenticationOk to ReadyForQuery), for when the login is done.
    greeting: Vec<u8>,
    facts: Server,
    /// ReadyForQuery messages seen.
    ready: u8,
}

enum Stage {
    /// Waits for the client's first frames.
    Start,
    /// An SSLRequest is upstream; its answer is the client's, too.
    EncryptionAsked,
    /// The StartupMessage is upstream.
    Greeted,
    /// The client was asked for its password.
    PasswordAsked,
    /// The control plane was asked.
    Verifying,
    /// The upstream login goes on.
    Finishing,
    /// A CancelRequest waits for the control plane.
    Cancel(Vec<u8>),
    /// A CancelRequest is upstream.
    Cancelled,
}

/// How the server wants the role to log in.
enum Method {
    Trust,
    Cleartext,
    Md5([u8; 4]),
    Scram(Scram, Proof),
}

#[derive(PartialEq, Eq)]
enum Proof {
    Asked,
    Answered,
    Verified,
}

impl Login {
    pub(super) fn new(config: &Config, now: Now) -> Self {
        Self {
            stage: Stage::Start,
            deadline: now.after(config.limits.login_us),
            inbox: Vec::new(),
            server: Vec::new(),
            encryption_asked: false,
            wanted: None,
            method: None,
            opened: None,
            greeting: Vec::new(),
            facts: Server::default(),
            ready: 0,
        }
    }

    pub(super) fn deadline(&self) -> Now {
        self.deadline
    }

    pub(super) fn abandon(&mut self, _core: &mut Core) {
        self.opened = None;
    }

    /// Bytes that make the server say something now, so that the client can be told something.
    pub(super) fn elicit(&mut self) -> Vec<u8> {
        match (&self.stage, &self.method) {
            // A server that has answered one already answers the second with an error.
            (Stage::Start, _) => SSL_REQUEST.to_vec(),
            (Stage::PasswordAsked | Stage::Verifying, Some(Method::Trust)) => {
                encoded(frontend::encode::sync)
            }
            // A mechanism that does not exist: the server ends the login without counting a failure.
            (Stage::PasswordAsked | Stage::Verifying, Some(_)) => {
                encoded(|out| frontend::encode::sasl_initial_response(out, "OSTIARY-REFUSED", None))
            }
            // The server's answer is on its way.
            _ => Vec::new(),
        }
    }

    pub(super) fn on_client(&mut self, core: &mut Core, bytes: &[u8]) -> Result<Next, Fatal> {
        self.inbox.extend_from_slice(bytes);
        match self.stage {
            Stage::Start => self.on_start(core),
            Stage::PasswordAsked => self.on_password(core),
            Stage::EncryptionAsked => Err(ahead_of_answer()),
            // A client waits for an answer here; what it sends ahead is an attempt to have bytes
            // read in another state than they were sent in.
            Stage::Greeted => Err(ahead_of_answer()),
            // The server reads no more of such a connection either.
            Stage::Cancel(_) | Stage::Cancelled => {
                self.inbox.clear();
                Ok(Next::Stay)
            }
            // What a client sends ahead is read once it is logged in.
            Stage::Verifying | Stage::Finishing if self.inbox.len() <= core.config.limits.ahead => {
                Ok(Next::Stay)
            }
            Stage::Verifying | Stage::Finishing => Err(too_much_ahead()),
        }
    }

    fn on_start(&mut self, core: &mut Core) -> Result<Next, Fatal> {
        let inbox = std::mem::take(&mut self.inbox);
        let Some((message, used)) = startup::take(&inbox).map_err(|error| broken(&error))? else {
            self.inbox = inbox;
            return Ok(Next::Stay);
        };
        if inbox.len() > used && !matches!(message, Startup::Cancel { .. }) {
            return Err(ahead_of_answer());
        }
        match message {
            Startup::Ssl | Startup::GssEnc => {
                if self.encryption_asked {
                    return Err(Fatal::new(
                        reply::UNSUPPORTED,
                        "protocol",
                        "only one encryption request is answered on this listener; \
                         use `gssencmode=disable`"
                            .to_owned(),
                    ));
                }
                self.encryption_asked = true;
                self.stage = Stage::EncryptionAsked;
                core.send_to_server(SSL_REQUEST.to_vec());
            }
            Startup::Cancel { process_id, secret } => {
                let packet = encoded(|out| startup::cancel(out, process_id, secret));
                self.stage = Stage::Cancel(packet);
                core.effects.push_back(Effect::CancelWait {
                    cancel_key_sha256: cancel_key(process_id, secret),
                });
            }
            Startup::Startup(message) => {
                let wanted = Wanted::new(&message, &core.config.role)?;
                core.record(Kind::ConnectionOpened(ConnectionOpened {
                    resource: core.config.resource.clone(),
                    peer: core.config.peer.clone(),
                    database: wanted.database.clone(),
                    requested_role: wanted.requested_role.clone(),
                    application_name: wanted.application_name.clone(),
                }));
                core.send_to_server(wanted.upstream.clone());
                self.wanted = Some(wanted);
                self.stage = Stage::Greeted;
            }
        }
        Ok(Next::Stay)
    }

    fn on_password(&mut self, core: &mut Core) -> Result<Next, Fatal> {
        let inbox = std::mem::take(&mut self.inbox);
        let Some(frame) = frame::take(&inbox, MAX_PASSWORD).map_err(|error| broken(&error))? else {
            self.inbox = inbox;
            return Ok(Next::Stay);
        };
        if frame.tag == tag::frontend::TERMINATE {
            return Ok(Next::Close("client"));
        }
        if frame.tag != tag::frontend::PASSWORD {
            return Err(Fatal::new(
                reply::PROTOCOL,
                "protocol",
                "expected a PasswordMessage".to_owned(),
            ));
        }
        let token = frontend::password(frame.body).map_err(|error| broken(&error))?;
        let token = std::str::from_utf8(token).unwrap_or_default();
        if token.is_empty() {
            return Err(Fatal::new(
                reply::LOGIN,
                "login",
                "no token: the password must be an OIDC token".to_owned(),
            ));
        }
        let Some(wanted) = &self.wanted else {
            return Err(lost_state());
        };
        core.effects.push_back(Effect::OpenSession(OpenSession {
            database: wanted.database.clone(),
            requested_role: wanted.requested_role.clone(),
            application_name: wanted.application_name.clone(),
            token: token.to_owned(),
        }));
        self.stage = Stage::Verifying;
        self.inbox = inbox.get(frame.bytes.len()..).unwrap_or_default().to_vec();
        Ok(Next::Stay)
    }

    pub(super) fn on_cancel(&mut self, core: &mut Core, forward: bool) -> Result<Next, Fatal> {
        let Stage::Cancel(packet) = std::mem::replace(&mut self.stage, Stage::Cancelled) else {
            return Ok(Next::Stay);
        };
        if !forward {
            return Ok(Next::Close("cancel request"));
        }
        core.send_to_server(packet);
        Ok(Next::Stay)
    }

    pub(super) fn on_login(&mut self, core: &mut Core, answer: Answer) -> Result<Next, Fatal> {
        if !matches!(self.stage, Stage::Verifying) {
            return Ok(Next::Stay);
        }
        let opened = match answer {
            Answer::Opened(opened) => opened,
            Answer::Rejected(message) => return Err(Fatal::new(reply::LOGIN, "login", message)),
            Answer::Lost => {
                return Err(Fatal::new(
                    reply::UNAVAILABLE,
                    "control plane",
                    "the control plane does not answer; nobody can log in until it does".to_owned(),
                ));
            }
        };
        self.judge_settings(core, &opened.principal)?;
        if let Some(gate) = self.gate(core, &opened.principal) {
            gate.admit(core, false)?;
        }
        let password = opened.password.clone();
        self.opened = Some(opened);
        self.stage = Stage::Finishing;
        match &mut self.method {
            Some(Method::Trust) => {
                // The greeting is here already; a Sync makes the server speak again.
                core.send_to_server(encoded(frontend::encode::sync));
            }
            Some(Method::Cleartext) => core.send_to_server(encoded(|out| {
                frontend::encode::password(out, password.as_bytes())
            })),
            Some(Method::Md5(salt)) => {
                let hashed = md5_password(&password, &core.config.role, salt);
                core.send_to_server(encoded(|out| {
                    frontend::encode::password(out, hashed.as_bytes())
                }));
            }
            Some(Method::Scram(scram, _)) => {
                let first = scram.client_first();
                core.send_to_server(encoded(|out| {
                    frontend::encode::sasl_initial_response(
                        out,
                        scram::MECHANISM,
                        Some(first.as_bytes()),
                    )
                }));
            }
            None => return Err(lost_state()),
        }
        Ok(Next::Stay)
    }

    /// What decides about a replication connection, if it is one.
    fn gate(&self, core: &Core, principal: &Principal) -> Option<Gate> {
        let wanted = self.wanted.as_ref()?;
        let mode = wanted.replication?;
        Some(Gate::new(core, principal, &wanted.database, mode))
    }

    /// Settings of the StartupMessage are judged like the SET they stand for.
    fn judge_settings(&self, core: &Core, principal: &Principal) -> Result<(), Fatal> {
        let Some(wanted) = &self.wanted else {
            return Err(lost_state());
        };
        if core.state.bundle.mode(&core.config.resource) == Mode::Observe {
            return Ok(());
        }
        let judge = Judge::new(
            core.state.bundle.clone(),
            principal.clone(),
            target(core, &wanted.database),
            Rc::clone(&core.shared),
        );
        for (name, value) in &wanted.settings {
            let set = format!("SET {name} TO '{}'", value.replace('\'', "''"));
            let reading = Reading {
                standard_conforming_strings: true,
                utf8: true,
                server_utf8: true,
            };
            let read = judge.read(&set, reading);
            match &judge.judge_read(&read).verdict {
                Verdict::Allow => {}
                Verdict::Approve(_) => {
                    return Err(Fatal::new(
                        reply::DENIED,
                        "login",
                        format!("startup parameter `{name}` needs an approval; use SET instead"),
                    ));
                }
                Verdict::Deny(denial) => {
                    return Err(Fatal::new(
                        reply::DENIED,
                        "login",
                        format!(
                            "startup parameter `{name}` is denied by rule `{}`",
                            denial.rule
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    pub(super) fn on_server(&mut self, core: &mut Core, bytes: &[u8]) -> Result<Next, Fatal> {
        if let Stage::EncryptionAsked = self.stage {
            return self.on_encryption_answer(core, bytes);
        }
        self.server.extend_from_slice(bytes);
        let server = std::mem::take(&mut self.server);
        let mut rest: &[u8] = &server;
        while let Some(frame) =
            frame::take(rest, MAX_GREETING).map_err(|error| server_broken(&error))?
        {
            rest = rest.get(frame.bytes.len()..).unwrap_or_default();
            self.on_server_frame(core, &frame, bytes)?;
            if self.greeting.len() > MAX_GREETING {
                return Err(hostile("the server's greeting is too long"));
            }
            if self.is_complete() && matches!(self.stage, Stage::Finishing) {
                return self.finish(core, bytes, rest);
            }
        }
        self.server = rest.to_vec();
        Ok(Next::Stay)
    }

    fn on_encryption_answer(&mut self, core: &mut Core, bytes: &[u8]) -> Result<Next, Fatal> {
        match bytes {
            // The server closed its side.
            b"" => Ok(Next::Stay),
            b"N" => {
                self.stage = Stage::Start;
                core.client.write(bytes).push(b'N');
                Ok(Next::Stay)
            }
            b"S" => Err(Fatal::new(
                reply::UNAVAILABLE,
                "server",
                format!(
                    "resource `{}`: the server wants to speak TLS and the gateway was told not to; \
                     set `tls: prefer` for it",
                    core.config.resource
                ),
            )),
            _ => Err(hostile(
                "the server answered an encryption request with other bytes",
            )),
        }
    }

    fn on_server_frame(
        &mut self,
        core: &mut Core,
        frame: &Frame<'_>,
        input: &[u8],
    ) -> Result<(), Fatal> {
        let message =
            Backend::parse(frame.tag, frame.body).map_err(|error| server_broken(&error))?;
        match message {
            Backend::Authentication(step) => self.on_authentication(core, step, frame, input),
            Backend::ErrorResponse(fields) => {
                let text = |bytes: Option<&[u8]>| {
                    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
                };
                let sqlstate = text(fields.sqlstate());
                let said = text(fields.message());
                if let Some(fatal) = self.known_refusal(&sqlstate) {
                    return Err(fatal.with_detail(format!("{sqlstate}: {said}")));
                }
                Err(Fatal::new(
                    reply::UNAVAILABLE,
                    "server",
                    format!(
                        "resource `{}`: the server refused the connection (SQLSTATE {})",
                        core.config.resource,
                        // A hostile server's text goes to the record, not to the client.
                        sqlstate
                            .chars()
                            .filter(char::is_ascii_alphanumeric)
                            .take(5)
                            .collect::<String>()
                    ),
                )
                .with_detail(format!("{sqlstate}: {said}")))
            }
            Backend::NegotiateProtocolVersion { minor, .. }
                if matches!(self.stage, Stage::Greeted) =>
            {
                // The options the client asked for never got as far as the server.
                if let Some(wanted) = &mut self.wanted {
                    let options = wanted.negotiate.take().map_or_else(Vec::new, |(_, o)| o);
                    wanted.negotiate = Some((minor, options));
                }
                Ok(())
            }
            Backend::ParameterStatus { name, value } if self.greets() => {
                self.facts.learn(name, value);
                self.greeting.extend_from_slice(frame.bytes);
                Ok(())
            }
            Backend::BackendKeyData { process_id, secret } if self.greets() => {
                self.facts.cancel_key = Some(cancel_key(process_id, secret));
                self.greeting.extend_from_slice(frame.bytes);
                Ok(())
            }
            Backend::ReadyForQuery { .. } if self.greets() => {
                // The answer to a Sync of ours comes second.
                if self.ready == 0 {
                    self.greeting.extend_from_slice(frame.bytes);
                }
                self.ready = self.ready.saturating_add(1);
                Ok(())
            }
            Backend::NoticeResponse(_) => Ok(()),
            _ => Err(hostile(
                "the server sent a message that does not belong into a login",
            )),
        }
    }

    /// What a client that was verified may know of the server's refusal: drivers and tools go by
    /// these SQLSTATEs. The words are ours, a hostile server's go to the record.
    fn known_refusal(&self, sqlstate: &str) -> Option<Fatal> {
        if !matches!(self.stage, Stage::Finishing) {
            return None;
        }
        let wanted = self.wanted.as_ref();
        let database = wanted.map_or("", |it| it.database.as_str());
        let replicates = wanted.is_some_and(|it| it.replication.is_some());
        let (sqlstate, message) = match sqlstate {
            "42501" if replicates => (
                reply::DENIED,
                "the gateway's role may not replicate".to_owned(),
            ),
            "3D000" => ("3D000", format!("database \"{database}\" does not exist")),
            "22023" => ("22023", "invalid value for a startup parameter".to_owned()),
            "42704" => ("42704", "unrecognized startup parameter".to_owned()),
            "42501" => (
                reply::DENIED,
                format!("permission denied for database \"{database}\""),
            ),
            "53300" => ("53300", "sorry, too many clients already".to_owned()),
            "55000" => (
                "55000",
                format!("database \"{database}\" is not currently accepting connections"),
            ),
            "57P03" => (
                reply::UNAVAILABLE,
                "the database system is not accepting connections".to_owned(),
            ),
            _ => return None,
        };
        Some(Fatal::new(sqlstate, "server", message))
    }

    /// Whether the server has said all it says before the first statement.
    fn is_complete(&self) -> bool {
        let awaited = if matches!(self.method, Some(Method::Trust)) {
            2
        } else {
            1
        };
        self.ready >= awaited
    }

    /// Whether AuthenticationOk has come.
    fn greets(&self) -> bool {
        !self.greeting.is_empty()
    }

    fn on_authentication(
        &mut self,
        core: &mut Core,
        step: Authentication<'_>,
        frame: &Frame<'_>,
        input: &[u8],
    ) -> Result<(), Fatal> {
        match (&self.stage, &mut self.method, step) {
            (Stage::Greeted, None, step) => {
                self.method = Some(match step {
                    Authentication::Ok => {
                        self.greeting.extend_from_slice(frame.bytes);
                        Method::Trust
                    }
                    Authentication::CleartextPassword => Method::Cleartext,
                    Authentication::Md5Password { salt } => Method::Md5(salt),
                    Authentication::Sasl { mechanisms }
                        if mechanisms.contains(&scram::MECHANISM) =>
                    {
                        Method::Scram(Scram::new(nonce(core)), Proof::Asked)
                    }
                    _ => return Err(hostile("the server asks for a login method Ostiary lacks")),
                });
                self.ask_password(core, input);
                Ok(())
            }
            (
                Stage::Finishing,
                Some(Method::Scram(scram, proof @ Proof::Asked)),
                Authentication::SaslContinue(challenge),
            ) => {
                let Some(opened) = &self.opened else {
                    return Err(lost_state());
                };
                let (shared, role) = (&core.shared, &core.config.role);
                let answer = scram
                    .client_final(challenge, |salt, iterations| {
                        shared.keys(role, &opened.password, salt, iterations, core.now)
                    })
                    .map_err(|error| hostile(&error.to_string()))?;
                *proof = Proof::Answered;
                core.send_to_server(encoded(|out| {
                    frontend::encode::sasl_response(out, answer.as_bytes())
                }));
                Ok(())
            }
            (
                Stage::Finishing,
                Some(Method::Scram(scram, proof @ Proof::Answered)),
                Authentication::SaslFinal(outcome),
            ) => {
                let keys = scram
                    .verify(outcome)
                    .map_err(|error| hostile(&error.to_string()))?;
                core.shared.keep_keys(&core.config.role, keys, core.now);
                *proof = Proof::Verified;
                Ok(())
            }
            (
                Stage::Finishing,
                Some(Method::Scram(_, Proof::Verified) | Method::Md5(_) | Method::Cleartext),
                Authentication::Ok,
            ) if self.greeting.is_empty() => {
                self.greeting.extend_from_slice(frame.bytes);
                Ok(())
            }
            _ => Err(hostile("the server sent a login step out of turn")),
        }
    }

    fn ask_password(&mut self, core: &mut Core, input: &[u8]) {
        let mut out = Vec::new();
        if let Some((minor, options)) = self
            .wanted
            .as_mut()
            .and_then(|wanted| wanted.negotiate.take())
        {
            let options: Vec<&[u8]> = options.iter().map(String::as_bytes).collect();
            out = encoded(|out| backend::encode::negotiate_protocol_version(out, minor, &options));
        }
        out.extend(encoded(backend::encode::authentication_cleartext));
        core.client.write(input).extend(out);
        self.stage = Stage::PasswordAsked;
    }

    /// Both logins are done; `behind` came after that. Comes inside `from_server`, so the greeting can go out.
    fn finish(&mut self, core: &mut Core, input: &[u8], behind: &[u8]) -> Result<Next, Fatal> {
        let Some(opened) = self.opened.take() else {
            return Err(lost_state());
        };
        let principal = opened.principal;
        core.record(Kind::LoggedIn(LoggedIn {
            issuer: principal.issuer.clone(),
            subject: principal.subject.clone(),
            groups: principal.groups.iter().cloned().collect(),
            on_behalf_of: principal.on_behalf_of.clone().unwrap_or_default(),
            role: core.config.role.clone(),
            server_version: self.facts.version.clone(),
            cancel_key_sha256: self.facts.cancel_key.map(Vec::from).unwrap_or_default(),
        }));
        let behind = behind.to_vec();
        if let Some(gate) = self.gate(core, &principal) {
            // Policy may have changed since the token was verified.
            gate.admit(core, true)?;
            let greeting = std::mem::take(&mut self.greeting);
            let known = (gate, std::mem::take(&mut self.facts), opened.expires_us);
            let open = Replication::start(core, known, greeting, &self.inbox, input);
            return Ok(Next::Replicate(Box::new(open), behind));
        }
        let Some(wanted) = self.wanted.take() else {
            return Err(lost_state());
        };
        let judge = Judge::new(
            core.state.bundle.clone(),
            principal,
            target(core, &wanted.database),
            Rc::clone(&core.shared),
        );
        let login = HandedOver {
            judge,
            server: std::mem::take(&mut self.facts),
            expires_us: opened.expires_us,
            greeting: std::mem::take(&mut self.greeting),
            ahead: std::mem::take(&mut self.inbox),
        };
        let open = Open::start(core, login, input);
        Ok(Next::Open(Box::new(open), behind))
    }
}

fn target(core: &Core, database: &str) -> Target {
    Target {
        resource: core.config.resource.clone(),
        database: database.to_owned(),
        role: core.config.role.clone(),
    }
}

/// A SCRAM nonce: the connection's random id, digested so that the id is not shown to the server.
fn nonce(core: &Core) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut digest = Sha256::new();
    digest.update(b"scram nonce");
    digest.update(core.journal.session_id());
    digest.update(core.now.0.to_be_bytes());
    STANDARD.encode(digest.finalize())
}

/// How the control plane knows a session by its backend key.
fn cancel_key(process_id: i32, secret: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(process_id.to_be_bytes());
    digest.update(secret);
    digest.finalize().into()
}

/// `md5` + md5(md5(password + role) + salt), in hex.
fn md5_password(password: &str, role: &str, salt: &[u8; 4]) -> String {
    use md5::Md5;
    let inner = hex(&Md5::new()
        .chain_update(password)
        .chain_update(role)
        .finalize());
    format!(
        "md5{}",
        hex(&Md5::new().chain_update(inner).chain_update(salt).finalize())
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn broken(error: &Malformed) -> Fatal {
    Fatal::new(reply::PROTOCOL, "protocol", error.to_string())
}

fn server_broken(error: &Malformed) -> Fatal {
    hostile(&format!("the server broke the protocol: {error}"))
}

fn hostile(message: &str) -> Fatal {
    Fatal::new(reply::UNAVAILABLE, "server", message.to_owned())
}

fn too_much_ahead() -> Fatal {
    Fatal::new(
        reply::PROTOCOL,
        "limit",
        "too many bytes were sent ahead of the login".to_owned(),
    )
}

fn ahead_of_answer() -> Fatal {
    Fatal::new(
        reply::PROTOCOL,
        "protocol",
        "bytes came after the first message and before its answer".to_owned(),
    )
}

/// A step came without the state it needs: ends the connection rather than guess.
fn lost_state() -> Fatal {
    Fatal::new(
        reply::PROTOCOL,
        "protocol",
        "the login is in no state to go on".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_an_md5_password_as_the_server_does() {
        // SELECT 'md5' || md5(md5('secret' || 'shop_app') || '\x01020304'::bytea) on PostgreSQL 15.
        let expected = {
            use md5::Md5;
            let inner = hex(&Md5::digest(b"secretshop_app"));
            let mut salted = inner.into_bytes();
            salted.extend([1, 2, 3, 4]);
            format!("md5{}", hex(&Md5::digest(&salted)))
        };
        assert_eq!(md5_password("secret", "shop_app", &[1, 2, 3, 4]), expected);
    }
}
