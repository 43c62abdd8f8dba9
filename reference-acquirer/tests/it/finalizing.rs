//! From the webhook to the final call and the notification.

use http::StatusCode;
use klarna_schemas::signature;
use reference_acquirer::config::Settings;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{
    ALPHA, Acquirer, Exchange, REQUEST_ID, Reply, SIGNING_KEY, Setup, TOKEN, event_body, order, step_up_body,
};

/// An acquirer with one payment that waits for its customer, and Klarna's view of the initial call.
async fn stepped_up(replies: impl IntoIterator<Item = Reply>) -> (Setup, Acquirer, Value, Exchange) {
    stepped_up_with(replies, |_| {}).await
}

/// One task at a time, so that events are acted on in their order and a later one is a fence.
fn in_order(settings: &mut Settings) {
    settings.outbox.concurrency = 1;
}

async fn stepped_up_with(
    replies: impl IntoIterator<Item = Reply>,
    change: impl FnOnce(&mut Settings),
) -> (Setup, Acquirer, Value, Exchange) {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up()]);
    setup.klarna.will(replies);
    let acquirer = setup.start_with(change).await;
    let mut order = order("tx-1");
    order["klarna_network_data"] = json!("{ \"a\": 1.0 }\n");
    order["klarna_network_session_token"] = json!("partner-token");
    let (_, payment) = acquirer.create(ALPHA, &order).await;
    assert_eq!(payment["status"], "step_up_required");
    let initial = setup.klarna.authorizes()[0].clone();
    (setup, acquirer, payment, initial)
}

async fn status_of(acquirer: &Acquirer, payment: &Value) -> Value {
    acquirer.read(ALPHA, payment["payment_id"].as_str().unwrap()).await.1["status"].clone()
}

/// The customer never returns; the webhook alone drives the final call.
#[tokio::test]
async fn the_webhook_drives_finalisation() {
    let (setup, acquirer, payment, initial) = stepped_up([Reply::approved()]).await;

    assert_eq!(setup.klarna.send_event("e-1", "COMPLETED", &initial).await, StatusCode::OK);

    let told = setup.partner.await_verified().await;
    assert_eq!(told["data"]["status"], "approved");
    assert_eq!(told["data"]["payment_id"], payment["payment_id"]);
    assert_eq!(status_of(&acquirer, &payment).await, "approved");
    let calls = setup.klarna.authorizes();
    assert_eq!(calls.len(), 2);
    let last = &calls[1];
    assert_eq!(last.path, initial.path);
    assert_eq!(last.header("klarna-network-session-token"), Some(TOKEN));
    assert_ne!(last.header("klarna-idempotency-key"), initial.header("klarna-idempotency-key"));
    let mut expected = initial.json();
    expected.as_object_mut().unwrap().remove("step_up_config");
    assert_eq!(last.json(), expected);
    // Neither token leaves by the Partner's side.
    for text in [told.to_string(), payment.to_string()] {
        assert!(!text.contains(TOKEN) && !text.contains("partner-token"));
    }
    acquirer.stop().await;
}

#[tokio::test]
async fn duplicates_make_one_final_call() {
    let (setup, acquirer, _, initial) = stepped_up([Reply::Held(approved())]).await;
    let klarna = &setup.klarna;

    // The same event twice at once, and another one of the same kind.
    let (first, second, third) = tokio::join!(
        klarna.send_event("e-1", "COMPLETED", &initial),
        klarna.send_event("e-1", "COMPLETED", &initial),
        klarna.send_event("e-2", "COMPLETED", &initial),
    );
    assert_eq!([first, second, third], [StatusCode::OK; 3]);
    klarna.await_authorizes(2).await;
    assert_eq!(klarna.send_event("e-1", "COMPLETED", &initial).await, StatusCode::OK);
    klarna.let_go();

    assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
    acquirer.stop().await;
    // Later than the outcome, too. The next payment's notification is the fence.
    klarna.will([Reply::declined()]);
    let acquirer = setup.start_with(in_order).await;
    assert_eq!(klarna.send_event("e-3", "COMPLETED", &initial).await, StatusCode::OK);
    acquirer.create(ALPHA, &order("tx-2")).await;
    let told = setup.partner.await_notifications(2).await;
    assert_eq!(told[1].json()["data"]["reference"], "tx-2");
    acquirer.stop().await;
    assert_eq!(klarna.authorizes().len(), 3);
    assert_eq!(setup.partner.heard.matching(|_| true).len(), 2);
}

fn approved() -> Value {
    json!({"payment_transaction_response": {"result": "APPROVED"}})
}

