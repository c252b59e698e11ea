//! Events of one session, in order; statements of all, by what they say.

use std::sync::Arc;

use ostiary_proto::Session;
use ostiary_record::{Event, Verdict, event::Kind};
use prost::Message as _;
use tokio::sync::mpsc;

use super::{DEFAULT_LIMIT, Error, MAX_LIMIT, Sessions, place};
use crate::store::{Chunk, SessionId, SessionRow, StoreError};

/// Bytes read from the store at once.
const READ: usize = 256 << 10;
/// What a reader of a live session is behind at most, beside the writing itself.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// Which statements to find. Empty fields and zeros ask for nothing in particular.
#[derive(Clone, Debug, Default)]
pub struct SearchQuery {
    /// Text inside the statement, whatever its case.
    pub text: String,
    /// Of this resource.
    pub resource: String,
    /// Of this subject.
    pub subject: String,
    /// Of this verb.
    pub verb: String,
    /// With this verdict.
    pub verdict: Option<Verdict>,
    /// At or after, microseconds since the Unix epoch.
    pub since_us: u64,
    /// At or before.
    pub until_us: u64,
    /// At most so many; 0 for 100, never more than 1000.
    pub limit: usize,
}

/// A statement that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where.
    pub session: Session,
    /// The `operated` event.
    pub event: Event,
}

impl Sessions {
    /// Sends the events of a session from `from_seq` on; with `follow`, also those to come until
    /// the session closes. Ends when nobody listens.
    pub async fn events(
        self: Arc<Self>,
        row: SessionRow,
        from_seq: u64,
        follow: bool,
        to: mpsc::Sender<Result<Event, Error>>,
    ) {
        if let Err(error) = self.send_events(&row, from_seq, follow, &to).await {
            let _ = to.send(Err(error)).await;
        }
    }

    async fn send_events(
        &self,
        row: &SessionRow,
        from_seq: u64,
        follow: bool,
        to: &mpsc::Sender<Result<Event, Error>>,
    ) -> Result<(), Error> {
        let (_, id) = place(row)?;
        let mut written = self.ingest.written();
        let mut next = from_seq.max(1);
        loop {
            written.borrow_and_update();
            // Looked up before the events are read: what was written before it closed is then seen.
            let open = match follow {
                true => self.is_open(id).await?,
                false => false,
            };
            loop {
                let chunks = self.store.chunks(id, next, READ).await?;
                let before = next;
                for event in decode_all(&chunks)? {
                    if event.seq >= next {
                        next = event.seq.saturating_add(1);
                        if to.send(Ok(event)).await.is_err() {
                            return Ok(());
                        }
                    }
                }
                if next == before {
                    break;
                }
            }
            if !open {
                return Ok(());
            }
            tokio::select! {
                changed = written.changed() => if changed.is_err() { return Ok(()) },
                () = to.closed() => return Ok(()),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn is_open(&self, id: SessionId) -> Result<bool, Error> {
        let row = self.store.session(id).await?;
        Ok(row.is_some_and(|row| row.session.closed_us == 0))
    }

    /// Sends statements that fit, newest session first. Ends when nobody listens.
    pub async fn search(
        self: Arc<Self>,
        query: SearchQuery,
        to: mpsc::Sender<Result<Found, Error>>,
    ) {
        if let Err(error) = self.send_found(&query, &to).await {
            let _ = to.send(Err(error)).await;
        }
    }

    async fn send_found(
        &self,
        query: &SearchQuery,
        to: &mpsc::Sender<Result<Found, Error>>,
    ) -> Result<(), Error> {
        let text = query.text.to_lowercase();
        let mut left = match query.limit {
            0 => DEFAULT_LIMIT,
            limit => limit.min(MAX_LIMIT),
        };
        let mut after = None;
        loop {
            let page = self.store.sessions(after, DEFAULT_LIMIT).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(place(last)?);
            for row in page.iter().filter(|row| query.concerns(&row.session)) {
                let (_, id) = place(row)?;
                let mut next = 1;
                loop {
                    let chunks = self.store.chunks(id, next, READ).await?;
                    let before = next;
                    for event in decode_all(&chunks)? {
                        if event.seq < next {
                            continue;
                        }
                        next = event.seq.saturating_add(1);
                        if !query.finds(&event, &text) {
                            continue;
                        }
                        let session = row.session.clone();
                        if to.send(Ok(Found { session, event })).await.is_err() {
                            return Ok(());
                        }
                        left = left.saturating_sub(1);
                        if left == 0 {
                            return Ok(());
                        }
                    }
                    if next == before || to.is_closed() {
                        break;
                    }
                }
            }
        }
    }
}

impl SearchQuery {
    fn concerns(&self, session: &Session) -> bool {
        let over = session.closed_us != 0 && session.closed_us < self.since_us;
        (self.resource.is_empty() || session.resource == self.resource)
            && (self.subject.is_empty() || session.subject == self.subject)
            && !over
            && (self.until_us == 0 || session.opened_us <= self.until_us)
    }

    fn finds(&self, event: &Event, lower_text: &str) -> bool {
        let Some(Kind::Operated(operated)) = &event.kind else {
            return false;
        };
        (self.verb.is_empty() || operated.verb == self.verb)
            && self
                .verdict
                .is_none_or(|verdict| operated.verdict() == verdict)
            && event.time_us >= self.since_us
            && (self.until_us == 0 || event.time_us <= self.until_us)
            && (lower_text.is_empty() || operated.statement.to_lowercase().contains(lower_text))
    }
}

fn decode_all(chunks: &[Chunk]) -> Result<Vec<Event>, StoreError> {
    let mut events = Vec::new();
    for chunk in chunks {
        let mut bytes = chunk.events.as_slice();
        while !bytes.is_empty() {
            let event = Event::decode_length_delimited(&mut bytes);
            events.push(event.map_err(|_| StoreError::Corrupt("event"))?);
        }
    }
    Ok(events)
}
