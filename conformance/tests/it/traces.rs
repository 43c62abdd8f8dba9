//! What is kept of a scenario that did not hold, and that no secret is in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::foreign_kit::Changed;
use crate::suite::{Ran, command, run, text};

const FEATURE: &str = "features/final-authorization/driven-by-the-webhook.feature";
const ID: &str =
    "final-authorization/driven-by-the-webhook/the-webhook-drives-it-although-the-customer-never-comes-back";

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Asks that no report holds one of these, or anything that looks like a session token.
#[track_caller]
fn holds_no_secret(ran: &Ran, secrets: &[&str]) {
    let reports = files(&ran.reports.path().join("reports"));
    assert!(reports.len() >= 7, "{reports:?}");
    for path in reports {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        for secret in secrets {
            assert!(!text.contains(secret), "{} holds {secret}", path.display());
        }
        // `krn:network:` begins a token; what is shown of one is cut behind it.
        let token = text.find(":session-token:").or_else(|| text.find("session-token%3A"));
        if let Some(at) = token {
            panic!("{} holds a session token: {}", path.display(), &text[at.saturating_sub(40)..at]);
        }
    }
    assert!(!ran.all().contains(":session-token:"), "the console holds a session token");
}

#[test]
fn a_scenario_that_did_not_hold_leaves_a_folder() {
    let ran = run(&[FEATURE, "--tags", "@AP-27", "--defect", "final-call-skipped", "--seed", "7"]);
    ran.must_exit(1).must_say(&format!("see reports/failures/{ID}"));
    let done = ran.events("scenario-finished").pop().unwrap();
    assert_eq!(text(&done["evidence"]), format!("reports/failures/{ID}"));

    let finding = ran.report(&format!("failures/{ID}/finding.txt"));
    assert!(finding.contains("final.missing: "), "{finding}");
    // The console shows the same, a little further to the right.
    let console: Vec<&str> = ran.stdout.lines().map(str::trim).collect();
    let missing: Vec<&str> = finding
        .lines()
        .map(str::trim)
        .filter(|line| !console.iter().any(|said| said.ends_with(line)))
        .collect();
    assert!(missing.is_empty(), "the console does not say {missing:?}: {}", ran.stdout);

    let journal = ran.report(&format!("failures/{ID}/journal.ndjson"));
    let entries: Vec<Value> = journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let operations: Vec<&str> = entries.iter().map(|entry| entry["operation"].as_str().unwrap()).collect();
    for operation in ["authorize", "journey.approve", "event:payment.request.state-change.completed"] {
        assert!(operations.contains(&operation), "{operation} is not in {operations:?}");
    }
    let sandbox: Vec<&Value> = entries.iter().filter(|entry| entry["journal"] == "sandbox").collect();
    assert!(sandbox.iter().all(|entry| entry["epoch"] == sandbox[0]["epoch"]), "of one epoch");
    let cut = entries.iter().find(|entry| text(&entry["operation"]).ends_with("completed")).unwrap();
    let body = text(&cut["request"]["body"]);
    assert!(body.contains(r#""klarna_network_session_token":"krn:netw…("#), "{body}");

    let commands = ran.report(&format!("failures/{ID}/exchanges.sh"));
    assert!(commands.contains("# The Partner calls the acquirer\ncurl -sS -i -X POST"), "{commands}");
    assert!(commands.contains("-H 'Authorization: Basic '\"$KLARNA_API_KEY\""), "{commands}");
    let script = ran.reports.path().join("reports/failures").join(ID).join("exchanges.sh");
    let read = Command::new("sh").arg("-n").arg(&script).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));

    assert!(ran.report(&format!("failures/{ID}/acquirer.log")).contains("webhook received"));
    holds_no_secret(
        &ran,
        &["klarna_test_api_local", "alpha-test-key", "whsec_", "YWxwaGEtdGVzdC1ub3RpZmljYXRpb24tc2VjcmV0"],
    );
}

#[test]
fn traces_are_of_this_run_and_only_of_what_did_not_hold() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("reports/failures/the-document/of-an-earlier-run");
    std::fs::create_dir_all(&old).unwrap();
    std::fs::write(old.join("finding.txt"), "old").unwrap();
    let ran = command(folder.path(), &["--tags", "@AP-17 and @document", "--seed", "7"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    assert!(!folder.path().join("reports/failures").exists(), "nothing failed in this run");
}

#[test]
fn an_acquirer_that_logs_its_secrets_does_not_bring_them_into_the_reports() {
    let acquirer = Changed::new()
        .program(
            "    SIGNING_KEYS[key[\"signing_key_id\"]] = key[\"signing_key\"].encode()\n",
            "    SIGNING_KEYS[key[\"signing_key_id\"]] = key[\"signing_key\"].encode()\n    \
             open(\"signing-key.txt\", \"w\").write(key[\"signing_key\"])\n",
        )
        // It logs all that it should not, and makes no final call.
        .program(
            "    with LOCK:\n        if payment[\"finalised\"]:\n            return\n",
            "    log(\"finalise\", token, urllib.parse.quote(token), API_KEY, list(SIGNING_KEYS.values()), \
             payment[\"merchant\"])\n    return\n    with LOCK:\n        if payment[\"finalised\"]:\n            return\n",
        );
    let ran = run(&["--acquirer", &acquirer.path(), FEATURE, "--tags", "@AP-27", "--seed", "7"]);
    ran.must_exit(1);
    let log = ran.report(&format!("failures/{ID}/acquirer.log"));
    assert!(log.contains("finalise [REDACTED] [REDACTED]"), "{log}");
    let signing_key = std::fs::read_to_string(acquirer.file("signing-key.txt")).unwrap();
    assert!(log.contains("b'"), "the signing key was logged: {log}");
    holds_no_secret_in(
        &ran.reports.path().join("reports/failures"),
        &["klarna_test_api_local", "north-test", "south-test", &signing_key],
    );
    holds_no_secret(&ran, &["klarna_test_api_local", "north-test", "south-test"]);
}

fn holds_no_secret_in(folder: &Path, secrets: &[&str]) {
    for path in files(folder) {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        for secret in secrets {
            assert!(!text.contains(secret), "{} holds {secret}", path.display());
        }
    }
}
