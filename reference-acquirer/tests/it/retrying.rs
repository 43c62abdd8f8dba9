//! Klarna fails: the same call goes on, so often and no more.

use std::time::Duration;

use http::StatusCode;
use reference_acquirer::config::Settings;
use serde_json::{Value, json};

use crate::support::{ALPHA, Acquirer, Exchange, Reply, Setup, assert_same_call, order, step_up_body};

fn approved() -> Value {
    json!({"payment_transaction_response": {"result": "APPROVED",
        "payment_transaction": {"payment_transaction_id": "krn:payment:eu1:transaction:1"}}})
}

/// Five attempts, and a time-out that a test can afford.
fn impatient(settings: &mut Settings) {
    settings.klarna.retry.attempts = 5;
    settings.klarna.timeout = Duration::from_millis(150);
}

async fn status_of(acquirer: &Acquirer, payment: &Value) -> Value {
    acquirer.read(ALPHA, payment["payment_id"].as_str().unwrap()).await.1["status"].clone()
}

/// Every way in which an answer can fail to come. The Partner waits, and is answered the decision.
#[tokio::test]
async fn an_initial_call_is_repeated_unchanged() {
    let setup = Setup::new().await;
    setup.klarna.will([
        Reply::error(500, "INTERNAL_ERROR"),
        Reply::Raw(503, "text/html", "<html>down for maintenance</html>"),
        Reply::Closed,
        Reply::Broken,
        Reply::Held(json!({})),
        Reply::Raw(200, "application/json", "{\"payment_transaction_response\":{\"resu"),
        Reply::Limited("0"),
        Reply::error(599, "WHATEVER"),
        Reply::approved(),
    ]);
    let acquirer = setup
        .start_with(|settings| {
            impatient(settings);
            settings.klarna.retry.attempts = 9;
        })
        .await;

    let (status, payment) = acquirer.create(ALPHA, &order("tx-1")).await;

    assert_eq!((status, &payment["status"]), (StatusCode::CREATED, &json!("approved")));
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
    acquirer.stop().await;
    let calls = setup.klarna.authorizes();
    assert_eq!(calls.len(), 9);
    assert_same_call(&calls);
}

#[tokio::test]
async fn a_final_call_is_repeated_unchanged() {
    let setup = Setup::new().await;
    setup.klarna.will([
        Reply::step_up(),
        Reply::Limited("no number"),
        Reply::Broken,
        Reply::Held(json!({})),
        Reply::Closed,
        Reply::approved(),
    ]);
    let acquirer = setup.start_with(impatient).await;
    acquirer.create(ALPHA, &order("tx-1")).await;
    let initial = setup.klarna.authorizes().remove(0);

    setup.klarna.send_event("e-1", "COMPLETED", &initial).await;

    assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
    acquirer.stop().await;
    let calls = setup.klarna.authorizes();
    assert_eq!(calls.len(), 6);
    assert_same_call(&calls[1..]);
}

/// Klarna answers neither at once nor soon: `pending` after `create.answer_ms`, and the retries go on.
#[tokio::test]
async fn a_partner_is_not_kept_waiting_while_the_retries_go_on() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::error(500, "INTERNAL_ERROR"), Reply::Held(approved())]);
    let acquirer = setup.start_with(|settings| settings.create.answer = Duration::from_millis(20)).await;

    let (status, payment) = acquirer.create(ALPHA, &order("tx-1")).await;

    assert_eq!((status, &payment["status"]), (StatusCode::ACCEPTED, &json!("pending")));
    assert!(payment.get("payment_request_url").is_none());
    assert_eq!(status_of(&acquirer, &payment).await, "pending");
    setup.klarna.await_authorizes(2).await;
    setup.klarna.let_go();
    let told = setup.partner.await_verified().await;
    assert_eq!(
        (&told["data"]["status"], &told["data"]["payment_id"]),
        (&json!("approved"), &payment["payment_id"])
    );
    assert_eq!(status_of(&acquirer, &payment).await, "approved");
    acquirer.stop().await;
    assert_same_call(&setup.klarna.authorizes());
    assert_eq!(setup.klarna.authorizes().len(), 2);
}

/// The pauses, as Klarna sees them: never shorter than half of 40, 80, 80 ms, and after a 429 never
/// shorter than the second that it names.
#[tokio::test]
async fn pauses_grow_and_a_quota_is_waited_for() {
    let setup = Setup::new().await;
    let fails = || Reply::error(500, "INTERNAL_ERROR");
    setup.klarna.will([fails(), fails(), fails(), Reply::Limited("1"), Reply::approved()]);
    let acquirer = setup
        .start_with(|settings| {
            settings.klarna.retry.attempts = 5;
            settings.klarna.retry.first = Duration::from_millis(40);
            settings.klarna.retry.max = Duration::from_millis(80);
        })
        .await;
    acquirer.create(ALPHA, &order("tx-1")).await;
    acquirer.stop().await;

    let calls = setup.klarna.authorizes();
    assert_same_call(&calls);
    let gaps: Vec<u128> = calls.windows(2).map(|pair| (pair[1].at - pair[0].at).as_millis()).collect();
    assert_eq!(gaps.len(), 4);
    for (gap, least) in gaps.iter().zip([20, 40, 40, 1_040]) {
        assert!(*gap >= least, "{gaps:?}");
    }
}

#[tokio::test]
async fn after_the_last_attempt_the_partner_is_told() {
    let setup = Setup::new().await;
    setup.klarna.will((0..9).map(|_| Reply::error(500, "TIMEOUT")));
    let acquirer = setup.start().await;
    let (status, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    assert_eq!((status, &payment["status"]), (StatusCode::CREATED, &json!("failed")));
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "failed");
    assert_eq!(status_of(&acquirer, &payment).await, "failed");
    acquirer.stop().await;
    assert_eq!(setup.klarna.authorizes().len(), 4);
    assert_same_call(&setup.klarna.authorizes());
}

