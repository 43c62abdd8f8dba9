//! Sandboxes: gone back to, many at once, and none of them in another.

use std::collections::HashSet;

use jiff::SignedDuration;
use klarna_schemas::simulator::control::{
    ArmFault, CallKind, CustomerAct, Fault, JournalQuery, PutSandbox, SetClock,
};
use klarna_schemas::simulator::journal::Direction;
use serde_json::json;

use crate::klarna::{ALPHA, Klarna, TOKEN, initial, last};
use crate::sink::Sink;

/// What Klarna tells of a payment that the customer approves.
const EVENTS: [&str; 4] = [
    "event:payment.request.state-change.completed",
    "event:payment.request.state-change.in-progress",
    "event:payment.request.state-change.submitted",
    "event:payment.transaction.state-change.authorized",
];

#[tokio::test]
async fn going_back_gives_the_same_future_twice() {
    let klarna = Klarna::frozen().await;
    let (control, account) = (klarna.control(), ALPHA.into());
    let (stepped_up, token) = klarna.completed("t-1").await;
    let snapshot = control.take_snapshot(&account, Some("completed".to_owned())).await.unwrap();
    assert_eq!((snapshot.name.as_str(), snapshot.epoch), ("completed", 1));
    let play = async || {
        let headers = [(TOKEN, token.as_str()), ("Klarna-Idempotency-Key", "final")];
        let approved = klarna.authorize(ALPHA, &headers, &last("t-1")).await;
        let next = klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "next")], &initial("t-2")).await;
        klarna.act(&next, CustomerAct::Approve).await;
        let path = format!("/v2/accounts/{ALPHA}/payment/requests/{}", next.request_id());
        vec![approved.body, next.body, klarna.get(&path).await.body]
    };
    let first = play().await;
    control.set_clock(&account, &SetClock::Advance(SignedDuration::from_hours(2))).await.unwrap();
    let late = klarna.authorize(ALPHA, &[(TOKEN, token.as_str())], &last("t-1")).await;
    assert_eq!(late.body, first[0], "by now the token is spent");
    let back = control.restore(&account, "completed").await.unwrap();
    assert_eq!(back.epoch, 2);
    let now = control.set_clock(&account, &SetClock::Freeze(true)).await.unwrap().now;
    assert_eq!(now, snapshot.taken_at, "the clock stands where it stood");
    assert_eq!(play().await, first);
    control.restore(&account, "completed").await.unwrap();
    assert_eq!(play().await, first);
    // The Purchase Journey of before is known again.
    let read =
        klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", stepped_up.request_id())).await;
    assert_eq!(read.body["state"], "COMPLETED");
}

#[tokio::test]
async fn what_waits_is_part_of_a_snapshot_and_a_reset_leaves_snapshots_alone() {
    let klarna = Klarna::frozen().await;
    let (control, account) = (klarna.control(), ALPHA.into());
    let (_, token) = klarna.completed("t-1").await;
    let reset = ArmFault { on: CallKind::Initial, ..ArmFault::once("authorize", Fault::Reset) };
    let queued = serde_json::from_value(serde_json::json!({"result": "STEP_UP_REQUIRED"})).unwrap();
    control.queue_outcomes(&account, &[queued]).await.unwrap();
    control.take_snapshot(&account, None).await.unwrap();
    control.put_sandbox(&account, &PutSandbox::default()).await.unwrap();
    control.restore(&account, "1").await.unwrap();
    control.arm_fault(&account, &reset).await.unwrap();
    control.take_snapshot(&account, Some("armed".to_owned())).await.unwrap();
    for _ in 0..2 {
        control.restore(&account, "armed").await.unwrap();
        let path = format!("/v2/accounts/{ALPHA}/payment/authorize");
        assert!(klarna.post(&path, &[], &initial("t-9")).send().await.is_err());
        let approved = klarna.authorize(ALPHA, &[(TOKEN, token.as_str())], &last("t-1")).await;
        assert_eq!(approved.result(), "APPROVED");
    }
    let names: Vec<_> =
        control.snapshots(&account).await.unwrap().snapshots.into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["1", "armed"]);
    control.drop_snapshot(&account, "1").await.unwrap();
    assert!(control.restore(&account, "1").await.unwrap_err().to_string().contains("404"));
    for more in 0..19 {
        control.take_snapshot(&account, Some(format!("n{more}"))).await.unwrap();
    }
    let refused = control.take_snapshot(&account, None).await.unwrap_err().to_string();
    assert!(refused.contains("20 snapshots"), "{refused}");
    control.take_snapshot(&account, Some("armed".to_owned())).await.unwrap();
}

