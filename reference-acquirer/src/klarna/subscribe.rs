//! One signing key and one webhook at Klarna, whatever was there before.
//!
//! At start both are listed and reused if they are ours and as they should be; what is missing is
//! created, and a webhook of ours that could not be verified or leads elsewhere is taken away. If
//! Klarna does not answer, this goes on in the background while the rest already serves.

use std::sync::Arc;

use klarna_schemas::ids::SigningKeyId;
use klarna_schemas::klarna::notification::{CreateWebhook, Webhook, WebhookStatus};
use klarna_schemas::klarna::webhook::STATE_CHANGE_PREFIX;
use secrecy::SecretString;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::client::{CallError, KlarnaClient};
use crate::config::Backoff;
use crate::store::{Store, StoreError, StoredSigningKey};
use crate::{chance, clock};

/// The version of events that is asked for.
const EVENT_VERSION: &str = "v2";

/// Why Klarna does not have the webhook yet.
#[derive(Debug, thiserror::Error)]
enum SubscribeError {
    #[error("Klarna: {0}")]
    Klarna(#[from] CallError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("Klarna made a signing key without showing it")]
    NoSecret,
}

/// Keeps trying until Klarna has the webhook.
#[derive(Debug)]
pub struct Subscriber {
    /// Speaks to Klarna.
    pub klarna: KlarnaClient,
    /// Keeps the keys.
    pub store: Arc<dyn Store>,
    /// Where events are to be sent.
    pub webhook_url: Url,
    /// Pauses between tries.
    pub backoff: Backoff,
    /// How it stands; `/healthz` shows it.
    pub state: watch::Sender<Subscription>,
}

/// Whether Klarna has the webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscription {
    /// The first try is under way.
    Trying,
    /// At least one try failed; more will follow.
    Failing,
    /// Klarna has it.
    Registered,
}

impl Subscription {
    /// For people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trying => "trying",
            Self::Failing => "failing",
            Self::Registered => "registered",
        }
    }
}

impl Subscriber {
    /// Runs until Klarna has the webhook, or until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        for failures in 1.. {
            let result = tokio::select! {
                result = self.subscribe() => result,
                () = stop.cancelled() => return,
            };
            match result {
                Ok(()) => {
                    self.state.send_replace(Subscription::Registered);
                    return;
                }
                Err(error) => tracing::warn!(%error, failures, "no webhook at Klarna yet; will try again"),
            }
            self.state.send_replace(Subscription::Failing);
            let pause = self.backoff.pause(failures, chance::jitter());
            if tokio::time::timeout(pause, stop.cancelled()).await.is_ok() {
                return;
            }
        }
    }

    async fn subscribe(&self) -> Result<(), SubscribeError> {
        // One reference for the calls of this try, from which their idempotency keys are made: a
        // try creates at most one key and one webhook.
        let session = chance::new_id("subscribe");
        let key = self.signing_key(&session).await?;
        let ours = self.store.signing_keys().await?;
        let mut found = false;
        let mut elsewhere = Vec::new();
        for webhook in self.klarna.webhooks(&session).await? {
            if !found && self.is_as_wanted(&webhook, &key) {
                found = true;
                tracing::info!(webhook_id = %webhook.webhook_id, "the webhook at Klarna is reused");
            } else if webhook.url == self.webhook_url.as_str() {
                // Klarna takes no second webhook for the same URL, so this one goes first.
                self.delete(&webhook, &session).await?;
            } else if ours.iter().any(|key| key.id == webhook.signing_key_id) {
                // Signed with a key of ours: the public URL was another one.
                elsewhere.push(webhook);
            }
        }
        if !found {
            let webhook = self.klarna.create_webhook(&self.wanted(&key), &session).await?;
            tracing::info!(webhook_id = %webhook.webhook_id, "a webhook was created at Klarna");
        }
        for webhook in elsewhere {
            self.delete(&webhook, &session).await?;
        }
        Ok(())
    }

    async fn delete(&self, webhook: &Webhook, session: &str) -> Result<(), CallError> {
        self.klarna.delete_webhook(&webhook.webhook_id, session).await?;
        tracing::info!(webhook_id = %webhook.webhook_id, "a webhook that is not as it should be was deleted");
        Ok(())
    }

    /// A key that Klarna has and whose secret is kept here, or a new one.
    async fn signing_key(&self, session: &str) -> Result<SigningKeyId, SubscribeError> {
        let at_klarna = self.klarna.signing_keys(session).await?;
        let kept = self.store.signing_keys().await?;
        let newest_of_both =
            kept.into_iter().rev().find(|kept| at_klarna.iter().any(|key| key.signing_key_id == kept.id));
        if let Some(key) = newest_of_both {
            tracing::info!(signing_key_id = %key.id, "the signing key at Klarna is reused");
            return Ok(key.id);
        }
        let created = self.klarna.create_signing_key(session).await?;
        let secret = created.signing_key.ok_or(SubscribeError::NoSecret)?;
        let key = StoredSigningKey { id: created.signing_key_id, key: SecretString::from(secret) };
        self.store.keep_signing_key(&key, clock::now()).await?;
        tracing::info!(signing_key_id = %key.id, "a signing key was created at Klarna");
        Ok(key.id)
    }

    fn wanted(&self, key: &SigningKeyId) -> CreateWebhook {
        CreateWebhook {
            url: self.webhook_url.to_string(),
            event_types: vec![format!("{STATE_CHANGE_PREFIX}*")],
            event_version: EVENT_VERSION.to_owned(),
            signing_key_id: key.clone(),
            status: Some(WebhookStatus::Enabled),
        }
    }

    fn is_as_wanted(&self, webhook: &Webhook, key: &SigningKeyId) -> bool {
        let wanted = self.wanted(key);
        webhook.url == wanted.url
            && webhook.event_types == wanted.event_types
            && webhook.event_version == wanted.event_version
            && webhook.signing_key_id == wanted.signing_key_id
            && webhook.status == WebhookStatus::Enabled
    }
}
