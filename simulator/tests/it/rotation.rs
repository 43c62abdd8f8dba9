//! Webhooks that are changed, signing keys that take turns, and calls that are made twice.

use klarna_schemas::signature;
use klarna_schemas::simulator::control::{PutSandbox, Registrations, SetClock};
use reqwest::Method;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, Klarna, initial};
use crate::sink::{Received, Sink};

const KEYS: &str = "/v2/notification/signing-keys";
const WEBHOOKS: &str = "/v2/notification/webhooks";

async fn call(klarna: &Klarna, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    klarna.call(method, path, headers, (!body.is_null()).then_some(body)).await
}

/// A new signing key: id and secret.
async fn new_key(klarna: &Klarna) -> (String, String) {
    let made = call(klarna, Method::POST, KEYS, &[], &Value::Null).await;
    let text = |name: &str| made.body[name].as_str().unwrap().to_owned();
    (text("signing_key_id"), text("signing_key"))
}

fn webhook(url: &str, key: &str) -> Value {
    json!({"url": url, "event_types": ["payment.request.state-change.submitted"], "event_version": "v2",
        "signing_key_id": key, "status": "ENABLED"})
}

async fn subscribed(klarna: &Klarna, url: &str, key: &str) -> String {
    let made = call(klarna, Method::POST, WEBHOOKS, &[], &webhook(url, key)).await;
    format!("{WEBHOOKS}/{}", made.body["webhook_id"].as_str().unwrap())
}

#[track_caller]
fn assert_signed(received: &Received, (id, secret): &(String, String)) {
    assert_eq!(received.headers["klarna-signing-key-id"], id.as_str());
    let claimed = received.headers["klarna-signature"].to_str().unwrap();
    assert!(signature::verify(&secret.as_str().into(), &received.body, claimed));
}

/// Contract `webhooks-and-network-data.md` A.4: make, patch, keep accepting the old one, delete it.
#[tokio::test]
async fn keys_take_turns_and_what_is_under_way_keeps_its_own() {
    let klarna = Klarna::start().await;
    let mut sink = Sink::start().await;
    let (old, new) = (new_key(&klarna).await, new_key(&klarna).await);
    let path = subscribed(&klarna, &sink.url, &old.0).await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.control().set_clock(&ALPHA.into(), &SetClock::Freeze(true)).await.unwrap();
    sink.answer(&[503]);
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let first = sink.next().await;
    assert_signed(&first, &old);
    let patched = call(&klarna, Method::PATCH, &path, &[], &json!({"signing_key_id": new.0})).await;
    assert_eq!((patched.status, patched.body["signing_key_id"].as_str()), (200, Some(new.0.as_str())));
    assert_eq!(patched.body["url"], sink.url, "what is left out stays");
    // The repeat of what had begun has the same bytes and the old key; what begins now has the new one.
    klarna
        .control()
        .set_clock(&ALPHA.into(), &SetClock::Advance(jiff::SignedDuration::from_secs(10)))
        .await
        .unwrap();
    let again = sink.next().await;
    assert_signed(&again, &old);
    assert_eq!(again.body, first.body);
    klarna.authorize(ALPHA, &[], &initial("t-2")).await;
    assert_signed(&sink.next().await, &new);
    let deleted = call(&klarna, Method::DELETE, &format!("{KEYS}/{}", old.0), &[], &Value::Null).await;
    assert_eq!(deleted.status, 204);
    // A key that a webhook still uses can be deleted, too: the webhook goes on signing with it.
    let deleted = call(&klarna, Method::DELETE, &format!("{KEYS}/{}", new.0), &[], &Value::Null).await;
    assert_eq!(deleted.status, 204);
    klarna.authorize(ALPHA, &[], &initial("t-3")).await;
    assert_signed(&sink.next().await, &new);
}

