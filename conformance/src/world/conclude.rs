//! The end of a scenario: what is watched throughout is looked at, whatever the steps asked.

use klarna_schemas::simulator::control::JournalQuery;
use klarna_schemas::simulator::finding::Finding;

use super::World;
use super::checks::finding;
use super::failure::Failure;
use super::journal::{AUTHORIZE, Call};
use crate::adapter::Outcome;

/// The simulator's rule on captures and refunds that Klarna refuses.
const REFUSED: &str = "post-purchase.accepted";

impl World {
    /// Takes up what the simulator found and counted, and what was told to the Partner.
    pub async fn conclude(&mut self) {
        for seat in 0..self.seats.len() {
            self.turn = seat;
            if let Err(failure) = self.watch().await {
                self.note_failure(None, &failure).await;
            }
        }
        if self.run.process.has_died().is_some() {
            let what = "the acquirer ended in the middle of the run";
            let finding = finding("acquirer.died", &self.scenario.duties, "the acquirer's process", what);
            self.note_finding(None, finding, None).await;
        }
        let took = self.began.elapsed();
        self.run.board.update(&self.scenario.id, |record| record.took = took);
    }

    async fn watch(&mut self) -> Result<(), Failure> {
        let findings = self.run.control.findings(self.account(), None).await?;
        for finding in findings.findings {
            if !self.is_the_partners_doing(&finding) {
                self.note_finding(None, finding, None).await;
            }
        }
        for (rule, facts) in findings.judged {
            self.judged(&rule, facts);
        }
        if findings.dropped > 0 {
            return Err(Failure::Broken(format!(
                "the simulator had no room for {} findings: the scenario cannot be judged",
                findings.dropped
            )));
        }
        self.watch_what_was_told().await
    }

    /// Whether Klarna refused only what the Partner itself asked too much of, as the scenario wanted it:
    /// an acquirer may leave the books to Klarna.
    fn is_the_partners_doing(&self, finding: &Finding) -> bool {
        finding.rule == REFUSED && finding.exchanges.iter().all(|seq| self.asked_too_much.contains(seq))
    }

    /// Nobody may be told "approved" about a payment that Klarna has not approved.
    async fn watch_what_was_told(&mut self) -> Result<(), Failure> {
        let told: Vec<_> = self
            .payments
            .iter()
            .filter(|payment| payment.seat == self.turn)
            .filter(|payment| {
                payment.answer.outcome == Outcome::Approved
                    || self
                        .run
                        .stand_in
                        .notifications(payment.id())
                        .iter()
                        .any(|one| one.outcome == Some(Outcome::Approved))
            })
            .map(|payment| {
                let id = payment.id().to_owned();
                (id, payment.name.clone(), payment.since, payment.exchange().clone())
            })
            .collect();
        for (id, name, since, exchange) in told {
            // A payment that no step has looked up at Klarna's is judged by all that came since.
            let query = JournalQuery {
                after: Some(since),
                operation: Some(AUTHORIZE.to_owned()),
                payment: name,
                ..JournalQuery::default()
            };
            let calls: Vec<Call> =
                self.entries(query).await?.into_iter().map(|entry| Call { entry }).collect();
            let approved = calls.iter().any(|call| call.result().as_deref() == Some("APPROVED"));
            self.judged("partner.not-misled", 1);
            if !approved {
                let mut finding = finding(
                    "partner.not-misled",
                    &self.scenario.duties,
                    "what the Partner was told",
                    format!(
                        "payment {id} was called approved, and Klarna has approved no call since it was created"
                    ),
                );
                finding.expected = Some("an authorize that Klarna answers with APPROVED".to_owned());
                finding.got = Some(self.what_came_instead(since).await);
                finding.exchanges = calls.iter().map(|call| call.entry.seq).collect();
                self.note_finding(None, finding, Some(&exchange)).await;
            }
        }
        Ok(())
    }
}
