//! The running bundle: checked, applied, handed to every filter.

use std::sync::Arc;

use ostiary_policy::{Bundle, Files, InvalidPolicy};
use tokio::sync::{Mutex, watch};

use super::{Error, SetupError};
use crate::{
    clock::Clock,
    store::{PolicyRow, Store, StoreError},
};

/// The bundle that decides now.
#[derive(Debug)]
pub struct Running {
    /// As stored.
    pub row: PolicyRow,
    /// Compiled.
    pub bundle: Bundle,
    /// Key of the `hash` masking strategy.
    pub hash_key: Vec<u8>,
}

/// What came of applying a bundle.
#[derive(Debug)]
pub enum Applied {
    /// Nothing was applied.
    Invalid(Vec<InvalidPolicy>),
    /// The running bundle has this hash already.
    Same(Arc<Running>),
    /// It is the running one now.
    Changed(Arc<Running>),
}

/// The running bundle and its history.
#[derive(Debug)]
pub struct Policies {
    store: Arc<dyn Store>,
    clock: Clock,
    hash_key: Vec<u8>,
    running: watch::Sender<Option<Arc<Running>>>,
    applying: Mutex<()>,
}

impl Policies {
    /// Starts with the newest version in the store, if there is one.
    pub(super) async fn load(
        store: Arc<dyn Store>,
        clock: Clock,
        hash_key: Vec<u8>,
    ) -> Result<Self, SetupError> {
        let running = match store.policy(None).await? {
            None => None,
            Some(row) => {
                let bundle =
                    Bundle::parse(&row.files).map_err(|problems| SetupError::StoredPolicy {
                        version: row.version,
                        problem: problems
                            .first()
                            .map(ToString::to_string)
                            .unwrap_or_default(),
                    })?;
                Some(Arc::new(Running {
                    row,
                    bundle,
                    hash_key: hash_key.clone(),
                }))
            }
        };
        Ok(Self {
            store,
            clock,
            hash_key,
            running: watch::Sender::new(running),
            applying: Mutex::default(),
        })
    }

    /// The running bundle, now and whenever it changes; none before the first is applied.
    pub fn watch(&self) -> watch::Receiver<Option<Arc<Running>>> {
        self.running.subscribe()
    }

    /// The running bundle.
    pub fn running(&self) -> Option<Arc<Running>> {
        self.running.borrow().clone()
    }

    /// Validates without storing.
    pub async fn check(&self, files: Files) -> Result<Result<Bundle, Vec<InvalidPolicy>>, Error> {
        // Compiling takes long enough to keep other calls of this thread waiting.
        tokio::task::spawn_blocking(move || Bundle::parse(&files))
            .await
            .map_err(|_| Error::Task)
    }

    /// Validates, stores as the next version and makes it the running one.
    pub async fn apply(&self, files: Files, by: &str) -> Result<Applied, Error> {
        let bundle = match self.check(files.clone()).await? {
            Ok(bundle) => bundle,
            Err(problems) => return Ok(Applied::Invalid(problems)),
        };
        let _applying = self.applying.lock().await;
        let running = self.running();
        if let Some(running) = &running
            && running.row.hash == bundle.hash()
        {
            return Ok(Applied::Same(running.clone()));
        }
        let row = PolicyRow {
            version: running.map_or(0, |running| running.row.version) + 1,
            hash: bundle.hash().to_owned(),
            files,
            applied_us: self.clock.now_us(),
            applied_by: by.to_owned(),
        };
        self.store
            .add_policy(row.clone())
            .await
            .map_err(|error| match error {
                StoreError::Conflict => {
                    Error::TooLate("another bundle was applied meanwhile".to_owned())
                }
                error => error.into(),
            })?;
        tracing::info!(version = row.version, hash = %row.hash, by, "policy applied");
        let running = Arc::new(Running {
            row,
            bundle,
            hash_key: self.hash_key.clone(),
        });
        self.running.send_replace(Some(running.clone()));
        Ok(Applied::Changed(running))
    }

    /// A version; 0 for the running one.
    pub async fn get(&self, version: u64) -> Result<PolicyRow, Error> {
        let missing = || match version {
            0 => Error::NotFound("no policy has been applied yet".to_owned()),
            version => Error::NotFound(format!("no policy version {version}")),
        };
        if version == 0 {
            return Ok(self.running().ok_or_else(missing)?.row.clone());
        }
        let row = self.store.policy(Some(version)).await?;
        row.ok_or_else(missing)
    }
}
