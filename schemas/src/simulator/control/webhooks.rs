//! Webhooks at the tester's word: sent out of turn, misbehaving, or held.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Misbehaviour;
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
