//! Payment Requests that a customer token completes at once, and payment tokens that are given up
//! (contract `payments.md` 3.1).

use klarna_schemas::simulator::control::{
    CustomerAct, MintSessionToken, MintedTokenState, PutSandbox, SetClock,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, BETA, Klarna, TOKEN, initial, last};
use crate::sink::Sink;

const CUSTOMER_TOKEN: &str = "Klarna-Customer-Token";
const NAMED: &str = "/v2/accounts/krn:partner:global:account:test:ALPHA001/payment";
const OWN: &str = "/v2/payment";

/// A token that a customer has consented to.
async fn customer_token(klarna: &Klarna) -> String {
    let mut body = initial("t-consent");
    body["request_customer_token"] = json!({"scopes": ["payment:customer_present"]});
    body.as_object_mut().unwrap().remove("request_payment_transaction");
    let asked = klarna.authorize(ALPHA, &[], &body).await;
    klarna.act(&asked, CustomerAct::Approve).await;
    let read = klarna.get(&format!("{NAMED}/requests/{}", asked.request_id())).await;
    read.body["state_context"]["klarna_customer"]["customer_token"].as_str().unwrap().to_owned()
}

async fn create(klarna: &Klarna, headers: &[(&str, &str)], more: Value) -> Answer {
    let mut body = json!({"currency": "SEK", "amount": 45_900});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    klarna.call(Method::POST, &format!("{NAMED}/requests"), headers, Some(&body)).await
}

async fn give_up(klarna: &Klarna, payment: &str, token: &str) -> Answer {
    klarna.call(Method::DELETE, &format!("{payment}/tokens/{token}"), &[], None).await
}

/// A sink that is told of all that happens to Payment Requests.
async fn sink(klarna: &Klarna) -> Sink {
    let sink = Sink::start().await;
    let key = klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await;
    let webhook = json!({"url": sink.url, "event_types": ["payment.request.state-change.*"], "event_version": "v2",
        "signing_key_id": key.body["signing_key_id"], "status": "ENABLED"});
    assert_eq!(klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook)).await.status, 201);
    sink
}

/// Payloads of the next events, by the state that they tell of: deliveries run side by side.
async fn told(sink: &mut Sink, events: usize) -> std::collections::BTreeMap<String, Value> {
    let mut told = std::collections::BTreeMap::new();
    for _ in 0..events {
        let payload = sink.next().await.json()["payload"].clone();
        told.insert(payload["state"].as_str().unwrap().to_owned(), payload);
    }
    told
}

#[tokio::test]
async fn a_customer_token_completes_a_request_at_once() {
    let klarna = Klarna::start().await;
    let token = customer_token(&klarna).await;
    let mut sink = sink(&klarna).await;
    let headers = [(CUSTOMER_TOKEN, token.as_str()), ("Klarna-Idempotency-Key", "k-1")];
    let made = create(&klarna, &headers, json!({})).await;
    assert_eq!((made.status, made.body["state"].as_str()), (201, Some("COMPLETED")), "{made:?}");
    assert_eq!(klarna_schemas::catalogue::check("klarna/payment-request", &made.body).unwrap(), []);
    let context = &made.body["state_context"];
    assert!(context["customer_interaction"].is_null(), "nobody is to be led anywhere: {context}");
    let session = context["klarna_network_session_token"].as_str().unwrap();
    let told = told(&mut sink, 2).await;
    assert_eq!(told.keys().collect::<Vec<_>>(), ["COMPLETED", "SUBMITTED"]);
    assert_eq!(told["COMPLETED"]["payment_request_id"], made.body["payment_request_id"]);
    assert_eq!(told["COMPLETED"]["state_context"]["klarna_network_session_token"], session);
    // The same call again is the same request.
    assert_eq!(create(&klarna, &headers, json!({})).await.body, made.body);
    let end = json!({"currency": "SEK", "request_payment_transaction": {"amount": 45_900, "payment_transaction_reference": "t-1"}});
    assert_eq!(klarna.authorize(ALPHA, &[(TOKEN, session)], &end).await.result(), "APPROVED");
}

#[tokio::test]
async fn without_a_known_customer_token_the_customer_is_asked_or_the_call_refused() {
    let klarna = Klarna::start().await;
    let token = customer_token(&klarna).await;
    for (value, more, expected) in [
        (None, json!({}), "SUBMITTED"),
        (Some(""), json!({}), "SUBMITTED"),
        // A new consent is the customer's own.
        (
            Some(token.as_str()),
            json!({"request_customer_token": {"scopes": ["customer:login"]}}),
            "SUBMITTED",
        ),
    ] {
        let headers: Vec<_> = value.map(|value| (CUSTOMER_TOKEN, value)).into_iter().collect();
        let made = create(&klarna, &headers, more).await;
        assert_eq!((made.status, made.body["state"].as_str()), (201, Some(expected)), "{made:?}");
    }
    let before = klarna.journal("payment_request.create").await.entries.len();
    let refused = create(&klarna, &[(CUSTOMER_TOKEN, "krn:nothing")], json!({})).await;
    assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", CUSTOMER_TOKEN));
    let entries = klarna.journal("payment_request.create").await.entries;
    assert_eq!(entries.len(), before + 1);
    assert_eq!(entries.last().unwrap().payment, None, "nothing was made");
}

