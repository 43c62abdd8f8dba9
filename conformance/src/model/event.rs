//! The lines of `run.ndjson`. `schemas/conformance/run-model.schema.json` says the same for others.

use indexmap::IndexMap;
use jiff::Timestamp;
use klarna_schemas::simulator::finding::Finding;
use serde::{Deserialize, Serialize};

use super::exchange::Exchange;

/// Version of the model; a change that readers must know of makes it 2.
pub const MODEL_VERSION: u32 = 1;

/// One line: `{"model": 1, "event": "…", …}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// [`MODEL_VERSION`].
    pub model: u32,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// First line.
    RunStarted(RunStarted),
    /// Second line: everything that was selected.
    Plan(Plan),
    /// A scenario began.
    ScenarioStarted(ScenarioStarted),
    /// A step ended.
    StepFinished(StepFinished),
    /// Something was found.
    Finding(Box<FindingSeen>),
    /// A scenario ended; also said of those that did not run.
    ScenarioFinished(ScenarioFinished),
    /// How a duty stands.
    Verdict(Verdict),
    /// Last line.
    RunFinished(RunFinished),
}

/// What runs against what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunStarted {
    /// When.
    pub at: Timestamp,
    /// Version of the suite.
    pub version: String,
    /// The run's seed.
    pub seed: u64,
    /// Scenarios at once.
    pub jobs: usize,
    /// Scenarios at once as they were asked for.
    #[serde(default)]
    pub jobs_asked: usize,
    /// Why `jobs` is less than was asked for, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs_reason: Option<String>,
    /// What the adapter calls the acquirer.
    pub acquirer: String,
    /// Where its Partner API is.
    pub acquirer_url: String,
    /// Names of the Partners that the adapter binds.
    pub partners: Vec<String>,
    /// Capabilities that the adapter claims.
    pub capabilities: Vec<String>,
    /// Capabilities that it does not claim.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unclaimed: Vec<Unclaimed>,
    /// Where the simulator is.
    pub simulator: String,
    /// The defect that was planted, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defect: Option<String>,
    /// Arguments that a repeated run needs besides the scenario and the seed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
}

/// A capability that the adapter does not claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unclaimed {
    /// Its name.
    pub capability: String,
    /// Why, in a sentence; the adapter's own reason where it gives one.
    pub reason: String,
    /// Required duties that rest on it, and on nothing else that is claimed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duties: Vec<String>,
}

/// Everything that was selected.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// In order.
    pub scenarios: Vec<PlannedScenario>,
}

/// One scenario of the plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlannedScenario {
    /// Its id.
    pub id: String,
    /// Name of its feature.
    pub feature: String,
    /// Its name.
    pub name: String,
    /// Feature file.
    pub file: String,
    /// Line in it.
    pub line: usize,
    /// Tags without `@`.
    pub tags: Vec<String>,
    /// Duties that it shows.
    pub duties: Vec<String>,
    /// Its steps.
    pub steps: Vec<PlanStep>,
    /// Why it does not apply to this acquirer, if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_applicable: Option<String>,
    /// The command that repeats it alone.
    pub repeat: String,
}

/// One step of the plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanStep {
    /// Line in the feature file.
    pub line: usize,
    /// Keyword as written.
    pub keyword: String,
    /// Text, placeholders filled.
    pub text: String,
}

/// A scenario began.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScenarioStarted {
    /// Its id.
    pub scenario: String,
    /// When.
    pub at: Timestamp,
}

/// A step ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StepFinished {
    /// Id of the scenario.
    pub scenario: String,
    /// Line in the feature file.
    pub line: usize,
    /// How.
    pub status: StepStatus,
    /// How long it took.
    pub took_ms: u64,
    /// Why it did not hold, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What the step adds for the reader, e.g. how it made sure of an absence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepStatus {
    /// It held.
    Passed,
    /// It did not.
    Failed,
    /// It was not reached.
    NotRun,
}

/// Something was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FindingSeen {
    /// Id of the scenario.
    pub scenario: String,
    /// Line of the step that found it; absent for what is watched throughout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The finding.
    pub finding: Finding,
    /// Title of its main duty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// Where that duty is written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The exchanges that prove it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Exchange>,
    /// A command that makes the Partner's call again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
    /// The command that repeats the scenario alone.
    pub repeat: String,
    /// The end of the acquirer's log, if it died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_tail: Option<String>,
}

