//! What bounds a run: its time, its Partners, what the acquirer claims, and scenarios that run alone.

use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::foreign_kit::Changed;
use crate::suite::{Ran, run, text};

/// A scenario that with this defect waits for a call that does not come, and others after it.
const HANGS: [&str; 4] = ["--defect", "final-call-skipped", "--jobs", "1"];

fn reason(ran: &Ran, scenario: &str) -> String {
    let done = ran.events("scenario-finished").into_iter().find(|done| done["scenario"] == scenario);
    text(&done.unwrap_or_else(|| panic!("{scenario} did not end: {}", ran.all()))["reason"])
}

#[test]
fn what_was_not_run_when_the_time_is_over_is_said_to_be_so() {
    let began = Instant::now();
    let feature = "features/final-authorization/driven-by-the-webhook.feature";
    let ran = run(&[&[feature, "--tags", "@AP-27", "--max-time", "5s"][..], &HANGS[..2]].concat());
    ran.must_exit(1).must_say("incomplete: --max-time 5s was over, and 1 scenario was not run to the end");
    assert!(began.elapsed() < Duration::from_secs(10), "it waited for the call: {:?}", began.elapsed());
    let id = "final-authorization/driven-by-the-webhook/the-webhook-drives-it-although-the-customer-never-comes-back";
    assert_eq!(ran.statuses(), [(id.to_owned(), "not-run".to_owned())]);
    assert_eq!(reason(&ran, id), "--max-time 5s was over in the middle of it");

    // The reports are complete.
    let last = ran.model().pop().unwrap();
    assert_eq!((last["event"].as_str(), last["exit_code"].as_u64()), (Some("run-finished"), Some(1)));
    assert!(!ran.events("verdict").is_empty());
    assert!(ran.report("junit.xml").contains("--max-time 5s was over"), "{}", ran.report("junit.xml"));
    assert!(ran.report(&format!("failures/{id}/journal.ndjson")).contains("\"operation\":\"authorize\""));
}

#[test]
fn what_was_not_reached_is_told_from_what_was_cut() {
    let ran =
        run(&[&["features/final-authorization", "--max-time", "6s", "--seed", "7"][..], &HANGS[..]].concat());
    // A folder that is not on disk here holds no feature.
    ran.must_exit(3);
    let features = "features/final-authorization/once.feature,features/final-authorization/content.feature";
    let ran = run(&[&["--features", features, "--max-time", "5s", "--seed", "7"][..], &HANGS[..]].concat());
    ran.must_exit(1);
    let reasons: Vec<String> = ran.ended("not-run").iter().map(|scenario| reason(&ran, scenario)).collect();
    let number = |end: &str| reasons.iter().filter(|reason| reason.ends_with(end)).count();
    assert_eq!(number("was over in the middle of it"), 1, "{}", ran.all());
    assert!(number("was over before it was reached") >= 1, "{}", ran.all());
    let planned = ran.events("plan")[0]["scenarios"].as_array().unwrap().len();
    assert_eq!(ran.statuses().len(), planned, "each has an end");
}

#[test]
fn a_run_that_is_through_in_time_does_not_mind_the_limit() {
    run(&["--tags", "@AP-17 and @document", "--max-time", "5m"]).must_exit(0);
}

#[test]
fn parties_that_are_not_ready_in_time_are_unreachable() {
    run(&["--max-time", "1ms"]).must_exit(5).must_say("they were not ready when --max-time 1ms was over");
}

#[test]
fn a_limit_that_makes_no_sense_is_a_mistake_of_usage() {
    run(&["--max-time", "90"]).must_exit(2).must_say("as in 90s, 5m or PT5M");
    run(&["--max-time", "0s"]).must_exit(2).must_say("longer than nothing");
}

