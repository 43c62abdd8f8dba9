//! A reader of a journal, who looks at each entry once however often he looks.

use klarna_schemas::simulator::journal::{JournalEntry, NearMiss};

use super::query::Filter;
use super::shelf::Kept;

/// What a reader has looked at, and what of it he may want. What is judged here was taken out of the
/// journal before: nobody waits while bodies are read.
#[derive(Debug)]
pub(crate) struct Reading {
    filter: Filter,
    /// The newest entry that he has looked at.
    looked_at: u64,
    /// Those whose exchange is as he wants it. Findings, the names of payments, and how it ended may
    /// still change.
    fitting: Vec<u64>,
    /// How many exchanges were judged.
    #[cfg(test)]
    judged: usize,
}

impl Reading {
    pub(crate) fn new(filter: Filter) -> Self {
        Self {
            looked_at: filter.after,
            filter,
            fitting: Vec::new(),
            #[cfg(test)]
            judged: 0,
        }
    }

    /// The newest entry that was looked at.
    pub(crate) fn looked_at(&self) -> u64 {
        self.looked_at
    }

    /// Says which payment is meant, by the simulator's name.
    pub(crate) fn resolve(&mut self, named: impl FnOnce(&str) -> Option<String>) {
        self.filter.resolve(named);
    }

    /// Looks at what has come since the last look, up to `last_seq`.
    pub(crate) fn look(&mut self, newer: &[Kept], last_seq: u64) {
        let fits = |kept: &&Kept| self.filter.fits(&kept.exchange);
        self.fitting.extend(newer.iter().filter(fits).map(|kept| kept.seq));
        self.looked_at = self.looked_at.max(last_seq);
        #[cfg(test)]
        {
            self.judged += newer.len();
        }
    }

    /// Those that he may want.
    pub(crate) fn fitting(&self) -> &[u64] {
        &self.fitting
    }

    /// Those of them that he wants as they stand now, as many as he takes.
    pub(crate) fn wanted(&self, kept: &[Kept]) -> Vec<JournalEntry> {
        let wanted = kept.iter().filter(|kept| self.filter.fits_now(kept)).map(Kept::entry);
        wanted.take(self.filter.limit.unwrap_or(usize::MAX)).collect()
    }

    /// Whether there may be more than he takes at once.
    pub(crate) fn is_cut(&self, entries: usize) -> bool {
        self.filter.limit.is_some_and(|limit| entries >= limit)
    }

    /// The entries that came nearest, of which none is wanted.
    pub(crate) fn near(&self, all: &[Kept]) -> Vec<NearMiss> {
        self.filter.near(all)
    }
}

#[cfg(test)]
mod tests {
    use klarna_schemas::simulator::control::JournalQuery;

    use super::super::ring::tests::exchange;
    use super::super::{Budget, Journal};
    use super::*;

    #[test]
    fn each_entry_is_judged_once_however_often_the_reader_looks() {
        let query = JournalQuery { request_json: Some("$..nothing".to_owned()), ..JournalQuery::default() };
        let mut reading = Reading::new(Filter::new(&query).unwrap());
        let mut journal = Journal::new(Budget::new(1 << 20));
        for _ in 0..50 {
            journal.append(exchange(10));
            reading.look(&journal.since(reading.looked_at()), journal.last_seq());
        }
        assert_eq!(reading.judged, 50);
        assert!(reading.wanted(&journal.these(reading.fitting())).is_empty());
    }

    #[test]
    fn a_finding_that_comes_later_is_seen_in_an_entry_that_was_looked_at() {
        let query = JournalQuery { finding: Some("network-data.*".to_owned()), ..JournalQuery::default() };
        let mut reading = Reading::new(Filter::new(&query).unwrap());
        let mut journal = Journal::new(Budget::new(1 << 20));
        let seq = journal.append(exchange(10));
        reading.look(&journal.since(0), journal.last_seq());
        assert!(reading.wanted(&journal.these(reading.fitting())).is_empty());
        journal.cite(&[seq], "network-data.byte-equal");
        assert_eq!(reading.wanted(&journal.these(reading.fitting())).len(), 1);
    }
}