#[tokio::test]
async fn an_unused_token_is_given_up_under_both_of_its_names() {
    let klarna = Klarna::start().await;
    let mut sink = sink(&klarna).await;
    for (index, name) in ["payment_token", "klarna_network_session_token"].into_iter().enumerate() {
        let reference = format!("t-{index}");
        let (answer, session) = klarna.completed(&reference).await;
        told(&mut sink, 3).await;
        let path = format!("{NAMED}/requests/{}", answer.request_id());
        let token = klarna.get(&path).await.body["state_context"][name].as_str().unwrap().to_owned();
        let done = give_up(&klarna, NAMED, &token).await;
        assert_eq!((done.status, &done.body), (204, &Value::Null), "{name}");
        let read = klarna.get(&path).await;
        assert_eq!(
            (&read.body["state"], &read.body["state_reason"]),
            (&json!("CANCELED"), &json!("PARTNER_CANCELED"))
        );
        assert_eq!(told(&mut sink, 1).await["CANCELED"]["payment_request_id"], answer.request_id());
        // As late as any call with a token that is over, and gone.
        let late = klarna.authorize(ALPHA, &[(TOKEN, &session)], &last(&reference)).await;
        assert_eq!(late.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
        assert_eq!(give_up(&klarna, NAMED, &token).await.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
        let findings = klarna.findings(&reference).await;
        assert!(!findings.contains(&"final.missing".to_owned()), "{findings:?}");
    }
    let entry = &klarna.journal("payment_token.cancel").await.entries[0];
    assert_eq!((entry.payment.as_deref(), entry.response.as_ref().unwrap().status), (Some("e1p1"), 204));
}

#[tokio::test]
async fn a_token_before_a_payment_is_given_up_and_names_nothing_then() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    for state in [MintedTokenState::Unused, MintedTokenState::Completed] {
        let minted = MintSessionToken { length: None, state };
        let minted = klarna.control().mint_session_token(&ALPHA.into(), &minted).await.unwrap();
        let token = minted.klarna_network_session_token;
        assert_eq!(give_up(&klarna, NAMED, &token).await.status, 204, "{state:?}");
        let late = klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-1")).await;
        assert_eq!(late.refusal(), (400, "VALIDATION_ERROR", TOKEN), "{state:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_used_or_nobodys_or_another_accounts_or_too_old_stays_as_it_is() {
    let klarna = Klarna::start().await;
    let (_, used) = klarna.completed("t-1").await;
    let first = klarna.authorize(ALPHA, &[(TOKEN, &used)], &last("t-1")).await;
    assert_eq!(first.result(), "APPROVED");
    assert_eq!(give_up(&klarna, NAMED, &used).await.refusal(), (409, "RESOURCE_CONFLICT", ""));
    assert_eq!(klarna.authorize(ALPHA, &[(TOKEN, &used)], &last("t-1")).await.body, first.body);
    let (_, token) = klarna.completed("t-2").await;
    let beta = NAMED.replace(ALPHA, BETA);
    for (payment, token) in [(NAMED, "krn:nothing"), (beta.as_str(), token.as_str()), (OWN, token.as_str())] {
        let refused = give_up(&klarna, payment, token).await;
        assert_eq!(refused.refusal(), (404, "RESOURCE_NOT_FOUND", ""), "{payment}");
        assert!(!refused.body.to_string().contains(token), "a token is a secret: {refused:?}");
    }
    assert_eq!(klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-2")).await.result(), "APPROVED");
    let (_, old) = klarna.completed("t-3").await;
    let later = SetClock::Advance(jiff::SignedDuration::from_mins(61));
    klarna.control().set_clock(&ALPHA.into(), &later).await.unwrap();
    assert_eq!(give_up(&klarna, NAMED, &old).await.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
}

#[tokio::test]
async fn a_partner_with_its_own_key_gives_up_a_token_without_naming_its_account() {
    let klarna = Klarna::start().await;
    let body = json!({"currency": "SEK", "amount": 45_900});
    let made = klarna.call(Method::POST, &format!("{OWN}/requests"), &[], Some(&body)).await;
    let id = made.body["payment_request_id"].as_str().unwrap();
    let own = "krn:partner:global:account:test:LOCALACQ";
    klarna.control().act_as_customer(&own.into(), &id.into(), CustomerAct::Approve).await.unwrap();
    let read = klarna.get(&format!("{OWN}/requests/{id}")).await;
    let token = read.body["state_context"]["payment_token"].as_str().unwrap();
    assert_eq!(give_up(&klarna, OWN, token).await.status, 204);
}
