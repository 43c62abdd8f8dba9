//! The bounded store of exchanges. All journals of a simulator share one byte budget.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use klarna_schemas::simulator::journal::{Direction, JournalEntry, NearMiss};

use super::exchange::{Exchange, Sent};
use super::query::Filter;

/// Bytes that all journals of a simulator may hold together.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    limit: usize,
    used: Arc<AtomicUsize>,
    /// What of it findings cite.
    pinned: Arc<AtomicUsize>,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, used: Arc::default(), pinned: Arc::default() }
    }

    fn is_spent(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.limit
    }

    fn is_half_spent(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.limit / 2
    }

    /// Whether findings may keep so much more from making room: half of the budget stays for the rest.
    fn can_pin(&self, cost: usize) -> bool {
        self.pinned.load(Ordering::Relaxed) + cost <= self.limit / 2
    }

    /// What each journal may hold even when others have spent the budget.
    fn floor(&self) -> usize {
        self.limit / 1_000
    }
}

/// Bytes of one journal that findings may keep from making room: a flood of bad calls is bounded too.
const PINNED_BYTES: usize = 4 << 20;

/// Exchanges in the order in which they ended.
#[derive(Debug)]
pub(crate) struct Journal {
    kept: VecDeque<Kept>,
    bytes: usize,
    pinned_bytes: usize,
    last_seq: u64,
    dropped: u64,
    budget: Budget,
}

#[derive(Debug)]
struct Kept {
    seq: u64,
    exchange: Exchange,
    findings: Vec<String>,
    /// Cited by a finding: stays while there is room for such.
    pinned: bool,
}

