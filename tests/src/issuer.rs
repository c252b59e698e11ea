//! Whose tokens count: `ostiary dev issuer`, and tokens no honest issuer would sign.

use std::{
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::{
    Context as _, Result, ports,
    process::{Folder, Running, Signal, run},
    tools,
};

/// The audience the stacks of the harness expect.
pub const AUDIENCE: &str = "ostiary";

/// A running development issuer.
#[derive(Debug)]
pub struct Issuer {
    folder: Folder,
    url: String,
    _running: Running,
}

impl Issuer {
    /// Starts one on a free port.
    pub fn start() -> Result<Self> {
        let folder = Folder::new("issuer")?;
        let port = ports::free();
        let mut command = Command::new(tools::ostiary()?);
        command
            .args([
                "dev",
                "issuer",
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--state",
            ])
            .arg(folder.path().join("state"));
        let log = folder.path().join("log");
        let mut running = Running::start("ostiary dev issuer", command, &log, Signal::INT)?;
        running.until("the issuer to listen", || {
            Ok(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())
        })?;
        Ok(Self {
            folder,
            url: format!("http://127.0.0.1:{port}"),
            _running: running,
        })
    }

    /// `iss` of its tokens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A token as `ostiary dev token` prints it.
    pub fn token(&self, subject: &str, groups: &[&str]) -> Result<String> {
        self.token_with(subject, groups, &[])
    }

    /// The same with more arguments.
    pub fn token_with(&self, subject: &str, groups: &[&str], more: &[&str]) -> Result<String> {
        let mut command = Command::new(tools::ostiary()?);
        command
            .args([
                "dev",
                "token",
                "--sub",
                subject,
                "--groups",
                &groups.join(","),
                "--state",
            ])
            .arg(self.folder.path().join("state"))
            .args(more);
        Ok(run(command, "", Duration::from_secs(20))?
            .ok()?
            .out
            .trim()
            .to_owned())
    }

    /// The claims an honest token for `subject` would have.
    pub fn claims(&self, subject: &str, groups: &[&str]) -> Value {
        let now = now();
        json!({
            "iss": self.url, "sub": subject, "aud": AUDIENCE, "groups": groups,
            "iat": now, "exp": now + 3600,
        })
    }

    /// These claims, signed with the issuer's own key.
    pub fn sign(&self, claims: &Value) -> Result<String> {
        let honest = self.token("nobody", &[])?;
        let mut header = Header::new(Algorithm::ES256);
        header.kid = jsonwebtoken::decode_header(&honest)?.kid;
        let key = std::fs::read(self.folder.path().join("state/key.p8"))?;
        Ok(jsonwebtoken::encode(
            &header,
            claims,
            &EncodingKey::from_ec_der(&key),
        )?)
    }

    /// These claims with a header of one's own and no or a wrong signature.
    pub fn forge(&self, header: &Value, claims: &Value, signature: &[u8]) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!(
            "{}.{}.{}",
            part(header),
            part(claims),
            URL_SAFE_NO_PAD.encode(signature)
        )
    }

    /// The id of its key.
    pub fn key_id(&self) -> Result<String> {
        let honest = self.token("nobody", &[])?;
        jsonwebtoken::decode_header(&honest)?
            .kid
            .context("a key id")
    }
}

/// Seconds since the Unix epoch.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
