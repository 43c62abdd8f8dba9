//! Webhooks at the tester's word: out of turn, false, twice, or held.

use jiff::SignedDuration;
use klarna_schemas::signature;
use klarna_schemas::simulator::control::{
    CustomerAct, PutSandbox, Registrations, ReleaseWebhooks, SendWebhook, SetClock, WebhooksSent,
};
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, KEY, Klarna, initial};
use crate::sink::{Received, Sink};

const COMPLETED: &str = "payment.request.state-change.completed";
const CANCELED: &str = "payment.request.state-change.canceled";
const LOCAL: &str = "krn:partner:global:account:test:LOCALACQ";

/// A Klarna, a subscribed listener, and a request that is submitted.
pub(crate) struct Scene {
    pub(crate) klarna: Klarna,
    pub(crate) sink: Sink,
    pub(crate) secret: String,
    pub(crate) key: String,
    pub(crate) submitted: Answer,
}

impl Scene {
    pub(crate) async fn new(pattern: &str) -> Self {
        let klarna = Klarna::start().await;
        let sink = Sink::start().await;
        let key = klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await;
        let id = key.body["signing_key_id"].as_str().unwrap().to_owned();
        let webhook =
            json!({"url": sink.url, "event_types": [pattern], "event_version": "v2", "signing_key_id": id});
        let made = klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook)).await;
        assert_eq!(made.status, 201);
        let submitted = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
        let secret = key.body["signing_key"].as_str().unwrap().to_owned();
        Self { klarna, sink, secret, key: id, submitted }
    }

    fn asked(&self, event_type: &str, rest: &Value) -> SendWebhook {
        let mut body = json!({"payment_request_id": self.submitted.request_id(), "event_type": event_type});
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        serde_json::from_value(body).unwrap()
    }

    pub(crate) async fn send(&self, event_type: &str, rest: Value) -> WebhooksSent {
        let asked = self.asked(event_type, &rest);
        self.klarna.control().send_webhook(&ALPHA.into(), &asked).await.unwrap()
    }

    pub(crate) async fn refused(&self, event_type: &str, rest: Value) -> String {
        let asked = self.asked(event_type, &rest);
        self.klarna.control().send_webhook(&ALPHA.into(), &asked).await.unwrap_err().to_string()
    }

    pub(crate) fn fits(&self, received: &Received) -> bool {
        let Some(written) = received.headers.get("klarna-signature") else { return false };
        signature::verify(&self.secret.as_str().into(), &received.body, written.to_str().unwrap())
    }

    pub(crate) async fn advance(&self, by: SignedDuration) {
        self.klarna.control().set_clock(&ALPHA.into(), &SetClock::Advance(by)).await.unwrap();
    }

    /// Faults and statuses of all deliveries so far.
    pub(crate) async fn deliveries(&self) -> Vec<(Option<String>, u16)> {
        let entries = self.klarna.journal("event:*").await.entries;
        entries.into_iter().map(|entry| (entry.fault, entry.response.unwrap().status)).collect()
    }

    pub(crate) async fn found(&self) -> Vec<String> {
        let mut found = self.klarna.findings("e1p1").await;
        found.retain(|rule| rule.starts_with("webhook."));
        found
    }
}

#[tokio::test]
async fn a_sound_event_out_of_turn() {
    let mut scene = Scene::new(CANCELED).await;
    let sent =
        scene.send(CANCELED, json!({"payload_patch": {"state": "CANCELED", "previous_state": null}})).await;
    let received = scene.sink.next().await;
    assert!(scene.fits(&received));
    let event = received.json();
    assert_eq!(event["metadata"]["event_id"].as_str(), sent.event_id.as_deref());
    assert_eq!(
        (&event["payload"]["state"], event["metadata"]["event_type"].as_str()),
        (&json!("CANCELED"), Some(CANCELED))
    );
    assert_eq!(sent.deliveries, 1);
    assert_eq!(scene.deliveries().await, [(Some("webhook patched".to_owned()), 200)]);
    // Nobody subscribed to this one.
    assert_eq!(scene.send(COMPLETED, json!({})).await.deliveries, 0);
}

