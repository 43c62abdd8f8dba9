//! One scenario's world: its Partner, its sandbox, its payments, and what was found.

mod attempts;
mod behaviour;
mod checks;
mod conclude;
mod context;
mod deeds;
mod ends;
mod events;
mod evidence;
mod failure;
mod fence;
mod final_call;
mod follow_ups;
mod hops;
mod journal;
mod journey;
mod judging;
mod klarna;
mod methods;
mod mistakes;
mod orders;
mod own_presentation;
mod payment;
mod purchase;
mod record;
mod registrations;
mod response_data;
mod seats;
mod shop;
mod shown;
mod size;
mod step_up_config;
mod teardown;
mod telling;
mod transport;
mod trouble;
mod unheard;

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use klarna_schemas::ids::{SigningKeyId, WebhookId};
use klarna_schemas::simulator::control::Evolution;

pub use checks::{CHECKS, Check, check};
pub use context::{Lease, PartnerPool, RunContext};
pub use events::Oddity;
pub use failure::Failure;
pub use journal::Call;
pub use journey::Way;
pub use mistakes::Mistake;
pub use payment::Payment;
pub use purchase::Field;
pub use record::{Board, FoundHere, ScenarioRecord, StepRecord};
pub use shop::Page;
pub use size::Letters;
pub use trouble::Which;

use seats::Seat;

use crate::adapter::Order;
use crate::plan::Scenario;

/// What the steps of one scenario share.
#[derive(Debug)]
pub struct World {
    /// The run around it.
    pub run: Arc<RunContext>,
    /// The scenario as planned.
    pub scenario: Arc<Scenario>,
    /// When it began; the scenario's budget counts from here.
    pub began: Instant,
    pub(crate) began_at: Timestamp,
    /// The Partners of this scenario; mostly one.
    seats: Vec<Seat>,
    /// Whose turn it is.
    turn: usize,
    /// The order that the next payment is made from.
    pub order: Order,
    payments: Vec<Payment>,
    /// Whether the Customer said not to come back.
    pub stays_away: bool,
    /// What is wrong with the next order, on purpose.
    mistake: Option<Mistake>,
    /// The token that only a forged event has carried.
    canary: Option<String>,
    /// Whether Klarna was last made to leave a call unanswered.
    silence: bool,
    /// Whether nothing was done since the last fence, so that it proves the next absence too.
    fenced: bool,
    /// In which ways Klarna has evolved since the scenario began.
    evolved: Vec<Evolution>,
    /// How long after the step-up the Customer acts by itself.
    customer_acts_after: Option<jiff::SignedDuration>,
    /// Webhooks that had their signing key changed in this scenario, each with the one before.
    rotated: Vec<(WebhookId, SigningKeyId)>,
    /// Where the account's journal stood when Klarna last lost what the acquirer had registered.
    forgotten_at: Option<u64>,
    /// Calls that Klarna refused since the Partner itself asked for too much, by their numbers.
    asked_too_much: Vec<u64>,
    /// The payment methods that were listed last.
    listing: Option<methods::Listing>,
}

impl World {
    /// Takes a Partner of the pool and opens a fresh sandbox for it.
    ///
    /// # Errors
    /// When the simulator cannot be reached.
    pub async fn open(run: Arc<RunContext>, scenario: Arc<Scenario>) -> Result<Self, Failure> {
        let lease = run.pool.lease().await;
        let account = lease.partner().klarna_account.clone();
        let seed = run.scenario_seed(&scenario.id);
        run.board.update(&scenario.id, |record| {
            record.partner.clone_from(&lease.partner().name);
            record.account = account.to_string();
            record.seed = seed;
        });
        let seat = Seat::take(&run, lease, seed).await?;
        let order = orders::sample(&run, &scenario.id, 1);
        Ok(Self {
            run,
            scenario,
            began: Instant::now(),
            began_at: crate::model::now(),
            seats: vec![seat],
            turn: 0,
            order,
            payments: Vec::new(),
            stays_away: false,
            mistake: None,
            canary: None,
            silence: false,
            fenced: false,
            evolved: Vec::new(),
            customer_acts_after: None,
            rotated: Vec::new(),
            forgotten_at: None,
            asked_too_much: Vec::new(),
            listing: None,
        })
    }

    /// The payment that the scenario is about: the one created last by a step.
    ///
    /// # Errors
    /// When no step has created one.
    pub fn payment(&self) -> Result<&Payment, Failure> {
        self.payments
            .iter()
            .rev()
            .find(|payment| !payment.is_fence && payment.seat == self.turn)
            .ok_or_else(|| Failure::misused("no step before this one creates a payment"))
    }

    fn payment_mut(&mut self) -> Result<&mut Payment, Failure> {
        let turn = self.turn;
        self.payments
            .iter_mut()
            .rev()
            .find(|payment| !payment.is_fence && payment.seat == turn)
            .ok_or_else(|| Failure::misused("no step before this one creates a payment"))
    }

    /// Asks that the acquirer claims a capability, for steps that make no sense without it.
    ///
    /// # Errors
    /// When it does not: then the scenario is not asked of it.
    pub fn needs(&self, capability: &str) -> Result<(), Failure> {
        self.run.adapter.why_not(capability).map_or(Ok(()), |why| Err(Failure::NotApplicable(why)))
    }

    /// Adds a remark to the step that runs, for the report.
    pub fn remark(&self, remark: impl Into<String>) {
        let remark = remark.into();
        self.run.board.update(&self.scenario.id, |record| record.remarks.push(remark));
    }
}

impl World {
    /// A step that ended in no honest way.
    pub fn broken_by(&self, rule: &str, what: String) -> Failure {
        Failure::found(checks::finding(rule, &self.scenario.duties, "the step", what))
    }
}
