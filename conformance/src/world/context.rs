//! What all scenarios of a run share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use klarna_simulator::control::client::ControlClient;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::record::Board;
use crate::adapter::{Adapter, BoundAcquirer, PartnerBinding};
use crate::browser::Browser;
use crate::launch::RunningAcquirer;
use crate::partner::PartnerStandIn;
use crate::plan::Scenario;

/// How long a step waits for something that should come.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The run, as the steps see it.
#[derive(Debug)]
pub struct RunContext {
    /// The adapter.
    pub adapter: Adapter,
    /// The acquirer, as a Partner sees it.
    pub acquirer: BoundAcquirer,
    /// The acquirer's process, or the one that was attached.
    pub process: RunningAcquirer,
    /// The simulator's control API.
    pub control: ControlClient,
    /// The acquirer's account at Klarna, where calls are noted that belong to no Partner.
    pub acquirer_account: String,
    /// The Partner's ears and return page.
    pub stand_in: PartnerStandIn,
    /// The Customer's browser: follows no redirect by itself.
    pub browser: Browser,
    /// The Partners, each for one scenario at a time.
    pub pool: PartnerPool,
    /// The run's seed.
    pub seed: u64,
    /// The planned scenarios, by id.
    pub scenarios: HashMap<String, Arc<Scenario>>,
    /// What was found, by scenario.
    pub board: Board,
}

/// What a claim of the acquirer about its own clocks is given on top: the way through two processes
/// on a busy machine.
const SLACK: Duration = Duration::from_secs(2);

impl RunContext {
    /// How long the Partner waits for an answer of an acquirer that claims `timing.answer_ms`,
    /// slack included; `None` where it claims nothing.
    pub fn answers_within(&self) -> Option<Duration> {
        with_slack(self.adapter.timing().answer_ms)
    }

    /// How long Klarna must be silent for the acquirer to give up a call, slack included, where it
    /// claims `timing.klarna_timeout_ms`.
    pub fn gives_up_within(&self) -> Option<Duration> {
        with_slack(self.adapter.timing().klarna_timeout_ms)
    }

    /// How long after a call that failed the acquirer has called Klarna again, where it claims
    /// `timing.retry_within_ms`; slack included, and not the time that the failed call itself takes.
    pub fn retries_within(&self) -> Option<Duration> {
        with_slack(self.adapter.timing().retry_within_ms)
    }

    /// How long after Klarna has lost what it had registered the acquirer has registered it anew, where it
    /// claims `timing.registers_within_ms`; slack included.
    pub fn registers_within(&self) -> Option<Duration> {
        with_slack(self.adapter.timing().registers_within_ms)
    }

    /// Seed of a scenario: the same for any order and number of jobs.
    pub fn scenario_seed(&self, scenario: &str) -> u64 {
        let digest = self.digest(scenario, "sandbox");
        digest.first_chunk::<8>().map_or(self.seed, |bytes| u64::from_be_bytes(*bytes))
    }

    /// A short name that is the same for the same seed, scenario and purpose.
    pub fn short_name(&self, scenario: &str, purpose: &str) -> String {
        hex::encode(self.digest(scenario, purpose)).chars().take(10).collect()
    }

    fn digest(&self, scenario: &str, purpose: &str) -> Vec<u8> {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(scenario.as_bytes());
        hash.update([0]);
        hash.update(purpose.as_bytes());
        hash.finalize().to_vec()
    }
}

fn with_slack(claim_ms: Option<u64>) -> Option<Duration> {
    claim_ms.map(|claimed| Duration::from_millis(claimed) + SLACK)
}

/// The Partners that no scenario uses.
#[derive(Debug, Clone)]
pub struct PartnerPool {
    free: Arc<Mutex<Vec<PartnerBinding>>>,
    permits: Arc<Semaphore>,
}

impl PartnerPool {
    /// All of an adapter's Partners; the first is taken first.
    pub fn new(partners: &[PartnerBinding]) -> Self {
        let free: Vec<_> = partners.iter().rev().cloned().collect();
        Self { permits: Arc::new(Semaphore::new(free.len())), free: Arc::new(Mutex::new(free)) }
    }

    /// Waits for a Partner that no other scenario uses.
    pub async fn lease(&self) -> Lease {
        loop {
            // The semaphore is never closed; an error would mean that nobody counts any more.
            let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
            let taken = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
            if let Some(partner) = taken {
                return Lease { partner, pool: self.clone(), _permit: permit };
            }
        }
    }
}

/// A Partner in use; dropped, it goes back to the pool.
#[derive(Debug)]
pub struct Lease {
    partner: PartnerBinding,
    pool: PartnerPool,
    _permit: Option<tokio::sync::OwnedSemaphorePermit>,
}

impl Lease {
    /// The Partner.
    pub fn partner(&self) -> &PartnerBinding {
        &self.partner
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Before the permit is given back, which happens when the fields are dropped.
        self.pool.free.lock().unwrap_or_else(PoisonError::into_inner).push(self.partner.clone());
    }
}
