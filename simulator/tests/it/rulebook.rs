//! The rulebook: a sound payment raises nothing, each defect its own finding, and nothing is judged
//! without something to go by.

use klarna_schemas::simulator::control::{Intent, MintSessionToken, MintedTokenState, PutSandbox};
use klarna_schemas::simulator::finding::{ChangeKind, Evidence, Severity};
use klarna_schemas::simulator::journal::Direction;
use reqwest::Method;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, KEY, Klarna, TOKEN, initial, last};
use crate::sink::Sink;

const METADATA: (&str, &str) =
    ("Klarna-Integration-Metadata", r#"{"integrator":{"name":"ACME","session_reference":"s-1"}}"#);

fn intent(session_token: Option<String>) -> Intent {
    Intent {
        network_data: Some(initial("x")["klarna_network_data"].as_str().unwrap().to_owned()),
        session_token,
        amount: klarna_schemas::money::MinorUnits(45_900),
        currency: "SEK".parse().unwrap(),
        purchase_reference: Some("ORDER-1".to_owned()),
        line_items: Some(vec![json!({"name": "Trail shoe", "quantity": 1, "total_amount": 45_900})]),
        customer: Some(json!({"given_name": "Test"})),
        shipping: Some(vec![json!({"address": {"city": "Stockholm"}})]),
        payment_option_id: None,
    }
}

async fn subscribed() -> (Klarna, Sink) {
    let klarna = Klarna::start().await;
    let sink = Sink::start().await;
    let key = klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await;
    let webhook = json!({
        "url": sink.url, "event_types": ["payment.request.state-change.*"], "event_version": "v2",
        "signing_key_id": key.body["signing_key_id"],
    });
    assert_eq!(klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook)).await.status, 201);
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    (klarna, sink)
}

/// One payment, with the bodies and headers changed as told; its findings of weight.
async fn payment(change: impl Fn(&mut Value, bool)) -> Vec<String> {
    let (klarna, _sink) = subscribed().await;
    let minted = MintSessionToken { length: None, state: MintedTokenState::Unused };
    let minted = klarna.control().mint_session_token(&ALPHA.into(), &minted).await.unwrap();
    let given = minted.klarna_network_session_token;
    klarna.control().declare_intent(&ALPHA.into(), &intent(Some(given.clone()))).await.unwrap();
    let (mut first, mut second) = (initial("t-1"), last("t-1"));
    change(&mut first, false);
    change(&mut second, true);
    let headers = [METADATA, (TOKEN, given.as_str()), ("Klarna-Idempotency-Key", "k-1")];
    let answer = klarna.authorize(ALPHA, &headers, &first).await;
    assert_eq!(answer.result(), "STEP_UP_REQUIRED");
    klarna.act(&answer, klarna_schemas::simulator::control::CustomerAct::Approve).await;
    let path = format!("/v2/accounts/{ALPHA}/payment/requests/{}", answer.request_id());
    let read = klarna.call(Method::GET, &path, &[METADATA], None).await;
    let token = read.body["state_context"]["klarna_network_session_token"].as_str().unwrap().to_owned();
    let headers = [METADATA, (TOKEN, token.as_str()), ("Klarna-Idempotency-Key", "k-2")];
    klarna.authorize(ALPHA, &headers, &second).await;
    klarna.awaited("event:*", 3).await;
    klarna.findings(&answer.request_id()).await
}

#[tokio::test]
async fn a_sound_payment_raises_nothing_and_was_judged() {
    assert_eq!(payment(|_, _| {}).await, Vec::<String>::new());
}

#[tokio::test]
async fn each_defect_raises_its_own_finding_and_no_other() {
    type Change = fn(&mut Value, bool);
    let cases: [(&str, Change); 9] = [
        ("network-data.byte-equal", |body, _| {
            body["klarna_network_data"] = json!("{\"b\":1.0,\"a\":\"é\"}");
        }),
        ("network-data.byte-equal", |body, _| {
            body.as_object_mut().unwrap().remove("klarna_network_data");
        }),
        ("final.network-data-unchanged", |body, is_final| {
            if is_final {
                body["klarna_network_data"] = json!("{}");
            }
        }),
        ("purchase-reference.as-intended", |body, _| {
            body["supplementary_purchase_data"]["purchase_reference"] = json!("OTHER");
        }),
        ("line-items.as-intended", |body, _| {
            body["supplementary_purchase_data"]["line_items"][0]["name"] = json!("Other");
        }),
        ("purchase-data.present", |body, _| {
            body["supplementary_purchase_data"].as_object_mut().unwrap().remove("shipping");
        }),
        ("final.amount-unchanged", |body, is_final| {
            if is_final {
                body["request_payment_transaction"]["amount"] = json!(1);
            }
        }),
        ("final.reference-unchanged", |body, is_final| {
            if is_final {
                body["request_payment_transaction"]["payment_transaction_reference"] = json!("other");
            }
        }),
        ("final.purchase-data-unchanged", |body, is_final| {
            if is_final {
                body.as_object_mut().unwrap().remove("supplementary_purchase_data");
            }
        }),
    ];
    for (rule, change) in cases {
        assert_eq!(payment(change).await, [rule]);
    }
}