#[tokio::test]
async fn false_signatures_each_in_its_own_way() {
    let mut scene = Scene::new(COMPLETED).await;
    scene.sink.answer(&[400, 400, 400, 200]);
    let patch = json!({"state": "COMPLETED", "klarna_network_session_token": "canary"});
    for word in ["forged", "unknown_key", "unsigned"] {
        scene.send(COMPLETED, json!({"misbehaviour": [word], "payload_patch": patch})).await;
        let received = scene.sink.next().await;
        assert!(!scene.fits(&received), "{word}");
        assert_eq!(received.json()["payload"]["klarna_network_session_token"], "canary");
        let id = received.headers.get("klarna-signing-key-id").map(|id| id.to_str().unwrap() == scene.key);
        let expected = [("forged", Some(true)), ("unknown_key", Some(false)), ("unsigned", None)];
        assert!(expected.contains(&(word, id)), "{word}: {id:?}");
    }
    let faults = ["webhook forged", "webhook unknown_key", "webhook unsigned"]
        .map(|fault| (Some(fault.to_owned()), 400));
    assert_eq!(scene.deliveries().await, faults);
    // No attacker keeps to Klarna's schedule: nothing is tried again.
    scene.advance(SignedDuration::from_hours(48)).await;
    assert_eq!(scene.found().await, Vec::<String>::new());
}

#[tokio::test]
async fn taking_a_false_event_is_worth_a_warning() {
    let scene = Scene::new(COMPLETED).await;
    scene.send(COMPLETED, json!({"misbehaviour": ["forged"]})).await;
    assert_eq!(scene.found().await, ["webhook.forged-refused"]);
    let findings = scene.klarna.control().findings(&ALPHA.into(), Some("e1p1")).await.unwrap();
    let finding = findings.findings.iter().find(|finding| finding.rule == "webhook.forged-refused").unwrap();
    assert_eq!(finding.severity, klarna_schemas::simulator::finding::Severity::Warns);
    assert!(!findings.judged.contains_key("webhook.answer"), "{findings:?}");
}

#[tokio::test]
async fn a_duplicate_has_the_same_bytes_and_headers() {
    let mut scene = Scene::new(COMPLETED).await;
    let refused = scene.refused(COMPLETED, json!({"misbehaviour": ["duplicate"]})).await;
    assert!(refused.contains("409") && refused.contains("nothing to repeat"), "{refused}");
    scene.klarna.act(&scene.submitted, CustomerAct::Approve).await;
    let first = scene.sink.next().await;
    scene.klarna.awaited("event:*", 1).await;
    // What was forged is not what Klarna sent.
    scene.send(COMPLETED, json!({"misbehaviour": ["forged"]})).await;
    scene.sink.next().await;
    assert_eq!(scene.send(COMPLETED, json!({"misbehaviour": ["duplicate"]})).await.deliveries, 1);
    let again = scene.sink.next().await;
    assert_eq!(again.body, first.body);
    for name in ["klarna-signature", "klarna-signing-key-id", "content-type"] {
        assert_eq!(again.headers[name], first.headers[name]);
    }
}

#[tokio::test]
async fn the_next_event_is_held_until_it_is_released() {
    let mut scene = Scene::new("payment.request.state-change.*").await;
    assert_eq!(scene.sink.next().await.json()["payload"]["state"], "SUBMITTED");
    scene.send(COMPLETED, json!({"misbehaviour": ["held"], "when": "next"})).await;
    scene.klarna.act(&scene.submitted, CustomerAct::Approve).await;
    assert_eq!(scene.sink.next().await.json()["payload"]["state"], "IN_PROGRESS");
    // A later event passes the one that is held, and time does not free it.
    scene.advance(SignedDuration::from_mins(30)).await;
    assert_eq!(scene.klarna.journal(&format!("event:{COMPLETED}")).await.entries.len(), 0);
    let other = ReleaseWebhooks { event_type: Some(CANCELED.to_owned()), ..ReleaseWebhooks::default() };
    let control = scene.klarna.control();
    assert_eq!(control.release_webhooks(&ALPHA.into(), &other).await.unwrap().deliveries, 0);
    let all = ReleaseWebhooks::default();
    assert_eq!(control.release_webhooks(&ALPHA.into(), &all).await.unwrap().deliveries, 1);
    let released = scene.sink.next().await;
    assert!(scene.fits(&released));
    assert_eq!(released.json()["payload"]["state"], "COMPLETED");
    assert_eq!(scene.deliveries().await.last().unwrap(), &(Some("webhook held".to_owned()), 200));
    assert_eq!(control.release_webhooks(&ALPHA.into(), &all).await.unwrap().deliveries, 0);
}

#[tokio::test]
async fn the_next_event_comes_twice() {
    let mut scene = Scene::new(COMPLETED).await;
    scene.send(COMPLETED, json!({"misbehaviour": ["duplicate"], "when": "next"})).await;
    scene.klarna.act(&scene.submitted, CustomerAct::Approve).await;
    let (one, other) = (scene.sink.next().await, scene.sink.next().await);
    assert_eq!(one.body, other.body);
    assert!(scene.fits(&one) && scene.fits(&other));
}

