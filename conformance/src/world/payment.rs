//! A payment that the Partner has asked its acquirer for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use klarna_schemas::money::MinorUnits;
use klarna_schemas::simulator::control::{Intent, JournalQuery};
use klarna_schemas::simulator::finding::Severity;
use klarna_schemas::simulator::journal::JournalEntry;
use serde_json::json;

use super::World;
use super::checks::finding;
use super::context::PATIENCE;
use super::failure::Failure;
use super::follow_ups::Asked;
use super::journal::{AUTHORIZE, Call};
use super::journey::Journey;
use super::orders;
use crate::adapter::{Mode, OperationError, Order, Outcome, PartnerExchange, PaymentAnswer};

/// How long a call is waited for that must have been made already; not nothing, for the sake of
/// acquirers that answer a little early.
const BY_NOW: Duration = Duration::from_secs(2);

/// Where the Partner's app is woken.
const APP: &str = "klarna-conformance-shop://back/";

/// One payment.
#[derive(Debug)]
pub struct Payment {
    /// What was ordered.
    pub order: Order,
    /// What the acquirer answered.
    pub answer: PaymentAnswer,
    /// How the Customer fares.
    pub(super) journey: Journey,
    /// Number of the last exchange before it was created.
    pub(super) since: u64,
    /// Whether it is only the sound twin that proves an absence.
    pub(super) is_fence: bool,
    /// Whose payment it is, by the Partner's seat.
    pub(super) seat: usize,
    /// Whether its Payment Request was let expire.
    pub(super) expired: bool,
    /// How long the create call took.
    pub(super) took: Duration,
    pub(super) name: Option<String>,
    /// What the Partner asked for afterwards, in order.
    pub(super) follow_ups: Vec<Asked>,
}

impl Payment {
    /// The call that created it.
    pub fn exchange(&self) -> &PartnerExchange {
        &self.answer.exchange
    }

    /// What the acquirer calls it; its own reference where the adapter reads no id.
    pub fn id(&self) -> &str {
        self.read("payment_id").unwrap_or(&self.order.reference)
    }

    /// All that the answer told, with an id in any case: what a later read is made from.
    pub(super) fn told(&self) -> BTreeMap<String, String> {
        let mut told = self.answer.read.clone();
        told.entry("payment_id".to_owned()).or_insert_with(|| self.order.reference.clone());
        told
    }

    /// A value that the adapter read from the answer.
    pub fn read(&self, name: &str) -> Option<&str> {
        self.answer.read.get(name).map(String::as_str)
    }
}

impl World {
    /// Prices the order.
    ///
    /// # Errors
    /// When the amount is none.
    pub fn price_order(&mut self, number: &str, currency: &str) -> Result<(), Failure> {
        let amount = orders::minor_units(number, currency)?;
        orders::price(&mut self.order, amount, currency);
        Ok(())
    }

    /// Gives the order this Klarna Network Data.
    ///
    /// # Errors
    /// When the acquirer does not claim to take any.
    pub fn share_network_data(&mut self, data: Option<String>) -> Result<(), Failure> {
        self.needs("network_data")?;
        self.order.network_data = data;
        Ok(())
    }

    /// Gives the order Klarna Network Data that no two encoders write alike.
    ///
    /// # Errors
    /// As [`World::share_network_data`].
    pub fn share_peculiar_network_data(&mut self) -> Result<(), Failure> {
        self.share_network_data(Some(orders::PECULIAR.to_owned()))
    }

    /// Gives the order Klarna Network Data with characters in it that a feature cannot show.
    ///
    /// # Errors
    /// When no such data is known.
    pub fn share_peculiar(&mut self, words: &str) -> Result<(), Failure> {
        let data = orders::peculiar(words).ok_or_else(|| Failure::misused("no such data is known"))?;
        self.share_network_data(Some(data.to_owned()))
    }

    /// Lets the Customer come back to the Partner's app.
    pub fn come_back_to_app(&mut self) {
        self.order.app_return_url = Some(format!("{APP}{}", self.order.reference));
    }

    /// Declares the intent and creates the payment, as the Partner.
    ///
    /// # Errors
    /// When the acquirer gives no answer that the adapter can read.
    pub async fn create_payment(&mut self, mode: Option<Mode>) -> Result<(), Failure> {
        let mut order = self.order.clone();
        if let Some(mode) = mode {
            order.mode = mode;
        }
        if let Some(mistake) = self.mistake {
            mistake.make(&mut order);
        }
        self.create(order, false).await
    }

    pub(super) async fn create(&mut self, order: Order, is_fence: bool) -> Result<(), Failure> {
        let since = self.journal_end().await?;
        self.fenced = false;
        // What must not reach Klarna is no intent: it would be waited for, and bind to the next payment.
        if is_fence || self.mistake.is_none() {
            self.declare_intent(&order).await?;
        }
        let asked = Instant::now();
        let created = self.run.acquirer.create_payment(self.partner(), &order).await;
        let answer = created.map_err(|error| self.operation_failed(&error))?;
        // That the acquirer could be reached and read, through its own API, is what these two judge.
        self.judged("partner-api.unreachable", 1);
        self.judged("partner-api.unreadable", 1);
        let payment = Payment {
            order,
            answer,
            journey: Journey::default(),
            since,
            is_fence,
            seat: self.turn,
            expired: false,
            took: asked.elapsed(),
            name: None,
            follow_ups: Vec::new(),
        };
        self.open_shop_for(&payment);
        self.payments.push(payment);
        // The next payment of this scenario is another order.
        let fresh = orders::sample(&self.run, &self.scenario.id, self.payments.len() + 1);
        let used = std::mem::replace(&mut self.order, fresh);
        orders::price(&mut self.order, used.amount, &used.currency);
        Ok(())
    }

