//! Deliveries: signed, retried on the published schedule, ended by four statuses only.

use std::sync::Arc;

use bytes::Bytes;
use jiff::SignedDuration;
use klarna_schemas::signature;
use klarna_schemas::simulator::control::{CustomerAct, PutSandbox, SetClock};
use klarna_schemas::simulator::journal::Ending;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::klarna::{ALPHA, KEY, Klarna, initial};
use crate::sink::{Received, Sink};

/// A subscribed acquirer; the signing key comes back too.
async fn subscribed(klarna: &Klarna, url: &str, pattern: &str) -> (String, String) {
    let key = klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await;
    let id = key.body["signing_key_id"].as_str().unwrap().to_owned();
    let webhook = json!({"url": url, "event_types": [pattern], "event_version": "v2", "signing_key_id": id, "status": "ENABLED"});
    assert_eq!(klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook)).await.status, 201);
    (id, key.body["signing_key"].as_str().unwrap().to_owned())
}

/// A payment request is submitted while the clock stands still, and a listener is told of it.
async fn submitted_in_frozen_time(klarna: &Klarna, listener: &str) {
    subscribed(klarna, listener, "payment.request.state-change.submitted").await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.control().set_clock(&ALPHA.into(), &SetClock::Freeze(true)).await.unwrap();
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
}

fn assert_signed(received: &Received, id: &str, key: &str) {
    assert_eq!(received.headers["klarna-signing-key-id"], id);
    let signature = received.headers["klarna-signature"].to_str().unwrap();
    assert!(signature::verify(&key.into(), &received.body, signature));
    let violations =
        klarna_schemas::catalogue::check("klarna/payment-request-event", &received.json()).unwrap();
    assert!(violations.is_empty(), "{violations:?}");
}

#[tokio::test]
async fn each_state_change_is_told_in_order_and_signed() {
    let klarna = Klarna::start().await;
    let mut sink = Sink::start().await;
    let (id, key) = subscribed(&klarna, &sink.url, "payment.request.state-change.*").await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let mut states = Vec::new();
    for act in [None, Some(CustomerAct::Open), Some(CustomerAct::Leave)] {
        if let Some(act) = act {
            klarna.act(&answer, act).await;
        }
        let received = sink.next().await;
        assert_signed(&received, &id, &key);
        states.push(received.json()["payload"]["state"].as_str().unwrap().to_owned());
    }
    assert_eq!(states, ["SUBMITTED", "IN_PROGRESS", "SUBMITTED"]);
    klarna.act(&answer, CustomerAct::Approve).await;
    // Approving from outside opens the journey first.
    let (one, other) = (sink.next().await.json(), sink.next().await.json());
    let completed = [one, other].into_iter().find(|event| event["payload"]["state"] == "COMPLETED").unwrap();
    assert_eq!(completed["metadata"]["event_type"], "payment.request.state-change.completed");
    assert_eq!(completed["metadata"]["subject_account_id"], ALPHA);
    assert_eq!(completed["metadata"]["recipient_account_id"], "krn:partner:global:account:test:LOCALACQ");
    assert_eq!(completed["payload"]["payment_request_reference"], "pr-t-1");
    let token = &completed["payload"]["klarna_network_session_token"];
    assert!(token.is_string());
    assert_eq!(token, &completed["payload"]["state_context"]["klarna_network_session_token"]);
}

#[tokio::test]
async fn a_refused_event_is_tried_seven_times_on_the_published_schedule() {
    let klarna = Klarna::start().await;
    let mut sink = Sink::start().await;
    sink.answer(&[500, 404, 301, 203, 206, 400, 503]);
    submitted_in_frozen_time(&klarna, &sink.url).await;
    klarna.awaited("event:*", 1).await;
    klarna
        .control()
        .set_clock(&ALPHA.into(), &SetClock::Advance(SignedDuration::from_hours(48)))
        .await
        .unwrap();
    let page = klarna.journal("event:*").await;
    let times: Vec<_> = page.entries.iter().map(|entry| entry.virtual_at).collect();
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs()).collect();
    assert_eq!(gaps, [10, 120, 900, 10_800, 21_600, 43_200]);
    let bodies: std::collections::HashSet<_> =
        page.entries.iter().map(|entry| entry.request.body_base64.clone()).collect();
    assert_eq!(bodies.len(), 1, "the same bytes at each attempt");
    assert_eq!(sink.left(), 7);
    assert_eq!(klarna.findings("t-1").await.iter().filter(|rule| *rule == "webhook.answer").count(), 7);
}

#[tokio::test]
async fn each_of_the_four_statuses_ends_a_delivery() {
    for status in [200, 201, 202, 204] {
        let klarna = Klarna::start().await;
        let mut sink = Sink::start().await;
        sink.answer(&[status]);
        submitted_in_frozen_time(&klarna, &sink.url).await;
        klarna.awaited("event:*", 1).await;
        klarna
            .control()
            .set_clock(&ALPHA.into(), &SetClock::Advance(SignedDuration::from_hours(2)))
            .await
            .unwrap();
        assert_eq!(sink.left(), 1, "{status}");
        assert!(!klarna.findings("t-1").await.contains(&"webhook.answer".to_owned()), "{status}");
    }
}

