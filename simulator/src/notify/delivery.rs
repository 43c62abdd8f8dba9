//! Deliveries: one attempt after another, on the sandbox's clock (contract
//! `webhooks-and-network-data.md` A.5).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use klarna_schemas::simulator::journal::Ending;
use tokio::sync::{oneshot, watch};

use super::Letter;
use crate::clock::real_now;
use crate::journal::{Exchange, HeaderPairs, Sent, redacted};
use crate::world::{AccountCell, SandboxCell};

/// Whether an answer takes an event: these four statuses and no other.
pub(crate) fn is_taken(status: u16) -> bool {
    matches!(status, 200 | 201 | 202 | 204)
}

/// How deliveries are made.
#[derive(Debug, Clone)]
pub(crate) struct Courier {
    pub(crate) http: reqwest::Client,
    /// Delay before each further attempt, after the one before it, on the sandbox's clock.
    pub(crate) retry_after: Arc<[SignedDuration]>,
    /// How long an answer may take, in real time.
    pub(crate) timeout: Duration,
    /// How much of an answer is read.
    pub(crate) answer_bytes: usize,
}

/// Which deliveries of a sandbox are under way, and which wait for their next attempt.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    state: Mutex<InFlight>,
    changed: watch::Sender<u64>,
}

/// When a delivery has begun, as moves of the clock count it: one waits for what has begun before it, and
/// for what falls due by it, and not for what callers set going meanwhile, of which there may be no end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Era(u64);

/// What sets a delivery going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Somebody did something.
    Act,
    /// Its time has come: the moves under way have brought it about, whoever noticed first.
    Time,
}

#[derive(Debug, Default)]
struct InFlight {
    /// What is set going now begins in this era. A move of the clock ends it.
    era: Era,
    /// The eras that ended with the moves under way.
    moves: Vec<Era>,
    active: BTreeMap<Era, usize>,
    waiting: BTreeMap<(Timestamp, Era), usize>,
    /// The sandbox is gone, and its deliveries with it.
    closed: bool,
}

/// A move of the clock, from its first step to its last.
#[derive(Debug)]
pub(crate) struct ClockMove {
    deliveries: Arc<Deliveries>,
    era: Era,
}

impl ClockMove {
    /// Begins one: what is set going from now on does not hold it up.
    pub(crate) fn begin(deliveries: Arc<Deliveries>) -> Self {
        let mut state = deliveries.lock();
        let era = state.era;
        state.era = Era(era.0 + 1);
        state.moves.push(era);
        drop(state);
        Self { deliveries, era }
    }

    /// When the next attempt falls due that it waits for.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let state = self.deliveries.lock();
        // What was on its way when the sandbox was reset may still say that it waits, and never wakes.
        let mut waiting = state.waiting.keys().filter(|(_, begun)| !state.closed && *begun <= self.era);
        waiting.next().map(|(due, _)| *due)
    }

    /// Returns when no attempt that it waits for is under way, and none that was due by `now` still
    /// waits.
    pub(crate) async fn settled(&self, now: Timestamp) {
        let mut changed = self.deliveries.changed.subscribe();
        // The sender lives as long as `self`.
        let _settled = changed.wait_for(|_| !self.deliveries.lock().holds_up(self.era, now)).await;
    }
}

impl Drop for ClockMove {
    fn drop(&mut self) {
        let mut state = self.deliveries.lock();
        if let Some(position) = state.moves.iter().position(|era| *era == self.era) {
            state.moves.swap_remove(position);
        }
    }
}

impl InFlight {
    /// Whether something of this era or an earlier one is under way, or is late at `now`.
    fn holds_up(&self, era: Era, now: Timestamp) -> bool {
        let active = self.active.keys().next().is_some_and(|begun| *begun <= era);
        let late = || self.waiting.keys().take_while(|(due, _)| *due <= now).any(|(_, begun)| *begun <= era);
        !self.closed && (active || late())
    }
}

impl Deliveries {
    /// Returns when nothing is delivered any more.
    async fn closed(&self) {
        let mut changed = self.changed.subscribe();
        // The sender lives as long as `self`.
        let _closed = changed.wait_for(|_| self.lock().closed).await;
    }

    /// Nothing is delivered any more: whoever waits for it may go.
    pub(crate) fn close(&self) {
        self.change(|state| {
            state.closed = true;
            state.waiting.clear();
        });
    }

    /// Counts an attempt that is about to begin, and says in which era.
    pub(crate) fn begin(&self, cause: Cause) -> Era {
        self.change(|state| {
            let moved = state.moves.iter().min().filter(|_| cause == Cause::Time);
            let era = moved.copied().unwrap_or(state.era);
            add(&mut state.active, era);
            era
        })
    }

    /// Counts an attempt that follows from one of this era.
    pub(crate) fn begin_in(&self, era: Era) {
        self.change(|state| add(&mut state.active, era));
    }

    /// Lets one wait for its time. Whether that came: what was there before a reset never leaves after it.
    async fn reached(&self, cell: &SandboxCell, era: Era, due: Timestamp) -> bool {
        self.wait(era, due);
        tokio::select! {
            () = cell.clock().reached(due) => {
                self.wake(era, due);
                true
            }
            () = self.closed() => false,
        }
    }

    fn wait(&self, era: Era, due: Timestamp) {
        self.change(|state| {
            take(&mut state.active, era);
            add(&mut state.waiting, (due, era));
        });
    }

