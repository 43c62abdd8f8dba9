//! The suite can fail: each defect turns its scenario red, by its finding, and nothing it does not touch.

use klarna_conformance::mutants::DEFECTS;
use klarna_conformance::plan::{check, embedded_features};

use crate::suite::{Ran, run, text};

/// The feature file that holds a scenario.
fn file_of(scenario: &str) -> String {
    let checked = check(&embedded_features());
    let found = checked.scenarios.iter().find(|known| known.id == scenario);
    let found = found.unwrap_or_else(|| panic!("no scenario {scenario}"));
    format!("{}:{}", found.file, found.line)
}

fn plant(defect: &str) -> (Ran, String) {
    let defect = DEFECTS.iter().find(|known| known.name == defect).unwrap();
    let ran = run(&[&file_of(defect.killed_by), "--defect", defect.name, "--seed", "7"]);
    ran.must_exit(1);
    assert_eq!(ran.ended("failed"), [defect.killed_by], "{}", ran.all());
    let failing = ran.failing(defect.killed_by);
    assert!(failing.iter().any(|rule| rule == defect.finding), "{failing:?}");
    let junit = ran.report("junit.xml");
    assert!(junit.contains(&format!("type=\"{}\"", defect.finding)), "{junit}");
    (ran, defect.killed_by.to_owned())
}

#[test]
fn every_defect_names_a_scenario_that_exists() {
    for defect in DEFECTS {
        file_of(defect.killed_by);
    }
    let listed = run(&["--list-defects"]);
    listed.must_exit(0);
    for defect in DEFECTS {
        listed.must_say(defect.name).must_say(defect.killed_by).must_say(defect.finding);
    }
}

#[test]
fn dropped_network_data_is_found() {
    let (ran, scenario) = plant("network-data-dropped");
    ran.must_say("the network data was dropped");
    // Everything that a reader needs stands in the report.
    let finding = &ran.events("finding")[0];
    assert_eq!(text(&finding["scenario"]), scenario);
    assert_eq!(finding["finding"]["duties"][0], "AP-11");
    assert!(text(&finding["source"]).contains("K-AUTH"), "{finding}");
    assert_eq!(finding["exchanges"][0]["operation"], "authorize");
    assert!(text(&finding["curl"]).starts_with("curl "), "{finding}");
    assert!(text(&finding["repeat"]).contains("--seed 7 --defect network-data-dropped"), "{finding}");
    for part in ["duty      AP-11", "expected", "got", "mend", "exchange  #", "curl ", "repeat "] {
        ran.must_say(part);
    }
}

#[test]
fn network_data_that_is_written_again_is_found_where_it_is_looked_for() {
    plant("network-data-reserialised");
    let whole = run(&["--defect", "network-data-reserialised", "--seed", "7"]);
    whole.must_exit(1);
    let red = whole.ended("failed");
    assert!(
        red.iter().all(|id| id.starts_with("network-data/") || id.starts_with("the-document/")),
        "{red:?}"
    );
    assert!(red.len() >= 6, "{red:?}");
    for id in &red {
        assert_eq!(whole.failing(id), ["network-data.byte-equal"], "{id}");
    }
    assert_eq!(whole.ended("passed").len() + red.len(), whole.statuses().len(), "{}", whole.all());
}

#[test]
fn a_skipped_final_call_is_found() {
    let (ran, scenario) = plant("final-call-skipped");
    ran.must_say("no final authorize came");
    // The Partner was told "approved", and Klarna never said so.
    assert!(ran.failing(&scenario).contains(&"partner.not-misled".to_owned()));
    let fails: Vec<String> = ran
        .events("verdict")
        .iter()
        .filter(|verdict| verdict["verdict"] == "fails")
        .map(|verdict| text(&verdict["requirement"]))
        .collect();
    assert!(fails.contains(&"AP-27".to_owned()), "{fails:?}");
}
