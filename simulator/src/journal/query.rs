//! Which entries a reader wants.

use std::time::Duration;

use klarna_schemas::simulator::control::JournalQuery;
use klarna_schemas::simulator::journal::Direction;

use super::exchange::Exchange;

/// The longest that one call may wait for entries.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(60);

/// A query, resolved against one sandbox.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) after: u64,
    pub(crate) direction: Option<Direction>,
    operation: Option<Pattern>,
    /// The simulator's name of a payment; `Some(None)` where the name given fits no payment (yet).
    pub(crate) payment: Option<Option<String>>,
}

#[derive(Debug, Clone)]
enum Pattern {
    Exactly(String),
    StartsWith(String),
}

impl Filter {
    /// From a query; `resolve` turns any name of a payment into the simulator's.
    pub(crate) fn new(query: &JournalQuery, resolve: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            after: query.after.unwrap_or(0),
            direction: query.direction,
            operation: query.operation.as_deref().map(|text| match text.strip_suffix('*') {
                Some(start) => Pattern::StartsWith(start.to_owned()),
                None => Pattern::Exactly(text.to_owned()),
            }),
            payment: query.payment.as_deref().map(resolve),
        }
    }

    /// Whether an entry is wanted.
    pub(crate) fn takes(&self, seq: u64, exchange: &Exchange) -> bool {
        let operation = match &self.operation {
            None => true,
            Some(Pattern::Exactly(text)) => exchange.operation == *text,
            Some(Pattern::StartsWith(start)) => exchange.operation.starts_with(start.as_str()),
        };
        let payment = match &self.payment {
            None => true,
            Some(name) => name.is_some() && exchange.payment == *name,
        };
        seq > self.after
            && operation
            && payment
            && self.direction.is_none_or(|direction| exchange.direction == direction)
    }
}