impl Journal {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { kept: VecDeque::new(), bytes: 0, pinned_bytes: 0, last_seq: 0, dropped: 0, budget }
    }

    /// Writes an exchange down and returns its sequence number. Where the budget is spent, the
    /// oldest of this journal that no finding cites make room; they are counted.
    pub(crate) fn append(&mut self, exchange: Exchange) -> u64 {
        self.last_seq += 1;
        let cost = exchange.cost();
        self.bytes += cost;
        self.budget.used.fetch_add(cost, Ordering::Relaxed);
        let seq = self.last_seq;
        self.kept.push_back(Kept { seq, exchange, findings: Vec::new(), pinned: false });
        while self.budget.is_spent() && self.bytes > self.budget.floor() {
            let Some(oldest) = self.kept.iter().position(|kept| !kept.pinned && kept.seq != seq) else {
                break;
            };
            self.drop_entry(oldest);
            self.dropped += 1;
        }
        seq
    }

    /// Begins an epoch: the count of what was pushed out starts again, and once the budget is half
    /// spent, what is of earlier epochs and no finding cites goes.
    pub(crate) fn retire(&mut self, epoch: u64) {
        self.dropped = 0;
        while self.budget.is_half_spent() {
            let old = |kept: &Kept| !kept.pinned && kept.exchange.epoch < epoch;
            let Some(oldest) = self.kept.iter().position(old) else { return };
            self.drop_entry(oldest);
        }
    }

    fn drop_entry(&mut self, position: usize) {
        if let Some(gone) = self.kept.remove(position) {
            let cost = gone.exchange.cost();
            self.bytes -= cost;
            self.budget.used.fetch_sub(cost, Ordering::Relaxed);
        }
    }

    /// Marks exchanges as cited by a rule's finding.
    pub(crate) fn cite(&mut self, seqs: &[u64], rule: &str) {
        for kept in self.kept.iter_mut().filter(|kept| seqs.contains(&kept.seq)) {
            let cost = kept.exchange.cost();
            if !kept.pinned && self.pinned_bytes + cost <= PINNED_BYTES && self.budget.can_pin(cost) {
                kept.pinned = true;
                self.budget.pinned.fetch_add(cost, Ordering::Relaxed);
                self.pinned_bytes += cost;
            }
            if !kept.findings.iter().any(|known| known == rule) {
                kept.findings.push(rule.to_owned());
            }
        }
    }

    /// Matching entries, oldest first.
    pub(crate) fn read(&self, filter: &Filter) -> Vec<JournalEntry> {
        self.kept
            .iter()
            .filter(|kept| filter.takes(kept.seq, &kept.exchange, &kept.findings))
            .take(filter.limit.unwrap_or(usize::MAX))
            .map(|kept| kept.exchange.entry(kept.seq, &kept.findings))
            .collect()
    }

    /// Matching entries in the order in which things came about instead of ended, numbered anew from 1.
    pub(crate) fn read_in_order(&self, filter: &Filter) -> Vec<JournalEntry> {
        let mut wanted: Vec<&Kept> =
            self.kept.iter().filter(|kept| filter.takes(kept.seq, &kept.exchange, &kept.findings)).collect();
        wanted.sort_by_key(|kept| {
            let exchange = &kept.exchange;
            (exchange.epoch, exchange.virtual_at, exchange.number, exchange.target.clone())
        });
        let numbered = (1..).zip(wanted.into_iter().take(filter.limit.unwrap_or(usize::MAX)));
        numbered.map(|(seq, kept)| kept.exchange.entry(seq, &kept.findings)).collect()
    }

    /// The entries that came nearest to what a reader wants, where none is there.
    pub(crate) fn near(&self, filter: &Filter) -> Vec<NearMiss> {
        let entries = self.kept.iter().map(|kept| (kept.seq, &kept.exchange, kept.findings.as_slice()));
        filter.near(entries)
    }

    /// The last deliveries of an event about a payment that were signed as they should be: those of
    /// the newest event, to each webhook.
    pub(crate) fn last_sent(&self, operation: &str, payment: &str, epoch: u64) -> Vec<&Exchange> {
        let of_event = |exchange: &&Exchange| {
            exchange.direction == Direction::Outbound
                && exchange.operation == operation
                && exchange.epoch == epoch
                && exchange.payment.as_deref() == Some(payment)
                && exchange.sent == Sent::AsKlarnaDoes
        };
        let mut newest: Vec<&Exchange> = Vec::new();
        for exchange in self.kept.iter().rev().map(|kept| &kept.exchange).filter(of_event) {
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

    /// How many entries the budget has pushed out.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let held = self.kept.iter().map(|kept| kept.exchange.cost()).sum();
        self.budget.used.fetch_sub(held, Ordering::Relaxed);
        self.budget.pinned.fetch_sub(self.pinned_bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use klarna_schemas::simulator::journal::Ending;

    use super::*;
    use crate::clock::real_now;

    fn exchange(bytes: usize) -> Exchange {
        let now = real_now();
        Exchange {
            number: 0,
            epoch: 1,
            payment: None,
            direction: Direction::Inbound,
            operation: "authorize".to_owned(),
            started_at: now,
            virtual_at: now,
            method: "POST".to_owned(),
            target: "/".to_owned(),
            request_headers: Vec::new(),
            request_body: Bytes::from(vec![b'x'; bytes]),
            response: None,
            ended: Ending::Answered,
            rule: None,
            fault: None,
            sent: Sent::AsKlarnaDoes,
            tls: None,
        }
    }

    fn seqs(journal: &Journal) -> Vec<u64> {
        journal.read(&Filter::default()).iter().map(|entry| entry.seq).collect()
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
        let mut journal = Journal::new(Budget::new(1 << 20));
        for _ in 0..10 {
            let seq = journal.append(exchange(1 << 20));
            journal.cite(&[seq], "some.rule");
        }
        let held: usize = journal.kept.iter().map(|kept| kept.exchange.cost()).sum();
        assert!(held <= PINNED_BYTES + (2 << 20), "{held} bytes");
        assert!(journal.dropped() > 0);
    }

    #[test]
    fn a_full_journal_leaves_others_their_floor_and_a_reset_makes_room() {
        let budget = Budget::new(1_000_000);
        let mut full = Journal::new(budget.clone());
        let mut other = Journal::new(budget.clone());
        for _ in 0..9 {
            full.append(exchange(100_000));
        }
        full.append(exchange(99_000));
        for _ in 0..3 {
            other.append(exchange(10));
        }
        assert_eq!(other.dropped(), 0, "its few bytes are below the floor");
        full.retire(2);
        assert!(!budget.is_half_spent());
        assert_eq!(full.dropped(), 0, "what was of an earlier epoch is not missed in this one");
    }

    #[test]
    fn a_journal_that_goes_gives_its_bytes_back() {
        let budget = Budget::new(10_000);
        let mut journal = Journal::new(budget.clone());
        journal.append(exchange(5_000));
        drop(journal);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }
}