    async fn declare_intent(&self, order: &Order) -> Result<(), Failure> {
        let currency = order.currency.parse().map_err(|error| Failure::Broken(format!("{error}")))?;
        // What every partner-facing API can carry; an acquirer may know more of a line.
        let lines = order.lines.iter().map(
            |line| json!({"name": line.name, "quantity": line.quantity, "total_amount": line.total_amount}),
        );
        let intent = Intent {
            network_data: order.network_data.clone(),
            session_token: order.session_token.clone(),
            amount: MinorUnits(order.amount),
            currency,
            purchase_reference: Some(order.purchase_reference.clone()),
            line_items: Some(lines.collect()),
            customer: Some(json!({"email": order.customer.email})),
            shipping: Some(vec![json!({"address": {"city": order.shipping_address.city}})]),
            payment_option_id: order.payment_option_id.clone(),
        };
        self.run.control.declare_intent(self.account(), &intent).await?;
        Ok(())
    }

    /// How the acquirer says that the payment stands now, by all that its answer told of it.
    pub(super) async fn read_payment(
        &self,
        told: &BTreeMap<String, String>,
    ) -> Result<PaymentAnswer, Failure> {
        let read = self.run.acquirer.read_payment_again(self.partner(), told).await;
        read.map_err(|error| self.operation_failed(&error))
    }

    pub(super) fn operation_failed(&self, error: &OperationError) -> Failure {
        let rule = match error {
            OperationError::Unreachable { .. } => "partner-api.unreachable",
            OperationError::TimedOut { .. } => "partner-api.timed-out",
            OperationError::Unreadable { .. } => "partner-api.unreadable",
            OperationError::NotBound { .. }
            | OperationError::NoToken { .. }
            | OperationError::Template { .. } => {
                return Failure::Broken(error.to_string());
            }
        };
        let finding = finding(rule, &self.scenario.duties, "the acquirer's Partner API", error.to_string());
        Failure::found_in(finding, error.exchange().cloned())
    }

    /// The simulator's name of the payment, known from its first authorize.
    ///
    /// # Errors
    /// When no authorize comes: that is a finding.
    pub async fn payment_name(&mut self) -> Result<String, Failure> {
        let payment = self.payment()?;
        if let Some(name) = &payment.name {
            return Ok(name.clone());
        }
        let since = payment.since;
        let query = JournalQuery {
            after: Some(since),
            operation: Some(AUTHORIZE.to_owned()),
            ..JournalQuery::default()
        };
        // Klarna writes a call down before it answers. So whatever but `pending` the acquirer has
        // answered, what it asked Klarna stands in the journal by now.
        let patience = if payment.answer.outcome == Outcome::Pending { PATIENCE } else { BY_NOW };
        let settled = |entry: &JournalEntry| entry.payment.is_some() || is_refused(entry);
        let entry = self.await_entry_for(&query, settled, patience).await?;
        if let Some(refused) = entry.as_ref().filter(|entry| is_refused(entry)) {
            self.refused_for(refused).await?;
        }
        let Some(name) = entry.and_then(|entry| entry.payment) else {
            let mut finding = finding(
                "initial.missing",
                &self.scenario.duties,
                "Payment Authorize",
                format!(
                    "the Partner created a payment, and no initial authorize came for {}",
                    self.account()
                ),
            );
            finding.expected = Some(format!("POST /v2/accounts/{}/payment/authorize", self.account()));
            finding.got = Some(self.what_came_instead(since).await);
            return Err(Failure::found(finding));
        };
        self.payment_mut()?.name = Some(name.clone());
        Ok(name)
    }

    /// Fails by what Klarna's rules found in a call that it refused, if they found anything.
    async fn refused_for(&self, entry: &JournalEntry) -> Result<(), Failure> {
        let findings = self.run.control.findings(self.account(), None).await?.findings;
        let cause = findings
            .into_iter()
            .find(|finding| finding.severity == Severity::Fails && finding.exchanges.contains(&entry.seq));
        cause.map_or(Ok(()), |cause| Err(Failure::found(cause)))
    }

    /// The payment's initial authorize.
    ///
    /// # Errors
    /// When none comes.
    pub async fn initial_call(&mut self) -> Result<Call, Failure> {
        let name = self.payment_name().await?;
        let calls = self.calls(&name).await?;
        self.judged("initial.missing", 1);
        // Where Klarna was in trouble at first, the call that it decided on is the one to look at.
        let decided = calls.iter().position(|call| call.result().is_some()).unwrap_or(0);
        calls
            .into_iter()
            .nth(decided)
            .ok_or_else(|| Failure::Broken("the journal lost the initial authorize".to_owned()))
    }

    /// Whether the acquirer answered the create call with this outcome.
    pub(super) fn answered(&self, outcome: Outcome) -> Result<bool, Failure> {
        Ok(self.payment()?.answer.outcome == outcome)
    }
}

/// Whether Klarna refused a call for good, so that no payment came of it.
fn is_refused(entry: &JournalEntry) -> bool {
    let status = entry.response.as_ref().map_or(0, |response| response.status);
    entry.payment.is_none() && (400..500).contains(&status)
}
