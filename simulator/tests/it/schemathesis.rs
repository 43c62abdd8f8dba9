//! The document against the simulator itself: schemathesis calls every operation with what the
//! document allows and with what it does not, and every answer must be in the document.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use klarna_schemas::simulator::control::{ArmFault, CallKind, Fault, FaultBody};

use crate::klarna::{KEY, Klarna, document};

/// Where `.ci/run` puts the program: `target/schemathesis`, three folders above this test.
#[expect(clippy::disallowed_methods, reason = "a test asks how it was started")]
fn program() -> Option<PathBuf> {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(3).unwrap().join("schemathesis/bin/st");
    if program.is_file() {
        return Some(program);
    }
    let missing = format!("{} is missing", program.display());
    assert!(std::env::var_os("CI").is_none(), "{missing}: .ci/run installs it");
    // Past the test harness, which swallows what passing tests print.
    let said = format!("answers were NOT tested with schemathesis: {missing}; .ci/run installs it\n");
    std::io::stderr().write_all(said.as_bytes()).unwrap();
    None
}

/// Runs it with the same data each time: whether all held, and what it printed.
async fn run(program: &Path, klarna: &Klarna, more: &[&str]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = tokio::process::Command::new(program);
    command
        .current_dir(folder.path())
        .env("SCHEMATHESIS_HOOKS", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemathesis/hooks.py"))
        .args(["run", &klarna.url("/openapi.json"), "--header", &format!("Authorization: Basic {KEY}")])
        .args(["--seed", "7", "--max-examples", "10", "--generation-database", "none", "--no-color"])
        // Klarna publishes no 405, so a wrong method is a 404. What fits a schema may still be refused:
        // rules between fields, and what a sandbox remembers, stand in no schema. And DELETE on a Payment
        // Request cancels it: it can still be read.
        .args(["--exclude-checks", "unsupported_method,positive_data_acceptance,use_after_free"])
        .args(more)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said.into_owned())
}

#[tokio::test]
async fn no_answer_is_outside_the_document() {
    let Some(program) = program() else { return };
    let klarna = Klarna::start().await;
    let document = document(&klarna).await;
    let items = document["paths"].as_object().unwrap().values();
    let operations: usize = items.map(|item| item.as_object().unwrap().len()).sum();
    // Most calls by far are those that try each edge of each field; the two paths of an operation
    // share them.
    let edges = ["--phases", "coverage", "--exclude-operation-id-regex", r"\.own$"];
    let (held, said) = run(&program, &klarna, &edges).await;
    assert!(held, "{said}");
    let (held, said) = run(&program, &klarna, &["--phases", "examples,fuzzing,stateful"]).await;
    assert!(held, "{said}");
    assert!(said.contains(&format!("Tested: {operations}\n")), "not all were called: {said}");
}

#[tokio::test]
async fn an_answer_outside_the_document_is_seen() {
    let Some(program) = program() else { return };
    let klarna = Klarna::start().await;
    let fault = Fault::Status { status: 418, body: FaultBody::Klarna };
    let armed = ArmFault { operation: "signing_key.list".to_owned(), on: CallKind::Any, times: 100, fault };
    let account = "krn:partner:global:account:test:LOCALACQ";
    klarna.control().arm_account_fault(account, &armed).await.unwrap();
    let only = ["--include-operation-id", "signing_key.list", "--phases", "fuzzing"];
    let (held, said) = run(&program, &klarna, &only).await;
    assert!(!held && said.contains("418"), "{said}");
}
