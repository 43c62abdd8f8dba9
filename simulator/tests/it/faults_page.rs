//! What docs/faults.md says of each fault is what curl reports.

use std::process::Command;

use klarna_schemas::simulator::control::{ArmFault, Fault, PutSandbox};
use klarna_simulator::{DefaultOutcome, Simulator};
use serde_json::Value;

use crate::documented::{fences, run};
use crate::klarna::{ALPHA, KEY, Klarna};

const PAGE: &str = include_str!("../../../docs/faults.md");

/// The rows of the page: what is armed, curl's exit code, the status.
fn rows(page: &str) -> Vec<(Fault, i32, String)> {
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `{")).map(|line| line.split(" | "));
    cells
        .map(|mut cells| {
            let armed = format!("{{{}", cells.next().unwrap().trim_end_matches('`'));
            let exit = cells.next().unwrap().parse().unwrap();
            (serde_json::from_str(&armed).unwrap(), exit, cells.next().unwrap().to_owned())
        })
        .collect()
}

#[tokio::test]
async fn every_row_of_the_page_is_what_curl_reports() {
    let rows = rows(PAGE);
    assert_eq!(rows.len(), 12);
    let klarna = Klarna::of(Simulator::builder().default_outcome(DefaultOutcome::Approve.result())).await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    for (index, (fault, exit, status)) in rows.into_iter().enumerate() {
        klarna.control().arm_fault(&ALPHA.into(), &ArmFault::once("authorize", fault)).await.unwrap();
        let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
        let body = format!(
            r#"{{"currency": "SEK", "request_payment_transaction": {{"amount": 100, "payment_transaction_reference": "t-{index}"}}}}"#
        );
        let call = move || {
            Command::new("curl")
                .args(["--noproxy", "*", "-sS", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", &url])
                .args(["-H", &format!("Authorization: Basic {KEY}"), "-H", "Content-Type: application/json"])
                .args(["-d", &body])
                .output()
                .expect("these tests need curl, as the README's tour does")
        };
        let output = tokio::task::spawn_blocking(call).await.unwrap();
        let seen = (output.status.code(), String::from_utf8(output.stdout).unwrap());
        assert_eq!(seen, (Some(exit), status), "{fault}");
    }
}

#[tokio::test]
async fn the_commands_of_the_page_lose_an_answer_and_the_last_one_repeated_gets_it() {
    let [commands] = fences(PAGE)[..] else { panic!("the page has one example") };
    assert!(commands.starts_with("klarna-simulator serve --outcome approve &\n"), "{commands}");
    let klarna = Klarna::of(Simulator::builder().default_outcome(DefaultOutcome::Approve.result())).await;
    let lost = run(&klarna, commands).await;
    assert_eq!(lost.status.code(), Some(56), "{lost:?}");
    let repeated = &commands[commands.rfind("curl ").unwrap()..];
    let again = run(&klarna, repeated).await;
    let answer: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(answer["payment_transaction_response"]["result"], "APPROVED", "{answer}");
    let entries = klarna.journal("authorize").await.entries;
    let [first, second] = &entries[..] else { panic!("two calls: {entries:#?}") };
    assert_eq!((first.fault.as_deref(), second.rule.as_deref()), (Some("lose_answer"), Some("replay")));
    assert_eq!(first.payment, second.payment);
}
