//! Express shipping: the customer chooses it, and the amount that is to be finalised changes (contract
//! `payments.md` 2.6, 3.2).

use klarna_schemas::klarna::purchase_data::Shipping;
use klarna_schemas::money::MinorUnits;
use klarna_schemas::simulator::control::{ActAsCustomer, CustomerAct};
use reqwest::Method;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, Klarna, TOKEN, initial, last};
use crate::sink::Sink;

const REQUESTS: &str = "/v2/accounts/krn:partner:global:account:test:ALPHA001/payment/requests";

fn shipping(country: &str) -> Value {
    json!({
        "recipient": {"given_name": "Test", "family_name": "Person"},
        "address": {"street_address": "Gatan 1", "postal_code": "11122", "city": "Stockholm", "country": country},
        "shipping_option": {"shipping_type": "TO_DOOR", "shipping_type_attributes": ["TRACKED"], "shipping_carrier": "CARRIER"},
    })
}

fn editable() -> Value {
    json!({"mode": "EDITABLE", "supported_countries": ["SE", "NO"]})
}

/// A request with this `shipping_config`; its id and where the customer is led.
async fn request(klarna: &Klarna, config: Option<Value>) -> (String, String) {
    let mut body = json!({"currency": "SEK", "amount": 45_900});
    if let Some(config) = config {
        body["shipping_config"] = config;
    }
    let made = klarna.call(Method::POST, REQUESTS, &[], Some(&body)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let journey = &made.body["state_context"]["customer_interaction"]["payment_request_url"];
    (made.body["payment_request_id"].as_str().unwrap().to_owned(), journey.as_str().unwrap().to_owned())
}

/// What the control API says to a choice.
async fn choose(
    klarna: &Klarna,
    id: &str,
    act: CustomerAct,
    shipping: Option<Value>,
    amount: Option<i64>,
) -> Result<String, String> {
    let shipping: Option<Shipping> = shipping.map(|shipping| serde_json::from_value(shipping).unwrap());
    let body = ActAsCustomer {
        shipping,
        shipping_amount: amount.map(MinorUnits),
        ..ActAsCustomer::new(id.into(), act)
    };
    let acted = klarna.control().act(&ALPHA.into(), &body).await;
    acted.map(|acted| acted.state.to_string()).map_err(|error| error.to_string())
}

fn end(amount: i64) -> Value {
    json!({"currency": "SEK", "request_payment_transaction": {"amount": amount, "payment_transaction_reference": "t-1"}})
}

fn token(read: &Answer) -> &str {
    read.body["state_context"]["klarna_network_session_token"].as_str().unwrap()
}

#[tokio::test]
async fn what_the_customer_chose_is_shown_told_and_finalised() {
    let klarna = Klarna::start().await;
    let mut sink = Sink::start().await;
    let key = klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await;
    let webhook = json!({"url": sink.url, "event_types": ["payment.request.state-change.completed"],
        "event_version": "v2", "signing_key_id": key.body["signing_key_id"], "status": "ENABLED"});
    klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook)).await;
    for by_control in [true, false] {
        let (id, journey) = request(&klarna, Some(editable())).await;
        if by_control {
            let chosen = choose(&klarna, &id, CustomerAct::Approve, Some(shipping("se")), Some(4_900)).await;
            assert_eq!(chosen.as_deref(), Ok("COMPLETED"));
        } else {
            let act = json!({"act": "approve", "shipping": shipping("se"), "shipping_amount": 4_900});
            let acted = klarna.send(klarna.http.post(&journey).json(&act)).await;
            assert_eq!(acted.body["state"], "COMPLETED", "{acted:?}");
        }
        let read = klarna.get(&format!("{REQUESTS}/{id}")).await;
        assert_eq!(
            (&read.body["amount"], &read.body["state_context"]["shipping"]),
            (&json!(50_800), &shipping("se"))
        );
        assert_eq!(klarna_schemas::catalogue::check("klarna/payment-request", &read.body).unwrap(), []);
        let event = sink.next().await.json();
        assert_eq!(klarna_schemas::catalogue::check("klarna/payment-request-event", &event).unwrap(), []);
        let payload = &event["payload"];
        assert_eq!(
            (&payload["shipping"], &payload["state_context"]["shipping"]),
            (&shipping("se"), &shipping("se"))
        );
        let before = klarna.authorize(ALPHA, &[(TOKEN, token(&read))], &end(45_900)).await;
        assert_eq!(before.refusal(), (400, "VALIDATION_ERROR", "request_payment_transaction.amount"));
        assert_eq!(
            klarna.authorize(ALPHA, &[(TOKEN, token(&read))], &end(50_800)).await.result(),
            "APPROVED"
        );
        let amounts = klarna.findings(&id).await.into_iter().filter(|rule| rule == "final.amount-unchanged");
        assert_eq!(amounts.count(), 1, "of the first call only");
    }
}