/// A Partner account by number.
fn account(number: usize) -> String {
    format!("krn:partner:global:account:test:MANY{number:04}")
}

/// A whole payment in one sandbox; the ids that Klarna gave.
async fn whole_payment(klarna: &Klarna, account: &str, reference: &str) -> Vec<String> {
    let key = format!("{reference}-1");
    let stepped_up =
        klarna.authorize(account, &[("Klarna-Idempotency-Key", &key)], &initial(reference)).await;
    let id = stepped_up.request_id();
    klarna
        .control()
        .act_as_customer(&account.into(), &id.as_str().into(), CustomerAct::Approve)
        .await
        .unwrap();
    let read = klarna.get(&format!("/v2/accounts/{account}/payment/requests/{id}")).await;
    let token = read.body["state_context"]["klarna_network_session_token"].as_str().unwrap().to_owned();
    let key = format!("{reference}-2");
    let headers = [(TOKEN, token.as_str()), ("Klarna-Idempotency-Key", &key)];
    let approved = klarna.authorize(account, &headers, &last(reference)).await;
    let transaction = &approved.body["payment_transaction_response"]["payment_transaction"];
    vec![id, token, transaction["payment_transaction_id"].as_str().unwrap().to_owned()]
}

#[tokio::test]
async fn two_hundred_sandboxes_at_once_have_each_its_own_entries_and_no_others() {
    const SANDBOXES: usize = 200;
    let (klarna, sink) = (Klarna::start().await, Sink::start().await);
    sink.subscribe(&klarna, &["payment.*"]).await;
    for number in 0..SANDBOXES {
        let account = account(number).as_str().into();
        klarna.control().put_sandbox(&account, &PutSandbox::default()).await.unwrap();
        // In every other one the first event is sent twice.
        if number % 2 == 1 {
            let twice = json!({"event_type": "payment.*", "misbehaviour": ["duplicate"], "when": "next"});
            klarna.control().send_webhook(&account, &serde_json::from_value(twice).unwrap()).await.unwrap();
        }
    }
    let driven = futures::future::join_all((0..SANDBOXES).map(|number| {
        let klarna = &klarna;
        async move { whole_payment(klarna, &account(number), &format!("order-{number}-")).await }
    }));
    let ids = driven.await;
    let all: HashSet<&String> = ids.iter().flatten().collect();
    assert_eq!(all.len(), 3 * SANDBOXES, "no id was given twice");
    for (number, own) in ids.iter().enumerate() {
        let account = account(number);
        // The clock moves on when all deliveries have ended.
        let on = SetClock::Advance(SignedDuration::from_secs(1));
        klarna.control().set_clock(&account.as_str().into(), &on).await.unwrap();
        let page =
            klarna.control().journal(&account.as_str().into(), &JournalQuery::default()).await.unwrap();
        let operations = |direction| {
            let entries = page.entries.iter().filter(move |entry| entry.direction == direction);
            entries.map(|entry| entry.operation.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(
            operations(Direction::Inbound),
            ["authorize", "journey.approve", "payment_request.read", "authorize"],
            "{account}"
        );
        let mut events = operations(Direction::Outbound);
        events.sort_unstable();
        let submitted = "event:payment.request.state-change.submitted";
        assert_eq!(events.iter().filter(|event| **event == submitted).count(), 1 + number % 2, "{account}");
        events.dedup();
        assert_eq!(events, EVENTS, "{account}");
        for entry in page.entries.iter().filter(|entry| entry.direction == Direction::Outbound) {
            let subject = &entry.request.json().unwrap()["metadata"]["subject_account_id"];
            assert_eq!(*subject, account.as_str());
        }
        for entry in &page.entries {
            assert_eq!(entry.payment.as_deref(), Some("e1p1"), "{account}");
            let body = String::from_utf8(entry.request.body()).unwrap();
            assert!(body.is_empty() || body.contains(&format!("order-{number}-")), "{account}: {body}");
            let others = body.matches("order-").count() - body.matches(&format!("order-{number}-")).count();
            assert_eq!(others, 0, "{account}: {body}");
        }
        let answers: String = page
            .entries
            .iter()
            .filter_map(|entry| entry.response.as_ref())
            .map(|response| String::from_utf8(response.body()).unwrap())
            .collect();
        assert!(answers.contains(&own[0]) && answers.contains(&own[2]), "{account}");
    }
}

#[tokio::test]
async fn thousands_are_made_listed_and_deleted() {
    const SANDBOXES: usize = 2_000;
    let klarna = Klarna::start().await;
    let control = klarna.control();
    for chunk in (0..SANDBOXES).collect::<Vec<_>>().chunks(100) {
        let made = chunk.iter().map(|number| {
            let (control, account) = (control.clone(), account(*number));
            async move { control.put_sandbox(&account.as_str().into(), &PutSandbox::default()).await.unwrap() }
        });
        futures::future::join_all(made).await;
    }
    let listed = klarna.send(klarna.http.get(klarna.url("/_simulator/v1/sandboxes"))).await;
    let listed = listed.body["sandboxes"].as_array().unwrap().len();
    assert_eq!(listed, SANDBOXES);
    for number in 0..SANDBOXES {
        let path = format!("/_simulator/v1/sandboxes/{}", account(number));
        let deleted = klarna.http.delete(klarna.url(&path)).send().await.unwrap();
        assert_eq!(deleted.status(), 204);
    }
    let listed = klarna.send(klarna.http.get(klarna.url("/_simulator/v1/sandboxes"))).await;
    assert_eq!(listed.body["sandboxes"], serde_json::json!([]));
}

#[tokio::test]
async fn a_file_of_rules_that_was_read_again_is_followed_after_going_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.toml");
    let rules = |result: &str| format!("[[rules]]\nname = \"all\"\nthen = {{ result = \"{result}\" }}\n");
    std::fs::write(&file, rules("DECLINED")).unwrap();
    let klarna = Klarna::of(klarna_simulator::Simulator::builder().rules(file.clone())).await;
    let (control, account) = (klarna.control(), ALPHA.into());
    control.put_sandbox(&account, &PutSandbox::default()).await.unwrap();
    control.take_snapshot(&account, Some("one".to_owned())).await.unwrap();
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.result(), "DECLINED");
    std::fs::write(&file, rules("APPROVED")).unwrap();
    control.reload_rules().await.unwrap();
    control.restore(&account, "one").await.unwrap();
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.result(), "APPROVED");
}

