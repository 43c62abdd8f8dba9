//! How the run went.

use std::time::Duration;

use klarna_schemas::simulator::finding::Severity;

use crate::exit_code::Exit;
use crate::expected::Outcome;
use crate::model::{Counts, Event, ExpectedFate, Overall, ScenarioStatus, Verdict, VerdictKind};

/// How many ids a sentence names before it only counts.
const NAMED_MAX: usize = 12;

/// Why a run ended before all was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// By Ctrl-C or SIGTERM.
    Interrupted,
    /// By `--max-time`, which this is.
    OutOfTime(Duration),
}

impl Cut {
    /// Why a scenario was not run, or not to its end.
    pub fn reason(self, had_begun: bool) -> String {
        match (self, had_begun) {
            (Self::Interrupted, true) => "interrupted".to_owned(),
            (Self::Interrupted, false) => "interrupted before it was reached".to_owned(),
            (Self::OutOfTime(limit), true) => format!("--max-time {limit:?} was over in the middle of it"),
            (Self::OutOfTime(limit), false) => format!("--max-time {limit:?} was over before it was reached"),
        }
    }
}

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
    expected: &[Outcome],
    cut: Option<Cut>,
    require_complete: bool,
) -> Conclusion {
    let counts = count(events);
    let interrupted = cut == Some(Cut::Interrupted);
    let counting = |is: fn(VerdictKind) -> bool| -> Vec<&str> {
        let of_kind = verdicts.iter().filter(|verdict| verdict.counts && is(verdict.verdict));
        of_kind.map(|verdict| verdict.requirement.as_str()).collect()
    };
    let open = counting(|kind| matches!(kind, VerdictKind::NotRun | VerdictKind::NotApplicable));
    // A warning rests on inferred ground or on what is only recommended: the duty was run and held.
    let warned = match counting(|kind| kind == VerdictKind::Warns) {
        ids if ids.is_empty() => String::new(),
        ids => format!("; with warnings: {}", named(&ids)),
    };
    // A skip is no pass: where nothing was run, nothing held.
    let none_ran = counts.passed + counts.failed + counts.expected + counts.not_run + counts.errored == 0;
    let listed = Listed::of(expected);
    let required = counting(|kind| kind == VerdictKind::Fails);
    let held = counts.failed == 0 && counts.not_run == 0 && listed.passed.is_empty();
    let (overall, summary) = if interrupted {
        (Overall::Unfinished, "interrupted: this says nothing about the acquirer".to_owned())
    } else if none_ran {
        (Overall::Unfinished, "nothing was run: no selected scenario applies to this acquirer".to_owned())
    } else if counts.errored > 0 {
        let summary = format!("{} broke: this says nothing about them", scenarios(counts.errored));
        (Overall::Unfinished, summary)
    } else if counts.failed > 0 {
        (
            Overall::NotConformant,
            format!("not conformant: {} failed{}", scenarios(counts.failed), unrun(cut, counts)),
        )
    } else if let (Some(Cut::OutOfTime(_)), 1..) = (cut, counts.not_run) {
        (Overall::Unfinished, format!("incomplete{}", unrun(cut, counts)))
    } else if counts.not_run > 0 {
        let summary = format!("incomplete: {} had nothing to judge", scenarios(counts.not_run));
        (Overall::HeldIncomplete, summary)
    } else if !listed.passed.is_empty() {
        let summary = format!(
            "{} listed as expected to fail, and {}: take {} off the list",
            named(&listed.passed),
            if listed.passed.len() == 1 { "holds" } else { "hold" },
            if listed.passed.len() == 1 { "it" } else { "them" }
        );
        (Overall::HeldIncomplete, summary)
    } else if !required.is_empty() || listed.is_required {
        let summary = format!(
            "not conformant, though conformant except {}: Required, and listed as expected to fail{}",
            named(&listed.failed),
            unopened(&open)
        );
        (Overall::NotConformant, summary)
    } else if open.is_empty() && !listed.failed.is_empty() {
        let summary =
            format!("conformant except {}: listed as expected to fail{warned}", named(&listed.failed));
        (Overall::ConformantExcept, summary)
    } else if open.is_empty() {
        (
            Overall::Conformant,
            format!("conformant: every Required duty that a machine can verify was run and held{warned}"),
        )
    } else {
        let except = match listed.failed.as_slice() {
            [] => String::new(),
            failed => format!(" except {}", named(failed)),
        };
        let summary = format!(
            "held{except}, incomplete: {} Required duties not run: {}{}{warned}",
            open.len(),
            named(&open),
            not_claimed(events)
        );
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

/// What became of what was expected to fail.
struct Listed<'a> {
    failed: Vec<&'a str>,
    passed: Vec<&'a str>,
    /// A duty that is Required is among those that failed.
    is_required: bool,
}

impl<'a> Listed<'a> {
    fn of(expected: &'a [Outcome]) -> Self {
        let of_fate = |fate: ExpectedFate| expected.iter().filter(move |outcome| outcome.fate == fate);
        let ids = |fate| of_fate(fate).map(|outcome| outcome.entry.subject.id()).collect();
        Self {
            failed: ids(ExpectedFate::Failed),
            passed: ids(ExpectedFate::Passed),
            is_required: of_fate(ExpectedFate::Failed).any(Outcome::is_required),
        }
    }
}

fn unopened(open: &[&str]) -> String {
    if open.is_empty() {
        return String::new();
    }
    format!("; besides, {} Required duties not run: {}", open.len(), named(open))
}

/// What the time did not suffice for.
fn unrun(cut: Option<Cut>, counts: Counts) -> String {
    match cut {
        Some(Cut::OutOfTime(limit)) if counts.not_run > 0 => {
            format!(": --max-time {limit:?} was over, and {} not run to the end", were(counts.not_run))
        }
        _ => String::new(),
    }
}

/// The capabilities that Required duties rest on and that the adapter does not claim.
fn not_claimed(events: &[Event]) -> String {
    let started = events.iter().find_map(|event| match event {
        Event::RunStarted(run) => Some(&run.unclaimed),
        _ => None,
    });
    let of_duties = started.into_iter().flatten().filter(|lacking| !lacking.duties.is_empty());
    match of_duties.map(|lacking| lacking.capability.as_str()).collect::<Vec<_>>() {
        names if names.is_empty() => String::new(),
        names => format!("; not claimed: {}", names.join(", ")),
    }
}

fn were(number: usize) -> String {
    if number == 1 { "1 scenario was".to_owned() } else { format!("{number} scenarios were") }
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
                    ScenarioStatus::Failed if !done.expected.is_empty() => &mut counts.expected,
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
    use crate::expected::{Entry, Subject};
    use crate::model::ScenarioFinished;

    fn done(status: ScenarioStatus) -> Event {
        Event::ScenarioFinished(ScenarioFinished {
            scenario: "x".to_owned(),
            status,
            reason: None,
            partner: None,
            account: None,
            expected: Vec::new(),
            judged: indexmap::IndexMap::new(),
            took_ms: 0,
            evidence: None,
            remarks: Vec::new(),
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
        let all = conclude(&passed, &[verdict(VerdictKind::Holds)], &[], None, true);
        assert_eq!((all.overall, all.exit), (Overall::Conformant, Exit::Held));
        let some = conclude(&passed, &[verdict(VerdictKind::NotRun)], &[], None, false);
        assert_eq!((some.overall, some.exit), (Overall::HeldIncomplete, Exit::Held));
        assert_eq!(some.summary, "held, incomplete: 1 Required duties not run: AP-11");
        let required = conclude(&passed, &[verdict(VerdictKind::NotRun)], &[], None, true);
        assert_eq!(required.exit, Exit::NotHeld);
        let warned = conclude(&passed, &[verdict(VerdictKind::Warns)], &[], None, true);
        assert_eq!((warned.overall, warned.exit), (Overall::Conformant, Exit::Held));
        assert!(warned.summary.ends_with("; with warnings: AP-11"), "{}", warned.summary);
        let beside = [verdict(VerdictKind::Warns), verdict(VerdictKind::NotRun)];
        let beside = conclude(&passed, &beside, &[], None, false);
        assert_eq!(
            beside.summary,
            "held, incomplete: 1 Required duties not run: AP-11; with warnings: AP-11"
        );
    }

    #[test]
    fn a_broken_run_is_never_a_judgement() {
        let events = [done(ScenarioStatus::Failed), done(ScenarioStatus::Errored)];
        let broken = conclude(&events, &[], &[], None, false);
        assert_eq!((broken.overall, broken.exit), (Overall::Unfinished, Exit::Broken));
        let interrupted = conclude(&events, &[], &[], Some(Cut::Interrupted), false);
        assert_eq!(interrupted.exit, Exit::Interrupted);
    }

    #[test]
    fn what_the_time_did_not_suffice_for_is_not_green() {
        let cut = Some(Cut::OutOfTime(Duration::from_secs(5)));
        let events = [done(ScenarioStatus::Passed), done(ScenarioStatus::NotRun)];
        let late = conclude(&events, &[], &[], cut, false);
        assert_eq!((late.overall, late.exit), (Overall::Unfinished, Exit::NotHeld));
        assert_eq!(late.summary, "incomplete: --max-time 5s was over, and 1 scenario was not run to the end");
        let failed = [done(ScenarioStatus::Failed), done(ScenarioStatus::NotRun)];
        let failed = conclude(&failed, &[], &[], cut, false);
        assert_eq!((failed.overall, failed.exit), (Overall::NotConformant, Exit::NotHeld));
        assert!(failed.summary.contains("1 scenario failed: --max-time"), "{}", failed.summary);
        // A weaker reason does not hide a stronger one.
        let broke = [done(ScenarioStatus::Errored), done(ScenarioStatus::NotRun)];
        assert_eq!(conclude(&broke, &[], &[], cut, false).exit, Exit::Broken);
        // All was through by then.
        let in_time = conclude(&[done(ScenarioStatus::Passed)], &[], &[], cut, false);
        assert_eq!(in_time.exit, Exit::Held);
    }

    #[test]
    fn what_had_nothing_to_judge_is_not_green() {
        let unjudged = conclude(&[done(ScenarioStatus::NotRun)], &[], &[], None, false);
        assert_eq!(unjudged.exit, Exit::NotHeld);
        let skipped = [done(ScenarioStatus::NotApplicable)];
        let elsewhere = conclude(&skipped, &[verdict(VerdictKind::Holds)], &[], None, false);
        assert_eq!((elsewhere.overall, elsewhere.exit), (Overall::Unfinished, Exit::NothingSelected));
        let beside = [done(ScenarioStatus::NotApplicable), done(ScenarioStatus::Passed)];
        let beside = conclude(&beside, &[verdict(VerdictKind::Holds)], &[], None, false);
        assert_eq!(beside.exit, Exit::Held);
    }

    fn listed(subject: Subject, fate: ExpectedFate) -> Outcome {
        let day = jiff::civil::date(2026, 2, 1);
        let entry = Entry {
            subject,
            finding: None,
            reason: "slow".to_owned(),
            date: day,
            until: None,
            owner: "payments".to_owned(),
        };
        Outcome { entry, fate }
    }

    fn requirement(id: &str, fate: ExpectedFate) -> Outcome {
        listed(Subject::Requirement(id.to_owned()), fate)
    }

    fn failed_as_expected() -> Event {
        let Event::ScenarioFinished(failed) = done(ScenarioStatus::Failed) else { unreachable!() };
        Event::ScenarioFinished(ScenarioFinished { expected: vec!["x".to_owned()], ..failed })
    }

    #[test]
    fn what_fails_as_expected_is_named_and_never_conformant() {
        let events = [done(ScenarioStatus::Passed), failed_as_expected()];
        let fails = [verdict(VerdictKind::Fails)];
        let except = conclude(&events, &fails, &[requirement("AP-11", ExpectedFate::Failed)], None, false);
        assert_eq!((except.overall, except.exit), (Overall::NotConformant, Exit::Held));
        assert!(except.summary.contains("conformant except AP-11: Required"), "{}", except.summary);
        assert_eq!((except.counts.failed, except.counts.expected), (0, 1));
        let complete = conclude(&events, &fails, &[requirement("AP-11", ExpectedFate::Failed)], None, true);
        assert_eq!(complete.exit, Exit::NotHeld);

        // The duty that the scenario shows is no Required one, or it shows none.
        let holds = [verdict(VerdictKind::Holds)];
        let scenario = listed(Subject::Scenario("x".to_owned()), ExpectedFate::Failed);
        let except = conclude(&events, &holds, std::slice::from_ref(&scenario), None, false);
        assert_eq!((except.overall, except.exit), (Overall::ConformantExcept, Exit::Held));
        assert_eq!(except.summary, "conformant except x: listed as expected to fail");
        // By whatever name it is listed.
        let except = conclude(&events, &fails, &[scenario], None, false);
        assert_eq!(except.overall, Overall::NotConformant);
    }

    #[test]
    fn what_is_listed_and_holds_fails_the_run() {
        let events = [done(ScenarioStatus::Passed)];
        let holds = [verdict(VerdictKind::Holds)];
        let mended = conclude(&events, &holds, &[requirement("AP-11", ExpectedFate::Passed)], None, false);
        assert_eq!((mended.overall, mended.exit), (Overall::HeldIncomplete, Exit::NotHeld));
        assert_eq!(mended.summary, "AP-11 listed as expected to fail, and holds: take it off the list");
        for silent in [ExpectedFate::NotRun, ExpectedFate::Over] {
            let all = conclude(&events, &holds, &[requirement("AP-11", silent)], None, true);
            assert_eq!((all.overall, all.exit), (Overall::Conformant, Exit::Held));
        }
    }

    #[test]
    fn what_fails_besides_fails_the_run() {
        let events = [done(ScenarioStatus::Failed), failed_as_expected()];
        let fails = [verdict(VerdictKind::Fails)];
        let failed = conclude(&events, &fails, &[requirement("AP-11", ExpectedFate::Failed)], None, false);
        assert_eq!((failed.overall, failed.exit), (Overall::NotConformant, Exit::NotHeld));
        assert_eq!(failed.summary, "not conformant: 1 scenario failed");
    }
}
