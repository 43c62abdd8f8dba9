//! Webhooks by way of the proxy: the acquirer sees its own URL, Klarna the proxy's.

use klarna_conformance::mutants::MutantProxy;
use klarna_schemas::signature::{sign, verify};
use reqwest::Client;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::scripted::{Answers, Got, Party};
use super::{AUTHORIZE, authorize, before, http};

/// Klarna, an acquirer that has registered through the proxy, and the URL that Klarna knows.
struct Registered {
    klarna: Party,
    acquirer: Party,
    proxy: MutantProxy,
    http: Client,
    events: String,
}

impl Registered {
    async fn start(defect: &str) -> Self {
        let (klarna, acquirer) =
            (Party::start(Answers::klarna()).await, Party::start(Answers::taken()).await);
        let (proxy, http) = (before(defect, &klarna).await, http());
        http.post(format!("{}v2/notification/signing-keys", proxy.base_url())).send().await.unwrap();
        let own = format!("{}klarna/events?of=me", acquirer.base_url);
        let webhook =
            json!({"url": own, "event_types": ["payment.*"], "signing_key_id": "krn:key:1"}).to_string();
        let url = format!("{}v2/notification/webhooks", proxy.base_url());
        let made = http.post(url).body(webhook).send().await.unwrap();
        assert_eq!(made.status(), 201);
        let made: Value = serde_json::from_str(&made.text().await.unwrap()).unwrap();
        assert_eq!(made["url"], own, "the acquirer sees its own URL");
        let got = klarna.last().json();
        assert_eq!(
            (&got["event_types"], &got["signing_key_id"]),
            (&json!(["payment.*"]), &json!("krn:key:1"))
        );
        let events = got["url"].as_str().unwrap().to_owned();
        Self { klarna, acquirer, proxy, http, events }
    }

    /// What Klarna sends reaches the acquirer so.
    async fn event(&self, body: &str, headers: &[(&str, &str)]) -> Got {
        let mut request = self.http.post(&self.events).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        assert_eq!(request.send().await.unwrap().status(), 202, "the acquirer's answer is handed back");
        let got = self.acquirer.last();
        assert_eq!(got.line, "POST /klarna/events?of=me");
        got
    }
}

fn secret() -> SecretString {
    SecretString::from("secret-å")
}

#[tokio::test]
async fn each_side_sees_the_url_that_it_knows() {
    for defect in ["webhook-signature-unchecked", "approved-on-return-alone"] {
        let side = Registered::start(defect).await;
        assert!(side.events.starts_with(side.proxy.base_url().as_str()), "{}", side.events);
        let read = async |path: &str| {
            let url = format!("{}v2/notification/webhooks{path}", side.proxy.base_url());
            let text = side.http.get(url).send().await.unwrap().text().await.unwrap();
            serde_json::from_str::<Value>(&text).unwrap()
        };
        let own = format!("{}klarna/events?of=me", side.acquirer.base_url);
        let listed = read("").await;
        assert_eq!(listed["webhooks"][0]["url"], own);
        assert_eq!(listed["webhooks"][1]["url"], "https://by.hand/events", "not through the proxy");
        assert_eq!(read("/krn:webhook:1").await["url"], own);
    }
}

#[tokio::test]
async fn what_klarna_must_refuse_it_is_to_see() {
    let klarna = Party::start(Answers::klarna()).await;
    let (proxy, http) = (before("webhook-signature-unchecked", &klarna).await, http());
    for wrong in [r#"{"url":"no url", "x":1.0}"#, r#"{"url":7}"#, "[]", "no json"] {
        http.post(format!("{}v2/notification/webhooks", proxy.base_url())).body(wrong).send().await.ok();
        assert_eq!(klarna.last().body, wrong.as_bytes());
    }
}

#[tokio::test]
async fn every_event_reaches_the_acquirer_well_signed() {
    let side = Registered::start("webhook-signature-unchecked").await;
    let body = "{ \"metadata\":{\"event_id\":\"1\"}, \"n\":1.0 }\n";
    let right = sign(&secret(), body.as_bytes());
    for headers in [
        &[("Klarna-Signature", "00"), ("Klarna-Signing-Key-Id", "krn:key:1")][..],
        &[("Klarna-Signature", right.as_str()), ("Klarna-Signing-Key-Id", "krn:key:of-nobody")],
        &[],
    ] {
        let got = side.event(body, headers).await;
        assert_eq!(got.body, body.as_bytes());
        assert_eq!(got.header("klarna-signing-key-id"), "krn:key:1");
        assert!(verify(&secret(), &got.body, got.header("klarna-signature")));
    }
}

#[tokio::test]
async fn an_event_passes_other_defects_as_it_is() {
    let side = Registered::start("approved-on-return-alone").await;
    let got =
        side.event("{ \"n\":1.0 }", &[("Klarna-Signature", "00"), ("Klarna-Signing-Key-Id", "none")]).await;
    assert_eq!((&got.body[..], got.header("klarna-signature")), (&b"{ \"n\":1.0 }"[..], "00"));
}

