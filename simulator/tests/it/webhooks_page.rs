//! What docs/webhooks.md says of each misbehaviour is what becomes of it when curl asks for it.

use std::process::Command;

use jiff::SignedDuration;
use klarna_schemas::signature::verify;
use klarna_schemas::simulator::control::{JournalQuery, Misbehaviour, ReleaseWebhooks, SetClock};
use klarna_schemas::simulator::journal::JournalEntry;
use serde_json::{Value, json};

use crate::documented::{fences, run};
use crate::klarna::{ALPHA, Klarna, initial};
use crate::sink::{Received, Sink};

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

async fn events(klarna: &Klarna, payment: String) -> Vec<JournalEntry> {
    let payment = Some(payment);
    let operation = Some("event:*".to_owned());
    let query = JournalQuery { payment, operation, ..JournalQuery::default() };
    klarna.control().journal(&ALPHA.into(), &query).await.unwrap().entries
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
    let [event] = &events(&klarna, payment).await[..] else { panic!("there is one event") };
    assert_eq!(event.fault.as_deref(), Some("webhook before_response"));
}

/// A signing key of the account: its id and its secret.
struct Key(String, String);

impl Key {
    async fn made(klarna: &Klarna) -> Self {
        let made = klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await.body;
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Self(text("signing_key_id"), text("signing_key"))
    }

    fn fits(&self, received: &Received) -> bool {
        let written = received.headers.get("klarna-signature").map(|written| written.to_str().unwrap());
        written.is_some_and(|written| verify(&self.1.as_str().into(), &received.body, written))
    }
}

/// Whether what came is what the page says of a word: of the webhook's own key, and the account's other one.
fn is_as_told(word: &str, came: &[Received], own: &Key, other: &Key) -> bool {
    let Some(last) = came.last() else { return word == "lost" };
    let id = last.headers.get("klarna-signing-key-id").map(|id| id.to_str().unwrap());
    let (by_own, by_other) = (own.fits(last), other.fits(last));
    let json = serde_json::from_slice::<Value>(&last.body).ok();
    match word {
        "duplicate" | "replayed_late" | "parallel" => {
            let [first, again] = came else { return false };
            by_own && first.body == again.body && first.headers == again.headers
        }
        "reordered" | "delayed" | "before_response" | "held" => by_own && came.len() == 1,
        "forged" => id == Some(&own.0) && !by_own && !by_other,
        "wrong_key" => id == Some(&own.0) && by_other,
        "unknown_key" => id.is_some_and(|id| id != own.0 && id != other.0) && !by_own && !by_other,
        "unsigned" => id.is_none() && !last.headers.contains_key("klarna-signature"),
        "altered" => id == Some(&own.0) && !by_own && json.is_some(),
        "old_key" => id == Some(&other.0) && by_other,
        "malformed" => by_own && json.is_none(),
        "oversized" => by_own && last.body.len() > 2 << 20,
        "unknown_event" => {
            let name = json.and_then(|event| event["metadata"]["event_type"].as_str().map(str::to_owned));
            by_own && name.is_some_and(|name| name.ends_with(".unheard-of"))
        }
        "token_only_in_payload" | "token_only_in_state_context" => by_own,
        _ => false,
    }
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
    let mut sink = Sink::start().await;
    let own = Key::made(&klarna).await;
    let webhook = json!({"url": sink.url, "event_types": ["payment.request.state-change.submitted"],
        "event_version": "v2", "signing_key_id": own.0, "status": "ENABLED"});
    assert_eq!(klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook)).await.status, 201);
    let other = Key::made(&klarna).await;
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
        let entries = events(&klarna, payment).await;
        let words: Vec<_> = entries.iter().filter_map(|entry| entry.fault.clone()).collect();
        assert!(words.contains(journal), "{word}: {words:?}");
        let mut came = Vec::new();
        for _ in entries.iter().filter(|entry| entry.response.is_some()) {
            came.push(sink.next().await);
        }
        assert_eq!(sink.left(), 0, "{word}");
        assert!(is_as_told(word, &came, &own, &other), "{word}: {came:?}");
    }
}

/// Lets what is delayed leave, and what is kept back.
async fn settle(klarna: &Klarna) {
    let half_an_hour = SetClock::Advance(SignedDuration::from_mins(30));
    klarna.control().set_clock(&ALPHA.into(), &half_an_hour).await.unwrap();
    klarna.control().release_webhooks(&ALPHA.into(), &ReleaseWebhooks::default()).await.unwrap();
}