#[tokio::test]
async fn a_finding_shows_the_bytes_and_the_exchanges_that_prove_it() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.control().declare_intent(&ALPHA.into(), &intent(None)).await.unwrap();
    let mut body = initial("t-1");
    body["klarna_network_data"] = json!("{\"b\":1.0,\"a\":\"é\"}");
    klarna.authorize(ALPHA, &[], &body).await;
    let findings = klarna.control().findings(&ALPHA.into(), Some("t-1")).await.unwrap().findings;
    let finding = findings.iter().find(|finding| finding.rule == "network-data.byte-equal").unwrap();
    assert_eq!(finding.severity, Severity::Fails);
    let diff = finding.diff.as_ref().unwrap();
    assert_eq!((diff.kind, diff.position), (ChangeKind::ReEncoded, 1));
    let page = klarna.journal("authorize").await;
    assert_eq!(finding.exchanges, [page.entries[0].seq]);
    assert!(page.entries[0].findings.contains(&finding.rule));
}

#[tokio::test]
async fn purchase_data_that_the_partner_did_not_give_is_not_missed() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let without_shipping = Intent { shipping: None, ..intent(None) };
    klarna.control().declare_intent(&ALPHA.into(), &without_shipping).await.unwrap();
    let mut body = initial("t-1");
    body["supplementary_purchase_data"].as_object_mut().unwrap().remove("shipping");
    klarna.authorize(ALPHA, &[], &body).await;
    let findings = klarna.control().findings(&ALPHA.into(), Some("t-1")).await.unwrap();
    assert_eq!(findings.judged["purchase-data.present"], 1);
    assert!(findings.findings.iter().all(|finding| finding.rule != "purchase-data.present"), "{findings:?}");
}

#[tokio::test]
async fn a_refused_authorize_is_found_with_its_cause_and_leaves_the_intent_where_it_is() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.control().declare_intent(&ALPHA.into(), &intent(None)).await.unwrap();
    let mut body = initial("t-1");
    body["klarna_network_data"] = json!({"b": 1.0, "a": "é"});
    assert_eq!(klarna.authorize(ALPHA, &[], &body).await.status, 400);
    let findings = klarna.control().findings(&ALPHA.into(), None).await.unwrap().findings;
    let of_headers = ["idempotency-key.present", "integration-metadata.present"];
    let findings: Vec<_> =
        findings.into_iter().filter(|finding| !of_headers.contains(&finding.rule.as_str())).collect();
    let rules: Vec<_> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["network-data.is-a-string", "authorize.valid"]);
    assert_eq!(findings[0].diff.as_ref().unwrap().kind, ChangeKind::TypeChanged);
    assert!(findings[1].what.contains("klarna_network_data"), "{:?}", findings[1]);
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let judged = klarna.control().findings(&ALPHA.into(), Some("t-1")).await.unwrap().judged;
    assert_eq!(judged["network-data.byte-equal"], 1);
}

#[tokio::test]
async fn without_an_intent_the_partners_side_is_not_judged() {
    let klarna = Klarna::start().await;
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let judged = klarna.control().findings(&ALPHA.into(), Some("t-1")).await.unwrap().judged;
    for rule in
        ["network-data.byte-equal", "session-token.forwarded", "amount.as-intended", "authorize.unasked"]
    {
        assert!(!judged.contains_key(rule), "{rule} in {judged:?}");
    }
    assert_eq!(judged["idempotency-key.present"], 1);
}

