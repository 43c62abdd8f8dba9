//! `GET /v1/payments/{payment_id}/events`: what happened, when, why, and Klarna's names for it.

use klarna_schemas::catalogue;
use serde_json::{Value, json};

use crate::support::{
    ALPHA, Acquirer, CAPTURE_ID, REQUEST_ID, Reply, Setup, TOKEN, TRANSACTION_ID, client, event_body, order,
};

async fn events(acquirer: &Acquirer, payment_id: &str) -> Vec<Value> {
    let url = format!("{}/v1/payments/{payment_id}/events", acquirer.base_url);
    let read: Value = client().get(url).bearer_auth(ALPHA).send().await.unwrap().json().await.unwrap();
    assert_eq!(catalogue::check("acquirer/payment-events", &read), Ok(Vec::new()), "{read:#}");
    read["events"].as_array().unwrap().clone()
}

/// Without times, which must not go backwards, and without operation ids, of which only the presence
/// is looked at.
fn told(mut events: Vec<Value>) -> Vec<Value> {
    assert!(
        events.is_sorted_by_key(|event| event["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()),
        "{events:#?}"
    );
    for event in &mut events {
        let event = event.as_object_mut().unwrap();
        event.remove("at");
        if let Some(id) = event.get_mut("operation_id") {
            *id = json!(id.as_str().unwrap().starts_with("op_"));
        }
    }
    events
}

#[tokio::test]
async fn a_payment_from_the_order_to_the_capture() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up(), Reply::approved()]);
    setup.klarna.will_operate([Reply::captured(), Reply::error(403, "OPERATION_FORBIDDEN")]);
    let acquirer = setup.start().await;
    let mut asked = order("tx-1");
    asked["klarna_network_session_token"] = json!("the-partners-token");
    asked["klarna_network_data"] = json!("{\"canary\":1}");
    let (_, payment) = acquirer.create(ALPHA, &asked).await;
    let id = payment["payment_id"].as_str().unwrap();
    let mut event = event_body("e-1", "COMPLETED", &setup.klarna.authorizes()[0]);
    event["metadata"]["correlation_id"] = json!("c-of-the-event");
    assert!(setup.klarna.send_signed(event.to_string()).await.is_success());
    setup.partner.await_verified().await;
    acquirer.post(ALPHA, &format!("{id}/captures"), &json!({"amount": 7})).await;
    acquirer.post(ALPHA, &format!("{id}/void"), &json!({})).await;
    let events = events(&acquirer, id).await;
    acquirer.stop().await;

    let text = json!(events).to_string();
    for secret in [TOKEN, "the-partners-token", "canary", "Alva", "customer+se", "klarna_test_api", ALPHA] {
        assert!(!text.contains(secret), "{secret} stands in {text}");
    }
    let expected = json!([
        {"status": "pending", "cause": "partner_asked"},
        {"status": "step_up_required", "cause": "klarna_answered", "klarna_id": REQUEST_ID,
         "klarna_correlation_id": "c-1"},
        {"status": "pending", "cause": "customer_approved", "klarna_id": REQUEST_ID, "klarna_event_id": "e-1",
         "klarna_correlation_id": "c-of-the-event"},
        {"status": "approved", "cause": "klarna_answered", "klarna_id": TRANSACTION_ID,
         "klarna_correlation_id": "c-1"},
        {"operation_id": true, "status": "pending", "cause": "partner_asked"},
        {"operation_id": true, "status": "succeeded", "cause": "klarna_answered", "klarna_id": CAPTURE_ID,
         "klarna_correlation_id": "c-1"},
        {"operation_id": true, "status": "pending", "cause": "partner_asked"},
        {"operation_id": true, "status": "failed", "cause": "klarna_answered", "klarna_correlation_id": "c-1"},
    ]);
    assert_eq!(json!(told(events)), expected);
}

#[tokio::test]
async fn how_payments_end_otherwise() {
    let silence = || (0..4).map(|_| Reply::error(500, "TIMEOUT")).collect::<Vec<_>>();
    for (replies, then, last) in [
        (
            vec![Reply::declined()],
            None,
            json!({"status": "declined", "cause": "klarna_answered", "klarna_correlation_id": "c-1"}),
        ),
        (
            vec![Reply::error(400, "VALIDATION_ERROR")],
            None,
            json!({"status": "failed", "cause": "klarna_answered", "klarna_correlation_id": "c-1"}),
        ),
        (silence(), None, json!({"status": "failed", "cause": "unanswered"})),
        (
            vec![Reply::step_up()],
            Some("EXPIRED"),
            json!({"status": "expired", "cause": "request_expired", "klarna_id": REQUEST_ID, "klarna_event_id": "e-1"}),
        ),
        (
            vec![Reply::step_up()],
            Some("DECLINED"),
            json!({"status": "declined", "cause": "request_declined", "klarna_id": REQUEST_ID, "klarna_event_id": "e-1"}),
        ),
        (
            vec![Reply::step_up()],
            Some("CANCELED"),
            json!({"status": "canceled", "cause": "request_canceled", "klarna_id": REQUEST_ID, "klarna_event_id": "e-1"}),
        ),
    ] {
        let setup = Setup::new().await;
        setup.klarna.will(replies);
        let acquirer = setup.start().await;
        let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
        if let Some(state) = then {
            setup.klarna.send_event("e-1", state, &setup.klarna.authorizes()[0]).await;
        }
        setup.partner.await_verified().await;
        let told = told(events(&acquirer, payment["payment_id"].as_str().unwrap()).await);
        assert_eq!(told.last(), Some(&last));
        acquirer.stop().await;
    }
}
