//! Deliveries: one attempt after another, on the sandbox's clock (contract
//! `webhooks-and-network-data.md` A.5).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use klarna_schemas::simulator::journal::Ending;
use tokio::sync::oneshot;

use super::Letter;
use super::under_way::{Attempted, Counted, Deliveries, Era};
use crate::clock::{Stopwatch, real_now};
use crate::journal::{Exchange, HeaderPairs, Sent, Took, redacted};
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

/// How one attempt ended.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    ended: Ending,
    status: Option<u16>,
    /// The sandbox's time then.
    ended_at: Timestamp,
}

/// How a letter was received.
#[derive(Debug)]
pub(super) struct Reception {
    pub(super) ended: Ending,
    pub(super) response: Option<(u16, HeaderPairs, Bytes)>,
    /// The version of HTTP that was answered in.
    pub(super) version: Option<reqwest::Version>,
    pub(super) took: Took,
}

impl Reception {
    /// Not at all.
    fn never(ended: Ending) -> Self {
        Self { ended, response: None, version: None, took: Took::default() }
    }
}

/// An attempt as a move of the clock tells of it.
fn in_words(letter: &Letter, number: u32, ended: Ending, status: Option<u16>, gives_up: bool) -> String {
    let how = match (ended, status) {
        (Ending::Answered, Some(status)) => format!("was answered {status}"),
        (Ending::TimedOut, _) => "timed out".to_owned(),
        (Ending::Answered | Ending::Broken, _) => "broke off".to_owned(),
    };
    let end = if gives_up { ", and it was the last" } else { "" };
    format!("{} ({}): attempt {number} {how}{end}", letter.event_type, letter.payment)
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
        let Attempt { ended, status, .. } =
            self.attempt(&cell, letter.first.as_deref().unwrap_or(&letter)).await;
        let fell_due = letter.due().unwrap_or(letter.since);
        let words = in_words(&letter, 1, ended, status, false);
        deliveries.tell(era, Attempted { fell_due, event: letter.number, words });
        deliveries.finish(era);
    }

    /// Writes down that an event was never sent.
    pub(crate) fn lose(cell: &SandboxCell, letter: &Letter) {
        cell.record_delivery(Exchange {
            payment: Some(letter.payment.clone()),
            virtual_at: cell.clock().now(),
            // It is nothing that could be repeated, or that anybody could have answered.
            sent: Sent::Oddly,
            ..letter.exchange(real_now(), Reception::never(Ending::Broken))
        });
    }

    /// Delivers a letter: tries, and tries again on the schedule until it is taken. The caller has
    /// counted it in `era`, and is told of the end of the first attempt, with what counts what follows.
    pub(crate) async fn deliver(
        self,
        cell: Arc<SandboxCell>,
        deliveries: Arc<Deliveries>,
        era: Era,
        letter: Letter,
        first: oneshot::Sender<Counted>,
    ) {
        if !waited(&cell, &deliveries, era, &letter).await {
            return;
        }
        let mut delays = self.retry_after.iter();
        let mut first = Some(first);
        let mut fell_due = letter.due().unwrap_or(letter.since);
        for number in 1.. {
            let now = if first.is_some() { letter.first.as_deref() } else { None };
            let Attempt { ended, status, ended_at } = self.attempt(&cell, now.unwrap_or(&letter)).await;
            if let Some(first) = first.take() {
                // Where nobody waits for it, nothing follows, and nothing may be counted any longer.
                drop(first.send(Counted::begin_in(deliveries.clone(), era)));
            }
            let taken = ended == Ending::Answered && status.is_some_and(is_taken);
            let next = (!taken).then(|| delays.next()).flatten();
            let due = next.and_then(|delay| ended_at.checked_add(*delay).ok());
            let gives_up = !taken && due.is_none();
            let words = in_words(&letter, number, ended, status, gives_up);
            deliveries.tell(era, Attempted { fell_due, event: letter.number, words });
            let Some(due) = due else {
                if gives_up {
                    tracing::warn!(event = letter.event_type, "dropped after the last attempt");
                }
                deliveries.finish(era);
                return;
            };
            fell_due = due;
            if !deliveries.reached(&cell, era, due).await {
                return;
            }
        }
    }

    /// One attempt, written down.
    async fn attempt(&self, cell: &SandboxCell, letter: &Letter) -> Attempt {
        let (started_at, virtual_at) = (real_now(), cell.clock().now());
        let met = self.send(letter).await;
        // Before anybody can read of it: whoever does may move the clock at once.
        let ended_at = cell.clock().now();
        let (ended, status) = (met.ended, met.response.as_ref().map(|(status, _, _)| *status));
        let payment = Some(letter.payment.clone());
        cell.record_delivery(Exchange { payment, virtual_at, ..letter.exchange(started_at, met) });
        Attempt { ended, status, ended_at }
    }

    /// Delivers a sample, once. It is about no payment, so it stands in the account's own journal.
    pub(crate) async fn deliver_sample(&self, account: &AccountCell, letter: Letter) {
        let started_at = real_now();
        let met = self.send(&letter).await;
        account.lock().judged.journal.append(letter.exchange(started_at, met));
        account.tell();
    }

    async fn send(&self, letter: &Letter) -> Reception {
        let mut request = self.http.post(&letter.url).timeout(self.timeout).body(letter.body.clone());
        for (name, value) in &letter.headers {
            request = request.header(name, value);
        }
        let mut stopwatch = Stopwatch::start();
        let sent = request.send().await;
        let wait = stopwatch.lap();
        let met = match sent {
            Ok(response) => {
                let mut met = self.read(response).await;
                met.took.receive = Some(stopwatch.elapsed());
                met
            }
            Err(error) if error.is_timeout() => Reception::never(Ending::TimedOut),
            Err(_) => Reception::never(Ending::Broken),
        };
        met.took.waited(wait);
        met
    }

    /// Reads an answer, as much of it as is wanted.
    async fn read(&self, mut response: reqwest::Response) -> Reception {
        let version = Some(response.version());
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
        let response = Some((status, headers, Bytes::from(body)));
        Reception { ended, response, version, took: Took::default() }
    }
}
