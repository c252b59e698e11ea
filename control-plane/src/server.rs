//! A running control plane.

mod gateway_token;
#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use ostiary_policy::InvalidPolicy;
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::transport::{Certificate, Identity, ServerTlsConfig, server::TcpIncoming};

use crate::{
    app::{App, Error, SetupError, policies::Applied},
    clock::Clock,
    config::{Config, ListenTls},
    grpc::{self, GatewayAuth},
    policy_files::{PolicyFilesError, policy_files},
    store::{SledStore, Store, StoreError},
};

/// Between pings on a quiet connection: a filter that is gone is noticed within twice this.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// Calls of one connection: a worker of Envoy sends all of its sessions' over one.
const STREAMS: u32 = 20_000;
/// How long calls and tasks may take to end when the control plane stops.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running control plane; stops at once when dropped, cleanly with [`Server::shutdown`].
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    gateway_token: String,
    app: Arc<App>,
    serving: JoinHandle<()>,
}

/// Why a control plane did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The state directory.
    #[error("cannot use state directory `{path}`")]
    StateDir {
        /// It.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The gateway token.
    #[error("cannot use gateway token `{path}`")]
    GatewayToken {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store; most often another control plane has it open.
    #[error("cannot open the store in `{path}`")]
    Store {
        /// Its directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// What the store holds, or who is trusted.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The bundle directory.
    #[error("cannot read the policy")]
    PolicyFiles(#[from] PolicyFilesError),
    /// The bundle in it.
    #[error("the policy has {} problem(s), the first: {}", .0.len(), first(.0))]
    Policy(Vec<InvalidPolicy>),
    /// The bundle could not be stored.
    #[error("cannot apply the policy")]
    Apply(#[source] Error),
    /// A TLS file.
    #[error("cannot read `{path}`")]
    TlsFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What is in the TLS files.
    #[error("cannot use the TLS files of control_plane")]
    Tls(#[source] tonic::transport::Error),
    /// The listener.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Server reflection.
    #[error("cannot serve the descriptor")]
    Reflection(#[source] tonic_reflection::server::Error),
}

fn first(problems: &[InvalidPolicy]) -> String {
    problems
        .first()
        .map(ToString::to_string)
        .unwrap_or_default()
}

impl Server {
    /// Opens the store, loads the bundle, binds and serves until [`Server::shutdown`].
    pub async fn start(config: &Config) -> Result<Self, StartError> {
        make_state_dir(config)?;
        let path = config.state_dir.join("store");
        let store = SledStore::open(&path).map_err(|source| StartError::Store { path, source })?;
        Self::start_with(config, Arc::new(store), Clock::System).await
    }

    pub(crate) async fn start_with(
        config: &Config,
        store: Arc<dyn Store>,
        clock: Clock,
    ) -> Result<Self, StartError> {
        make_state_dir(config)?;
        let path = config.state_dir.join("gateway-token");
        let gateway_token = gateway_token::load(&path)
            .map_err(|source| StartError::GatewayToken { path, source })?;
        let tls = config.control_plane.tls.as_ref();
        let tls = tls.map(tls_config).transpose()?;
        let app = App::new(config, store, clock).await?;
        match Self::serve(config, app.clone(), gateway_token, tls).await {
            Ok(server) => Ok(server),
            Err(error) => {
                // The store is free again when the error is out.
                stop(&app).await;
                Err(error)
            }
        }
    }

    async fn serve(
        config: &Config,
        app: Arc<App>,
        gateway_token: String,
        tls: Option<ServerTlsConfig>,
    ) -> Result<Self, StartError> {
        apply_first_policy(&app, config).await?;
        let certificates = config
            .control_plane
            .tls
            .as_ref()
            .is_some_and(|tls| tls.client_ca.is_some());
        let routes = grpc::routes(&app, GatewayAuth::new(&gateway_token, certificates))
            .await
            .map_err(StartError::Reflection)?;
        let mut server = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE))
            .http2_keepalive_timeout(Some(KEEPALIVE))
            .max_concurrent_streams(STREAMS)
            .http2_max_header_list_size(64 << 10);
        if let Some(tls) = tls {
            server = server.tls_config(tls).map_err(StartError::Tls)?;
        }
        let address = config.control_plane.listen;
        let listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let stop = app.tasks.stop.clone();
        let router = server.add_routes(routes);
        let serving = tokio::spawn(async move {
            // The builder's own `tcp_nodelay` holds only for listeners it binds itself, and without it an
            // acknowledgement may wait 40 ms for the one of the network before.
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            let stopped = stop.cancelled_owned();
            let served = router.serve_with_incoming_shutdown(incoming, stopped).await;
            if let Err(error) = served {
                tracing::error!(error = %crate::telemetry::chain(&error), "the listener failed");
            }
        });
        tracing::info!(%address, tls = config.control_plane.tls.is_some(), "control plane listens");
        Ok(Self {
            address,
            gateway_token,
            app,
            serving,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What filters present in `authorization: Bearer`.
    pub fn gateway_token(&self) -> &str {
        &self.gateway_token
    }

    /// Filters that follow the policy of a resource now: one for each worker of its Envoy.
    pub fn filters(&self, resource: &str) -> u32 {
        self.app.sessions.filters(resource)
    }

    /// Stops taking calls, ends those that are open, and closes the store.
    pub async fn shutdown(mut self) {
        stop(&self.app).await;
        let _ = tokio::time::timeout(PATIENCE, &mut self.serving).await;
        tracing::info!("control plane stopped");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.app.tasks.stop.cancel();
        self.serving.abort();
    }
}

async fn stop(app: &App) {
    app.tasks.stop.cancel();
    app.tasks.tracker.close();
    let _ = tokio::time::timeout(PATIENCE, app.tasks.tracker.wait()).await;
}

async fn apply_first_policy(app: &App, config: &Config) -> Result<(), StartError> {
    let Some(dir) = &config.policy else {
        return Ok(());
    };
    if let Some(running) = app.policies.running() {
        tracing::info!(
            version = running.row.version,
            "policy loaded from the store"
        );
        return Ok(());
    }
    let files = policy_files(dir)?;
    match app.policies.apply(files, "ostiary.yaml").await {
        Ok(Applied::Invalid(problems)) => Err(StartError::Policy(problems)),
        Ok(Applied::Same(_) | Applied::Changed(_)) => Ok(()),
        Err(error) => Err(StartError::Apply(error)),
    }
}

fn make_state_dir(config: &Config) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let path = &config.state_dir;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| StartError::StateDir {
            path: path.clone(),
            source,
        })
}

fn tls_config(tls: &ListenTls) -> Result<ServerTlsConfig, StartError> {
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|source| StartError::TlsFile {
            path: path.clone(),
            source,
        })
    };
    let identity = Identity::from_pem(read(&tls.cert)?, read(&tls.key)?);
    let config = ServerTlsConfig::new().identity(identity);
    Ok(match &tls.client_ca {
        // Operators come with a token and no certificate.
        Some(path) => config
            .client_ca_root(Certificate::from_pem(read(path)?))
            .client_auth_optional(true),
        None => config,
    })
}
