//! The token rules of the final call (contract `payments.md` 2.6), each with its sound twin.

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{
    CallKind, CustomerAct, MintSessionToken, MintedTokenState, PutSandbox, QueuedOutcome, SetClock,
};
use serde_json::json;

use crate::klarna::{ALPHA, BETA, Klarna, TOKEN, initial, last};

#[tokio::test]
async fn the_same_final_call_again_gets_the_first_answer_and_another_conflicts() {
    let klarna = Klarna::start().await;
    let (_, token) = klarna.completed("t-1").await;
    let first =
        klarna.authorize(ALPHA, &[(TOKEN, &token), ("Klarna-Idempotency-Key", "f-1")], &last("t-1")).await;
    assert_eq!(first.result(), "APPROVED");
    // Another key, the same body: the token itself makes it idempotent, and the key is a finding.
    let again =
        klarna.authorize(ALPHA, &[(TOKEN, &token), ("Klarna-Idempotency-Key", "f-2")], &last("t-1")).await;
    assert_eq!(again.body, first.body);
    assert_eq!(
        klarna.findings("t-1").await.iter().filter(|rule| *rule == "idempotency-key.kept-on-retry").count(),
        1
    );
    let mut other = last("t-1");
    other["request_payment_transaction"]["payment_transaction_reference"] = json!("t-1b");
    let conflict =
        klarna.authorize(ALPHA, &[(TOKEN, &token), ("Klarna-Idempotency-Key", "f-3")], &other).await;
    assert_eq!(conflict.refusal(), (409, "RESOURCE_CONFLICT", ""));
    assert!(klarna.findings("t-1").await.contains(&"final.one-logical".to_owned()));
}

