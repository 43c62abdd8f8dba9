//! What can be set. `defaults.toml` documents every setting; this file gives each its type.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use klarna_schemas::ids::{PartnerAccountId, SigningKeyId};
use klarna_schemas::money::Currency;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};
use url::Url;

use super::api_key::KeyHash;
use super::payment_accounts;
use crate::payments::create::is_loopback;
use crate::store::{self, Sealer};

/// The most calls to Klarna that one task makes: the last attempt of a final call, its withdrawal, and
/// the call once more.
const CALLS_IN_A_TASK: u32 = 3;

/// The longest time between two looks at a step-up: a session token that was issued in between must be alive
/// for the final call and its first retries.
const LONGEST_UNASKED: Duration = Duration::from_mins(45);

/// All settings of one acquirer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where Klarna and customers reach this server; the listening address when absent.
    #[serde(deserialize_with = "empty_is_none")]
    pub public_url: Option<Url>,
    /// `sqlite://FILE` or `postgres://…`. Secret, as it may hold a password.
    pub database: SecretString,
    /// What is secret in the database is encrypted with it.
    pub database_key: SecretString,
    /// What payment forms list, in order, where a Partner has no list of its own.
    pub payment_methods: Vec<PaymentMethod>,
    /// Limits of the HTTP server.
    pub http: Http,
    /// How Partners' creates are answered.
    pub create: Create,
    /// How repeated requests are known.
    pub idempotency: Idempotency,
    /// How Klarna is reached.
    pub klarna: Klarna,
    /// How open work is taken up.
    pub outbox: Outbox,
    /// How Klarna is asked where no webhook comes.
    pub reconcile: Reconcile,
    /// How Partners are told.
    pub notifications: Notifications,
    /// How the webhook is registered.
    pub registration: Registration,
    /// The customer's way back.
    pub r#return: Return,
    /// Logs.
    pub logs: Logs,
    /// Traces.
    pub traces: Traces,
    /// Who may ask for payments.
    #[serde(default)]
    pub partners: Vec<PartnerSettings>,
}

/// Limits of the HTTP server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Largest body.
    pub body_limit_bytes: usize,
    /// Time for the head of a request.
    #[serde(rename = "header_read_ms", deserialize_with = "milliseconds")]
    pub header_read: Duration,
    /// Time for its body.
    #[serde(rename = "body_read_ms", deserialize_with = "milliseconds")]
    pub body_read: Duration,
    /// How long a stop waits for what is under way.
    #[serde(rename = "stop_ms", deserialize_with = "milliseconds")]
    pub stop: Duration,
}

/// How Partners' creates are answered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// How long a create waits for Klarna's decision, retries included.
    #[serde(rename = "answer_ms", deserialize_with = "milliseconds")]
    pub answer: Duration,
}

/// How repeated requests are known.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Idempotency {
    /// How long a key is remembered.
    #[serde(rename = "keep_ms", deserialize_with = "milliseconds")]
    pub keep: Duration,
}

/// How Klarna is reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Klarna {
    /// Without `/v2`.
    pub base_url: Url,
    /// The Acquiring Partner's key.
    pub api_key: SecretString,
    /// More certificates to trust.
    #[serde(deserialize_with = "empty_is_none")]
    pub ca_file: Option<PathBuf>,
    /// The client certificate that Klarna has issued, and its key: both or none.
    #[serde(deserialize_with = "empty_is_none")]
    pub client_certificate_file: Option<PathBuf>,
    /// The key of the client certificate.
    #[serde(deserialize_with = "empty_is_none")]
    pub client_key_file: Option<PathBuf>,
    /// When calls are held back.
    pub breaker: Breaker,
    /// Time to connect.
    #[serde(rename = "connect_timeout_ms", deserialize_with = "milliseconds")]
    pub connect_timeout: Duration,
    /// Time for the whole call.
    #[serde(rename = "timeout_ms", deserialize_with = "milliseconds")]
    pub timeout: Duration,
    /// Time for a presentation: a payment form waits for it.
    #[serde(rename = "presentation_timeout_ms", deserialize_with = "milliseconds")]
    pub presentation_timeout: Duration,
    /// `integrator.name` of the integration metadata.
    pub integrator_name: String,
    /// Retries of authorize calls.
    pub retry: Retry,
    /// Retries of withdrawing what led to no transaction.
    pub withdraw: Retry,
    /// Retries of cancels, captures, refunds and voids.
    pub operations: Retry,
    /// The Acquiring Partner's own account; events for another one are not acted on. Any when
    /// absent.
    #[serde(deserialize_with = "empty_is_none")]
    pub acquirer_account: Option<String>,
}

