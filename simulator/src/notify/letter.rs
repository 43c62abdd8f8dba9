//! An event on its way to one webhook: addressed, rendered, signed.

use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::klarna::webhook::{WebhookEnvelope, WebhookMetadata};
use klarna_schemas::signature;
use klarna_schemas::simulator::control::Evolution;
use klarna_schemas::simulator::journal::Direction;
use tokio::sync::Barrier;

use super::delivery::Reception;
use super::manner::{Leaving, Rendered, Signing};
use super::{Manner, Repeated, Subscription};
use crate::behaviour::evolution::{Evolved, NEW_HEADERS};
use crate::engine::EventDraft;
use crate::journal::{Exchange, Sent};

/// As much of a manner as can be played to a webhook: nobody signs with a second key that is not there. And
/// what the journal calls it, where that is not all.
fn playable(manner: &Manner, to: &Subscription) -> (Manner, Option<String>) {
    if !manner.needs_another_key() || to.other_key.is_some() {
        return (manner.clone(), None);
    }
    let word = manner.word().unwrap_or_default();
    let word = word.trim_start_matches("webhook ");
    let webhook = &to.webhook.webhook_id.0;
    tracing::warn!(
        webhook,
        "{word} cannot be played, and the event is signed soundly: make a second signing key first"
    );
    (Manner { signing: Signing::Sound, ..manner.clone() }, Some(format!("webhook unplayed {word}")))
}

/// An event on its way to one webhook: the same bytes at each attempt.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// Where its event stands among the effects of the sandbox.
    pub(super) number: u64,
    pub(super) event_type: String,
    pub(super) payment: String,
    pub(super) epoch: u64,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
    /// What is wrong with it, in the journal's words.
    pub(super) fault: Option<String>,
    pub(super) sent: Sent,
    /// What is sent at the first attempt in its place.
    pub(super) first: Option<Box<Letter>>,
    /// When what it tells of happened, or when the wish to send it again came.
    pub(super) since: Timestamp,
    /// How much later than that it leaves, on the sandbox's clock.
    delay: Option<SignedDuration>,
    /// Where it waits for its twin.
    pub(super) start: Option<Arc<Barrier>>,
}

impl Letter {
    /// Addresses, renders and signs an event. One that misbehaves does so at the first attempt.
    pub(crate) fn new(
        draft: &EventDraft,
        account: &PartnerAccountId,
        to: &Subscription,
        manner: &Manner,
        evolved: &Evolved,
    ) -> Self {
        let (manner, unplayed) = playable(manner, to);
        let word = unplayed.or_else(|| manner.word());
        let mut sound = Self::written(draft, account, to, &Manner::default(), evolved);
        if manner.is_odd() {
            let mut first = Self::written(draft, account, to, &manner, evolved);
            first.fault = word;
            sound.first = Some(Box::new(first));
        } else {
            sound.fault = word;
        }
        if let Leaving::Delayed(delay) = manner.leaving {
            sound.delay = Some(delay);
        }
        sound
    }

    /// This letter, and the copy of it that goes with it.
    pub(crate) fn repeated(mut self, manner: &Manner) -> Vec<Self> {
        let Some(fault) = manner.word_of_copy() else { return vec![self] };
        if manner.repeated == Repeated::Parallel {
            self.start = Some(Arc::new(Barrier::new(2)));
        }
        let mut copy = Self { fault: Some(fault.clone()), ..self.clone() };
        if let Some(first) = &mut copy.first {
            first.fault = Some(fault);
        }
        if let Repeated::Late(delay) = manner.repeated {
            copy.delay = Some(delay);
        }
        vec![self, copy]
    }

    /// Whether it leaves at once.
    pub(crate) fn leaves_at_once(&self) -> bool {
        self.delay.is_none()
    }

    /// When it leaves, if that is later than at once.
    pub(super) fn due(&self) -> Option<Timestamp> {
        // Where that is beyond the end of time, it never comes.
        Some(self.since.checked_add(self.delay?).unwrap_or(Timestamp::MAX))
    }

    /// A letter that was sent already, as it was.
    pub(crate) fn again(sent: &Exchange, manner: &Manner, now: Timestamp) -> Vec<Self> {
        let mut letter = Self::as_sent(sent, now);
        letter.fault = manner.word_of_copy();
        match manner.repeated {
            Repeated::Parallel => return letter.repeated(manner),
            Repeated::Late(delay) => letter.delay = Some(delay),
            Repeated::Not | Repeated::Twice => {}
        }
        vec![letter]
    }

    fn as_sent(sent: &Exchange, now: Timestamp) -> Self {
        Self {
            number: sent.number,
            event_type: sent.operation.trim_start_matches("event:").to_owned(),
            payment: sent.payment.clone().unwrap_or_default(),
            epoch: sent.epoch,
            url: sent.target.clone(),
            headers: sent.request_headers.clone(),
            body: sent.request_body.clone(),
            fault: None,
            sent: Sent::AsKlarnaDoes,
            first: None,
            since: now,
            delay: None,
            start: None,
        }
    }

    /// An attempt to deliver it, as it is written down; about no payment, at real time.
    pub(super) fn exchange(&self, started_at: Timestamp, met: Reception) -> Exchange {
        let Reception { ended, response, version, took } = met;
        Exchange {
            number: self.number,
            epoch: self.epoch,
            payment: None,
            direction: Direction::Outbound,
            operation: format!("event:{}", self.event_type),
            started_at,
            virtual_at: started_at,
            version,
            took,
            method: "POST".to_owned(),
            target: self.url.clone(),
            request_headers: self.headers.clone(),
            request_body: self.body.clone(),
            truncated: false,
            response,
            ended,
            rule: None,
            fault: self.fault.clone(),
            sent: self.sent,
            tls: None,
        }
    }

    fn written(
        draft: &EventDraft,
        account: &PartnerAccountId,
        to: &Subscription,
        manner: &Manner,
        evolved: &Evolved,
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
        let Rendered { signed, sent } =
            manner.rendered(evolved.body(serde_json::to_value(&envelope).unwrap_or_default()));
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if evolved.has(Evolution::NewHeaders) {
            headers.extend(NEW_HEADERS.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        if let Some((id, secret)) = manner.signing.key(to) {
            headers.push((signature::SIGNATURE_HEADER.to_owned(), signature::sign(&secret, &signed)));
            headers.push((signature::SIGNING_KEY_ID_HEADER.to_owned(), id.0));
        }
        Self {
            number: draft.number,
            event_type: draft.event_type.clone(),
            payment: draft.payment.clone(),
            epoch: draft.epoch,
            url: to.webhook.url.clone(),
            headers,
            body: sent,
            fault: None,
            sent: if manner.signing.is_false() {
                Sent::FalselySigned
            } else if manner.is_odd() {
                Sent::Oddly
            } else {
                Sent::AsKlarnaDoes
            },
            first: None,
            since: draft.occurred_at,
            delay: None,
            start: None,
        }
    }
}
