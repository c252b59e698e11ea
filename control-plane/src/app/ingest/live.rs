//! One session while events of it come: what is new, what is missing, what it counts.

use ostiary_proto::Session;
use ostiary_record::{ApprovalState, Event, Verdict, event::Kind};

use crate::store::{Gap, SessionRow};

/// Gaps kept of one session; what is missing beyond them is lost for good.
const MAX_GAPS: usize = 64;
/// How a session is closed whose filter went away.
pub(super) const FILTER_LOST: &str = "filter lost";

/// A session that the writer has in memory.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) row: SessionRow,
    /// The stream its events come on.
    pub(super) stream: Option<u64>,
    /// Since when it has none.
    pub(super) orphaned_us: u64,
    /// Not as the store has it.
    pub(super) dirty: bool,
    /// New, closed or opened again since it was written.
    pub(super) reindex: bool,
}

impl Live {
    pub(super) fn stored(row: SessionRow, now_us: u64) -> Self {
        Self {
            row,
            stream: None,
            orphaned_us: now_us,
            dirty: false,
            reindex: false,
        }
    }

    /// A session nobody has heard of yet.
    pub(super) fn new(id: String, opened_us: u64, now_us: u64) -> Self {
        let session = Session {
            id,
            opened_us,
            ..Session::default()
        };
        let row = SessionRow {
            session,
            next_seq: 1,
            ..SessionRow::default()
        };
        Self {
            dirty: true,
            reindex: true,
            ..Self::stored(row, now_us)
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.row.session.closed_us == 0
    }

    /// Takes note of an event; false if it is here already.
    pub(super) fn take(&mut self, event: &Event) -> bool {
        if !self.is_new(event.seq) {
            return false;
        }
        self.dirty = true;
        let lost = self.row.session.close_reason == FILTER_LOST;
        if lost && !self.is_open() {
            self.close(0, "");
        }
        self.row.session.events = self.row.session.events.saturating_add(1);
        if let Some(kind) = &event.kind {
            self.count(kind, event.time_us);
        }
        true
    }

    pub(super) fn close(&mut self, at_us: u64, reason: &str) {
        self.row.session.closed_us = at_us;
        self.row.session.close_reason = reason.to_owned();
        self.dirty = true;
        self.reindex = true;
    }

    fn is_new(&mut self, seq: u64) -> bool {
        let next = self.row.next_seq;
        if seq < next {
            return self.fills_gap(seq);
        }
        if seq > next {
            tracing::warn!(session = %self.row.session.id, from = next, to = seq, "events are missing");
            if self.row.gaps.len() < MAX_GAPS {
                self.row.gaps.push(Gap {
                    from: next,
                    to: seq,
                });
            }
        }
        self.row.next_seq = seq.saturating_add(1);
        true
    }

    fn fills_gap(&mut self, seq: u64) -> bool {
        let gaps = &mut self.row.gaps;
        let Some(at) = gaps
            .iter()
            .position(|gap| (gap.from..gap.to).contains(&seq))
        else {
            return false;
        };
        let gap = gaps.remove(at);
        let before = Gap {
            from: gap.from,
            to: seq,
        };
        let after = Gap {
            from: seq.saturating_add(1),
            to: gap.to,
        };
        let left = [before, after].into_iter().filter(|gap| gap.from < gap.to);
        gaps.splice(at..at, left);
        true
    }

    fn count(&mut self, kind: &Kind, time_us: u64) {
        let verified = self.row.verified;
        let session = &mut self.row.session;
        let more = |count: &mut u64, by: u64| *count = count.saturating_add(by);
        match kind {
            // What the login verified is not overwritten by what the connection asked for.
            Kind::ConnectionOpened(opened) if !verified => {
                session.resource.clone_from(&opened.resource);
                session.peer.clone_from(&opened.peer);
                session.database.clone_from(&opened.database);
                session.role.clone_from(&opened.requested_role);
                session
                    .application_name
                    .clone_from(&opened.application_name);
            }
            Kind::LoggedIn(login) if !verified => {
                session.issuer.clone_from(&login.issuer);
                session.subject.clone_from(&login.subject);
                session.groups.clone_from(&login.groups);
                session.on_behalf_of.clone_from(&login.on_behalf_of);
                session.role.clone_from(&login.role);
            }
            Kind::Operated(operated) => {
                more(&mut session.operations, 1);
                match operated.verdict() {
                    Verdict::Deny if !operated.observed => more(&mut session.denied, 1),
                    Verdict::Approve if !operated.observed => more(&mut session.held, 1),
                    _ => {}
                }
            }
            Kind::ApprovalResolved(resolved) if resolved.state() != ApprovalState::Approved => {
                more(&mut session.denied, 1);
            }
            Kind::Replied(replied) => more(&mut session.masked, replied.masked),
            Kind::Closed(closed) => self.close(time_us.max(1), &closed.reason),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use ostiary_record::{Closed, Operated};

    use super::*;

    fn event(seq: u64) -> Event {
        Event {
            seq,
            time_us: seq,
            ..Event::default()
        }
    }

    fn of_kind(seq: u64, kind: Kind) -> Event {
        Event {
            kind: Some(kind),
            ..event(seq)
        }
    }

    fn gaps(live: &Live) -> Vec<(u64, u64)> {
        let pair = |gap: &Gap| (gap.from, gap.to);
        live.row.gaps.iter().map(pair).collect()
    }

    #[test]
    fn drops_what_was_sent_before_and_fills_gaps_once() {
        let mut live = Live::new(String::new(), 1, 1);
        let take = |live: &mut Live, seqs: &[u64]| -> Vec<bool> {
            seqs.iter().map(|seq| live.take(&event(*seq))).collect()
        };
        assert_eq!(take(&mut live, &[1, 2, 2, 1]), [true, true, false, false]);
        assert_eq!(take(&mut live, &[7]), [true]);
        assert_eq!(gaps(&live), [(3, 7)]);
        assert_eq!(take(&mut live, &[5, 5]), [true, false]);
        assert_eq!(gaps(&live), [(3, 5), (6, 7)]);
        assert_eq!(take(&mut live, &[3, 4, 6, 8]), [true; 4]);
        assert_eq!(gaps(&live), []);
        assert_eq!(live.row.session.events, 8);
    }

    #[test]
    fn a_flood_of_gaps_stays_bounded_and_loses_nothing_that_came() {
        let mut live = Live::new(String::new(), 1, 1);
        for seq in 1..=200 {
            assert!(live.take(&event(seq * 2)));
        }
        assert_eq!(live.row.gaps.len(), MAX_GAPS);
        assert!(!live.take(&event(399)));
        assert!(!live.take(&event(u64::MAX - 1)) || live.row.next_seq == u64::MAX);
    }

    #[test]
    fn counts_verdicts_and_comes_back_only_from_a_lost_filter() {
        let operated = |verdict: Verdict, observed| {
            Kind::Operated(Operated {
                verdict: verdict.into(),
                observed,
                ..Operated::default()
            })
        };
        let closed = |reason: &str| {
            Kind::Closed(Closed {
                reason: reason.to_owned(),
                ..Closed::default()
            })
        };
        let mut live = Live::new(String::new(), 1, 1);
        live.take(&of_kind(1, operated(Verdict::Deny, false)));
        live.take(&of_kind(2, operated(Verdict::Deny, true)));
        live.take(&of_kind(3, operated(Verdict::Approve, false)));
        let session = &live.row.session;
        assert_eq!(
            (session.operations, session.denied, session.held),
            (3, 1, 1)
        );
        live.close(9, FILTER_LOST);
        live.take(&event(4));
        assert!(live.is_open());
        live.take(&of_kind(5, closed("client")));
        live.take(&event(6));
        assert!(!live.is_open());
        assert_eq!(live.row.session.close_reason, "client");
    }
}