/// When calls to Klarna are held back.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// The most at once.
    pub calls: usize,
    /// After how many in a row without an answer.
    pub failures: u32,
    /// For how long.
    #[serde(rename = "open_ms", deserialize_with = "milliseconds")]
    pub open: Duration,
}

/// Bounded retries with growing pauses.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Calls in all, the first included.
    pub attempts: u32,
    /// First pause.
    #[serde(rename = "first_ms", deserialize_with = "milliseconds")]
    pub first: Duration,
    /// Longest pause.
    #[serde(rename = "max_ms", deserialize_with = "milliseconds")]
    pub max: Duration,
}

/// Growing pauses without an end.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backoff {
    /// First pause.
    #[serde(rename = "first_ms", deserialize_with = "milliseconds")]
    pub first: Duration,
    /// Longest pause.
    #[serde(rename = "max_ms", deserialize_with = "milliseconds")]
    pub max: Duration,
}

impl Backoff {
    /// The pause after so many failures (from 1), shortened by `share` (0 to 1).
    pub fn pause(&self, failures: u32, share: f64) -> Duration {
        let doubled =
            self.first.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
        doubled.min(self.max).mul_f64(share)
    }
}

impl Retry {
    /// The pause after so many failures, or `None` when that was the last attempt.
    pub fn pause(&self, failures: u32, share: f64) -> Option<Duration> {
        let backoff = Backoff { first: self.first, max: self.max };
        (failures < self.attempts).then(|| backoff.pause(failures, share))
    }
}

/// How open work is taken up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbox {
    /// How often to look when nothing wakes the workers.
    #[serde(rename = "poll_ms", deserialize_with = "milliseconds")]
    pub poll: Duration,
    /// How long a claim holds.
    #[serde(rename = "lease_ms", deserialize_with = "milliseconds")]
    pub lease: Duration,
    /// Tasks at once.
    pub concurrency: usize,
}

/// How Klarna is asked where no webhook comes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconcile {
    /// How long after a step-up has begun.
    #[serde(rename = "first_ms", deserialize_with = "milliseconds")]
    pub first: Duration,
    /// How often from then on.
    #[serde(rename = "every_ms", deserialize_with = "milliseconds")]
    pub every: Duration,
    /// How long a payment request can live; one that Klarna says nothing of after that has expired.
    #[serde(rename = "longest_life_ms", deserialize_with = "milliseconds")]
    pub longest_life: Duration,
}

impl Reconcile {
    /// How long a payment request can live.
    pub fn longest_life(&self) -> jiff::SignedDuration {
        self.longest_life.try_into().unwrap_or(jiff::SignedDuration::MAX)
    }
}

/// How Partners are told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notifications {
    /// For Partners without a URL of their own.
    #[serde(deserialize_with = "empty_is_none")]
    pub default_url: Option<Url>,
    /// Time to connect.
    #[serde(rename = "connect_timeout_ms", deserialize_with = "milliseconds")]
    pub connect_timeout: Duration,
    /// Time for the whole call.
    #[serde(rename = "timeout_ms", deserialize_with = "milliseconds")]
    pub timeout: Duration,
    /// How long a Partner is told again until it answers 2xx.
    #[serde(rename = "span_ms", deserialize_with = "milliseconds")]
    pub span: Duration,
    /// Pauses between the attempts.
    pub retry: Backoff,
}

impl Notifications {
    /// How long a Partner is told again.
    pub fn span(&self) -> jiff::SignedDuration {
        self.span.try_into().unwrap_or(jiff::SignedDuration::MAX)
    }
}

/// How the webhook is registered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// How long the ready line waits for the first try.
    #[serde(rename = "ready_wait_ms", deserialize_with = "milliseconds")]
    pub ready_wait: Duration,
    /// How often to look whether Klarna still has both.
    #[serde(rename = "check_ms", deserialize_with = "milliseconds")]
    pub check: Duration,
    /// Least pause between two looks, whatever asks for them.
    #[serde(rename = "check_gap_ms", deserialize_with = "milliseconds")]
    pub check_gap: Duration,
    /// Pauses while Klarna does not answer.
    pub retry: Backoff,
    /// Signing keys that were made by hand, as the webhook was then too: nothing is registered.
    pub signing_keys: Vec<RegisteredKey>,
}

/// A signing key that somebody made at Klarna by hand.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisteredKey {
    /// Klarna's name for it.
    pub id: SigningKeyId,
    /// What Klarna showed once, when it was made.
    pub secret: SecretString,
}

