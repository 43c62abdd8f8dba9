//! Calls made again: after trouble, after a refusal, and after a payment that came to nothing.

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{
    ArmFault, CallKind, CustomerAct, Fault, FaultBody, Intent, PutSandbox, QueuedOutcome, RequestEnd,
};
use klarna_schemas::simulator::finding::Severity;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, Klarna, TOKEN, initial, last};

const KEY_HEADER: &str = "Klarna-Idempotency-Key";

async fn in_trouble(fault: Fault) -> Klarna {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.control().arm_fault(&ALPHA.into(), &ArmFault::once("authorize", fault)).await.unwrap();
    klarna
}

fn status(status: u16) -> Fault {
    Fault::Status { status, body: FaultBody::Klarna }
}

/// An authorize whose connection may break.
async fn call(klarna: &Klarna, key: &str, body: &Value) {
    let path = format!("/v2/accounts/{ALPHA}/payment/authorize");
    let _broken = klarna.post(&path, &[(KEY_HEADER, key)], body).send().await;
}

fn cheaper(reference: &str) -> Value {
    let mut body = initial(reference);
    body["request_payment_transaction"]["amount"] = json!(1);
    body
}

async fn found(klarna: &Klarna, payment: &str) -> Vec<String> {
    let mut found = klarna.findings(payment).await;
    found.retain(|rule| rule.starts_with("retry.") || rule.starts_with("idempotency-key."));
    found.dedup();
    found
}

/// How often a rule had something to judge in a payment.
async fn judged(klarna: &Klarna, payment: &str, rule: &str) -> u64 {
    let findings = klarna.control().findings(&ALPHA.into(), Some(payment)).await.unwrap();
    findings.judged.get(rule).copied().unwrap_or(0)
}

