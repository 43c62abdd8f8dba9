//! What `explain` says of a call is what comes of it, whatever the policies and whatever the call.

use std::collections::BTreeMap;

use klarna_schemas::simulator::control::{CallKind, QueuedOutcome};
use klarna_schemas::simulator::rules::{Explain, RulesFile};
use serde_json::{Value, json};

use super::with;
use crate::klarna::{ALPHA, Klarna, TOKEN, initial, last};

const KEY: &str = "Klarna-Idempotency-Key";

/// Explains a call, makes it, and compares: the result or that it is refused, and what decided.
async fn assert_explained(klarna: &Klarna, headers: &[(&str, &str)], body: &Value, of: &str) {
    let pairs = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let asked = Explain {
        operation: "authorize".into(),
        headers: pairs.collect::<BTreeMap<_, _>>(),
        body: body.clone(),
    };
    let told = klarna.control().explain(&ALPHA.into(), &asked).await.unwrap();
    let answer = klarna.authorize(ALPHA, headers, body).await;
    let result = answer.body["payment_transaction_response"]["result"].as_str();
    assert_eq!(told.refused.is_some(), answer.status != 200, "{of}: {told:?}, and then {answer:?}");
    if let Some(result) = result {
        let said = told.then.result.as_ref().map(|result| result.as_str().to_owned());
        assert_eq!(said.as_deref(), Some(result), "{of}: {told:?}");
    }
    // A call whose headers are refused comes not as far as what decides.
    if let Some(rule) = klarna.journal("authorize").await.entries.last().unwrap().rule.clone() {
        assert_eq!(told.decided_by, rule, "{of}");
    }
}

fn without_a_way(reference: &str) -> Value {
    let mut body = initial(reference);
    body.as_object_mut().unwrap().remove("step_up_config");
    body
}

fn of_amount(mut body: Value, amount: i64) -> Value {
    body["request_payment_transaction"]["amount"] = json!(amount);
    body
}

#[tokio::test]
async fn what_is_explained_is_what_comes() {
    let ways = ["invalid", "not-found", "conflict", "declined"];
    let policies =
        [("other_amount", &ways[..]), ("no_way_to_the_customer", &ways[..]), ("expired_token", &ways[..])];
    let strict = [("line_totals", &["invalid"][..]), ("missing_key", &["invalid"][..])];
    for (policy, values) in policies.into_iter().chain(strict) {
        for value in values {
            let klarna = with(policy, value).await;
            let key = [(KEY, "k-0")];
            let (_, token) = completed(&klarna, "t-1").await;
            let of = format!("{policy} = {value}");
            let with_token = [(TOKEN, token.as_str()), (KEY, "k-9")];
            assert_explained(&klarna, &with_token, &of_amount(last("t-1"), 7), &of).await;
            assert_explained(&klarna, &[(KEY, "k-1")], &without_a_way("t-2"), &of).await;
            assert_explained(&klarna, &[], &initial("t-3"), &of).await;
            assert_explained(&klarna, &[(KEY, "k-2")], &of_amount(initial("t-4"), 46_000), &of).await;
            assert_explained(&klarna, &[(KEY, &"k".repeat(500))], &initial("t-5"), &of).await;
            assert_explained(&klarna, &key, &initial("t-1"), &format!("{of}, a repeat")).await;
            let again = [(TOKEN, token.as_str()), (KEY, "k-10")];
            assert_explained(&klarna, &again, &last("t-1"), &format!("{of}, the final call")).await;
        }
    }
}

/// A payment whose customer has approved; its calls have keys.
async fn completed(klarna: &Klarna, reference: &str) -> (String, String) {
    use klarna_schemas::simulator::control::CustomerAct;
    let answer = klarna.authorize(ALPHA, &[(KEY, "k-0")], &initial(reference)).await;
    klarna.act(&answer, CustomerAct::Approve).await;
    let read = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", answer.request_id())).await;
    let token = read.body["state_context"]["klarna_network_session_token"].as_str().unwrap();
    (answer.request_id(), token.to_owned())
}

/// What is queued or laid down for a final call does not decide on one that is refused before.
#[tokio::test]
async fn a_refusal_comes_before_what_is_queued() {
    let klarna = with("other_amount", "conflict").await;
    let (_, token) = completed(&klarna, "t-1").await;
    let queued = QueuedOutcome::once(CallKind::Final, "DECLINED".into());
    klarna.control().queue_outcomes(&ALPHA.into(), &[queued]).await.unwrap();
    let headers = [(TOKEN, token.as_str()), (KEY, "k-9")];
    assert_explained(&klarna, &headers, &of_amount(last("t-1"), 7), "another amount").await;
    let headers = [(TOKEN, token.as_str()), (KEY, "k-10")];
    assert_explained(&klarna, &headers, &last("t-1"), "what was queued is still there").await;
}

/// A rule's fault is a decision like any other: it befalls no repeat and nothing that does not validate.
#[tokio::test]
async fn a_rules_fault_befalls_what_is_to_be_decided_and_nothing_else() {
    let klarna = with("missing_key", "report").await;
    assert_eq!(klarna.authorize(ALPHA, &[(KEY, "k-1")], &initial("t-1")).await.status, 200);
    let rules: RulesFile = serde_json::from_value(
        json!({"rules": [{"name": "down", "times": 1, "then": {"fault": {"kind": "status", "status": 503}}}]}),
    )
    .unwrap();
    klarna.control().put_rules(&ALPHA.into(), &rules).await.unwrap();
    assert_eq!(klarna.authorize(ALPHA, &[(KEY, "k-1")], &initial("t-1")).await.status, 200, "a repeat");
    assert_eq!(klarna.authorize(ALPHA, &[(KEY, "k-2")], &json!({"currency": 5})).await.status, 400);
    assert_eq!(klarna.control().rules(&ALPHA.into()).await.unwrap().rules[0].left, Some(1));
    assert_eq!(klarna.authorize(ALPHA, &[(KEY, "k-3")], &initial("t-2")).await.status, 503);
}
