//! How the run went.

use klarna_schemas::simulator::finding::Severity;

use crate::exit_code::Exit;
use crate::model::{Counts, Event, Overall, ScenarioStatus, Verdict, VerdictKind};

/// How many ids a sentence names before it only counts.
const NAMED_MAX: usize = 12;

/// How the run went, in a word, a sentence and a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// In a word.
    pub overall: Overall,
    /// In a sentence.
    pub summary: String,
    /// What the process ends with.
    pub exit: Exit,
    /// Scenarios by status.
    pub counts: Counts,
}

/// Concludes from the model and the verdicts.
pub fn conclude(
    events: &[Event],
    verdicts: &[Verdict],
    interrupted: bool,
    require_complete: bool,
) -> Conclusion {
    let counts = count(events);
    let open: Vec<&str> = verdicts
        .iter()
        .filter(|verdict| verdict.counts && !matches!(verdict.verdict, VerdictKind::Holds))
        .map(|verdict| verdict.requirement.as_str())
        .collect();
    // A skip is no pass: where nothing was run, nothing held.
    let none_ran = counts.passed + counts.failed + counts.not_run + counts.errored == 0;
    let held = counts.failed == 0 && counts.not_run == 0;
    let (overall, summary) = if interrupted {
        (Overall::Unfinished, "interrupted: this says nothing about the acquirer".to_owned())
    } else if none_ran {
        (Overall::Unfinished, "nothing was run: no selected scenario applies to this acquirer".to_owned())
    } else if counts.errored > 0 {
        let summary = format!("{} broke: this says nothing about them", scenarios(counts.errored));
        (Overall::Unfinished, summary)
    } else if counts.failed > 0 {
        (Overall::NotConformant, format!("not conformant: {} failed", scenarios(counts.failed)))
    } else if counts.not_run > 0 {
        let summary = format!("incomplete: {} had nothing to judge", scenarios(counts.not_run));
        (Overall::HeldIncomplete, summary)
    } else if open.is_empty() {
        (
            Overall::Conformant,
            "conformant: every Required duty that a machine can verify was run and held".to_owned(),
        )
    } else {
        let summary = format!("held, incomplete: {} Required duties not run: {}", open.len(), named(&open));
        (Overall::HeldIncomplete, summary)
    };
    let mut exit = if held { Exit::Held } else { Exit::NotHeld };
    if require_complete && overall != Overall::Conformant {
        exit = exit.or(Exit::NotHeld);
    }
    if counts.errored > 0 {
        exit = exit.or(Exit::Broken);
    }
    if none_ran {
        exit = exit.or(Exit::NothingSelected);
    }
    if interrupted {
        exit = exit.or(Exit::Interrupted);
    }
    Conclusion { overall, summary, exit, counts }
}

fn scenarios(number: usize) -> String {
    if number == 1 { "1 scenario".to_owned() } else { format!("{number} scenarios") }
}

fn named(ids: &[&str]) -> String {
    let shown: Vec<&str> = ids.iter().take(NAMED_MAX).copied().collect();
    let more = ids.len() - shown.len();
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

fn count(events: &[Event]) -> Counts {
    let mut counts = Counts::default();
    for event in events {
        match event {
            Event::ScenarioFinished(done) => {
                let of_status = match done.status {
                    ScenarioStatus::Passed => &mut counts.passed,
                    ScenarioStatus::Failed => &mut counts.failed,
                    ScenarioStatus::NotRun => &mut counts.not_run,
                    ScenarioStatus::NotApplicable => &mut counts.not_applicable,
                    ScenarioStatus::Errored => &mut counts.errored,
                };
                *of_status += 1;
            }
            Event::Finding(found) if found.finding.severity == Severity::Warns => counts.warnings += 1,
            _ => {}
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ScenarioFinished;

    fn done(status: ScenarioStatus) -> Event {
        Event::ScenarioFinished(ScenarioFinished {
            scenario: "x".to_owned(),
            status,
            reason: None,
            partner: None,
            account: None,
            judged: indexmap::IndexMap::new(),
            took_ms: 0,
        })
    }

    fn verdict(kind: VerdictKind) -> Verdict {
        Verdict {
            requirement: "AP-11".to_owned(),
            title: String::new(),
            level: "required".to_owned(),
            verdict: kind,
            reason: None,
            facts: 0,
            scenarios: Vec::new(),
            findings: Vec::new(),
            counts: true,
        }
    }

    #[test]
    fn conformant_is_said_only_when_all_was_run_and_held() {
        let passed = [done(ScenarioStatus::Passed)];
        let all = conclude(&passed, &[verdict(VerdictKind::Holds)], false, true);
        assert_eq!((all.overall, all.exit), (Overall::Conformant, Exit::Held));
        let some = conclude(&passed, &[verdict(VerdictKind::NotRun)], false, false);
        assert_eq!((some.overall, some.exit), (Overall::HeldIncomplete, Exit::Held));
        assert_eq!(some.summary, "held, incomplete: 1 Required duties not run: AP-11");
        let required = conclude(&passed, &[verdict(VerdictKind::NotRun)], false, true);
        assert_eq!(required.exit, Exit::NotHeld);
    }

    #[test]
    fn a_broken_run_is_never_a_judgement() {
        let events = [done(ScenarioStatus::Failed), done(ScenarioStatus::Errored)];
        let broken = conclude(&events, &[], false, false);
        assert_eq!((broken.overall, broken.exit), (Overall::Unfinished, Exit::Broken));
        let interrupted = conclude(&events, &[], true, false);
        assert_eq!(interrupted.exit, Exit::Interrupted);
    }

    #[test]
    fn what_had_nothing_to_judge_is_not_green() {
        let unjudged = conclude(&[done(ScenarioStatus::NotRun)], &[], false, false);
        assert_eq!(unjudged.exit, Exit::NotHeld);
        let skipped = [done(ScenarioStatus::NotApplicable)];
        let elsewhere = conclude(&skipped, &[verdict(VerdictKind::Holds)], false, false);
        assert_eq!((elsewhere.overall, elsewhere.exit), (Overall::Unfinished, Exit::NothingSelected));
        let beside = [done(ScenarioStatus::NotApplicable), done(ScenarioStatus::Passed)];
        let beside = conclude(&beside, &[verdict(VerdictKind::Holds)], false, false);
        assert_eq!(beside.exit, Exit::Held);
    }
}
