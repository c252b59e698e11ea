//! The issuer's key, made once and kept in a directory its owner alone can read.

use std::path::{Path, PathBuf};

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::private;

const KEY_FILE: &str = "key.p8";
const ISSUER_FILE: &str = "issuer";

/// An ES256 key and the issuer it speaks for.
pub(crate) struct Keys {
    pkcs8: Vec<u8>,
    /// Uncompressed point: 0x04, x, y.
    public: Vec<u8>,
    issuer: String,
}

/// Why the issuer cannot work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DevError {
    #[error("cannot use `{path}`")]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{0}` holds no P-256 key")]
    Key(PathBuf),
    #[error("no development issuer has its key in `{0}`")]
    None(PathBuf),
    #[error("the development issuer serves loopback addresses only, not `{0}`")]
    NotLoopback(String),
    #[error(
        "`{0}` is not an address the development issuer can serve: write it like http://127.0.0.1:7701"
    )]
    Issuer(String),
    #[error("cannot listen on {address}")]
    Listen {
        address: std::net::SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot make or use the key")]
    Crypto,
}

impl Keys {
    /// The key of `dir`, made if there is none; from now on it speaks for `issuer`.
    pub(crate) fn open(dir: &Path, issuer: &str) -> Result<Self, DevError> {
        private::make_dir(dir).map_err(in_file(dir))?;
        let path = dir.join(KEY_FILE);
        let pkcs8 = match std::fs::read(&path) {
            Ok(pkcs8) => pkcs8,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let pkcs8 = generate()?;
                private::write(&path, &pkcs8).map_err(in_file(&path))?;
                pkcs8
            }
            Err(error) => return Err(in_file(&path)(error)),
        };
        let name = dir.join(ISSUER_FILE);
        private::write(&name, issuer.as_bytes()).map_err(in_file(&name))?;
        Self::new(pkcs8, issuer.to_owned(), &path)
    }

    /// The key of `dir`, which an issuer has made before.
    pub(crate) fn load(dir: &Path) -> Result<Self, DevError> {
        let path = dir.join(KEY_FILE);
        let name = dir.join(ISSUER_FILE);
        let missing = |path: &Path| {
            let path = path.to_owned();
            let dir = dir.to_owned();
            move |source: std::io::Error| match source.kind() {
                std::io::ErrorKind::NotFound => DevError::None(dir),
                _ => DevError::File { path, source },
            }
        };
        let pkcs8 = std::fs::read(&path).map_err(missing(&path))?;
        let issuer = std::fs::read_to_string(&name).map_err(missing(&name))?;
        Self::new(pkcs8, issuer, &path)
    }

    fn new(pkcs8: Vec<u8>, issuer: String, path: &Path) -> Result<Self, DevError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8)
            .map_err(|_| DevError::Key(path.to_owned()))?;
        Ok(Self {
            public: pair.public_key().as_ref().to_vec(),
            pkcs8,
            issuer,
        })
    }

    /// `iss` of the tokens.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Names the key: the same key has the same id.
    pub(crate) fn id(&self) -> String {
        let hash = digest::digest(&digest::SHA256, &self.public);
        URL_SAFE_NO_PAD.encode(hash.as_ref().get(..12).unwrap_or_default())
    }

    /// For the signer.
    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public half (RFC 7517).
    pub(crate) fn jwks(&self) -> Value {
        let coordinate = |range| URL_SAFE_NO_PAD.encode(self.public.get(range).unwrap_or_default());
        json!({"keys": [{
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
            "kid": self.id(),
            "x": coordinate(1..33),
            "y": coordinate(33..65),
        }]})
    }
}

fn generate() -> Result<Vec<u8>, DevError> {
    let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| DevError::Crypto)?;
    Ok(pair.as_ref().to_vec())
}

fn in_file(path: &Path) -> impl FnOnce(std::io::Error) -> DevError + use<> {
    let path = path.to_owned();
    move |source| DevError::File { path, source }
}