/// Forged events carry a state that would do harm; their sound twin shows that they were refused.
#[tokio::test]
async fn forged_events_are_refused() {
    let (setup, acquirer, payment, initial) = stepped_up([Reply::approved()]).await;
    let klarna = &setup.klarna;
    let key_id = klarna.key_id();
    let body = event_body("e-forged", "DECLINED", &initial).to_string();
    let good = signature::sign(&SecretString::from(SIGNING_KEY), body.as_bytes());
    let altered = body.replace("IN_PROGRESS", "SUBMITTED");
    let by_stranger = signature::sign(&SecretString::from("another key"), body.as_bytes());

    for (name, body, signature, key) in [
        ("altered", &altered, Some(good.as_str()), Some(key_id.as_str())),
        ("signed by a stranger", &body, Some(by_stranger.as_str()), Some(key_id.as_str())),
        ("no hex", &body, Some("nonsense"), Some(key_id.as_str())),
        ("half a signature", &body, good.get(..32), Some(key_id.as_str())),
        ("unsigned", &body, None, Some(key_id.as_str())),
        ("no key id", &body, Some(good.as_str()), None),
        ("unknown key id", &body, Some(good.as_str()), Some("krn:other")),
    ] {
        let status = klarna.deliver(body.clone(), signature, key).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{name}");
    }
    assert_eq!(klarna.send_event("e-forged", "COMPLETED", &initial).await, StatusCode::OK);

    assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
    assert_eq!(status_of(&acquirer, &payment).await, "approved");
    acquirer.stop().await;
}

#[tokio::test]
async fn what_ends_without_approval_is_told_and_not_finalised() {
    for (state, status) in [("DECLINED", "declined"), ("CANCELED", "canceled"), ("EXPIRED", "expired")] {
        let (setup, acquirer, payment, initial) = stepped_up_with([], in_order).await;
        // On the way and back again: nothing ends by that.
        for (id, state) in [("e-1", "IN_PROGRESS"), ("e-2", "SUBMITTED"), ("e-3", "SOMETHING_NEW")] {
            assert_eq!(setup.klarna.send_event(id, state, &initial).await, StatusCode::OK);
        }
        assert_eq!(setup.klarna.send_event("e-4", state, &initial).await, StatusCode::OK);

        assert_eq!(setup.partner.await_verified().await["data"]["status"], status);
        let (_, read) = acquirer.read(ALPHA, payment["payment_id"].as_str().unwrap()).await;
        assert_eq!(read["status"], status);
        assert!(read.get("payment_request_url").is_none() && read.get("payment_request_id").is_none());
        acquirer.stop().await;
        assert_eq!(setup.klarna.authorizes().len(), 1);
    }
}

#[tokio::test]
async fn a_declined_final_call_declines() {
    let (setup, acquirer, payment, initial) = stepped_up([Reply::declined()]).await;
    setup.klarna.send_event("e-1", "COMPLETED", &initial).await;
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "declined");
    assert_eq!(status_of(&acquirer, &payment).await, "declined");
    acquirer.stop().await;
}

#[tokio::test]
async fn a_step_up_on_the_final_call_fails_the_payment() {
    let (setup, acquirer, _, initial) = stepped_up([Reply::step_up()]).await;
    setup.klarna.send_event("e-1", "COMPLETED", &initial).await;
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "failed");
    acquirer.stop().await;
}

/// Without `payment_request_id` known yet, our reference finds the payment.
#[tokio::test]
async fn the_event_may_come_before_the_answer() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::Held(step_up_body()), Reply::approved()]);
    let acquirer = setup.start().await;
    let order = order("tx-1");
    let create = acquirer.create(ALPHA, &order);
    let event_first = async {
        let initial = setup.klarna.await_authorizes(1).await.remove(0);
        assert_eq!(setup.klarna.send_event("e-1", "COMPLETED", &initial).await, StatusCode::OK);
        let told = setup.partner.await_verified().await;
        setup.klarna.let_go();
        told
    };
    let ((_, answered), told) = tokio::join!(create, event_first);
    assert_eq!(told["data"]["status"], "approved");
    assert_eq!(answered["status"], "approved");
    acquirer.stop().await;
    assert_eq!(setup.klarna.authorizes().len(), 2);
}

/// The token may stand in one place only, or in none: then the request is read.
#[tokio::test]
async fn the_token_is_found_where_it_is() {
    for (place, token) in [("payload", TOKEN), ("state_context", TOKEN), ("nowhere", "token-by-reading")] {
        let (setup, acquirer, _, initial) = stepped_up([Reply::approved()]).await;
        let mut body = event_body("e-1", "COMPLETED", &initial);
        let payload = body["payload"].as_object_mut().unwrap();
        if place != "payload" {
            payload.remove("klarna_network_session_token");
        }
        if place != "state_context" {
            payload.remove("state_context");
        }
        let body = body.to_string();
        setup.klarna.send_signed(body).await;
        let calls = setup.klarna.await_authorizes(2).await;
        assert_eq!(calls[1].header("klarna-network-session-token"), Some(token), "{place}");
        acquirer.stop().await;
    }
}

