//! `--expected`: what is listed does not fail the run as long as it fails, is never taken for good, and
//! fails the run as soon as it holds.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::suite::{Ran, root, run, text};

/// A feature in which one defect is found by one finding, alone in its folder.
fn features() -> TempDir {
    let folder = TempDir::new().unwrap();
    let from = root().join("features/final-authorization/once.feature");
    std::fs::copy(from, folder.path().join("once.feature")).unwrap();
    folder
}

const SCENARIO: &str = "once/it-is-made-once-though-webhook-and-customer-come-together";
const DEFECT: &str = "final-call-twice";

fn list(folder: &Path, entries: &[&str]) -> PathBuf {
    let rest = "reason: being mended\n    date: 2026-01-31\n    owner: payments-team";
    let entries: Vec<String> = entries.iter().map(|entry| format!("  - {entry}\n    {rest}\n")).collect();
    let path = folder.join("expected.yaml");
    let entries = if entries.is_empty() { " []".to_owned() } else { format!("\n{}", entries.concat()) };
    std::fs::write(&path, format!("version: 1\nexpected:{entries}\n")).unwrap();
    path
}

/// Runs the folder with a list, and perhaps the defect.
fn with_list(folder: &TempDir, entries: &[&str], more: &[&str]) -> Ran {
    let list = list(folder.path(), entries).display().to_string();
    let features = folder.path().join("once.feature").display().to_string();
    let common = ["--features", &features, "--seed", "7", "--expected", &list];
    run(&[&common, more].concat())
}

fn end(ran: &Ran) -> serde_json::Value {
    ran.events("run-finished").remove(0)
}

#[test]
fn what_is_listed_and_fails_does_not_fail_the_run_and_is_never_conformant() {
    let folder = features();
    let planted = ["--defect", DEFECT];
    let bare = with_list(&folder, &[], &planted);
    bare.must_exit(1);
    let failed = bare.ended("failed");
    assert!(!failed.is_empty(), "{}", bare.all());

    // A second finding is about another duty.
    with_list(&folder, &["requirement: AP-25"], &planted).must_exit(1);
    let both = ["requirement: AP-25", "requirement: AP-23"];
    let ran = with_list(&folder, &both, &planted);
    ran.must_exit(0).must_say("not conformant, though conformant except AP-25, AP-23: Required");
    ran.must_say("fails          AP-25 (since 2026-01-31, payments-team): being mended");
    // Nothing got better by it.
    assert_eq!(ran.ended("failed"), failed, "{}", ran.all());
    let end = end(&ran);
    assert_eq!(end["overall"], "not-conformant");
    assert_eq!((&end["counts"]["failed"], &end["counts"]["expected"]), (&0.into(), &failed.len().into()));
    assert_eq!(end["expected"][0]["fate"], "failed");
    for done in ran.events("scenario-finished") {
        let was_expected = failed.contains(&text(&done["scenario"]));
        assert_eq!(
            done["expected"],
            if was_expected { serde_json::json!(["AP-25", "AP-23"]) } else { serde_json::Value::Null }
        );
    }
    let junit = ran.report("junit.xml");
    assert!(junit.contains("failed as expected: AP-25, AP-23") && !junit.contains("<failure"), "{junit}");
    for text in ran.report("run.ndjson").lines() {
        let line =
            klarna_schemas::catalogue::check("conformance/run-model", &serde_json::from_str(text).unwrap());
        assert_eq!(line.unwrap(), [], "{text}");
    }

    with_list(&folder, &both, &[&planted[..], &["--require-complete"]].concat()).must_exit(1);
}

#[test]
fn another_failure_than_the_listed_one_fails_the_run() {
    let folder = features();
    for entry in [
        "requirement: AP-20".to_owned(),
        format!("scenario: {SCENARIO}\n    finding: final.missing"),
        "requirement: AP-25\n    until: 2026-02-01".to_owned(),
    ] {
        let ran = with_list(&folder, &[&entry], &["--defect", DEFECT]);
        ran.must_exit(1).must_say("not conformant: ");
        assert!(!ran.events("run-finished")[0]["counts"]["failed"].as_u64().unwrap_or(0).eq(&0), "{entry}");
    }
}

#[test]
fn what_is_listed_and_holds_fails_the_run() {
    let folder = features();
    for entry in ["requirement: AP-25", &format!("scenario: {SCENARIO}")] {
        let ran = with_list(&folder, &[entry], &[]);
        ran.must_exit(1).must_say("listed as expected to fail, and holds: take it off the list");
        assert_eq!(end(&ran)["expected"][0]["fate"], "passed", "{entry}");
        assert!(ran.ended("failed").is_empty(), "{}", ran.all());
    }
    // Of a duty not all of whose scenarios were played nothing is known.
    let file = folder.path().join("once.feature").display().to_string();
    let some = std::fs::read_to_string(&file).unwrap();
    let line =
        1 + some.lines().position(|line| line.contains("Scenario: It is made once, though webhook")).unwrap();
    let list = list(folder.path(), &["requirement: AP-25"]).display().to_string();
    let ran = run(&[&format!("{file}:{line}"), "--seed", "7", "--expected", &list]);
    ran.must_exit(0);
    assert_eq!(end(&ran)["expected"][0]["fate"], "not-run", "{}", ran.all());
}

#[test]
fn a_mistake_in_the_list_is_shown_before_anything_is_started() {
    let folder = features();
    let ran = with_list(&folder, &["scenario: once/it-is-made-twice"], &[]);
    ran.must_exit(3).must_say("there is no scenario").must_say("expected.yaml:3:15");
    let ran = run(&["--expected", "nowhere.yaml"]);
    ran.must_exit(3).must_say("nowhere.yaml").must_say("--expected");
}

#[test]
fn the_list_of_the_page_loads_and_fits_its_schema() {
    let page = std::fs::read_to_string(root().join("docs/expected-failures.md")).unwrap();
    let yaml = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("expected.yaml");
    std::fs::write(&path, yaml).unwrap();
    let checked = klarna_conformance::plan::check(&klarna_conformance::plan::embedded_features());
    let ids: Vec<&str> = checked.scenarios.iter().map(|scenario| scenario.id.as_str()).collect();
    let list = klarna_conformance::expected::load(&path, Some(&ids), jiff::civil::date(2026, 11, 1)).unwrap();
    assert_eq!(list.entries.len(), 2);
    let value: serde_json::Value = serde_saphyr::from_str(yaml).unwrap();
    let violations = klarna_schemas::catalogue::check("conformance/expected", &value).unwrap();
    assert_eq!(violations, []);
}
