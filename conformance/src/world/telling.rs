//! What the Partner is told, by answer, by notification, or by asking.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::World;
use super::checks::finding;
use super::context::PATIENCE;
use super::failure::Failure;
use crate::adapter::{Outcome, PaymentAnswer};
use crate::partner::{Notification, Verification};

/// How often a Partner without notifications asks.
const POLL_EVERY: Duration = Duration::from_millis(100);

impl World {
    /// Asks that the answer to the create call said so. An acquirer that answers "pending" may tell
    /// its Partner afterwards instead; only a way into the Purchase Journey cannot wait.
    ///
    /// # Errors
    /// When it said something else.
    pub async fn must_have_answered(&mut self, outcome: Outcome) -> Result<(), Failure> {
        self.judged("answer.outcome", 1);
        if self.answered(outcome)? {
            return Ok(());
        }
        if self.answered(Outcome::Pending)? && outcome.is_final() {
            self.remark("the answer was \"pending\"; the Partner must be told afterwards");
            return self.must_tell(outcome).await;
        }
        let payment = self.payment()?;
        let mut finding = finding(
            "answer.outcome",
            &self.scenario.duties,
            "the answer to the Partner's create call",
            format!("it says {} where Klarna's decision makes it {outcome}", payment.answer.outcome),
        );
        finding.expected = Some(outcome.to_string());
        finding.got = Some(payment.answer.outcome.to_string());
        let exchange = payment.exchange().clone();
        self.weigh(finding, Some(exchange)).await
    }

    /// Asks that the Partner gets to know, in whatever way the acquirer has.
    ///
    /// # Errors
    /// When it does not, in time.
    pub async fn must_tell(&mut self, outcome: Outcome) -> Result<(), Failure> {
        if self.answered(outcome)? {
            self.judged("partner.told", 1);
            return Ok(());
        }
        if self.run.adapter.claims("notifications") {
            return self.must_notify(outcome, "partner.told").await;
        }
        self.must_show(outcome).await
    }

    /// Asks that a notification says so.
    ///
    /// # Errors
    /// When none does, or its signature does not fit.
    pub async fn must_notify(&mut self, outcome: Outcome, rule: &str) -> Result<(), Failure> {
        let id = self.payment()?.id().to_owned();
        let fits = |notification: &Notification| notification.outcome == Some(outcome);
        let told = self.run.stand_in.await_notification(&id, fits, PATIENCE).await;
        self.judged(rule, 1);
        match told {
            Ok(notification) => {
                let Verification::Bad(why) = &notification.verified else {
                    self.judged("notification.signed", 1);
                    return Ok(());
                };
                let mut finding = finding(
                    "notification.signed",
                    &self.scenario.duties,
                    "the notification to the Partner",
                    format!("its signature does not fit: {why}"),
                );
                finding.got = Some(String::from_utf8_lossy(&notification.body).into_owned());
                self.weigh(finding, None).await
            }
            Err(instead) => {
                let mut finding = finding(
                    rule,
                    &self.scenario.duties,
                    "the notification to the Partner",
                    format!(
                        "no notification says within {} s that payment {id} is {outcome}",
                        PATIENCE.as_secs()
                    ),
                );
                finding.expected = Some(outcome.to_string());
                finding.got = Some(self.heard_instead(&instead));
                let exchange = self.payment()?.exchange().clone();
                self.weigh(finding, Some(exchange)).await
            }
        }
    }

    fn heard_instead(&self, instead: &[Notification]) -> String {
        let mut heard: Vec<String> = instead
            .iter()
            .map(|one| {
                one.outcome.map_or_else(|| "one that no rule reads".to_owned(), |outcome| outcome.to_string())
            })
            .collect();
        let strays = self.run.stand_in.strays();
        if let Some(last) = strays.last() {
            let why = last.unreadable.as_deref().unwrap_or("it names no known payment");
            heard.push(format!("{} strays, the last one because {why}", strays.len()));
        }
        if heard.is_empty() { "nothing".to_owned() } else { heard.join(", ") }
    }

    /// Reads a payment until it says so, or has ended otherwise, or time runs out: the last answer.
    pub(super) async fn await_shown(
        &self,
        told: &BTreeMap<String, String>,
        outcome: Outcome,
    ) -> Result<PaymentAnswer, Failure> {
        let deadline = Instant::now() + PATIENCE;
        let mut beat = tokio::time::interval(POLL_EVERY);
        loop {
            beat.tick().await;
            let answer = self.read_payment(told).await?;
            if answer.outcome == outcome || answer.outcome.is_final() || Instant::now() >= deadline {
                return Ok(answer);
            }
        }
    }

    /// Asks that reading the payment comes to say so.
    async fn must_show(&mut self, outcome: Outcome) -> Result<(), Failure> {
        if !self.run.adapter.can_read_payments() {
            let what = "the adapter binds neither notifications nor read_payment: the Partner cannot be told";
            return Err(Failure::NothingToJudge(what.to_owned()));
        }
        let told = self.payment()?.told();
        let last = self.await_shown(&told, outcome).await?;
        self.judged("partner.told", 1);
        if last.outcome == outcome {
            return Ok(());
        }
        let mut finding = finding(
            "partner.told",
            &self.scenario.duties,
            "the payment as the Partner reads it",
            format!("it reads {} and not {outcome}", last.outcome),
        );
        finding.expected = Some(outcome.to_string());
        finding.got = Some(last.outcome.to_string());
        self.weigh(finding, Some(last.exchange)).await
    }

    /// Asks that nobody told the Partner so; proved by order, see [`World::fence`].
    ///
    /// # Errors
    /// When somebody did.
    pub async fn must_not_tell(&mut self, outcome: Outcome) -> Result<(), Failure> {
        self.fence().await?;
        self.judged("partner.not-misled", 1);
        let payment = self.payment()?;
        let (id, told) = (payment.id().to_owned(), payment.told());
        let mut said = Vec::new();
        if payment.answer.outcome == outcome {
            said.push("the answer to the create call".to_owned());
        }
        if self.run.stand_in.notifications(&id).iter().any(|one| one.outcome == Some(outcome)) {
            said.push("a notification".to_owned());
        }
        let mut exchange = payment.exchange().clone();
        // What cannot be read by asking has not been told.
        if self.run.adapter.can_read_payments()
            && let Ok(answer) = self.read_payment(&told).await
            && answer.outcome == outcome
        {
            said.push("the payment as the Partner reads it".to_owned());
            exchange = answer.exchange;
        }
        if said.is_empty() {
            return Ok(());
        }
        let mut finding = finding(
            "partner.not-misled",
            &self.scenario.duties,
            said.join(", "),
            format!("the Partner is told that the payment is {outcome}, and it is not"),
        );
        finding.got = Some(outcome.to_string());
        self.weigh(finding, Some(exchange)).await
    }
}
