//! A scenario that did not hold, as a text of its own: what the console shows of it.

use klarna_schemas::simulator::finding::Severity;

use super::failure;
use crate::model::{FindingSeen, PlanStep, PlannedScenario, ScenarioFinished};
use crate::plan::Scenario;
use crate::world::ScenarioRecord;

/// How it ended, and each finding in full, those that fail first.
pub(crate) fn scenario_text(
    scenario: &Scenario,
    found: &[FindingSeen],
    record: &ScenarioRecord,
    done: &ScenarioFinished,
) -> String {
    let planned = planned(scenario);
    let (failing, warning): (Vec<_>, Vec<_>) =
        found.iter().partition(|seen| seen.finding.severity == Severity::Fails);
    let mut parts = Vec::new();
    if let Some(reason) = &done.reason {
        parts.push(format!("{} ({}:{})\n{reason}\n", scenario.name, scenario.file, scenario.line));
    }
    for seen in failing.into_iter().chain(warning) {
        let step = record.steps.iter().rev().find(|step| Some(step.line) == seen.line);
        let remarks = step.map(|step| step.remarks.as_slice()).unwrap_or_default();
        parts.push(failure::render(seen, Some(&planned), remarks));
    }
    parts.extend(done.remarks.iter().map(|remark| format!("{remark}\n")));
    parts.join("\n")
}

/// A scenario as the run model tells of it, before it is known what becomes of it.
pub(crate) fn planned(scenario: &Scenario) -> PlannedScenario {
    PlannedScenario {
        id: scenario.id.clone(),
        feature: scenario.feature.clone(),
        name: scenario.name.clone(),
        file: scenario.file.clone(),
        line: scenario.line,
        tags: scenario.tags.clone(),
        duties: scenario.duties.clone(),
        steps: scenario
            .steps
            .iter()
            .map(|step| PlanStep { line: step.line, keyword: step.written.clone(), text: step.text.clone() })
            .collect(),
        not_applicable: None,
        repeat: String::new(),
    }
}