/// The customer's way back.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Return {
    /// Longest wait for the outcome.
    #[serde(rename = "wait_ms", deserialize_with = "milliseconds")]
    pub wait: Duration,
}

/// Logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logs {
    /// For people or for machines.
    pub format: LogFormat,
    /// Directives of the tracing crate.
    pub filter: String,
}

/// Traces.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    /// The OTLP endpoint of a collector; nothing is exported when `None`.
    #[serde(deserialize_with = "empty_is_none")]
    pub endpoint: Option<Url>,
}

/// For people or for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line an event.
    Text,
    /// One JSON object an event.
    Json,
}

/// A way to pay that payment forms can list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PaymentMethod {
    /// Payment cards.
    Card,
    /// Klarna, as Klarna would have itself shown.
    Klarna,
}

/// A Partner: its key here, its accounts at Klarna, its ears.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerSettings {
    /// This acquirer's name for it.
    pub name: String,
    /// What it authenticates with. Either this or its hash.
    pub api_key: Option<SecretString>,
    /// The hash of what it authenticates with.
    pub api_key_sha256: Option<KeyHash>,
    /// Its account at Klarna, one a Partner (contract `payments.md` 1.2).
    pub klarna_partner_account: PartnerAccountId,
    /// Which payment account settles; Klarna's only one when absent.
    pub klarna_payment_account: Option<String>,
    /// Which payment account settles a currency, where that is not the one above. By currency (ISO 4217).
    #[serde(default)]
    pub klarna_payment_accounts: BTreeMap<String, String>,
    /// The profile it was onboarded with. Klarna knows it since then; no payment call carries it.
    pub klarna_payment_profile: Option<String>,
    /// What its payment form lists, in order; the same as for everyone when absent.
    pub payment_methods: Option<Vec<PaymentMethod>>,
    /// Where it is told of outcomes.
    pub notification_url: Option<Url>,
    /// `whsec_` and the base64 of the key that signs what it is told; several with commas between,
    /// while one replaces the other.
    pub notification_secret: Option<SecretString>,
}

/// Which payment account a payment names (contract `payments.md` 2.1, `acquiring_config`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentAccount<'a> {
    /// This one.
    Named(&'a str),
    /// None: the Partner has only one.
    Only,
    /// It has some, and none for this currency.
    Missing,
}

impl PartnerSettings {
    /// Which payment account settles a currency.
    pub fn payment_account(&self, currency: &Currency) -> PaymentAccount<'_> {
        let own = self.klarna_payment_accounts.get(currency.as_str());
        match own.or(self.klarna_payment_account.as_ref()) {
            Some(account) => PaymentAccount::Named(account),
            None if self.klarna_payment_accounts.is_empty() => PaymentAccount::Only,
            None => PaymentAccount::Missing,
        }
    }

    /// The hash of its key; `None` where the settings do not say exactly one.
    pub fn key_hash(&self) -> Option<KeyHash> {
        match (&self.api_key, self.api_key_sha256) {
            (Some(key), None) if !key.expose_secret().is_empty() => Some(KeyHash::of(key)),
            (None, Some(hash)) => Some(hash),
            _ => None,
        }
    }
}

/// Settings that do not go together.
#[derive(Debug)]
pub(super) struct Complaint {
    /// The setting that is to be mended, e.g. `partners[1].api_key`.
    pub(super) setting: String,
    /// What is wrong, and how to mend it.
    pub(super) text: String,
}

impl Complaint {
    pub(super) fn new(setting: impl Into<String>, text: impl Into<String>) -> Self {
        Self { setting: setting.into(), text: text.into() }
    }
}

impl Settings {
    /// Where a Partner is told of outcomes.
    pub fn notification_url<'a>(&'a self, partner: &'a PartnerSettings) -> Option<&'a Url> {
        partner.notification_url.as_ref().or(self.notifications.default_url.as_ref())
    }

    /// What a Partner's payment form lists, in order.
    pub fn payment_methods(&self, partner: &PartnerSettings) -> Vec<PaymentMethod> {
        partner.payment_methods.as_ref().unwrap_or(&self.payment_methods).clone()
    }

    /// What can be used, but should not be so. Each names the setting and how to mend it.
    pub fn warnings(&self) -> Vec<String> {
        let plain = self.partners.iter().enumerate().filter(|(_, partner)| partner.api_key.is_some());
        plain
            .map(|(index, partner)| {
                format!(
                    "partners[{index}].api_key of {:?} stands in plain: whoever reads the file can pay as this \
                     Partner; put api_key_sha256 there instead, as `reference-acquirer new-api-key` prints it",
                    partner.name
                )
            })
            .collect()
    }

