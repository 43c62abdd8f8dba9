//! What the Partner is told, by answer, by notification, or by asking.

use std::collections::BTreeMap;
use std::time::Duration;

use klarna_schemas::simulator::finding::Finding;
use reqwest::StatusCode;
use tokio::time::Instant;

use super::World;
use super::checks::finding;
use super::context::PATIENCE;
use super::failure::Failure;
use super::journal::event_type;
use crate::adapter::{Outcome, PaymentAnswer};
use crate::partner::{Notification, Verification};

/// Whether what the Partner was told serves a duty to tell it `asked`.
///
/// A Payment Request can end in ways for which a Partner's API need not have words of their own: that
/// the payment will not come to be is what the Partner must know.
fn serves(asked: Outcome, told: Outcome) -> bool {
    let ways_to_say_no = [Outcome::Declined, Outcome::Canceled, Outcome::Expired, Outcome::Failed];
    match asked {
        Outcome::Canceled | Outcome::Expired => ways_to_say_no.contains(&told),
        Outcome::Failed => matches!(told, Outcome::Failed | Outcome::Declined),
        _ => told == asked,
    }
}

/// Whether a notification told the Partner so.
fn got_through(notification: &Notification, outcome: Outcome) -> bool {
    !notification.refused && notification.outcome.is_some_and(|told| serves(outcome, told))
}

/// How often a Partner without notifications asks.
pub(super) const POLL_EVERY: Duration = Duration::from_millis(100);

/// That a Partner must hear of an expiry is not said in as many words: it can only warn.
pub(super) const EXPIRY_IS_TOLD: &str = "That a Partner must hear of an expiry is not said in as many words.";

