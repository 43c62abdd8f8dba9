//! Judging by the simulator's rulebook: what it found, and whether it had anything to judge.

use klarna_schemas::simulator::finding::Severity;

use super::World;
use super::failure::Failure;

impl World {
    /// Counts facts that a check of the suite has judged.
    pub(super) fn judged(&self, rule: &str, facts: u64) {
        self.run.board.update(&self.scenario.id, |record| {
            *record.judged.entry(rule.to_owned()).or_insert(0) += facts;
        });
    }

    /// Asks that rules of the simulator have judged the payment and found nothing.
    ///
    /// # Errors
    /// The first failing finding of these rules, or that one of them had nothing to judge.
    pub async fn must_hold(&mut self, rules: &[&str]) -> Result<(), Failure> {
        let name = self.payment_name().await?;
        let findings = self.run.control.findings(self.account(), Some(&name)).await?;
        let of_these = findings.findings.into_iter().filter(|finding| rules.contains(&finding.rule.as_str()));
        let (failing, warning): (Vec<_>, Vec<_>) =
            of_these.partition(|finding| finding.severity == Severity::Fails);
        for finding in warning {
            self.note_finding(None, finding, None).await;
        }
        // The counts are taken up once, at the end of the scenario, for all rules together.
        if let Some(first) = failing.into_iter().next() {
            return Err(Failure::found(first));
        }
        for rule in rules {
            if findings.judged.get(*rule).copied().unwrap_or(0) == 0 {
                return Err(Failure::NothingToJudge(format!("the rule {rule} had nothing to judge")));
            }
        }
        Ok(())
    }
}