#[tokio::test]
async fn a_call_is_made_again_as_it_was() {
    for fault in [status(500), status(503), status(429), Fault::Reset] {
        let klarna = in_trouble(fault).await;
        call(&klarna, "k-1", &initial("t-1")).await;
        call(&klarna, "k-1", &initial("t-1")).await;
        // At once is too soon after a 429, and right after all else.
        let too_soon = if fault == status(429) { vec!["retry.backed-off".to_owned()] } else { Vec::new() };
        assert_eq!(found(&klarna, "e1p1").await, too_soon, "{fault:?}");
        assert_eq!(judged(&klarna, "e1p1", "retry.same-call").await, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn another_call_in_the_place_of_a_repeat_is_found_once() {
    for (key, body, rule) in [
        ("k-2", cheaper("t-1"), "retry.same-call"),
        ("k-2", initial("t-1"), "idempotency-key.kept-on-retry"),
        ("k-1", cheaper("t-1"), "idempotency-key.one-body"),
    ] {
        let klarna = in_trouble(status(500)).await;
        call(&klarna, "k-1", &initial("t-1")).await;
        call(&klarna, key, &body).await;
        assert_eq!(found(&klarna, "e1p1").await, [rule]);
    }
}

#[tokio::test]
async fn the_final_call_is_no_repeat_of_an_initial_one_in_trouble() {
    let klarna = in_trouble(status(500)).await;
    call(&klarna, "k-1", &initial("t-1")).await;
    let (_, token) = klarna.completed("t-1").await;
    klarna.authorize(ALPHA, &[(TOKEN, &token), (KEY_HEADER, "k-2")], &last("t-1")).await;
    // completed() uses a key of its own for the same body.
    assert_eq!(found(&klarna, "e1p1").await, ["idempotency-key.kept-on-retry"]);
}

#[tokio::test]
async fn a_refused_call_is_not_made_again_unchanged() {
    for refusal in [400, 403, 404, 409] {
        let klarna = in_trouble(status(refusal)).await;
        call(&klarna, "k-1", &initial("t-1")).await;
        call(&klarna, "k-1", &initial("t-1")).await;
        assert_eq!(found(&klarna, "e1p1").await, ["retry.not-after-4xx"], "{refusal}");
    }
    // Mended, it may be tried.
    let klarna = in_trouble(status(400)).await;
    call(&klarna, "k-1", &initial("t-1")).await;
    call(&klarna, "k-2", &cheaper("t-1")).await;
    assert_eq!(found(&klarna, "e1p1").await, Vec::<String>::new());
    assert_eq!(judged(&klarna, "e1p1", "retry.not-after-4xx").await, 1);
}

#[tokio::test]
async fn a_refusal_of_klarnas_own_counts_like_one_that_was_armed() {
    let klarna = Klarna::start().await;
    let (_, token) = klarna.completed("t-1").await;
    let mut dearer = last("t-1");
    dearer["request_payment_transaction"]["amount"] = json!(45_901);
    for _ in 0..2 {
        let refused = klarna.authorize(ALPHA, &[(TOKEN, &token), (KEY_HEADER, "f-1")], &dearer).await;
        assert_eq!(refused.status, 400);
    }
    assert_eq!(found(&klarna, "e1p1").await, ["retry.not-after-4xx"]);
}

/// The first try with a reference comes to nothing in one of the ways in which it may.
async fn came_to_nothing(klarna: &Klarna, how: &str) -> Answer {
    if how == "declined" {
        let declined = QueuedOutcome::once(CallKind::Initial, AuthorizationResult::Declined);
        klarna.control().queue_outcomes(&ALPHA.into(), &[declined]).await.unwrap();
    }
    let answer = klarna.authorize(ALPHA, &[(KEY_HEADER, "k-1")], &initial("t-1")).await;
    let id = || answer.request_id().into();
    let control = klarna.control();
    match how {
        "refused" => {
            klarna.act(&answer, CustomerAct::Refuse).await;
        }
        "expired" => {
            drop(control.end_payment_request(&ALPHA.into(), &id(), RequestEnd::Expire).await.unwrap());
        }
        "canceled" => {
            drop(control.end_payment_request(&ALPHA.into(), &id(), RequestEnd::Cancel).await.unwrap());
        }
        _ => {}
    }
    answer
}

#[tokio::test]
async fn a_reference_used_again_after_nothing_came_of_it_is_another_try() {
    for how in ["declined", "refused", "expired", "canceled"] {
        let klarna = Klarna::start().await;
        klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
        came_to_nothing(&klarna, how).await;
        let again = klarna.authorize(ALPHA, &[(KEY_HEADER, "k-2")], &initial("t-1")).await;
        assert_eq!(again.result(), "STEP_UP_REQUIRED", "{how}");
        let findings = klarna.control().findings(&ALPHA.into(), Some("e1p2")).await.unwrap().findings;
        let rules: Vec<_> = findings
            .iter()
            .filter(|finding| finding.rule != "subscription.covers-state-changes")
            .map(|finding| (finding.rule.as_str(), finding.severity))
            .collect();
        assert!(rules.contains(&("retry.new-reference", Severity::Warns)), "{how}: {rules:?}");
        assert!(rules.iter().all(|(_, severity)| *severity == Severity::Warns), "{how}: {rules:?}");
        let of_first = found(&klarna, "e1p1").await;
        assert_eq!(of_first, Vec::<String>::new(), "{how}");
        assert!(!klarna.findings("e1p1").await.contains(&"after-declined.no-second-call".to_owned()));
    }
}

#[tokio::test]
async fn a_new_reference_for_a_new_try_is_as_it_should_be() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    came_to_nothing(&klarna, "declined").await;
    klarna.authorize(ALPHA, &[(KEY_HEADER, "k-2")], &initial("t-2")).await;
    assert_eq!(found(&klarna, "e1p2").await, Vec::<String>::new());
    assert_eq!(judged(&klarna, "e1p2", "retry.new-reference").await, 1);
}

#[tokio::test]
async fn a_call_that_no_partner_asked_for_stays_a_second_call() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let intent: Intent = serde_json::from_value(json!({"amount": 45_900, "currency": "SEK"})).unwrap();
    klarna.control().declare_intent(&ALPHA.into(), &intent).await.unwrap();
    came_to_nothing(&klarna, "declined").await;
    klarna.authorize(ALPHA, &[(KEY_HEADER, "k-2")], &initial("t-1")).await;
    let second = "after-declined.no-second-call".to_owned();
    assert!(klarna.findings("e1p1").await.contains(&second));
    // Its sound twin: the Partner has asked again.
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.control().declare_intent(&ALPHA.into(), &intent).await.unwrap();
    came_to_nothing(&klarna, "declined").await;
    klarna.control().declare_intent(&ALPHA.into(), &intent).await.unwrap();
    klarna.authorize(ALPHA, &[(KEY_HEADER, "k-2")], &initial("t-1")).await;
    assert!(!klarna.findings("e1p1").await.contains(&second));
    assert_eq!(found(&klarna, "e1p2").await, ["retry.new-reference"]);
}

#[tokio::test]
async fn the_calls_of_one_payment_are_bounded() {
    let klarna = Klarna::start().await;
    for _ in 0..201 {
        let answer = klarna.authorize(ALPHA, &[(KEY_HEADER, "k-1")], &initial("t-1")).await;
        assert_eq!(answer.result(), "STEP_UP_REQUIRED");
    }
    assert_eq!(klarna.journal("authorize").await.entries.len(), 201, "all are answered and written down");
    assert_eq!(judged(&klarna, "e1p1", "idempotency-key.kept-on-retry").await, 199, "and 200 are kept");
}
