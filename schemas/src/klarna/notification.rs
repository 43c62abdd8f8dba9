//! Signing keys and webhooks (contract `webhooks-and-network-data.md` A.1).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{SigningKeyId, WebhookId};
use crate::open_enum;

/// Answer to `POST /v2/notification/signing-keys`; reads and lists leave `signing_key` out.
#[derive(Clone, Serialize, Deserialize)]
pub struct SigningKey {
    /// What `Klarna-Signing-Key-Id` names.
    pub signing_key_id: SigningKeyId,
    /// The secret, shown once, at creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("signing_key_id", &self.signing_key_id)
            .field("signing_key", &self.signing_key.as_ref().map(|_| "[REDACTED]"))
            .field("created_at", &self.created_at)
            .finish()
    }
}

/// Answer to `GET /v2/notification/signing-keys`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SigningKeys {
    /// All of the account's keys, without secrets.
    pub signing_keys: Vec<SigningKey>,
}

open_enum! {
    /// Whether a webhook is served.
    pub enum WebhookStatus {
        /// Events are sent.
        Enabled = "ENABLED",
        /// Nothing is sent. The name is inferred.
        Disabled = "DISABLED",
    }
}

/// Body of `POST /v2/notification/webhooks`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateWebhook {
    /// Where events go: https, or plain http on loopback.
    pub url: String,
    /// Exact names, or prefixes that end in `*`.
    pub event_types: Vec<String>,
    /// `v2`.
    pub event_version: String,
    /// The key that signs.
    pub signing_key_id: SigningKeyId,
    /// `ENABLED` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<WebhookStatus>,
}

/// Body of `PATCH /v2/notification/webhooks/{webhook_id}`: what is left out stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct UpdateWebhook {
    /// Where events go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Exact names, or prefixes that end in `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<String>>,
    /// `v2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_version: Option<String>,
    /// The key that signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_key_id: Option<SigningKeyId>,
    /// Whether it is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<WebhookStatus>,
}

/// Body of `POST /v2/notification/webhooks/{webhook_id}/simulate`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SimulateWebhook {
    /// The exact name of an event.
    pub event_type: String,
    /// `v2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_version: Option<String>,
}

/// Answer to it; its shape is inferred.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebhookSimulated {
    /// The id of the event that is sent.
    pub event_id: String,
}

/// A webhook as Klarna shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Webhook {
    /// Klarna's id.
    pub webhook_id: WebhookId,
    /// Where events go.
    pub url: String,
    /// Exact names, or prefixes that end in `*`.
    pub event_types: Vec<String>,
    /// `v2`.
    pub event_version: String,
    /// The key that signs.
    pub signing_key_id: SigningKeyId,
    /// Whether it is served.
    pub status: WebhookStatus,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// Answer to `GET /v2/notification/webhooks`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Webhooks {
    /// All of the account's webhooks.
    pub webhooks: Vec<Webhook>,
}
