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
            verify_server_name,
        },
        crypto::{CryptoProvider, aws_lc_rs},
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
        server::ParsedCertificate,
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
            (UpstreamTls::VerifyFull, ca) => Checks::Name(Roots::load(ca, &provider)?),
            // As libpq does: a root certificate turns `require` into `verify-ca`.
            (UpstreamTls::Require, Some(ca)) => Checks::Chain(Roots::load(Some(ca), &provider)?),
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

/// Who may vouch for a server.
#[derive(Debug)]
struct Roots {
    webpki: Arc<WebPkiServerVerifier>,
    /// The certificates of the file themselves.
    named: Vec<CertificateDer<'static>>,
}

impl Roots {
    /// The system's authorities, or those of a file.
    fn load(ca: Option<&Path>, provider: &Arc<CryptoProvider>) -> Result<Self, String> {
        let mut store = RootCertStore::empty();
        let named = match ca {
            Some(path) => read(path)?,
            None => Vec::new(),
        };
        for certificate in &named {
            store
                .add(certificate.clone())
                .map_err(|error| format!("cannot use `ca`: {error}"))?;
        }
        if ca.is_none() {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        if store.is_empty() {
            return Err("this system has no certificate authorities: name them with `ca`".into());
        }
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone())
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { webpki, named })
    }

    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self
            .webpki
            .verify_server_cert(end_entity, intermediates, name, &[], now);
        match verified {
            // What PostgreSQL's manual has people make: a certificate that signs itself and may
            // sign others. It is no end entity to webpki, which says so after it has looked at
            // the dates; but it is the very one the operator named.
            Err(Error::InvalidCertificate(CertificateError::Other(_)))
                if self.named.iter().any(|it| it == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(|error| format!("cannot read `{shown}`: {error}"))?
        .collect();
    match certificates {
        Ok(found) if found.is_empty() => Err(format!("`{shown}` holds no certificate")),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("cannot use `{shown}`: {error}")),
    }
}

#[derive(Debug)]
enum Checks {
    /// Chain and host name.
    Name(Roots),
    /// Chain.
    Chain(Roots),
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
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.checks {
            Checks::Name(roots) => roots.verify(end_entity, intermediates, server_name, now),
            Checks::Chain(roots) => {
                match roots.verify(end_entity, intermediates, server_name, now) {
                    // The name is looked at last: whoever fails only there has a good chain.
                    Err(Error::InvalidCertificate(
                        CertificateError::NotValidForName
                        | CertificateError::NotValidForNameContext { .. },
                    )) => Ok(ServerCertVerified::assertion()),
                    other => other,
                }
            }
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
            Checks::Name(roots) | Checks::Chain(roots) => {
                roots
                    .webpki
                    .verify_tls12_signature(message, certificate, signature)
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
            Checks::Name(roots) | Checks::Chain(roots) => {
                roots
                    .webpki
                    .verify_tls13_signature(message, certificate, signature)
            }
            Checks::None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
