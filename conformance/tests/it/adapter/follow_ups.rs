//! Captures, refunds and cancels as an adapter binds them, and what is claimed by binding.

use std::collections::BTreeMap;

use klarna_conformance::adapter::{About, Adapter, FollowUp, FollowUpOutcome, OperationError, Wish};
use serde_json::{Value, json};

use super::{Canned, SOUND, load, order};

const BOUND: &str = r#"
  capture:
    request:
      method: POST
      path: "/payments/{{ payment.payment_id }}/captures"
      headers: {X-Idempotency: "{{ operation.idempotency_key }}"}
      body:
        json: {sum: "{{ operation.amount | decimal }}", minor: "{{ operation.amount }}", name: "{{ operation.reference }}"}
    answer:
      outcome:
        - {status: 201, is: done}
        - {status: 202, is: pending}
        - {status: "4xx", is: refused}
        - {status: "5xx", is: failed}
      read: {capture_id: $.id}
  refund:
    request:
      method: POST
      path: "/captures/{{ capture.capture_id }}/refunds"
      body: {json: {minor: "{{ operation.amount }}", currency: "{{ operation.currency }}"}}
    answer: {outcome: [{is: done}]}
  cancel:
    request: {method: DELETE, path: "/payments/{{ payment.payment_id }}"}
    answer: {outcome: [{is: done}]}
"#;

fn whole() -> String {
    format!("{}{BOUND}", SOUND.trim_end())
}

fn wish(kind: FollowUp, amount: Option<i64>) -> Wish {
    Wish {
        kind,
        amount,
        currency: "SEK".to_owned(),
        reference: "c-1".to_owned(),
        idempotency_key: "key-1".to_owned(),
    }
}

async fn asked(acquirer: &Canned, adapter: &Adapter, wish: &Wish) -> Result<FollowUpOutcome, OperationError> {
    let payment = BTreeMap::from([("payment_id".to_owned(), "p-1".to_owned())]);
    let capture = BTreeMap::from([("capture_id".to_owned(), "c-7".to_owned())]);
    let order = order("tx-1");
    let about = About { order: &order, payment: &payment, capture: &capture };
    let answer = acquirer.bound(adapter).follow_up(&adapter.partners()[0], about, wish).await?;
    Ok(answer.outcome)
}

#[tokio::test]
async fn each_is_asked_as_the_adapter_draws_it() {
    let adapter = load(&whole()).unwrap();
    let acquirer = Canned::start(201, r#"{"id": "c-7"}"#).await;
    let capture = wish(FollowUp::Capture, Some(10_050));
    assert_eq!(asked(&acquirer, &adapter, &capture).await.unwrap(), FollowUpOutcome::Done);
    let seen = acquirer.seen();
    assert_eq!((seen.method.as_str(), seen.uri.path()), ("POST", "/payments/p-1/captures"));
    assert_eq!(seen.headers["x-idempotency"], "key-1");
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(body, json!({"sum": "100.50", "minor": 10_050, "name": "c-1"}));
    asked(&acquirer, &adapter, &wish(FollowUp::Refund, Some(1))).await.unwrap();
    assert_eq!(acquirer.seen().uri.path(), "/captures/c-7/refunds");
    asked(&acquirer, &adapter, &wish(FollowUp::Cancel, None)).await.unwrap();
    assert_eq!((acquirer.seen().method.as_str(), acquirer.seen().body.len()), ("DELETE", 0));
}

#[tokio::test]
async fn an_answer_is_read_in_words_of_its_own() {
    let adapter = load(&whole()).unwrap();
    let capture = wish(FollowUp::Capture, Some(1));
    for (status, means) in
        [(202, FollowUpOutcome::Pending), (409, FollowUpOutcome::Refused), (503, FollowUpOutcome::Failed)]
    {
        let acquirer = Canned::start(status, "{}").await;
        assert_eq!(asked(&acquirer, &adapter, &capture).await.unwrap(), means);
    }
    let acquirer = Canned::start(200, "{}").await;
    let error = asked(&acquirer, &adapter, &capture).await.unwrap_err();
    assert!(error.to_string().contains("no rule of answer.outcome fits the answer 200"), "{error}");
    let error = asked(&acquirer, &load(SOUND).unwrap(), &capture).await.unwrap_err();
    assert!(error.to_string().contains("the adapter binds no operation capture"), "{error}");
}

#[test]
fn what_is_bound_is_claimed_and_what_was_always_asked_for_is_too() {
    let bare = load(SOUND).unwrap();
    for capability in ["network_data", "session_token"] {
        assert!(bare.claims(capability), "{capability}");
    }
    let bound = load(&whole()).unwrap();
    for capability in ["capture", "refund", "cancel"] {
        assert!(bound.claims(capability) && !bare.claims(capability), "{capability}");
        let why = bare.why_not(capability).unwrap();
        assert_eq!(why, format!("the adapter does not claim the capability \"{capability}\""));
    }
    assert!(!bound.claims("partial_capture"), "parts are claimed by name");
}

#[track_caller]
fn refused(yaml: &str, what: &str) {
    let error = load(yaml).unwrap_err();
    assert!(error.to_string().contains(what), "{error}");
}

#[test]
fn mistakes_are_refused_with_their_place() {
    let capabilities = "capabilities: [redirect]";
    let with = |change: &str| whole().replace(capabilities, change);
    load(&with("capabilities: [redirect, capture, partial_capture, cancel]")).unwrap();
    refused(
        &with("capabilities: [redirect]\nunclaimed: {refund: nobody asks for it}"),
        "acme.yaml:9:13: refund is unclaimed, and operations.refund binds it",
    );
    refused(&whole().replace("is: pending", "is: approved"), "unknown outcome \"approved\"");
    refused(&whole().replace("capture.capture_id", "capture.id"), "unknown field of capture \"id\"");
    refused(
        &whole().replace("operation.currency", "operation.curency"),
        "unknown field of operation \"curency\"",
    );
    let cancel = whole().replace(
        "method: DELETE, path: \"/payments/{{ payment.payment_id }}\"",
        "method: DELETE, path: \"/{{ operation.amount }}\"",
    );
    refused(&cancel, "unknown field of operation \"amount\"");
    // Claimed by name, it must have a place; claimed by silence, its scenarios say that it has none.
    let without =
        SOUND.replace("deep: {paymentMethod: [{data: \"{{ order.network_data | omit }}\"}]}", "deep: {}");
    assert!(load(&without).unwrap().claims("network_data"));
    let named = without.replace(capabilities, "capabilities: [redirect, network_data]");
    refused(
        &named,
        "acme.yaml:8:26: network_data is claimed, and create_payment has no place for order.network_data",
    );
    load(&SOUND.replace(capabilities, "capabilities: [redirect, network_data, session_token]")).unwrap();
}
