//! What Klarna is told to do in the sandbox of a scenario.

use jiff::SignedDuration;
use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{
    CallKind, CustomerScript, Evolution, JournalQuery, QueuedOutcome, SetClock, SetEvolution,
};
use klarna_schemas::simulator::journal::{Direction, JournalEntry};
use klarna_schemas::simulator::rules::RulesFile;

use super::World;
use super::checks::finding;
use super::failure::Failure;
use super::journal::{in_a_line, was_taken};

impl World {
    /// Lays rules down, written in YAML.
    ///
    /// # Errors
    /// When the simulator refuses them.
    pub async fn klarna_decides_by(&self, rules: &RulesFile) -> Result<(), Failure> {
        self.run.control.put_rules(self.account(), rules).await?;
        Ok(())
    }

    /// Lets Klarna evolve in these ways.
    ///
    /// # Errors
    /// When the simulator cannot be reached.
    pub async fn klarna_evolves(&mut self, kinds: &[Evolution]) -> Result<(), Failure> {
        let kinds = SetEvolution { kinds: kinds.iter().copied().collect() };
        self.evolved = kinds.kinds.iter().copied().collect();
        self.run.control.evolve(self.account(), &kinds).await?;
        Ok(())
    }

    /// Asks that the acquirer took what has changed: it answered every webhook about the payment with a
    /// success, and made no call twice that Klarna had served.
    ///
    /// # Errors
    /// When it did not.
    pub async fn must_live_with_what_is_new(&mut self) -> Result<(), Failure> {
        if self.evolved.is_empty() {
            return Err(Failure::misused("no step before this one lets Klarna evolve"));
        }
        let payment = Some(self.payment_name().await?);
        let entries = self.entries(JournalQuery { payment, ..JournalQuery::default() }).await?;
        let served: Vec<_> = entries.iter().filter(|entry| entry.response.is_some()).collect();
        let refused = |entry: &&&JournalEntry| entry.direction == Direction::Outbound && !was_taken(entry);
        let repeated = |entry: &&&JournalEntry| entry.rule.as_deref().is_some_and(|rule| rule == "replay");
        self.judged("evolution.lived-with", u64::try_from(served.len()).unwrap_or(u64::MAX));
        let (entry, what) = match (served.iter().find(refused), served.iter().find(repeated)) {
            (Some(entry), _) => (entry, "a webhook was not taken once Klarna had evolved"),
            (None, Some(entry)) => (entry, "a call was made again though Klarna had answered it"),
            (None, None) => return Ok(()),
        };
        let mut finding = finding("evolution.lived-with", &self.scenario.duties, &entry.operation, what);
        finding.got = Some(in_a_line(entry));
        finding.exchanges = vec![entry.seq];
        finding.payment.clone_from(&entry.payment);
        self.weigh(finding, None).await
    }

    /// Lets Klarna require a step-up, upon which the Customer acts by itself.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn customer_will(&mut self, script: CustomerScript) -> Result<(), Failure> {
        let spans = script.0.iter().filter_map(|step| step.after);
        let all = spans.fold(SignedDuration::ZERO, SignedDuration::saturating_add);
        self.customer_acts_after = Some(all);
        let outcome = QueuedOutcome {
            customer: script,
            ..QueuedOutcome::once(CallKind::Initial, AuthorizationResult::StepUpRequired)
        };
        self.run.control.queue_outcomes(self.account(), &[outcome]).await?;
        Ok(())
    }

    /// Has one of Klarna's test customers buy (contract `webhooks-and-network-data.md` D).
    pub fn order_of_a_test_customer(&mut self, declined: bool) {
        let email = if declined { "customer+se+denied@klarna.com" } else { "customer+se@klarna.com" };
        email.clone_into(&mut self.order.customer.email);
    }

    /// Lets Klarna's clock go on until the Customer has acted as planned.
    ///
    /// # Errors
    /// When nothing is planned, or the simulator refuses.
    pub async fn let_the_customer_act(&mut self) -> Result<(), Failure> {
        let planned = self.customer_acts_after;
        let after = planned.ok_or_else(|| Failure::misused("the Customer has nothing planned"))?;
        // The Customer's time began when Klarna answered; by now it has run for a while.
        self.initial_call().await?;
        self.set_klarnas_clock(SetClock::Advance(after)).await
    }
}
