//! The suite can fail: each defect turns its scenario red, by its finding, whichever sound acquirer
//! it is planted into; and the sound acquirers are green.

use klarna_conformance::mutants::{DEFECTS, Defect};
use klarna_conformance::plan::{check, embedded_features};

use crate::suite::{Ran, root, run, text};

/// The feature file that holds a scenario.
fn file_of(scenario: &str) -> String {
    let checked = check(&embedded_features());
    let found = checked.scenarios.iter().find(|known| known.id == scenario);
    let found = found.unwrap_or_else(|| panic!("no scenario {scenario}"));
    format!("{}:{}", found.file, found.line)
}

/// The two sound acquirers, as arguments of a run.
fn sound() -> [(&'static str, Vec<String>); 2] {
    let python = root().join("conformance/tests/foreign/adapter.yaml").display().to_string();
    [("the reference acquirer", Vec::new()), ("the Python acquirer", vec!["--acquirer".to_owned(), python])]
}

fn defect(name: &str) -> &'static Defect {
    DEFECTS.iter().find(|known| known.name == name).unwrap()
}

/// Plants a defect and plays the scenario that must find it.
fn plant(defect: &Defect, acquirer: &[String]) -> Ran {
    let place = file_of(defect.killed_by);
    let mut args = vec![place.as_str(), "--defect", defect.name, "--seed", "7"];
    args.extend(acquirer.iter().map(String::as_str));
    let ran = run(&args);
    ran.must_exit(1);
    assert_eq!(ran.ended("failed"), [defect.killed_by], "{}", ran.all());
    let failing = ran.failing(defect.killed_by);
    assert!(failing.iter().any(|rule| rule == defect.finding), "{failing:?}: {}", ran.all());
    let junit = ran.report("junit.xml");
    assert!(junit.contains(&format!("type=\"{}\"", defect.finding)), "{junit}");
    let seen =
        ran.events("finding").into_iter().find(|line| text(&line["finding"]["rule"]) == defect.finding);
    let exchanges = seen.unwrap()["exchanges"].as_array().unwrap().len();
    assert!(exchanges > 0, "the finding cites no exchange: {}", ran.all());
    ran
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
fn every_defect_turns_its_scenario_red_in_both_acquirers() {
    assert!(DEFECTS.len() >= 10, "{}", DEFECTS.len());
    for (whose, acquirer) in sound() {
        // They mostly wait, so a few at once.
        for some in DEFECTS.chunks(5) {
            std::thread::scope(|scope| {
                let running: Vec<_> =
                    some.iter().map(|defect| (defect, scope.spawn(|| plant(defect, &acquirer)))).collect();
                for (defect, thread) in running {
                    assert!(
                        thread.join().is_ok(),
                        "{} in {whose} was not found as it should be",
                        defect.name
                    );
                }
            });
        }
    }
}

#[test]
fn what_is_sound_is_green_whatever_the_seed() {
    for (whose, acquirer) in sound() {
        for seed in ["1", "20261123", "999999999"] {
            let mut args = vec!["--seed", seed];
            args.extend(acquirer.iter().map(String::as_str));
            let ran = run(&args);
            assert_eq!(ran.code, 0, "{whose}, seed {seed}: {}", ran.all());
            assert_eq!(ran.ended("failed"), [""; 0], "{whose}, seed {seed}");
        }
    }
}

#[test]
fn a_finding_has_everything_that_a_reader_needs() {
    let defect = defect("network-data-dropped");
    let ran = plant(defect, &[]);
    ran.must_say("the network data was dropped");
    let finding = &ran.events("finding")[0];
    assert_eq!(text(&finding["scenario"]), defect.killed_by);
    assert_eq!(finding["finding"]["duties"][0], "AP-11");
    assert!(text(&finding["source"]).contains("K-AUTH"), "{finding}");
    assert_eq!(finding["exchanges"][0]["operation"], "authorize");
    assert!(text(&finding["curl"]).starts_with("curl "), "{finding}");
    assert!(text(&finding["repeat"]).contains("--seed 7 --defect network-data-dropped"), "{finding}");
    for part in ["duty      AP-11", "expected", "got", "mend", "exchange  #", "curl ", "repeat "] {
        ran.must_say(part);
    }
}

/// The scenario that asks by itself that nothing is found of network data.
const ASKS: &str = "initial-authorization/journal/what-is-not-there-and-what-nothing-is-found-of";

#[test]
fn network_data_that_is_written_again_is_found_where_it_is_looked_for() {
    let whole = run(&["--defect", "network-data-reserialised", "--seed", "7"]);
    whole.must_exit(1);
    let mut red = whole.ended("failed");
    assert!(red.iter().any(|id| id == ASKS), "{red:?}");
    red.retain(|id| id != ASKS);
    assert!(
        red.iter().all(|id| id.starts_with("network-data/") || id.starts_with("the-document/")),
        "{red:?}"
    );
    assert!(red.len() >= 6, "{red:?}");
    for id in &red {
        assert_eq!(whole.failing(id), ["network-data.byte-equal"], "{id}");
    }
}

#[test]
fn who_skips_the_final_call_misleads_the_partner_too() {
    let defect = defect("final-call-skipped");
    let ran = plant(defect, &[]);
    ran.must_say("no final authorize came");
    // The Partner was told "approved", and Klarna never said so.
    assert!(ran.failing(defect.killed_by).contains(&"partner.not-misled".to_owned()));
    let fails: Vec<String> = ran
        .events("verdict")
        .iter()
        .filter(|verdict| verdict["verdict"] == "fails")
        .map(|verdict| text(&verdict["requirement"]))
        .collect();
    assert!(fails.contains(&"AP-27".to_owned()), "{fails:?}");
}
