//! TLS towards a server, with as much verification as its mode asks for.

use std::{io, path::Path, sync::Arc};

use ostiary_control_plane::config::UpstreamTls;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
        SignatureScheme,
        client::{
            WebPkiServerVerifier,
            danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        },
        crypto::{CryptoProvider, aws_lc_rs},
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    },
};

use super::Target;

/// Ready to shake hands.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Reads the authorities once; an unusable file is found here and not at the first login.
    pub(super) fn new(target: &Target) -> Result<Self, String> {
        let host = &target.address.host;
        let name = ServerName::try_from(host.clone())
            .map_err(|_| format!("`{host}` is no name a certificate can have"))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let checks = match (target.tls, target.ca.as_deref()) {
            (UpstreamTls::VerifyFull, ca) => Checks::Name(roots(ca, &provider)?),
            // As libpq does: a root certificate turns `require` into `verify-ca`.
            (UpstreamTls::Require, Some(ca)) => Checks::Chain(roots(Some(ca), &provider)?),
            (UpstreamTls::Require | UpstreamTls::Prefer | UpstreamTls::Disable, _) => Checks::None,
        };
        let config = builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { checks, provider }))
            .with_no_client_auth();
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            name,
        })
    }

    pub(super) async fn handshake(
        &self,
        stream: tokio::net::TcpStream,
    ) -> io::Result<tokio_rustls::client::TlsStream<tokio::net::TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

/// The system's authorities, or those of a file.
fn roots(
    ca: Option<&Path>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, String> {
    let mut store = RootCertStore::empty();
    match ca {
        Some(path) => {
            let shown = path.display();
            let certificates = CertificateDer::pem_file_iter(path)
                .map_err(|error| format!("cannot read `{shown}`: {error}"))?;
            for certificate in certificates {
                certificate
                    .map_err(|error| error.to_string())
                    .and_then(|it| store.add(it).map_err(|error| error.to_string()))
                    .map_err(|error| format!("cannot use `{shown}`: {error}"))?;
            }
            if store.is_empty() {
                return Err(format!("`{shown}` holds no certificate"));
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
            if store.is_empty() {
                return Err(
                    "this system has no certificate authorities: name them with `ca`".into(),
                );
            }
        }
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone())
        .build()
        .map_err(|error| error.to_string())
}

#[derive(Debug)]
enum Checks {
    /// Chain and host name.
    Name(Arc<WebPkiServerVerifier>),
    /// Chain.
    Chain(Arc<WebPkiServerVerifier>),
    /// None: against listeners only, not against someone in between.
    None,
}

#[derive(Debug)]
struct Verifier {
    checks: Checks,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |webpki: &WebPkiServerVerifier| {
            webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        match &self.checks {
            Checks::Name(webpki) => verify(webpki),
            Checks::Chain(webpki) => match verify(webpki) {
                // The name is looked at last: whoever fails only there has a good chain.
                Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. },
                )) => Ok(ServerCertVerified::assertion()),
                other => other,
            },
            Checks::None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.checks {
            Checks::Name(webpki) | Checks::Chain(webpki) => {
                webpki.verify_tls12_signature(message, certificate, signature)
            }
            // A signature by a key nobody vouches for attests nothing.
            Checks::None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.checks {
            Checks::Name(webpki) | Checks::Chain(webpki) => {
                webpki.verify_tls13_signature(message, certificate, signature)
            }
            Checks::None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
