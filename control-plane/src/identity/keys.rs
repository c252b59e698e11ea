//! The keys of one issuer as they are now, fetched no more often than need be.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use tokio::sync::Mutex;

use super::{IdentityError, TokenError, fetch::Fetcher, jwks::Keys};
use crate::config::Issuer;

/// Keys older than this are fetched again, so that a key the issuer withdrew stops counting.
const FRESH_US: u64 = 600_000_000;
/// Keys that cannot be renewed count for this long: an outage of the issuer does not stop work at
/// once, and does not keep withdrawn keys for ever.
const STALE_US: u64 = 3_600_000_000;
/// Between two tries to fetch, whatever tokens ask for.
const COOLDOWN_US: u64 = 10_000_000;
/// Longest key file read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Where keys come from, and those it gave last.
#[derive(Debug)]
pub(super) struct KeySource {
    issuer: String,
    origin: Origin,
    known: RwLock<Option<Known>>,
    /// When the source last stood by the keys we know.
    good_us: AtomicU64,
    /// Held while fetching: callers that want the same wait for the one that fetches.
    fetching: Mutex<LastTry>,
}

#[derive(Debug)]
enum Origin {
    Discovery(Fetcher),
    File(PathBuf),
}

#[derive(Clone, Debug)]
struct Known {
    keys: Arc<Keys>,
    stamp: Option<Stamp>,
}

/// What tells that a file was changed.
type Stamp = (SystemTime, u64);

#[derive(Debug, Default)]
struct LastTry {
    at_us: Option<u64>,
}

impl KeySource {
    pub(super) fn new(config: &Issuer) -> Result<Self, IdentityError> {
        let origin = match &config.jwks_file {
            Some(path) => {
                read_file(path)?;
                Origin::File(path.clone())
            }
            None => Origin::Discovery(Fetcher::new(config)?),
        };
        Ok(Self {
            issuer: config.issuer.clone(),
            origin,
            known: RwLock::default(),
            good_us: AtomicU64::new(0),
            fetching: Mutex::default(),
        })
    }

    /// Keys that may be used now.
    pub(super) async fn current(&self, now_us: u64) -> Result<Arc<Keys>, TokenError> {
        let known = self.known();
        if let Some(known) = &known
            && self.is_fresh(known, now_us)
        {
            if matches!(self.origin, Origin::File(_)) {
                self.good_us.store(now_us, Ordering::Relaxed);
            }
            return Ok(known.keys.clone());
        }
        self.fetch(known.as_ref(), now_us).await;
        let age_us = now_us.saturating_sub(self.good_us.load(Ordering::Relaxed));
        match self.known() {
            Some(known) if age_us < STALE_US => Ok(known.keys),
            _ => Err(TokenError::KeysUnavailable),
        }
    }

    /// Keys after one more look at the source, because `seen` lacked one; `seen` if it is too soon.
    pub(super) async fn refreshed(&self, seen: &Arc<Keys>, now_us: u64) -> Arc<Keys> {
        let known = self.known();
        if known
            .as_ref()
            .is_none_or(|known| Arc::ptr_eq(&known.keys, seen))
        {
            self.fetch(known.as_ref(), now_us).await;
        }
        self.known()
            .map_or_else(|| seen.clone(), |known| known.keys)
    }

    fn known(&self) -> Option<Known> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    fn is_fresh(&self, known: &Known, now_us: u64) -> bool {
        match &self.origin {
            Origin::Discovery(_) => {
                now_us.saturating_sub(self.good_us.load(Ordering::Relaxed)) < FRESH_US
            }
            Origin::File(path) => known.stamp.is_some() && stamp(path) == known.stamp,
        }
    }

    /// Fetches unless somebody else did since `seen`, or a try was made a moment ago.
    async fn fetch(&self, seen: Option<&Known>, now_us: u64) {
        let mut last = self.fetching.lock().await;
        let unchanged = match (self.known(), seen) {
            (Some(now), Some(seen)) => Arc::ptr_eq(&now.keys, &seen.keys),
            (now, seen) => now.is_none() && seen.is_none(),
        };
        let is_file = matches!(self.origin, Origin::File(_));
        let too_soon = last
            .at_us
            .is_some_and(|at| now_us.saturating_sub(at) < COOLDOWN_US);
        if !unchanged || (too_soon && !is_file) {
            return;
        }
        last.at_us = Some(now_us);
        let fetched = match &self.origin {
            Origin::Discovery(fetcher) => fetcher.keys().await.map(|keys| (keys, None)),
            Origin::File(path) => read_file(path).map(|(keys, stamp)| (keys, Some(stamp))),
        };
        match fetched {
            Ok((keys, stamp)) => {
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                *known = Some(Known {
                    keys: Arc::new(keys),
                    stamp,
                });
                self.good_us.store(now_us, Ordering::Relaxed);
            }
            Err(error) => {
                tracing::warn!(issuer = %self.issuer, error = %crate::telemetry::chain(&error), "keys could not be renewed");
            }
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

fn read_file(path: &Path) -> Result<(Keys, Stamp), IdentityError> {
    use std::io::Read as _;
    let read = || -> std::io::Result<(Vec<u8>, Stamp)> {
        let file = std::fs::File::open(path)?;
        let meta = file.metadata()?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        Ok((bytes, (meta.modified()?, meta.len())))
    };
    let (bytes, stamp) = read().map_err(|source| IdentityError::File {
        path: path.to_owned(),
        source,
    })?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(IdentityError::TooLong);
    }
    Ok((Keys::parse(&bytes)?, stamp))
}
