//! What is noted about a scenario while it runs; the recorder turns it into the run model.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;
use klarna_schemas::simulator::finding::Finding;

use crate::model::Exchange;
use crate::traces::{Scene, Traces};

/// Everything noted about one scenario.
#[derive(Debug, Clone, Default)]
pub struct ScenarioRecord {
    /// Name of its Partner.
    pub partner: String,
    /// The Partner's account at Klarna.
    pub account: String,
    /// Seed of its sandbox.
    pub seed: u64,
    /// Steps that ended, in order.
    pub steps: Vec<StepRecord>,
    /// Remarks of the step that runs.
    pub remarks: Vec<String>,
    /// What was found.
    pub found: Vec<FoundHere>,
    /// How often each check had something to judge.
    pub judged: IndexMap<String, u64>,
    /// Why there was nothing to judge, if a step said so.
    pub nothing_to_judge: Option<String>,
    /// Why the scenario is not asked of this acquirer, if a step said so.
    pub not_applicable: Option<String>,
    /// Why the run itself broke here, if it did.
    pub broken: Option<String>,
    /// How long it took.
    pub took: Duration,
    /// Where it took place; none before its sandbox was open.
    pub scene: Option<Scene>,
    /// What is kept of it, if it did not hold.
    pub traces: Option<Arc<Traces>>,
    /// Trouble of the suite after its last step, which is no verdict on the acquirer.
    pub aftermath: Vec<String>,
}

/// A step that ended.
#[derive(Debug, Clone)]
pub struct StepRecord {
    /// Line in the feature.
    pub line: usize,
    /// How long it took.
    pub took: Duration,
    /// What it adds for the reader.
    pub remarks: Vec<String>,
    /// Why it did not hold, in one line.
    pub failure: Option<String>,
}

/// A finding, with what proves it.
#[derive(Debug, Clone)]
pub struct FoundHere {
    /// The finding.
    pub finding: Finding,
    /// Line of the step that found it; none for what is watched throughout.
    pub line: Option<usize>,
    /// The exchanges that prove it.
    pub exchanges: Vec<Exchange>,
    /// A command that makes the Partner's call again.
    pub curl: Option<String>,
    /// The end of the acquirer's log, if it died.
    pub log_tail: Option<String>,
}

/// The records of all scenarios.
#[derive(Debug, Default)]
pub struct Board {
    records: Mutex<HashMap<String, ScenarioRecord>>,
}

impl Board {
    /// Changes a scenario's record.
    pub fn update<T>(&self, scenario: &str, change: impl FnOnce(&mut ScenarioRecord) -> T) -> T {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        change(records.entry(scenario.to_owned()).or_default())
    }

    /// A scenario's record as it stands.
    pub fn read(&self, scenario: &str) -> ScenarioRecord {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.get(scenario).cloned().unwrap_or_default()
    }
}
