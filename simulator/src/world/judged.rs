//! A journal whose calls are judged as they are written down, where there is no sandbox to do it.

use klarna_schemas::simulator::finding::Finding;

use crate::clock::real_now;
use crate::journal::{Budget, Exchange, Journal};
use crate::rulebook::{ApiCall, Ledger};

/// The journal, and what was found in it.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) journal: Journal,
    pub(crate) ledger: Ledger,
}

impl Judged {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { journal: Journal::new(budget), ledger: Ledger::default() }
    }

    /// Writes an exchange down and judges it, if it is a call to Klarna's API.
    /// Returns its number, and what was found.
    pub(crate) fn record(&mut self, exchange: Exchange, call: Option<&ApiCall>) -> (u64, Vec<Finding>) {
        let seq = self.journal.append(exchange);
        let Some(call) = call else { return (seq, Vec::new()) };
        let found = self.ledger.api(call, seq, real_now());
        for finding in &found {
            self.journal.cite(&finding.exchanges, &finding.rule);
        }
        (seq, found)
    }
}
