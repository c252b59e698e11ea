//! What an HTTP target knows the gateway by: configuration names it, a header carries it.

use std::{process::Stdio, time::Duration};

use base64::Engine as _;
use tokio::{io::AsyncReadExt as _, process::Command};

use super::secret::{Secret, SecretError};

/// Longest run of a command that prints a token.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest credential, in bytes.
const MAX_CREDENTIAL: usize = 64 << 10;

/// How the gateway proves itself to an HTTP target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// `Authorization: Bearer …`
    Bearer(Secret),
    /// `Authorization: Basic …`
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A header of another name.
    Header {
        /// Lower case.
        name: String,
        /// Its value.
        value: Secret,
    },
    /// A program and its arguments; it prints a bearer token, as `gcloud auth print-access-token`.
    Command(Vec<String>),
}

/// A credential that could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// Its secret could not be read.
    #[error("cannot read the secret")]
    Secret(#[from] SecretError),
    /// The command could not be run.
    #[error("cannot run `{program}`")]
    Command {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The command failed, or took too long.
    #[error("`{0}` printed no token in time")]
    NoToken(String),
    /// It cannot stand in a header.
    #[error("it is empty, too long or holds a control character")]
    Unfit,
}

impl Credential {
    /// The header to send, lower case, and its value, as they are now.
    pub async fn header(&self) -> Result<(String, String), CredentialError> {
        let (name, value) = match self {
            Self::Bearer(secret) => ("authorization", format!("Bearer {}", fit(secret.read()?)?)),
            Self::Basic { user, password } => {
                let pair = format!("{user}:{}", password.read()?);
                let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
                ("authorization", format!("Basic {encoded}"))
            }
            Self::Header { name, value } => (name.as_str(), fit(value.read()?)?),
            Self::Command(words) => {
                let token = printed_by(words).await?;
                ("authorization", format!("Bearer {}", fit(token)?))
            }
        };
        Ok((name.to_owned(), value))
    }
}

fn fit(value: String) -> Result<String, CredentialError> {
    let is_fit = !value.is_empty()
        && value.len() <= MAX_CREDENTIAL
        && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    match is_fit {
        true => Ok(value),
        false => Err(CredentialError::Unfit),
    }
}

async fn printed_by(words: &[String]) -> Result<String, CredentialError> {
    let (program, arguments) = words.split_first().ok_or(CredentialError::Unfit)?;
    let failed = |source| CredentialError::Command {
        program: program.clone(),
        source,
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let no_token = || CredentialError::NoToken(program.clone());
    let output = child.stdout.take().ok_or_else(no_token)?;
    let run = async {
        let mut text = String::new();
        let limit = u64::try_from(MAX_CREDENTIAL)
            .unwrap_or(u64::MAX)
            .saturating_add(2);
        output.take(limit).read_to_string(&mut text).await?;
        Ok((text, child.wait().await?))
    };
    let (text, status) = tokio::time::timeout(PATIENCE, run)
        .await
        .map_err(|_| no_token())?
        .map_err(failed)?;
    match status.success() {
        true => Ok(text.trim().to_owned()),
        false => Err(no_token()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, Secret) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, text).unwrap();
        (dir, Secret::File(path))
    }

    #[tokio::test]
    async fn each_form_is_one_header() {
        let (_dir, secret) = file("s3cret\n");
        let header = |it: Credential| async move {
            let (name, value) = it.header().await.unwrap();
            format!("{name}: {value}")
        };
        let bearer = Credential::Bearer(secret.clone());
        assert_eq!(header(bearer).await, "authorization: Bearer s3cret");
        let basic = Credential::Basic {
            user: "api".to_owned(),
            password: secret.clone(),
        };
        assert_eq!(header(basic).await, "authorization: Basic YXBpOnMzY3JldA==");
        let key = Credential::Header {
            name: "x-api-key".to_owned(),
            value: secret,
        };
        assert_eq!(header(key).await, "x-api-key: s3cret");
        let command = ["printf", "tok%s", "en"].map(str::to_owned).to_vec();
        let command = Credential::Command(command);
        assert_eq!(header(command).await, "authorization: Bearer token");
    }

    #[tokio::test]
    async fn what_cannot_be_a_header_is_none() {
        for text in ["", "a\nb: c", "\u{e9}"] {
            let (_dir, secret) = file(text);
            let error = Credential::Bearer(secret).header().await.unwrap_err();
            assert!(matches!(error, CredentialError::Unfit), "{text:?}");
        }
        for words in [vec!["false"], vec!["/nonexistent"]] {
            let words = words.into_iter().map(str::to_owned).collect();
            Credential::Command(words).header().await.unwrap_err();
        }
    }
}
