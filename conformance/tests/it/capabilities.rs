//! What an adapter claims is tested, what it does not is said: in each report, and in the verdict where
//! a Required duty rests on it.

use klarna_conformance::plan::{check, embedded_features};
use serde_json::Value;
use tempfile::TempDir;

use crate::suite::{Ran, root, run, text};

const NETWORK_DATA: &str = "network-data/byte-for-byte/reaches-klarna-byte-for-byte#1";
const SESSION_TOKEN: &str =
    "network-data/session-token/the-partners-session-token-goes-with-the-initial-authorize";
const REFUSED_DATA: &str = "validation/refused-orders/is-refused-and-klarna-never-hears-of-it#6";
const AT_ONCE: &str =
    "initial-authorization/decisions/what-klarna-approves-at-once-stands-in-the-answer-to-the-create-call";
const APPROVED: &str = "initial-authorization/decisions/klarna-approves-at-once";
const CAPTURE: &str = "after-the-payment/capture/the-whole-amount";
const IN_PARTS: &str = "after-the-payment/capture/in-two-parts#1";
const CANCEL: &str = "after-the-payment/cancel/while-the-customer-is-in-a-step-up";
const METHODS: &str = "payment-methods/listing/klarna-is-listed-as-it-presents-itself";

/// The Python acquirer's file with lines changed.
#[track_caller]
fn changed(file: &str, changes: &[(&str, &str)]) -> String {
    let whole = std::fs::read_to_string(root().join("conformance/tests/foreign").join(file)).unwrap();
    changes.iter().fold(whole, |whole, (from, to)| {
        assert!(whole.contains(from), "{file} has no {from}");
        whole.replacen(from, to, 1)
    })
}

