//! What is judged of every call to Klarna's API, whatever its operation; and of what comes of tokens.

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{
    ArmFault, CallKind, CustomerAct, Evolution, Fault, FaultBody, PutSandbox, SetEvolution,
};
use klarna_schemas::simulator::finding::{ChangeKind, Finding};
use klarna_simulator::Simulator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, KEY, Klarna, TOKEN, initial, last};

const OTHER: &str = "krn:partner:global:account:test:OTHER001";

fn requests(rest: &str) -> String {
    format!("/v2/accounts/{ALPHA}/payment/requests{rest}")
}

fn request() -> Value {
    json!({"amount": 1000, "currency": "SEK", "payment_request_reference": "r-1"})
}

async fn found(klarna: &Klarna) -> Vec<Finding> {
    klarna.control().findings(&ALPHA.into(), None).await.unwrap().findings
}

async fn finding(klarna: &Klarna, rule: &str) -> Finding {
    let all = found(klarna).await;
    let named = all.iter().find(|finding| finding.rule == rule);
    named.unwrap_or_else(|| panic!("no {rule} in {all:?}")).clone()
}

async fn has(klarna: &Klarna, rule: &str) -> bool {
    found(klarna).await.iter().any(|finding| finding.rule == rule)
}

async fn advance(klarna: &Klarna, by: &str) {
    let clock = serde_json::from_value(json!({"advance": by})).unwrap();
    klarna.control().set_clock(&ALPHA.into(), &clock).await.unwrap();
}

async fn approved(klarna: &Klarna) -> String {
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    assert_eq!(answer.result(), "APPROVED");
    let transaction = &answer.body["payment_transaction_response"]["payment_transaction"];
    let id = transaction["payment_transaction_id"].as_str().unwrap();
    format!("/v2/accounts/{ALPHA}/payment/transactions/{id}")
}

