//! One scenario's world: its Partner, its sandbox, its payments, and what was found.

mod browser;
mod checks;
mod conclude;
mod context;
mod evidence;
mod failure;
mod fence;
mod journal;
mod journey;
mod judging;
mod klarna;
mod orders;
mod payment;
mod record;
mod teardown;
mod telling;

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::simulator::control::PutSandbox;

pub use browser::{Browser, Door};
pub use checks::{CHECKS, Check, check};
pub use context::{Lease, PartnerPool, RunContext};
pub use failure::Failure;
pub use journal::Call;
pub use journey::Way;
pub use payment::Payment;
pub use record::{Board, FoundHere, ScenarioRecord, StepRecord};

use crate::adapter::{Order, PartnerBinding};
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
    lease: Lease,
    epoch: u64,
    /// The order that the next payment is made from.
    pub order: Order,
    payments: Vec<Payment>,
    /// Whether the Customer said not to come back.
    pub stays_away: bool,
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
        let sandbox =
            run.control.put_sandbox(&account, &PutSandbox { seed: Some(seed), clock: None }).await?;
        let order = orders::sample(&run, &scenario.id, 1);
        Ok(Self {
            run,
            scenario,
            began: Instant::now(),
            began_at: crate::model::now(),
            lease,
            epoch: sandbox.epoch,
            order,
            payments: Vec::new(),
            stays_away: false,
        })
    }

    /// The Partner of this scenario.
    pub fn partner(&self) -> &PartnerBinding {
        self.lease.partner()
    }

    /// Its account at Klarna.
    pub fn account(&self) -> &PartnerAccountId {
        &self.lease.partner().klarna_account
    }

    /// The payment that the scenario is about: the one created last by a step.
    ///
    /// # Errors
    /// When no step has created one.
    pub fn payment(&self) -> Result<&Payment, Failure> {
        self.payments
            .iter()
            .rev()
            .find(|payment| !payment.is_fence)
            .ok_or_else(|| Failure::misused("no step before this one creates a payment"))
    }

    fn payment_mut(&mut self) -> Result<&mut Payment, Failure> {
        self.payments
            .iter_mut()
            .rev()
            .find(|payment| !payment.is_fence)
            .ok_or_else(|| Failure::misused("no step before this one creates a payment"))
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
