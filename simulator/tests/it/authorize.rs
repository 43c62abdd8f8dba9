//! The initial call and its three results; the final call.

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{CallKind, CustomerAct, PutSandbox, QueuedOutcome};
use klarna_simulator::{Simulator, UnknownAccounts};
use serde_json::json;

use crate::klarna::{ALPHA, KEY, Klarna, TOKEN, initial, last};

fn conforms(schema: &str, body: &serde_json::Value) {
    assert_eq!(klarna_schemas::catalogue::check(schema, body), Ok(Vec::new()), "{body}");
}

#[tokio::test]
async fn step_up_then_approved_with_the_token() {
    let klarna = Klarna::start().await;
    let (first, token) = klarna.completed("t-1").await;
    conforms("klarna/authorize-response", &first.body);
    assert_eq!(first.body["payment_request"]["payment_request_reference"], "pr-t-1");

    let headers = [("Klarna-Idempotency-Key", "f-1"), (TOKEN, token.as_str())];
    let answer = klarna.authorize(ALPHA, &headers, &last("t-1")).await;
    conforms("klarna/authorize-response", &answer.body);
    assert_eq!(answer.result(), "APPROVED");
    let transaction = &answer.body["payment_transaction_response"]["payment_transaction"];
    assert_eq!((&transaction["amount"], &transaction["currency"]), (&json!(45_900), &json!("SEK")));
    assert_eq!(transaction["payment_transaction_reference"], "t-1");
    assert!(answer.body.get("payment_request").is_none());
}

#[tokio::test]
async fn the_default_outcome_is_a_setting() {
    for (outcome, expected) in
        [(AuthorizationResult::Approved, "APPROVED"), (AuthorizationResult::Declined, "DECLINED")]
    {
        let klarna = Klarna::of(Simulator::builder().default_outcome(outcome)).await;
        let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
        assert_eq!(answer.result(), expected);
        conforms("klarna/authorize-response", &answer.body);
        assert!(answer.body.get("payment_request").is_none(), "only a step-up has a Payment Request");
    }
}

#[tokio::test]
async fn queued_outcomes_come_first_and_in_order() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let outcome = |on, result| QueuedOutcome {
        result_reason: Some("because".to_owned()),
        ..QueuedOutcome::once(on, result)
    };
    let queue = [
        outcome(CallKind::Final, AuthorizationResult::Declined),
        outcome(CallKind::Initial, AuthorizationResult::Approved),
    ];
    klarna.control().queue_outcomes(&ALPHA.into(), &queue).await.unwrap();
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.result(), "APPROVED");
    let (_, token) = klarna.completed("t-2").await;
    let declined = klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-2")).await;
    assert_eq!(declined.result(), "DECLINED");
    assert_eq!(declined.body["payment_transaction_response"]["result_reason"], "because");
}

#[tokio::test]
async fn without_a_way_to_the_customer_there_is_no_step_up() {
    let klarna = Klarna::start().await;
    assert_eq!(klarna.authorize(ALPHA, &[], &last("t-1")).await.result(), "DECLINED");
}

#[tokio::test]
async fn a_forgotten_token_gets_a_new_payment_request() {
    let klarna = Klarna::start().await;
    let (first, _) = klarna.completed("t-1").await;
    let again = klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "other")], &initial("t-1")).await;
    assert_eq!(again.result(), "STEP_UP_REQUIRED");
    assert_ne!(again.request_id(), first.request_id());
    assert!(klarna.findings("t-1").await.contains(&"final.token-in-header".to_owned()));
}

#[tokio::test]
async fn the_same_key_and_body_replay_and_another_body_conflicts() {
    let klarna = Klarna::start().await;
    let key = [("Klarna-Idempotency-Key", "k-1")];
    let first = klarna.authorize(ALPHA, &key, &initial("t-1")).await;
    let second = klarna.authorize(ALPHA, &key, &initial("t-1")).await;
    assert_eq!(first.body, second.body);
    let other = klarna.authorize(ALPHA, &key, &initial("t-2")).await;
    assert_eq!(other.refusal(), (409, "RESOURCE_CONFLICT", ""));
    assert!(klarna.findings("t-1").await.contains(&"idempotency-key.one-body".to_owned()));
}