/// Plays scenarios against the Python acquirer, bound and written otherwise.
fn play(adapter: &[(&str, &str)], program: &[(&str, &str)], scenarios: &[&str], more: &[&str]) -> Ran {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("adapter.yaml");
    std::fs::write(&path, changed("adapter.yaml", adapter)).unwrap();
    std::fs::write(folder.path().join("acquirer.py"), changed("acquirer.py", program)).unwrap();
    let known = check(&embedded_features()).scenarios;
    let places = scenarios.iter().map(|id| {
        let found = known.iter().find(|known| known.id == **id);
        let found = found.unwrap_or_else(|| panic!("no scenario {id}"));
        format!("{}:{}", found.file, found.line)
    });
    let path = path.display().to_string();
    let mut args: Vec<String> = places.collect();
    args.extend(
        ["--acquirer", &path, "--seed", "7"].into_iter().chain(more.iter().copied()).map(str::to_owned),
    );
    run(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

fn verdict(ran: &Ran, duty: &str) -> Value {
    ran.events("verdict").into_iter().find(|line| line["requirement"] == duty).unwrap()
}

fn reason(ran: &Ran, scenario: &str) -> String {
    let finished = ran.events("scenario-finished");
    text(&finished.iter().find(|line| line["scenario"] == scenario).unwrap()["reason"])
}

const UNCLAIMED: (&str, &str) =
    ("unclaimed:\n", "unclaimed:\n  network_data: the shops' plugins cannot carry it yet\n");

#[test]
fn what_is_unclaimed_is_said_and_its_duties_are_not_held() {
    let ran = play(&[UNCLAIMED], &[], &[NETWORK_DATA, REFUSED_DATA, SESSION_TOKEN, APPROVED], &[]);
    ran.must_exit(0);
    assert_eq!(ran.ended("not-applicable"), [NETWORK_DATA, REFUSED_DATA]);
    assert_eq!(ran.ended("passed"), [APPROVED, SESSION_TOKEN]);
    for scenario in [NETWORK_DATA, REFUSED_DATA] {
        let why = "the adapter does not claim the capability \"network_data\": the shops' plugins cannot carry it yet";
        assert_eq!(reason(&ran, scenario), why);
    }
    // The session token was forwarded; that is a part of the duty only.
    for duty in ["AP-10", "AP-11"] {
        let verdict = verdict(&ran, duty);
        assert_eq!(verdict["verdict"], "not-applicable", "{verdict}");
        assert!(
            text(&verdict["reason"]).ends_with("cannot carry it yet") && verdict["facts"] != 0,
            "{verdict}"
        );
    }
    let summary = text(&ran.events("run-finished")[0]["summary"]);
    assert!(
        summary.starts_with("held, incomplete: ") && summary.ends_with("; not claimed: network_data"),
        "{summary}"
    );
    let unclaimed = &ran.events("run-started")[0]["unclaimed"];
    assert!(
        unclaimed.as_array().unwrap().iter().any(|one| one["capability"] == "network_data"
            && one["duties"] == serde_json::json!(["AP-10", "AP-11"]))
    );
}

#[test]
fn a_complete_run_is_none_without_a_required_capability() {
    let ran = play(&[UNCLAIMED], &[], &[APPROVED], &["--require-complete"]);
    ran.must_exit(1).must_say("not claimed: network_data");
}

/// What every file claimed before capabilities were told apart, it claims still: silence is no excuse.
#[test]
fn an_adapter_that_only_leaves_network_data_out_turns_red() {
    let line = "                networkData: \"{{ order.network_data | omit }}\"\n";
    let ran = play(&[(line, "")], &[], &[NETWORK_DATA], &[]);
    ran.must_exit(1);
    assert_eq!(ran.failing(NETWORK_DATA), ["network-data.byte-equal"], "{}", ran.all());
}

#[test]
fn one_way_into_a_step_up_is_enough_and_none_is_not() {
    let ran = play(&[("[redirect, sdk, ", "[sdk, ")], &[], &[APPROVED], &[]);
    assert!(!text(&ran.events("run-finished")[0]["summary"]).contains("not claimed"), "{}", ran.all());
    let ran = play(&[("[redirect, sdk, ", "[")], &[], &[APPROVED], &[]);
    ran.must_say("not claimed: redirect, sdk");
    assert_eq!(verdict(&ran, "AP-15")["verdict"], "not-applicable");
}

#[test]
fn an_approval_that_is_claimed_at_once_and_comes_later() {
    let unclaimed =
        "unclaimed:\n  sync_approval: it answers Pending when Klarna takes longer than a second\n";
    let claims = [("[redirect, sdk, ", "[redirect, sdk, sync_approval, "), (unclaimed, "")];
    play(&claims, &[], &[AT_ONCE], &[]).must_exit(0);
    let later =
        ("later(begin, payment, step_up, token).wait(ANSWER_S)", "later(begin, payment, step_up, token)");
    let ran = play(&claims, &[later], &[AT_ONCE, APPROVED], &[]);
    ran.must_exit(1);
    // What asks only that the Partner gets to know goes on to hold.
    assert_eq!(
        (ran.ended("failed"), ran.ended("passed")),
        (vec![AT_ONCE.to_owned()], vec![APPROVED.to_owned()])
    );
    assert_eq!(ran.failing(AT_ONCE), ["answer.at-once"]);
}

#[test]
fn what_is_not_bound_is_not_applicable() {
    let adapter = changed("adapter.yaml", &[]);
    let begin = adapter.find("\n  capture:\n").unwrap();
    let end = adapter.find("\nnotifications:\n").unwrap();
    let operations = adapter.get(begin..end).unwrap();
    let parts = (", partial_capture, partial_refund", "");
    let ran = play(&[(operations, ""), parts], &[], &[CAPTURE, IN_PARTS, CANCEL, APPROVED], &[]);
    ran.must_exit(0);
    assert_eq!(ran.ended("not-applicable"), [CANCEL, IN_PARTS, CAPTURE]);
    assert_eq!(reason(&ran, CAPTURE), "the adapter does not claim the capability \"capture\"");
    assert_eq!(verdict(&ran, "AP-50")["verdict"], "not-applicable");
    // Only recommended: no Required duty rests on it.
    assert!(!text(&ran.events("run-finished")[0]["summary"]).contains("not claimed"), "{}", ran.all());
    let whole = play(&[parts], &[], &[CAPTURE, IN_PARTS], &[]);
    assert_eq!(
        (whole.ended("passed"), whole.ended("not-applicable")),
        (vec![CAPTURE.to_owned()], vec![IN_PARTS.to_owned()])
    );
}

#[test]
fn payment_methods_are_a_part_of_a_required_duty() {
    let adapter = changed("adapter.yaml", &[]);
    let begin = adapter.find("\n  list_payment_methods:\n").unwrap();
    let end = adapter.find("\n  create_payment:\n").unwrap();
    let ran = play(&[(adapter.get(begin..end).unwrap(), "\n")], &[], &[METHODS, APPROVED], &[]);
    ran.must_exit(0).must_say("not claimed: payment_methods");
    assert_eq!(verdict(&ran, "AP-01")["verdict"], "not-applicable");
}
