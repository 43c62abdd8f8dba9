//! Binds the abstract operations of the features to any acquirer's API, by a file and no code.
//!
//! [`Adapter::load`] reads the file, compiles its templates and checks every name in them, so that
//! a mistake is shown with its line before anything is started. [`BoundAcquirer`] is the acquirer
//! as a Partner sees it.

mod bound;
mod capability;
mod claims;
mod error;
mod exchange;
mod explain;
mod facts;
mod file;
mod filters;
mod follow_up;
mod form;
mod hmac;
mod load;
mod methods;
mod node;
mod notification;
mod oauth;
mod operation;
mod order;
mod outcome;
mod parts;
mod reading;
mod request;
mod rules;
mod shape;
mod signature;
pub(crate) mod source;
mod start;
mod template;
mod tree;
mod variables;
mod vars;
mod verify;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use load::Checked;
use secrecy::{ExposeSecret, SecretString};
use source::Source;
use start::Start;
use url::Url;

pub(crate) use bound::pairs;
pub use bound::{BoundAcquirer, OperationError, PaymentAnswer};
pub use capability::{Capability, ClaimedBy};
pub use error::AdapterError;
pub(crate) use exchange::quoted as shell_word;
pub use exchange::{DryRequest, PartnerExchange};
pub use explain::{ExplainError, Explained, ExplainedAnswer, ExplainedCall, OPERATIONS, ReadValue};
pub use follow_up::{About, FollowUp, FollowUpAnswer, FollowUpOutcome, Wish};
pub use methods::{Given, INSTRUCTION, MethodsAnswer, PAYMENT_OPTION_ID};
pub(crate) use notification::Ears;
pub use notification::Verification;
pub use order::{Address, Customer, Mode, Order, OrderLine, Recipient};
pub use outcome::Outcome;
pub(crate) use parts::Message as Came;
pub(crate) use reading::RESPONSE_DATA;
pub use rules::JudgedRule;
pub(crate) use start::{ProcessPlan, Ready, StopSignal};
pub use template::TemplateError;
pub(crate) use variables::RunVariables;
#[cfg(test)]
pub(crate) use variables::sample_order;
pub use vars::PartnerBinding;

/// Adapters that are embedded in this program: name and text.
const EMBEDDED: &[(&str, &str)] =
    &[(crate::builtin::NAME, include_str!("../../adapters/reference-acquirer.yaml"))];

/// Where an adapter comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdapterSource {
    /// One that is embedded in this program, by name.
    Builtin(String),
    /// A file of the user's.
    File(PathBuf),
}

/// An adapter file, parsed and checked, its templates compiled. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Adapter {
    inner: Arc<Checked>,
}

/// What the acquirer claims about its own clocks; a claim that is absent is not judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// How soon it answers its Partner whatever Klarna does.
    pub answer_ms: Option<u64>,
    /// How long it waits for Klarna.
    pub klarna_timeout_ms: Option<u64>,
    /// How soon it calls Klarna again.
    pub retry_within_ms: Option<u64>,
    /// How soon it registers anew what Klarna has lost of its signing keys and webhooks.
    pub registers_within_ms: Option<u64>,
    /// How long the suite waits after a fence before it says that nothing came.
    pub quiet_ms: Option<u64>,
    /// Deadline of each call of the suite to the acquirer; 15 s when the file is silent.
    pub operation_timeout: Duration,
}

impl Timing {
    /// Claims that a scenario can need: `@timing.<claim>`.
    pub const CLAIMS: &'static [&'static str] =
        &["answer_ms", "klarna_timeout_ms", "retry_within_ms", "registers_within_ms"];

    /// A claim of [`Self::CLAIMS`] in milliseconds, if it is made.
    pub fn claim(&self, name: &str) -> Option<u64> {
        match name {
            "answer_ms" => self.answer_ms,
            "klarna_timeout_ms" => self.klarna_timeout_ms,
            "retry_within_ms" => self.retry_within_ms,
            "registers_within_ms" => self.registers_within_ms,
            _ => None,
        }
    }
}

/// Where the suite itself listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// The simulator.
    pub simulator: SocketAddr,
    /// The Partner stand-in.
    pub partner: SocketAddr,
}

impl Adapter {
    /// Reads, checks and compiles an adapter, with the variables of this process's environment.
    ///
    /// # Errors
    /// The first mistake found, with file, line, column and a hint.
    pub fn load(source: &AdapterSource) -> Result<Self, AdapterError> {
        Self::load_with(source, &vars::process_environment)
    }

