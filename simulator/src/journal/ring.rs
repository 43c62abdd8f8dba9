//! One journal: exchanges numbered as they end, bounded together with all others of a simulator.

use std::sync::Arc;

use klarna_schemas::simulator::journal::{Direction, Ending};

use super::budget::Budget;
use super::exchange::{Exchange, Sent};
use super::shelf::{Kept, Shelf};

/// Exchanges in the order in which they ended.
#[derive(Debug)]
pub(crate) struct Journal {
    shelf: Arc<Shelf>,
    last_seq: u64,
    budget: Budget,
}

impl Journal {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { shelf: budget.shelf(), last_seq: 0, budget }
    }

    /// Writes an exchange down and returns its sequence number. Where the budget is spent, the oldest that
    /// no finding cites make room, first in the journal that holds most; each journal counts its own.
    pub(crate) fn append(&mut self, exchange: Exchange) -> u64 {
        self.last_seq += 1;
        let (seq, cost) = (self.last_seq, exchange.cost());
        self.shelf.put(seq, exchange);
        self.budget.make_room(&self.shelf, (seq, cost));
        seq
    }

    /// Begins an epoch: the count of what was pushed out starts again, and once the budget is half
    /// spent, what is of earlier epochs and no finding cites goes.
    pub(crate) fn retire(&mut self, epoch: u64) {
        self.shelf.retire(epoch);
    }

    /// Marks exchanges as cited by a rule's finding.
    pub(crate) fn cite(&mut self, seqs: &[u64], rule: &str) {
        self.shelf.cite(seqs, rule);
    }

    /// Says of an exchange that was written down already how it has ended after all.
    pub(crate) fn amend(&mut self, seq: u64, ended: Ending) {
        self.shelf.amend(seq, ended);
    }

    /// What came behind `after`, oldest first.
    pub(crate) fn since(&self, after: u64) -> Vec<Kept> {
        self.shelf.since(after)
    }

    /// Those of these numbers that are still there.
    pub(crate) fn these(&self, seqs: &[u64]) -> Vec<Kept> {
        self.shelf.these(seqs)
    }

    /// The last deliveries of an event about a payment that were signed as they should be: those of
    /// the newest event, to each webhook.
    pub(crate) fn last_sent(&self, operation: &str, payment: &str, epoch: u64) -> Vec<Arc<Exchange>> {
        let of_event = |exchange: &Arc<Exchange>| {
            exchange.direction == Direction::Outbound
                && exchange.operation == operation
                && exchange.epoch == epoch
                && exchange.payment.as_deref() == Some(payment)
                && exchange.sent == Sent::AsKlarnaDoes
        };
        let mut newest: Vec<Arc<Exchange>> = Vec::new();
        for exchange in self.since(0).into_iter().rev().map(|kept| kept.exchange).filter(of_event) {
            if newest.iter().all(|known| known.target != exchange.target) {
                newest.push(exchange);
            }
        }
        newest
    }

    /// Sequence number of the newest entry, 0 where there is none.
    pub(crate) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// How many entries the budget has pushed out in this epoch.
    pub(crate) fn dropped(&self) -> u64 {
        self.shelf.dropped()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::clock::real_now;
    use crate::journal::Took;
    use crate::journal::shelf::PINNED_BYTES;

    /// A call whose body has so many bytes.
    pub(in crate::journal) fn exchange(bytes: usize) -> Exchange {
        let now = real_now();
        Exchange {
            number: 0,
            epoch: 1,
            payment: None,
            direction: Direction::Inbound,
            operation: "authorize".to_owned(),
            started_at: now,
            virtual_at: now,
            version: None,
            took: Took::default(),
            method: "POST".to_owned(),
            target: "/".to_owned(),
            request_headers: Vec::new(),
            request_body: Bytes::from(vec![b'x'; bytes]),
            truncated: false,
            response: None,
            ended: Ending::Answered,
            rule: None,
            fault: None,
            sent: Sent::AsKlarnaDoes,
            tls: None,
        }
    }

    fn seqs(journal: &Journal) -> Vec<u64> {
        journal.since(0).iter().map(|kept| kept.seq).collect()
    }

    fn held(journal: &Journal) -> usize {
        journal.since(0).iter().map(|kept| kept.exchange.cost()).sum()
    }

    #[test]
    fn the_oldest_make_room_and_are_counted_and_what_a_finding_cites_stays() {
        let mut journal = Journal::new(Budget::new(4_000));
        journal.append(exchange(1_000));
        journal.cite(&[1], "some.rule");
        for _ in 0..5 {
            journal.append(exchange(1_000));
        }
        assert_eq!(seqs(&journal), [1, 5, 6]);
        assert_eq!(journal.dropped(), 3);
    }

    #[test]
    fn a_flood_of_findings_is_bounded_too() {
        let mut journal = Journal::new(Budget::new(64 << 20));
        for _ in 0..100 {
            let seq = journal.append(exchange(1 << 20));
            journal.cite(&[seq], "some.rule");
        }
        for _ in 0..100 {
            journal.append(exchange(1 << 20));
        }
        let pinned = journal.since(0).iter().filter(|kept| kept.seq <= 100).count();
        assert_eq!(pinned, PINNED_BYTES / exchange(1 << 20).cost());
        assert!(journal.dropped() > 0);
    }

    #[test]
    fn all_journals_together_stay_within_the_budget_whatever_findings_cite() {
        const LIMIT: usize = 1 << 20;
        let budget = Budget::new(LIMIT);
        let mut journals: Vec<Journal> = (0..40).map(|_| Journal::new(budget.clone())).collect();
        let largest = exchange(200_000).cost();
        for round in 0..30 {
            for (index, journal) in journals.iter_mut().enumerate() {
                let seq = journal.append(exchange(if index == 7 { 200_000 } else { 20_000 }));
                journal.cite(&[seq], "some.rule");
                assert!(budget.used() <= LIMIT + largest, "{round} {index}: {}", budget.used());
            }
        }
        let sum: usize = journals.iter().map(held).sum();
        assert_eq!(sum, budget.used());
        assert!(sum <= LIMIT, "{sum}");
        drop(journals);
        assert_eq!(budget.used(), 0, "what goes gives its bytes back");
        assert!(budget.pin(LIMIT / 2), "and its pins");
    }

    #[test]
    fn a_flood_pushes_out_its_own_and_not_what_quiet_journals_hold() {
        let budget = Budget::new(1_000_000);
        let mut flooded = Journal::new(budget.clone());
        let mut quiet: Vec<Journal> = (0..5).map(|_| Journal::new(budget.clone())).collect();
        for journal in &mut quiet {
            journal.append(exchange(1_000));
        }
        for _ in 0..100 {
            flooded.append(exchange(100_000));
        }
        assert!(quiet.iter().all(|journal| seqs(journal) == [1] && journal.dropped() == 0));
        // And what they write down now is not pushed out by what the flood has left.
        for _ in 0..100 {
            quiet[0].append(exchange(1_000));
        }
        assert_eq!((quiet[0].since(0).len(), quiet[0].dropped()), (101, 0));
        assert!(flooded.dropped() > 90);
        assert!(budget.used() <= 1_000_000);
    }

    #[test]
    fn a_reset_makes_room_and_counts_from_nothing() {
        let budget = Budget::new(1_000_000);
        let mut full = Journal::new(budget.clone());
        for _ in 0..12 {
            full.append(exchange(100_000));
        }
        assert!(full.dropped() > 0);
        full.retire(2);
        assert!(!budget.is_half_spent());
        assert_eq!(full.dropped(), 0, "what was of an earlier epoch is not missed in this one");
    }
}
