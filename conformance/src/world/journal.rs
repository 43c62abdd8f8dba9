//! What reached Klarna and what Klarna sent, as the scenario's sandbox noted it.

use std::time::Duration;

use klarna_schemas::klarna::webhook::{PaymentRequestPayload, WebhookEnvelope};
use klarna_schemas::simulator::control::JournalQuery;
use klarna_schemas::simulator::journal::{Direction, JournalEntry};
use serde_json::Value;
use tokio::time::Instant;

use super::World;
use super::context::PATIENCE;
use super::failure::Failure;

/// Header that carries a session token to Klarna.
pub(super) const TOKEN_HEADER: &str = "klarna-network-session-token";

/// Header that tells a repeat from a new action.
const IDEMPOTENCY_KEY_HEADER: &str = "klarna-idempotency-key";

/// Operation of a Payment Authorize call.
pub(super) const AUTHORIZE: &str = "authorize";

/// An authorize call, found in the journal.
#[derive(Debug, Clone)]
pub struct Call {
    /// The entry.
    pub entry: JournalEntry,
}

impl Call {
    /// The session token in its header.
    pub fn token(&self) -> Option<&str> {
        self.entry.request.header(TOKEN_HEADER)
    }

    /// The idempotency key in its header.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.entry.request.header(IDEMPOTENCY_KEY_HEADER)
    }

    /// The body as JSON, if it is JSON.
    pub fn body(&self) -> Option<Value> {
        self.entry.request.json()
    }

    /// The acquirer's reference of the transaction.
    pub fn reference(&self) -> Option<String> {
        let body = self.body()?;
        let reference = body.pointer("/request_payment_transaction/payment_transaction_reference")?;
        Some(reference.as_str()?.to_owned())
    }

    /// Whether another call is this one, made again: the same key, and a body that says the same.
    pub fn repeats(&self, earlier: &Self) -> bool {
        let key = self.idempotency_key();
        key.is_some() && key == earlier.idempotency_key() && self.says_the_same(earlier)
    }

    /// Whether two calls have the same token and bodies that say the same.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let same_bytes = self.entry.request.body_base64 == other.entry.request.body_base64;
        self.token() == other.token()
            && (same_bytes || self.body().is_some_and(|body| Some(body) == other.body()))
    }

    /// Klarna's decision.
    pub fn result(&self) -> Option<String> {
        let answer = self.entry.response.as_ref()?.json()?;
        Some(answer.pointer("/payment_transaction_response/result")?.as_str()?.to_owned())
    }

    /// A text of Klarna's answer, by JSON pointer.
    pub fn answered(&self, pointer: &str) -> Option<String> {
        let answer = self.entry.response.as_ref()?.json()?;
        Some(answer.pointer(pointer)?.as_str()?.to_owned())
    }

    /// The Payment Request that Klarna made for a step-up.
    pub fn payment_request_id(&self) -> Option<String> {
        self.answered("/payment_request/payment_request_id")
    }

    /// Where Klarna wants the Customer to go for a step-up.
    pub fn payment_request_url(&self) -> Option<String> {
        self.answered("/payment_request/state_context/customer_interaction/payment_request_url")
            .or_else(|| self.answered("/payment_request/payment_request_url"))
    }
}

impl World {
    /// Number of the last exchange so far.
    pub(super) async fn journal_end(&self) -> Result<u64, Failure> {
        let entries = self.entries(JournalQuery::default()).await?;
        Ok(entries.last().map_or(0, |entry| entry.seq))
    }

    /// Matching exchanges of this scenario's epoch.
    pub(super) async fn entries(&self, query: JournalQuery) -> Result<Vec<JournalEntry>, Failure> {
        let page = self.run.control.journal(self.account(), &query).await?;
        if page.dropped > 0 {
            return Err(Failure::Broken(format!(
                "the simulator's journal has dropped {} exchanges: the scenario cannot be judged",
                page.dropped
            )));
        }
        Ok(page.entries.into_iter().filter(|entry| entry.epoch == self.seat().epoch).collect())
    }

    /// The first exchange that `accept` takes, awaited for as long as something that should come
    /// is waited for; those included that are there already. `None` when time runs out.
    pub(super) async fn await_entry(
        &self,
        query: &JournalQuery,
        accept: impl Fn(&JournalEntry) -> bool,
    ) -> Result<Option<JournalEntry>, Failure> {
        self.await_entry_for(query, accept, PATIENCE).await
    }

