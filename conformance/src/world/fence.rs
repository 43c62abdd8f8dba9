//! Proving that something did not happen: by order, not by time.
//!
//! After the act that might have done harm, a sound twin payment is made and its effect awaited.
//! What the acquirer had begun because of the act it began before the twin; so when the twin is
//! through, and the quiet time that the adapter claims has passed, what has not come will not come.

use std::collections::BTreeMap;
use std::time::Duration;

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{CallKind, JournalQuery, QueuedOutcome};

use super::World;
use super::checks::finding;
use super::context::PATIENCE;
use super::failure::Failure;
use super::journal::{AUTHORIZE, Call};
use super::orders;
use crate::adapter::Outcome;
use crate::partner::Notification;

impl World {
    /// Queues Klarna's decision on the next initial authorize.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn klarna_will(&self, result: AuthorizationResult) -> Result<(), Failure> {
        let outcome = QueuedOutcome::once(CallKind::Initial, result);
        self.run.control.queue_outcomes(self.account(), &[outcome]).await?;
        Ok(())
    }

    /// Makes a sound twin payment, awaits its effect, then the quiet time. Once is enough until
    /// something is done again.
    ///
    /// # Errors
    /// When the twin itself goes wrong.
    pub(super) async fn fence(&mut self) -> Result<(), Failure> {
        if self.fenced {
            self.remark("an absence, proved by the sound twin payment before");
            return Ok(());
        }
        // The payment that the scenario is about must have reached Klarna first.
        self.payment_name().await?;
        self.klarna_will(AuthorizationResult::Approved).await?;
        let mut order = self.order.clone();
        let sold = &self.payment()?.order;
        orders::price(&mut order, sold.amount, &sold.currency);
        self.create(order, true).await?;
        let Some(twin) = self.payments.last() else {
            return Err(Failure::Broken("the twin payment was lost".to_owned()));
        };
        if twin.answer.outcome != Outcome::Approved {
            let (id, told) = (twin.id().to_owned(), twin.told());
            self.await_twin(&id, &told).await?;
        }
        let quiet = self.quiet().await?;
        self.remark(format!(
            "an absence, proved by order: a sound twin payment was approved after it{quiet}"
        ));
        self.fenced = true;
        Ok(())
    }

    /// Lets the quiet time pass that the adapter claims; says so in words that can follow others.
    pub(super) async fn quiet(&self) -> Result<String, Failure> {
        let end = self.journal_end().await?;
        if let Some(quiet_ms) = self.run.adapter.timing().quiet_ms {
            let query = JournalQuery {
                after: Some(end),
                operation: Some(AUTHORIZE.to_owned()),
                ..JournalQuery::default()
            };
            // Nothing ends it early: the whole time is to be quiet.
            self.await_entry_for(&query, |_| false, Duration::from_millis(quiet_ms)).await?;
            return Ok(format!(", then {quiet_ms} ms of quiet"));
        }
        Ok(String::new())
    }

    async fn await_twin(&mut self, id: &str, told: &BTreeMap<String, String>) -> Result<(), Failure> {
        let approved = |one: &Notification| one.outcome == Some(Outcome::Approved);
        let told = if self.run.adapter.claims("notifications") {
            self.run.stand_in.await_notification(id, approved, PATIENCE).await.is_ok()
        } else {
            self.await_shown(told, Outcome::Approved).await?.outcome == Outcome::Approved
        };
        if told {
            return Ok(());
        }
        Err(Failure::found(finding(
            "partner.told",
            &self.scenario.duties,
            "the sound twin payment",
            "a second payment, which Klarna approved at once, was not told to be approved",
        )))
    }

    /// Asks that no other authorize followed the ones that `allowed` counts; proved by order.
    ///
    /// # Errors
    /// When one did.
    pub async fn must_stay_at(&mut self, allowed: usize, rule: &str, what: &str) -> Result<(), Failure> {
        self.fence().await?;
        let name = self.payment_name().await?;
        let calls = without_repeats(self.calls(&name).await?);
        self.judged(rule, 1);
        let Some(extra) = calls.get(allowed) else { return Ok(()) };
        let mut finding = finding(rule, &self.scenario.duties, "Payment Authorize", what);
        finding.expected = Some(format!("{allowed} call(s)"));
        finding.got = Some(format!("{} calls", calls.len()));
        finding.payment = Some(name);
        finding.exchanges = vec![extra.entry.seq];
        self.weigh(finding, None).await
    }
}

/// Calls that differ: the same key with the same body is the same call, made again.
fn without_repeats(calls: Vec<Call>) -> Vec<Call> {
    let mut kept: Vec<Call> = Vec::new();
    for call in calls {
        if !kept.iter().any(|known| call.repeats(known)) {
            kept.push(call);
        }
    }
    kept
}
