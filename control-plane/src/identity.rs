//! Who presents a token: verification against the issuers of the configuration.
//!
//! In: the text a client sent as its password, or an operator as its bearer token. Out: a
//! [`Principal`] and when it ends, or which check failed. No error repeats anything of the token.

mod claims;
mod error;
mod fetch;
mod jwks;
mod keys;
mod strict;
mod token;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use ostiary_operation::Principal;

pub use error::{IdentityError, TokenError};
pub(crate) use fetch::is_private_channel;

use crate::{
    clock::Clock,
    config::{Identity, Issuer},
};
use keys::KeySource;
use token::Token;

/// Checks tokens of any configured issuer.
#[derive(Debug)]
pub struct Verifier {
    issuers: BTreeMap<String, Trusted>,
    clock: Clock,
}

#[derive(Debug)]
struct Trusted {
    config: Issuer,
    keys: KeySource,
}

/// What a verified token attests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Who.
    pub principal: Principal,
    /// `exp`, microseconds since the Unix epoch.
    pub expires_us: u64,
}

impl Verifier {
    /// Fetches nothing yet: keys come when the first token asks for them. A key file is read at
    /// once, because a wrong one can be reported at start.
    pub fn new(identity: &Identity, clock: Clock) -> Result<Self, IdentityError> {
        let mut issuers = BTreeMap::new();
        for config in &identity.issuers {
            let keys = KeySource::new(config)?;
            let trusted = Trusted {
                config: config.clone(),
                keys,
            };
            issuers.insert(config.issuer.clone(), trusted);
        }
        Ok(Self { issuers, clock })
    }

    /// Verifies a token, fetching its issuer's keys if need be.
    pub async fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        let token = Token::parse(token)?;
        let trusted = self
            .issuers
            .get(&token.issuer)
            .ok_or(TokenError::UnknownIssuer)?;
        if !trusted.config.algorithms.contains(&token.algorithm) {
            return Err(TokenError::Algorithm);
        }
        let now = self.clock.now_us();
        let mut keys = trusted.keys.current(now).await?;
        if keys.candidates(&token).is_empty() {
            keys = trusted.keys.refreshed(&keys, now).await;
        }
        verify_signature(&token, &keys)?;
        claims::check(&token, &trusted.config, now / 1_000_000)
    }
}

fn verify_signature(token: &Token<'_>, keys: &Arc<jwks::Keys>) -> Result<(), TokenError> {
    let candidates = keys.candidates(token);
    if candidates.is_empty() {
        return Err(TokenError::UnknownKey);
    }
    let verified = candidates.iter().any(|key| {
        jsonwebtoken::crypto::verify(token.signature, token.signed, key, token.algorithm)
            .unwrap_or(false)
    });
    verified.then_some(()).ok_or(TokenError::Signature)
}