#[tokio::test]
async fn a_payment_that_nobody_asked_for_is_found() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.control().declare_intent(&ALPHA.into(), &intent(None)).await.unwrap();
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    assert!(!klarna.findings("t-1").await.contains(&"authorize.unasked".to_owned()));
    klarna.authorize(ALPHA, &[], &initial("t-2")).await;
    assert!(klarna.findings("t-2").await.contains(&"authorize.unasked".to_owned()));
}

#[tokio::test]
async fn calls_after_a_decision_and_before_completion_are_found() {
    let klarna = Klarna::of(
        klarna_simulator::Simulator::builder()
            .default_outcome(klarna_schemas::klarna::authorize::AuthorizationResult::Declined),
    )
    .await;
    klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "1")], &initial("t-1")).await;
    klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "1")], &initial("t-1")).await;
    assert!(
        !klarna.findings("t-1").await.contains(&"after-declined.no-second-call".to_owned()),
        "a replay is none"
    );
    klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "2")], &last("t-1")).await;
    assert!(klarna.findings("t-1").await.contains(&"after-declined.no-second-call".to_owned()));

    let klarna = Klarna::start().await;
    klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "1")], &initial("t-1")).await;
    klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "2")], &last("t-1")).await;
    assert!(klarna.findings("t-1").await.contains(&"final.after-completed".to_owned()));
}

#[tokio::test]
async fn a_retry_with_another_key_breaks_the_duty_on_keys_only() {
    let (klarna, _sink) = subscribed().await;
    for key in ["1", "2"] {
        klarna.authorize(ALPHA, &[METADATA, ("Klarna-Idempotency-Key", key)], &initial("t-1")).await;
    }
    assert_eq!(klarna.findings("t-1").await, ["idempotency-key.kept-on-retry"]);
}

#[tokio::test]
async fn a_payment_that_begins_with_a_completed_token_is_judged_like_any_other() {
    let (klarna, _sink) = subscribed().await;
    let minted = MintSessionToken { length: None, state: MintedTokenState::Completed };
    let token = klarna.control().mint_session_token(&ALPHA.into(), &minted).await.unwrap();
    let token = token.klarna_network_session_token;
    klarna.control().declare_intent(&ALPHA.into(), &intent(Some(token.clone()))).await.unwrap();
    let mut body = initial("t-1");
    body.as_object_mut().unwrap().remove("klarna_network_data");
    let headers = [METADATA, (TOKEN, token.as_str()), ("Klarna-Idempotency-Key", "1")];
    assert_eq!(klarna.authorize(ALPHA, &headers, &body).await.result(), "APPROVED");
    assert_eq!(klarna.findings("t-1").await, ["network-data.byte-equal"]);
}

#[tokio::test]
async fn a_new_intent_takes_the_place_of_one_that_was_not_asked() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let dearer = Intent { amount: klarna_schemas::money::MinorUnits(1), ..intent(None) };
    klarna.control().declare_intent(&ALPHA.into(), &dearer).await.unwrap();
    klarna.control().declare_intent(&ALPHA.into(), &intent(None)).await.unwrap();
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    assert!(!klarna.findings("t-1").await.contains(&"amount.as-intended".to_owned()));
}

#[tokio::test]
async fn a_secret_in_the_url_and_a_key_under_the_wrong_name_are_warned_of() {
    let klarna = Klarna::start().await;
    let path = format!("/v2/accounts/{ALPHA}/payment/authorize?api_key={KEY}");
    klarna.send(klarna.post(&path, &[("Idempotency-Key", "1")], &initial("t-1"))).await;
    let findings = klarna.findings("t-1").await;
    for rule in ["secret.in-url", "idempotency-key.own-header", "idempotency-key.present"] {
        assert!(findings.contains(&rule.to_owned()), "{rule} in {findings:?}");
    }
}

#[tokio::test]
async fn late_traffic_of_an_earlier_epoch_stays_in_it() {
    let klarna = Klarna::start().await;
    let (first, token) = klarna.completed("t-1").await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.control().declare_intent(&ALPHA.into(), &intent(None)).await.unwrap();
    // The final call, a retry of the initial one, and a read: all of the payment before the reset.
    let late = klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-1")).await;
    assert_eq!(late.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
    let late = klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "t-1")], &initial("t-1")).await;
    assert_eq!(late.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
    klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", first.request_id())).await;
    let entries = klarna.journal("*").await.entries;
    assert!(
        entries.iter().filter(|entry| entry.direction == Direction::Inbound).all(|entry| entry.epoch == 1)
    );
    // The intent is still there for the payment that it was declared for.
    klarna.authorize(ALPHA, &[], &initial("t-2")).await;
    let judged = klarna.control().findings(&ALPHA.into(), Some("t-2")).await.unwrap().judged;
    assert_eq!(judged["network-data.byte-equal"], 1);
}

