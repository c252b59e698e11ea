//! Who calls: the bearer token in `authorization`, or a filter's client certificate.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tonic::{Request, metadata::MetadataMap};

use crate::app::{
    App, Error,
    access::{Action, Operator},
};

/// Lets filters in.
#[derive(Clone)]
pub(crate) struct GatewayAuth {
    token_digest: [u8; 32],
    /// Client certificates were verified against an authority for filters.
    certificates: bool,
}

impl GatewayAuth {
    pub(crate) fn new(token: &str, certificates: bool) -> Self {
        Self {
            token_digest: Sha256::digest(token).into(),
            certificates,
        }
    }

    pub(super) fn check<T>(&self, request: &Request<T>) -> Result<(), Error> {
        let has_certificate = || {
            let certificates = request.peer_certs();
            certificates.is_some_and(|certificates| !certificates.is_empty())
        };
        if self.certificates && has_certificate() {
            return Ok(());
        }
        let presented = bearer(request.metadata()).ok_or(Error::GatewayToken)?;
        // Digests have one length and no structure: comparing them tells nothing of the token.
        let digest: [u8; 32] = Sha256::digest(presented).into();
        match bool::from(digest.ct_eq(&self.token_digest)) {
            true => Ok(()),
            false => Err(Error::GatewayToken),
        }
    }
}

/// The operator who calls, if they may do this.
pub(super) async fn operator<T>(
    app: &App,
    request: &Request<T>,
    action: Action,
) -> Result<Operator, Error> {
    app.access
        .operator(bearer(request.metadata()), action)
        .await
}

/// The token of the one `authorization` header; none if there are several.
fn bearer(metadata: &MetadataMap) -> Option<&str> {
    let mut values = metadata.get_all("authorization").iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