#[tokio::test]
async fn another_amount_or_currency_is_refused_and_the_token_is_not_spent() {
    let klarna = Klarna::start().await;
    let (_, token) = klarna.completed("t-1").await;
    let mut dearer = last("t-1");
    dearer["request_payment_transaction"]["amount"] = json!(45_901);
    let refused = klarna.authorize(ALPHA, &[(TOKEN, &token)], &dearer).await;
    assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", "request_payment_transaction.amount"));
    let mut abroad = last("t-1");
    abroad["currency"] = json!("EUR");
    let refused = klarna.authorize(ALPHA, &[(TOKEN, &token)], &abroad).await;
    assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", "currency"));
    assert_eq!(klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-1")).await.result(), "APPROVED");
    let findings = klarna.findings("t-1").await;
    for rule in ["final.amount-unchanged", "final.currency-unchanged"] {
        assert!(findings.contains(&rule.to_owned()), "{rule} in {findings:?}");
    }
}

#[tokio::test]
async fn a_token_of_another_account_is_forbidden() {
    let klarna = Klarna::start().await;
    let (_, token) = klarna.completed("t-1").await;
    let refused = klarna.authorize(BETA, &[(TOKEN, &token)], &last("t-1")).await;
    assert_eq!(refused.refusal(), (403, "OPERATION_FORBIDDEN", ""));
}

#[tokio::test]
async fn an_unknown_token_is_refused_only_where_there_is_no_other_way_on() {
    let klarna = Klarna::start().await;
    let headers = [(TOKEN, "krn:network:eu1:test:session-token:nonsense")];
    let refused = klarna.authorize(ALPHA, &headers, &last("t-1")).await;
    assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", TOKEN));
    let accepted = klarna.authorize(ALPHA, &headers, &initial("t-2")).await;
    assert_eq!(accepted.result(), "STEP_UP_REQUIRED");
    assert!(klarna.findings("t-2").await.contains(&"token.known".to_owned()));
}

#[tokio::test]
async fn a_token_lives_sixty_minutes() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.control().set_clock(&ALPHA.into(), &SetClock::Freeze(true)).await.unwrap();
    let (_, late) = klarna.completed("t-1").await;
    let advance = |text: &str| SetClock::Advance(text.parse().unwrap());
    klarna.control().set_clock(&ALPHA.into(), &advance("PT59M59S")).await.unwrap();
    let (_, fresh) = klarna.completed("t-2").await;
    let happened = klarna.control().set_clock(&ALPHA.into(), &advance("PT1S")).await.unwrap().happened;
    assert!(
        happened.iter().any(|line| line.contains("payment.request.state-change.expired")),
        "{happened:?}"
    );
    let refused = klarna.authorize(ALPHA, &[(TOKEN, &late)], &last("t-1")).await;
    assert_eq!(refused.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
    assert!(klarna.findings("t-1").await.contains(&"final.missing".to_owned()));
    assert_eq!(klarna.authorize(ALPHA, &[(TOKEN, &fresh)], &last("t-2")).await.result(), "APPROVED");
    assert!(!klarna.findings("t-2").await.contains(&"final.missing".to_owned()));
}

#[tokio::test]
async fn minted_tokens_have_the_length_asked_for_and_mean_what_they_say() {
    let klarna = Klarna::start().await;
    let control = klarna.control();
    control.put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let mint = async |length, state| {
        let minted =
            control.mint_session_token(&ALPHA.into(), &MintSessionToken { length, state }).await.unwrap();
        minted.klarna_network_session_token
    };
    let unused = mint(Some(10_240), MintedTokenState::Unused).await;
    assert_eq!(unused.len(), 10_240);
    assert_eq!(
        klarna.authorize(ALPHA, &[(TOKEN, &unused)], &initial("t-1")).await.result(),
        "STEP_UP_REQUIRED"
    );
    assert!(!klarna.findings("t-1").await.contains(&"token.known".to_owned()));
    let completed = mint(None, MintedTokenState::Completed).await;
    assert_eq!(klarna.authorize(ALPHA, &[(TOKEN, &completed)], &initial("t-2")).await.result(), "APPROVED");
}

#[tokio::test]
async fn older_token_headers_work_and_are_warned_of() {
    let klarna = Klarna::start().await;
    for (index, header) in ["Klarna-Payment-Token", "Klarna-Interoperability-Token"].into_iter().enumerate() {
        let reference = format!("t-{index}");
        let (_, token) = klarna.completed(&reference).await;
        let answer = klarna.authorize(ALPHA, &[(header, &token)], &last(&reference)).await;
        assert_eq!(answer.result(), "APPROVED", "{header}");
        assert!(klarna.findings(&reference).await.contains(&"token.current-name".to_owned()), "{header}");
    }
}

#[tokio::test]
async fn the_older_payment_token_finalises_too() {
    let klarna = Klarna::start().await;
    let (first, _) = klarna.completed("t-1").await;
    let read = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", first.request_id())).await;
    let older = read.body["state_context"]["payment_token"].as_str().unwrap();
    let answer = klarna.authorize(ALPHA, &[("Klarna-Payment-Token", older)], &last("t-1")).await;
    assert_eq!(answer.result(), "APPROVED");
}

fn forced_step_up(on: CallKind) -> QueuedOutcome {
    QueuedOutcome { force: true, ..QueuedOutcome::once(on, AuthorizationResult::StepUpRequired) }
}

#[tokio::test]
async fn a_forced_step_up_on_a_final_call_spends_the_token_and_leads_to_another() {
    let klarna = Klarna::start().await;
    let (first, token) = klarna.completed("t-1").await;
    klarna.control().queue_outcomes(&ALPHA.into(), &[forced_step_up(CallKind::Final)]).await.unwrap();
    let headers = [(TOKEN, token.as_str()), ("Klarna-Idempotency-Key", "f-1")];
    let forced = klarna.authorize(ALPHA, &headers, &last("t-1")).await;
    assert_eq!(forced.result(), "STEP_UP_REQUIRED");
    assert_ne!(forced.request_id(), first.request_id());
    assert_eq!(forced.body["payment_request"]["state"], "SUBMITTED");
    let path = |id: String| format!("/v2/accounts/{ALPHA}/payment/requests/{id}");
    assert_eq!(klarna.get(&path(first.request_id())).await.body["state"], "COMPLETED");
    // The same call gets the same request, by its token or by its key.
    for key in ["f-1", "f-2"] {
        let headers = [(TOKEN, token.as_str()), ("Klarna-Idempotency-Key", key)];
        let again = klarna.authorize(ALPHA, &headers, &last("t-1")).await;
        assert_eq!(again.body, forced.body, "{key}");
    }
    klarna.act(&forced, CustomerAct::Approve).await;
    let read = klarna.get(&path(forced.request_id())).await;
    let token = read.body["state_context"]["klarna_network_session_token"].as_str().unwrap();
    let headers = [(TOKEN, token), ("Klarna-Idempotency-Key", "f-3")];
    assert_eq!(klarna.authorize(ALPHA, &headers, &last("t-1")).await.result(), "APPROVED");
    // Both requests are names of the payment.
    let (by_first, by_second) =
        (klarna.findings(&first.request_id()).await, klarna.findings(&forced.request_id()).await);
    assert_eq!(by_first, by_second);
}

#[tokio::test]
async fn a_payment_is_forgotten_with_all_its_requests() {
    let klarna = Klarna::with(|settings| settings.limits.payments = 1).await;
    let (first, token) = klarna.completed("t-1").await;
    klarna.control().queue_outcomes(&ALPHA.into(), &[forced_step_up(CallKind::Final)]).await.unwrap();
    let forced = klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-1")).await;
    let journeys = async || {
        let mut statuses = Vec::new();
        for answer in [&first, &forced] {
            statuses.push(klarna.http.head(answer.journey()).send().await.unwrap().status().as_u16());
        }
        statuses
    };
    assert_eq!(journeys().await, [200, 200]);
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-2")).await.result(), "STEP_UP_REQUIRED");
    assert_eq!(journeys().await, [404, 404]);
}

#[tokio::test]
async fn a_forced_step_up_needs_no_way_to_the_customer() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.control().queue_outcomes(&ALPHA.into(), &[forced_step_up(CallKind::Initial)]).await.unwrap();
    let forced = klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "1")], &last("t-1")).await;
    assert_eq!(forced.result(), "STEP_UP_REQUIRED");
    klarna.act(&forced, CustomerAct::Approve).await;
    // It was for one call.
    let next = klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "2")], &last("t-2")).await;
    assert_eq!(next.result(), "DECLINED");
}
