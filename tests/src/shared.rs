//! One server, one issuer and one gateway for every test that disturbs nobody.

use std::sync::{LazyLock, Mutex, PoisonError};

use crate::{
    Result, anyhow,
    issuer::Issuer,
    postgres::{Postgres, Settings},
    stack::{self, Stack},
};

type Once<T> = LazyLock<Result<T, String>>;

static POSTGRES: Once<Postgres> =
    LazyLock::new(|| Postgres::start(&Settings::default()).map_err(|it| format!("{it:#}")));
static ISSUER: Once<Issuer> = LazyLock::new(|| Issuer::start().map_err(|it| format!("{it:#}")));
static STACK: Once<Stack> = LazyLock::new(|| {
    let started = issuer().and_then(|issuer| stack::shop(issuer, postgres()?));
    started.map_err(|it| format!("{it:#}"))
});

/// What one test is done with and another may take.
#[derive(Debug)]
pub struct Spares<T>(Mutex<Vec<T>>);

impl<T> Spares<T> {
    /// None.
    #[expect(clippy::new_without_default, reason = "a static needs a constant")]
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// One that nobody has.
    pub fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// For whoever takes it next.
    pub fn give_back(&self, it: T) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(it);
    }
}

/// The server.
pub fn postgres() -> Result<&'static Postgres> {
    POSTGRES.as_ref().map_err(|text| anyhow!("{text}"))
}

/// The issuer.
pub fn issuer() -> Result<&'static Issuer> {
    ISSUER.as_ref().map_err(|text| anyhow!("{text}"))
}

/// A gateway with the example policy in front of [`postgres`]; its policy is never changed.
pub fn stack() -> Result<&'static Stack> {
    STACK.as_ref().map_err(|text| anyhow!("{text}"))
}