    pub(super) async fn await_entry_for(
        &self,
        query: &JournalQuery,
        accept: impl Fn(&JournalEntry) -> bool,
        patience: Duration,
    ) -> Result<Option<JournalEntry>, Failure> {
        let deadline = Instant::now() + patience;
        let mut after = query.after.unwrap_or(0);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let wait_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
            let asked =
                JournalQuery { after: Some(after), min: Some(1), wait_ms: Some(wait_ms), ..query.clone() };
            let found = self.entries(asked).await?;
            if let Some(entry) = found.iter().find(|entry| accept(entry)) {
                return Ok(Some(entry.clone()));
            }
            after = found.last().map_or(after, |entry| entry.seq.max(after));
            if left.is_zero() {
                return Ok(None);
            }
        }
    }

    /// All authorize calls of a payment so far, by its name at the simulator.
    pub(super) async fn calls(&self, payment: &str) -> Result<Vec<Call>, Failure> {
        let query = JournalQuery {
            operation: Some(AUTHORIZE.to_owned()),
            payment: Some(payment.to_owned()),
            ..JournalQuery::default()
        };
        Ok(self.entries(query).await?.into_iter().map(|entry| Call { entry }).collect())
    }

    /// An event that Klarna has sent about a payment, delivered or not.
    pub(super) async fn await_event(
        &self,
        payment: &str,
        event: &str,
        delivered: bool,
    ) -> Result<Option<JournalEntry>, Failure> {
        let query = JournalQuery {
            operation: Some(event_operation(event)),
            payment: Some(payment.to_owned()),
            ..JournalQuery::default()
        };
        // What was forged in this scenario is no event of Klarna's.
        let is_klarnas = |entry: &JournalEntry| !self.carries_canary(entry);
        let patience = self.patience_for(&event_type(event)).await?;
        let fits = |entry: &JournalEntry| is_klarnas(entry) && (!delivered || was_taken(entry));
        self.await_entry_for(&query, fits, patience).await
    }

    /// What a person would ask next when an exchange did not come: what came instead, and whether
    /// another account was called.
    pub(super) async fn what_came_instead(&self, since: u64) -> String {
        let query = JournalQuery { after: Some(since), ..JournalQuery::default() };
        let mut told = match self.entries(query).await {
            Ok(entries) if entries.is_empty() => {
                format!("nothing reached Klarna for account {}", self.account())
            }
            Ok(entries) => {
                let list: Vec<String> = entries.iter().map(in_a_line).collect();
                format!("since then: {}", list.join("; "))
            }
            Err(failure) => failure.to_string(),
        };
        let strangers = self.calls_for_others().await;
        if !strangers.is_empty() {
            told.push_str("; other accounts were called: ");
            told.push_str(&strangers.join("; "));
        }
        told
    }

    /// Where else the payment may have gone: to another Partner's account, or to one that is unknown.
    async fn calls_for_others(&self) -> Vec<String> {
        let mut strangers = self.refused_calls().await;
        let Some(payment) = self.payments.last() else { return strangers };
        let query = JournalQuery { operation: Some(AUTHORIZE.to_owned()), ..JournalQuery::default() };
        for other in
            self.run.adapter.partners().iter().filter(|other| other.klarna_account != *self.account())
        {
            let Ok(page) = self.run.control.journal(&other.klarna_account, &query).await else { continue };
            // Other scenarios use these accounts at the same time: only this order's number counts.
            let ours = |entry: &&JournalEntry| {
                let body = entry.request.body();
                String::from_utf8_lossy(&body).contains(&payment.order.purchase_reference)
            };
            strangers.extend(page.entries.iter().filter(ours).map(in_a_line));
        }
        strangers
    }

    /// Calls since this scenario began that were refused, or are about an unknown account.
    async fn refused_calls(&self) -> Vec<String> {
        let query = JournalQuery { direction: Some(Direction::Inbound), ..JournalQuery::default() };
        let Ok(page) = self.run.control.account_journal(&self.run.acquirer_account, &query).await else {
            return Vec::new();
        };
        let began = self.began_at;
        page.entries
            .iter()
            .filter(|entry| entry.started_at >= began)
            .filter(|entry| entry.operation == AUTHORIZE || entry.operation == "unknown")
            .map(in_a_line)
            .collect()
    }
}

/// Journal name of a state change's event.
pub(super) fn event_operation(event: &str) -> String {
    format!("event:{}", event_type(event))
}

/// Name of a state change's event.
pub(super) fn event_type(event: &str) -> String {
    format!("payment.request.state-change.{event}")
}

/// Whether the acquirer took a delivery as Klarna wants it.
pub(super) fn was_taken(entry: &JournalEntry) -> bool {
    entry.response.as_ref().is_some_and(|response| matches!(response.status, 200 | 201 | 202 | 204))
}

/// The session token that an event carried.
pub(super) fn token_of_event(entry: &JournalEntry) -> Option<String> {
    let envelope: WebhookEnvelope<PaymentRequestPayload> =
        serde_json::from_slice(&entry.request.body()).ok()?;
    envelope.payload.session_token().map(str::to_owned)
}

/// An exchange in a few words.
pub(super) fn in_a_line(entry: &JournalEntry) -> String {
    let status =
        entry.response.as_ref().map_or("no answer".to_owned(), |response| response.status.to_string());
    format!("#{} {} {} → {status}", entry.seq, entry.request.method, entry.request.target)
}
