//! Webhooks at the tester's word: sent out of turn, misbehaving, or held.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::PaymentRequestId;

/// `POST /sandboxes/{a}/webhooks`: send an event, or let the next one misbehave.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendWebhook {
    /// The request that it is about.
    pub payment_request_id: PaymentRequestId,
    /// Its whole name, e.g. `payment.request.state-change.completed`.
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
    /// At once when absent.
    #[serde(default)]
    pub when: SendWhen,
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

/// What can be wrong with a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misbehaviour {
    /// The same bytes again, as the last such event that was sent; or the next one twice.
    Duplicate,
    /// Signed with a wrong secret, under the id of the right key.
    Forged,
    /// Signed by a key that the account does not have, under that key's id.
    UnknownKey,
    /// Without signature and key id.
    Unsigned,
    /// Cut off in the middle of its JSON, and signed as it is.
    Malformed,
    /// Two megabytes of it, rightly signed.
    Oversized,
    /// Kept until it is released.
    Held,
}

impl Misbehaviour {
    /// All, in the order in which they are documented.
    pub const ALL: [Self; 7] = [
        Self::Duplicate,
        Self::Forged,
        Self::UnknownKey,
        Self::Unsigned,
        Self::Malformed,
        Self::Oversized,
        Self::Held,
    ];

    /// As it stands in a body.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Forged => "forged",
            Self::UnknownKey => "unknown_key",
            Self::Unsigned => "unsigned",
            Self::Malformed => "malformed",
            Self::Oversized => "oversized",
            Self::Held => "held",
        }
    }
}

/// Answer to `POST /sandboxes/{a}/webhooks` and `…/webhooks/release`, given once the attempts ended.
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
