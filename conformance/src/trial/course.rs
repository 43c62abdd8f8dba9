//! The course of the payment: the Partner creates it, the Customer approves it, everybody hears of it.

use std::collections::BTreeMap;
use std::time::Duration;

use klarna_schemas::ids::PaymentRequestId;
use klarna_schemas::money::MinorUnits;
use klarna_schemas::simulator::control::{CustomerAct, CustomerActed, Intent, JournalQuery, PutSandbox};
use klarna_schemas::simulator::finding::Severity;
use klarna_simulator::control::client::{ControlClient, ControlError};
use reqwest::header::{ACCEPT, LOCATION};
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::answers::Answers;
use super::canary::{self, Canary};
use super::find::{self, Form, Found};
use super::report::{CameOut, Heard, Report};
use super::sureness::Sureness;
use crate::adapter::{BoundAcquirer, Mode, Order, Outcome, PartnerBinding, PaymentAnswer, Verification};
use crate::partner::{Notification, PartnerStandIn};
use crate::world::{Browser, Call};

/// How long something is waited for that should come.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a Partner asks how a payment stands.
const POLL_EVERY: Duration = Duration::from_millis(100);

/// Redirects that a browser follows before it gives up.
const HOPS_MAX: usize = 10;

/// Values of an order that no canary stands for.
const NOT_TRIED: &[(&str, &str)] = &[
    ("app_return_url", "a browser cannot come back to an app"),
    ("session_token", "Klarna takes its own only"),
    ("payment_option_id", "Klarna takes its own only"),
];

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
        told: BTreeMap::new(),
    };
    trial.play().await?;
    trial.conclude().await
}

struct Trial<'a> {
    parties: TrialParties<'a>,
    order: Order,
    epoch: u64,
    report: Report,
    answers: Answers,
    /// What the answers told of the payment.
    told: BTreeMap<String, String>,
}

