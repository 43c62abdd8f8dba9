//! Payment Requests without an authorize before them: made, changed, and led to a payment.

use klarna_schemas::simulator::control::CustomerAct;
use reqwest::Method;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, BETA, Klarna, TOKEN};
use crate::sink::Sink;

/// The smallest body that a real client sends, and a full one.
fn smallest() -> Value {
    json!({"currency": "SEK", "amount": 45_900, "customer_interaction_config": {"return_url": "https://shop.example/"}})
}

fn full() -> Value {
    json!({
        "currency": "SEK",
        "amount": 45_900,
        "payment_request_reference": "pr-1",
        "supplementary_purchase_data": {
            "purchase_reference": "ORDER-1",
            "line_items": [{"name": "Trail shoe", "quantity": 1, "total_amount": 45_900}],
        },
        "customer_interaction_config": {
            "method": "HANDOVER",
            "return_url": "https://shop.example/?pr={klarna.payment_request.id}",
            "interaction_expiry": {"duration": "PT30M"},
        },
        "payment_option_id": "S0xBUk5B",
        "payment_program_enablement_codes": ["CODE"],
        "shipping_config": {"mode": "EDITABLE", "supported_countries": ["SE"]},
        "klarna_network_data": "{}",
    })
}

const NAMED: &str = "/v2/accounts/krn:partner:global:account:test:ALPHA001/payment/requests";
const OWN: &str = "/v2/payment/requests";

async fn call(klarna: &Klarna, method: Method, path: &str, key: Option<&str>, body: &Value) -> Answer {
    let key: Vec<_> = key.map(|key| ("Klarna-Idempotency-Key", key)).into_iter().collect();
    klarna.call(method, path, &key, Some(body)).await
}

async fn create(klarna: &Klarna, body: &Value) -> Answer {
    call(klarna, Method::POST, NAMED, None, body).await
}

