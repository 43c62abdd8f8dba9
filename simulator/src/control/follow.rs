//! Following a journal as it is written, by server-sent events.

use std::convert::Infallible;

use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream};
use klarna_schemas::simulator::control::JournalQuery;
use klarna_schemas::simulator::journal::StreamEnd;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::journal::{Source, patience};
use super::problem::Problem;
use crate::journal::{Filter, Kept, Reading};

/// What a reader that follows a journal sends to read on behind what it has.
const LAST_EVENT_ID: &str = "last-event-id";

/// Sends every entry that matches as it is written down: until the reader goes or the sandbox does, until
/// `min` have been sent, or until `wait_ms` have passed. A stream that ends by one of the last two says so.
pub(super) fn follow(
    source: Source,
    headers: &HeaderMap,
    query: JournalQuery,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>, Problem> {
    let deadline = query.wait_ms.map(|_| patience(&query)).transpose()?.map(|wait| Instant::now() + wait);
    if query.min == Some(0) {
        let hint = "leave it out to follow without an end, or give wait_ms";
        return Err(Problem::bad_request("min: a stream that ends before its first entry", hint));
    }
    let resumed = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()?.parse().ok());
    let mut query = query;
    query.after = resumed.or(query.after);
    let filter = Filter::new(&query)?;
    let (changes, after) = (source.changes(), query.after.unwrap_or(0));
    let waiting = Vec::new().into_iter();
    let reader = Reader {
        source,
        filter,
        after,
        changes,
        waiting,
        dropped: None,
        seen: 0,
        deadline,
        query,
        is_late: false,
        ended: false,
    };
    Ok(Sse::new(stream::unfold(reader, Reader::next)).keep_alive(KeepAlive::default()))
}

/// Who follows a journal.
struct Reader {
    source: Source,
    filter: Filter,
    /// The newest entry that it has looked at.
    after: u64,
    changes: watch::Receiver<u64>,
    /// What was read and not sent yet.
    waiting: std::vec::IntoIter<Kept>,
    /// How many entries had been pushed out at the last look.
    dropped: Option<u64>,
    /// How many entries were sent.
    seen: usize,
    /// When it ends at the latest.
    deadline: Option<Instant>,
    /// What was asked for.
    query: JournalQuery,
    /// Whether the time was up already at the last look: there is no other.
    is_late: bool,
    /// Whether the last event was sent.
    ended: bool,
}

impl Reader {
    /// Entries are read only as fast as the reader takes them: the journal is its buffer.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if self.ended {
                return None;
            }
            if self.query.min.is_some_and(|enough| self.seen >= enough) {
                return Some(self.end(false));
            }
            if let Some(entry) = self.waiting.next().map(|kept| kept.entry()) {
                let event = Event::default().id(entry.seq.to_string()).json_data(&entry).unwrap_or_default();
                self.seen += 1;
                return Some((Ok(event), self));
            }
            if self.is_late {
                return Some(self.end(true));
            }
            self.is_late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if let Some(lost) = self.look() {
                let lost = serde_json::json!({ "dropped": lost });
                let event = Event::default().event("dropped").json_data(lost).unwrap_or_default();
                return Some((Ok(event), self));
            }
            if self.waiting.len() > 0 {
                continue;
            }
            if self.source.is_over() {
                return None;
            }
            let changed = match self.deadline {
                None => Ok(self.changes.changed().await),
                Some(deadline) => timeout_at(deadline, self.changes.changed()).await,
            };
            match changed {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return Some(self.end(true)),
            }
        }
    }

    /// Looks at what has come since the last look; how many entries had made room before they could be read.
    fn look(&mut self) -> Option<u64> {
        self.changes.mark_unchanged();
        let (newer, last_seq, dropped) =
            self.source.take(|journal| (journal.since(self.after), journal.last_seq(), journal.dropped()));
        self.after = self.after.max(last_seq);
        self.filter.resolve(|name| self.source.payment_named(name));
        self.waiting = self.filter.of(newer).into_iter();
        let before = self.dropped.replace(dropped)?;
        (dropped > before).then(|| dropped - before)
    }

    /// The last event: how it ended and, where fewer came than were waited for, what came near.
    fn end(mut self, timed_out: bool) -> (Result<Event, Infallible>, Self) {
        self.ended = true;
        let mut end = StreamEnd { seen: self.seen, timed_out, near: Vec::new() };
        if self.query.min.is_some_and(|enough| self.seen < enough)
            && let Ok(filter) = Filter::new(&self.query)
        {
            let (after, enough) = (self.query.after.unwrap_or(0), self.query.min.unwrap_or(0));
            end.near = self.source.last_page(&mut Reading::new(filter), after, enough).near;
        }
        (Ok(Event::default().event("end").json_data(&end).unwrap_or_default()), self)
    }
}
