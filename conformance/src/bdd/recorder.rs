//! Cucumber's events become the run model.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use cucumber::event::{Cucumber, Event, Feature, RetryableScenario, Rule, Scenario as Happening, Step};
use cucumber::{Writer, cli, parser, writer};
use klarna_schemas::simulator::finding::Finding;

use super::runner::Manner;
use super::world::Stage;
use crate::expected::Expected;
use crate::model::{
    self, FindingSeen, ModelWriter, ScenarioFinished, ScenarioStarted, ScenarioStatus, StepFinished,
    StepStatus,
};
use crate::plan::Scenario;
use crate::report;
use crate::traces::Folders;
use crate::verdict::{self, Cut};
use crate::world::{FoundHere, RunContext, ScenarioRecord};

/// The model, shared by the recorder and what comes after an interrupt.
pub(super) type SharedModel = Rc<RefCell<ModelWriter>>;

/// The one writer of a run. Cheap to clone.
#[derive(Clone)]
pub(super) struct Recorder {
    run: Arc<RunContext>,
    model: SharedModel,
    repeat: String,
    folders: Folders,
    expected: Arc<Expected>,
    open: Rc<RefCell<HashSet<String>>>,
}

impl Recorder {
    pub(super) fn new(run: Arc<RunContext>, model: SharedModel, manner: Manner) -> Self {
        let Manner { repeat, folders, expected, .. } = manner;
        Self { run, model, repeat, folders, expected, open: Rc::default() }
    }

    /// Whether a scenario has begun and not ended.
    pub(super) fn is_open(&self, id: &str) -> bool {
        self.open.borrow().contains(id)
    }

    /// Records scenarios that a cut run did not come to the end of.
    pub(super) fn cut_off(&self, scenarios: &[Arc<Scenario>], cut: Cut) {
        for scenario in scenarios {
            if !is_finished(&self.model.borrow(), &scenario.id) {
                self.finish(scenario, Some(cut.reason(self.is_open(&scenario.id))));
            }
        }
    }

    fn write(&self, event: model::Event) {
        self.model.borrow_mut().write(event);
    }

    fn hear(&self, id: &str, happening: &Happening<Stage>) {
        let Some(scenario) = self.run.scenarios.get(id) else { return };
        match happening {
            Happening::Started => {
                self.open.borrow_mut().insert(id.to_owned());
                let started = ScenarioStarted { scenario: id.to_owned(), at: model::now() };
                self.write(model::Event::ScenarioStarted(started));
            }
            Happening::Step(step, Step::Passed(..)) => {
                self.step(id, step.position.line, StepStatus::Passed, None);
            }
            Happening::Step(step, Step::Failed(_, _, _, error)) => {
                self.step(id, step.position.line, StepStatus::Failed, Some(error.to_string()));
            }
            Happening::Step(step, Step::Skipped) => {
                let why = "no step reads this line".to_owned();
                self.run.board.update(id, |record| record.broken = Some(why.clone()));
                self.step(id, step.position.line, StepStatus::Failed, Some(why));
            }
            Happening::Finished => {
                self.open.borrow_mut().remove(id);
                self.finish(scenario, None);
            }
            Happening::Hook(..) | Happening::Background(..) | Happening::Step(..) | Happening::Log(_) => {}
        }
    }

    fn step(&self, id: &str, line: usize, status: StepStatus, fallback: Option<String>) {
        let record = self.run.board.read(id);
        let known = record.steps.iter().rev().find(|step| step.line == line);
        self.write(model::Event::StepFinished(StepFinished {
            scenario: id.to_owned(),
            line,
            status,
            took_ms: known.map_or(0, |step| millis(step.took)),
            failure: known.and_then(|step| step.failure.clone()).or(fallback),
            remarks: known.map(|step| step.remarks.clone()).unwrap_or_default(),
        }));
    }

