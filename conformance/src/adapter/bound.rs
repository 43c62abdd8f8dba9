//! The acquirer as a Partner sees it.

use std::collections::BTreeMap;

use url::Url;

use super::{Adapter, Order, Outcome, PartnerBinding, PartnerExchange};
use crate::launch::LaunchContext;

/// An adapter bound to a running acquirer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BoundAcquirer {
    adapter: Adapter,
    base_url: Url,
}

/// What the acquirer answered, read by the adapter.
#[derive(Debug, Clone)]
pub struct PaymentAnswer {
    /// What the answer means.
    pub outcome: Outcome,
    /// What the adapter's `read` found: `payment_id`, `redirect_url`, `payment_request_id`, …
    pub read: BTreeMap<String, String>,
    /// The call itself.
    pub exchange: PartnerExchange,
}

/// A template that could not be rendered.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{place}: {message}")]
pub struct TemplateError {
    /// `file:line:column` in the adapter.
    pub place: String,
    /// What is wrong, with the names that exist.
    pub message: String,
}

/// Why an operation came to no answer that the suite can read.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// No connection, or it broke.
    #[error("{operation}: {url} cannot be reached: {reason}\n  hint: {hint}")]
    Unreachable {
        /// Which operation.
        operation: &'static str,
        /// What was called.
        url: String,
        /// What went wrong below.
        reason: String,
        /// How to mend it.
        hint: String,
    },
    /// No answer within `timing.operation_timeout_ms`.
    #[error("{operation}: {url} did not answer within {after_ms} ms")]
    TimedOut {
        /// Which operation.
        operation: &'static str,
        /// What was called.
        url: String,
        /// The deadline.
        after_ms: u128,
    },
    /// An answer that no rule of the adapter fits.
    #[error("{operation}: {what}")]
    Unreadable {
        /// Which operation.
        operation: &'static str,
        /// What matched nothing, and where the rules stand.
        what: String,
        /// The call.
        exchange: Box<PartnerExchange>,
    },
    /// The adapter does not bind this operation.
    #[error("the adapter {adapter} binds no operation {operation}")]
    NotBound {
        /// The adapter's file.
        adapter: String,
        /// The operation.
        operation: &'static str,
    },
    /// A template of the adapter failed on this order.
    #[error("{operation}: {source}")]
    Template {
        /// Which operation.
        operation: &'static str,
        /// Where and why.
        #[source]
        source: TemplateError,
    },
}

impl OperationError {
    /// The call, where there was an answer.
    pub fn exchange(&self) -> Option<&PartnerExchange> {
        match self {
            Self::Unreadable { exchange, .. } => Some(exchange),
            _ => None,
        }
    }
}

impl BoundAcquirer {
    /// Binds an adapter to the acquirer at `base_url`.
    pub fn new(adapter: &Adapter, base_url: &Url, _context: &LaunchContext) -> Self {
        Self { adapter: adapter.clone(), base_url: base_url.clone() }
    }

    /// Asks the acquirer for a payment, as `partner`.
    pub async fn create_payment(
        &self,
        _partner: &PartnerBinding,
        _order: &Order,
    ) -> Result<PaymentAnswer, OperationError> {
        Err(self.unfinished("create_payment"))
    }

    /// Asks the acquirer how a payment stands, as `partner`.
    pub async fn read_payment(
        &self,
        _partner: &PartnerBinding,
        _payment_id: &str,
    ) -> Result<PaymentAnswer, OperationError> {
        Err(self.unfinished("read_payment"))
    }

    fn unfinished(&self, operation: &'static str) -> OperationError {
        OperationError::NotBound { adapter: format!("{} at {}", self.adapter.name(), self.base_url), operation }
    }
}
