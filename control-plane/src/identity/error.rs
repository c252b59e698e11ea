//! Which check a token failed; never what the token holds.

use std::path::PathBuf;

/// A token that does not count. The text is for whoever presented it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Nothing was presented.
    #[error("no token: the password must be an OIDC access token")]
    Missing,
    /// More than 8 KiB.
    #[error("token is longer than 8 KiB")]
    TooLong,
    /// Not three base64url parts of JSON objects with distinct names.
    #[error("token is not a signed JWT")]
    Malformed,
    /// The header carries or points to keys, or asks for what is not understood.
    #[error("token header holds `{0}`, which is refused")]
    Header(&'static str),
    /// `typ` of the header names another kind of token.
    #[error("token is not an access token: its header's `typ` says so")]
    Type,
    /// An ID or refresh token.
    #[error("token is not an access token: it is an ID or refresh token")]
    NotAccessToken,
    /// `cnf`: bound to a key whose possession cannot be proved here.
    #[error("token is bound to a key by `cnf`, which cannot be proved here")]
    Bound,
    /// `iss` is none of the configured ones.
    #[error("token issuer is unknown")]
    UnknownIssuer,
    /// `alg` is not one of the issuer's algorithms.
    #[error("token is signed with an algorithm that is not allowed")]
    Algorithm,
    /// No key of the issuer fits `kid` and `alg`.
    #[error("token is signed with an unknown key")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("token signature is wrong")]
    Signature,
    /// `aud` does not name us.
    #[error("token audience is wrong")]
    Audience,
    /// `exp` is absent.
    #[error("token has no expiry")]
    NoExpiry,
    /// `exp` is past.
    #[error("token has expired")]
    Expired,
    /// `nbf` or `iat` is in the future.
    #[error("token is not valid yet")]
    NotYetValid,
    /// `sub` is absent, empty, too long or not plain text.
    #[error("token subject is missing or not usable")]
    Subject,
    /// A claim has the wrong type.
    #[error("token claim `{0}` has the wrong form")]
    Claim(&'static str),
    /// The issuer's keys cannot be had.
    #[error("keys of the token's issuer cannot be fetched now")]
    KeysUnavailable,
}

/// Keys that could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The key file could not be read.
    #[error("cannot read key file `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// More than 1 MiB.
    #[error("keys are longer than 1 MiB")]
    TooLong,
    /// Not a JWK set, or none of its keys can verify.
    #[error("not a usable JWK set: {0}")]
    Invalid(String),
    /// The issuer could not be asked.
    #[error("cannot fetch from issuer `{issuer}`")]
    Http {
        /// The issuer.
        issuer: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The discovery document is not this issuer's.
    #[error("discovery document of `{issuer}`: {message}")]
    Discovery {
        /// The issuer.
        issuer: String,
        /// What is wrong.
        message: &'static str,
    },
    /// The TLS authorities of the issuer could not be used.
    #[error("cannot use `ca` of issuer `{issuer}`")]
    Ca {
        /// The issuer.
        issuer: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
