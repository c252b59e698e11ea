//! The one task that writes events and sessions.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ostiary_proto::Session;
use ostiary_record::{Event, Operated, event::Kind};
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{
    Command, News, Progress,
    live::{FILTER_LOST, Live},
};
use crate::{
    app::Error,
    clock::Clock,
    store::{Batch, Chunk, SessionId, SessionWrite, Store, StoreError},
};

/// Commands written with one flush.
const GROUP: usize = 1024;
/// Bytes of one stored chunk, about.
const CHUNK: usize = 16 << 10;
/// A session whose filter is gone for this long is closed.
const LOST_AFTER_US: u64 = 60_000_000;
const TICK: Duration = Duration::from_secs(5);

pub(super) struct Writer {
    store: Arc<dyn Store>,
    clock: Clock,
    /// Open sessions, and those that changed since the last write.
    live: BTreeMap<SessionId, Live>,
    /// Streams that are open, with the filter behind each.
    streams: BTreeMap<u64, String>,
    written: watch::Sender<u64>,
    news: mpsc::UnboundedSender<News>,
}

/// What is to be answered once the group is on disk.
enum Waiting {
    Append(watch::Sender<Progress>, u64),
    Open(oneshot::Sender<Result<(), Error>>),
}

impl Writer {
    /// Sessions that are open in the store wait for their filters from now on.
    pub(super) async fn load(
        store: Arc<dyn Store>,
        clock: Clock,
        written: watch::Sender<u64>,
        news: mpsc::UnboundedSender<News>,
    ) -> Result<Self, StoreError> {
        let now = clock.now_us();
        let mut live = BTreeMap::new();
        for row in store.open_sessions().await? {
            if let Ok(id) = row.session.id.parse() {
                live.insert(id, Live::stored(row, now));
            }
        }
        Ok(Self {
            store,
            clock,
            live,
            streams: BTreeMap::new(),
            written,
            news,
        })
    }

    pub(super) async fn run(
        mut self,
        mut queue: mpsc::UnboundedReceiver<Command>,
        stop: CancellationToken,
    ) {
        let mut timer = tokio::time::interval(TICK);
        let mut group = Vec::new();
        loop {
            tokio::select! {
                biased;
                count = queue.recv_many(&mut group, GROUP) => if count == 0 { break },
                _ = timer.tick() => group.push(Command::Tick),
                // What was queued before the word to stop is still written.
                () = stop.cancelled() => break,
            }
            self.write(std::mem::take(&mut group)).await;
        }
    }

    /// Writes what a group of commands changes, then answers it.
    async fn write(&mut self, group: Vec<Command>) {
        let mut waiting = Vec::new();
        let mut batch = Batch::default();
        // Permits for bytes in memory are given back when `group` has been dropped, after the write.
        let mut permits = Vec::new();
        let mut failed = None;
        for command in group {
            match command {
                Command::Append {
                    stream,
                    batch: number,
                    events,
                    progress,
                    permit,
                } => {
                    permits.push(permit);
                    waiting.push(Waiting::Append(progress, number));
                    if failed.is_none() {
                        failed = self.append(stream, events, &mut batch).await.err();
                    }
                }
                Command::Open { session, opened } => match self.open(*session).await {
                    Ok(()) => waiting.push(Waiting::Open(opened)),
                    Err(error) => drop(opened.send(Err(error))),
                },
                Command::StreamStarted { stream, filter_id } => self.adopt(stream, filter_id),
                Command::StreamEnded { stream } => self.orphan(stream),
                Command::Tick => self.close_lost(),
            }
        }
        let dirty: Vec<SessionId> = self.dirty().collect();
        for id in &dirty {
            if let Some(live) = self.live.get(id) {
                batch.sessions.push(SessionWrite {
                    row: live.row.clone(),
                    reindex: live.reindex,
                });
            }
        }
        if failed.is_none() && !(batch.sessions.is_empty() && batch.chunks.is_empty()) {
            failed = self.store.write(batch).await.err();
        }
        match &failed {
            None => self.settle(&dirty),
            Some(error) => {
                let error = crate::telemetry::chain(error);
                tracing::error!(error, "events could not be stored; none is acknowledged");
                // What the store has is the truth: it is read again when it is needed.
                for id in dirty {
                    self.live.remove(&id);
                }
            }
        }
        answer(waiting, failed.is_some());
    }

    fn dirty(&self) -> impl Iterator<Item = SessionId> {
        let dirty = self.live.iter().filter(|(_, live)| live.dirty);
        dirty.map(|(id, _)| *id)
    }

