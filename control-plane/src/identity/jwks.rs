//! A JWK set: the keys in it that may verify a token.

use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

use super::{IdentityError, strict, token::Token};

/// Keys kept of one set.
const MAX_KEYS: usize = 64;
/// Keys of one id that are tried.
const MAX_CANDIDATES: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Keys {
    keys: Vec<Key>,
}

struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// Keys of kinds we do not know, or for other uses, are passed over; a private key is an error.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, IdentityError> {
        let invalid = |message: &str| IdentityError::Invalid(message.to_owned());
        let set = strict::object(bytes).ok_or_else(|| invalid("not a JSON object"))?;
        let Some(Value::Array(items)) = set.get("keys") else {
            return Err(invalid("no `keys`"));
        };
        if items.len() > MAX_KEYS {
            return Err(invalid("more than 64 keys"));
        }
        let mut keys = Vec::new();
        for item in items {
            let Value::Object(item) = item else {
                return Err(invalid("a key is not an object"));
            };
            if item.contains_key("d") {
                return Err(invalid("it holds a private key"));
            }
            keys.extend(key(item));
        }
        if keys.is_empty() {
            return Err(invalid("no key in it can verify signatures"));
        }
        Ok(Self { keys })
    }

    /// The keys that fit the token's `kid` and `alg`. A token without `kid` is served only when
    /// there is no choice.
    pub(super) fn candidates(&self, token: &Token<'_>) -> Vec<&DecodingKey> {
        let fits = |key: &&Key| key.algorithms.contains(&token.algorithm);
        match &token.key_id {
            Some(id) => self
                .keys
                .iter()
                .filter(|key| key.id.as_ref() == Some(id))
                .filter(fits)
                .take(MAX_CANDIDATES)
                .map(|key| &key.key)
                .collect(),
            None => match self.keys.iter().filter(fits).collect::<Vec<_>>().as_slice() {
                [only] => vec![&only.key],
                _ => Vec::new(),
            },
        }
    }
}

fn key(jwk: &Map<String, Value>) -> Option<Key> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    if jwk.contains_key("use") && text("use") != Some("sig") {
        return None;
    }
    if let Some(operations) = jwk.get("key_ops") {
        let operations = operations.as_array()?;
        if !operations.iter().any(|operation| operation == "verify") {
            return None;
        }
    }
    let (mut algorithms, key) = match (text("kty")?, text("crv")) {
        ("RSA", _) => {
            let key = DecodingKey::from_rsa_components(text("n")?, text("e")?).ok()?;
            let algorithms = vec![
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ];
            (algorithms, key)
        }
        ("EC", Some(curve)) => {
            let algorithm = match curve {
                "P-256" => Algorithm::ES256,
                "P-384" => Algorithm::ES384,
                _ => return None,
            };
            let key = DecodingKey::from_ec_components(text("x")?, text("y")?).ok()?;
            (vec![algorithm], key)
        }
        ("OKP", Some("Ed25519")) => {
            let key = DecodingKey::from_ed_components(text("x")?).ok()?;
            (vec![Algorithm::EdDSA], key)
        }
        _ => return None,
    };
    if let Some(name) = jwk.get("alg") {
        // RFC 9864 names EdDSA over this curve `Ed25519`.
        let name = match name.as_str()? {
            "Ed25519" => "EdDSA",
            name => name,
        };
        let only: Algorithm = name.parse().ok()?;
        algorithms.retain(|algorithm| *algorithm == only);
    }
    (!algorithms.is_empty()).then(|| Key {
        id: text("kid").map(str::to_owned),
        algorithms,
        key,
    })
}
