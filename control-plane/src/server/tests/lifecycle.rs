use std::os::unix::fs::PermissionsExt as _;

use tonic::transport::{Certificate, ClientTlsConfig, Identity as TlsIdentity};

use super::*;
use crate::{config::ListenTls, server::StartError};

#[tokio::test]
async fn keeps_its_state_to_itself() {
    let dir = tempfile::tempdir().unwrap();
    let state_dir = dir.path().join("a").join("state");
    std::fs::create_dir_all(dir.path()).unwrap();
    let config = Config {
        state_dir: state_dir.clone(),
        ..config(dir.path())
    };
    let server = Server::start(&config).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state_dir), 0o700);
    assert_eq!(mode(&state_dir.join("gateway-token")), 0o600);
    let token = server.gateway_token().to_owned();
    assert_eq!(token.len(), 64);
    server.shutdown().await;
    let server = Server::start(&config).await.unwrap();
    assert_eq!(server.gateway_token(), token, "it outlives a restart");
    server.shutdown().await;
    let readable = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(state_dir.join("gateway-token"), readable).unwrap();
    let error = Server::start(&config).await.unwrap_err();
    assert!(matches!(error, StartError::GatewayToken { .. }), "{error}");
}

#[tokio::test]
async fn says_what_keeps_it_from_starting() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let server = Server::start(&config).await.unwrap();
    let error = Server::start(&config).await.unwrap_err();
    assert!(matches!(error, StartError::Store { .. }), "{error}");
    server.shutdown().await;

    let fresh = tempfile::tempdir().unwrap();
    let bad = super::config(fresh.path());
    std::fs::write(bad.policy.as_ref().unwrap().join("a.cedar"), "permit (").unwrap();
    let error = Server::start(&bad).await.unwrap_err();
    assert!(matches!(error, StartError::Policy(_)), "{error}");
    let missing = Config {
        policy: Some(fresh.path().join("nowhere")),
        ..bad
    };
    let error = Server::start(&missing).await.unwrap_err();
    assert!(matches!(error, StartError::PolicyFiles(_)), "{error}");
}

#[tokio::test]
async fn shutting_down_ends_open_streams_soon() {
    let mut plane = Plane::new().await;
    let mut filter = plane.watch().await;
    filter.message().await.unwrap();
    let mut stream = plane.append("f1").await;
    stream.store(vec![connected(&id("aa"), 1)]).await;
    let started = std::time::Instant::now();
    plane.server.take().unwrap().shutdown().await;
    assert!(started.elapsed() < Duration::from_secs(3));
    assert!(filter.message().await.is_err());
}

struct Pki {
    ca: rcgen::CertifiedIssuer<'static, rcgen::KeyPair>,
}

impl Pki {
    fn new() -> Self {
        let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        Self {
            ca: rcgen::CertifiedIssuer::self_signed(params, key).unwrap(),
        }
    }

    /// Certificate and key, PEM.
    fn issue(&self) -> (String, String) {
        let names = vec!["localhost".to_owned()];
        let params = rcgen::CertificateParams::new(names).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.ca).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

#[tokio::test]
async fn speaks_tls_and_knows_filters_by_their_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::new();
    let (cert, key) = pki.issue();
    let path = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let mut config = config(dir.path());
    config.control_plane.tls = Some(ListenTls {
        cert: path("cert.pem", &cert),
        key: path("key.pem", &key),
        client_ca: Some(path("ca.pem", &pki.ca.pem())),
    });
    let store = SledStore::open(&dir.path().join("store")).unwrap();
    let clock = Clock::Manual(Arc::new(AtomicU64::new(NOW * 1_000_000)));
    let server = Server::start_with(&config, Arc::new(store), clock)
        .await
        .unwrap();
    let connect = async |identity: Option<TlsIdentity>| {
        let tls = ClientTlsConfig::new()
            .domain_name("localhost")
            .ca_certificate(Certificate::from_pem(pki.ca.pem()));
        let tls = match identity {
            Some(identity) => tls.identity(identity),
            None => tls,
        };
        let uri = format!("https://{}", server.address());
        let endpoint = Channel::from_shared(uri).unwrap().tls_config(tls).unwrap();
        endpoint.connect().await.unwrap()
    };
    let watch = WatchRequest {
        resource: "shop".to_owned(),
        ..WatchRequest::default()
    };
    let (cert, key) = pki.issue();
    let known = connect(Some(TlsIdentity::from_pem(cert, key))).await;
    let answer = GatewayClient::new(known).watch(watch.clone()).await;
    assert!(answer.is_ok(), "{answer:?}");
    let unknown = connect(None).await;
    let answer = GatewayClient::new(unknown.clone()).watch(watch).await;
    refused(answer, Code::Unauthenticated, "gateway token is wrong");
    let request = with_token(
        &testing::token(NOW, "ada", ADMIN),
        ostiary_proto::ListResourcesRequest {},
    );
    let answer = ResourcesClient::new(unknown).list(request).await;
    assert_eq!(answer.unwrap().into_inner().resources.len(), 1);
    server.shutdown().await;
}
