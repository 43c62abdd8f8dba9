//! The report on the terminal, while the run goes on and at its end.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::time::Duration;

use klarna_schemas::simulator::finding::Severity;
use owo_colors::OwoColorize as _;

use super::failure;
use crate::model::{
    Event, ExpectedEnd, ExpectedFate, FindingSeen, Listener, Plan, PlannedScenario, RunFinished, RunStarted,
    ScenarioFinished, ScenarioStatus, StepFinished, Verdict, VerdictKind,
};

/// How many findings of one rule are printed in full.
const IN_FULL_MAX: usize = 3;

/// Prints what it hears.
pub struct Console {
    out: Box<dyn Write>,
    plan: HashMap<String, PlannedScenario>,
    reasons: HashMap<String, String>,
    remarks: HashMap<(String, usize), Vec<String>>,
    found: Vec<FindingSeen>,
    verdicts: Vec<Verdict>,
    /// Scenarios that failed as they were expected to.
    expected: HashSet<String>,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

impl Console {
    /// Prints to `out`; colours are escape sequences that `out` may strip.
    pub fn new(out: Box<dyn Write>) -> Self {
        Self {
            out,
            plan: HashMap::new(),
            reasons: HashMap::new(),
            remarks: HashMap::new(),
            found: Vec::new(),
            verdicts: Vec::new(),
            expected: HashSet::new(),
        }
    }

    /// A terminal that has gone away takes nothing from the reports.
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
    }

    fn started(&mut self, run: &RunStarted) {
        self.line(&format!("klarna-conformance {}, seed {}", run.version, run.seed.bold()));
        self.line(&format!(
            "acquirer   {} at {} ({})",
            run.acquirer,
            run.acquirer_url,
            if run.capabilities.is_empty() {
                "claims nothing".to_owned()
            } else {
                run.capabilities.join(", ")
            }
        ));
        self.line(&format!("Klarna     {}", run.simulator));
        let scenarios =
            if run.jobs == 1 { "one scenario".to_owned() } else { format!("{} scenarios", run.jobs) };
        let lowered = run
            .jobs_reason
            .as_ref()
            .map(|reason| format!(", not {}: {reason}", run.jobs_asked))
            .unwrap_or_default();
        self.line(&format!(
            "{scenarios} at once{lowered}, each with a Partner of its own: {}",
            run.partners.join(", ")
        ));
        if let Some(defect) = &run.defect {
            self.line(&format!("{} {defect}: this run must turn red", "planted defect".yellow()));
        }
    }

    fn planned(&mut self, plan: &Plan) {
        let number = plan.scenarios.len();
        self.line(&format!("{number} {} selected\n", if number == 1 { "scenario" } else { "scenarios" }));
        for scenario in &plan.scenarios {
            self.plan.insert(scenario.id.clone(), scenario.clone());
        }
    }

    fn step(&mut self, step: &StepFinished) {
        if let Some(failure) = &step.failure {
            self.reasons.insert(step.scenario.clone(), failure.clone());
        }
        if !step.remarks.is_empty() {
            self.remarks.insert((step.scenario.clone(), step.line), step.remarks.clone());
        }
    }

    fn finished(&mut self, done: &ScenarioFinished) {
        if !done.expected.is_empty() {
            self.expected.insert(done.scenario.clone());
        }
        let took = Duration::from_millis(done.took_ms).as_secs_f64();
        let word = match done.status {
            ScenarioStatus::Passed => "ok     ".green().to_string(),
            ScenarioStatus::Failed if !done.expected.is_empty() => "expect ".yellow().to_string(),
            ScenarioStatus::Failed => "FAILED ".red().bold().to_string(),
            ScenarioStatus::NotRun => "not run".yellow().to_string(),
            ScenarioStatus::NotApplicable => "n/a    ".dimmed().to_string(),
            ScenarioStatus::Errored => "BROKE  ".magenta().bold().to_string(),
        };
        let because = done.reason.clone().or_else(|| {
            (done.status == ScenarioStatus::Failed).then(|| self.why_failed(&done.scenario)).flatten()
        });
        let because = because.map(|reason| format!("\n          {reason}")).unwrap_or_default();
        let took =
            if done.took_ms == 0 { String::new() } else { format!(" {took:.2} s").dimmed().to_string() };
        let more: Vec<String> = done
            .remarks
            .iter()
            .cloned()
            .chain(done.evidence.iter().map(|folder| format!("see {folder}")))
            .map(|line| format!("\n          {line}"))
            .collect();
        self.line(&format!("  {word} {}{took}{because}{}", done.scenario, more.concat()));
    }

    fn why_failed(&self, scenario: &str) -> Option<String> {
        self.reasons.get(scenario).cloned().or_else(|| {
            let found = self.found.iter().find(|seen| seen.scenario == scenario && fails(seen))?;
            Some(format!("{}: {}", found.finding.rule, found.finding.what))
        })
    }

    fn at_the_end(&mut self, end: &RunFinished) {
        let found = std::mem::take(&mut self.found);
        let (failing, warning): (Vec<_>, Vec<_>) = found.iter().partition(|seen| fails(seen));
        let failing: Vec<_> =
            failing.into_iter().filter(|seen| !self.expected.contains(&seen.scenario)).collect();
        self.section("Failures", &failing);
        self.warnings(&warning);
        self.duties();
        self.expected(&end.expected);
        let counts = end.counts;
        let mut parts = vec![format!("{} held", counts.passed)];
        for (number, word) in [
            (counts.failed, "failed"),
            (counts.expected, "failed as expected"),
            (counts.not_run, "not run"),
            (counts.errored, "broke"),
            (counts.not_applicable, "not applicable"),
            (counts.warnings, "warnings"),
        ] {
            if number > 0 {
                parts.push(format!("{number} {word}"));
            }
        }
        let took = Duration::from_millis(end.took_ms).as_secs_f64();
        self.line(&format!("\n{} in {took:.1} s", parts.join(", ")));
        let summary =
            if end.exit_code == 0 { end.summary.green().to_string() } else { end.summary.red().to_string() };
        self.line(&summary);
    }