    /// As [`Adapter::load`], with an environment of the caller's.
    ///
    /// # Errors
    /// The first mistake found, with file, line, column and a hint.
    pub fn load_with(
        source: &AdapterSource,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, AdapterError> {
        let (source, folder) = match source {
            AdapterSource::File(path) => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                (
                    Source::read(
                        path,
                        "name an adapter file with --acquirer, or leave the flag out for the built-in one",
                    )?,
                    Some(folder.unwrap_or(Path::new(".")).to_path_buf()),
                )
            }
            AdapterSource::Builtin(name) => {
                let text = EMBEDDED.iter().find(|(known, _)| known == name).map(|(_, text)| *text);
                let known: Vec<&str> = EMBEDDED.iter().map(|(name, _)| *name).collect();
                let source = Source::new(format!("builtin:{name}"), text.unwrap_or_default().to_owned());
                if text.is_none() {
                    return Err(source.unknown(source::Place::default(), "built-in adapter", name, &known));
                }
                (source, None)
            }
        };
        Ok(Self { inner: Arc::new(load::load(source, folder, environment)?) })
    }

    /// The adapters that are embedded in this program: name and text.
    pub fn embedded() -> &'static [(&'static str, &'static str)] {
        EMBEDDED
    }

    /// The acquirer's name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The file as the user named it, or `builtin:<name>`.
    pub fn file(&self) -> &str {
        &self.inner.templates.source().name
    }

    /// The Partners, in file order; at least one.
    pub fn partners(&self) -> &[PartnerBinding] {
        &self.inner.partners
    }

    /// Whether the acquirer claims a capability of [`Capability::ALL`].
    pub fn claims(&self, capability: &str) -> bool {
        self.inner.claims.holds(capability)
    }

    /// Why it does not claim a capability, in a sentence; nothing where it does.
    pub fn why_not(&self, capability: &str) -> Option<String> {
        self.inner.claims.why_not(capability)
    }

    /// Whether the adapter binds `read_payment`, so that the suite can poll.
    pub fn can_read_payments(&self) -> bool {
        self.inner.read_payment.is_some()
    }

    /// Whether a value of this name is read from the answer to the create call, and whether reading the
    /// payment gives it.
    pub fn reads(&self, name: &str) -> (bool, bool) {
        let by_reading =
            self.inner.read_payment.as_ref().is_some_and(|read| read.names_read().any(|read| read == name));
        (self.inner.create_payment.names_read().any(|read| read == name), by_reading)
    }

    /// What the acquirer claims about its own clocks.
    pub fn timing(&self) -> &Timing {
        &self.inner.timing
    }

    /// Where the suite listens.
    pub fn listen(&self) -> &Listen {
        &self.inner.listen
    }

    /// Where the acquirer runs already, if the adapter attaches.
    pub fn attaches_to(&self) -> Option<&Url> {
        match &self.inner.start {
            Start::Attach(url) => Some(url),
            Start::Process(_) => None,
        }
    }

    /// Whether it launches the built-in acquirer.
    pub(crate) fn launches_builtin(&self) -> bool {
        matches!(&self.inner.start, Start::Process(process) if process.is_builtin())
    }

    /// Whether the runner must choose the acquirer's port.
    pub(crate) fn needs_port(&self) -> bool {
        matches!(&self.inner.start, Start::Process(process) if process.needs_port())
    }

    /// The process to start; `None` when the adapter attaches.
    pub(crate) fn process(&self, run: &RunVariables) -> Result<Option<ProcessPlan>, TemplateError> {
        match &self.inner.start {
            Start::Attach(_) => Ok(None),
            Start::Process(process) => {
                let variables = run.of_launch(&self.inner.partners);
                process.render(&self.inner.templates, &variables).map(Some)
            }
        }
    }

    /// The folder that relative paths of the launch begin in; none for an embedded adapter.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.inner.folder.as_deref()
    }

    /// The ears of all Partners.
    pub(crate) fn ears(&self, partner_base_url: &Url) -> Result<Ears, TemplateError> {
        let mut run = RunVariables::sample(true);
        partner_base_url.as_str().clone_into(&mut run.partner_base_url);
        Ears::new(self.inner.notifications.as_ref(), &self.inner.partners, &self.inner.templates, &run)
    }

    /// Values that no log may show.
    pub(crate) fn secrets(&self) -> Vec<SecretString> {
        let all = self.inner.partners.iter().flat_map(|partner| partner.vars.values());
        all.filter(|secret| secret.expose_secret().len() >= 6).cloned().collect()
    }
}
