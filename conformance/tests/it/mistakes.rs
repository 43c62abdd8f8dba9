//! Acquirers that err: the Python acquirer with lines changed, and the finding that must say so.
//!
//! The defects of the proxy err towards Klarna; here are those at the Partner's side, and the ones
//! that only another acquirer can show. Beside them stand changes that are no mistakes, and must
//! stay green.

mod after_the_payment;
mod evolution;
mod final_call;
mod first_call;
mod handing_over;
mod partner;
mod payment_methods;
mod purchase_data;
mod retries;
mod roads;
mod variants;
mod webhooks;

use tempfile::TempDir;

use crate::suite::{Ran, places, root, run};

const IN_REDIRECT_MODE: &str =
    "step-up/purchase-journey/in-redirect-mode-the-customer-opens-the-url-that-the-acquirer-returned";
const IN_SDK_MODE: &str = "step-up/purchase-journey/in-sdk-mode-the-sdk-opens-with-the-payment-request-id-that-the-acquirer-returned";

/// How many acquirers run at once: they mostly wait.
const AT_ONCE: usize = 4;

/// Lines of the acquirer, and what stands there instead.
type Changes<'a> = &'a [(&'a str, &'a str)];

/// Something that an acquirer does wrong.
struct Mistake<'a> {
    /// In words, for whoever reads that it was not found.
    name: &'static str,
    changes: Changes<'a>,
    /// Scenarios that must turn red, each with the finding that must say so.
    shown: &'static [(&'static str, &'static str)],
}

impl Mistake<'_> {
    /// What is wrong with the suite's answer to it, if anything is.
    fn missed(&self) -> Option<String> {
        let scenarios: Vec<&str> = self.shown.iter().map(|(scenario, _)| *scenario).collect();
        let ran = play(&changed(self.changes), &scenarios);
        let unseen: Vec<String> = self
            .shown
            .iter()
            .filter(|(scenario, rule)| !ran.failing(scenario).iter().any(|found| found == rule))
            .map(|(scenario, rule)| format!("{scenario} does not say {rule} but {:?}", ran.failing(scenario)))
            .collect();
        let green = ran.code != 1;
        (green || !unseen.is_empty()).then(|| format!("{}: {}\n{}", self.name, unseen.join("; "), ran.all()))
    }
}

/// Asks that each mistake turns its scenarios red by its findings.
#[track_caller]
fn all_show(mistakes: &[Mistake<'_>]) {
    none(&at_once(mistakes, Mistake::missed));
}

/// Asks that a change is no mistake: the whole suite stays green.
#[track_caller]
fn all_harmless(changes: &[(&str, Changes<'_>)]) {
    none(&at_once(changes, |(name, changes)| {
        let ran = play(&changed(changes), &[]);
        (ran.code != 0).then(|| format!("{name}: {}", ran.all()))
    }));
}

#[track_caller]
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

fn at_once<T: Sync>(all: &[T], one: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let one = &one;
    let mut complaints = Vec::new();
    for some in all.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            let running: Vec<_> = some.iter().map(|each| scope.spawn(move || one(each))).collect();
            complaints.extend(running.into_iter().filter_map(|thread| thread.join().unwrap()));
        });
    }
    complaints
}

/// The acquirer with lines changed.
#[track_caller]
fn changed(changes: &[(&str, &str)]) -> String {
    let program = std::fs::read_to_string(root().join("conformance/tests/foreign/acquirer.py")).unwrap();
    changes.iter().fold(program, |program, (from, to)| {
        assert!(program.contains(from), "the acquirer has no line {from}");
        program.replacen(from, to, 1)
    })
}

/// Changes the acquirer and plays one scenario against it.
fn with(from: &str, to: &str, scenario: &str) -> Ran {
    play(&changed(&[(from, to)]), &[scenario])
}

/// Plays scenarios against a changed acquirer; all, where none is named.
fn play(program: &str, scenarios: &[&str]) -> Ran {
    play_at(program, places(scenarios))
}

/// The same by the places of scenarios, or by files of features.
fn play_at(program: &str, places: Vec<String>) -> Ran {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("acquirer.py"), program).unwrap();
    let adapter = root().join("conformance/tests/foreign/adapter.yaml");
    std::fs::copy(adapter, folder.path().join("adapter.yaml")).unwrap();
    let adapter = folder.path().join("adapter.yaml").display().to_string();
    let mut args = places;
    args.extend(["--acquirer", &adapter, "--seed", "7"].map(str::to_owned));
    run(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Asks that the mistake turns the scenario red by this finding.
#[track_caller]
fn shows(from: &str, to: &str, scenario: &str, rule: &str) -> Ran {
    let ran = with(from, to, scenario);
    ran.must_exit(1);
    let failing = ran.failing(scenario);
    assert!(failing.iter().any(|found| found == rule), "{failing:?} and not {rule}: {}", ran.all());
    ran
}

/// Asks that the change is shown by this finding, and that it only warns: the scenario holds.
#[track_caller]
fn warns(from: &str, to: &str, scenario: &str, rule: &str) -> Ran {
    let ran = with(from, to, scenario);
    ran.must_exit(0);
    let warning = ran.warning(scenario);
    assert!(warning.iter().any(|found| found == rule), "{warning:?} and not {rule}: {}", ran.all());
    ran
}
