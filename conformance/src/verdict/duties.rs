//! How each duty stands, from the run model alone.

use std::collections::HashMap;

use klarna_schemas::requirements::{Level, Requirement, Requirements, Verified};
use klarna_schemas::simulator::finding::Severity;

use crate::model::{
    Event, PlannedScenario, ScenarioFinished, ScenarioStatus, Unclaimed, Verdict, VerdictKind,
};
use crate::world::check;

/// A duty by its id.
pub fn duty(id: &str) -> Option<&'static Requirement> {
    Requirements::global().get(id)
}

#[derive(Debug, Default)]
struct Seen<'a> {
    facts: u64,
    scenarios: Vec<&'a str>,
    not_applicable: Vec<&'a str>,
    failing: Vec<String>,
    warning: Vec<String>,
    /// What it rests on and the acquirer does not claim.
    unclaimed: Vec<&'a Unclaimed>,
}

/// The verdicts on all duties, in the order of requirements.toml.
pub fn of_duties(events: &[Event]) -> Vec<Verdict> {
    let seen = collect(events);
    let nothing = Seen::default();
    Requirements::global()
        .iter()
        .map(|requirement| weigh(requirement, seen.get(requirement.id.as_str()).unwrap_or(&nothing)))
        .collect()
}

fn collect(events: &[Event]) -> HashMap<&str, Seen<'_>> {
    let mut seen: HashMap<&str, Seen<'_>> = HashMap::new();
    let mut plan: HashMap<&str, &PlannedScenario> = HashMap::new();
    for event in events {
        match event {
            Event::RunStarted(run) => {
                for lacking in &run.unclaimed {
                    for duty in &lacking.duties {
                        seen.entry(duty).or_default().unclaimed.push(lacking);
                    }
                }
            }
            Event::Plan(planned) => {
                plan.extend(planned.scenarios.iter().map(|scenario| (scenario.id.as_str(), scenario)));
            }
            Event::Finding(found) => {
                for duty in &found.finding.duties {
                    let of_duty = seen.entry(duty).or_default();
                    let list = match found.finding.severity {
                        Severity::Fails => &mut of_duty.failing,
                        Severity::Warns => &mut of_duty.warning,
                    };
                    if !list.contains(&found.finding.rule) {
                        list.push(found.finding.rule.clone());
                    }
                }
            }
            Event::ScenarioFinished(done) => {
                if let Some(planned) = plan.get(done.scenario.as_str()).copied() {
                    count(done, planned, &mut seen);
                }
            }
            _ => {}
        }
    }
    seen
}

fn count<'a>(
    done: &'a ScenarioFinished,
    planned: &'a PlannedScenario,
    seen: &mut HashMap<&'a str, Seen<'a>>,
) {
    for duty in &planned.duties {
        let of_duty = seen.entry(duty).or_default();
        match done.status {
            ScenarioStatus::NotApplicable => {
                of_duty.not_applicable.push(done.reason.as_deref().unwrap_or_default());
            }
            _ => of_duty.scenarios.push(&planned.id),
        }
    }
    for (rule, facts) in &done.judged {
        let Some(check) = check(rule) else { continue };
        for duty in check.speaks_about(&planned.duties) {
            seen.entry(duty).or_default().facts += facts;
        }
    }
}

fn weigh(requirement: &Requirement, seen: &Seen<'_>) -> Verdict {
    let by_person = requirement.verified == Verified::Person;
    let (verdict, reason) = if !seen.failing.is_empty() {
        (VerdictKind::Fails, None)
    } else if let Some(lacking) = seen.unclaimed.first() {
        // What was seen kept is a part of it only.
        (VerdictKind::NotApplicable, Some(lacking.reason.clone()))
    } else if !seen.warning.is_empty() {
        (VerdictKind::Warns, None)
    } else if seen.facts > 0 {
        (VerdictKind::Holds, None)
    } else if let (Some(reason), true) = (seen.not_applicable.first(), seen.scenarios.is_empty()) {
        (VerdictKind::NotApplicable, Some((*reason).to_owned()))
    } else {
        let reason = if by_person {
            "a person must look: see the checklist".to_owned()
        } else if seen.scenarios.is_empty() {
            "no selected scenario shows it".to_owned()
        } else {
            "its scenarios judged nothing".to_owned()
        };
        (VerdictKind::NotRun, Some(reason))
    };
    Verdict {
        requirement: requirement.id.clone(),
        title: requirement.title.clone(),
        level: match requirement.level {
            Level::Required => "required",
            Level::Recommended => "recommended",
        }
        .to_owned(),
        verdict,
        reason,
        facts: seen.facts,
        scenarios: seen.scenarios.iter().map(|id| (*id).to_owned()).collect(),
        findings: seen.failing.iter().chain(&seen.warning).cloned().collect(),
        counts: requirement.severity() == Severity::Fails && !by_person,
    }
}
