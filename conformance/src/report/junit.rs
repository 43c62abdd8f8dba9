//! JUnit XML, for build servers.

use std::collections::HashMap;
use std::time::Duration;

use klarna_schemas::simulator::finding::Severity;
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::failure;
use crate::model::{Event, FindingSeen, PlannedScenario, ScenarioFinished, ScenarioStatus};

/// The report: a suite a feature, a case a scenario, the id of the finding as the type of a failure.
///
/// # Errors
/// When the model holds text that XML cannot.
pub fn junit(events: &[Event]) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("klarna-conformance");
    let mut plan: Vec<&PlannedScenario> = Vec::new();
    let mut found: HashMap<&str, Vec<&FindingSeen>> = HashMap::new();
    let mut done: HashMap<&str, &ScenarioFinished> = HashMap::new();
    let mut remarks: HashMap<&str, Vec<String>> = HashMap::new();
    for event in events {
        match event {
            Event::Plan(planned) => plan.extend(&planned.scenarios),
            Event::Finding(seen) => found.entry(&seen.scenario).or_default().push(seen.as_ref()),
            Event::StepFinished(step) => {
                let lines = step.remarks.iter().map(|remark| format!("line {}: {remark}", step.line));
                remarks.entry(&step.scenario).or_default().extend(lines);
            }
            Event::ScenarioFinished(finished) => {
                done.insert(&finished.scenario, finished);
            }
            _ => {}
        }
    }
    let mut suites: Vec<TestSuite> = Vec::new();
    for scenario in plan {
        let found = found.get(scenario.id.as_str()).map_or(&[][..], Vec::as_slice);
        let remarks = remarks.remove(scenario.id.as_str()).unwrap_or_default();
        let case = case(scenario, done.get(scenario.id.as_str()).copied(), found, remarks);
        if let Some(suite) = suites.iter_mut().find(|suite| suite.name.as_str() == scenario.feature) {
            suite.add_test_case(case);
        } else {
            let mut suite = TestSuite::new(scenario.feature.clone());
            suite.add_property(Property::new("file", scenario.file.clone()));
            suite.add_test_case(case);
            suites.push(suite);
        }
    }
    report.add_test_suites(suites);
    report.to_string()
}

fn case(
    scenario: &PlannedScenario,
    done: Option<&ScenarioFinished>,
    found: &[&FindingSeen],
    remarks: Vec<String>,
) -> TestCase {
    let failing: Vec<&&FindingSeen> =
        found.iter().filter(|seen| seen.finding.severity == Severity::Fails).collect();
    let reason = done.and_then(|done| done.reason.clone());
    let status = match done.map(|done| done.status) {
        Some(ScenarioStatus::Passed) => TestCaseStatus::success(),
        Some(ScenarioStatus::Failed) if done.is_some_and(|done| !done.expected.is_empty()) => {
            let ids = done.map(|done| done.expected.join(", ")).unwrap_or_default();
            let mut status = TestCaseStatus::skipped();
            status.set_type("expected-to-fail");
            status.set_message(format!("failed as expected: {ids}"));
            let texts: Vec<String> =
                failing.iter().map(|seen| failure::render(seen, Some(scenario), &[])).collect();
            status.set_description(texts.join("\n"));
            status
        }
        Some(ScenarioStatus::Failed) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            if let Some(first) = failing.first() {
                status.set_type(first.finding.rule.clone());
                status.set_message(first.finding.what.clone());
            }
            let texts: Vec<String> =
                failing.iter().map(|seen| failure::render(seen, Some(scenario), &[])).collect();
            status.set_description(texts.join("\n"));
            status
        }
        Some(ScenarioStatus::Errored) | None => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("errored");
            status
                .set_message(reason.unwrap_or_else(|| "the scenario has no end in the run model".to_owned()));
            status
        }
        // JUnit knows no "not run" that is red: a skip would be green on most servers.
        Some(ScenarioStatus::NotRun) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("not-run");
            status.set_message(reason.unwrap_or_else(|| "nothing was judged".to_owned()));
            status
        }
        Some(ScenarioStatus::NotApplicable) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason.unwrap_or_default());
            status
        }
    };
    let mut case = TestCase::new(scenario.name.clone(), status);
    case.set_classname(scenario.id.split('#').next().unwrap_or_default().replace('/', "."));
    if let Some(done) = done {
        case.set_time(Duration::from_millis(done.took_ms));
    }
    case.add_property(Property::new("id", scenario.id.clone()));
    case.add_property(Property::new("file", format!("{}:{}", scenario.file, scenario.line)));
    for duty in &scenario.duties {
        case.add_property(Property::new("duty", duty.clone()));
    }
    let warnings = found
        .iter()
        .filter(|seen| seen.finding.severity == Severity::Warns)
        .map(|seen| format!("warning: {}: {}", seen.finding.rule, seen.finding.what));
    let said: Vec<String> = remarks.into_iter().chain(warnings).collect();
    if !said.is_empty() {
        case.set_system_out(said.join("\n"));
    }
    case
}
