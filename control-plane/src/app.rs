//! Use cases, without tonic and without a storage engine.
//!
//! In: what a filter or an operator asks, already decoded. Out: rows, streams of them, or an
//! [`Error`] that says whose fault it is.

pub mod access;
pub mod approvals;
mod error;
pub mod ingest;
pub mod policies;
pub mod resources;
pub mod sessions;

use std::sync::Arc;

use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use error::Error;

use crate::{
    clock::Clock,
    config::Config,
    identity::{IdentityError, Verifier},
    random::{self, NoRandomness},
    store::{Store, StoreError},
};
use access::Access;
use approvals::Approvals;
use ingest::{Ingest, News};
use policies::Policies;
use resources::Resources;
use sessions::Sessions;

/// Tasks that run beside calls, and the word for them to end.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    /// Told once.
    pub stop: CancellationToken,
    /// What has to end before the store closes.
    pub tracker: TaskTracker,
}

/// All use cases of a control plane.
#[derive(Debug)]
pub struct App {
    /// Who operators are and what they may do.
    pub access: Access,
    /// The running bundle and its history.
    pub policies: Arc<Policies>,
    /// Events in, durably.
    pub ingest: Ingest,
    /// Sessions: opened, found, ended.
    pub sessions: Arc<Sessions>,
    /// Questions to people.
    pub approvals: Arc<Approvals>,
    /// What is guarded.
    pub resources: Resources,
    /// The time.
    pub clock: Clock,
    /// Tasks beside calls.
    pub tasks: Tasks,
}

/// Why the use cases could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The store.
    #[error("the store cannot be used")]
    Store(#[from] StoreError),
    /// An issuer.
    #[error("identity cannot be set up")]
    Identity(#[from] IdentityError),
    /// Randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The stored bundle is not valid for this version.
    #[error("version {version} of the policy in the store is not valid here: {problem}")]
    StoredPolicy {
        /// Its number.
        version: u64,
        /// The first problem.
        problem: String,
    },
}

impl App {
    /// Loads what the store holds. Approvals that were pending are lost: nobody waits for them.
    pub async fn new(
        config: &Config,
        store: Arc<dyn Store>,
        clock: Clock,
    ) -> Result<Arc<Self>, SetupError> {
        let tasks = Tasks::default();
        let verifier = Arc::new(Verifier::new(&config.identity, clock.clone())?);
        let hash_key = store.secret("hash-key", random::bytes()?).await?;
        let policies = Arc::new(Policies::load(store.clone(), clock.clone(), hash_key).await?);
        let approvals = Arc::new(Approvals::new(
            store.clone(),
            policies.clone(),
            clock.clone(),
            tasks.clone(),
        ));
        approvals.end_those_of_the_last_run().await?;
        let (ingest, news) = Ingest::start(store.clone(), clock.clone(), &tasks).await?;
        let sessions = Arc::new(Sessions::new(
            config,
            store.clone(),
            verifier.clone(),
            ingest.clone(),
        ));
        let app = Arc::new(Self {
            access: Access::new(verifier, config.roles.clone()),
            resources: Resources::new(config, store, policies.clone(), sessions.clone()),
            policies,
            ingest,
            sessions,
            approvals,
            clock,
            tasks,
        });
        app.clone().follow(news);
        Ok(app)
    }

    /// A CancelRequest can find a session from its login until it closes; what else was kept for it
    /// goes then too.
    fn follow(self: Arc<Self>, mut news: tokio::sync::mpsc::UnboundedReceiver<News>) {
        let (sessions, approvals) = (self.sessions.clone(), self.approvals.clone());
        self.tasks.tracker.spawn(async move {
            while let Some(news) = news.recv().await {
                match news {
                    News::Keyed {
                        session,
                        resource,
                        key,
                    } => approvals.remember_key(&resource, &key, session),
                    News::Closed { session, lost } => {
                        // A filter that comes back is still told to end it.
                        if !lost {
                            sessions.forget(session);
                        }
                        approvals.session_closed(session).await;
                    }
                }
            }
        });
    }

    /// Ends a session: no approval of it can be given any more, and its filter closes it.
    pub async fn kill(&self, id: &str, reason: &str) -> Result<(), Error> {
        let id = self.sessions.kill(id, reason).await?;
        self.approvals.session_closed(id).await;
        Ok(())
    }
}
