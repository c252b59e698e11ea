//! Keys and tokens for tests: real signatures by keys generated once.

use std::sync::LazyLock;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};

use crate::config::Issuer;

/// The issuer of tests.
pub(crate) const ISSUER: &str = "https://id.test";

/// A signing key and its public half.
pub(crate) struct TestKey {
    pub(crate) id: &'static str,
    pub(crate) algorithm: Algorithm,
    pub(crate) private: EncodingKey,
    pub(crate) public: Value,
}

/// An RSA, an EC and an Ed25519 key, in this order.
pub(crate) static KEYS: LazyLock<[TestKey; 3]> = LazyLock::new(|| {
    let rsa = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let rsa = EncodingKey::from_rsa_pem(rsa.serialize_pem().as_bytes()).unwrap();
    let ec = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let ec = EncodingKey::from_ec_pem(ec.serialize_pem().as_bytes()).unwrap();
    let random = aws_lc_rs::rand::SystemRandom::new();
    let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let ed_public = Ed25519KeyPair::from_pkcs8(ed.as_ref()).unwrap();
    let ed_public = URL_SAFE_NO_PAD.encode(ed_public.public_key());
    let ed_public = json!({"kty": "OKP", "crv": "Ed25519", "x": ed_public});
    let ed = EncodingKey::from_ed_der(ed.as_ref());
    [
        TestKey::new("rsa", Algorithm::RS256, public(&rsa, Algorithm::RS256), rsa),
        TestKey::new("ec", Algorithm::ES256, public(&ec, Algorithm::ES256), ec),
        TestKey::new("ed", Algorithm::EdDSA, ed_public, ed),
    ]
});

fn public(private: &EncodingKey, algorithm: Algorithm) -> Value {
    serde_json::to_value(Jwk::from_encoding_key(private, algorithm).unwrap()).unwrap()
}

impl TestKey {
    fn new(
        id: &'static str,
        algorithm: Algorithm,
        mut public: Value,
        private: EncodingKey,
    ) -> Self {
        public["kid"] = id.into();
        public["use"] = "sig".into();
        Self {
            id,
            algorithm,
            private,
            public,
        }
    }

    /// A token with these claims, and this key's `kid`.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.id.to_owned());
        jsonwebtoken::encode(&header, claims, &self.private).unwrap()
    }
}

/// The public set of [`KEYS`].
pub(crate) fn jwks() -> String {
    let keys: Vec<&Value> = KEYS.iter().map(|key| &key.public).collect();
    json!({ "keys": keys }).to_string()
}

/// Claims that count from `now_s` for an hour.
pub(crate) fn claims(now_s: u64, subject: &str, groups: &[&str]) -> Value {
    json!({
        "iss": ISSUER,
        "aud": "ostiary",
        "sub": subject,
        "groups": groups,
        "iat": now_s,
        "exp": now_s + 3600,
    })
}

/// A token of the EC key, which signs fastest.
pub(crate) fn token(now_s: u64, subject: &str, groups: &[&str]) -> String {
    let [_, ec, _] = &*KEYS;
    ec.sign(&claims(now_s, subject, groups))
}

/// An issuer that trusts [`KEYS`] through a file.
pub(crate) fn issuer(jwks_file: &std::path::Path) -> Issuer {
    Issuer {
        issuer: ISSUER.to_owned(),
        audience: "ostiary".to_owned(),
        jwks_file: Some(jwks_file.to_owned()),
        ca: None,
        algorithms: vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA],
        groups_claim: "groups".to_owned(),
    }
}