fn lighten(finding: &mut Finding, outcome: Outcome) {
    if outcome == Outcome::Expired {
        finding.rest_on(EXPIRY_IS_TOLD);
    }
}

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
        if outcome == Outcome::StepUp && self.ask_while_pending().await? == outcome {
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

    /// Asks that the answer to the create call itself said so: an acquirer that claims `sync_approval`
    /// does not leave its Partner with "pending" where Klarna has decided at once.
    ///
    /// # Errors
    /// When it said something else.
    pub async fn must_have_answered_at_once(&mut self, outcome: Outcome) -> Result<(), Failure> {
        self.judged("answer.at-once", 1);
        let payment = self.payment()?;
        if payment.answer.outcome == outcome {
            return Ok(());
        }
        let mut finding = finding(
            "answer.at-once",
            &self.scenario.duties,
            "the answer to the Partner's create call",
            format!("it says {} though Klarna has {outcome} the payment at once", payment.answer.outcome),
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
        if serves(outcome, self.payment()?.answer.outcome) {
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
        let fits = |notification: &Notification| got_through(notification, outcome);
        let cut_short = self.patience_for_news(&event_type("completed")).await?;
        let patience = cut_short.unwrap_or(PATIENCE);
        let told = self.run.stand_in.await_notification(&id, fits, patience).await;
        if let (Some(_), Err(_)) = (cut_short, &told) {
            // The scenario has failed by that already; whether the Partner would be told stays open.
            let why = "Klarna has no webhook to tell the acquirer by how the payment ended";
            return Err(Failure::NothingToJudge(why.to_owned()));
        }
        self.judged(rule, 1);
        match told {
            Ok(notification) => {
                if let Some(told) = notification.outcome.filter(|told| *told != outcome) {
                    self.remark(format!("told as {told}"));
                }
                self.judged("notification.signed", 1);
                let Some(what) = self.why_not_for_us(&notification) else { return Ok(()) };
                let mut finding = finding(
                    "notification.signed",
                    &self.scenario.duties,
                    "the notification to the Partner",
                    what,
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
                lighten(&mut finding, outcome);
                let exchange = self.payment()?.exchange().clone();
                self.weigh(finding, Some(exchange)).await
            }
        }
    }

    /// Lets the Partner refuse the first notification that the payment has ended.
    ///
    /// # Errors
    /// When no payment was created, or the status is none.
    pub fn refuse_first_news(&mut self, status: u16) -> Result<(), Failure> {
        let status = StatusCode::from_u16(status).map_err(|_| Failure::misused("no such status exists"))?;
        self.run.stand_in.refuse_next(self.payment()?.id(), status);
        Ok(())
    }

    /// Asks that the Partner is notified again of what did not get through. Notifying again is one way
    /// to keep the duty to tell it; where the Partner can read the payment, its absence only warns.
    ///
    /// # Errors
    /// When the Partner does not get to know at all.
    pub async fn must_notify_again(&mut self, outcome: Outcome) -> Result<(), Failure> {
        let id = self.payment()?.id().to_owned();
        let refused = |one: &Notification| one.refused;
        if self.run.stand_in.await_notification(&id, refused, PATIENCE).await.is_err() {
            self.must_notify(outcome, "partner.notified").await?;
            return Err(Failure::NothingToJudge("no notification was refused".to_owned()));
        }
        self.judged("partner.notified-again", 1);
        let again = |one: &Notification| got_through(one, outcome);
        if self.run.stand_in.await_notification(&id, again, PATIENCE).await.is_ok() {
            return Ok(());
        }
        if !self.run.adapter.can_read_payments() {
            return self.must_notify(outcome, "partner.told").await;
        }
        self.must_show(outcome).await?;
        let mut finding = finding(
            "partner.notified-again",
            &self.scenario.duties,
            "the notification to the Partner",
            format!(
                "the Partner did not take a notification, and none came after it within {} s; it must ask to get to know",
                PATIENCE.as_secs()
            ),
        );
        finding.rest_on(
            "That a notification which was not taken must come again: a Partner that can ask gets to know.",
        );
        finding.expected = Some(outcome.to_string());
        finding.got = Some("nothing more".to_owned());
        self.weigh(finding, None).await
    }

    /// What is wrong with a notification that says the right thing: nobody signed it, or it was made
    /// out to another Partner.
    fn why_not_for_us(&self, notification: &Notification) -> Option<String> {
        if let Verification::Bad(why) = &notification.verified {
            return Some(format!("its signature does not fit: {why}"));
        }
        let whose = notification.partner.as_deref().filter(|partner| *partner != self.partner().name)?;
        Some(format!(
            "it reached the Partner {whose}, or was signed with its secret; the payment is {}'s",
            self.partner().name
        ))
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
            if answer.outcome.is_final() || answer.outcome == outcome || Instant::now() >= deadline {
                return Ok(answer);
            }
        }
    }

    /// Lets a Partner that was answered "pending" ask until it knows more, where it can: a busy
    /// acquirer may need longer than it wants its Partner to wait. What it says then counts as its answer.
    ///
    /// # Errors
    /// When the acquirer cannot be asked.
    pub(super) async fn ask_while_pending(&mut self) -> Result<Outcome, Failure> {
        let payment = self.payment()?;
        let answered = payment.answer.outcome;
        if answered != Outcome::Pending || !self.run.adapter.can_read_payments() {
            return Ok(answered);
        }
        let told = payment.told();
        let shown = self.await_shown(&told, Outcome::StepUp).await?;
        self.remark(format!("the answer was \"pending\"; asked again, the acquirer says {}", shown.outcome));
        let payment = self.payment_mut()?;
        payment.answer.outcome = shown.outcome;
        payment.answer.read.extend(shown.read);
        Ok(shown.outcome)
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
        if serves(outcome, last.outcome) {
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
        lighten(&mut finding, outcome);
        self.weigh(finding, Some(last.exchange)).await
    }

    /// What the Partner was told of the payment so far, once it is final.
    ///
    /// # Errors
    /// When the acquirer cannot be asked.
    pub(super) async fn told_so_far(&self) -> Result<Option<Outcome>, Failure> {
        let payment = self.payment()?;
        let heard = self.run.stand_in.notifications(payment.id());
        let ended = heard
            .iter()
            .rev()
            .filter(|one| !one.refused)
            .filter_map(|one| one.outcome)
            .find(|outcome| outcome.is_final());
        if ended.is_some()
            || self.run.adapter.claims("notifications")
            || !self.run.adapter.can_read_payments()
        {
            return Ok(ended);
        }
        Ok(Some(self.read_payment(&payment.told()).await?.outcome))
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
        let name = self.payment_name().await?;
        finding.exchanges = self.calls(&name).await?.iter().map(|call| call.entry.seq).collect();
        finding.payment = Some(name);
        self.weigh(finding, Some(exchange)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_is_a_no_and_never_a_yes() {
        assert!(serves(Outcome::Canceled, Outcome::Declined));
        assert!(serves(Outcome::Failed, Outcome::Declined));
        for asked in Outcome::ALL {
            let yes = serves(asked, Outcome::Approved);
            assert_eq!(yes, asked == Outcome::Approved, "{asked}");
        }
        assert!(!serves(Outcome::Declined, Outcome::Canceled));
    }
}
