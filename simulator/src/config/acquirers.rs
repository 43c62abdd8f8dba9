//! Acquirer accounts that are there from the start, with what was registered for them by hand.

use std::collections::HashMap;

use klarna_schemas::ids::{AcquirerAccountId, SigningKeyId};
use klarna_schemas::klarna::notification::{CreateWebhook, WebhookStatus};
use klarna_schemas::klarna::webhook::EVENT_TYPES;
use klarna_schemas::nearest::nearest;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{ConfigError, Settings};
use crate::pattern::fits;

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

impl Settings {
    /// What is configured and must not be handed on.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let of = |acquirer: &AcquirerSettings| {
            let keys = acquirer.signing_keys.iter().map(|key| key.secret.expose_secret().to_owned());
            keys.chain([acquirer.api_key.expose_secret().to_owned()]).collect::<Vec<_>>()
        };
        self.acquirers.iter().flat_map(of).collect()
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

/// What keeps an account from being laid down.
#[derive(Debug)]
pub(crate) struct Misfit {
    /// Which setting of the account.
    pub(crate) place: String,
    pub(crate) reason: String,
    pub(crate) hint: String,
}

impl Misfit {
    pub(crate) fn new(place: impl Into<String>, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into(), hint: hint.into() }
    }

    /// As an error of these settings' account at `index`.
    pub(crate) fn of(self, settings: &Settings, index: usize) -> ConfigError {
        let account = settings.acquirers.get(index).map(|acquirer| acquirer.account.clone());
        ConfigError::Account {
            origin: settings.acquirers_from.clone(),
            account: account.unwrap_or_else(|| AcquirerAccountId(String::new())),
            place: format!("acquirers[{index}].{}", self.place),
            reason: self.reason,
            hint: self.hint,
        }
    }
}

/// Refuses accounts that would stand in the world otherwise than they are written: with nothing where
/// something must be, with names that Klarna does not know, or with what another account has.
pub(crate) fn check(settings: &Settings) -> Result<(), ConfigError> {
    let mut taken = Taken::default();
    for (index, acquirer) in settings.acquirers.iter().enumerate() {
        look_at(acquirer, &format!("acquirers[{index}]"), &mut taken)
            .map_err(|misfit| misfit.of(settings, index))?;
    }
    Ok(())
}

/// What accounts before have, and where.
#[derive(Default)]
struct Taken<'a> {
    accounts: HashMap<&'a str, String>,
    api_keys: HashMap<&'a str, String>,
    signing_keys: HashMap<&'a str, String>,
}

fn look_at<'a>(acquirer: &'a AcquirerSettings, at: &str, taken: &mut Taken<'a>) -> Result<(), Misfit> {
    let given = |place: &str, text: &str, hint: &str| match text.trim() {
        "" => Err(Misfit::new(place, "is empty", hint)),
        _ => Ok(()),
    };
    let (account, api_key) = (acquirer.account.as_str(), acquirer.api_key.expose_secret());
    given("account", account, "give the account's id at Klarna")?;
    given("api_key", api_key, "give the key that the acquirer calls with")?;
    if let Some(twin) = taken.accounts.insert(account, format!("{at}.account")) {
        return Err(Misfit::new("account", format!("{twin} is the same"), "lay each account down once"));
    }
    // Secrets are told by their place only.
    if let Some(twin) = taken.api_keys.insert(api_key, format!("{at}.api_key")) {
        let hint = "give each account an API key of its own: a call is told by its key whose it is";
        return Err(Misfit::new("api_key", format!("{twin} is the same"), hint));
    }
    for (index, key) in acquirer.signing_keys.iter().enumerate() {
        let place = |field: &str| format!("signing_keys[{index}].{field}");
        given(&place("id"), key.id.as_str(), "give what Klarna-Signing-Key-Id shall name")?;
        let secret = key.secret.expose_secret();
        given(&place("secret"), secret, "give the secret that the acquirer verifies with")?;
        let here = format!("{at}.{}", place("id"));
        if let Some(twin) = taken.signing_keys.insert(key.id.as_str(), here) {
            let reason = format!("{} stands at {twin} too", key.id);
            return Err(Misfit::new(place("id"), reason, "give each signing key an id of its own"));
        }
    }
    for (index, webhook) in acquirer.webhooks.iter().enumerate() {
        let place = |field: &str| format!("webhooks[{index}].{field}");
        if let Some(WebhookStatus::Unknown(other)) = &webhook.status {
            let hint = format!("one of {}", WebhookStatus::KNOWN.join(", "));
            return Err(Misfit::new(place("status"), format!("Klarna has no status {other:?}"), hint));
        }
        if webhook.event_types.is_empty() {
            let hint = format!("leave it out for {STATE_CHANGES}");
            return Err(Misfit::new(place("event_types"), "names none", hint));
        }
        for (number, pattern) in webhook.event_types.iter().enumerate() {
            if !EVENT_TYPES.iter().any(|event| fits(pattern, event)) {
                let place = place(&format!("event_types[{number}]"));
                return Err(Misfit::new(place, format!("Klarna has no event {pattern:?}"), meant(pattern)));
            }
        }
    }
    Ok(())
}

/// How to mend a pattern that fits no event.
fn meant(pattern: &str) -> String {
    match nearest(pattern.trim_end_matches('*'), EVENT_TYPES) {
        Some(event) => format!("did you mean {event}?"),
        None => format!("exact names, or prefixes that end in *, such as {STATE_CHANGES}"),
    }
}
