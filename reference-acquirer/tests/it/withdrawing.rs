//! What becomes of a payment request when the acquirer gives up, and of an approval whose answers
//! were lost.

use klarna_schemas::ids::PaymentRequestId;
use reference_acquirer::store::{self, Step};
use serde_json::{Value, json};

use crate::support::{
    ALPHA, Acquirer, Exchange, REQUEST_ID, Reply, Setup, TOKEN, assert_same_call, event_body, order, sealer,
    verify,
};

/// The final call fails in all four attempts.
async fn given_up(
    cancels: impl IntoIterator<Item = Reply>,
    after: Option<Reply>,
) -> (Setup, Acquirer, Value) {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up()]);
    setup.klarna.will((0..4).map(|_| Reply::error(500, "TIMEOUT")));
    setup.klarna.will(after);
    setup.klarna.will_cancel(cancels);
    let acquirer = setup.start().await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    setup.klarna.send_event("e-1", "COMPLETED", &setup.klarna.authorizes()[0]).await;
    (setup, acquirer, payment)
}

async fn status_of(acquirer: &Acquirer, payment: &Value) -> Value {
    acquirer.read(ALPHA, payment["payment_id"].as_str().unwrap()).await.1["status"].clone()
}

fn statuses(told: &[Exchange]) -> Vec<Value> {
    told.iter().for_each(verify);
    told.iter().map(|told| told.json()["data"]["status"].clone()).collect()
}

/// Nothing more happens: the next run settles another payment, and this one made no noise.
async fn assert_all_done(setup: &Setup, acquirer: Acquirer, authorizes: usize, cancels: usize, told: usize) {
    acquirer.stop().await;
    setup.klarna.will([Reply::declined()]);
    let acquirer = setup.start_with(|settings| settings.outbox.concurrency = 1).await;
    acquirer.create(ALPHA, &order("tx-fence")).await;
    let all = setup.partner.await_notifications(told + 1).await;
    assert_eq!(all.last().unwrap().json()["data"]["reference"], "tx-fence");
    acquirer.stop().await;
    assert_eq!(setup.klarna.authorizes().len(), authorizes + 1);
    assert_eq!(setup.klarna.heard.matching(Exchange::is_cancel).len(), cancels);
    assert_eq!(setup.partner.heard.matching(|_| true).len(), told + 1);
}

#[tokio::test]
async fn a_final_call_that_is_given_up_is_withdrawn_and_told_failed() {
    let (setup, acquirer, payment) = given_up([], None).await;
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "failed");
    assert_eq!(status_of(&acquirer, &payment).await, "failed");
    let calls = setup.klarna.authorizes();
    assert_eq!(calls.len(), 5);
    assert_same_call(&calls[1..]);
    let cancel = setup.klarna.await_cancels(1).await.remove(0);
    let id: PaymentRequestId = REQUEST_ID.into();
    let account = "krn:partner:global:account:test:ALPHA001";
    assert_eq!(cancel.path, format!("/v2/accounts/{account}/payment/requests/{id}"));
    assert_all_done(&setup, acquirer, 5, 1, 1).await;
}

/// Klarna had approved, and only the answers were lost: it does not cancel, and the same call once
/// more brings the approval. The Partner never hears of a failure.
#[tokio::test]
async fn an_approval_whose_answers_were_lost_is_found() {
    for status in [403, 409] {
        let refusal = Reply::error(status, "OPERATION_FORBIDDEN");
        let (setup, acquirer, payment) = given_up([refusal], Some(Reply::approved())).await;
        assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
        assert_eq!(status_of(&acquirer, &payment).await, "approved");
        let calls = setup.klarna.authorizes();
        assert_eq!(calls.len(), 6);
        assert_same_call(&calls[1..]);
        assert_all_done(&setup, acquirer, 6, 1, 1).await;
    }
}

/// Klarna does not even answer the cancellation: the Partner is told `failed` by then, and told
/// better when the truth comes out.
#[tokio::test]
async fn a_late_success_is_not_lost() {
    let cancels = [Reply::Closed, Reply::error(503, "DOWN"), Reply::error(403, "OPERATION_FORBIDDEN")];
    let (setup, acquirer, payment) = given_up(cancels, Some(Reply::approved())).await;
    let told = setup.partner.await_notifications(2).await;
    let mut statuses = statuses(&told);
    statuses.sort_by_key(ToString::to_string);
    assert_eq!(statuses, ["approved", "failed"]);
    assert_ne!(told[0].header("webhook-id"), told[1].header("webhook-id"));
    assert_eq!(status_of(&acquirer, &payment).await, "approved");
    assert_same_call(&setup.klarna.authorizes()[1..]);
    assert_all_done(&setup, acquirer, 6, 3, 2).await;
}

