//! The claims of a token whose signature holds.

use std::collections::BTreeSet;

use ostiary_operation::Principal;
use serde_json::{Map, Value};

use super::{TokenError, Verified, token::Token};
use crate::config::Issuer;

/// Clocks may differ by this, in seconds.
const SKEW: u64 = 60;
/// Longest subject or group, in bytes.
const MAX_NAME: usize = 255;
/// 9999-12-31, in seconds: later times are mistakes, such as milliseconds.
const MAX_TIME: u64 = 253_402_300_799;

pub(super) fn check(
    token: &Token<'_>,
    issuer: &Issuer,
    now_s: u64,
) -> Result<Verified, TokenError> {
    let claims = &token.claims;
    if !names_audience(claims.get("aud"), &issuer.audience) {
        return Err(TokenError::Audience);
    }
    let expires_s = time(claims, "exp")?.ok_or(TokenError::NoExpiry)?;
    if now_s >= expires_s.saturating_add(SKEW) {
        return Err(TokenError::Expired);
    }
    for name in ["nbf", "iat"] {
        if time(claims, name)?.is_some_and(|from| from > now_s.saturating_add(SKEW)) {
            return Err(TokenError::NotYetValid);
        }
    }
    refuse_other_kinds(token)?;
    let subject = name(claims.get("sub")).ok_or(TokenError::Subject)?;
    let on_behalf_of = match claims.get("act") {
        None => None,
        Some(Value::Object(act)) => Some(name(act.get("sub")).ok_or(TokenError::Claim("act"))?),
        Some(_) => return Err(TokenError::Claim("act")),
    };
    Ok(Verified {
        principal: Principal {
            issuer: issuer.issuer.clone(),
            subject,
            groups: groups(claims.get(&issuer.groups_claim))?,
            on_behalf_of,
        },
        expires_us: expires_s.saturating_mul(1_000_000),
    })
}

/// What can be told: an ID token has `at_hash`, `c_hash` or `nonce` without being declared an access
/// token; Keycloak writes claim `typ`, Cognito `token_use`. An ID token with none of these and our
/// audience looks like an access token: give each its own audience.
fn refuse_other_kinds(token: &Token<'_>) -> Result<(), TokenError> {
    let claims = &token.claims;
    if claims.contains_key("cnf") {
        return Err(TokenError::Bound);
    }
    let is = |claim: &str, value: &str| claims.get(claim).and_then(Value::as_str) == Some(value);
    let declared = token.declared_access || is("typ", "Bearer") || is("token_use", "access");
    let of_other_kind = ["ID", "Refresh", "Offline", "Logout"]
        .iter()
        .any(|kind| is("typ", kind))
        || is("token_use", "id");
    let of_id_token = ["at_hash", "c_hash", "nonce"]
        .iter()
        .any(|claim| claims.contains_key(*claim));
    if of_other_kind || (of_id_token && !declared) {
        return Err(TokenError::NotAccessToken);
    }
    Ok(())
}

fn names_audience(claim: Option<&Value>, audience: &str) -> bool {
    match claim {
        Some(Value::String(name)) => name == audience,
        Some(Value::Array(names)) => {
            names.iter().all(Value::is_string) && names.iter().any(|name| name == audience)
        }
        _ => false,
    }
}

/// A NumericDate: seconds, maybe with a fraction, which is dropped.
fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<u64>, TokenError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let text = match value {
        Value::Number(number) => number.to_string(),
        _ => return Err(TokenError::Claim(name)),
    };
    let seconds = text
        .split_once('.')
        .map_or(text.as_str(), |(whole, _)| whole);
    match seconds.parse() {
        Ok(seconds) if seconds <= MAX_TIME && !text.contains(['e', 'E']) => Ok(Some(seconds)),
        _ => Err(TokenError::Claim(name)),
    }
}

/// Text that can be shown and compared: bounded, without control characters, spaces kept as they are.
fn name(value: Option<&Value>) -> Option<String> {
    let name = value?.as_str()?;
    let usable = !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control);
    usable.then(|| name.to_owned())
}

/// Exact strings; an absent claim is no groups, whatever an overage pointer elsewhere promises.
fn groups(claim: Option<&Value>) -> Result<BTreeSet<String>, TokenError> {
    match claim {
        None | Some(Value::Null) => Ok(BTreeSet::new()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| name(Some(item)).ok_or(TokenError::Claim("groups")))
            .collect(),
        Some(_) => Err(TokenError::Claim("groups")),
    }
}