/// A scenario ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScenarioFinished {
    /// Its id.
    pub scenario: String,
    /// How.
    pub status: ScenarioStatus,
    /// Why, where the status alone does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Name of the Partner that it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner: Option<String>,
    /// That Partner's account at Klarna.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How often each check had something to judge.
    pub judged: IndexMap<String, u64>,
    /// How long it took.
    pub took_ms: u64,
    /// Where the journal's slice, the acquirer's output and the findings are kept, if it did not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// It failed as it was expected to, by these entries of the list of `--expected`: their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<String>,
    /// Trouble of the suite after its last step: no verdict on the acquirer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// How a scenario ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScenarioStatus {
    /// Every step held, and nothing that is watched was found.
    Passed,
    /// A duty was seen kept badly.
    Failed,
    /// There was nothing to judge, or it was not reached: never green.
    NotRun,
    /// It does not apply to this acquirer.
    NotApplicable,
    /// The suite or the simulator broke.
    Errored,
}

impl ScenarioStatus {
    /// Whether nothing is left to look into: it held, or does not apply.
    pub fn is_green(self) -> bool {
        matches!(self, Self::Passed | Self::NotApplicable)
    }
}

/// How a duty stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verdict {
    /// Its id in requirements.toml.
    pub requirement: String,
    /// Its title.
    pub title: String,
    /// `required`, `recommended`, …
    pub level: String,
    /// How it stands.
    pub verdict: VerdictKind,
    /// Why, where the verdict alone does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many facts were judged.
    pub facts: u64,
    /// Scenarios that show it.
    pub scenarios: Vec<String>,
    /// Rules that found something against it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// Whether the word `conformant` asks for it: Required, and verifiable by a machine here.
    pub counts: bool,
}

/// How a duty can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// Seen kept.
    Holds,
    /// Seen kept badly.
    Fails,
    /// A recommendation, or inferred ground, seen kept badly.
    Warns,
    /// Asks for something that the acquirer does not claim.
    NotApplicable,
    /// Nothing was judged.
    NotRun,
}

/// Last line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunFinished {
    /// When.
    pub at: Timestamp,
    /// How it went, in a word.
    pub overall: Overall,
    /// How it went, in a sentence.
    pub summary: String,
    /// What the process ends with.
    pub exit_code: u8,
    /// Scenarios by status.
    pub counts: Counts,
    /// What became of what was expected to fail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<ExpectedEnd>,
    /// How long the run took.
    pub took_ms: u64,
}

/// An entry of the list of `--expected`, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedEnd {
    /// Id of the duty or scenario.
    pub expected: String,
    /// The one finding that is expected; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Why.
    pub reason: String,
    /// Since when.
    pub date: String,
    /// The last day on which it is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Who mends it.
    pub owner: String,
    /// What became of it.
    pub fate: ExpectedFate,
}

/// What can become of what is expected to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExpectedFate {
    /// It failed, as listed.
    Failed,
    /// It failed, by another finding than the one that is listed.
    FailedOtherwise,
    /// It holds: it is to be taken off the list.
    Passed,
    /// It was not run, or not all of it.
    NotRun,
    /// The entry's last day is over: it excuses nothing any more.
    Over,
}

/// How a run went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overall {
    /// Every Required duty that a machine can verify here was run and held.
    Conformant,
    /// The same, but for what was expected to fail, none of which is Required.
    ConformantExcept,
    /// What was run held, but not every such duty was run.
    HeldIncomplete,
    /// Some check did not hold.
    NotConformant,
    /// The run broke or was interrupted: it says nothing about the acquirer.
    Unfinished,
}

/// Scenarios by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// See [`ScenarioStatus::Passed`].
    pub passed: usize,
    /// See [`ScenarioStatus::Failed`]; not those that were expected to.
    pub failed: usize,
    /// Failed as they were expected to.
    #[serde(default)]
    pub expected: usize,
    /// See [`ScenarioStatus::NotRun`].
    pub not_run: usize,
    /// See [`ScenarioStatus::NotApplicable`].
    pub not_applicable: usize,
    /// See [`ScenarioStatus::Errored`].
    pub errored: usize,
    /// Findings that only warn.
    pub warnings: usize,
}