#[tokio::test]
async fn a_refused_first_attempt_is_followed_by_a_sound_one() {
    let mut scene = Scene::new(COMPLETED).await;
    scene.klarna.control().set_clock(&ALPHA.into(), &SetClock::Freeze(true)).await.unwrap();
    scene.send(COMPLETED, json!({"misbehaviour": ["forged"], "when": "next"})).await;
    scene.sink.answer(&[400]);
    scene.klarna.act(&scene.submitted, CustomerAct::Approve).await;
    let forged = scene.sink.next().await;
    assert!(!scene.fits(&forged));
    scene.klarna.awaited("event:*", 1).await;
    scene.advance(SignedDuration::from_secs(10)).await;
    let sound = scene.sink.next().await;
    assert!(scene.fits(&sound));
    assert_eq!(scene.deliveries().await, [(Some("webhook forged".to_owned()), 400), (None, 200)]);
    assert_eq!(scene.found().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_reset_forgets_what_is_held_and_expected() {
    let mut scene = Scene::new(COMPLETED).await;
    scene.send(COMPLETED, json!({"misbehaviour": ["held"], "when": "next"})).await;
    scene.klarna.act(&scene.submitted, CustomerAct::Approve).await;
    scene.klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let all = ReleaseWebhooks::default();
    assert_eq!(scene.klarna.control().release_webhooks(&ALPHA.into(), &all).await.unwrap().deliveries, 0);
    assert_eq!(scene.sink.left(), 0);
}

#[tokio::test]
async fn what_makes_no_sense_is_told() {
    let scene = Scene::new(COMPLETED).await;
    let refused = scene.refused(COMPLETED, json!({"misbehaviour": ["forged", "unsigned"]})).await;
    assert!(refused.contains("400") && refused.contains("one of forged"), "{refused}");
    let refused = scene.refused(COMPLETED, json!({"misbehaviour": ["held"]})).await;
    assert!(refused.contains("400") && refused.contains("next"), "{refused}");
    let refused = scene.refused(COMPLETED, json!({"payment_request_id": "krn:nobody"})).await;
    assert!(refused.contains("404") && refused.contains("krn:nobody"), "{refused}");
    let url = scene.klarna.url(&format!("/_simulator/v1/sandboxes/{ALPHA}/webhooks"));
    let body = json!({"payment_request_id": "krn:r", "event_type": COMPLETED, "misbehavior": []});
    let answer = scene.klarna.send(scene.klarna.http.post(url).body(body.to_string())).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body["detail"].as_str().unwrap().contains("misbehavior"), "{answer:?}");
}

#[tokio::test]
async fn klarna_forgets_what_it_is_told_to() {
    let scene = Scene::new(COMPLETED).await;
    let klarna = &scene.klarna;
    let count = async |path: &str, list: &str| {
        let request = klarna.http.get(klarna.url(path)).header("authorization", KEY);
        klarna.send(request).await.body[list].as_array().unwrap().len()
    };
    let keys = async || count("/v2/notification/signing-keys", "signing_keys").await;
    let webhooks = async || count("/v2/notification/webhooks", "webhooks").await;
    klarna.control().forget_registrations(LOCAL, Registrations::SigningKeys).await.unwrap();
    assert_eq!((keys().await, webhooks().await), (0, 1));
    klarna.control().forget_registrations(LOCAL, Registrations::Both).await.unwrap();
    assert_eq!((keys().await, webhooks().await), (0, 0));
    assert_eq!(scene.send(COMPLETED, json!({})).await.deliveries, 0);
}

#[tokio::test]
async fn bodies_that_nobody_should_read() {
    let mut scene = Scene::new(COMPLETED).await;
    scene.sink.answer(&[400, 413, 400]);
    scene.send(COMPLETED, json!({"misbehaviour": ["malformed"]})).await;
    let cut = scene.sink.next().await;
    assert!(scene.fits(&cut) && serde_json::from_slice::<Value>(&cut.body).is_err());
    scene.send(COMPLETED, json!({"misbehaviour": ["oversized"]})).await;
    let large = scene.sink.next().await;
    assert!(scene.fits(&large) && large.body.len() > 2 << 20);
    scene.send(COMPLETED, json!({"metadata_patch": {"subject_account_id": "krn:other"}})).await;
    let foreign = scene.sink.next().await;
    assert!(scene.fits(&foreign));
    assert_eq!(foreign.json()["metadata"]["subject_account_id"], "krn:other");
    let faults = ["malformed", "oversized", "patched"].map(|word| Some(format!("webhook {word}")));
    let told: Vec<_> = scene.deliveries().await.into_iter().map(|(fault, _)| fault).collect();
    assert_eq!(told, faults);
    // An acquirer may refuse what Klarna would never send.
    assert_eq!(scene.found().await, Vec::<String>::new());
}
