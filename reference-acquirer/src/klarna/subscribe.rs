//! One signing key and one webhook at Klarna, whatever was there before.
//!
//! Both are listed and reused if they are ours and as they should be; what is missing is created,
//! and a webhook of ours that could not be verified or leads elsewhere is taken away. That happens
//! at start, now and then, and when a webhook comes that is signed with an unknown key, since Klarna
//! may have forgotten them. A lock in the store keeps two from doing it at once, so nothing is
//! created twice. If Klarna does not answer, this goes on while the rest already serves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use klarna_schemas::ids::SigningKeyId;
use klarna_schemas::klarna::notification::{CreateWebhook, Webhook, WebhookStatus};
use klarna_schemas::klarna::webhook::STATE_CHANGE_PREFIX;
use secrecy::SecretString;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::client::{CallError, KlarnaClient};
use crate::config::Registration;
use crate::store::{Lease, Store, StoreError, StoredSigningKey};
use crate::{chance, clock};

/// The version of events that is asked for.
const EVENT_VERSION: &str = "v2";

/// The lock under which signing key and webhook are looked at.
const LOCK: &str = "subscription";

/// Why Klarna does not have the webhook yet.
#[derive(Debug, thiserror::Error)]
enum SubscribeError {
    #[error("Klarna: {0}")]
    Klarna(#[from] CallError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("Klarna made a signing key without showing it")]
    NoSecret,
    #[error("somebody else is at it")]
    Locked,
    #[error("Klarna took too long over it")]
    TooLong,
}

/// Sees to it that Klarna has the webhook.
#[derive(Debug)]
pub struct Subscriber {
    /// Speaks to Klarna.
    pub klarna: KlarnaClient,
    /// Keeps the keys and the lock.
    pub store: Arc<dyn Store>,
    /// Where events are to be sent.
    pub webhook_url: Url,
    /// When to look, and when to look again.
    pub settings: Registration,
    /// How long the lock holds if its owner falls silent; a look that takes longer is broken off.
    pub lease: Duration,
    /// Asks for a look before its time.
    pub doubt: Arc<Notify>,
    /// How it stands; `/healthz` shows it.
    pub state: watch::Sender<Subscription>,
}

/// Whether Klarna has signing key and webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subscription {
    /// The first look is under way.
    Trying,
    /// The last look failed; more will follow.
    Failing {
        /// What Klarna is not known to have.
        missing: &'static [&'static str],
        /// What went wrong.
        reason: String,
    },
    /// Klarna had both at the last look.
    Registered,
    /// Somebody has made both by hand, and nobody looks.
    ByHand,
}

impl Subscription {
    /// For people.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Trying => "trying",
            Self::Failing { .. } => "failing",
            Self::Registered => "registered",
            Self::ByHand => "by_hand",
        }
    }

    /// What Klarna is not known to have.
    pub fn missing(&self) -> &'static [&'static str] {
        match self {
            Self::Trying => BOTH,
            Self::Failing { missing, .. } => missing,
            Self::Registered | Self::ByHand => &[],
        }
    }

    /// What went wrong.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Failing { reason, .. } => Some(reason),
            Self::Trying | Self::Registered | Self::ByHand => None,
        }
    }
}

const BOTH: &[&str] = &["signing key", "webhook"];
const WEBHOOK: &[&str] = &["webhook"];

/// The calls of one mending. Its name makes their idempotency keys, so a creation whose answer was
/// lost is repeated rather than made anew.
struct Mending {
    session: String,
    owner: String,
    missing: &'static [&'static str],
}

impl Mending {
    fn new() -> Self {
        Self { session: chance::new_id("subscribe"), owner: chance::new_id("lock"), missing: BOTH }
    }
}

impl Subscriber {
    /// Looks, and looks again, until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut mending = Mending::new();
        let mut failures = 0;
        loop {
            let looked_at = Instant::now();
            let result = tokio::select! {
                result = self.look(&mut mending) => result,
                () = stop.cancelled() => return,
            };
            let stopped = match result {
                Ok(()) => {
                    self.state.send_replace(Subscription::Registered);
                    (mending, failures) = (Mending::new(), 0);
                    self.rest(looked_at, &stop).await
                }
                Err(error) => {
                    failures += 1;
                    self.tell(&error, failures, mending.missing);
                    // What was refused would be refused again under the same idempotency key.
                    if matches!(error, SubscribeError::Klarna(CallError::Refused { .. })) {
                        mending = Mending::new();
                    }
                    let pause = self.settings.retry.pause(failures, chance::jitter());
                    tokio::time::timeout(pause, stop.cancelled()).await.is_ok()
                }
            };
            if stopped {
                return;
            }
        }
    }

    /// Waits until it is time for another look, and says whether it is time to stop instead.
    async fn rest(&self, looked_at: Instant, stop: &CancellationToken) -> bool {
        tokio::select! {
            _ = tokio::time::timeout(self.settings.check, self.doubt.notified()) => {}
            () = stop.cancelled() => return true,
        }
        // Anybody can send a webhook with an unknown key; that must not make for ever so many calls.
        let gap = self.settings.check_gap.saturating_sub(looked_at.elapsed());
        tokio::time::timeout(gap, stop.cancelled()).await.is_ok()
    }

    fn tell(&self, error: &SubscribeError, failures: u32, missing: &'static [&'static str]) {
        if matches!(error, SubscribeError::Locked) {
            tracing::info!("somebody else looks after the webhook at Klarna; will look again");
            return;
        }
        tracing::warn!(%error, failures, "Klarna is not known to have the webhook; will try again");
        self.state.send_replace(Subscription::Failing { missing, reason: error.to_string() });
    }

    /// One look, alone.
    async fn look(&self, mending: &mut Mending) -> Result<(), SubscribeError> {
        let lease = Lease { owner: mending.owner.clone(), until: clock::after(self.lease) };
        if !self.store.lock(LOCK, &lease, clock::now()).await? {
            return Err(SubscribeError::Locked);
        }
        // Broken off before the lock could become another's.
        let result = tokio::time::timeout(self.lease, self.subscribe(mending)).await;
        self.store.unlock(LOCK, &lease.owner).await?;
        result.unwrap_or(Err(SubscribeError::TooLong))
    }

    async fn subscribe(&self, mending: &mut Mending) -> Result<(), SubscribeError> {
        mending.missing = BOTH;
        let session = mending.session.clone();
        let key = self.signing_key(&session).await?;
        mending.missing = WEBHOOK;
        let ours = self.store.signing_keys().await?;
        let mut found = false;
        let mut elsewhere = Vec::new();
        for webhook in self.klarna.webhooks(&session).await? {
            if !found && self.is_as_wanted(&webhook, &key) {
                found = true;
                tracing::debug!(webhook_id = %webhook.webhook_id, "the webhook at Klarna is reused");
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
            tracing::debug!(signing_key_id = %key.id, "the signing key at Klarna is reused");
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