    /// What types cannot say. Each complaint names the setting and how to mend it.
    pub(super) fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let mut complain = |setting: &str, text: String| complaints.push(Complaint::new(setting, text));
        if self.klarna.api_key.expose_secret().is_empty() {
            complain(
                "klarna.api_key",
                "klarna.api_key is missing: set it in the file or as KLARNA_API_KEY".to_owned(),
            );
        }
        if !self.klarna.api_key.expose_secret().bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            complain(
                "klarna.api_key",
                "klarna.api_key must be visible ASCII: it travels in a header".to_owned(),
            );
        }
        if !matches!(self.klarna.base_url.scheme(), "http" | "https") {
            complain("klarna.base_url", "klarna.base_url must be http or https".to_owned());
        }
        if self.klarna.client_certificate_file.is_some() != self.klarna.client_key_file.is_some() {
            complain(
                "klarna.client_certificate_file",
                "klarna.client_certificate_file and klarna.client_key_file go together".to_owned(),
            );
        }
        let name = &self.klarna.integrator_name;
        if name.is_empty() || name.len() > 50 || !name.bytes().all(is_upper_snake) {
            complain(
                "klarna.integrator_name",
                "klarna.integrator_name must be 1 to 50 of A-Z, 0-9 and _".to_owned(),
            );
        }
        match &self.public_url {
            Some(url) if url.scheme() == "https" || url.scheme() == "http" && is_loopback(url) => {}
            Some(url) => complain(
                "public_url",
                format!("public_url {url} must be https, or plain http on loopback: Klarna calls no other"),
            ),
            None if self.listen.ip().is_loopback() => {}
            None => complain(
                "public_url",
                format!("public_url is missing: Klarna and customers cannot reach http://{}", self.listen),
            ),
        }
        if !store::is_known(self.database.expose_secret()) {
            complain("database", "database must start with sqlite:// or postgres://".to_owned());
        }
        match (self.database_key.expose_secret(), Sealer::new(&self.database_key)) {
            ("", _) => complain(
                "database_key",
                "database_key is missing: set REFERENCE_ACQUIRER_DATABASE_KEY to what `reference-acquirer \
                 new-database-key` prints, and keep it: what is secret in the database can be read with it only"
                    .to_owned(),
            ),
            (_, Err(error)) => complain("database_key", format!("database_key {error}")),
            (_, Ok(_)) => {}
        }
        complaints.extend(self.complaints_about_numbers());
        if stands_twice(&self.payment_methods) {
            complaints.push(Complaint::new("payment_methods", "payment_methods names a method twice"));
        }
        complaints.extend(self.complaints_about_signing_keys());
        complaints.extend(self.complaints_about_partners());
        complaints
    }

    fn complaints_about_numbers(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let mut complain = |setting: &str, text: String| complaints.push(Complaint::new(setting, text));
        let longest = (CALLS_IN_A_TASK * self.klarna.timeout).max(self.notifications.timeout);
        if self.outbox.lease <= longest {
            complain(
                "outbox.lease_ms",
                format!(
                    "outbox.lease_ms must be longer than notifications.timeout_ms and {CALLS_IN_A_TASK} times \
                     klarna.timeout_ms"
                ),
            );
        }
        for (setting, duration) in [
            ("outbox.poll_ms", self.outbox.poll),
            ("reconcile.first_ms", self.reconcile.first),
            ("reconcile.every_ms", self.reconcile.every),
            ("klarna.connect_timeout_ms", self.klarna.connect_timeout),
            ("klarna.timeout_ms", self.klarna.timeout),
            ("klarna.presentation_timeout_ms", self.klarna.presentation_timeout),
            ("klarna.retry.first_ms", self.klarna.retry.first),
            ("klarna.withdraw.first_ms", self.klarna.withdraw.first),
            ("klarna.operations.first_ms", self.klarna.operations.first),
            ("registration.check_ms", self.registration.check),
            ("notifications.retry.first_ms", self.notifications.retry.first),
            ("registration.retry.first_ms", self.registration.retry.first),
        ] {
            if duration.is_zero() {
                complain(setting, format!("{setting} must be at least 1"));
            }
        }
        for (setting, duration) in
            [("reconcile.first_ms", self.reconcile.first), ("reconcile.every_ms", self.reconcile.every)]
        {
            if duration > LONGEST_UNASKED {
                complain(
                    setting,
                    format!(
                        "{setting} must be at most {}: a session token lives 60 minutes",
                        LONGEST_UNASKED.as_millis()
                    ),
                );
            }
        }
        for (setting, count) in [
            ("outbox.concurrency", self.outbox.concurrency),
            ("klarna.breaker.calls", self.klarna.breaker.calls),
            ("klarna.breaker.failures", self.klarna.breaker.failures as usize),
            ("http.body_limit_bytes", self.http.body_limit_bytes),
            ("klarna.retry.attempts", self.klarna.retry.attempts as usize),
            ("klarna.withdraw.attempts", self.klarna.withdraw.attempts as usize),
            ("klarna.operations.attempts", self.klarna.operations.attempts as usize),
        ] {
            if count == 0 {
                complain(setting, format!("{setting} must be at least 1"));
            }
        }
        complaints
    }

    fn complaints_about_signing_keys(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let mut ids = BTreeSet::new();
        for (index, key) in self.registration.signing_keys.iter().enumerate() {
            let mut complain = |field: &str, text: &str| {
                let setting = format!("registration.signing_keys[{index}].{field}");
                complaints.push(Complaint::new(&setting, format!("{setting} {text}")));
            };
            let id = key.id.as_str();
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
                complain("id", "must be the signing_key_id that Klarna answered, krn:…:signing-key:…");
            }
            if !ids.insert(id) {
                complain("id", "stands twice");
            }
            if key.secret.expose_secret().is_empty() {
                complain(
                    "secret",
                    "is empty: it is the signing_key that Klarna showed once, when it was made",
                );
            }
        }
        complaints
    }

    fn complaints_about_partners(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        if self.partners.is_empty() {
            let text = "no partners: name at least one under [[partners]] (see acquirer.example.toml)";
            complaints.push(Complaint::new("partners", text));
        }
        complaints.extend(payment_accounts::complaints(&self.partners));
        let mut accounts = BTreeMap::new();
        let mut names = BTreeSet::new();
        let mut keys = BTreeMap::new();
        for (index, partner) in self.partners.iter().enumerate() {
            let mut complain = |field: &str, text: String| {
                complaints.push(Complaint::new(format!("partners[{index}].{field}"), text));
            };
            let name = partner.name.as_str();
            if !names.insert(name) {
                complain("name", format!("two partners are called {name:?}"));
            }
            if partner.payment_methods.as_deref().is_some_and(stands_twice) {
                complain("payment_methods", format!("partner {name:?} names a payment method twice"));
            }
            let setting = if partner.api_key.is_some() { "api_key" } else { "api_key_sha256" };
            if partner.key_hash().is_none() {
                let text = "needs either api_key, not empty, or api_key_sha256, and not both";
                complain(setting, format!("partner {name:?} {text}"));
            }
            if let Some(other) = partner.key_hash().and_then(|hash| keys.insert(hash, name)) {
                complain(setting, format!("partners {other:?} and {name:?} have the same api_key"));
            }
            if let Some(other) = accounts.insert(partner.klarna_partner_account.as_str(), name) {
                let account = &partner.klarna_partner_account;
                let text = format!(
                    "partners {other:?} and {name:?} share the Klarna account {account}; each needs its own"
                );
                complain("klarna_partner_account", text);
            }
            match (self.notification_url(partner), &partner.notification_secret) {
                (Some(_), None) => complain(
                    "notification_url",
                    format!(
                        "partner {name:?} has a notification URL but no notification_secret: it could not verify what it is told"
                    ),
                ),
                (_, Some(secret)) if crate::workers::notify::signing_keys(secret).is_none() => complain(
                    "notification_secret",
                    format!(
                        "notification_secret of partner {name:?} must be whsec_ and standard base64, or several with commas between"
                    ),
                ),
                _ => {}
            }
        }
        complaints
    }
}

fn stands_twice(methods: &[PaymentMethod]) -> bool {
    methods.iter().collect::<BTreeSet<_>>().len() < methods.len()
}

fn is_upper_snake(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer)
        .map(Duration::from_millis)
        .map_err(|_| serde::de::Error::custom("must be a whole number of milliseconds"))
}

/// An empty string stands for "none", since TOML and environments have no null.
fn empty_is_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_attempts_are_counted() {
        let millis = Duration::from_millis;
        let retry = Retry { attempts: 6, first: millis(100), max: millis(500) };
        let pauses: Vec<_> = (1..=7).map(|failures| retry.pause(failures, 1.0)).collect();
        let expected = [Some(100), Some(200), Some(400), Some(500), Some(500), None, None];
        assert_eq!(pauses, expected.map(|pause| pause.map(millis)));
        assert_eq!(retry.pause(2, 0.5), Some(millis(100)));
        // After ever so many failures too.
        let backoff = Backoff { first: millis(100), max: millis(500) };
        assert_eq!(backoff.pause(u32::MAX, 1.0), millis(500));
    }
}
