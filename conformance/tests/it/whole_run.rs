//! The whole suite against the built-in acquirer, and what it leaves behind.

use klarna_schemas::catalogue;

use crate::suite::{run, text};

#[test]
fn the_sound_acquirer_is_green_and_the_reports_are_whole() {
    // By TLS: by plain http not every scenario applies.
    let ran = run(&["--seed", "7", "--tls"]);
    ran.must_exit(0);
    let statuses = ran.statuses();
    assert!(statuses.len() >= 15, "{statuses:?}");
    assert_eq!(ran.ended("passed").len(), statuses.len(), "{statuses:?}");

    // Every line is what the schema says.
    let model = ran.model();
    for line in &model {
        let violations = catalogue::check("conformance/run-model", line).unwrap();
        assert!(violations.is_empty(), "{line}: {violations:?}");
    }
    assert_eq!(model.first().unwrap()["event"], "run-started");
    assert_eq!(model[1]["event"], "plan");
    assert_eq!(model.last().unwrap()["event"], "run-finished");
    assert_eq!(model.last().unwrap()["overall"], "held-incomplete");

    // No tag is idle: a duty that a scenario shows has facts that were judged.
    let shown: Vec<String> = ran.events("plan")[0]["scenarios"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|scenario| scenario["duties"].as_array().unwrap().iter().map(text))
        .collect();
    for verdict in ran.events("verdict") {
        if shown.contains(&text(&verdict["requirement"])) {
            assert_eq!(verdict["verdict"], "holds", "{verdict}");
            assert!(verdict["facts"].as_u64().unwrap() > 0, "{verdict}");
        }
    }

    // No scenario shows nothing.
    for scenario in ran.events("plan")[0]["scenarios"].as_array().unwrap() {
        assert!(!scenario["duties"].as_array().unwrap().is_empty(), "{} shows no duty", scenario["id"]);
    }

    // The suite knows every rule that judged, so that its facts count for a duty.
    for done in ran.events("scenario-finished") {
        for rule in done["judged"].as_object().unwrap().keys() {
            assert!(klarna_conformance::world::check(rule).is_some(), "world/checks.rs does not know {rule}");
        }
    }

    // JUnit says the same.
    let junit = ran.report("junit.xml");
    assert!(junit.contains(&format!("tests=\"{}\"", statuses.len())), "{junit}");
    assert!(junit.contains("failures=\"0\" errors=\"0\""), "{junit}");
    assert!(junit.contains("classname=\"the-document.step-up-required\""), "{junit}");
    assert!(junit.contains("<property name=\"duty\" value=\"AP-11\"/>"), "{junit}");

    // What a person sees.
    ran.must_say("seed 7")
        .must_say("each with a Partner of its own: alpha, beta, gamma, delta")
        .must_say("held, incomplete: ")
        .must_say("holds          AP-11");
    assert!(!ran.report("acquirer.log").is_empty());

    // No secret is in any of it: neither a token nor the acquirer's key.
    let everything = format!("{}{}{}", ran.all(), ran.report("run.ndjson"), junit);
    assert!(!everything.contains("klarna_test_api_local"), "the API key is in a report");
}

#[test]
fn the_same_seed_gives_the_same_verdicts_for_any_number_of_jobs() {
    let one = run(&["--seed", "11", "--jobs", "1"]);
    let many = run(&["--seed", "11", "--jobs", "8"]);
    one.must_exit(0).must_say("one scenario at once");
    many.must_exit(0);
    assert_eq!(one.statuses(), many.statuses());
    assert_eq!(one.events("plan"), many.events("plan"));
    // How many deliveries were seen to end can differ; what stands in the verdicts cannot.
    let verdicts = |ran: &crate::suite::Ran| -> Vec<(String, String)> {
        let of = |line: &serde_json::Value| (text(&line["requirement"]), text(&line["verdict"]));
        ran.events("verdict").iter().map(of).collect()
    };
    assert_eq!(verdicts(&one), verdicts(&many));
}

#[test]
fn a_line_selects_the_scenario_around_it_and_a_row_itself() {
    let features = klarna_conformance::plan::embedded_features();
    let file =
        features.iter().find(|file| file.path == "features/network-data/byte-for-byte.feature").unwrap();
    let row = file.text.lines().position(|line| line.contains("stands twice")).unwrap() + 1;
    let ran = run(&[&format!("features/network-data/byte-for-byte.feature:{row}"), "--require-complete"]);
    assert_eq!(
        ran.statuses(),
        [("network-data/byte-for-byte/reaches-klarna-byte-for-byte#5".to_owned(), "passed".to_owned())]
    );
    // Green, and far from complete.
    ran.must_exit(1).must_say("held, incomplete");
    // The seed that chance gave is said, so that the run can be repeated.
    assert!(ran.events("run-started")[0]["seed"].as_u64().unwrap() > 0);
}

#[test]
fn flags_come_from_the_environment_too() {
    let folder = tempfile::TempDir::new().unwrap();
    let output = crate::suite::command(folder.path(), &["features/the-document.feature"])
        .env("KLARNA_CONFORMANCE_TAGS", "@AP-17")
        .env("KLARNA_CONFORMANCE_SEED", "99")
        .env("KLARNA_CONFORMANCE_REPORTS", "elsewhere")
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stdout}");
    assert!(stdout.contains("seed 99") && stdout.contains("1 scenario selected"), "{stdout}");
    assert!(folder.path().join("elsewhere/junit.xml").exists());
}