fn id(answer: &Answer) -> String {
    answer.body["payment_request_id"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_as_documented(answer: &Answer) {
    let violations = klarna_schemas::catalogue::check("klarna/payment-request", &answer.body).unwrap();
    assert!(violations.is_empty(), "{violations:?} in {answer:?}");
}

#[tokio::test]
async fn a_request_is_made_and_leads_to_a_payment() {
    let klarna = Klarna::start().await;
    for body in [smallest(), full()] {
        let made = create(&klarna, &body).await;
        assert_eq!((made.status, made.body["state"].as_str()), (201, Some("SUBMITTED")), "{made:?}");
        assert_as_documented(&made);
        let interaction = &made.body["state_context"]["customer_interaction"];
        let journey = interaction["payment_request_url"].as_str().unwrap();
        assert!(klarna.http.get(journey).send().await.unwrap().status().is_success());
        klarna
            .control()
            .act_as_customer(&ALPHA.into(), &id(&made).as_str().into(), CustomerAct::Approve)
            .await
            .unwrap();
        let read = klarna.get(&format!("{NAMED}/{}", id(&made))).await;
        let token = read.body["state_context"]["klarna_network_session_token"].as_str().unwrap();
        let last = json!({"currency": "SEK", "request_payment_transaction": {"amount": 45_900, "payment_transaction_reference": "t"}});
        let finalised = klarna.authorize(ALPHA, &[(TOKEN, token)], &last).await;
        assert_eq!(finalised.result(), "APPROVED");
    }
}

#[tokio::test]
async fn what_was_sent_is_shown() {
    let klarna = Klarna::start().await;
    let made = create(&klarna, &full()).await;
    for name in
        ["payment_request_reference", "supplementary_purchase_data", "shipping_config", "payment_option_id"]
    {
        assert_eq!(made.body[name], full()[name], "{name}");
    }
    let ends: jiff::Timestamp = made.body["expires_at"].as_str().unwrap().parse().unwrap();
    let made_at: jiff::Timestamp = made.body["created_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(ends.duration_since(made_at), jiff::SignedDuration::from_mins(30));
}

#[tokio::test]
async fn a_partner_with_its_own_key_needs_no_account_in_the_path() {
    let klarna = Klarna::start().await;
    let made = call(&klarna, Method::POST, OWN, None, &smallest()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let read = klarna.get(&format!("{OWN}/{}", id(&made))).await;
    assert_eq!(read.body["payment_request_id"], made.body["payment_request_id"]);
    // The account that the key belongs to, named: the same request.
    let named = klarna
        .get(&format!("/v2/accounts/krn:partner:global:account:test:LOCALACQ/payment/requests/{}", id(&made)))
        .await;
    assert_eq!(named.status, 200);
    let elsewhere = klarna.get(&format!("{NAMED}/{}", id(&made))).await;
    assert_eq!(elsewhere.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
}

#[tokio::test]
async fn what_is_left_out_of_an_update_stays_by_patch_and_by_put() {
    let klarna = Klarna::start().await;
    let mut sink = Sink::start().await;
    let key = klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await;
    let webhook = json!({"url": sink.url, "event_types": ["payment.request.updated"], "event_version": "v2",
        "signing_key_id": key.body["signing_key_id"], "status": "ENABLED"});
    klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook)).await;
    for method in [Method::PATCH, Method::PUT] {
        let made = create(&klarna, &full()).await;
        let path = format!("{NAMED}/{}", id(&made));
        let change = json!({"amount": 50_000, "payment_request_reference": "pr-2"});
        let updated = call(&klarna, method.clone(), &path, None, &change).await;
        assert_eq!(updated.status, 200, "{updated:?}");
        assert_as_documented(&updated);
        assert_eq!(updated.body["amount"], 50_000);
        assert_eq!(updated.body["payment_request_reference"], "pr-2");
        assert_eq!(updated.body["state"], "SUBMITTED");
        for name in ["currency", "supplementary_purchase_data", "customer_interaction_config", "expires_at"] {
            assert_eq!(updated.body[name], made.body[name], "{method} {name}");
        }
        let event = sink.next().await.json();
        assert_eq!(event["metadata"]["event_type"], "payment.request.updated");
        assert_eq!(event["payload"]["payment_request_id"], made.body["payment_request_id"]);
        let read = klarna.get(&path).await;
        assert_eq!(read.body["amount"], 50_000);
    }
}

#[tokio::test]
async fn only_a_submitted_request_can_be_changed() {
    let klarna = Klarna::start().await;
    for act in [CustomerAct::Open, CustomerAct::Approve, CustomerAct::Refuse] {
        let made = create(&klarna, &full()).await;
        klarna.control().act_as_customer(&ALPHA.into(), &id(&made).as_str().into(), act).await.unwrap();
        let path = format!("{NAMED}/{}", id(&made));
        let refused = call(&klarna, Method::PATCH, &path, None, &json!({"amount": 1})).await;
        assert_eq!(refused.refusal(), (403, "OPERATION_FORBIDDEN", ""), "{act:?}");
        assert_eq!(klarna.get(&path).await.body["amount"], 45_900);
    }
}

#[tokio::test]
async fn a_key_makes_one_request_even_for_twins() {
    let klarna = Klarna::start().await;
    let body = full();
    let twin = || call(&klarna, Method::POST, NAMED, Some("key-1"), &body);
    let twins = futures::future::join_all((0..16).map(|_| twin())).await;
    let first = id(&twins[0]);
    assert!(twins.iter().all(|twin| twin.status == 201 && id(twin) == first), "{twins:?}");
    let other = call(&klarna, Method::POST, NAMED, Some("key-1"), &smallest()).await;
    assert_eq!(other.refusal(), (409, "RESOURCE_CONFLICT", ""));
    // The same key on another path is another call.
    let path = format!("{NAMED}/{first}");
    let change = json!({"amount": 50_000});
    assert_eq!(call(&klarna, Method::PATCH, &path, Some("key-1"), &change).await.status, 200);
    let again = call(&klarna, Method::PATCH, &path, Some("key-1"), &change).await;
    assert_eq!((again.status, again.body["amount"].as_i64()), (200, Some(50_000)));
    let entries = klarna.journal("payment_request.update").await.entries;
    let rules: Vec<_> = entries.iter().map(|entry| entry.rule.as_deref()).collect();
    assert_eq!(rules, [None, Some("replay")]);
    let long = "k".repeat(256);
    let refused = call(&klarna, Method::POST, NAMED, Some(&long), &full()).await;
    assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", "Klarna-Idempotency-Key"));
}

#[tokio::test]
async fn the_older_way_to_name_the_end_still_works() {
    let klarna = Klarna::start().await;
    let now: jiff::Timestamp =
        create(&klarna, &smallest()).await.body["created_at"].as_str().unwrap().parse().unwrap();
    let soon = now.checked_add(jiff::SignedDuration::from_hours(5)).unwrap();
    let day = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let longest = jiff::SignedDuration::from_hours(48);
    for (older, hours) in
        [(soon.to_string(), 5), (day.tomorrow().unwrap().to_string(), 48), ("2099-01-31".to_owned(), 48)]
    {
        let mut body = smallest();
        body["payment_request_expires_at"] = json!(older);
        let made = create(&klarna, &body).await;
        assert_eq!(made.status, 201, "{older}: {made:?}");
        let ends: jiff::Timestamp = made.body["expires_at"].as_str().unwrap().parse().unwrap();
        let made_at: jiff::Timestamp = made.body["created_at"].as_str().unwrap().parse().unwrap();
        let life = ends.duration_since(made_at);
        assert!(life <= longest && life <= jiff::SignedDuration::from_hours(hours), "{older}: {life}");
        assert!(life > jiff::SignedDuration::from_hours(4), "{older}: {life}");
    }
    let mut body = smallest();
    body["payment_request_expires_at"] = json!("2020-01-31");
    assert_eq!(
        create(&klarna, &body).await.refusal(),
        (400, "VALIDATION_ERROR", "payment_request_expires_at")
    );
}

/// Field, what stands there (`null`: it is taken out), and the parameter that is to blame.
fn slips() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("currency", json!("KRONA"), "currency"),
        ("currency", json!(752), "currency"),
        ("amount", json!("45900"), "amount"),
        ("amount", json!(0), "amount"),
        ("amount", json!(2_147_483_648_u64), "amount"),
        ("amount", json!(1.5), "amount"),
        ("payment_request_reference", json!(""), "payment_request_reference"),
        ("payment_request_reference", json!("x".repeat(256)), "payment_request_reference"),
        ("supplementary_purchase_data", json!([]), "supplementary_purchase_data"),
        ("customer_interaction_config", json!("HANDOVER"), "customer_interaction_config"),
        (
            "customer_interaction_config",
            json!({"interaction_expiry": {"duration": "PT1M"}}),
            "customer_interaction_config.interaction_expiry",
        ),
        (
            "customer_interaction_config",
            json!({"interaction_expiry": {"duration": "P1Y"}}),
            "customer_interaction_config.interaction_expiry.duration",
        ),
        ("klarna_network_data", json!({"a": 1}), "klarna_network_data"),
        ("shipping_config", json!(1), "shipping_config"),
        ("payment_request_expires_at", json!("tomorrow"), "payment_request_expires_at"),
    ]
}

#[tokio::test]
async fn each_wrong_field_is_named_and_nothing_is_made_or_changed() {
    let klarna = Klarna::start().await;
    for missing in ["currency", "amount"] {
        let mut body = full();
        body.as_object_mut().unwrap().remove(missing).unwrap();
        assert_eq!(create(&klarna, &body).await.refusal(), (400, "VALIDATION_ERROR", missing));
    }
    for (field, value, parameter) in slips() {
        let mut body = full();
        body[field] = value.clone();
        let refused = create(&klarna, &body).await;
        assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", parameter), "create {field} = {value}");
    }
    assert!(klarna.journal("event:*").await.entries.is_empty(), "nothing was made");
    let made = create(&klarna, &full()).await;
    let path = format!("{NAMED}/{}", id(&made));
    for (field, value, parameter) in slips() {
        let change = json!({field: value});
        let refused = call(&klarna, Method::PATCH, &path, None, &change).await;
        assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", parameter), "update {change}");
    }
    let currency = json!({"currency": "EUR"});
    let refused = call(&klarna, Method::PATCH, &path, None, &currency).await;
    assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", "amount"));
    let half_sound = json!({"currency": "EUR", "customer_interaction_config": {"interaction_expiry": {"duration": "PT45M"}}});
    let refused = call(&klarna, Method::PATCH, &path, None, &half_sound).await;
    assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", "amount"));
    assert_eq!(klarna.get(&path).await.body, made.body, "nothing was changed");
    let mut unknown = full();
    unknown["unheard_of"] = json!(1);
    assert_eq!(create(&klarna, &unknown).await.status, 201);
}

#[tokio::test]
async fn requests_of_others_and_of_nobody_are_not_there() {
    let klarna = Klarna::start().await;
    let made = create(&klarna, &full()).await;
    let beta = format!("/v2/accounts/{BETA}/payment/requests/{}", id(&made));
    let nobody = format!("{NAMED}/krn:payment:eu1:request:00000000-0000-4000-8000-000000000000");
    for path in [beta, nobody] {
        for method in [Method::GET, Method::PATCH, Method::PUT, Method::DELETE] {
            let answer = call(&klarna, method.clone(), &path, None, &json!({"amount": 1})).await;
            assert_eq!(answer.refusal(), (404, "RESOURCE_NOT_FOUND", ""), "{method} {path}");
        }
    }
    let foreign = klarna.http.get(klarna.url(&format!("{NAMED}/{}", id(&made))));
    let foreign = klarna.send(foreign.header("authorization", "Basic klarna_test_api_another")).await;
    assert_eq!(foreign.refusal(), (403, "OPERATION_FORBIDDEN", ""));
    assert_eq!(klarna.get(&format!("{NAMED}/{}", id(&made))).await.body, made.body);
}