#[tokio::test]
async fn every_post_and_patch_has_a_key_and_every_call_says_who_makes_it() {
    let klarna = Klarna::start().await;
    klarna.call(Method::POST, &requests(""), &[], Some(&request())).await;
    let missing = finding(&klarna, "idempotency-key.present").await;
    assert_eq!(missing.r#where, "payment_request.create request, header Klarna-Idempotency-Key");
    assert_eq!(missing.exchanges, [1]);
    let metadata = finding(&klarna, "integration-metadata.present").await;
    assert!(metadata.r#where.starts_with("payment_request.create"), "{metadata:?}");

    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.get(&requests("/none")).await;
    assert!(!has(&klarna, "idempotency-key.present").await, "a GET needs none");
    assert!(has(&klarna, "integration-metadata.present").await);
}

/// A key of a call that was refused is taken, too: that explains the 409.
#[tokio::test]
async fn a_key_stands_for_one_body_after_a_refusal_too() {
    let klarna = Klarna::start().await;
    let key = [("Klarna-Idempotency-Key", "k-1")];
    let mut wrong = initial("t-1");
    wrong["request_payment_transaction"]["amount"] = json!("x");
    assert_eq!(klarna.authorize(ALPHA, &key, &wrong).await.status, 400);
    assert_eq!(klarna.authorize(ALPHA, &key, &initial("t-1")).await.status, 409);
    assert_eq!(finding(&klarna, "idempotency-key.one-body").await.exchanges, [1, 2]);
}

#[tokio::test]
async fn what_was_refused_is_not_asked_again_whatever_was_wrong_and_whatever_its_key() {
    let klarna = Klarna::start().await;
    let mut wrong = initial("t-1");
    wrong["request_payment_transaction"]["amount"] = json!("x");
    for key in ["k-1", "k-2"] {
        klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", key)], &wrong).await;
    }
    assert_eq!(finding(&klarna, "retry.not-after-4xx").await.exchanges, [1, 2]);
}

#[tokio::test]
async fn secrets_in_urls_are_found_however_they_are_written() {
    let (klarna, sound) = (Klarna::start().await, "?language=sv");
    let (_, token) = klarna.completed("t-1").await;
    let encoded = token.replace(':', "%3A");
    let in_base64 = "a2xhcm5hX3Rlc3RfYXBpX2xvY2Fs";
    for (query, is_found) in [
        (format!("?token={encoded}"), true),
        (format!("?token={token}"), true),
        (format!("?key={KEY}"), true),
        (format!("?key={}", KEY.replace('_', "%5F")), true),
        (format!("?key={in_base64}"), true),
        ("?key=klarna_live_api_somebody".to_owned(), true),
        (sound.to_owned(), false),
    ] {
        klarna.control().put_sandbox(&OTHER.into(), &PutSandbox::default()).await.unwrap();
        klarna.get(&format!("/v2/accounts/{OTHER}/payment/requests/none{query}")).await;
        let findings = klarna.control().findings(&OTHER.into(), None).await.unwrap();
        let rules: Vec<_> = findings.findings.iter().map(|finding| finding.rule.as_str()).collect();
        assert_eq!(rules.contains(&"secret.in-url"), is_found, "{query}: {rules:?}");
        assert_eq!(findings.judged["secret.in-url"], 1);
        let shown = format!("{findings:?}");
        assert!(!shown.contains(&token) && !shown.contains(in_base64), "{shown}");
    }
}

#[tokio::test]
async fn calls_outside_of_sandboxes_are_judged_where_they_belong() {
    let klarna = Klarna::with(|settings| {
        settings.accounts.unknown = klarna_simulator::UnknownAccounts::Refuse;
    })
    .await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.call(Method::POST, "/v2/notification/signing-keys", &[], None).await;
    assert_eq!(klarna.authorize(OTHER, &[], &initial("t-1")).await.status, 403);
    let account = "krn:partner:global:account:test:LOCALACQ";
    let of_account = klarna.control().account_findings(account).await.unwrap();
    let rules: Vec<_> = of_account.findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert!(rules.contains(&"idempotency-key.present") && rules.contains(&"account.known"), "{rules:?}");
    let wrong = of_account.findings.iter().find(|finding| finding.rule == "account.known").unwrap();
    assert!(wrong.what.contains(OTHER) && wrong.duties == ["AP-06"], "{wrong:?}");

    let stranger = klarna.http.get(klarna.url(&requests("/none")));
    let answer = stranger.header("authorization", "Basic klarna_live_api_x").send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let of_nobody = klarna.control().lobby_findings().await.unwrap();
    let rules: Vec<_> = of_nobody.findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert!(rules.contains(&"api-key.known"), "{rules:?}");
    assert!(!found(&klarna).await.iter().any(|finding| finding.rule == "account.known"));
}

#[tokio::test]
async fn payment_requests_are_changed_in_time_and_live_as_long_as_they_may() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let path = requests(&format!("/{}", answer.request_id()));
    assert_eq!(klarna.call(Method::PATCH, &path, &[], Some(&json!({"amount": 1}))).await.status, 200);
    assert!(!has(&klarna, "request.updated-in-time").await);
    klarna.act(&answer, CustomerAct::Open).await;
    assert_eq!(klarna.call(Method::PATCH, &path, &[], Some(&json!({"amount": 2}))).await.status, 403);
    let late = finding(&klarna, "request.updated-in-time").await;
    assert!(late.what.contains("IN_PROGRESS"), "{late:?}");

    let mut long = initial("t-2");
    let expiry = |duration: &str| json!({"duration": duration});
    long["step_up_config"]["customer_interaction_config"]["interaction_expiry"] = expiry("PT49H");
    assert_eq!(klarna.authorize(ALPHA, &[], &long).await.status, 400);
    assert!(finding(&klarna, "request.expiry-in-range").await.r#where.contains("interaction_expiry"));
    long["step_up_config"]["customer_interaction_config"]["interaction_expiry"] = expiry("PT15M");
    assert_eq!(klarna.authorize(ALPHA, &[], &long).await.status, 200);
    let judged = klarna.control().findings(&ALPHA.into(), Some("t-2")).await.unwrap();
    assert_eq!(judged.judged["request.expiry-in-range"], 1);
    assert!(judged.findings.iter().all(|finding| finding.rule != "request.expiry-in-range"));
}

#[tokio::test]
async fn captures_and_refunds_have_references_of_their_own_and_stay_within_bounds() {
    let klarna = Klarna::of(Simulator::builder().default_outcome(AuthorizationResult::Approved)).await;
    let path = format!("{}/capture", approved(&klarna).await);
    let capture = async |key: &str, body: Value| -> Answer {
        klarna.call(Method::POST, &path, &[("Klarna-Idempotency-Key", key)], Some(&body)).await
    };
    let first = json!({"capture_amount": 100, "payment_capture_reference": "c-1"});
    assert_eq!(capture("k-1", first.clone()).await.status, 201);
    assert_eq!(capture("k-1", first).await.status, 201);
    assert!(!has(&klarna, "post-purchase.own-reference").await, "a repeat is no other one");
    capture("k-2", json!({"capture_amount": 200, "payment_capture_reference": "c-1"})).await;
    let again = finding(&klarna, "post-purchase.own-reference").await;
    assert!(again.what.contains("another one's"), "{again:?}");
    assert!(!has(&klarna, "post-purchase.accepted").await);
    assert_eq!(
        capture("k-3", json!({"capture_amount": 90_000, "payment_capture_reference": "c-3"})).await.status,
        400
    );
    assert!(has(&klarna, "post-purchase.accepted").await);

    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let path = format!("{}/capture", approved(&klarna).await);
    klarna.call(Method::POST, &path, &[], Some(&json!({"capture_amount": 100}))).await;
    assert!(finding(&klarna, "post-purchase.own-reference").await.what.contains("no reference"));
}

#[tokio::test]
async fn a_final_call_after_the_tokens_death_is_late_and_nothing_else() {
    let klarna = Klarna::start().await;
    let (_, token) = klarna.completed("t-1").await;
    advance(&klarna, "PT61M").await;
    assert_eq!(klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-1")).await.status, 404);
    let late = finding(&klarna, "final.in-time").await;
    assert_eq!(late.duties, ["AP-22", "AP-53"]);
    for other in ["final.after-completed", "request.ended", "token.known"] {
        assert!(!has(&klarna, other).await, "{other}");
    }
}

#[tokio::test]
async fn a_customer_who_refused_is_not_charged() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    klarna.act(&answer, CustomerAct::Open).await;
    klarna.act(&answer, CustomerAct::Refuse).await;
    klarna.authorize(ALPHA, &[], &last("t-1")).await;
    let ended = finding(&klarna, "request.ended").await;
    assert!(ended.what.contains("DECLINED") && ended.duties == ["AP-21"], "{ended:?}");
}

#[tokio::test]
async fn another_order_under_a_taken_reference_is_found_as_that() {
    let klarna = Klarna::start().await;
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let mut other = initial("t-1");
    other["request_payment_transaction"]["amount"] = json!(1);
    klarna.authorize(ALPHA, &[], &other).await;
    assert_eq!(finding(&klarna, "transaction-reference.unique").await.exchanges, [1, 2]);
    assert!(!has(&klarna, "final.after-completed").await);
}

/// Refused for its type, and yet the payment's: the token says so.
#[tokio::test]
async fn network_data_that_is_no_string_in_the_final_call_is_shown_beside_the_initial_one() {
    let klarna = Klarna::start().await;
    let (_, token) = klarna.completed("t-1").await;
    let mut body = last("t-1");
    body["klarna_network_data"] = json!({"a": 1});
    assert_eq!(klarna.authorize(ALPHA, &[(TOKEN, &token)], &body).await.status, 400);
    let changed = finding(&klarna, "final.network-data-unchanged").await;
    assert_eq!(changed.diff.unwrap().kind, ChangeKind::TypeChanged);
    assert!(changed.payment.is_some() && klarna.findings("t-1").await.contains(&changed.rule));
}

#[tokio::test]
async fn whoever_tried_in_vain_is_told_to_cancel_and_not_that_it_never_tried() {
    let klarna = Klarna::start().await;
    let (_, token) = klarna.completed("t-1").await;
    let fault = Fault::Status { status: 503, body: FaultBody::Klarna };
    let armed = ArmFault { on: CallKind::Final, times: 50, ..ArmFault::once("authorize", fault) };
    klarna.control().arm_fault(&ALPHA.into(), &armed).await.unwrap();
    for _ in 0..5 {
        let headers = [(TOKEN, token.as_str()), ("Klarna-Idempotency-Key", "k-1")];
        assert_eq!(klarna.authorize(ALPHA, &headers, &last("t-1")).await.status, 503);
    }
    advance(&klarna, "PT61M").await;
    assert_eq!(finding(&klarna, "request.canceled-when-given-up").await.exchanges.len(), 5);
    for other in ["final.missing", "retry.made", "bare-error.survived"] {
        assert!(!has(&klarna, other).await, "{other}");
    }
}

#[tokio::test]
async fn a_bare_error_is_to_be_survived() {
    for body in [FaultBody::None, FaultBody::Html] {
        for calls in [1, 2] {
            let klarna = Klarna::start().await;
            let (_, token) = klarna.completed("t-1").await;
            let fault = Fault::Status { status: 500, body };
            let armed = ArmFault { on: CallKind::Final, ..ArmFault::once("authorize", fault) };
            klarna.control().arm_fault(&ALPHA.into(), &armed).await.unwrap();
            for _ in 0..calls {
                let headers = [(TOKEN, token.as_str()), ("Klarna-Idempotency-Key", "k-1")];
                klarna.authorize(ALPHA, &headers, &last("t-1")).await;
            }
            advance(&klarna, "PT61M").await;
            assert_eq!(has(&klarna, "bare-error.survived").await, calls == 1, "{body:?}, {calls} calls");
        }
    }
}

#[tokio::test]
async fn evolution_is_no_reason_not_to_finalise() {
    for finalises in [true, false] {
        let klarna = Klarna::start().await;
        klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
        let evolution = SetEvolution { kinds: [Evolution::NewHeaders].into() };
        klarna.control().evolve(&ALPHA.into(), &evolution).await.unwrap();
        let (_, token) = klarna.completed("t-1").await;
        if finalises {
            klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-1")).await;
        }
        advance(&klarna, "PT61M").await;
        assert_eq!(has(&klarna, "evolution.finalised").await, !finalises);
        if !finalises {
            // The event that proves the customer's approval is cited, where it was sent.
            assert!(has(&klarna, "final.missing").await);
        }
    }
}

/// What has no room is counted, and what fails is the last to go.
#[tokio::test]
async fn a_flood_of_warnings_hides_nothing_that_fails() {
    let klarna = Klarna::start().await;
    for _ in 0..1_001 {
        klarna.get(&requests("/none")).await;
    }
    let full = klarna.control().findings(&ALPHA.into(), None).await.unwrap();
    assert_eq!((full.findings.len(), full.dropped), (1_000, 1));
    klarna.call(Method::POST, &requests(""), &[], Some(&request())).await;
    let after = klarna.control().findings(&ALPHA.into(), None).await.unwrap();
    assert!(after.findings.iter().any(|finding| finding.rule == "idempotency-key.present"));
    assert_eq!(after.findings.len(), 1_000);
    assert!(after.dropped > 1);
}