impl Trial<'_> {
    fn say(&mut self, what: impl Into<String>) {
        self.report.course.push(what.into());
    }

    fn complain(&mut self, what: impl Into<String>) {
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

    /// Lets the Customer approve, and come back.
    async fn step_up(&mut self) -> Result<(), ControlError> {
        let Some(first) = self.calls().await?.into_iter().next() else { return Ok(()) };
        let (Some(id), Some(url)) = (first.payment_request_id(), first.payment_request_url()) else {
            self.complain("the answer says step_up, and Klarna asked for none");
            return Ok(());
        };
        self.judge_handing_over(&id);
        let handed = self.told.get("redirect_url").cloned().filter(|_| self.order.mode == Mode::Redirect);
        let opened = match handed {
            Some(handed) => self.open(&handed, &url).await,
            None => None,
        };
        let acted = if let Some(journey) = opened {
            self.approve_there(&journey).await
        } else {
            let account = &self.parties.partner.klarna_account;
            let id = PaymentRequestId(id);
            let acted = self.parties.control.act_as_customer(account, &id, CustomerAct::Approve).await?;
            self.say("the Customer approved through Klarna's SDK");
            Some(acted)
        };
        let back = acted.and_then(|acted| acted.redirect_to).and_then(|target| Url::parse(&target).ok());
        if let Some(back) = back {
            self.come_back(back).await;
        }
        self.await_final_call().await
    }

    /// What a step-up's answer must give by what the adapter claims.
    fn judge_handing_over(&mut self, id: &str) {
        let adapter = self.parties.acquirer.adapter();
        let (redirect, sdk) = (adapter.claims("redirect"), adapter.claims("sdk"));
        if redirect && self.order.mode == Mode::Redirect && !self.told.contains_key("redirect_url") {
            self.complain(
                "the file claims redirect, and no redirect_url was read from the answer to a step-up",
            );
        }
        match self.told.get("payment_request_id") {
            Some(read) if read != id => {
                let what = format!("payment_request_id was read as {read}, and Klarna's is {id}");
                self.complain(what);
            }
            None if sdk => {
                self.complain(
                    "the file claims sdk, and no payment_request_id was read from the answer to a step-up",
                );
            }
            _ => {}
        }
    }

    /// Follows the URL that was handed over to Klarna's own.
    async fn open(&mut self, handed: &str, klarna: &str) -> Option<Url> {
        let (wanted, mut here) = (Url::parse(klarna).ok()?, Url::parse(handed).ok());
        let mut hops = 0;
        while let Some(url) = here {
            if url == wanted {
                let via =
                    if hops == 0 { String::new() } else { format!(", by {hops} hops of the acquirer's") };
                self.say(format!("the Customer opened redirect_url and stood at Klarna{via}"));
                return Some(url);
            }
            hops += 1;
            here = if hops > HOPS_MAX { None } else { self.browse(&url).await };
        }
        self.complain(format!(
            "redirect_url was read as {handed}, and redirects from there do not lead to Klarna's {klarna}"
        ));
        None
    }

    async fn approve_there(&mut self, journey: &Url) -> Option<CustomerActed> {
        let request = self.parties.browser.post(journey.clone()).header(ACCEPT, "application/json");
        let sent = request.json(&json!({"act": CustomerAct::Approve.as_str()})).send().await;
        let acted = match sent {
            Ok(answer) => answer.json().await,
            Err(error) => Err(error),
        };
        match acted {
            Ok(acted) => {
                self.say("the Customer approved");
                Some(acted)
            }
            Err(error) => {
                self.complain(format!("the Customer could not approve: {}", error.without_url()));
                None
            }
        }
    }

    async fn come_back(&mut self, back: Url) {
        let mut here = Some(back);
        for _ in 0..HOPS_MAX {
            let Some(url) = here else { break };
            here = self.browse(&url).await;
        }
        let home = !self.parties.stand_in.returns(&self.order.reference).is_empty();
        if home {
            self.say("the Customer came back to the Partner's return_url");
        } else {
            self.complain("the Customer did not come back to the Partner's return_url");
        }
    }

    /// One request of the Customer's browser; where it is sent on.
    async fn browse(&self, url: &Url) -> Option<Url> {
        let answer = self.parties.browser.get(url.clone()).header(ACCEPT, "text/html").send().await.ok()?;
        let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let next = location.filter(|_| answer.status().is_redirection());
        next.and_then(|target| url.join(target).ok())
    }

    /// The authorize calls so far.
    async fn calls(&self) -> Result<Vec<Call>, ControlError> {
        Ok(self.await_calls(|_| true, Duration::ZERO).await?.0)
    }

    async fn await_final_call(&mut self) -> Result<(), ControlError> {
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

    async fn conclude(mut self) -> Result<Report, ControlError> {
        let calls = self.calls().await?;
        let results: Vec<String> =
            calls.iter().map(|call| call.result().unwrap_or_else(|| "no decision".to_owned())).collect();
        self.say(format!("Klarna got {} authorize calls: {}", calls.len(), results.join(", ")));
        if calls.is_empty() {
            let account = &self.parties.partner.klarna_account;
            self.complain(format!(
                "no authorize came for the account {account}: is it the Partner's at the acquirer?"
            ));
        }
        for canary in canary::of_order(&self.order) {
            let came_out = self.came_out(canary, &calls);
            self.report.came_out.push(came_out);
        }
        self.report.came_out.extend(NOT_TRIED.iter().map(|(name, why)| CameOut {
            canary: Canary { name: (*name).to_owned(), value: Value::Null },
            places: Vec::new(),
            form: None,
            sure: Sureness::NotSeen(format!("not tried, for {why}")),
            sent: false,
        }));
        for name in ["amount", "currency", "network_data"] {
            let found = self.report.came_out.iter().find(|one| one.canary.name == name);
            let whole = found.is_some_and(|one| one.sure.is_seen() && one.form == Some(Form::ByteForByte));
            if !whole && !calls.is_empty() {
                let how = found.map_or_else(String::new, |one| {
                    one.form.map_or_else(|| one.sure.to_string(), |form| form.to_string())
                });
                self.complain(format!("{name} did not reach Klarna as the Partner gave it: {how}"));
            }
        }
        self.report.was_read = self.answers.was_read();
        if !self.told.contains_key("payment_id") {
            self.complain("no payment_id was read from any answer");
        }
        let account = &self.parties.partner.klarna_account;
        let found = self.parties.control.findings(account, None).await?.findings;
        self.report.findings = found
            .into_iter()
            .filter(|finding| finding.severity == Severity::Fails)
            .map(|finding| format!("{}: {} ({})", finding.rule, finding.what, finding.r#where))
            .collect();
        Ok(self.report)
    }

    /// Where a canary came out.
    fn came_out(&self, canary: Canary, calls: &[Call]) -> CameOut {
        let TrialParties { acquirer, partner, stand_in, .. } = self.parties;
        // A template that fails was told already; a value within the network data is sent with it.
        let sent = match canary::changed(&self.order, &canary) {
            Some(changed) => acquirer.tells_apart(partner, &self.order, &changed).unwrap_or(true),
            None => true,
        };
        let found: Vec<Vec<Found>> =
            calls.iter().map(|call| find::in_call(call, &canary.value, &self.order.currency)).collect();
        let times = found.iter().filter(|places| !places.is_empty()).count();
        let mut places: Vec<String> = Vec::new();
        for place in found.iter().flatten() {
            if !places.contains(&place.place) {
                places.push(place.place.clone());
            }
        }
        let mut form = found.iter().flatten().map(|place| place.form).max();
        let mut sure = Sureness::of(times, calls.len(), || match (sent, calls) {
            (false, _) => "create_payment does not send it".to_owned(),
            (true, []) => "no call came".to_owned(),
            (true, _) => "it went to the acquirer and did not come out".to_owned(),
        });
        let came_home = canary.name == "return_url" && !stand_in.returns(&self.order.reference).is_empty();
        if came_home && !sure.is_seen() {
            places = vec!["the Customer came back there".to_owned()];
            (form, sure) = (Some(Form::ByteForByte), Sureness::SeenOnce);
        }
        CameOut { canary, places, form, sure, sent }
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
