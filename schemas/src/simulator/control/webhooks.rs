//! Webhooks at the tester's word: sent out of turn, misbehaving, or held.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Misbehaviour, WebhookWish};
use crate::ids::PaymentRequestId;

/// `POST /sandboxes/{a}/webhooks`: send an event, or let the next one misbehave.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendWebhook {
    /// The request that it is about; with `when: next` any, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request_id: Option<PaymentRequestId>,
    /// Its whole name, e.g. `payment.request.state-change.completed`; with `when: next` a `*` at its end
    /// matches any rest.
    pub event_type: String,
    /// What is wrong with it; a sound event when empty.
    #[serde(default)]
    pub misbehaviour: Vec<Misbehaviour>,
    /// Laid over the payload before it is signed, as a JSON merge patch (RFC 7396).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_patch: Option<Map<String, Value>>,
    /// The same for the envelope's metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_patch: Option<Map<String, Value>>,
    /// How late, with `delayed` and `replayed_late`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<SignedDuration>,
    /// At once when absent.
    #[serde(default)]
    pub when: SendWhen,
    /// How many events, with `when: next`; one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

impl SendWebhook {
    /// What it wishes of the event, in the words of rules.
    pub fn wish(&self) -> WebhookWish {
        WebhookWish {
            event_type: self.event_type.clone(),
            misbehaviour: self.misbehaviour.clone(),
            payload_patch: self.payload_patch.clone(),
            metadata_patch: self.metadata_patch.clone(),
            delay: self.delay,
            times: self.times,
        }
    }
}

/// When a webhook is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendWhen {
    /// At once, beside what Klarna sends by itself: one attempt.
    #[default]
    Now,
    /// When such an event next happens: the misbehaviour befalls that one.
    Next,
}

/// Answer to `POST /sandboxes/{a}/webhooks` and `…/webhooks/release`, given once the attempts ended; what is
/// sent later by the sandbox's clock is not waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksSent {
    /// The event's id; absent where several were sent, or none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// How many deliveries were made.
    pub deliveries: usize,
}

/// `POST /sandboxes/{a}/webhooks/release`: send what is held, in order. All of it, unless it says which.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseWebhooks {
    /// Only events about this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request_id: Option<PaymentRequestId>,
    /// Only events of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
}

/// Answer to `GET /sandboxes/{a}/webhooks`: what waits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksView {
    /// Misbehaviours that wait for their events, in the order in which they befall them.
    pub next: Vec<WaitingMisbehaviour>,
    /// Events that are kept back, in the order in which they happened.
    pub held: Vec<HeldWebhook>,
}

/// A misbehaviour that waits for its events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitingMisbehaviour {
    /// Only events of this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request_id: Option<PaymentRequestId>,
    /// Only events of this payment, by the simulator's name of it: what a rule or an outcome wishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// What befalls them; `times` is how many events it still befalls.
    pub wish: WebhookWish,
}

/// An event that is kept back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldWebhook {
    /// The event's id.
    pub event_id: String,
    /// Its name.
    pub event_type: String,
    /// The payment that it is about, by the simulator's name of it.
    pub payment: String,
}

/// `POST /accounts/{acquirer}/forget`: Klarna loses what the acquirer has registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForgetRegistrations {
    /// What is lost.
    pub what: Registrations,
}

/// What an acquirer registers with Klarna.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registrations {
    /// Signing keys; webhooks that name them stay.
    SigningKeys,
    /// Webhooks.
    Webhooks,
    /// All of it.
    Both,
}
