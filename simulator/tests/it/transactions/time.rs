//! Authorizations lapse on the sandbox's clock; transactions go with their payment and their epoch.

use jiff::{SignedDuration, Timestamp};
use klarna_schemas::simulator::control::SetClock;

use super::*;
use crate::klarna::settings;

async fn pass(klarna: &Klarna, days: i64) -> Vec<String> {
    let days = SetClock::Advance(SignedDuration::from_hours(days * 24));
    klarna.control().set_clock(&ALPHA.into(), &days).await.unwrap().happened
}

/// The id of a transaction that is AUTHORIZED, in time that stands still.
async fn in_frozen_time(klarna: &Klarna) -> String {
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.control().set_clock(&ALPHA.into(), &SetClock::Freeze(true)).await.unwrap();
    authorized(klarna, "t-1").await
}

fn ends(transaction: &Value) -> Timestamp {
    text(transaction, "expires_at").parse().unwrap()
}

fn state_change(state: &str) -> String {
    format!("payment.transaction.state-change.{state} (e1p1)")
}

/// How the webhook's attempt is told that follows it.
fn taken(state: &str) -> String {
    format!("{}: attempt 1 was answered 200", state_change(state))
}

#[tokio::test]
async fn an_authorization_expires_after_28_days_and_closes_after_7_more() {
    let klarna = approving().await;
    let mut sink = Sink::start().await;
    sink.subscribe(&klarna, &["payment.transaction.state-change.*"]).await;
    let id = in_frozen_time(&klarna).await;
    assert_eq!(pass(&klarna, 27).await, [""; 0]);
    assert_eq!(transaction(&klarna, &id).await["state"], "AUTHORIZED");
    assert_eq!(pass(&klarna, 1).await, [state_change("expired"), taken("expired")]);
    assert_eq!(transaction(&klarna, &id).await["state"], "EXPIRED");
    for (deed, body) in [("capture", json!({"capture_amount": 1})), ("void", json!({}))] {
        assert_eq!(act(&klarna, &id, deed, &body).await.refusal(), (403, "OPERATION_FORBIDDEN", ""));
    }
    let body = json!({"payment_transaction_reference": "t-2"});
    let renamed = send(&klarna, Method::PATCH, &format!("transactions/{id}"), None, &body).await;
    assert_eq!(renamed.refusal(), (403, "OPERATION_FORBIDDEN", ""));
    assert_eq!(pass(&klarna, 7).await, [state_change("closed"), taken("closed")]);
    assert_eq!(transaction(&klarna, &id).await["state"], "CLOSED");
    let too_late = act(&klarna, &id, "authorize", &json!({})).await;
    assert_eq!(too_late.refusal(), (403, "OPERATION_FORBIDDEN", ""));
    for (state, before) in
        [("AUTHORIZED", Value::Null), ("EXPIRED", json!("AUTHORIZED")), ("CLOSED", json!("EXPIRED"))]
    {
        let payload = sink.next().await.json()["payload"].clone();
        assert_eq!((&payload["state"], &payload["previous_state"]), (&json!(state), &before));
    }
}

#[tokio::test]
async fn a_leap_goes_through_both_ends_in_order() {
    let klarna = approving().await;
    let id = in_frozen_time(&klarna).await;
    assert_eq!(pass(&klarna, 100).await, [state_change("expired"), state_change("closed")]);
    assert_eq!(transaction(&klarna, &id).await["state"], "CLOSED");
}

#[tokio::test]
async fn an_authorization_is_prolonged_and_renewed() {
    let klarna = approving().await;
    let id = in_frozen_time(&klarna).await;
    let made = ends(&transaction(&klarna, &id).await);
    let days = |days: i64| SignedDuration::from_hours(days * 24);
    let prolonged = act(&klarna, &id, "authorize", &json!({"extension_days": 10})).await;
    assert_eq!((prolonged.status, ends(&prolonged.body)), (200, made + days(10)));
    fits("klarna/payment-transaction", &prolonged.body);
    let body = json!({"amount": 50_000, "supplementary_purchase_data": {"purchase_reference": "ORDER-2"}});
    let raised = act(&klarna, &id, "authorize", &body).await;
    assert_eq!((&raised.body["amount"], ends(&raised.body)), (&json!(50_000), made + days(10)));
    assert_eq!(raised.body["supplementary_purchase_data"]["purchase_reference"], "ORDER-2");
    assert_eq!(act(&klarna, &id, "capture", &json!({"capture_amount": 49_000})).await.status, 201);

    assert_eq!(pass(&klarna, 44).await, [state_change("expired")]);
    // What was captured can go back meanwhile.
    assert_eq!(act(&klarna, &id, "refund", &json!({"refund_amount": 1})).await.status, 201);
    let renewed = act(&klarna, &id, "authorize", &json!({})).await;
    assert_eq!((renewed.status, &renewed.body["state"]), (200, &json!("AUTHORIZED")));
    // 44 days have passed, and 28 are to come.
    assert_eq!(ends(&renewed.body), made + days(44));
    assert_eq!(pass(&klarna, 27).await, [""; 0]);
    assert_eq!(act(&klarna, &id, "capture", &json!({"capture_amount": 1000})).await.status, 201);
    assert_eq!(pass(&klarna, 100).await, [""; 0], "what is COMPLETED does not lapse");
}

#[tokio::test]
async fn an_id_of_an_earlier_epoch_names_nothing() {
    let klarna = approving().await;
    let id = captured(&klarna, "t-1", &[1000]).await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    for rest in [format!("transactions/{id}"), format!("captures/{id}:capture:1")] {
        assert_eq!(klarna.get(&at(&rest)).await.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
    }
    let capture = act(&klarna, &id, "capture", &json!({"capture_amount": 1})).await;
    assert_eq!(capture.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
    let late = klarna.journal("payment_*").await.entries.split_off(1);
    let epochs: Vec<_> = late.iter().map(|entry| entry.epoch).collect();
    assert_eq!(epochs, [1, 1, 1], "late traffic is told from new");
    let again = authorized(&klarna, "t-1").await;
    assert_ne!(again, id);
}

#[tokio::test]
async fn a_transaction_is_forgotten_with_its_payment() {
    let settings = settings(|settings| settings.limits.payments = 2);
    let builder = Simulator::builder().settings(settings).default_outcome(AuthorizationResult::Approved);
    let klarna = Klarna::of(builder).await;
    let oldest = authorized(&klarna, "t-1").await;
    let kept = authorized(&klarna, "t-2").await;
    assert_eq!(klarna.get(&at(&format!("transactions/{oldest}"))).await.status, 200);
    authorized(&klarna, "t-3").await;
    assert_eq!(klarna.get(&at(&format!("transactions/{oldest}"))).await.status, 404);
    assert_eq!(klarna.get(&at(&format!("transactions/{kept}"))).await.status, 200);
}

#[tokio::test]
async fn a_payment_that_is_authorized_again_and_again_keeps_its_newest_transactions() {
    let klarna = approving().await;
    let oldest = authorized(&klarna, "t-1").await;
    let second = authorized(&klarna, "t-1").await;
    for _ in 2..200 {
        authorized(&klarna, "t-1").await;
    }
    assert_eq!(klarna.get(&at(&format!("transactions/{oldest}"))).await.status, 200);
    authorized(&klarna, "t-1").await;
    assert_eq!(klarna.get(&at(&format!("transactions/{oldest}"))).await.status, 404);
    assert_eq!(klarna.get(&at(&format!("transactions/{second}"))).await.status, 200);
}
