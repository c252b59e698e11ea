use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{
    TokenError, Verified, Verifier,
    testing::{KEYS, TestKey, claims, issuer, jwks},
};
use crate::{clock::Clock, config::Identity};

const NOW: u64 = 1_800_000_000;

struct Fixture {
    verifier: Verifier,
    file: tempfile::NamedTempFile,
    now: Arc<AtomicU64>,
}

impl Fixture {
    fn new() -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), jwks()).unwrap();
        let now = Arc::new(AtomicU64::new(NOW * 1_000_000));
        let identity = Identity {
            issuers: vec![issuer(file.path())],
        };
        let verifier = Verifier::new(&identity, Clock::Manual(now.clone())).unwrap();
        Self {
            verifier,
            file,
            now,
        }
    }

    async fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        self.verifier.verify(token).await
    }
}

fn rsa() -> &'static TestKey {
    &KEYS[0]
}

fn ec() -> &'static TestKey {
    &KEYS[1]
}

/// The default claims with some of them replaced; `null` removes one.
fn with(changes: Value) -> Value {
    let mut claims = claims(NOW, "agent-7", &["devs"]);
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// The EC key's token with another header, signed properly.
fn with_header(change: impl FnOnce(&mut Header)) -> String {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("ec".to_owned());
    change(&mut header);
    jsonwebtoken::encode(&header, &with(json!({})), &ec().private).unwrap()
}

/// A token of raw JSON texts, signed by the EC key whatever they say.
fn raw(header: &str, payload: &str) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature =
        jsonwebtoken::crypto::sign(signed.as_bytes(), &ec().private, Algorithm::ES256).unwrap();
    format!("{signed}.{signature}")
}

#[tokio::test]
async fn accepts_each_kind_of_key() {
    let fixture = Fixture::new();
    for key in &*KEYS {
        let token = key.sign(&with(
            json!({"act": {"sub": "ada"}, "aud": ["x", "ostiary"]}),
        ));
        let verified = fixture.verify(&token).await.unwrap();
        assert_eq!(verified.principal.subject, "agent-7", "{}", key.id);
        assert_eq!(verified.principal.on_behalf_of.as_deref(), Some("ada"));
        assert!(verified.principal.groups.contains("devs"));
        assert_eq!(verified.expires_us, (NOW + 3600) * 1_000_000);
    }
}

#[tokio::test]
async fn judges_claims_one_by_one() {
    use TokenError as E;
    let long = "x".repeat(256);
    let cases: Vec<(Value, Result<(), TokenError>)> = vec![
        (json!({}), Ok(())),
        (json!({"groups": null}), Ok(())),
        (json!({"exp": NOW - 59}), Ok(())),
        (json!({"exp": 1_800_000_100.5}), Ok(())),
        (json!({"nbf": NOW + 60}), Ok(())),
        (json!({"nonce": "n", "typ": "Bearer"}), Ok(())),
        (json!({"aud": "other"}), Err(E::Audience)),
        (json!({"aud": "Ostiary"}), Err(E::Audience)),
        (json!({"aud": null}), Err(E::Audience)),
        (json!({"aud": ["ostiary", 7]}), Err(E::Audience)),
        (json!({"aud": {"ostiary": true}}), Err(E::Audience)),
        (json!({"iss": "https://id.test/"}), Err(E::UnknownIssuer)),
        (json!({"iss": null}), Err(E::UnknownIssuer)),
        (json!({"iss": ["https://id.test"]}), Err(E::UnknownIssuer)),
        (json!({"exp": NOW - 60}), Err(E::Expired)),
        (json!({"exp": 0}), Err(E::Expired)),
        (json!({"exp": null}), Err(E::NoExpiry)),
        (json!({"exp": "1900000000"}), Err(E::Claim("exp"))),
        (json!({"exp": -1}), Err(E::Claim("exp"))),
        (json!({"exp": 1e300}), Err(E::Claim("exp"))),
        (json!({"exp": NOW * 1000}), Err(E::Claim("exp"))),
        (json!({"nbf": NOW + 61}), Err(E::NotYetValid)),
        (json!({"iat": NOW + 61}), Err(E::NotYetValid)),
        (json!({"nbf": "soon"}), Err(E::Claim("nbf"))),
        (json!({"sub": null}), Err(E::Subject)),
        (json!({"sub": ""}), Err(E::Subject)),
        (json!({"sub": 7}), Err(E::Subject)),
        (json!({"sub": "a\u{1b}[2J"}), Err(E::Subject)),
        (json!({"sub": long}), Err(E::Subject)),
        (json!({"groups": "admins"}), Err(E::Claim("groups"))),
        (json!({"groups": ["a", 1]}), Err(E::Claim("groups"))),
        (json!({"act": "ada"}), Err(E::Claim("act"))),
        (json!({"act": {}}), Err(E::Claim("act"))),
        (json!({"cnf": {"jkt": "x"}}), Err(E::Bound)),
        (json!({"nonce": "n"}), Err(E::NotAccessToken)),
        (json!({"at_hash": "n"}), Err(E::NotAccessToken)),
        (json!({"typ": "ID"}), Err(E::NotAccessToken)),
        (json!({"typ": "Refresh"}), Err(E::NotAccessToken)),
        (json!({"token_use": "id"}), Err(E::NotAccessToken)),
    ];
    let fixture = Fixture::new();
    for (changes, expected) in cases {
        let token = ec().sign(&with(changes.clone()));
        let got = fixture.verify(&token).await.map(|_| ());
        assert_eq!(got, expected, "{changes}");
    }
}