#[tokio::test]
async fn by_hand_the_same_key_and_reference_work_again_after_a_reset() {
    let klarna = Klarna::start().await;
    let key = [("Klarna-Idempotency-Key", "k-1")];
    for _ in 0..2 {
        klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
        assert_eq!(klarna.authorize(ALPHA, &key, &initial("t-1")).await.result(), "STEP_UP_REQUIRED");
    }
}

#[tokio::test]
async fn lines_that_do_not_add_up_are_warned_of_where_there_is_something_to_add() {
    const RULE: &str = "line-totals.add-up";
    let klarna = Klarna::start().await;
    let line = |price: Value, total: i64| json!({"name": "Line", "quantity": 2, "unit_price": price, "total_amount": total});
    let cases = [
        (json!([line(json!(22_950), 45_900)]), true, None),
        (
            json!([line(json!(25_000), 50_000), {"name": "Discount", "quantity": 1, "total_amount": -4_100}]),
            true,
            None,
        ),
        (json!([line(json!(22_950), 45_900), line(json!(1), 2)]), true, Some(("45900", "45902"))),
        (json!([line(json!(45_900), 45_900)]), true, Some(("91800", "45900"))),
        (json!([]), false, None),
    ];
    for (index, (lines, is_judged, wrong)) in cases.into_iter().enumerate() {
        let reference = format!("t-{index}");
        let mut body = initial(&reference);
        body["supplementary_purchase_data"]["line_items"] = lines;
        assert_eq!(klarna.authorize(ALPHA, &[], &body).await.result(), "STEP_UP_REQUIRED");
        let findings = klarna.control().findings(&ALPHA.into(), Some(&reference)).await.unwrap();
        assert_eq!(findings.judged.contains_key(RULE), is_judged, "{index}");
        let found = findings.findings.into_iter().find(|finding| finding.rule == RULE);
        let sides = found
            .as_ref()
            .map(|finding| (finding.expected.as_deref().unwrap(), finding.got.as_deref().unwrap()));
        assert_eq!(sides, wrong, "{index}");
        assert!(found.is_none_or(|finding| finding.severity == Severity::Warns));
    }
}

#[tokio::test]
async fn a_finding_says_on_what_it_rests_by_the_table_of_grounds() {
    let klarna = Klarna::start().await;
    let older = [("Klarna-Payment-Token", "krn:unheard-of")];
    assert_eq!(klarna.authorize(ALPHA, &older, &initial("t-1")).await.result(), "STEP_UP_REQUIRED");
    let findings = klarna.control().findings(&ALPHA.into(), None).await.unwrap().findings;
    let of = |rule: &str| findings.iter().find(|finding| finding.rule == rule).unwrap();
    let page = include_str!("../../../docs/evidence.md");
    for rule in ["token.current-name", "token.known"] {
        let finding = of(rule);
        assert_eq!((finding.severity, finding.evidence), (Severity::Warns, Evidence::Inferred), "{rule}");
        assert!(page.contains(&finding.rests_on[0]), "{finding:?}");
    }
    // A duty on confirmed ground, and nothing else.
    let key = of("idempotency-key.present");
    assert_eq!((key.severity, key.evidence, key.rests_on.len()), (Severity::Fails, Evidence::Confirmed, 0));
}

#[tokio::test]
async fn what_needs_the_partners_side_is_not_judged_where_no_intent_was_declared() {
    let klarna = Klarna::start().await;
    klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "k-1")], &initial("t-1")).await;
    let read = klarna.control().findings(&ALPHA.into(), None).await.unwrap();
    for rule in ["network-data.byte-equal", "amount.as-intended", "authorize.unasked"] {
        assert!(!read.judged.contains_key(rule), "{rule}");
        assert!(read.not_judged[rule].contains("no intent was declared"), "{rule}");
    }
    assert!(read.judged.contains_key("idempotency-key.present"));
    assert!(!read.not_judged.contains_key("idempotency-key.present"));
    assert!(read.not_judged["webhook.answer"].contains("no webhook"));
}
