//! A token taken apart, before anything in it is believed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::{TokenError, strict};

/// Longest token read, in bytes.
const MAX_TOKEN: usize = 8 << 10;
/// Longest `kid`, in bytes.
const MAX_KID: usize = 255;

/// Headers that bring or name a key of the token's own choice, or change how it is to be read.
const REFUSED_HEADERS: [&str; 8] = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "enc", "zip"];

#[derive(Debug)]
pub(super) struct Token<'a> {
    /// The bytes that were signed.
    pub(super) signed: &'a [u8],
    /// The signature, base64url.
    pub(super) signature: &'a str,
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    /// The header's `typ` is `at+jwt` (RFC 9068).
    pub(super) declared_access: bool,
    /// `iss`, unverified.
    pub(super) issuer: String,
    /// Unverified until the signature has been checked.
    pub(super) claims: Map<String, Value>,
}

impl<'a> Token<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, TokenError> {
        if text.is_empty() {
            return Err(TokenError::Missing);
        }
        if text.len() > MAX_TOKEN {
            return Err(TokenError::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let header = part(header)?;
        let claims = part(payload)?;
        if let Some(name) = REFUSED_HEADERS
            .iter()
            .find(|name| header.contains_key(**name))
        {
            return Err(TokenError::Header(name));
        }
        let algorithm = match header.get("alg") {
            Some(Value::String(name)) => name.parse().map_err(|_| TokenError::Algorithm)?,
            _ => return Err(TokenError::Malformed),
        };
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) if id.len() <= MAX_KID => Some(id.clone()),
            Some(_) => return Err(TokenError::UnknownKey),
        };
        let declared_access = declares_access(header.get("typ"))?;
        let Some(Value::String(issuer)) = claims.get("iss") else {
            return Err(TokenError::UnknownIssuer);
        };
        Ok(Self {
            signed: signed.as_bytes(),
            signature,
            algorithm,
            key_id,
            declared_access,
            issuer: issuer.clone(),
            claims,
        })
    }
}

/// Strict base64url: no padding, no stray bits, no other alphabet.
fn part(text: &str) -> Result<Map<String, Value>, TokenError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| TokenError::Malformed)?;
    strict::object(&bytes).ok_or(TokenError::Malformed)
}

/// `at+jwt` declares an access token, `JWT` or nothing says nothing; all else is something else
/// (`logout+jwt`, `dpop+jwt`, `JOSE`).
fn declares_access(typ: Option<&Value>) -> Result<bool, TokenError> {
    let typ = match typ {
        None => return Ok(false),
        Some(Value::String(typ)) => typ.to_ascii_lowercase(),
        Some(_) => return Err(TokenError::Type),
    };
    match typ.strip_prefix("application/").unwrap_or(&typ) {
        "at+jwt" => Ok(true),
        "jwt" => Ok(false),
        _ => Err(TokenError::Type),
    }
}