#[tokio::test]
async fn every_form_of_the_key_is_accepted_and_none_is_kept() {
    use base64::Engine as _;
    let klarna = Klarna::start().await;
    let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    let forms = [
        format!("Basic {KEY}"),
        format!("basic {KEY}"),
        KEY.to_owned(),
        format!("Basic {}", encode(KEY.to_owned())),
        format!("Basic {}", encode(format!(":{KEY}"))),
        format!("Basic {}", encode(format!("{KEY}:"))),
        format!("Basic {}", encode(format!("user:{KEY}"))),
    ];
    for (index, form) in forms.iter().enumerate() {
        let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
        let body = initial(&format!("t-{index}")).to_string();
        let request = klarna.http.post(url).header("authorization", form);
        let answer = klarna.send(request.header("content-type", "application/json").body(body)).await;
        assert_eq!(answer.result(), "STEP_UP_REQUIRED", "{form}");
    }
    let page = klarna.journal("authorize").await;
    assert_eq!(page.entries.len(), forms.len());
    assert!(!serde_json::to_string(&page).unwrap().contains(KEY), "the journal holds the key");
}

#[tokio::test]
async fn an_account_may_come_percent_encoded() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(&ALPHA.replace(':', "%3A"), &[], &initial("t-1")).await;
    assert_eq!(answer.result(), "STEP_UP_REQUIRED");
    let id = answer.request_id().replace(':', "%3A");
    let read = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{id}")).await;
    assert_eq!((read.status, &read.body["state"]), (200, &json!("SUBMITTED")));
    conforms("klarna/payment-request", &read.body);
}

#[tokio::test]
async fn an_unknown_account_is_refused_where_accounts_are_not_made() {
    let klarna = Klarna::of(Simulator::builder().unknown_accounts(UnknownAccounts::Refuse)).await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    assert_eq!(answer.refusal(), (403, "OPERATION_FORBIDDEN", ""));
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.result(), "STEP_UP_REQUIRED");
}

#[tokio::test]
async fn another_acquirers_account_is_refused() {
    let klarna = Klarna::start().await;
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
    let request = klarna.http.post(url).header("authorization", "Basic klarna_test_api_somebody_else");
    let answer = klarna.send(request.json(&initial("t-2"))).await;
    assert_eq!(answer.refusal(), (403, "OPERATION_FORBIDDEN", ""));
}

#[tokio::test]
async fn every_answer_is_stamped() {
    let klarna = Klarna::start().await;
    for path in ["/v2/notification/webhooks", "/no/such/path"] {
        let request = klarna.http.get(klarna.url(path)).header("authorization", KEY);
        let answer = klarna.send(request.header("partner-correlation-id", "our-own-1")).await;
        assert!(answer.headers.contains_key("klarna-correlation-id"), "{path}");
        assert_eq!(answer.headers["partner-correlation-id"], "our-own-1", "{path}");
    }
}

#[tokio::test]
async fn the_customer_can_leave_and_come_back() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let states = [
        (CustomerAct::Open, "IN_PROGRESS"),
        (CustomerAct::Leave, "SUBMITTED"),
        (CustomerAct::Open, "IN_PROGRESS"),
        (CustomerAct::Approve, "COMPLETED"),
        (CustomerAct::Approve, "COMPLETED"),
    ];
    for (act, state) in states {
        assert_eq!(klarna.act(&answer, act).await.state.as_str(), state, "{act:?}");
    }
}

#[tokio::test]
async fn a_sandbox_belongs_to_the_first_whose_authorize_validates() {
    let klarna = Klarna::start().await;
    let stranger = async |body: &serde_json::Value| {
        let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
        let request = klarna.http.post(url).header("authorization", "Basic klarna_test_api_stranger");
        klarna.send(request.header("content-type", "application/json").body(body.to_string())).await
    };
    // Neither a stray read nor a body that does not validate takes the sandbox.
    let path = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/requests/krn:x"));
    let read = klarna.http.get(path).header("authorization", "Basic klarna_test_api_stranger");
    assert_eq!(klarna.send(read).await.status, 404);
    assert_eq!(stranger(&serde_json::json!({"currency": "SEK"})).await.status, 400);
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.result(), "STEP_UP_REQUIRED");
    assert_eq!(stranger(&initial("t-2")).await.refusal(), (403, "OPERATION_FORBIDDEN", ""));
}
