//! Events in, durably: one writer for all streams, one flush for all that is queued.
//!
//! A batch is acknowledged after it is on disk and in no other case. Everything that changes a
//! session passes through the writer, so that rows and events never disagree.

mod live;
mod writer;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use ostiary_proto::Session;
use ostiary_record::Event;
use prost::Message as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use super::{Error, Tasks};
use crate::{
    clock::Clock,
    store::{SessionId, Store},
};
use writer::Writer;

/// KiB of events that may wait to be written; senders wait when it is used up.
const BUDGET_KIB: u32 = 64 << 10;

/// How far the batches of one stream have come.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Every batch up to this one is on disk.
    pub durable: u64,
    /// The store failed: nothing more will be acknowledged.
    pub failed: bool,
}

/// Hands events to the writer.
#[derive(Clone, Debug)]
pub struct Ingest {
    commands: mpsc::UnboundedSender<Command>,
    budget: Arc<Semaphore>,
    written: watch::Receiver<u64>,
    next_stream: Arc<AtomicU64>,
}

/// One filter's stream of batches.
#[derive(Debug)]
pub struct AppendStream {
    id: u64,
    last_batch: u64,
    ingest: Ingest,
    progress: watch::Sender<Progress>,
}

/// What others have to know of a session.
#[derive(Debug)]
pub(super) enum News {
    /// Its backend key has this digest.
    Keyed {
        session: SessionId,
        resource: String,
        key: Vec<u8>,
    },
    /// It closed, on disk. If its filter was `lost`, it may still turn out to live.
    Closed { session: SessionId, lost: bool },
}

enum Command {
    Append {
        stream: u64,
        batch: u64,
        events: Vec<Event>,
        progress: watch::Sender<Progress>,
        /// Given back after the write.
        permit: OwnedSemaphorePermit,
    },
    Open {
        session: Box<Session>,
        opened: oneshot::Sender<Result<(), Error>>,
    },
    StreamStarted {
        stream: u64,
        filter_id: String,
    },
    StreamEnded {
        stream: u64,
    },
    Tick,
}

impl Ingest {
    /// Starts the writer. The receiver gets the news of every session.
    pub(super) async fn start(
        store: Arc<dyn Store>,
        clock: Clock,
        tasks: &Tasks,
    ) -> Result<(Self, mpsc::UnboundedReceiver<News>), crate::store::StoreError> {
        let (commands, queue) = mpsc::unbounded_channel();
        let (tell, news) = mpsc::unbounded_channel();
        let written = watch::Sender::new(0);
        let ingest = Self {
            commands,
            budget: Arc::new(Semaphore::new(BUDGET_KIB as usize)),
            written: written.subscribe(),
            next_stream: Arc::default(),
        };
        let writer = Writer::load(store, clock, written, tell).await?;
        tasks.tracker.spawn(writer.run(queue, tasks.stop.clone()));
        Ok((ingest, news))
    }

    /// A filter's stream begins; `filter_id` is empty if the filter did not name itself.
    pub fn stream(&self, filter_id: &str) -> AppendStream {
        let id = self.next_stream.fetch_add(1, Ordering::Relaxed);
        let _ = self.commands.send(Command::StreamStarted {
            stream: id,
            filter_id: filter_id.to_owned(),
        });
        AppendStream {
            id,
            last_batch: 0,
            ingest: self.clone(),
            progress: watch::Sender::default(),
        }
    }

    /// Records a verified login; returns when it is on disk.
    pub async fn open(&self, session: Session) -> Result<(), Error> {
        let (opened, answer) = oneshot::channel();
        let session = Box::new(session);
        self.commands
            .send(Command::Open { session, opened })
            .map_err(|_| Error::Stopping)?;
        answer.await.map_err(|_| Error::Stopping)?
    }

    /// Changes whenever something was written.
    pub fn written(&self) -> watch::Receiver<u64> {
        self.written.clone()
    }

    /// Lets the writer look at the time now, in place of waiting for its timer.
    #[cfg(test)]
    pub(crate) fn tick(&self) {
        let _ = self.commands.send(Command::Tick);
    }
}

impl AppendStream {
    /// Queues a batch; waits while too much is queued. Its acknowledgement shows in `progress`.
    pub async fn append(&mut self, batch: u64, events: Vec<Event>) -> Result<(), Error> {
        if batch <= self.last_batch {
            let message = format!("batch {batch} comes after batch {}", self.last_batch);
            return Err(Error::Invalid(message));
        }
        for event in &events {
            if event.session_id.parse::<SessionId>().is_err() || event.seq == 0 {
                let message = "an event needs a session id of 32 hex digits and a seq from 1";
                return Err(Error::Invalid(message.to_owned()));
            }
        }
        self.last_batch = batch;
        let bytes: usize = events.iter().map(|event| event.encoded_len()).sum();
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX);
        let budget = self.ingest.budget.clone();
        let permit = budget
            .acquire_many_owned(kib.min(BUDGET_KIB))
            .await
            .map_err(|_| Error::Stopping)?;
        self.ingest
            .commands
            .send(Command::Append {
                stream: self.id,
                batch,
                events,
                progress: self.progress.clone(),
                permit,
            })
            .map_err(|_| Error::Stopping)
    }

    /// Acknowledgements.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// The last batch that was queued.
    pub fn last_batch(&self) -> u64 {
        self.last_batch
    }
}

impl Drop for AppendStream {
    fn drop(&mut self) {
        let _ = self
            .ingest
            .commands
            .send(Command::StreamEnded { stream: self.id });
    }
}
