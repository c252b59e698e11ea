//! Keys over HTTP: the discovery document, then the JWK set it names.

use std::time::Duration;

use reqwest::{Client, Url, redirect};
use serde_json::Value;

use super::{IdentityError, jwks::Keys, strict};
use crate::config::Issuer;

/// Longest document read, in bytes.
const MAX_DOCUMENT: usize = 1 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TIMEOUT: Duration = Duration::from_secs(8);

/// Fetches an issuer's keys.
#[derive(Debug)]
pub(super) struct Fetcher {
    issuer: String,
    client: Client,
}

/// Nobody on the network can change what passes: https, or http within this machine.
pub(crate) fn is_private_channel(url: &Url) -> bool {
    let loopback = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

impl Fetcher {
    pub(super) fn new(config: &Issuer) -> Result<Self, IdentityError> {
        let http = |source| IdentityError::Http {
            issuer: config.issuer.clone(),
            source,
        };
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("ostiary/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &config.ca {
            let ca = |source| IdentityError::Ca {
                issuer: config.issuer.clone(),
                source,
            };
            let pem = std::fs::read(path).map_err(|error| ca(error.into()))?;
            let authorities =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| ca(error.into()))?;
            builder = builder.tls_certs_only(authorities);
        }
        Ok(Self {
            issuer: config.issuer.clone(),
            client: builder.build().map_err(http)?,
        })
    }

    pub(super) async fn keys(&self) -> Result<Keys, IdentityError> {
        let base = self.issuer.trim_end_matches('/');
        let discovery = format!("{base}/.well-known/openid-configuration");
        let url = Url::parse(&discovery).map_err(|_| self.discovery("the issuer is not a URL"))?;
        let document = self.get(url).await?;
        let document = strict::object(&document).ok_or_else(|| self.discovery("is not JSON"))?;
        let text = |name: &str| document.get(name).and_then(Value::as_str);
        if text("issuer") != Some(&self.issuer) {
            return Err(self.discovery("names another issuer"));
        }
        let jwks = text("jwks_uri")
            .and_then(|uri| Url::parse(uri).ok())
            .ok_or_else(|| self.discovery("has no `jwks_uri`"))?;
        if !is_private_channel(&jwks) {
            return Err(self.discovery("has a `jwks_uri` that is not https"));
        }
        Keys::parse(&self.get(jwks).await?)
    }

    async fn get(&self, url: Url) -> Result<Vec<u8>, IdentityError> {
        let http = |source| IdentityError::Http {
            issuer: self.issuer.clone(),
            source,
        };
        let response = self.client.get(url).send().await.map_err(http)?;
        let mut response = response.error_for_status().map_err(http)?;
        if !response.status().is_success() {
            return Err(self.discovery("answered with a redirect"));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(http)? {
            if body.len() + chunk.len() > MAX_DOCUMENT {
                return Err(IdentityError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn discovery(&self, message: &'static str) -> IdentityError {
        IdentityError::Discovery {
            issuer: self.issuer.clone(),
            message,
        }
    }
}
