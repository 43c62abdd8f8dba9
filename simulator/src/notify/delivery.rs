//! Deliveries: one attempt after another, on the sandbox's clock (contract
//! `webhooks-and-network-data.md` A.5).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use klarna_schemas::klarna::webhook::{WebhookEnvelope, WebhookMetadata};
use klarna_schemas::signature;
use klarna_schemas::simulator::journal::{Direction, Ending};
use tokio::sync::watch;

use super::Subscription;
use crate::clock::real_now;
use crate::engine::EventDraft;
use crate::journal::{Exchange, HeaderPairs, redacted};
use crate::world::SandboxCell;

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

/// An event on its way to one webhook: the same bytes at each attempt.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    event_type: String,
    payment: String,
    epoch: u64,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

impl Letter {
    /// Addresses, renders and signs an event.
    pub(crate) fn new(
        draft: &EventDraft,
        account: &klarna_schemas::ids::PartnerAccountId,
        to: &Subscription,
    ) -> Self {
        let envelope = WebhookEnvelope {
            metadata: WebhookMetadata {
                event_id: draft.event_id.clone(),
                event_type: draft.event_type.clone(),
                event_version: to.webhook.event_version.clone(),
                occurred_at: draft.occurred_at,
                correlation_id: None,
                subject_account_id: account.clone(),
                recipient_account_id: draft.recipient.clone(),
                product_instance_id: None,
                webhook_id: to.webhook.webhook_id.clone(),
                live: false,
            },
            payload: draft.payload.clone(),
        };
        // Strings, numbers and options only: this never fails, and an empty body would show at once.
        let body = Bytes::from(serde_json::to_vec(&envelope).unwrap_or_default());
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            (signature::SIGNATURE_HEADER, signature::sign(&to.secret, &body)),
            (signature::SIGNING_KEY_ID_HEADER, to.webhook.signing_key_id.0.clone()),
        ];
        Self {
            event_type: draft.event_type.clone(),
            payment: draft.payment.clone(),
            epoch: draft.epoch,
            url: to.webhook.url.clone(),
            headers,
            body,
        }
    }
}

/// Which deliveries of a sandbox are under way, and which wait for their next attempt.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    state: Mutex<InFlight>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct InFlight {
    active: usize,
    waiting: BTreeMap<Timestamp, usize>,
    /// The sandbox is gone, and its deliveries with it.
    closed: bool,
}

impl Deliveries {
    /// When the next attempt falls due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.lock().waiting.keys().next().copied()
    }

    /// Returns when no attempt is under way and none that was due by `now` still waits.
    pub(crate) async fn settled(&self, now: Timestamp) {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let busy = {
                let state = self.lock();
                let waits = state.waiting.keys().next().is_some_and(|due| *due <= now);
                !state.closed && (state.active > 0 || waits)
            };
            if !busy {
                return;
            }
            let _changed = changed.changed().await;
        }
    }

    /// Nothing is delivered any more: whoever waits for it may go.
    pub(crate) fn close(&self) {
        self.change(|state| {
            state.closed = true;
            state.waiting.clear();
        });
    }

    /// Counts an attempt that is about to begin.
    pub(crate) fn begin(&self) {
        self.change(|state| state.active += 1);
    }

    fn wait(&self, due: Timestamp) {
        self.change(|state| {
            state.active -= 1;
            *state.waiting.entry(due).or_default() += 1;
        });
    }

    fn wake(&self, due: Timestamp) {
        self.change(|state| {
            if let Some(count) = state.waiting.get_mut(&due) {
                *count -= 1;
                if *count == 0 {
                    state.waiting.remove(&due);
                }
            }
            state.active += 1;
        });
    }

    /// Counts one that has ended.
    pub(crate) fn finish(&self) {
        self.change(|state| state.active -= 1);
    }

    fn change(&self, change: impl FnOnce(&mut InFlight)) {
        change(&mut self.lock());
        self.changed.send_modify(|version| *version += 1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, InFlight> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Courier {
    /// Delivers a letter: tries, and tries again on the schedule until it is taken. The caller has
    /// counted it by [`Deliveries::begin`].
    pub(crate) async fn deliver(self, cell: Arc<SandboxCell>, letter: Letter) {
        let mut delays = self.retry_after.iter();
        loop {
            let (taken, ended_at) = self.attempt(&cell, &letter).await;
            let next = (!taken).then(|| delays.next()).flatten();
            let due = next.and_then(|delay| ended_at.checked_add(*delay).ok());
            let Some(due) = due else {
                if !taken {
                    tracing::warn!(event = letter.event_type, "dropped after the last attempt");
                }
                cell.deliveries().finish();
                return;
            };
            cell.deliveries().wait(due);
            cell.clock().reached(due).await;
            cell.deliveries().wake(due);
        }
    }

    /// One attempt, written down. Whether the event was taken, and the sandbox's time at its end.
    async fn attempt(&self, cell: &SandboxCell, letter: &Letter) -> (bool, Timestamp) {
        let (started_at, virtual_at) = (real_now(), cell.clock().now());
        let mut request = self.http.post(&letter.url).timeout(self.timeout).body(letter.body.clone());
        for (name, value) in &letter.headers {
            request = request.header(*name, value);
        }
        let (ended, response) = match request.send().await {
            Ok(response) => self.read(response).await,
            Err(error) if error.is_timeout() => (Ending::TimedOut, None),
            Err(_) => (Ending::Broken, None),
        };
        // Before anybody can read of it: whoever does may move the clock at once.
        let ended_at = cell.clock().now();
        let status = response.as_ref().map(|(status, _, _)| *status);
        let request_headers =
            letter.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        cell.record_delivery(Exchange {
            epoch: letter.epoch,
            payment: Some(letter.payment.clone()),
            direction: Direction::Outbound,
            operation: format!("event:{}", letter.event_type),
            started_at,
            virtual_at,
            method: "POST".to_owned(),
            target: letter.url.clone(),
            request_headers,
            request_body: letter.body.clone(),
            response,
            ended,
            rule: None,
            fault: None,
        });
        (ended == Ending::Answered && status.is_some_and(is_taken), ended_at)
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
