//! What the rulebook has found since the start, in all sandboxes, those that are no more included.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use klarna_schemas::simulator::finding::{Finding, Severity};

/// How often each rule has found something. There are as many entries as rules.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<String, Tallied>>);

/// What one rule has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tallied {
    /// The rule.
    pub rule: String,
    /// How hard it weighs: the hardest that it has weighed.
    pub severity: Severity,
    /// How often.
    pub count: u64,
    /// What it said first.
    pub first: String,
    /// Where that was: the account and, where known, the payment.
    pub place: String,
}

impl Tally {
    /// Counts findings of a sandbox, of an acquirer account, or of nobody's.
    pub(crate) fn count(&self, place: &str, findings: &[Finding]) {
        let mut tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for finding in findings {
            let known = tally.entry(finding.rule.clone()).or_insert_with(|| Tallied {
                rule: finding.rule.clone(),
                severity: finding.severity,
                count: 0,
                first: finding.what.clone(),
                place: match &finding.payment {
                    Some(payment) => format!("{place} {payment}"),
                    None => place.to_owned(),
                },
            });
            known.count += 1;
            known.severity = known.severity.max(finding.severity);
        }
    }

    /// What was found: the hardest first, then by rule.
    pub fn all(&self) -> Vec<Tallied> {
        let tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Tallied> = tally.values().cloned().collect();
        all.sort_by_key(|tallied| std::cmp::Reverse(tallied.severity));
        all
    }
}
