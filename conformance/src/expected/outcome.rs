//! What became of the entries of a list, from the run model alone.

use std::collections::HashSet;

use klarna_schemas::requirements::Level;
use klarna_schemas::simulator::finding::Severity;

use super::{Entry, Expected, Subject};
use crate::model::{Event, ExpectedEnd, ExpectedFate, ScenarioStatus, Verdict, VerdictKind};
use crate::verdict::duty;

/// An entry and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The entry.
    pub entry: Entry,
    /// What became of it.
    pub fate: ExpectedFate,
}

impl Outcome {
    /// Whether it is about a duty that is Required.
    pub fn is_required(&self) -> bool {
        matches!(&self.entry.subject, Subject::Requirement(id)
            if duty(id).is_some_and(|duty| duty.level == Level::Required))
    }

    /// As the run model has it.
    pub fn as_event(&self) -> ExpectedEnd {
        let Entry { subject, finding, reason, date, until, owner } = self.entry.clone();
        ExpectedEnd {
            expected: subject.id().to_owned(),
            finding,
            reason,
            date: date.to_string(),
            until: until.map(|until| until.to_string()),
            owner,
            fate: self.fate,
        }
    }
}

/// What became of each entry. `all` are the scenarios that there are with their duties: whether a duty
/// holds is known only when every one of its scenarios was played.
pub fn outcomes(
    expected: &Expected,
    events: &[Event],
    verdicts: &[Verdict],
    all: &[(String, Vec<String>)],
) -> Vec<Outcome> {
    let fate = |entry: &Entry| {
        if !expected.is_in_force(entry) {
            return ExpectedFate::Over;
        }
        if was_found(entry, events) {
            return ExpectedFate::Failed;
        }
        match &entry.subject {
            Subject::Scenario(id) => of_scenario(id, events),
            Subject::Requirement(id) => of_duty(id, events, verdicts, all),
        }
    };
    expected.entries.iter().map(|entry| Outcome { entry: entry.clone(), fate: fate(entry) }).collect()
}

fn was_found(entry: &Entry, events: &[Event]) -> bool {
    events.iter().any(|event| match event {
        Event::Finding(seen) => {
            let counts =
                matches!(entry.subject, Subject::Requirement(_)) || seen.finding.severity == Severity::Fails;
            counts && entry.is_about(&seen.scenario, &seen.finding)
        }
        _ => false,
    })
}

fn of_scenario(id: &str, events: &[Event]) -> ExpectedFate {
    match ended(events).find(|(scenario, _)| *scenario == id) {
        Some((_, ScenarioStatus::Passed)) => ExpectedFate::Passed,
        // By another finding than the one that is listed.
        Some((_, ScenarioStatus::Failed)) => ExpectedFate::FailedOtherwise,
        _ => ExpectedFate::NotRun,
    }
}

fn of_duty(id: &str, events: &[Event], verdicts: &[Verdict], all: &[(String, Vec<String>)]) -> ExpectedFate {
    let standing = verdicts.iter().find(|verdict| verdict.requirement == id).map(|verdict| verdict.verdict);
    let through: HashSet<&str> = ended(events)
        .filter(|(_, status)| !matches!(status, ScenarioStatus::NotRun | ScenarioStatus::Errored))
        .map(|(scenario, _)| scenario)
        .collect();
    let every = all
        .iter()
        .filter(|(_, duties)| duties.iter().any(|duty| duty == id))
        .all(|(scenario, _)| through.contains(scenario.as_str()));
    match standing {
        // By another finding than the one that is listed.
        Some(VerdictKind::Fails | VerdictKind::Warns) => ExpectedFate::FailedOtherwise,
        Some(VerdictKind::Holds) if every => ExpectedFate::Passed,
        _ => ExpectedFate::NotRun,
    }
}

fn ended(events: &[Event]) -> impl Iterator<Item = (&str, ScenarioStatus)> {
    events.iter().filter_map(|event| match event {
        Event::ScenarioFinished(done) => Some((done.scenario.as_str(), done.status)),
        _ => None,
    })
}
