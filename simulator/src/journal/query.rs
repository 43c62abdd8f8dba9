//! Which entries a reader wants.

use std::time::Duration;

use klarna_schemas::simulator::control::JournalQuery;
use klarna_schemas::simulator::journal::Direction;

use super::exchange::Exchange;
use crate::pattern::fits;

/// The longest that one call may wait for entries.
pub(crate) const MAX_WAIT: Duration = Duration::from_mins(1);

/// A query, resolved against one sandbox.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) after: u64,
    pub(crate) direction: Option<Direction>,
    /// A pattern.
    operation: Option<String>,
    payment: OfPayment,
}

#[derive(Debug, Clone, Default)]
enum OfPayment {
    #[default]
    Any,
    /// By the simulator's name.
    Named(String),
    /// The name given fits no payment (yet).
    Nobodys,
}

impl Filter {
    /// From a query; `resolve` turns any name of a payment into the simulator's.
    pub(crate) fn new(query: &JournalQuery, resolve: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            after: query.after.unwrap_or(0),
            direction: query.direction,
            operation: query.operation.clone(),
            payment: match query.payment.as_deref().map(resolve) {
                None => OfPayment::Any,
                Some(Some(name)) => OfPayment::Named(name),
                Some(None) => OfPayment::Nobodys,
            },
        }
    }

    /// Whether an entry is wanted.
    pub(crate) fn takes(&self, seq: u64, exchange: &Exchange) -> bool {
        let operation = self.operation.as_ref().is_none_or(|pattern| fits(pattern, &exchange.operation));
        let payment = match &self.payment {
            OfPayment::Any => true,
            OfPayment::Named(name) => exchange.payment.as_ref() == Some(name),
            OfPayment::Nobodys => false,
        };
        seq > self.after
            && operation
            && payment
            && self.direction.is_none_or(|direction| exchange.direction == direction)
    }
}
