//! What docs/faults.md says of each fault is what curl reports.

use std::process::Command;

use klarna_schemas::simulator::control::{ArmFault, Fault, PutSandbox};
use klarna_simulator::{DefaultOutcome, Simulator};

use crate::klarna::{ALPHA, KEY, Klarna};

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
    let rows = rows(include_str!("../../../docs/faults.md"));
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