#[test]
fn jobs_are_lowered_to_the_partners_aloud() {
    let acquirer = Changed::new();
    let some = ["--acquirer", &acquirer.path(), "--tags", "@AP-17 and @document"];
    let ran = run(&[&some[..], &["--jobs", "8"]].concat());
    ran.must_exit(0).must_say("2 scenarios at once, not 8: the adapter has 2 Partners");
    let started = &ran.events("run-started")[0];
    assert_eq!((&started["jobs"], &started["jobs_asked"]), (&Value::from(2), &Value::from(8)));
    assert_eq!(text(&started["jobs_reason"]), "the adapter has 2 Partners");

    let ran = run(&[&some[..], &["--jobs", "2"]].concat());
    ran.must_exit(0).must_say("2 scenarios at once, each with");
    assert_eq!(ran.events("run-started")[0].get("jobs_reason"), None);
}

#[test]
fn a_scenario_that_needs_a_claim_is_not_applicable_without_it() {
    let folder = TempDir::new().unwrap();
    let feature = folder.path().join("claims.feature");
    let claims = "@AP-17\nFeature: Claims\n\n  @timing.retry_within_ms\n  Scenario: Needs a claim\n    \
        Given Klarna will decline the payment\n    When the Partner creates the payment\n    \
        Then the acquirer responds that the payment is declined\n";
    std::fs::write(&feature, claims).unwrap();
    let feature = feature.display().to_string();
    let claimed = ", retry_within_ms: 3000";

    let silent = Changed::new().adapter(claimed, "");
    let ran = run(&["--acquirer", &silent.path(), &feature]);
    ran.must_exit(4);
    assert_eq!(ran.ended("not-applicable"), ["claims/needs-a-claim"]);
    assert_eq!(reason(&ran, "claims/needs-a-claim"), "the adapter does not claim timing.retry_within_ms");

    let ran = run(&["--acquirer", &Changed::new().path(), &feature]);
    ran.must_exit(0);
    let shown: Vec<String> =
        ran.events("run-started")[0]["capabilities"].as_array().unwrap().iter().map(text).collect();
    for claim in [
        "notifications",
        "timing.answer_ms=1000",
        "timing.klarna_timeout_ms=400",
        "timing.retry_within_ms=3000",
    ] {
        assert!(shown.contains(&claim.to_owned()), "{claim} is not in {shown:?}");
    }
}

#[test]
fn an_exclusive_scenario_runs_alone() {
    let folder = TempDir::new().unwrap();
    let feature = folder.path().join("alone.feature");
    let scenario = |tag: &str, name: &str| {
        format!(
            "\n  {tag}\n  Scenario: {name}\n    Given Klarna will decline the payment\n    When the Partner \
             creates the payment\n    Then the acquirer responds that the payment is declined\n    And the \
             acquirer makes no second authorize\n"
        )
    };
    let mut gherkin = "@AP-17\nFeature: Alone\n".to_owned();
    for number in 1..=8 {
        gherkin.push_str(&scenario("@AP-17", &format!("Beside others {number}")));
        if number % 4 == 0 {
            gherkin.push_str(&scenario("@exclusive", &format!("By itself {number}")));
        }
    }
    std::fs::write(&feature, gherkin).unwrap();
    let ran = run(&[&feature.display().to_string(), "--jobs", "4", "--seed", "7"]);
    ran.must_exit(0);

    let mut running: Vec<String> = Vec::new();
    let mut most = 0;
    for line in ran.model() {
        let scenario = text(&line["scenario"]);
        match line["event"].as_str() {
            Some("scenario-started") => {
                running.push(scenario);
                let alone = running.iter().any(|id| id.contains("by-itself"));
                assert!(!alone || running.len() == 1, "at the same time: {running:?}");
                most = most.max(running.len());
            }
            Some("scenario-finished") => running.retain(|id| *id != scenario),
            _ => {}
        }
    }
    assert!(most > 1, "the others ran side by side");
    assert_eq!(ran.ended("passed").len(), 10);
}