/// One cancellation at once and `klarna.withdraw.attempts` more, and then no more.
#[tokio::test]
async fn withdrawals_are_bounded() {
    let (setup, acquirer, payment) = given_up((0..9).map(|_| Reply::error(500, "TIMEOUT")), None).await;
    setup.klarna.await_cancels(4).await;
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "failed");
    assert_eq!(status_of(&acquirer, &payment).await, "failed");
    assert_all_done(&setup, acquirer, 5, 4, 1).await;
}

/// A final call that was answered is never repeated, also when Klarna keeps the request.
#[tokio::test]
async fn a_refused_final_call_is_withdrawn_and_not_repeated() {
    for answer in [Reply::error(400, "VALIDATION_ERROR"), Reply::Raw(403, "text/plain", ""), Reply::step_up()]
    {
        let setup = Setup::new().await;
        setup.klarna.will([Reply::step_up(), answer]);
        setup.klarna.will_cancel([Reply::error(403, "OPERATION_FORBIDDEN")]);
        let acquirer = setup.start().await;
        acquirer.create(ALPHA, &order("tx-1")).await;
        setup.klarna.send_event("e-1", "COMPLETED", &setup.klarna.authorizes()[0]).await;
        assert_eq!(setup.partner.await_verified().await["data"]["status"], "failed");
        setup.klarna.await_cancels(1).await;
        assert_all_done(&setup, acquirer, 2, 1, 1).await;
    }
}

/// The answers to the initial call were lost, but Klarna made a request of it, as its event shows.
#[tokio::test]
async fn a_request_that_nobody_heard_of_is_withdrawn() {
    for state in ["SUBMITTED", "IN_PROGRESS", "COMPLETED"] {
        let setup = Setup::new().await;
        setup.klarna.will((0..4).map(|_| Reply::error(500, "TIMEOUT")));
        let acquirer = setup.start().await;
        let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
        assert_eq!(payment["status"], "failed");
        let initial = setup.klarna.authorizes().remove(0);
        setup.partner.await_verified().await;
        for id in ["e-1", "e-2"] {
            setup.klarna.send_event(id, state, &initial).await;
        }
        let cancel = setup.klarna.await_cancels(1).await.remove(0);
        assert!(cancel.path.ends_with(REQUEST_ID), "{}", cancel.path);
        assert_all_done(&setup, acquirer, 4, 1, 1).await;
    }
}

/// A token is kept no longer than something can be done with it.
#[tokio::test]
async fn tokens_are_forgotten() {
    for (answers, status) in [
        (vec![Reply::approved()], "approved"),
        (vec![Reply::declined()], "declined"),
        ((0..4).map(|_| Reply::error(500, "TIMEOUT")).collect(), "failed"),
    ] {
        let setup = Setup::new().await;
        setup.klarna.will([Reply::step_up()]);
        setup.klarna.will(answers);
        let acquirer = setup.start().await;
        let mut order = order("tx-1");
        order["klarna_network_session_token"] = json!("partner-token-to-be-forgotten");
        let (_, payment) = acquirer.create(ALPHA, &order).await;
        setup.klarna.send_event("e-1", "COMPLETED", &setup.klarna.authorizes()[0]).await;
        assert_eq!(setup.partner.await_verified().await["data"]["status"], status);
        acquirer.stop().await;

        let store = store::open(&setup.database(), sealer()).await.unwrap();
        for step in [Step::Initial, Step::Final] {
            let call =
                store.klarna_call(payment["payment_id"].as_str().unwrap(), step).await.unwrap().unwrap();
            assert!(call.session_token.is_none(), "{status}, {step:?}");
        }
        store.close().await;
        let file = std::fs::read(setup.database().strip_prefix("sqlite://").unwrap()).unwrap();
        for token in [TOKEN, "partner-token-to-be-forgotten"] {
            let found = file.windows(token.len()).any(|window| window == token.as_bytes());
            assert!(!found, "{token} is still in the file after {status}");
        }
    }
}

/// The customer approved, but the event brings no token, and Klarna does not give it either: there
/// will be no final call, so the Partner is told, and the request is withdrawn.
#[tokio::test]
async fn a_token_that_is_not_to_be_had_ends_the_payment() {
    let refusals = vec![Reply::error(403, "OPERATION_FORBIDDEN")];
    let no_answers: Vec<_> = (0..4).map(|_| Reply::error(500, "TIMEOUT")).collect();
    for reads in [refusals, no_answers] {
        let setup = Setup::new().await;
        setup.klarna.will([Reply::step_up()]);
        setup.klarna.will_be_read(reads);
        let acquirer = setup.start().await;
        let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
        let mut event = event_body("e-1", "COMPLETED", &setup.klarna.authorizes()[0]);
        event["payload"]["klarna_network_session_token"] = Value::Null;
        event["payload"]["state_context"] = Value::Null;
        assert!(setup.klarna.send_signed(event.to_string()).await.is_success());
        assert_eq!(setup.partner.await_verified().await["data"]["status"], "failed");
        assert_eq!(status_of(&acquirer, &payment).await, "failed");
        setup.klarna.await_cancels(1).await;
        assert_all_done(&setup, acquirer, 1, 1, 1).await;
    }
}
