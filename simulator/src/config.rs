//! Settings: built-in defaults < file < environment < flags. The only place that reads the
//! environment (`layers.rs`).

mod acquirers;
mod layers;
mod rate_limits;

use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::SignedDuration;
use klarna_schemas::ids::AcquirerAccountId;
use klarna_schemas::klarna::authorize::AuthorizationResult;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};

pub use acquirers::{AcquirerSettings, LaidDownKey, LaidDownWebhook};
pub(crate) use acquirers::{Misfit, check};
pub use rate_limits::{CallCategory, Quota, Quotas, RateLimitMode, RateLimitSettings};

pub use crate::rules_file::RulesError;

pub use crate::engine::{
    DecidingPolicy, ErrorListPolicy, ExpiredRequestPolicy, OddityPolicy, OlderNamesPolicy, PolicySettings,
    RefusalPolicy, ReusePolicy, TokenPlaces,
};

/// The defaults, and the documentation of every setting.
pub const DEFAULTS: &str = include_str!("../defaults.toml");

/// Every setting. `defaults.toml` says what each means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What stands in front of the Purchase Journey's path; empty for the listening address.
    pub public_url: String,
    /// Seed of every id and token.
    pub seed: u64,
    /// What an initial authorize gets when nothing else decides.
    pub outcome: DefaultOutcome,
    /// Acquirer accounts with their API keys.
    pub acquirers: Vec<AcquirerSettings>,
    /// Where `acquirers` was read, in the words of an error: accounts are looked at as a whole, at the
    /// start, when the text is gone.
    #[serde(skip)]
    pub acquirers_from: String,
    /// What happens to unknown Partner accounts.
    pub accounts: AccountSettings,
    /// TLS.
    pub tls: TlsSettings,
    /// What happens where the sources are silent or disagree.
    pub policies: PolicySettings,
    /// Who may use the control API.
    pub control: ControlSettings,
    /// What Klarna shall do with calls that are so and so.
    pub rules: RulesSettings,
    /// How webhooks are delivered.
    pub webhooks: WebhookSettings,
    /// Calls a second.
    pub rate_limits: RateLimitSettings,
    /// Limits.
    pub limits: Limits,
}

/// TLS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// Whether it is spoken; then nothing else is.
    pub enabled: bool,
    /// Folder of the authority; empty for one of its own at each start.
    pub folder: String,
    /// Names in the certificate, beside loopback and those that other settings have.
    pub hosts: Vec<String>,
    /// What happens to calls without a valid client certificate, until an account says otherwise.
    pub client_certificates: ClientCertificateMode,
}

/// What happens to calls without a valid client certificate (contract `payments.md` 1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificateMode {
    /// They are served, and the answer's header tells.
    Report,
    /// They are refused.
    Enforce,
}

/// What happens to Partner accounts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSettings {
    /// What happens to one that nobody has made.
    pub unknown: UnknownAccounts,
}

/// What happens to a Partner account that nobody has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownAccounts {
    /// It is made on its first call.
    Create,
    /// The call is refused with 403.
    Refuse,
}

/// What an initial authorize gets when nothing else decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum DefaultOutcome {
    /// `APPROVED`.
    Approve,
    /// `DECLINED`.
    Decline,
    /// `STEP_UP_REQUIRED`.
    StepUp,
}

impl DefaultOutcome {
    /// Klarna's word for it.
    pub fn result(self) -> AuthorizationResult {
        match self {
            Self::Approve => AuthorizationResult::Approved,
            Self::Decline => AuthorizationResult::Declined,
            Self::StepUp => AuthorizationResult::StepUpRequired,
        }
    }
}

/// Refuses to open the control API to the network unasked.
pub(crate) fn check_guard(settings: &Settings) -> Result<(), ConfigError> {
    let control = &settings.control;
    let guarded =
        settings.listen.ip().is_loopback() || control.open || !control.token.expose_secret().is_empty();
    if guarded { Ok(()) } else { Err(ConfigError::Unguarded(settings.listen)) }
}

/// Who may use the control API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlSettings {
    /// What callers must present; empty for nothing.
    pub token: SecretString,
    /// Whether it is open to all who can reach it, without a token.
    pub open: bool,
}

/// What Klarna shall do with calls that are so and so.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesSettings {
    /// The rules file; empty for none.
    pub file: PathBuf,
    /// Whether documented test customers are known.
    pub magic_values: bool,
}

/// How webhooks are delivered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Delay before each further attempt, on the sandbox's clock.
    pub retry_after: Vec<SignedDuration>,
    /// How long an answer may take, in real milliseconds.
    pub timeout_ms: u64,
    /// How much of an answer is read, in bytes.
    pub answer_bytes: usize,
    /// Hosts, beside loopback, that may be called by plain http.
    pub allow_http: Vec<String>,
    /// Whether a webhook's URL must be https on port 443 or 8443.
    pub strict_urls: bool,
}

/// Limits, with units in their names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Largest request body.
    pub body_bytes: usize,
    /// All headers of a request together.
    #[serde(deserialize_with = "at_least_8192")]
    pub header_bytes: usize,
    /// How long the headers of a request may take.
    pub header_read_ms: u64,
    /// Connections at once.
    pub connections: usize,
    /// Bytes that all journals hold together.
    pub journal_bytes: usize,
    /// Acquirer accounts at once.
    pub accounts: usize,
    /// Sandboxes at once.
    pub sandboxes: usize,
    /// Payments that one sandbox remembers in an epoch.
    pub payments: usize,
    /// Events of one sandbox that wait to be sent.
    pub webhooks_queued: usize,
}

/// hyper's own least.
fn at_least_8192<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let bytes = usize::deserialize(deserializer)?;
    if bytes < 8192 {
        return Err(serde::de::Error::custom("must be at least 8192"));
    }
    Ok(bytes)
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {path} cannot be read: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The text is no TOML, or names settings that are not there.
    #[error(
        "the configuration {origin} is not valid\n{detail}\nhint: `klarna-simulator config` prints every setting with its default"
    )]
    Invalid {
        /// Which file, or the environment.
        origin: String,
        /// The place and what is wrong there.
        detail: String,
    },
    /// The control API would be open to the network.
    #[error(
        "the control API would be open to whoever can reach {0}\nhint: set control.token (in the environment, KLARNA_SIMULATOR_CONTROL__TOKEN), listen on loopback, or set control.open = true where only friends can reach it"
    )]
    Unguarded(SocketAddr),
    /// The rules file cannot be used.
    #[error("the rules cannot be used\n{0}")]
    Rules(#[from] RulesError),
    /// An acquirer account cannot be laid down as it is written.
    #[error(
        "the acquirer account \"{account}\" of the configuration {origin} cannot be laid down: {place}: {reason}\nhint: {hint}"
    )]
    Account {
        /// Which file, the environment, or the defaults.
        origin: String,
        /// Which account.
        account: AcquirerAccountId,
        /// Which setting, by its path.
        place: String,
        /// What is wrong there.
        reason: String,
        /// How to mend it.
        hint: String,
    },
}
