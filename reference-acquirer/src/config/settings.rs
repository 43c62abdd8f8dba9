//! What can be set. `defaults.toml` documents every setting; this file gives each its type.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use klarna_schemas::ids::SigningKeyId;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::partners::{PartnerSettings, PaymentMethod};
use super::pauses::{Backoff, Retry};
use super::reading::{empty_is_none, milliseconds};

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

impl Settings {
    /// Where a Partner is told of outcomes.
    pub fn notification_url<'a>(&'a self, partner: &'a PartnerSettings) -> Option<&'a Url> {
        partner.notification_url.as_ref().or(self.notifications.default_url.as_ref())
    }

    /// What a Partner's payment form lists, in order.
    pub fn payment_methods(&self, partner: &PartnerSettings) -> Vec<PaymentMethod> {
        partner.payment_methods.as_ref().unwrap_or(&self.payment_methods).clone()
    }
}
