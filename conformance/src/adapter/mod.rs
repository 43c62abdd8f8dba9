//! Binds the abstract operations of the features to any acquirer's API, by a file and no code.

mod bound;
mod error;
mod exchange;
mod order;
mod outcome;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use klarna_schemas::ids::PartnerAccountId;
use secrecy::SecretString;

pub use bound::{BoundAcquirer, OperationError, PaymentAnswer, TemplateError};
pub use error::AdapterError;
pub use exchange::PartnerExchange;
pub use order::{Address, Customer, Mode, Order, OrderLine};
pub use outcome::Outcome;

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

#[derive(Debug)]
struct Checked {
    name: String,
    partners: Vec<PartnerBinding>,
    capabilities: Vec<String>,
    timing: Timing,
    listen: Listen,
}

/// A Partner that the acquirer knows.
#[derive(Debug, Clone)]
pub struct PartnerBinding {
    /// How the adapter calls it.
    pub name: String,
    /// The Klarna account that the acquirer must use for it.
    pub klarna_account: PartnerAccountId,
    /// What the acquirer gave this Partner: keys, merchant numbers, notification secrets.
    pub vars: indexmap::IndexMap<String, SecretString>,
}

/// What an acquirer can claim to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability;

impl Capability {
    /// Every capability that a feature may ask for.
    pub const KNOWN: &'static [&'static str] = &["redirect", "sdk", "notifications", "payment_methods"];
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
    /// How long the suite waits after a fence before it says that nothing came.
    pub quiet_ms: Option<u64>,
    /// Deadline of each call of the suite to the acquirer; 15 s when the file is silent.
    pub operation_timeout: Duration,
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
    /// Reads, checks and compiles an adapter.
    ///
    /// # Errors
    /// The first mistake found, with file, line, column and a hint.
    pub fn load(source: &AdapterSource) -> Result<Self, AdapterError> {
        Err(error::unfinished(source))
    }

    /// The acquirer's name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The Partners, in file order; at least one.
    pub fn partners(&self) -> &[PartnerBinding] {
        &self.inner.partners
    }

    /// Whether the acquirer claims a capability of [`Capability::KNOWN`].
    pub fn claims(&self, capability: &str) -> bool {
        self.inner.capabilities.iter().any(|claimed| claimed == capability)
    }

    /// What the acquirer claims about its own clocks.
    pub fn timing(&self) -> &Timing {
        &self.inner.timing
    }

    /// Where the suite listens.
    pub fn listen(&self) -> &Listen {
        &self.inner.listen
    }
}