    /// Records how a scenario ended; `cut` says why it was not played to its end, if it was not.
    fn finish(&self, scenario: &Scenario, cut: Option<String>) {
        let record = self.run.board.read(&scenario.id);
        for step in scenario.steps.iter().skip(record.steps.len()) {
            self.write(model::Event::StepFinished(StepFinished {
                scenario: scenario.id.clone(),
                line: step.line,
                status: StepStatus::NotRun,
                took_ms: 0,
                failure: None,
                remarks: Vec::new(),
            }));
        }
        let found: Vec<FindingSeen> = record.found.iter().map(|found| self.seen(scenario, found)).collect();
        for seen in &found {
            self.write(model::Event::Finding(Box::new(seen.clone())));
        }
        let (mut status, mut reason) = verdict::of_scenario(&record, scenario.steps.len());
        // What was found until then stands; the rest was not run.
        if let Some(why) = cut
            && status != ScenarioStatus::Failed
        {
            (status, reason) = (ScenarioStatus::NotRun, Some(why));
        }
        let mut done = finished(scenario, &record, status, reason);
        if status == ScenarioStatus::Failed {
            let findings: Vec<&Finding> = found.iter().map(|seen| &seen.finding).collect();
            done.expected = self.expected.excuses(&scenario.id, &findings);
        }
        if !status.is_green() && record.scene.is_some() {
            let finding = report::scenario_text(scenario, &found, &record, &done);
            let written = self.folders.write(&scenario.id, &finding, record.traces.as_deref());
            match written {
                Ok(folder) => done.evidence = Some(folder.display().to_string()),
                Err((path, error)) => self.model.borrow_mut().failed(path, error),
            }
        }
        // They can be large, and nobody needs them any more.
        self.run.board.update(&scenario.id, |record| record.traces = None);
        self.write(model::Event::ScenarioFinished(done));
    }

    fn seen(&self, scenario: &Scenario, found: &FoundHere) -> FindingSeen {
        let duty = found.finding.duties.first().and_then(|duty| verdict::duty(duty));
        FindingSeen {
            scenario: scenario.id.clone(),
            line: found.line,
            finding: found.finding.clone(),
            requirement: duty.map(|duty| duty.title.clone()),
            source: duty.map(|duty| duty.source.clone()),
            exchanges: found.exchanges.clone(),
            curl: found.curl.clone(),
            repeat: scenario.repeat_command(&self.repeat),
            log_tail: found.log_tail.clone(),
        }
    }
}

fn is_finished(model: &ModelWriter, id: &str) -> bool {
    model
        .events()
        .iter()
        .any(|event| matches!(event, model::Event::ScenarioFinished(done) if done.scenario == id))
}

fn finished(
    scenario: &Scenario,
    record: &ScenarioRecord,
    status: ScenarioStatus,
    reason: Option<String>,
) -> ScenarioFinished {
    let known = |text: &String| (!text.is_empty()).then(|| text.clone());
    ScenarioFinished {
        scenario: scenario.id.clone(),
        status,
        reason,
        partner: known(&record.partner),
        account: known(&record.account),
        expected: Vec::new(),
        judged: record.judged.clone(),
        took_ms: millis(record.took),
        evidence: None,
        remarks: record.aftermath.clone(),
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Writer<Stage> for Recorder {
    type Cli = cli::Empty;

    async fn handle_event(&mut self, event: parser::Result<Event<Cucumber<Stage>>>, _: &Self::Cli) {
        // Our parser has no errors: the features were read and linted before.
        let Ok(event) = event else { return };
        if let Cucumber::Feature(
            _,
            Feature::Scenario(scenario, happened) | Feature::Rule(_, Rule::Scenario(scenario, happened)),
        ) = event.value
        {
            let RetryableScenario { event, .. } = happened;
            self.hear(&scenario.name, &event);
        }
    }
}

impl writer::Normalized for Recorder {}
impl writer::NonTransforming for Recorder {}