#[tokio::test]
async fn a_listener_that_is_not_there_is_written_down_and_tried_again() {
    let klarna = Klarna::start().await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x", free.local_addr().unwrap());
    drop(free);
    submitted_in_frozen_time(&klarna, &url).await;
    let page = klarna.awaited("event:*", 1).await;
    assert_eq!((page.entries[0].ended, &page.entries[0].response), (Ending::Broken, &None));
    klarna
        .control()
        .set_clock(&ALPHA.into(), &SetClock::Advance(SignedDuration::from_secs(10)))
        .await
        .unwrap();
    assert_eq!(klarna.journal("event:*").await.entries.len(), 2);
}

#[tokio::test]
async fn nobody_is_told_what_they_did_not_ask_for() {
    let klarna = Klarna::start().await;
    let mut other = Sink::start().await;
    let mut wanted = Sink::start().await;
    subscribed(&klarna, &other.url, "payment.transaction.*").await;
    subscribed(&klarna, &wanted.url, "payment.*").await;
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    // The fence: both subscriptions were looked at for the same event, in order.
    wanted.next().await;
    klarna.awaited("event:*", 1).await;
    assert_eq!(other.left(), 0);
}

#[tokio::test]
async fn the_event_follows_the_answer() {
    let klarna = Klarna::start().await;
    let mut sink = Sink::start().await;
    subscribed(&klarna, &sink.url, "payment.request.*").await;
    for index in 0..20 {
        klarna.authorize(ALPHA, &[], &initial(&format!("t-{index}"))).await;
        sink.next().await;
    }
    let page = klarna.awaited("*", 40).await;
    for index in 1..=20 {
        let payment = Some(format!("e1p{index}"));
        let of_payment = page.entries.iter().filter(|entry| entry.payment == payment);
        let operations: Vec<_> = of_payment.map(|entry| entry.operation.as_str()).collect();
        assert_eq!(operations, ["authorize", "event:payment.request.state-change.submitted"]);
    }
}

#[tokio::test]
async fn what_was_before_a_reset_holds_up_no_clock_and_is_not_tried_again() {
    let klarna = Klarna::start().await;
    // A listener that takes the connection and never answers.
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    submitted_in_frozen_time(&klarna, &format!("http://{}/x", deaf.local_addr().unwrap())).await;
    let (_held_open, _) = deaf.accept().await.unwrap();
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let control = klarna.control();
    let account = ALPHA.into();
    let an_hour = SetClock::Advance(SignedDuration::from_hours(1));
    let moved =
        tokio::time::timeout(std::time::Duration::from_secs(5), control.set_clock(&account, &an_hour));
    moved.await.expect("an old delivery holds the clock up").unwrap();
}

#[tokio::test]
async fn a_retry_that_waited_at_a_reset_is_given_up() {
    let klarna = Klarna::start().await;
    let mut sink = Sink::start().await;
    sink.answer(&[500]);
    submitted_in_frozen_time(&klarna, &sink.url).await;
    klarna.awaited("event:*", 1).await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.authorize(ALPHA, &[], &initial("t-2")).await;
    klarna.awaited("event:*", 2).await;
    let an_hour = SetClock::Advance(SignedDuration::from_hours(1));
    klarna.control().set_clock(&ALPHA.into(), &an_hour).await.unwrap();
    let epochs: Vec<_> = klarna.journal("event:*").await.entries.iter().map(|entry| entry.epoch).collect();
    assert_eq!((epochs, sink.left()), (vec![1, 2], 2));
}

/// A listener that answers each `submitted` only when the next has come, and has the next one sent: there
/// is never a moment without one under way.
async fn never_idle(klarna: &Klarna) -> String {
    let arrived = Arc::new(watch::Sender::new(0_u64));
    let (http, url) = (klarna.http.clone(), klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize")));
    let receive = async move |body: Bytes| {
        if !String::from_utf8_lossy(&body).contains("state-change.submitted") {
            return;
        }
        let mut others = arrived.subscribe();
        arrived.send_modify(|count| *count += 1);
        let mine = *others.borrow_and_update();
        let call = http.post(&url).header("authorization", KEY).header("content-type", "application/json");
        // The simulator may be gone: the test has seen enough.
        let _answer = call.body(initial(&format!("t-{}", mine + 1)).to_string()).send().await;
        let _next = others.wait_for(|count| *count > mine).await;
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(receive)).await });
    url
}

#[tokio::test]
async fn what_is_set_going_meanwhile_holds_up_no_clock() {
    let klarna = Klarna::start().await;
    let listener = never_idle(&klarna).await;
    subscribed(&klarna, &listener, "payment.request.state-change.*").await;
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    // The second has come, so the first is answered and the second is under way.
    klarna.awaited("event:*", 1).await;
    let (control, account) = (klarna.control(), ALPHA.into());
    let four_hours = SetClock::Advance(SignedDuration::from_hours(4));
    let moved =
        tokio::time::timeout(std::time::Duration::from_secs(5), control.set_clock(&account, &four_hours));
    moved.await.expect("new deliveries hold the clock up").unwrap();
    // What fell due on the way was waited for all the same.
    let expired = klarna.journal("event:payment.request.state-change.expired").await.entries;
    let of_first = expired.iter().filter(|entry| entry.payment.as_deref() == Some("e1p1"));
    assert_eq!(of_first.count(), 1, "{expired:?}");
}
