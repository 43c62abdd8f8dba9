//! Klarna fails, or the acquirer does: the same call goes on.

use http::StatusCode;
use serde_json::json;

use crate::support::{ALPHA, Exchange, Reply, Setup, order, step_up_body};

fn assert_same_call(calls: &[Exchange]) {
    for call in calls {
        assert_eq!(call.header("klarna-idempotency-key"), calls[0].header("klarna-idempotency-key"));
        assert_eq!(
            call.header("klarna-network-session-token"),
            calls[0].header("klarna-network-session-token")
        );
        assert_eq!(call.body, calls[0].body);
        assert_eq!(call.path, calls[0].path);
    }
}

/// The Partner is told `pending` at once; the outbox goes on with the same key and bytes.
#[tokio::test]
async fn an_initial_call_is_repeated_unchanged() {
    let setup = Setup::new().await;
    setup.klarna.will([
        Reply::error(500, "INTERNAL_ERROR"),
        Reply::Raw(503, "text/html", "<html>down for maintenance</html>"),
        Reply::approved(),
    ]);
    let acquirer = setup.start().await;

    let (status, payment) = acquirer.create(ALPHA, &order("tx-1")).await;

    assert_eq!((status, &payment["status"]), (StatusCode::ACCEPTED, &json!("pending")));
    assert!(payment.get("payment_request_url").is_none());
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
    let calls = setup.klarna.authorizes();
    assert_eq!(calls.len(), 3);
    assert_same_call(&calls);
    acquirer.stop().await;
}

/// Rate limits, broken connections and answers that broke off are repeated too.
#[tokio::test]
async fn a_final_call_is_repeated_unchanged() {
    let setup = Setup::new().await;
    setup.klarna.will([
        Reply::step_up(),
        Reply::error(429, "RATE_LIMITED"),
        Reply::Broken,
        Reply::Raw(200, "application/json", "{\"payment_transaction_response\":{\"resu"),
        Reply::approved(),
    ]);
    let acquirer = setup.start().await;
    acquirer.create(ALPHA, &order("tx-1")).await;
    let initial = setup.klarna.authorizes().remove(0);

    setup.klarna.send_event("e-1", "COMPLETED", &initial).await;

    assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
    let calls = setup.klarna.authorizes();
    assert_eq!(calls.len(), 5);
    assert_same_call(&calls[1..]);
    acquirer.stop().await;
}

#[tokio::test]
async fn after_the_last_attempt_the_partner_is_told() {
    let setup = Setup::new().await;
    setup.klarna.will((0..9).map(|_| Reply::error(500, "TIMEOUT")));
    let acquirer = setup.start().await;
    acquirer.create(ALPHA, &order("tx-1")).await;
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "failed");
    acquirer.stop().await;
    assert_eq!(setup.klarna.authorizes().len(), 4);
}

/// What Klarna refuses is not repeated (AP-37), whatever its body looks like (AP-42); a result
/// that nobody knows is never an approval.
#[tokio::test]
async fn what_cannot_be_used_fails_at_once() {
    let unknown = json!({"payment_transaction_response": {"result": "APPROVED_LATER",
        "payment_transaction": {"payment_transaction_id": "krn:t"}}});
    for reply in [
        Reply::error(400, "VALIDATION_ERROR"),
        Reply::error(401, "UNAUTHORIZED"),
        Reply::Raw(403, "text/plain", ""),
        Reply::Raw(404, "text/html", "<html>nothing here</html>"),
        Reply::error(409, "RESOURCE_CONFLICT"),
        Reply::Json(200, unknown),
    ] {
        let setup = Setup::new().await;
        setup.klarna.will([reply.clone()]);
        let acquirer = setup.start().await;
        let (status, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
        assert_eq!((status, &payment["status"]), (StatusCode::CREATED, &json!("failed")), "{reply:?}");
        assert_eq!(setup.partner.await_verified().await["data"]["status"], "failed");
        acquirer.stop().await;
        assert_eq!(setup.klarna.authorizes().len(), 1, "{reply:?}");
    }
}

/// A Klarna that takes its time does not keep the Partner waiting.
#[tokio::test]
async fn a_slow_klarna_is_answered_pending() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::Held(step_up_body())]);
    let acquirer =
        setup.start_with(|settings| settings.http.answer = std::time::Duration::from_millis(20)).await;

    let (status, payment) = acquirer.create(ALPHA, &order("tx-1")).await;

    assert_eq!((status, &payment["status"]), (StatusCode::ACCEPTED, &json!("pending")));
    setup.klarna.let_go();
    acquirer.stop().await;
    let acquirer = setup.start().await;
    let (_, read) = acquirer.read(ALPHA, payment["payment_id"].as_str().unwrap()).await;
    assert_eq!(read["status"], "step_up_required");
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
            settings.http.stop = std::time::Duration::from_millis(20);
            settings.public_url = Some("http://127.0.0.1:9/acq/".parse().unwrap());
        })
        .await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    let mut initial = setup.klarna.authorizes().remove(0);
    assert!(
        initial.json()["step_up_config"]["customer_interaction_config"]["return_url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:9/acq/return/")
    );
    acquirer.stop().await;

    // Stored by the first run, found by the second, broken off in the middle of the final call.
    let acquirer =
        setup.start_with(|settings| settings.http.stop = std::time::Duration::from_millis(20)).await;
    setup.klarna.send_event("e-1", "COMPLETED", &initial).await;
    setup.klarna.await_authorizes(2).await;
    acquirer.stop().await;

    let acquirer = setup.start().await;
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
    let (_, read) = acquirer.read(ALPHA, payment["payment_id"].as_str().unwrap()).await;
    assert_eq!(read["status"], "approved");
    let calls = setup.klarna.authorizes();
    assert_eq!(calls.len(), 3);
    assert_same_call(&calls[1..]);
    initial.body = calls[1].body.clone();
    acquirer.stop().await;
}