#[tokio::test]
async fn refuses_forged_tokens() {
    use TokenError as E;
    let good = ec().sign(&with(json!({})));
    let (signed, _) = good.rsplit_once('.').unwrap();
    let (head, payload) = signed.split_once('.').unwrap();
    let text = with(json!({})).to_string();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"ec"}"#);
    let hs = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","kid":"rsa"}"#);
    let hs_signed = format!("{hs}.{payload}");
    let modulus = EncodingKey::from_secret(rsa().public["n"].as_str().unwrap().as_bytes());
    let hs_signature =
        jsonwebtoken::crypto::sign(hs_signed.as_bytes(), &modulus, Algorithm::HS256).unwrap();
    let last = good.chars().last().unwrap();
    let stray = format!(
        "{}{}",
        good.strip_suffix(last).unwrap(),
        if last == 'A' { 'Q' } else { 'A' }
    );
    let zero = URL_SAFE_NO_PAD.encode([0_u8; 64]);
    let duplicate = text.replacen('{', r#"{"sub":"root","#, 1);
    let nested = text.replacen('{', r#"{"act":{"sub":"a","sub":"b"},"#, 1);
    let es = r#"{"alg":"ES256","kid":"ec"}"#;
    let cases = [
        ("empty", String::new(), E::Missing),
        ("long", "a".repeat(8193), E::TooLong),
        ("words", "not a token".to_owned(), E::Malformed),
        ("two parts", signed.to_owned(), E::Malformed),
        ("five parts", format!("{good}.a.b"), E::Malformed),
        ("padding", format!("{head}=.{payload}.x"), E::Malformed),
        ("alg none", format!("{none}.{payload}."), E::Algorithm),
        (
            "RSA modulus as HMAC secret",
            format!("{hs_signed}.{hs_signature}"),
            E::Algorithm,
        ),
        ("no signature", format!("{signed}."), E::Signature),
        ("ES256 r = s = 0", format!("{signed}.{zero}"), E::Signature),
        ("another signature", stray, E::Signature),
        ("duplicate claim", raw(es, &duplicate), E::Malformed),
        ("duplicate inside", raw(es, &nested), E::Malformed),
        (
            "duplicate alg",
            raw(r#"{"alg":"none","alg":"ES256"}"#, &text),
            E::Malformed,
        ),
        ("array payload", raw(es, "[]"), E::Malformed),
        (
            "EC signature for an RSA key",
            raw(r#"{"alg":"ES256","kid":"rsa"}"#, &text),
            E::UnknownKey,
        ),
        (
            "algorithm not configured",
            raw(r#"{"alg":"RS512","kid":"rsa"}"#, &text),
            E::Algorithm,
        ),
        (
            "kid of another type",
            raw(r#"{"alg":"ES256","kid":1}"#, &text),
            E::UnknownKey,
        ),
        (
            "kid as a path",
            raw(r#"{"alg":"ES256","kid":"../../dev/null"}"#, &text),
            E::UnknownKey,
        ),
        (
            "embedded key",
            raw(r#"{"alg":"ES256","jwk":{"kty":"EC"}}"#, &text),
            E::Header("jwk"),
        ),
        (
            "key elsewhere",
            raw(r#"{"alg":"ES256","jku":"https://x"}"#, &text),
            E::Header("jku"),
        ),
        (
            "critical extension",
            raw(r#"{"alg":"ES256","crit":["b64"],"b64":false}"#, &text),
            E::Header("crit"),
        ),
        (
            "certificate",
            raw(r#"{"alg":"ES256","x5c":["MII"]}"#, &text),
            E::Header("x5c"),
        ),
        (
            "logout token",
            with_header(|header| header.typ = Some("logout+jwt".to_owned())),
            E::Type,
        ),
    ];
    let fixture = Fixture::new();
    for (what, token, expected) in cases {
        let error = fixture.verify(&token).await.unwrap_err();
        assert_eq!(error, expected, "{what}");
    }
    assert!(fixture.verify(&good).await.is_ok());
}

#[tokio::test]
async fn takes_a_token_without_kid_only_when_there_is_no_choice() {
    let fixture = Fixture::new();
    let token = with_header(|header| header.kid = None);
    assert!(fixture.verify(&token).await.is_ok());
    let twice = json!({"keys": [ec().public, ec().public]});
    std::fs::write(fixture.file.path(), twice.to_string()).unwrap();
    assert_eq!(fixture.verify(&token).await, Err(TokenError::UnknownKey));
}

#[tokio::test]
async fn reads_a_changed_key_file_again() {
    let fixture = Fixture::new();
    let token = ec().sign(&with(json!({})));
    assert!(fixture.verify(&token).await.is_ok());
    let only_rsa = json!({"keys": [rsa().public]});
    std::fs::write(fixture.file.path(), only_rsa.to_string()).unwrap();
    assert_eq!(fixture.verify(&token).await, Err(TokenError::UnknownKey));
    std::fs::write(fixture.file.path(), jwks()).unwrap();
    assert!(fixture.verify(&token).await.is_ok());
}

#[tokio::test]
async fn keeps_the_last_good_keys_of_a_file_for_an_hour() {
    let fixture = Fixture::new();
    let token = ec().sign(&with(json!({"exp": NOW + 100_000})));
    assert!(fixture.verify(&token).await.is_ok());
    std::fs::write(fixture.file.path(), "{").unwrap();
    fixture.now.fetch_add(3_599_000_000, Ordering::SeqCst);
    assert!(fixture.verify(&token).await.is_ok());
    fixture.now.fetch_add(2_000_000, Ordering::SeqCst);
    assert_eq!(
        fixture.verify(&token).await,
        Err(TokenError::KeysUnavailable)
    );
}

#[test]
fn refuses_key_sets_that_cannot_be_right() {
    let mut for_encryption = ec().public.clone();
    for_encryption["use"] = "enc".into();
    let mut other_algorithm = ec().public.clone();
    other_algorithm["alg"] = "ES384".into();
    let mut private = ec().public.clone();
    private["d"] = "AAAA".into();
    for set in [
        json!([]),
        json!({"keys": []}),
        json!({"keys": ["x"]}),
        json!({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "h"}]}),
        json!({"keys": [for_encryption]}),
        json!({"keys": [other_algorithm]}),
        json!({"keys": [private]}),
    ] {
        let bytes = set.to_string();
        assert!(super::jwks::Keys::parse(bytes.as_bytes()).is_err(), "{set}");
    }
}

/// An issuer on loopback that counts how often its keys are asked for, and can fall silent.
async fn serve_issuer(
    key_set: Arc<std::sync::Mutex<Option<String>>>,
) -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let name = issuer.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0_u8; 4096];
            let size = stream.read(&mut buffer).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&buffer[..size]).into_owned();
            let set = key_set.lock().unwrap().clone();
            let body = if request.contains("/.well-known/openid-configuration") {
                json!({"issuer": name, "jwks_uri": format!("{name}/keys")}).to_string()
            } else {
                counter.fetch_add(1, Ordering::SeqCst);
                set.clone().unwrap_or_default()
            };
            let status = if set.is_some() { "200 OK" } else { "503 Down" };
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(body.as_bytes()).await;
        }
    });
    (issuer, asked)
}

#[tokio::test]
async fn fetches_keys_once_for_many_and_bounds_what_unknown_keys_cost() {
    let set = Arc::new(std::sync::Mutex::new(Some(jwks())));
    let (name, asked) = serve_issuer(set.clone()).await;
    let now = Arc::new(AtomicU64::new(NOW * 1_000_000));
    let mut config = issuer(std::path::Path::new("unused"));
    config.jwks_file = None;
    config.issuer.clone_from(&name);
    let identity = Identity {
        issuers: vec![config],
    };
    let verifier = Arc::new(Verifier::new(&identity, Clock::Manual(now.clone())).unwrap());
    let good = ec().sign(&with(json!({"iss": name, "exp": NOW + 100_000})));
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (verifier, good) = (verifier.clone(), good.clone());
            tokio::spawn(async move { verifier.verify(&good).await })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap().is_ok());
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("rotated".to_owned());
    let rotated =
        jsonwebtoken::encode(&header, &with(json!({"iss": name})), &ec().private).unwrap();
    now.fetch_add(11_000_000, Ordering::SeqCst);
    for _ in 0..50 {
        assert_eq!(verifier.verify(&rotated).await, Err(TokenError::UnknownKey));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    let mut key = ec().public.clone();
    key["kid"] = "rotated".into();
    *set.lock().unwrap() = Some(json!({"keys": [key, ec().public]}).to_string());
    now.fetch_add(11_000_000, Ordering::SeqCst);
    assert!(verifier.verify(&rotated).await.is_ok());

    *set.lock().unwrap() = None;
    now.fetch_add(3_000_000_000, Ordering::SeqCst);
    assert!(verifier.verify(&good).await.is_ok(), "an outage is bridged");
    now.fetch_add(700_000_000, Ordering::SeqCst);
    assert_eq!(
        verifier.verify(&good).await,
        Err(TokenError::KeysUnavailable)
    );
}

#[test]
fn only_https_or_loopback_keep_keys_from_being_changed_on_the_way() {
    for (url, expected) in [
        ("https://id.example", true),
        ("http://127.0.0.1:7701", true),
        ("http://[::1]:7701/realm", true),
        ("http://localhost", true),
        ("http://id.example", false),
        ("http://127.0.0.1.evil.example", false),
        ("file:///etc/passwd", false),
    ] {
        let url = reqwest::Url::parse(url).unwrap();
        assert_eq!(super::is_private_channel(&url), expected, "{url}");
    }
}
