//! The course of the payment: the Partner creates it, the Customer approves it, everybody hears of it.

use std::collections::BTreeMap;
use std::time::Duration;

use klarna_schemas::money::MinorUnits;
use klarna_schemas::simulator::control::{Intent, JournalQuery, PutSandbox};
use klarna_simulator::control::client::{ControlClient, ControlError};
use serde_json::json;
use tokio::time::Instant;

use super::answers::Answers;
use super::canary;
use super::report::{Heard, Report};
use crate::adapter::{BoundAcquirer, Mode, Order, Outcome, PartnerBinding, PaymentAnswer, Verification};
use crate::browser::{Browser, Cookies};
use crate::partner::{Notification, PartnerStandIn};
use crate::world::Call;

/// How long something is waited for that should come.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a Partner asks how a payment stands.
const POLL_EVERY: Duration = Duration::from_millis(100);

/// Those who take part.
#[derive(Debug, Clone, Copy)]
pub struct TrialParties<'a> {
    /// The acquirer, as a Partner sees it.
    pub acquirer: &'a BoundAcquirer,
    /// Klarna.
    pub control: &'a ControlClient,
    /// The Partner's ears and return page.
    pub stand_in: &'a PartnerStandIn,
    /// The Customer's browser.
    pub browser: &'a Browser,
    /// The Partner who sells.
    pub partner: &'a PartnerBinding,
}

/// Makes one payment to its end.
///
/// # Errors
/// When the simulator cannot be reached. Whatever the acquirer does wrong is part of the report.
pub async fn make(parties: TrialParties<'_>, seed: u64) -> Result<Report, ControlError> {
    let adapter = parties.acquirer.adapter();
    let mode = if adapter.claims("redirect") || !adapter.claims("sdk") { Mode::Redirect } else { Mode::Sdk };
    let order = canary::canaries(seed, mode, |marker| parties.stand_in.return_url(marker));
    let wish = PutSandbox { seed: Some(seed), ..PutSandbox::default() };
    let sandbox = parties.control.put_sandbox(&parties.partner.klarna_account, &wish).await?;
    let mut trial = Trial {
        parties,
        order,
        epoch: sandbox.epoch,
        report: Report::default(),
        answers: Answers::default(),
        cookies: Cookies::default(),
        told: BTreeMap::new(),
    };
    trial.play().await?;
    trial.conclude().await
}

/// A payment on its way.
pub(super) struct Trial<'a> {
    pub(super) parties: TrialParties<'a>,
    pub(super) order: Order,
    epoch: u64,
    pub(super) report: Report,
    pub(super) answers: Answers,
    /// The Customer's, in the browser.
    pub(super) cookies: Cookies,
    /// What the answers told of the payment.
    pub(super) told: BTreeMap<String, String>,
}

