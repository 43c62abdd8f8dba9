//! The bytes that all journals of a simulator may hold together, and who makes room when they are spent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::shelf::Shelf;

/// Shared by all journals of a simulator.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    used: AtomicUsize,
    /// What of it findings cite.
    pinned: AtomicUsize,
    /// What every journal keeps.
    shelves: Mutex<Vec<Weak<Shelf>>>,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        let (used, pinned) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self(Arc::new(Shared { limit, used, pinned, shelves: Mutex::default() }))
    }

    /// A new journal's shelf.
    pub(super) fn shelf(&self) -> Arc<Shelf> {
        let new = Arc::new(Shelf::new(self.clone()));
        self.0.shelves.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&new));
        new
    }

    /// Lets the journal that holds most make room, until the budget is no longer spent: whoever holds less
    /// than others loses nothing by them. `newest` is what `own` has just written down, which stays.
    ///
    /// Half of the budget at most is pinned, so this ends with all journals within it together, or with
    /// what was just written down as the only thing left to drop.
    pub(super) fn make_room(&self, own: &Arc<Shelf>, newest: (u64, usize)) {
        while self.is_spent() {
            let (seq, cost) = newest;
            let Some(fullest) = self.fullest(own, cost) else { return };
            let spared = Arc::ptr_eq(&fullest, own).then_some(seq);
            if !fullest.drop_oldest(spared) {
                return;
            }
        }
    }

    /// Whoever holds most of what can be dropped; of `own` all but so many bytes. No shelf is locked for it.
    fn fullest(&self, own: &Arc<Shelf>, spared: usize) -> Option<Arc<Shelf>> {
        let mut fullest: (usize, Option<Arc<Shelf>>) = (0, None);
        let mut shelves = self.0.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.retain(|known| {
            let Some(known) = known.upgrade() else { return false };
            let spared = if Arc::ptr_eq(&known, own) { spared } else { 0 };
            let loose = known.loose().saturating_sub(spared);
            if loose > fullest.0 {
                fullest = (loose, Some(known));
            }
            true
        });
        drop(shelves);
        fullest.1
    }

    fn is_spent(&self) -> bool {
        self.0.used.load(Ordering::Relaxed) > self.0.limit
    }

    pub(super) fn is_half_spent(&self) -> bool {
        self.0.used.load(Ordering::Relaxed) > self.0.limit / 2
    }

    pub(super) fn take(&self, cost: usize) {
        self.0.used.fetch_add(cost, Ordering::Relaxed);
    }

    pub(super) fn give_back(&self, cost: usize) {
        self.0.used.fetch_sub(cost, Ordering::Relaxed);
    }

    /// Takes so much out of what can be dropped, if findings may keep so much more: half of the budget stays
    /// for the rest.
    pub(super) fn pin(&self, cost: usize) -> bool {
        let most = self.0.limit / 2;
        let more = |pinned: usize| pinned.checked_add(cost).filter(|sum| *sum <= most);
        self.0.pinned.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    pub(super) fn unpin(&self, cost: usize) {
        self.0.pinned.fetch_sub(cost, Ordering::Relaxed);
    }

    /// What all journals hold together, in bytes.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }
}
