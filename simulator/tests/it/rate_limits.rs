//! Rate limits: told on every answer, kept where a tester wishes.

use klarna_schemas::simulator::control::{ArmFault, Fault, FaultBody, PutSandbox};
use klarna_simulator::config::{Quota, RateLimitMode};
use reqwest::Method;

use crate::klarna::{ALPHA, Answer, BETA, KEY, Klarna, initial};

const QUOTA: [&str; 3] = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
const KEYS: &str = "/v2/notification/signing-keys";

/// A Klarna that keeps to these quotas of authorize calls.
async fn enforcing(account: u32, psp: u32) -> Klarna {
    Klarna::with(|settings| {
        settings.rate_limits.mode = RateLimitMode::Enforce;
        settings.rate_limits.quotas.payment_authorize = Quota { account, psp };
    })
    .await
}

fn quota(answer: &Answer) -> [Option<&str>; 3] {
    QUOTA.map(|name| answer.headers.get(name).map(|value| value.to_str().unwrap()))
}

fn authorize(account: &str) -> String {
    format!("/v2/accounts/{account}/payment/authorize")
}

#[tokio::test]
async fn every_answer_to_a_known_caller_tells_how_its_quotas_stand() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let limit = r#"50, 50;w=1;name="account_payment-authorize",125;w=1;name="psp_payment-authorize""#;
    assert_eq!(quota(&answer), [Some(limit), Some("49"), Some("1")]);
    // An acquirer's own affairs have no Partner account to count for.
    let listed = klarna.get(KEYS).await;
    assert_eq!(quota(&listed)[0], Some(r#"125, 125;w=1;name="psp_notification""#));
    // A refusal is an answer, too; but where nobody is known there is no quota.
    let refused = klarna.authorize(ALPHA, &[], &serde_json::json!({})).await;
    assert_eq!((refused.status, quota(&refused)[0]), (400, Some(limit)));
    let stranger = klarna.send(klarna.http.get(klarna.url(KEYS))).await;
    assert_eq!((stranger.status, quota(&stranger)), (401, [None; 3]));
}

#[tokio::test]
async fn captures_have_a_quota_of_their_own() {
    let klarna = Klarna::start().await;
    let path = format!("/v2/accounts/{ALPHA}/payment/transactions/none/capture");
    let none = klarna.call(Method::POST, &path, &[], Some(&serde_json::json!({ "capture_amount": 1 }))).await;
    let limit = r#"12, 12;w=1;name="account_payment-transaction-capture",50;w=1;name="psp_payment-transaction-capture""#;
    assert_eq!((none.status, quota(&none)[0]), (404, Some(limit)));
}

#[tokio::test]
async fn unless_told_otherwise_no_call_is_refused_for_its_number() {
    let klarna = Klarna::with(|settings| {
        settings.rate_limits.quotas.payment_authorize = Quota { account: 0, psp: 0 };
    })
    .await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    assert_eq!((answer.result(), quota(&answer)[1]), ("STEP_UP_REQUIRED", Some("0")));
    let off = Klarna::with(|settings| settings.rate_limits.mode = RateLimitMode::Off).await;
    assert_eq!(quota(&off.authorize(ALPHA, &[], &initial("t-1")).await), [None; 3]);
}

#[tokio::test]
async fn a_call_too_many_is_refused_changes_nothing_and_keeps_no_key() {
    let klarna = enforcing(2, 1000).await;
    let body = initial("t-1");
    let key = [("Klarna-Idempotency-Key", "k-1")];
    // Two calls may be in one second and the third not, unless a second ends between them.
    let refused = loop {
        let answer = klarna.authorize(ALPHA, &[], &initial("t-0")).await;
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!(refused.refusal(), (429, "RATE_LIMITED", ""));
    let limit = r#"2, 2;w=1;name="account_payment-authorize",1000;w=1;name="psp_payment-authorize""#;
    assert_eq!(quota(&refused), [Some(limit), Some("0"), Some("1")]);
    // It goes on when the second is over: as the first call with its key, with either body.
    let decided = loop {
        let answer = klarna.authorize(ALPHA, &key, &body).await;
        if answer.status != 429 {
            break answer;
        }
    };
    assert_eq!(decided.result(), "STEP_UP_REQUIRED");
    let calls = klarna.journal("authorize").await.entries;
    let refused = calls.iter().find(|call| call.rule.as_deref() == Some("rate-limit")).unwrap();
    assert_eq!((refused.fault.as_deref(), refused.payment.is_some()), (None, true));
    // Who sends the same again has done nothing wrong but for its haste.
    let found = klarna.findings(calls.last().unwrap().payment.as_ref().unwrap()).await;
    assert!(found.iter().any(|rule| rule == "retry.backed-off"), "{found:?}");
    assert!(!found.iter().any(|rule| rule.starts_with("retry.") && rule != "retry.backed-off"), "{found:?}");
}

#[tokio::test]
async fn partner_accounts_have_quotas_of_their_own_and_their_acquirer_one_over_all() {
    let klarna = enforcing(0, 1000).await;
    let refused = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    assert_eq!(refused.refusal(), (429, "RATE_LIMITED", ""));
    // Other categories are not touched by it.
    assert_eq!(klarna.get(KEYS).await.status, 200);
    let klarna = enforcing(1000, 0).await;
    for account in [ALPHA, BETA] {
        let refused = klarna.authorize(account, &[], &initial("t-1")).await;
        assert_eq!(refused.status, 429);
        let limit = r#"0, 1000;w=1;name="account_payment-authorize",0;w=1;name="psp_payment-authorize""#;
        assert_eq!(quota(&refused)[0], Some(limit));
    }
}

#[tokio::test]
async fn a_stranger_takes_nothing_from_a_partners_quota() {
    let klarna = Klarna::with(|settings| settings.rate_limits.mode = RateLimitMode::Enforce).await;
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.status, 200);
    let post = |key: &str| {
        let request = klarna.http.post(klarna.url(&authorize(ALPHA))).header("authorization", key);
        klarna.send(request.header("content-type", "application/json").body(initial("t-2").to_string()))
    };
    let foreign = post("Basic klarna_test_api_stranger").await;
    assert_eq!(
        (foreign.status, quota(&foreign)[0].map(|limit| limit.contains("account_"))),
        (403, Some(false))
    );
    assert!(post(&format!("Basic {KEY}")).await.headers[QUOTA[0]].to_str().unwrap().contains("account_"));
}

#[tokio::test]
async fn a_429_that_a_tester_wishes_is_of_the_category_that_was_called() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let fault = Fault::Status { status: 429, body: FaultBody::Klarna };
    klarna.control().arm_fault(&ALPHA.into(), &ArmFault::once("presentation.read", fault)).await.unwrap();
    let path =
        format!("/v2/accounts/{ALPHA}/payment/presentation?currency=EUR&locale=de-DE&amount=1&intents[]=PAY");
    let refused = klarna.get(&path).await;
    let limit = r#"50, 50;w=1;name="account_payment-presentation",125;w=1;name="psp_payment-presentation""#;
    assert_eq!((refused.status, quota(&refused)), (429, [Some(limit), Some("0"), Some("1")]));
}