/// Sound deliveries that concern nothing here are taken, and change nothing.
#[tokio::test]
async fn events_of_others_are_taken_and_have_no_effect() {
    let (setup, acquirer, _, initial) = stepped_up_with([Reply::approved()], in_order).await;
    let changed = |id: &str, change: &dyn Fn(&mut Value)| {
        let mut body = event_body(id, "DECLINED", &initial);
        change(&mut body);
        body.to_string()
    };
    let bodies = [
        changed("e-1", &|body| body["metadata"]["event_type"] = json!("settlement.report.created")),
        changed("e-2", &|body| body["metadata"]["subject_account_id"] = json!("krn:other")),
        changed("e-3", &|body| {
            body["payload"]["payment_request_id"] = json!("krn:another-request");
        }),
        // The name says one thing, the state another: neither is believed.
        changed("e-4", &|body| {
            body["metadata"]["event_type"] = json!("payment.request.state-change.expired");
        }),
        changed("e-5", &|body| body["payload"] = json!({"payment_request_id": REQUEST_ID})),
    ];
    for body in bodies {
        assert_eq!(setup.klarna.send_signed(body).await, StatusCode::OK);
    }
    setup.klarna.send_event("e-6", "COMPLETED", &initial).await;
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
    acquirer.stop().await;
}

/// What is no event is refused, whoever signed it; what is too large is not even read. The sound
/// twin shows that nothing stuck.
#[tokio::test]
async fn bodies_that_are_no_event() {
    let (setup, acquirer, payment, initial) = stepped_up([Reply::approved()]).await;
    let klarna = &setup.klarna;
    let event = event_body("e-1", "DECLINED", &initial);
    let without = |path: &str| {
        let mut event = event.clone();
        event["metadata"].as_object_mut().unwrap().remove(path);
        event.to_string()
    };
    let with_id = |id: &str| {
        let mut event = event.clone();
        event["metadata"]["event_id"] = id.into();
        event.to_string()
    };
    let huge = format!("{}{}", event, " ".repeat(1 << 20));
    for (name, body, expected) in [
        ("empty", String::new(), 400),
        ("broken off", event.to_string()[..40].to_owned(), 400),
        ("no object", "[]".to_owned(), 400),
        ("no metadata", "{\"payload\":{}}".to_owned(), 400),
        ("no event id", without("event_id"), 400),
        ("an empty event id", with_id(""), 400),
        ("an event id with a control character", with_id("a\u{0}b"), 400),
        ("an event id of 256 characters", with_id(&"e".repeat(256)), 400),
        ("no event type", without("event_type"), 400),
        ("deep nesting", "[".repeat(100_000), 400),
        ("huge", huge, 413),
    ] {
        let status = klarna.send_signed(body).await;
        assert_eq!(status.as_u16(), expected, "{name}");
    }
    assert_eq!(klarna.send_event("e-1", "COMPLETED", &initial).await, StatusCode::OK);
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
    assert_eq!(status_of(&acquirer, &payment).await, "approved");
    acquirer.stop().await;
}

/// Of another account, as its subject or its recipient: taken, and without effect.
#[tokio::test]
async fn events_of_another_account_have_no_effect() {
    let ours = "krn:partner:global:account:test:LOCALACQ";
    let (setup, acquirer, payment, initial) = stepped_up_with([Reply::approved()], |settings| {
        in_order(settings);
        settings.klarna.acquirer_account = Some(ours.to_owned());
    })
    .await;
    let beta = "krn:partner:global:account:test:BETA0001";
    for (id, field, account) in [
        ("e-1", "subject_account_id", beta),
        ("e-2", "subject_account_id", "krn:nobody"),
        ("e-3", "recipient_account_id", "krn:partner:global:account:test:OTHERACQ"),
    ] {
        let mut body = event_body(id, "DECLINED", &initial);
        body["metadata"][field] = json!(account);
        assert_eq!(setup.klarna.send_signed(body.to_string()).await, StatusCode::OK, "{id}");
    }
    setup.klarna.send_event("e-4", "COMPLETED", &initial).await;
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
    assert_eq!(status_of(&acquirer, &payment).await, "approved");
    acquirer.stop().await;
    assert_eq!(setup.partner.heard.matching(|_| true).len(), 1);
}

/// Whatever comes after the outcome, or before its time, the outcome is told once and stands.
#[tokio::test]
async fn events_out_of_order_change_no_outcome() {
    let (setup, acquirer, payment, initial) = stepped_up_with([Reply::approved()], in_order).await;
    for (id, state) in [("e-1", "COMPLETED"), ("e-2", "IN_PROGRESS"), ("e-3", "EXPIRED"), ("e-4", "DECLINED")]
    {
        assert_eq!(setup.klarna.send_event(id, state, &initial).await, StatusCode::OK);
    }
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
    // The next payment's notification is the fence.
    setup.klarna.will([Reply::declined()]);
    acquirer.create(ALPHA, &order("tx-2")).await;
    let told = setup.partner.await_notifications(2).await;
    assert_eq!(told[1].json()["data"]["reference"], "tx-2");
    assert_eq!(status_of(&acquirer, &payment).await, "approved");
    acquirer.stop().await;
    assert_eq!(setup.klarna.authorizes().len(), 3);
    assert_eq!(setup.partner.heard.matching(|_| true).len(), 2);
}
