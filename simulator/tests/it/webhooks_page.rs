//! What docs/webhooks.md says of each misbehaviour is what becomes of it when curl asks for it.

use std::process::Command;

use jiff::SignedDuration;
use klarna_schemas::simulator::control::{JournalQuery, Misbehaviour, ReleaseWebhooks, SetClock};
use serde_json::{Value, json};

use crate::documented::{fences, run};
use crate::klarna::{ALPHA, Klarna, initial};
use crate::sink::Sink;

const PAGE: &str = include_str!("../../../docs/webhooks.md");

/// A row: the word, the body, the journal's words.
fn rows(page: &str) -> Vec<[String; 3]> {
    let unquoted = |cell: &str| cell.trim_matches(['`', ' ', '|']).to_owned();
    page.lines()
        .filter(|line| line.starts_with("| `") && line.contains("event_type"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
            [unquoted(cells[0]), unquoted(cells[1]), unquoted(cells[3])]
        })
        .collect()
}

/// What curl prints for a body.
async fn asked(klarna: &Klarna, body: String) -> Value {
    let url = klarna.url(&format!("/_simulator/v1/sandboxes/{ALPHA}/webhooks"));
    let call = move || {
        let mut curl = Command::new("curl");
        let curl = curl.args(["--noproxy", "*", "-sS", "-m", "20", &url, "-d", &body]);
        curl.output().expect("these tests need curl, as the README's tour does")
    };
    let output = tokio::task::spawn_blocking(call).await.unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn words(klarna: &Klarna, payment: String) -> Vec<String> {
    let payment = Some(payment);
    let operation = Some("event:*".to_owned());
    let query = JournalQuery { payment, operation, ..JournalQuery::default() };
    let page = klarna.control().journal(&ALPHA.into(), &query).await.unwrap();
    page.entries.into_iter().filter_map(|entry| entry.fault).collect()
}

#[tokio::test]
async fn the_commands_of_the_page_let_the_next_event_misbehave() {
    let [commands] = fences(PAGE)[..] else { panic!("the page has one example") };
    let klarna = Klarna::start().await;
    let sink = Sink::start().await;
    sink.subscribe(&klarna, &["payment.request.*"]).await;
    let asked = run(&klarna, &format!("set -e\n{commands}")).await;
    assert!(asked.status.success(), "{asked:?}");
    assert!(String::from_utf8(asked.stdout).unwrap().ends_with(r#"{"deliveries":0}"#));
    let payment = klarna.authorize(ALPHA, &[], &initial("t-1")).await.request_id();
    klarna.awaited("event:*", 1).await;
    assert_eq!(words(&klarna, payment).await, ["webhook before_response"]);
}

#[tokio::test]
async fn every_row_of_the_page_does_what_stands_there() {
    let rows = rows(PAGE);
    let named: Vec<&str> = rows.iter().map(|[word, ..]| word.as_str()).collect();
    let mut known: Vec<&str> = Misbehaviour::ALL.iter().map(|word| word.as_str()).collect();
    known.sort_unstable();
    let mut sorted = named.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, known);
    let klarna = Klarna::start().await;
    let sink = Sink::start().await;
    sink.subscribe(&klarna, &["payment.request.state-change.submitted"]).await;
    klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await;
    for (index, [word, body, journal]) in rows.iter().enumerate() {
        let order = initial(&format!("t-{index}"));
        let (answer, payment) = if body.contains("REQUEST") {
            let payment = klarna.authorize(ALPHA, &[], &order).await.request_id();
            settle(&klarna).await;
            (asked(&klarna, body.replace("REQUEST", &payment)).await, payment)
        } else {
            let answer = asked(&klarna, body.clone()).await;
            (answer, klarna.authorize(ALPHA, &[], &order).await.request_id())
        };
        let sent = u64::from(body.contains("REQUEST"));
        assert_eq!(answer["deliveries"], json!(sent), "{word}: {answer}");
        settle(&klarna).await;
        let words = words(&klarna, payment).await;
        assert!(words.contains(journal), "{word}: {words:?}");
    }
}

/// Lets what is delayed leave, and what is kept back.
async fn settle(klarna: &Klarna) {
    let half_an_hour = SetClock::Advance(SignedDuration::from_mins(30));
    klarna.control().set_clock(&ALPHA.into(), &half_an_hour).await.unwrap();
    klarna.control().release_webhooks(&ALPHA.into(), &ReleaseWebhooks::default()).await.unwrap();
}