#[tokio::test]
async fn a_webhook_is_changed_field_by_field() {
    let klarna = Klarna::start().await;
    let sink = Sink::start().await;
    let key = new_key(&klarna).await;
    let path = subscribed(&klarna, &sink.url, &key.0).await;
    for (field, value) in [
        ("url", json!("https://acquirer.example/events")),
        ("event_types", json!(["payment.*", "settlement.*"])),
        ("status", json!("DISABLED")),
    ] {
        let before = klarna.get(&path).await.body;
        let patched = call(&klarna, Method::PATCH, &path, &[], &json!({field: value})).await;
        assert_eq!((patched.status, &patched.body[field]), (200, &value));
        for (name, kept) in before.as_object().unwrap() {
            if name != field {
                assert_eq!(&patched.body[name], kept, "{field} changed {name}");
            }
        }
        assert_eq!(klarna.get(&path).await.body, patched.body);
    }
    assert_eq!(call(&klarna, Method::PATCH, &path, &[], &json!({})).await.status, 200);
}

#[tokio::test]
async fn a_change_that_is_none_is_refused_and_changes_nothing() {
    let klarna = Klarna::start().await;
    let sink = Sink::start().await;
    let key = new_key(&klarna).await;
    let path = subscribed(&klarna, &sink.url, &key.0).await;
    let twin = subscribed(&klarna, "https://acquirer.example/events", &key.0).await;
    let before = klarna.get(&path).await.body;
    for (change, refusal) in [
        (json!({"url": "http://acquirer.example"}), (400, "VALIDATION_ERROR", "url")),
        (json!({"url": 7}), (400, "VALIDATION_ERROR", "url")),
        (json!({"event_types": "payment.*"}), (400, "VALIDATION_ERROR", "event_types")),
        (json!({"event_types": [""]}), (400, "VALIDATION_ERROR", "event_types[0]")),
        (json!({"signing_key_id": "krn:nothing"}), (404, "RESOURCE_NOT_FOUND", "")),
        (json!({"status": 1}), (400, "VALIDATION_ERROR", "status")),
        (json!({"url": "https://acquirer.example/events"}), (409, "RESOURCE_CONFLICT", "")),
        (json!([]), (400, "VALIDATION_ERROR", "$")),
    ] {
        let refused = call(&klarna, Method::PATCH, &path, &[], &change).await;
        assert_eq!(refused.refusal(), refusal, "{change}");
    }
    assert_eq!(klarna.get(&path).await.body, before);
    let other = [("authorization", "Basic klarna_test_api_another")];
    let request = klarna.http.patch(klarna.url(&twin)).header(other[0].0, other[0].1).body("{}");
    assert_eq!(klarna.send(request).await.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
}

#[tokio::test]
async fn a_key_makes_one_thing_even_for_twins() {
    let klarna = Klarna::start().await;
    let key = [("Klarna-Idempotency-Key", "k-1")];
    let twins =
        futures::future::join_all((0..16).map(|_| call(&klarna, Method::POST, KEYS, &key, &Value::Null)))
            .await;
    assert!(twins.iter().all(|twin| twin.status == 201 && twin.body == twins[0].body), "{twins:?}");
    assert!(twins[0].body["signing_key"].is_string(), "the secret comes again with its call");
    let id = twins[0].body["signing_key_id"].as_str().unwrap();
    assert_eq!(klarna.get(KEYS).await.body["signing_keys"].as_array().unwrap().len(), 1);
    let body = webhook("https://acquirer.example/a", id);
    let first = call(&klarna, Method::POST, WEBHOOKS, &key, &body).await;
    assert_eq!(first.status, 201, "the same key on another path is another call");
    assert_eq!(call(&klarna, Method::POST, WEBHOOKS, &key, &body).await.body, first.body);
    let other = call(&klarna, Method::POST, WEBHOOKS, &key, &webhook("https://acquirer.example/b", id)).await;
    assert_eq!(other.refusal(), (409, "RESOURCE_CONFLICT", ""));
    assert_eq!(klarna.get(WEBHOOKS).await.body["webhooks"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_webhook_is_tried_out_with_every_event_of_the_catalogue() {
    let klarna = Klarna::start().await;
    let mut sink = Sink::start().await;
    let key = new_key(&klarna).await;
    let path = subscribed(&klarna, &sink.url, &key.0).await;
    let try_out = format!("{path}/simulate");
    for event_type in klarna_schemas::klarna::webhook::EVENT_TYPES {
        let asked = json!({"event_type": event_type, "event_version": "v2"});
        let tried = call(&klarna, Method::POST, &try_out, &[], &asked).await;
        assert_eq!(tried.status, 202, "{event_type}: {tried:?}");
        let received = sink.next().await;
        assert_signed(&received, &key);
        let event = received.json();
        assert_eq!(event["metadata"]["event_type"], *event_type);
        assert_eq!(event["metadata"]["event_id"], tried.body["event_id"]);
        assert!(klarna_schemas::catalogue::check("klarna/webhook-envelope", &event).unwrap().is_empty());
    }
    // The same call again is not sent again.
    let once = [("Klarna-Idempotency-Key", "k-1")];
    let asked = json!({"event_type": "payment.request.updated"});
    let first = call(&klarna, Method::POST, &try_out, &once, &asked).await;
    let received = sink.next().await.json();
    assert_eq!(call(&klarna, Method::POST, &try_out, &once, &asked).await.body, first.body);
    let last = call(&klarna, Method::POST, &try_out, &[], &asked).await;
    let next = sink.next().await.json();
    assert_eq!(received["metadata"]["event_id"], first.body["event_id"]);
    assert_eq!(next["metadata"]["event_id"], last.body["event_id"], "nothing came in between");
}

#[tokio::test]
async fn what_cannot_be_tried_out_is_refused() {
    let klarna = Klarna::start().await;
    let sink = Sink::start().await;
    let key = new_key(&klarna).await;
    let path = format!("{}/simulate", subscribed(&klarna, &sink.url, &key.0).await);
    for wrong in [
        json!({}),
        json!({"event_type": "payment.*"}),
        json!({"event_type": 7}),
        json!({"event_type": "payment.request.state-change.prepared"}),
    ] {
        let refused = call(&klarna, Method::POST, &path, &[], &wrong).await;
        assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", "event_type"), "{wrong}");
    }
    let nowhere = format!("{WEBHOOKS}/krn:nothing/simulate");
    let asked = json!({"event_type": "payment.request.updated"});
    let refused = call(&klarna, Method::POST, &nowhere, &[], &asked).await;
    assert_eq!(refused.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
}

#[tokio::test]
async fn a_key_does_not_bring_back_what_klarna_has_forgotten() {
    let klarna = Klarna::start().await;
    let key = [("Klarna-Idempotency-Key", "k-1")];
    let first = call(&klarna, Method::POST, KEYS, &key, &Value::Null).await;
    klarna
        .control()
        .forget_registrations("krn:partner:global:account:test:LOCALACQ", Registrations::Both)
        .await
        .unwrap();
    let second = call(&klarna, Method::POST, KEYS, &key, &Value::Null).await;
    assert_eq!(second.status, 201);
    assert_ne!(second.body["signing_key_id"], first.body["signing_key_id"]);
    let read = klarna.get(&format!("{KEYS}/{}", second.body["signing_key_id"].as_str().unwrap())).await;
    assert_eq!(read.status, 200);
}

#[tokio::test]
async fn strictly_a_webhook_is_https_on_klarnas_ports() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "listen = \"127.0.0.1:0\"\n[webhooks]\nstrict_urls = true\n").unwrap();
    let settings = klarna_simulator::config::Settings::load(Some(file.path())).unwrap();
    let klarna = Klarna::of(klarna_simulator::Simulator::builder().settings(settings)).await;
    let key = new_key(&klarna).await;
    for url in ["http://127.0.0.1:9/x", "https://acquirer.example:8080/x"] {
        let refused = call(&klarna, Method::POST, WEBHOOKS, &[], &webhook(url, &key.0)).await;
        assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", "url"), "{url}");
    }
    let path = subscribed(&klarna, "https://acquirer.example:8443/x", &key.0).await;
    let moved = json!({"url": "https://acquirer.example:9443/x"});
    let refused = call(&klarna, Method::PATCH, &path, &[], &moved).await;
    assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", "url"));
}