impl Trial<'_> {
    pub(super) fn say(&mut self, what: impl Into<String>) {
        self.report.course.push(what.into());
    }

    pub(super) fn complain(&mut self, what: impl Into<String>) {
        self.report.trouble.push(what.into());
    }

    async fn play(&mut self) -> Result<(), ControlError> {
        self.list_methods().await;
        self.declare_intent().await?;
        let TrialParties { acquirer, partner, .. } = self.parties;
        let answer = match acquirer.create_payment(partner, &self.order).await {
            Ok(answer) => answer,
            Err(error) => {
                if let Some(exchange) = error.exchange() {
                    self.answers.add(acquirer.adapter(), "create_payment", exchange);
                }
                self.complain(error.to_string());
                return Ok(());
            }
        };
        let mut outcome = self.take("create_payment", answer);
        self.say(format!("the Partner {} created payment {}: {outcome}", partner.name, self.id()));
        if outcome == Outcome::Pending {
            outcome = self.ask_until(|outcome| outcome != Outcome::Pending).await.unwrap_or(outcome);
        }
        if outcome == Outcome::StepUp {
            self.step_up().await?;
        } else if outcome != Outcome::Approved {
            self.complain(format!("the payment was to be approved, and the answer says {outcome}"));
        }
        self.hear().await;
        if acquirer.adapter().can_read_payments() {
            let last = self.ask_until(Outcome::is_final).await;
            let shown =
                last.map_or_else(|| "nothing that could be read".to_owned(), |outcome| outcome.to_string());
            self.say(format!("the Partner asked how it stands: {shown}"));
            if last.is_some_and(|last| last != Outcome::Approved) {
                self.complain(format!("the Customer approved, and read_payment says {shown}"));
            }
        }
        Ok(())
    }

    /// Asks for the payment methods, where the adapter says how.
    async fn list_methods(&mut self) {
        let TrialParties { acquirer, partner, .. } = self.parties;
        let operation = "list_payment_methods";
        if !acquirer.adapter().operations().contains(&operation) {
            return;
        }
        match acquirer.list_payment_methods(partner, &self.order).await {
            Ok(answer) => {
                self.answers.add(acquirer.adapter(), operation, &answer.exchange);
                self.say(format!("the Partner asked for payment methods: {}", answer.names.join(", ")));
                if !answer.lists_klarna() {
                    self.complain(format!("{operation}: \"{}\" is not among the names", answer.klarna));
                }
            }
            Err(error) => {
                if let Some(exchange) = error.exchange() {
                    self.answers.add(acquirer.adapter(), operation, exchange);
                }
                self.complain(error.to_string());
            }
        }
    }

    async fn declare_intent(&mut self) -> Result<(), ControlError> {
        // A currency that is fixed above.
        let Ok(currency) = self.order.currency.parse() else { return Ok(()) };
        let lines = self.order.lines.iter().map(
            |line| json!({"name": line.name, "quantity": line.quantity, "total_amount": line.total_amount}),
        );
        let intent = Intent {
            network_data: self.order.network_data.clone(),
            session_token: None,
            amount: MinorUnits(self.order.amount),
            currency,
            purchase_reference: Some(self.order.purchase_reference.clone()),
            line_items: Some(lines.collect()),
            customer: None,
            shipping: None,
            payment_option_id: None,
        };
        self.parties.control.declare_intent(&self.parties.partner.klarna_account, &intent).await?;
        Ok(())
    }

    /// Notes an answer; what it means.
    fn take(&mut self, operation: &'static str, answer: PaymentAnswer) -> Outcome {
        self.answers.add(self.parties.acquirer.adapter(), operation, &answer.exchange);
        for (name, value) in answer.read {
            self.told.entry(name).or_insert(value);
        }
        answer.outcome
    }

    /// What the acquirer calls the payment; the Partner's reference where no id was read.
    fn id(&self) -> String {
        self.told.get("payment_id").unwrap_or(&self.order.reference).clone()
    }

    /// Asks how the payment stands until `enough` is said, for as long as something is waited for; what was
    /// said last. The last answer is noted.
    async fn ask_until(&mut self, enough: impl Fn(Outcome) -> bool) -> Option<Outcome> {
        let TrialParties { acquirer, partner, .. } = self.parties;
        if !acquirer.adapter().can_read_payments() {
            return None;
        }
        let mut told = self.told.clone();
        told.entry("payment_id".to_owned()).or_insert_with(|| self.order.reference.clone());
        let end = Instant::now() + PATIENCE;
        // An acquirer without notifications cannot tell; it is asked again and again.
        let mut again = tokio::time::interval(POLL_EVERY);
        loop {
            again.tick().await;
            let late = Instant::now() >= end;
            match acquirer.read_payment_again(partner, &told).await {
                Ok(answer) if enough(answer.outcome) || late => {
                    return Some(self.take("read_payment", answer));
                }
                Ok(_) => {}
                Err(error) => {
                    if let Some(exchange) = error.exchange() {
                        self.answers.add(acquirer.adapter(), "read_payment", exchange);
                    }
                    self.complain(error.to_string());
                    return None;
                }
            }
        }
    }

    /// The authorize calls so far.
    pub(super) async fn calls(&self) -> Result<Vec<Call>, ControlError> {
        Ok(self.await_calls(|_| true, Duration::ZERO).await?.0)
    }

    pub(super) async fn await_final_call(&mut self) -> Result<(), ControlError> {
        let approved = |call: &Call| call.result().as_deref() == Some("APPROVED");
        let (_, came) = self.await_calls(approved, PATIENCE).await?;
        if came {
            self.say("the acquirer made the final authorize: APPROVED");
        } else {
            self.complain(format!(
                "the Customer approved, and no final authorize that Klarna approved came within {} s",
                PATIENCE.as_secs()
            ));
        }
        Ok(())
    }

    /// The authorize calls, and whether `accept` took one of them in time.
    async fn await_calls(
        &self,
        accept: impl Fn(&Call) -> bool,
        patience: Duration,
    ) -> Result<(Vec<Call>, bool), ControlError> {
        let deadline = Instant::now() + patience;
        let mut calls: Vec<Call> = Vec::new();
        let mut after = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let query = JournalQuery {
                operation: Some("authorize".to_owned()),
                epoch: Some(self.epoch),
                after: Some(after),
                min: Some(1),
                wait_ms: Some(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
                ..JournalQuery::default()
            };
            let page = self.parties.control.journal(&self.parties.partner.klarna_account, &query).await?;
            after = page.entries.last().map_or(after, |entry| entry.seq);
            calls.extend(page.entries.into_iter().map(|entry| Call { entry }));
            let accepted = calls.iter().any(&accept);
            if accepted || left.is_zero() {
                return Ok((calls, accepted));
            }
        }
    }

    /// Waits for the notification that the payment is approved.
    async fn hear(&mut self) {
        if !self.parties.acquirer.adapter().claims("notifications") {
            return;
        }
        let id = self.id();
        let approved = |one: &Notification| one.outcome == Some(Outcome::Approved);
        let stand_in = self.parties.stand_in;
        if stand_in.await_notification(&id, approved, PATIENCE).await.is_err() {
            self.complain(format!(
                "the file claims notifications, and none that could be read told within {} s that the payment is approved",
                PATIENCE.as_secs()
            ));
        }
        let heard: Vec<Heard> =
            stand_in.notifications(&id).into_iter().chain(stand_in.strays()).map(heard).collect();
        for trouble in heard.iter().filter_map(|one| one.trouble.clone()) {
            self.complain(format!("a notification: {trouble}"));
        }
        self.report.heard = heard;
    }
}

/// A notification in words.
fn heard(notification: Notification) -> Heard {
    let (verified, untrusted) = match notification.verified {
        Verification::NotClaimed => ("none is claimed".to_owned(), None),
        Verification::Good => ("fits".to_owned(), None),
        Verification::Bad(why) => (format!("does not fit: {why}"), Some(why)),
    };
    Heard {
        outcome: notification.outcome.map(|outcome| outcome.to_string()),
        verified,
        trouble: notification.unreadable.or(untrusted),
    }
}
