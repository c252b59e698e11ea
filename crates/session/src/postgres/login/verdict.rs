//! The control plane has answered: whether the client may go on, and with what it asked for.

use std::rc::Rc;

use ostiary_operation::Principal;
use ostiary_operation::sql::Reading;
use ostiary_policy::{Mode, Verdict};
use ostiary_wire::postgres::frontend;

use super::errors::lost_state;
use super::method::{Method, md5_password};
use super::{Login, Stage, target};
use crate::Login as Answer;
use crate::postgres::core::{Core, Fatal, encoded};
use crate::postgres::judge::Judge;
use crate::postgres::replication::Gate;
use crate::postgres::{Next, reply, scram};

impl Login {
    pub(in crate::postgres) fn on_login(
        &mut self,
        core: &mut Core,
        answer: Answer,
    ) -> Result<Next, Fatal> {
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
    pub(super) fn gate(&self, core: &Core, principal: &Principal) -> Option<Gate> {
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
}
