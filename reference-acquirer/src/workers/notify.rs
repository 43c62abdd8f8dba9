//! Tells Partners, by the Standard Webhooks scheme, until they answer 2xx.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use sha2::Sha256;

use crate::config::Settings;
use crate::klarna::client::{ClientError, chain};
use crate::points::{Point, reach};
use crate::store::{Claim, Notification, Store, StoreError};
use crate::workers::{Lane, Wake};
use crate::{chance, clock};

/// What a secret starts with, by the scheme.
const SECRET_PREFIX: &str = "whsec_";

/// How long a new key is, by the scheme 24 to 64 bytes.
const NEW_KEY_BYTES: usize = 32;

/// A new secret for a Partner and for its table in the settings.
pub fn new_secret() -> SecretString {
    format!("{SECRET_PREFIX}{}", STANDARD.encode(chance::bytes::<NEW_KEY_BYTES>())).into()
}

/// The keys behind `whsec_…`, or several of them with commas between, if all of them are keys.
pub fn signing_keys(secrets: &SecretString) -> Option<Vec<SecretSlice<u8>>> {
    secrets.expose_secret().split(',').map(|secret| signing_key(secret.trim())).collect()
}

fn signing_key(secret: &str) -> Option<SecretSlice<u8>> {
    let key = STANDARD.decode(secret.strip_prefix(SECRET_PREFIX)?).ok()?;
    (!key.is_empty()).then(|| key.into())
}

/// The value of `webhook-signature`: a signature by each key, so that a Partner can take a new
/// secret into use before it lets go of the old one.
pub fn sign(keys: &[SecretSlice<u8>], id: &str, timestamp: i64, body: &str) -> Option<String> {
    let signatures: Option<Vec<_>> = keys.iter().map(|key| sign_by(key, id, timestamp, body)).collect();
    Some(signatures?.join(" "))
}

fn sign_by(key: &SecretSlice<u8>, id: &str, timestamp: i64, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret()).ok()?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// Delivers notifications.
#[derive(Debug)]
pub struct Notifier {
    http: reqwest::Client,
    store: Arc<dyn Store>,
    settings: Arc<Settings>,
    work: Arc<Wake>,
}

impl Notifier {
    /// A notifier with the settings' time-outs.
    pub fn new(settings: Arc<Settings>, store: Arc<dyn Store>, work: Arc<Wake>) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder()
            .connect_timeout(settings.notifications.connect_timeout)
            .timeout(settings.notifications.timeout)
            // A redirect is not a 2xx; following it would sign for a stranger.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| ClientError::Setup(error.to_string()))?;
        Ok(Self { http, store, settings, work })
    }

    /// One attempt at one notification.
    pub async fn run(&self, claim: &Claim) -> Result<(), StoreError> {
        let Some(notification) = self.store.notification(&claim.subject).await? else {
            return self.store.finish(claim, clock::now()).await;
        };
        reach(Point::NotifyCall);
        let began = Instant::now();
        let result = self.deliver(&notification).await;
        metrics::histogram!("acquirer_notification_duration_seconds").record(began.elapsed().as_secs_f64());
        reach(Point::NotifyAnswered);
        let outcome = self.settle(claim, &notification, result).await?;
        reach(Point::NotifyKept);
        metrics::counter!("acquirer_notifications_total", "outcome" => outcome).increment(1);
        Ok(())
    }

    /// Ends the claim, or postpones it, and says which.
    async fn settle(
        &self,
        claim: &Claim,
        Notification { id, payment_id, .. }: &Notification,
        result: Result<(), String>,
    ) -> Result<&'static str, StoreError> {
        let Err(reason) = result else {
            tracing::info!(payment_id, webhook_id = id, "the Partner was told");
            self.store.finish(claim, clock::now()).await?;
            return Ok("delivered");
        };
        let again_at = clock::after(self.settings.notifications.retry.pause(claim.attempt, chance::jitter()));
        let since = self.store.telling_since(id).await?.unwrap_or(Timestamp::MIN);
        if again_at.duration_since(since) <= self.settings.notifications.span() {
            tracing::warn!(payment_id, webhook_id = id, reason, "the Partner could not be told yet");
            self.store.postpone(claim, again_at).await?;
            // It may become due before they look again.
            self.work.wake(Lane::Telling);
            return Ok("postponed");
        }
        tracing::error!(
            payment_id,
            webhook_id = id,
            reason,
            "gave up telling the Partner; see `reference-acquirer dead-letters`"
        );
        self.store.give_up(claim, &reason, clock::now()).await?;
        Ok("given_up")
    }

    async fn deliver(&self, notification: &Notification) -> Result<(), String> {
        let partner = self.settings.partners.iter().find(|partner| partner.name == notification.partner);
        let partner = partner.ok_or("the Partner is not configured any more")?;
        let url =
            self.settings.notification_url(partner).ok_or("the Partner has no notification URL any more")?;
        let keys = partner.notification_secret.as_ref().and_then(signing_keys);
        let keys = keys.ok_or("the Partner has no secret")?;

        // Same id and body in every attempt; the timestamp is the attempt's, so that the receiver
        // can refuse what is old.
        let timestamp = Timestamp::as_second(clock::now());
        let signature = sign(&keys, &notification.id, timestamp, &notification.body).ok_or("cannot sign")?;
        let response = self
            .http
            .post(url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &notification.id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(notification.body.clone())
            .send()
            .await
            .map_err(|error| chain(&error.without_url()))?;
        let status = response.status();
        if status.is_success() { Ok(()) } else { Err(format!("status {status}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `key=$(printf %s 'bWVhbmluZ2Z1bC1rZXktb2YtMjRieXRl' | base64 -d | xxd -p -c 99);
    /// printf %s 'msg_1.1700000000.{"status":"godkänd"}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary | base64`
    const BY_OPENSSL: &str = "WpqncTPAJNFkxrNsxvP2tmltM+XhRVdrsM+LGxa9jbU=";

    #[test]
    fn agrees_with_openssl() {
        let keys = signing_keys(&SecretString::from("whsec_bWVhbmluZ2Z1bC1rZXktb2YtMjRieXRl")).unwrap();
        let signature = sign(&keys, "msg_1", 1_700_000_000, "{\"status\":\"godkänd\"}").unwrap();
        assert_eq!(signature, format!("v1,{BY_OPENSSL}"));
        assert_ne!(sign(&keys, "msg_2", 1_700_000_000, "{\"status\":\"godkänd\"}").unwrap(), signature);
    }

    #[test]
    fn a_secret_has_its_prefix_and_is_base64() {
        for text in ["", "whsec_", "bWVhbmluZw==", "whsec_???", "WHSEC_bWVhbmluZw==", "whsec_bWVhbmluZw==,"] {
            assert!(signing_keys(&SecretString::from(text)).is_none(), "{text}");
        }
        assert_eq!(signing_keys(&new_secret()).unwrap()[0].expose_secret().len(), NEW_KEY_BYTES);
    }

    #[test]
    fn several_secrets_make_several_signatures() {
        let both = SecretString::from("whsec_bmV3, whsec_bWVhbmluZ2Z1bC1rZXktb2YtMjRieXRl");
        let signatures =
            sign(&signing_keys(&both).unwrap(), "msg_1", 1_700_000_000, "{\"status\":\"godkänd\"}");
        let (new, old) = signatures.as_deref().unwrap().split_once(' ').unwrap();
        assert_eq!(old, format!("v1,{BY_OPENSSL}"));
        assert_ne!(new, old);
    }
}