/// What Klarna refuses is not repeated (AP-37), whatever its body looks like (AP-42), nor are
/// statuses that its API does not have; a result that nobody knows is never an approval.
#[tokio::test]
async fn what_cannot_be_used_fails_at_once() {
    let unknown = json!({"payment_transaction_response": {"result": "APPROVED_LATER",
        "payment_transaction": {"payment_transaction_id": "krn:t"}}});
    for reply in [
        Reply::error(400, "VALIDATION_ERROR"),
        Reply::error(401, "UNAUTHORIZED"),
        Reply::Raw(403, "text/plain", ""),
        Reply::Raw(403, "text/html", "<html>firewall</html>"),
        Reply::Raw(404, "text/html", "<html>nothing here</html>"),
        Reply::error(408, "TIMEOUT"),
        Reply::error(409, "RESOURCE_CONFLICT"),
        Reply::Raw(422, "application/json", "[1]"),
        Reply::error(499, "A_NEW_CODE"),
        Reply::Raw(302, "text/html", "<html>moved</html>"),
        Reply::Raw(307, "text/plain", ""),
        Reply::Raw(304, "text/plain", ""),
        Reply::Json(200, unknown),
    ] {
        let setup = Setup::new().await;
        // If it were repeated, the repetition would be approved.
        setup.klarna.will([reply.clone(), Reply::approved()]);
        let acquirer = setup.start().await;
        let (status, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
        assert_eq!((status, &payment["status"]), (StatusCode::CREATED, &json!("failed")), "{reply:?}");
        assert_eq!(setup.partner.await_verified().await["data"]["status"], "failed");
        acquirer.stop().await;
        assert_eq!(setup.klarna.authorizes().len(), 1, "{reply:?}");
    }
}

/// Any 2xx is a success, and what is new in it is no harm (AP-41).
#[tokio::test]
async fn any_2xx_is_a_success_and_news_do_no_harm() {
    for status in [200, 201, 202, 206, 299] {
        let setup = Setup::new().await;
        let mut body = approved();
        body["payment_transaction_response"]["payment_transaction"]["state"] = json!("SOMETHING_NEW");
        body["payment_transaction_response"]["result_reason"] = json!({"no": "string"});
        body["news"] = json!([{"a": null}]);
        setup.klarna.will([Reply::Json(status, body)]);
        let acquirer = setup.start().await;
        let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
        assert_eq!(payment["status"], "approved", "{status}");
        acquirer.stop().await;
    }
}

/// A retry after a decline is a new attempt: new reference, new payment, new key.
#[tokio::test]
async fn a_retry_after_a_decline_is_a_new_attempt() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::declined(), Reply::approved()]);
    let acquirer = setup.start().await;
    let (_, first) = acquirer.create(ALPHA, &order("tx-1")).await;
    let (_, second) = acquirer.create(ALPHA, &order("tx-2")).await;
    acquirer.stop().await;
    assert_eq!((&first["status"], &second["status"]), (&json!("declined"), &json!("approved")));
    assert_ne!(first["payment_id"], second["payment_id"]);
    let calls = setup.klarna.authorizes();
    assert_eq!(calls.len(), 2);
    let key = |call: &Exchange| call.header("klarna-idempotency-key").unwrap().to_owned();
    assert_ne!(key(&calls[0]), key(&calls[1]));
    let reference =
        |call: &Exchange| call.json()["request_payment_transaction"]["payment_transaction_reference"].clone();
    assert_eq!([reference(&calls[0]), reference(&calls[1])], ["tx-1", "tx-2"]);
}

/// A Klarna that takes its time does not keep the Partner waiting.
#[tokio::test]
async fn a_slow_klarna_is_answered_pending() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::Held(step_up_body())]);
    let acquirer = setup.start_with(|settings| settings.create.answer = Duration::from_millis(20)).await;

    let (status, payment) = acquirer.create(ALPHA, &order("tx-1")).await;

    assert_eq!((status, &payment["status"]), (StatusCode::ACCEPTED, &json!("pending")));
    setup.klarna.let_go();
    acquirer.stop().await;
    let acquirer = setup.start().await;
    assert_eq!(status_of(&acquirer, &payment).await, "step_up_required");
    assert_eq!(setup.klarna.authorizes().len(), 1);
    acquirer.stop().await;
}

/// The server goes away in the middle of a call; the next run makes the same call again, and
/// registers nothing anew.
#[tokio::test]
async fn a_restart_goes_on_with_what_is_unfinished() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up(), Reply::Held(json!({})), Reply::approved()]);
    let acquirer = setup
        .start_with(|settings| {
            settings.http.stop = Duration::from_millis(20);
            settings.public_url = Some("http://127.0.0.1:9/acq/".parse().unwrap());
        })
        .await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    let initial = setup.klarna.authorizes().remove(0);
    assert!(
        initial.json()["step_up_config"]["customer_interaction_config"]["return_url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:9/acq/return/")
    );
    acquirer.stop().await;

    // Stored by the first run, found by the second, broken off in the middle of the final call.
    let acquirer = setup.start_with(|settings| settings.http.stop = Duration::from_millis(20)).await;
    setup.klarna.send_event("e-1", "COMPLETED", &initial).await;
    setup.klarna.await_authorizes(2).await;
    acquirer.stop().await;

    let acquirer = setup.start().await;
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
    assert_eq!(status_of(&acquirer, &payment).await, "approved");
    let calls = setup.klarna.authorizes();
    assert_eq!(calls.len(), 3);
    assert_same_call(&calls[1..]);
    acquirer.stop().await;
}