#[tokio::test]
async fn a_final_call_about_the_amount_that_was_changed_meanwhile_is_right() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let path = format!("{REQUESTS}/{}", answer.request_id());
    let change = json!({"shipping_config": editable()});
    assert_eq!(klarna.call(Method::PATCH, &path, &[], Some(&change)).await.status, 200);
    choose(&klarna, &answer.request_id(), CustomerAct::Approve, Some(shipping("NO")), Some(4_900))
        .await
        .unwrap();
    let read = klarna.get(&path).await;
    let mut body = last("t-1");
    body["request_payment_transaction"]["amount"] = json!(50_800);
    assert_eq!(klarna.authorize(ALPHA, &[(TOKEN, token(&read))], &body).await.result(), "APPROVED");
    let findings = klarna.control().findings(&ALPHA.into(), Some("t-1")).await.unwrap();
    assert_eq!(findings.judged["final.amount-unchanged"], 1);
    let found = findings.findings.iter().find(|finding| finding.rule == "final.amount-unchanged");
    assert!(found.is_none(), "{found:?}");
}

#[tokio::test]
async fn a_choice_that_cannot_be_made_is_refused_and_changes_nothing() {
    use CustomerAct::{Approve, Leave, Open, Refuse};
    let klarna = Klarna::start().await;
    let to = |country: &str| Some(shipping(country));
    let cases = [
        (None, Approve, to("SE"), Some(1), "EDITABLE"),
        (Some(json!({"mode": "READ_ONLY"})), Approve, to("SE"), None, "EDITABLE"),
        (Some(editable()), Approve, to("DE"), Some(1), "DE is none of the supported countries SE, NO"),
        (Some(editable()), Approve, None, Some(1), "goes with shipping"),
        (Some(editable()), Approve, to("SE"), Some(-1), "0 or more"),
        (Some(editable()), Approve, to("SE"), Some(2_147_483_647), "2147483647 in all"),
        (Some(editable()), Approve, to("SE"), Some(i64::MAX), "2147483647 in all"),
        (Some(editable()), Open, to("SE"), None, "approve"),
        (Some(editable()), Refuse, to("SE"), None, "approve"),
        (Some(editable()), Leave, to("SE"), None, "approve"),
    ];
    for (config, act, shipping, amount, why) in cases {
        let (id, journey) = request(&klarna, config).await;
        let refused = choose(&klarna, &id, act, shipping.clone(), amount).await.unwrap_err();
        let by_schema = refused.contains("shipping_amount: must be at ");
        assert!((refused.contains(why) || by_schema) && refused.contains("400"), "{why} in {refused}");
        let body = json!({"act": act, "shipping": shipping, "shipping_amount": amount});
        let refused = klarna.send(klarna.http.post(&journey).json(&body)).await;
        assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", "shipping"), "{why}");
        let read = klarna.get(&format!("{REQUESTS}/{id}")).await;
        assert_eq!(
            (&read.body["state"], &read.body["amount"]),
            (&json!("SUBMITTED"), &json!(45_900)),
            "{why}"
        );
    }
    let (_, journey) = request(&klarna, Some(editable())).await;
    for (name, value) in [("shipping", json!("home")), ("shipping_amount", json!("4900"))] {
        let refused =
            klarna.send(klarna.http.post(&journey).json(&json!({"act": "approve", name: value}))).await;
        assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", name));
    }
    // Approved again with another choice: it is what it was.
    let (id, _) = request(&klarna, Some(editable())).await;
    for amount in [100, 200] {
        assert!(choose(&klarna, &id, Approve, to("SE"), Some(amount)).await.is_ok());
        assert_eq!(klarna.get(&format!("{REQUESTS}/{id}")).await.body["amount"], 46_000);
    }
}
