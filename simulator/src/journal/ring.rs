//! The bounded store of exchanges. All journals of a simulator share one byte budget.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use klarna_schemas::simulator::journal::JournalEntry;

use super::exchange::Exchange;
use super::query::Filter;

/// Bytes that all journals of a simulator may hold together.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    limit: usize,
    used: Arc<AtomicUsize>,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, used: Arc::default() }
    }
}

/// Exchanges in the order in which they ended.
#[derive(Debug)]
pub(crate) struct Journal {
    kept: VecDeque<Kept>,
    last_seq: u64,
    dropped: u64,
    budget: Budget,
}

#[derive(Debug)]
struct Kept {
    seq: u64,
    exchange: Exchange,
    findings: Vec<String>,
    /// Cited by a finding: stays, whatever the budget says.
    pinned: bool,
}

impl Journal {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { kept: VecDeque::new(), last_seq: 0, dropped: 0, budget }
    }

    /// Writes an exchange down and returns its sequence number. Where the budget is spent, the
    /// oldest of this journal that no finding cites make room; they are counted.
    pub(crate) fn append(&mut self, exchange: Exchange) -> u64 {
        self.last_seq += 1;
        self.budget.used.fetch_add(exchange.cost(), Ordering::Relaxed);
        let seq = self.last_seq;
        self.kept.push_back(Kept { seq, exchange, findings: Vec::new(), pinned: false });
        while self.budget.used.load(Ordering::Relaxed) > self.budget.limit {
            let Some(oldest) = self.kept.iter().position(|kept| !kept.pinned && kept.seq != seq) else {
                break;
            };
            if let Some(gone) = self.kept.remove(oldest) {
                self.budget.used.fetch_sub(gone.exchange.cost(), Ordering::Relaxed);
                self.dropped += 1;
            }
        }
        seq
    }

    /// Marks exchanges as cited by a rule's finding.
    pub(crate) fn cite(&mut self, seqs: &[u64], rule: &str) {
        for kept in self.kept.iter_mut().filter(|kept| seqs.contains(&kept.seq)) {
            kept.pinned = true;
            if !kept.findings.iter().any(|known| known == rule) {
                kept.findings.push(rule.to_owned());
            }
        }
    }

    /// Matching entries, oldest first.
    pub(crate) fn read(&self, filter: &Filter) -> Vec<JournalEntry> {
        self.kept
            .iter()
            .filter(|kept| filter.takes(kept.seq, &kept.exchange))
            .map(|kept| kept.exchange.entry(kept.seq, &kept.findings))
            .collect()
    }

    /// Sequence number of the newest entry, 0 where there is none.
    pub(crate) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// How many entries the budget has pushed out.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let held = self.kept.iter().map(|kept| kept.exchange.cost()).sum();
        self.budget.used.fetch_sub(held, Ordering::Relaxed);
    }
}
