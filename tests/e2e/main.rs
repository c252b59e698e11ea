//! Real Envoy, real PostgreSQL, real clients. One binary, so that everything that disturbs nobody shares
//! one gateway.

mod approvals;
mod archive;
mod attacks;
mod cases;
mod copy;
mod denials;
mod drivers;
mod hostile;
mod http;
mod kubernetes;
mod login;
mod malformed;
mod masking;
mod outage;
mod policy;
mod reference;
mod replication;
mod story;
mod unsupported;
mod up;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use ostiary_tests::{
    Result, bail,
    postgres::Postgres,
    shared::{self, Spares},
    stack::{Policy, Stack, Target, example_policy},
};

/// Runs a test's body on the shared gateway and server.
fn with_shared(body: impl FnOnce(&'static Stack, &'static Postgres) -> Result<()>) -> Result<()> {
    let (stack, postgres) = (shared::stack()?, shared::postgres()?);
    explain(stack, || body(stack, postgres))
}

/// Gateways in front of the shared server that no test holds.
static SPARE: Spares<Stack> = Spares::new();

/// Runs a test's body under a policy, on a gateway that is its own while it runs: see [`on_spare`].
fn with_policy(
    policy: &Policy,
    body: impl FnOnce(&Stack, &'static Postgres) -> Result<()>,
) -> Result<()> {
    let postgres = shared::postgres()?;
    let start = || Stack::start(shared::issuer()?, &[Target::shop(postgres.port())], policy);
    on_spare(&SPARE, policy, start, |stack: &Stack| body(stack, postgres))
}

/// Runs a test's body under a policy, on a gateway that is its own while it runs. Tests after it get it
/// with another policy, since to start one takes Envoy many seconds: of what it leaves behind only
/// sessions and approvals may stay.
fn on_spare<T: AsRef<Stack>>(
    spares: &Spares<T>,
    policy: &Policy,
    start: impl FnOnce() -> Result<T>,
    body: impl FnOnce(&T) -> Result<()>,
) -> Result<()> {
    let spare = match spares.take() {
        Some(spare) => {
            spare.as_ref().switch(policy)?;
            spare
        }
        None => start()?,
    };
    explain(spare.as_ref(), || body(&spare))?;
    spares.give_back(spare);
    Ok(())
}

/// Runs a test's body on a gateway that nobody had before, in front of the shared server.
fn with_own(
    policy: &Policy,
    body: impl FnOnce(&mut Stack, &'static Postgres) -> Result<()>,
) -> Result<()> {
    let postgres = shared::postgres()?;
    let mut stack = Stack::start(shared::issuer()?, &[Target::shop(postgres.port())], policy)?;
    let outcome = catch_unwind(AssertUnwindSafe(|| body(&mut stack, postgres)));
    explain(&stack, || {
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// A failure, of either kind, comes with the end of the gateway's log.
fn explain(stack: &Stack, body: impl FnOnce() -> Result<()>) -> Result<()> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(outcome) => stack.explain(outcome),
        Err(panic) => {
            if let Err(error) = stack.explain(Err(ostiary_tests::anyhow!("the test panicked"))) {
                eprintln!("{error:?}");
            }
            resume_unwind(panic)
        }
    }
}

/// The example bundle with a text of one of its files replaced.
fn example_with(file: &str, from: &str, to: &str) -> Result<Policy> {
    let mut policy = example_policy()?;
    match policy.get_mut(file) {
        Some(text) if text.contains(from) => *text = text.replace(from, to),
        _ => bail!("`{file}` of the example policy does not hold `{from}`"),
    }
    Ok(policy)
}

/// SQLSTATE and message of a server's error.
fn refusal<T>(outcome: std::result::Result<T, postgres::Error>) -> Result<(String, String)> {
    match outcome {
        Ok(_) => bail!("it was not refused"),
        Err(error) => match error.as_db_error() {
            Some(db) => Ok((db.code().code().to_owned(), db.message().to_owned())),
            None => Err(error.into()),
        },
    }
}

/// The events of one kind.
fn of_kind<'a>(events: &'a [serde_json::Value], kind: &str) -> Vec<&'a serde_json::Value> {
    events
        .iter()
        .filter(|event| event["kind"] == kind)
        .collect()
}