    fn section(&mut self, title: &str, found: &[&FindingSeen]) {
        if found.is_empty() {
            return;
        }
        self.line(&format!("\n{}", title.bold()));
        let mut number = 0;
        let mut elsewhere: Vec<(&str, Vec<&str>)> = Vec::new();
        let mut shown: HashMap<&str, usize> = HashMap::new();
        for seen in found {
            let rule = seen.finding.rule.as_str();
            let times = shown.entry(rule).or_default();
            *times += 1;
            if *times > IN_FULL_MAX {
                match elsewhere.iter_mut().find(|(known, _)| *known == rule) {
                    Some((_, scenarios)) => scenarios.push(&seen.scenario),
                    None => elsewhere.push((rule, vec![&seen.scenario])),
                }
                continue;
            }
            number += 1;
            let step = seen.line.map(|line| (seen.scenario.clone(), line));
            let remarks = step.and_then(|step| self.remarks.get(&step)).cloned().unwrap_or_default();
            let text = failure::render(seen, self.plan.get(&seen.scenario), &remarks);
            self.line(&format!("\n{number}) {}", text.trim_end().replace('\n', "\n   ")));
        }
        for (rule, scenarios) in elsewhere {
            self.line(&format!("\n{rule} was found {} times more, in", scenarios.len()));
            for scenario in scenarios {
                self.line(&format!("   {scenario}"));
            }
            self.line("   (junit.xml and run.ndjson show them in full)");
        }
    }

    /// One entry a rule: the same warning from many scenarios is one thing to mend.
    fn warnings(&mut self, warning: &[&FindingSeen]) {
        let mut rules: Vec<(&str, Vec<&FindingSeen>)> = Vec::new();
        for seen in warning {
            match rules.iter_mut().find(|(rule, _)| *rule == seen.finding.rule) {
                Some((_, all)) => all.push(seen),
                None => rules.push((&seen.finding.rule, vec![seen])),
            }
        }
        if rules.is_empty() {
            return;
        }
        self.line(&format!("\n{}", "Warnings".bold()));
        for (rule, all) in rules {
            let Some(first) = all.first() else { continue };
            let duties = first.finding.duties.join(", ");
            self.line(&format!("  {rule} ({duties}): {}", first.finding.what));
            self.line(&format!("    mend: {}", first.finding.mend));
            for fact in &first.finding.rests_on {
                self.line(&format!("    inferred: {fact}"));
            }
            self.line(&format!("    seen {} times, first in {}", all.len(), first.scenario));
        }
    }

    /// What is listed as expected to fail, in as many words as its owner needs.
    fn expected(&mut self, expected: &[ExpectedEnd]) {
        if expected.is_empty() {
            return;
        }
        self.line(&format!("\n{}", "Expected to fail".bold()));
        for entry in expected {
            let word = match entry.fate {
                ExpectedFate::Failed => "fails         ".yellow().to_string(),
                ExpectedFate::FailedOtherwise => "fails by another finding".red().to_string(),
                ExpectedFate::Passed => "HOLDS         ".red().bold().to_string(),
                ExpectedFate::NotRun => "not run       ".dimmed().to_string(),
                ExpectedFate::Over => "is over       ".red().to_string(),
            };
            let until = entry.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
            self.line(&format!(
                "  {word} {} (since {}{until}, {}): {}",
                entry.expected, entry.date, entry.owner, entry.reason
            ));
        }
    }

    fn duties(&mut self) {
        let verdicts = std::mem::take(&mut self.verdicts);
        self.line(&format!("\n{}", "Duties".bold()));
        let mut quiet = 0;
        for verdict in &verdicts {
            let word = match verdict.verdict {
                VerdictKind::Holds => "holds         ".green().to_string(),
                VerdictKind::Fails => "FAILS         ".red().bold().to_string(),
                VerdictKind::Warns => "warns         ".yellow().to_string(),
                VerdictKind::NotApplicable => "not applicable".dimmed().to_string(),
                VerdictKind::NotRun => {
                    quiet += 1;
                    continue;
                }
            };
            let facts =
                if verdict.facts == 1 { "1 fact".to_owned() } else { format!("{} facts", verdict.facts) };
            let because = verdict.reason.clone().unwrap_or_else(|| match verdict.verdict {
                VerdictKind::Holds => facts.clone(),
                _ => format!("{facts}; {}", verdict.findings.join(", ")),
            });
            self.line(&format!("  {word} {:<6} {} ({because})", verdict.requirement, verdict.title));
        }
        if quiet > 0 {
            self.line(&format!("  not run        {quiet} other duties; run.ndjson says why for each"));
        }
    }
}

fn fails(seen: &FindingSeen) -> bool {
    seen.finding.severity == Severity::Fails
}

impl Listener for Console {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::RunStarted(run) => self.started(run),
            Event::Plan(plan) => self.planned(plan),
            Event::ScenarioStarted(_) => {}
            Event::StepFinished(step) => self.step(step),
            Event::Finding(seen) => self.found.push(seen.as_ref().clone()),
            Event::ScenarioFinished(done) => self.finished(done),
            Event::Verdict(verdict) => self.verdicts.push(verdict.clone()),
            Event::RunFinished(end) => self.at_the_end(end),
        }
        let _ = self.out.flush();
    }
}