#[tokio::test]
async fn a_move_of_the_clock_ends_with_the_epoch_that_it_began_in() {
    // An endpoint that takes a webhook and never answers: the move waits for it.
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/events", deaf.local_addr().unwrap());
    let klarna = Klarna::start().await;
    let (control, account) = (klarna.control(), ALPHA.into());
    control.put_sandbox(&account, &PutSandbox::default()).await.unwrap();
    let key = klarna.send(klarna.post("/v2/notification/signing-keys", &[], &serde_json::Value::Null)).await;
    let webhook = serde_json::json!({
        "url": url, "event_types": ["payment.request.state-change.expired"], "event_version": "v2",
        "signing_key_id": key.body["signing_key_id"],
    });
    assert_eq!(klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook)).await.status, 201);
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let moving = tokio::spawn({
        let (control, account) = (control.clone(), ALPHA.into());
        async move { control.set_clock(&account, &SetClock::Advance(SignedDuration::from_hours(9))).await }
    });
    // By now the move stands at three hours, and waits.
    let (_taken, _) = deaf.accept().await.unwrap();
    control.put_sandbox(&account, &PutSandbox::default()).await.unwrap();
    let refused = moving.await.unwrap().unwrap_err().to_string();
    assert!(refused.contains("409") && refused.contains("while its clock was moving"), "{refused}");
    let before = control.set_clock(&account, &SetClock::Freeze(true)).await.unwrap().now;
    let real = klarna.awaited("authorize", 1).await.entries[0].started_at;
    assert!(before.duration_since(real) < SignedDuration::from_hours(1), "{before} {real}");
}
