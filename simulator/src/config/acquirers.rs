//! Acquirer accounts that are there from the start, with what was registered for them by hand.

use klarna_schemas::ids::{AcquirerAccountId, SigningKeyId};
use klarna_schemas::klarna::notification::{CreateWebhook, WebhookStatus};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// What a webhook is told when nothing else is said: what AP-19 asks for.
const STATE_CHANGES: &str = "payment.request.state-change.*";

/// An acquirer account that is known from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcquirerSettings {
    /// Its API key.
    pub api_key: SecretString,
    /// Its id at Klarna.
    pub account: AcquirerAccountId,
    /// Signing keys that it has already.
    #[serde(default)]
    pub signing_keys: Vec<LaidDownKey>,
    /// Webhooks that it has already.
    #[serde(default)]
    pub webhooks: Vec<LaidDownWebhook>,
}

/// A signing key that was made before the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaidDownKey {
    /// What `Klarna-Signing-Key-Id` names.
    pub id: SigningKeyId,
    /// The secret that signs, as the acquirer was shown it.
    pub secret: SecretString,
}

/// A webhook that was registered before the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaidDownWebhook {
    /// Where events go.
    pub url: String,
    /// Exact names, or prefixes that end in `*`.
    #[serde(default = "state_changes")]
    pub event_types: Vec<String>,
    /// The key that signs, one of the account's `signing_keys`.
    pub signing_key_id: SigningKeyId,
    /// `ENABLED` when absent.
    #[serde(default)]
    pub status: Option<WebhookStatus>,
}

fn state_changes() -> Vec<String> {
    vec![STATE_CHANGES.to_owned()]
}

impl AcquirerSettings {
    /// Whether a key is this account's.
    pub(crate) fn holds(&self, key: &str) -> bool {
        self.api_key.expose_secret() == key
    }
}

impl From<LaidDownWebhook> for CreateWebhook {
    fn from(laid_down: LaidDownWebhook) -> Self {
        Self {
            url: laid_down.url,
            event_types: laid_down.event_types,
            event_version: "v2".to_owned(),
            signing_key_id: laid_down.signing_key_id,
            status: laid_down.status,
        }
    }
}