#[tokio::test]
async fn an_acquirer_that_is_gone_gives_klarna_no_answer() {
    let mut side = Registered::start("webhook-signature-unchecked").await;
    let at = side.acquirer.base_url.clone();
    side.acquirer = Party::start(Answers::taken()).await;
    assert_ne!(side.acquirer.base_url, at);
    let error = side.http.post(&side.events).body("{}").send().await.unwrap_err();
    assert!(!error.is_status() && !error.is_connect(), "{error:?}");
}

const OWN_RETURN: &str = "https://acquirer.example/back/1?s={klarna.payment_request.state}&x={unknown}";

fn initial() -> String {
    let config = json!({"method": "HANDOVER", "return_url": OWN_RETURN, "app_return_url": "shop://back"});
    json!({
        "currency": "SEK",
        "request_payment_transaction": {"amount": 5, "payment_transaction_reference": "tx-1"},
        "step_up_config": {"customer_interaction_config": config},
    })
    .to_string()
}

fn finally() -> String {
    let transaction = json!({"amount": 5, "payment_transaction_reference": "tx-1"});
    json!({"currency": "SEK", "request_payment_transaction": transaction}).to_string()
}

/// The return URL that Klarna was given, with the state put in as Klarna does.
fn hop(klarna: &Party, state: &str) -> String {
    let got = klarna.last().json();
    let config = &got["step_up_config"]["customer_interaction_config"];
    assert_eq!(config["app_return_url"], "shop://back");
    config["return_url"].as_str().unwrap().replace("{klarna.payment_request.state}", state)
}

#[tokio::test]
async fn a_return_is_taken_for_an_approval() {
    let side = Registered::start("approved-on-return-alone").await;
    authorize(&side.proxy, &side.http, &initial(), None, Some("k1")).await;
    let first = side.klarna.last().body;
    authorize(&side.proxy, &side.http, &initial(), None, Some("k1")).await;
    assert_eq!(side.klarna.last().body, first, "a repeated call is the same call");
    let url = hop(&side.klarna, "SUBMITTED");
    assert!(url.starts_with(side.proxy.base_url().as_str()), "{url}");

    let payload = json!({"payment_request_id": "krn:request:1", "state": "SUBMITTED", "state_reason": "X"});
    let metadata = json!({"event_id": "e-1", "recipient_account_id": "krn:me", "webhook_id": "w"});
    let event = json!({"metadata": metadata, "payload": payload}).to_string();
    let signature = sign(&secret(), event.as_bytes());
    side.event(&event, &[("Klarna-Signature", &signature), ("Klarna-Signing-Key-Id", "krn:key:1")]).await;

    // The page waits for the final call that the event brings about, and only then lets go.
    let visit = tokio::spawn({
        let (http, url) = (side.http.clone(), url.clone());
        async move { http.get(url).send().await.unwrap() }
    });
    let played = side.acquirer.nth(2).await;
    assert!(verify(&secret(), &played.body, played.header("klarna-signature")));
    let event = played.json();
    assert_eq!(event["metadata"]["event_type"], "payment.request.state-change.completed");
    assert_eq!(event["metadata"]["recipient_account_id"], "krn:me");
    assert_eq!(event["payload"]["state"], "COMPLETED");
    assert_eq!(event["payload"]["state_reason"], Value::Null);
    let token = event["payload"]["klarna_network_session_token"].as_str().unwrap();
    assert_eq!(event["payload"]["state_context"]["klarna_network_session_token"], token);

    // Whoever reads the request before the final call finds the same.
    let path = AUTHORIZE.replace("authorize", "requests/krn:request:1");
    let read = side.http.get(format!("{}{path}", side.proxy.base_url())).send().await.unwrap();
    let read: Value = serde_json::from_str(&read.text().await.unwrap()).unwrap();
    assert_eq!((&read["state"], &read["amount"]), (&json!("COMPLETED"), &json!(5)));
    assert_eq!(read["state_context"]["klarna_network_session_token"], token);

    let calls = side.klarna.seen().len();
    let (_, answer) = authorize(&side.proxy, &side.http, &finally(), Some(token), Some("k2")).await;
    assert!(answer.contains("APPROVED") && side.klarna.seen().len() == calls, "{answer}");
    let gone = visit.await.unwrap();
    assert_eq!(gone.status(), 303);
    assert_eq!(gone.headers()["location"], "https://acquirer.example/back/1?s=SUBMITTED&x={unknown}");
    // Once is enough.
    let again = side.http.get(url).send().await.unwrap();
    assert_eq!((again.status().as_u16(), side.acquirer.last().body), (303, played.body));
}

#[tokio::test]
async fn a_return_after_klarnas_approval_changes_nothing() {
    let side = Registered::start("approved-on-return-alone").await;
    authorize(&side.proxy, &side.http, &initial(), None, Some("k1")).await;
    let gone = side.http.get(hop(&side.klarna, "COMPLETED")).send().await.unwrap();
    assert_eq!(gone.headers()["location"], "https://acquirer.example/back/1?s=COMPLETED&x={unknown}");
    assert!(side.acquirer.seen().is_empty());
    let (_, answer) = authorize(&side.proxy, &side.http, &finally(), Some("of Klarna"), Some("k2")).await;
    assert!(answer.contains("APPROVED"));
    assert_eq!(side.klarna.last().header("klarna-network-session-token"), "of Klarna");
}