    /// The group is on disk.
    fn settle(&mut self, dirty: &[SessionId]) {
        for id in dirty {
            let Some(live) = self.live.get_mut(id) else {
                continue;
            };
            let closed = live.reindex && !live.is_open();
            let lost = live.row.session.close_reason == FILTER_LOST;
            live.dirty = false;
            live.reindex = false;
            if closed {
                self.live.remove(id);
                let _ = self.news.send(News::Closed { session: *id, lost });
            }
        }
        if !dirty.is_empty() {
            self.written
                .send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    async fn append(
        &mut self,
        stream: u64,
        events: Vec<Event>,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let mut chunks = Chunks::default();
        let filter_id = self.streams.get(&stream).cloned();
        let now = self.clock.now_us();
        for mut event in events {
            let Ok(id) = event.session_id.parse() else {
                continue;
            };
            self.fetch(id).await?;
            let new = || Live::new(event.session_id.clone(), event.time_us, now);
            let live = self.live.entry(id).or_insert_with(new);
            live.stream = filter_id.is_some().then_some(stream);
            live.orphaned_us = now;
            if let Some(filter_id) = &filter_id
                && live.row.filter_id != *filter_id
            {
                live.row.filter_id.clone_from(filter_id);
            }
            // Found in a store, a digest of so short a secret would be as good as the secret.
            if let Some(Kind::LoggedIn(login)) = &mut event.kind {
                let _ = self.news.send(News::Keyed {
                    session: id,
                    resource: live.row.session.resource.clone(),
                    key: std::mem::take(&mut login.cancel_key_sha256),
                });
            }
            if let Some(Kind::Operated(operated)) = &mut event.kind {
                complete(operated);
            }
            if live.take(&event) {
                chunks.push(id, &event);
            }
        }
        chunks.into_batch(batch);
        Ok(())
    }

    async fn open(&mut self, session: Session) -> Result<(), Error> {
        let id: SessionId = session
            .id
            .parse()
            .map_err(|error: crate::store::InvalidSessionId| Error::Invalid(error.to_string()))?;
        let now = self.clock.now_us();
        self.fetch(id).await?;
        let new = || Live::new(session.id.clone(), now, now);
        let live = self.live.entry(id).or_insert_with(new);
        if live.row.verified || !live.is_open() {
            return Err(Error::Exists("the session was opened before".to_owned()));
        }
        let known = std::mem::take(&mut live.row.session);
        live.row.session = Session {
            opened_us: known.opened_us,
            operations: known.operations,
            denied: known.denied,
            held: known.held,
            masked: known.masked,
            events: known.events,
            ..session
        };
        live.row.verified = true;
        live.dirty = true;
        Ok(())
    }

    /// Brings a session that the store knows into memory.
    async fn fetch(&mut self, id: SessionId) -> Result<(), StoreError> {
        if !self.live.contains_key(&id)
            && let Some(row) = self.store.session(id).await?
        {
            let now = self.clock.now_us();
            self.live.insert(id, Live::stored(row, now));
        }
        Ok(())
    }

    /// A filter is back: the sessions it had go on.
    fn adopt(&mut self, stream: u64, filter_id: String) {
        if !filter_id.is_empty() {
            for live in self.live.values_mut() {
                if live.stream.is_none() && live.row.filter_id == filter_id {
                    live.stream = Some(stream);
                }
            }
        }
        self.streams.insert(stream, filter_id);
    }

    fn orphan(&mut self, stream: u64) {
        self.streams.remove(&stream);
        let now = self.clock.now_us();
        for live in self.live.values_mut() {
            if live.stream == Some(stream) {
                live.stream = None;
                live.orphaned_us = now;
            }
        }
    }

    /// Closes what no filter has spoken for, and forgets closed sessions that were only looked at.
    fn close_lost(&mut self) {
        let now = self.clock.now_us();
        self.live.retain(|_, live| live.is_open() || live.dirty);
        for live in self.live.values_mut() {
            let lost = now.saturating_sub(live.orphaned_us) >= LOST_AFTER_US;
            if live.stream.is_none() && lost {
                tracing::warn!(session = %live.row.session.id, "closed: its filter is gone");
                live.close(now, FILTER_LOST);
            }
        }
    }
}

/// Puts in what a filter leaves to the control plane.
fn complete(operated: &mut Operated) {
    let whole = u64::try_from(operated.statement.len()) == Ok(operated.statement_size);
    if whole && operated.statement_sha256.is_empty() {
        operated.statement_sha256 = Sha256::digest(&operated.statement).to_vec();
    }
}

fn answer(waiting: Vec<Waiting>, failed: bool) {
    for waiting in waiting {
        match waiting {
            Waiting::Append(progress, batch) => progress.send_modify(|progress| {
                if failed {
                    progress.failed = true;
                } else if !progress.failed {
                    progress.durable = batch;
                }
            }),
            Waiting::Open(opened) => {
                let answer = match failed {
                    true => Err(Error::Unstored),
                    false => Ok(()),
                };
                let _ = opened.send(answer);
            }
        }
    }
}

/// Events of a batch, gathered by session into chunks without gaps.
#[derive(Default)]
struct Chunks {
    open: BTreeMap<SessionId, (u64, Chunk)>,
    done: Vec<Chunk>,
}

impl Chunks {
    fn push(&mut self, session: SessionId, event: &Event) {
        let fits = |(next, chunk): &(u64, Chunk)| *next == event.seq && chunk.events.len() < CHUNK;
        if !self.open.get(&session).is_some_and(fits) {
            let chunk = Chunk {
                session,
                first_seq: event.seq,
                events: Vec::new(),
            };
            let full = self.open.insert(session, (event.seq, chunk));
            self.done.extend(full.map(|(_, chunk)| chunk));
        }
        if let Some((next, chunk)) = self.open.get_mut(&session) {
            *next = event.seq.saturating_add(1);
            let room = event.encoded_len() + 10;
            chunk.events.reserve(room);
            // A vector grows as needed: encoding into it cannot fail.
            let _ = event.encode_length_delimited(&mut chunk.events);
        }
    }

    fn into_batch(self, batch: &mut Batch) {
        batch.chunks.extend(self.done);
        batch
            .chunks
            .extend(self.open.into_values().map(|(_, chunk)| chunk));
    }
}
