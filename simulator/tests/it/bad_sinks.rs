//! Webhook endpoints that are bad: each row of the table in docs/webhooks.md.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use klarna_schemas::simulator::control::{PutSandbox, SetClock};
use klarna_schemas::simulator::journal::{Ending, JournalEntry};
use klarna_simulator::config::Settings;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::klarna::{ALPHA, Klarna, initial};

const SUBMITTED: &str = "payment.request.state-change.submitted";
/// More than any answer that is read.
const TWO_GIGABYTES: usize = 2 << 30;

/// What an endpoint does with a connection once the request is there.
#[derive(Debug, Clone, Copy)]
enum Manners {
    Hangs,
    ClosesAtOnce,
    RedirectsToItself,
    AnswersTwoGigabytes,
    AnswersByteByByte,
}

/// A bad endpoint, how often it was called, and how much of its answers it got rid of.
struct Endpoint {
    url: String,
    calls: Arc<AtomicUsize>,
    written: Arc<AtomicUsize>,
}

impl Endpoint {
    async fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/events", listener.local_addr().unwrap());
        let (calls, written) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let endpoint = Self { url: url.clone(), calls: calls.clone(), written: written.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                calls.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(misbehave(stream, manners, url.clone(), written.clone()));
            }
        });
        endpoint
    }
}

async fn misbehave(mut stream: TcpStream, manners: Manners, url: String, written: Arc<AtomicUsize>) {
    let mut start = [0; 1024];
    let _some_of_the_request = stream.read(&mut start).await;
    let head = match manners {
        Manners::ClosesAtOnce => return,
        Manners::Hangs => return std::future::pending().await,
        Manners::RedirectsToItself => {
            format!("HTTP/1.1 302 Found\r\nlocation: {url}\r\ncontent-length: 0\r\n\r\n")
        }
        Manners::AnswersTwoGigabytes | Manners::AnswersByteByByte => {
            format!("HTTP/1.1 200 OK\r\ncontent-length: {TWO_GIGABYTES}\r\n\r\n")
        }
    };
    if stream.write_all(head.as_bytes()).await.is_err() {
        return;
    }
    let piece = vec![b'x'; if matches!(manners, Manners::AnswersByteByByte) { 1 } else { 1 << 16 }];
    let mut beat = tokio::time::interval(Duration::from_millis(5));
    while !matches!(manners, Manners::RedirectsToItself) && written.load(Ordering::SeqCst) < TWO_GIGABYTES {
        if piece.len() == 1 {
            beat.tick().await;
        }
        if stream.write_all(&piece).await.is_err() {
            return;
        }
        written.fetch_add(piece.len(), Ordering::SeqCst);
    }
}

/// A Klarna whose webhooks time out soon, and its attempts at the first event: two of them, with 10 s of
/// the sandbox's time between.
async fn two_attempts(url: &str) -> Vec<JournalEntry> {
    let klarna = Klarna::with(|settings| settings.webhooks.timeout_ms = 300).await;
    let key = klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await;
    let webhook = json!({"url": url, "event_types": [SUBMITTED], "event_version": "v2",
        "signing_key_id": key.body["signing_key_id"], "status": "ENABLED"});
    assert_eq!(klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook)).await.status, 201);
    let (control, alpha) = (klarna.control(), ALPHA.into());
    control.put_sandbox(&alpha, &PutSandbox::default()).await.unwrap();
    control.set_clock(&alpha, &SetClock::Freeze(true)).await.unwrap();
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    klarna.awaited("event:*", 1).await;
    control.set_clock(&alpha, &SetClock::Advance(SignedDuration::from_secs(10))).await.unwrap();
    klarna.journal("event:*").await.entries
}

/// How attempts ended, and with which status.
fn endings(entries: &[JournalEntry]) -> Vec<(Ending, Option<u16>)> {
    let status = |entry: &JournalEntry| entry.response.as_ref().map(|response| response.status);
    entries.iter().map(|entry| (entry.ended, status(entry))).collect()
}

#[tokio::test]
async fn one_that_refuses_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(endings(&two_attempts(&url).await), [(Ending::Broken, None); 2]);
}

#[tokio::test]
async fn one_that_hangs() {
    let endpoint = Endpoint::start(Manners::Hangs).await;
    assert_eq!(endings(&two_attempts(&endpoint.url).await), [(Ending::TimedOut, None); 2]);
}

#[tokio::test]
async fn one_that_closes_at_once() {
    let endpoint = Endpoint::start(Manners::ClosesAtOnce).await;
    assert_eq!(endings(&two_attempts(&endpoint.url).await), [(Ending::Broken, None); 2]);
}

#[tokio::test]
async fn one_that_redirects_in_a_loop() {
    let endpoint = Endpoint::start(Manners::RedirectsToItself).await;
    assert_eq!(endings(&two_attempts(&endpoint.url).await), [(Ending::Answered, Some(302)); 2]);
    assert_eq!(endpoint.calls.load(Ordering::SeqCst), 2, "nothing was followed");
}

#[tokio::test]
async fn one_that_answers_two_gigabytes() {
    let endpoint = Endpoint::start(Manners::AnswersTwoGigabytes).await;
    let entries = two_attempts(&endpoint.url).await;
    assert_eq!(endings(&entries), [(Ending::Answered, Some(200))], "it counts, so there is one");
    let kept = entries[0].response.as_ref().unwrap().body().len();
    assert_eq!(kept, Settings::defaults().unwrap().webhooks.answer_bytes);
    // What the network has taken meanwhile is not what was read.
    assert!(endpoint.written.load(Ordering::SeqCst) < TWO_GIGABYTES / 10);
}

#[tokio::test]
async fn one_that_answers_byte_by_byte() {
    let endpoint = Endpoint::start(Manners::AnswersByteByByte).await;
    assert_eq!(endings(&two_attempts(&endpoint.url).await), [(Ending::TimedOut, Some(200)); 2]);
}
