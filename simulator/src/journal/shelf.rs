//! What one journal keeps, behind a lock of its own: other journals can make it give way, so this lock is
//! taken last, for a moment, and never together with another one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use klarna_schemas::simulator::journal::{Ending, JournalEntry};

use super::budget::Budget;
use super::exchange::Exchange;

/// Bytes of one journal that findings may keep from making room: a flood of bad calls is bounded too.
pub(super) const PINNED_BYTES: usize = 4 << 20;

/// Exchanges in the order in which they ended.
#[derive(Debug)]
pub(super) struct Shelf {
    shelved: Mutex<Shelved>,
    /// Bytes that could be dropped, to be read without the lock.
    loose: AtomicUsize,
    budget: Budget,
}

#[derive(Debug, Default)]
struct Shelved {
    kept: VecDeque<Kept>,
    pinned_bytes: usize,
    dropped: u64,
}

/// One exchange, as a journal keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(super) seq: u64,
    pub(super) exchange: Arc<Exchange>,
    pub(super) findings: Vec<String>,
    /// Cited by a finding: stays while there is room for such.
    pinned: bool,
}

impl Kept {
    /// As the control API shows it.
    pub(crate) fn entry(&self) -> JournalEntry {
        self.exchange.entry(self.seq, &self.findings)
    }
}

impl Shelf {
    pub(super) fn new(budget: Budget) -> Self {
        Self { shelved: Mutex::default(), loose: AtomicUsize::new(0), budget }
    }

    fn lock(&self) -> MutexGuard<'_, Shelved> {
        self.shelved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that could be dropped.
    pub(super) fn loose(&self) -> usize {
        self.loose.load(Ordering::Relaxed)
    }

    pub(super) fn put(&self, seq: u64, exchange: Exchange) {
        let cost = exchange.cost();
        let kept = Kept { seq, exchange: Arc::new(exchange), findings: Vec::new(), pinned: false };
        self.lock().kept.push_back(kept);
        self.loose.fetch_add(cost, Ordering::Relaxed);
        self.budget.take(cost);
    }

    /// Drops the oldest that no finding keeps, but for `spared`, and counts it. Whether there was one.
    pub(super) fn drop_oldest(&self, spared: Option<u64>) -> bool {
        let mut shelved = self.lock();
        let oldest = shelved.kept.iter().position(|kept| !kept.pinned && Some(kept.seq) != spared);
        let gone = oldest.and_then(|position| shelved.kept.remove(position));
        shelved.dropped += u64::from(gone.is_some());
        self.forget(gone.as_ref());
        gone.is_some()
    }

    /// Begins an epoch: the count of what was dropped starts again, and once the budget is half spent, what
    /// is of earlier epochs and no finding cites goes.
    pub(super) fn retire(&self, epoch: u64) {
        let mut shelved = self.lock();
        shelved.dropped = 0;
        while self.budget.is_half_spent() {
            let old = |kept: &Kept| !kept.pinned && kept.exchange.epoch < epoch;
            let Some(oldest) = shelved.kept.iter().position(old) else { return };
            let gone = shelved.kept.remove(oldest);
            self.forget(gone.as_ref());
        }
    }

    fn forget(&self, gone: Option<&Kept>) {
        let cost = gone.map_or(0, |gone| gone.exchange.cost());
        self.loose.fetch_sub(cost, Ordering::Relaxed);
        self.budget.give_back(cost);
    }

    /// Marks exchanges as cited by a rule's finding.
    pub(super) fn cite(&self, seqs: &[u64], rule: &str) {
        let mut shelved = self.lock();
        let Shelved { kept, pinned_bytes, .. } = &mut *shelved;
        for kept in kept.iter_mut().filter(|kept| seqs.contains(&kept.seq)) {
            let cost = kept.exchange.cost();
            if !kept.pinned && *pinned_bytes + cost <= PINNED_BYTES && self.budget.pin(cost) {
                kept.pinned = true;
                *pinned_bytes += cost;
                self.loose.fetch_sub(cost, Ordering::Relaxed);
            }
            if !kept.findings.iter().any(|known| known == rule) {
                kept.findings.push(rule.to_owned());
            }
        }
    }

    /// Says of an exchange that was written down already how it has ended after all.
    pub(super) fn amend(&self, seq: u64, ended: Ending) {
        let mut shelved = self.lock();
        if let Ok(position) = shelved.kept.binary_search_by_key(&seq, |kept| kept.seq)
            && let Some(kept) = shelved.kept.get_mut(position)
        {
            Arc::make_mut(&mut kept.exchange).ended = ended;
        }
    }

    /// What came behind `after`, oldest first.
    pub(super) fn since(&self, after: u64) -> Vec<Kept> {
        let shelved = self.lock();
        let start = shelved.kept.partition_point(|kept| kept.seq <= after);
        shelved.kept.range(start..).cloned().collect()
    }

    /// Those of these numbers that are still there.
    pub(super) fn these(&self, seqs: &[u64]) -> Vec<Kept> {
        let shelved = self.lock();
        let find = |seq: &u64| {
            let position = shelved.kept.binary_search_by_key(seq, |kept| kept.seq).ok()?;
            shelved.kept.get(position).cloned()
        };
        seqs.iter().filter_map(find).collect()
    }

    /// How many were dropped in this epoch.
    pub(super) fn dropped(&self) -> u64 {
        self.lock().dropped
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        let pinned = self.lock().pinned_bytes;
        self.budget.give_back(self.loose() + pinned);
        self.budget.unpin(pinned);
    }
}
