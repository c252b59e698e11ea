//! Signs what is asked for.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{DevError, Keys};

/// What a token says.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    /// `sub`
    pub(crate) subject: String,
    /// The claim `groups`.
    pub(crate) groups: Vec<String>,
    /// `aud`
    pub(crate) audience: String,
    /// The human behind the agent (`act.sub`, RFC 8693).
    pub(crate) act: Option<String>,
    /// From now to `exp`.
    pub(crate) ttl: Duration,
}

/// A JWT, ES256.
pub(crate) fn sign(keys: &Keys, claims: &Claims, now_us: u64) -> Result<String, DevError> {
    let now = now_us / 1_000_000;
    let mut id = [0; 16];
    aws_lc_rs::rand::fill(&mut id).map_err(|_| DevError::Crypto)?;
    let mut body = json!({
        "iss": keys.issuer(),
        "sub": claims.subject,
        "aud": claims.audience,
        "groups": claims.groups,
        "iat": now,
        "exp": now.saturating_add(claims.ttl.as_secs()),
        "jti": URL_SAFE_NO_PAD.encode(id),
    });
    if let (Some(act), Some(body)) = (&claims.act, body.as_object_mut()) {
        body.insert("act".to_owned(), json!({ "sub": act }));
    }
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(keys.id());
    encode::<Value>(&header, &body, &EncodingKey::from_ec_der(keys.pkcs8()))
        .map_err(|_| DevError::Crypto)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, jwk::JwkSet};
    use serde_json::{Value, json};

    use super::{Claims, sign};
    use crate::dev::{DevError, Keys};

    #[test]
    fn a_token_is_verified_by_the_published_key() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Keys::load(dir.path()), Err(DevError::None(_))));
        let keys = Keys::open(dir.path(), "http://127.0.0.1:7701").unwrap();
        let published: JwkSet = serde_json::from_value(keys.jwks()).unwrap();
        // Another process, later.
        let keys = Keys::load(dir.path()).unwrap();
        let claims = Claims {
            subject: "claude-17".into(),
            groups: vec!["agents".into(), "ci".into()],
            audience: "ostiary".into(),
            act: Some("mara".into()),
            ttl: Duration::from_secs(60),
        };
        let token = sign(&keys, &claims, crate::output::now_us()).unwrap();
        let key = DecodingKey::from_jwk(published.find(&keys.id()).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&["ostiary"]);
        validation.set_issuer(&["http://127.0.0.1:7701"]);
        let body = decode::<Value>(&token, &key, &validation).unwrap().claims;
        assert_eq!(body["sub"], "claude-17");
        assert_eq!(body["groups"], json!(["agents", "ci"]));
        assert_eq!(body["act"]["sub"], "mara");
        assert_eq!(
            body["exp"].as_u64().unwrap() - body["iat"].as_u64().unwrap(),
            60
        );
    }
}