    fn wake(&self, era: Era, due: Timestamp) {
        self.change(|state| {
            take(&mut state.waiting, (due, era));
            add(&mut state.active, era);
        });
    }

    /// Counts one that has ended.
    pub(crate) fn finish(&self, era: Era) {
        self.change(|state| take(&mut state.active, era));
    }

    fn change<T>(&self, change: impl FnOnce(&mut InFlight) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.send_modify(|version| *version += 1);
        changed
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, InFlight> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    *counts.entry(key).or_default() += 1;
}

/// Takes one away; a key without any is gone.
fn take<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}

/// Waits until a letter may leave. Whether it still may: its sandbox can be gone by then.
async fn waited(cell: &SandboxCell, deliveries: &Deliveries, era: Era, letter: &Letter) -> bool {
    if let Some(due) = letter.due()
        && !deliveries.reached(cell, era, due).await
    {
        return false;
    }
    if let Some(start) = &letter.start {
        start.wait().await;
    }
    true
}

impl Courier {
    /// One attempt and no more. The caller has counted it in `era`.
    pub(crate) async fn deliver_once(
        self,
        cell: Arc<SandboxCell>,
        deliveries: Arc<Deliveries>,
        era: Era,
        letter: Letter,
    ) {
        if !waited(&cell, &deliveries, era, &letter).await {
            return;
        }
        self.attempt(&cell, letter.first.as_deref().unwrap_or(&letter)).await;
        deliveries.finish(era);
    }

    /// Writes down that an event was never sent.
    pub(crate) fn lose(cell: &SandboxCell, letter: &Letter) {
        cell.record_delivery(Exchange {
            payment: Some(letter.payment.clone()),
            virtual_at: cell.clock().now(),
            // It is nothing that could be repeated, or that anybody could have answered.
            sent: Sent::Oddly,
            ..letter.exchange(real_now(), Ending::Broken, None)
        });
    }

    /// Delivers a letter: tries, and tries again on the schedule until it is taken. The caller has
    /// counted it in `era`, and is told of the end of the first attempt.
    pub(crate) async fn deliver(
        self,
        cell: Arc<SandboxCell>,
        deliveries: Arc<Deliveries>,
        era: Era,
        letter: Letter,
        first: oneshot::Sender<()>,
    ) {
        if !waited(&cell, &deliveries, era, &letter).await {
            return;
        }
        let mut delays = self.retry_after.iter();
        let mut first = Some(first);
        loop {
            let now = if first.is_some() { letter.first.as_deref() } else { None };
            let (taken, ended_at) = self.attempt(&cell, now.unwrap_or(&letter)).await;
            // Nobody may be waiting for it.
            let _told = first.take().map(|first| first.send(()));
            let next = (!taken).then(|| delays.next()).flatten();
            let due = next.and_then(|delay| ended_at.checked_add(*delay).ok());
            let Some(due) = due else {
                if !taken {
                    tracing::warn!(event = letter.event_type, "dropped after the last attempt");
                }
                deliveries.finish(era);
                return;
            };
            if !deliveries.reached(&cell, era, due).await {
                return;
            }
        }
    }

    /// One attempt, written down. Whether the event was taken, and the sandbox's time at its end.
    async fn attempt(&self, cell: &SandboxCell, letter: &Letter) -> (bool, Timestamp) {
        let (started_at, virtual_at) = (real_now(), cell.clock().now());
        let (ended, response) = self.send(letter).await;
        // Before anybody can read of it: whoever does may move the clock at once.
        let ended_at = cell.clock().now();
        let status = response.as_ref().map(|(status, _, _)| *status);
        let payment = Some(letter.payment.clone());
        cell.record_delivery(Exchange {
            payment,
            virtual_at,
            ..letter.exchange(started_at, ended, response)
        });
        (ended == Ending::Answered && status.is_some_and(is_taken), ended_at)
    }

    /// Delivers a sample, once. It is about no payment, so it stands in the account's own journal.
    pub(crate) async fn deliver_sample(&self, account: &AccountCell, letter: Letter) {
        let started_at = real_now();
        let (ended, response) = self.send(&letter).await;
        account.lock().judged.journal.append(letter.exchange(started_at, ended, response));
        account.tell();
    }

    async fn send(&self, letter: &Letter) -> (Ending, Option<(u16, HeaderPairs, Bytes)>) {
        let mut request = self.http.post(&letter.url).timeout(self.timeout).body(letter.body.clone());
        for (name, value) in &letter.headers {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(response) => self.read(response).await,
            Err(error) if error.is_timeout() => (Ending::TimedOut, None),
            Err(_) => (Ending::Broken, None),
        }
    }

    /// Reads an answer, as much of it as is wanted.
    async fn read(&self, mut response: reqwest::Response) -> (Ending, Option<(u16, HeaderPairs, Bytes)>) {
        let status = response.status().as_u16();
        let headers = redacted(response.headers(), "");
        let mut body = Vec::new();
        let ended = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    let room = self.answer_bytes.saturating_sub(body.len());
                    body.extend_from_slice(chunk.get(..chunk.len().min(room)).unwrap_or_default());
                    if body.len() >= self.answer_bytes {
                        break Ending::Answered;
                    }
                }
                Ok(None) => break Ending::Answered,
                Err(error) if error.is_timeout() => break Ending::TimedOut,
                Err(_) => break Ending::Broken,
            }
        };
        (ended, Some((status, headers, Bytes::from(body))))
    }
}
