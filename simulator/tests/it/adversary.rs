//! Webhooks whose time, order, signature or content is against the acquirer: each word of the adversary.

use jiff::{SignedDuration, Timestamp};
use klarna_schemas::signature;
use klarna_schemas::simulator::control::{CustomerAct, PutSandbox, Registrations, ReleaseWebhooks, SetClock};
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Klarna, initial};
use crate::misbehaviour::Scene;
use crate::sink::{Received, Sink};

const ANY: &str = "payment.request.state-change.*";
const SUBMITTED: &str = "payment.request.state-change.submitted";
const IN_PROGRESS: &str = "payment.request.state-change.in-progress";
const EXPIRED: &str = "payment.request.state-change.expired";
const COMPLETED: &str = "payment.request.state-change.completed";

/// A scene whose clock stands still.
async fn frozen(pattern: &str) -> Scene {
    let scene = Scene::new(pattern).await;
    scene.klarna.control().set_clock(&ALPHA.into(), &SetClock::Freeze(true)).await.unwrap();
    scene
}

/// Lets the next such event misbehave.
async fn next(scene: &Scene, event_type: &str, word: &str, rest: Value) {
    let mut asked = json!({"misbehaviour": [word], "when": "next"});
    asked.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    assert_eq!(scene.send(event_type, asked).await.deliveries, 0);
}

/// The same, of any request.
async fn next_of_any(scene: &Scene, event_type: &str, word: &str) {
    let asked = json!({"event_type": event_type, "misbehaviour": [word], "when": "next"});
    let asked = serde_json::from_value(asked).unwrap();
    scene.klarna.control().send_webhook(&ALPHA.into(), &asked).await.unwrap();
}

async fn approve(scene: &Scene) {
    scene.klarna.act(&scene.submitted, CustomerAct::Approve).await;
}

fn state(received: &Received) -> String {
    received.json()["payload"]["state"].as_str().unwrap().to_owned()
}

/// Sandbox times of the attempts so far.
async fn times(scene: &Scene) -> Vec<Timestamp> {
    let entries = scene.klarna.journal("event:*").await.entries;
    entries.into_iter().map(|entry| entry.virtual_at).collect()
}

#[tokio::test]
async fn delayed_it_leaves_when_the_sandboxs_clock_says_so() {
    let mut scene = frozen(COMPLETED).await;
    next(&scene, COMPLETED, "delayed", json!({"delay": "PT1H"})).await;
    approve(&scene).await;
    scene.advance(SignedDuration::from_mins(59)).await;
    assert_eq!(times(&scene).await, Vec::<Timestamp>::new());
    scene.advance(SignedDuration::from_mins(1)).await;
    let received = scene.sink.next().await;
    assert!(scene.fits(&received));
    let happened: Timestamp = received.json()["metadata"]["occurred_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(times(&scene).await, [happened.checked_add(SignedDuration::from_hours(1)).unwrap()]);
    assert_eq!(scene.deliveries().await, [(Some("webhook delayed".to_owned()), 200)]);
}

#[tokio::test]
async fn replayed_late_the_same_bytes_come_again_in_due_time() {
    let mut scene = frozen(COMPLETED).await;
    next(&scene, COMPLETED, "replayed_late", json!({"delay": "PT2H"})).await;
    approve(&scene).await;
    let first = scene.sink.next().await;
    scene.klarna.awaited("event:*", 1).await;
    scene.advance(SignedDuration::from_hours(2)).await;
    let again = scene.sink.next().await;
    assert_eq!(again.body, first.body);
    assert_eq!(again.headers["klarna-signature"], first.headers["klarna-signature"]);
    let two_hours = SignedDuration::from_hours(2);
    let [one, other] = times(&scene).await.try_into().unwrap();
    assert_eq!(other.duration_since(one), two_hours);
    // What was sent already can come again late, too.
    let asked = json!({"misbehaviour": ["replayed_late"], "delay": "PT2H"});
    assert_eq!(scene.send(COMPLETED, asked).await.deliveries, 1);
    assert_eq!(times(&scene).await.len(), 2);
    scene.advance(two_hours).await;
    assert_eq!(scene.sink.next().await.body, first.body);
    let words = scene.deliveries().await.into_iter().map(|(fault, _)| fault).collect::<Vec<_>>();
    let late = Some("webhook replayed_late".to_owned());
    assert_eq!(words, [None, late.clone(), late]);
}

#[tokio::test]
async fn reordered_it_comes_when_the_next_one_has_been_answered() {
    let mut scene = frozen(ANY).await;
    assert_eq!(state(&scene.sink.next().await), "SUBMITTED");
    next(&scene, IN_PROGRESS, "reordered", json!({})).await;
    scene.sink.hold(true);
    approve(&scene).await;
    assert_eq!(state(&scene.sink.next().await), "COMPLETED");
    scene.sink.hold(false);
    let late = scene.sink.next().await;
    assert_eq!(state(&late), "IN_PROGRESS");
    assert!(scene.fits(&late));
    let entries = scene.klarna.awaited("event:*", 3).await.entries;
    let last = entries.last().unwrap();
    assert_eq!(
        (last.operation.as_str(), last.fault.as_deref()),
        ("event:payment.request.state-change.in-progress", Some("webhook reordered"))
    );
}

/// What comes behind the next event waits for that one's first attempt, and moves of the clock do not wait
/// for it.
#[tokio::test]
async fn reordered_behind_a_delayed_one_it_comes_in_due_time() {
    let mut scene = frozen(ANY).await;
    assert_eq!(state(&scene.sink.next().await), "SUBMITTED");
    next(&scene, IN_PROGRESS, "reordered", json!({})).await;
    next(&scene, COMPLETED, "delayed", json!({"delay": "PT30M"})).await;
    approve(&scene).await;
    scene.advance(SignedDuration::from_mins(29)).await;
    assert_eq!(scene.sink.left(), 0);
    scene.advance(SignedDuration::from_mins(1)).await;
    assert_eq!(state(&scene.sink.next().await), "COMPLETED");
    assert_eq!(state(&scene.sink.next().await), "IN_PROGRESS");
    // The move of the clock has brought about both.
    assert_eq!(scene.klarna.journal("event:*").await.entries.len(), 3);
}

#[tokio::test]
async fn reordered_behind_one_that_is_replayed_late_it_does_not_wait_for_the_copy() {
    let mut scene = frozen(ANY).await;
    assert_eq!(state(&scene.sink.next().await), "SUBMITTED");
    next(&scene, IN_PROGRESS, "reordered", json!({})).await;
    next(&scene, COMPLETED, "replayed_late", json!({"delay": "PT30M"})).await;
    approve(&scene).await;
    assert_eq!(state(&scene.sink.next().await), "COMPLETED");
    assert_eq!(state(&scene.sink.next().await), "IN_PROGRESS");
    scene.advance(SignedDuration::from_mins(30)).await;
    assert_eq!(state(&scene.sink.next().await), "COMPLETED");
}

#[tokio::test]
async fn reordered_behind_a_delayed_one_a_reset_takes_it_away() {
    let mut scene = frozen(ANY).await;
    assert_eq!(state(&scene.sink.next().await), "SUBMITTED");
    next(&scene, IN_PROGRESS, "reordered", json!({})).await;
    next(&scene, COMPLETED, "delayed", json!({"delay": "PT1H"})).await;
    approve(&scene).await;
    scene.klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    scene.advance(SignedDuration::from_hours(2)).await;
    assert_eq!(scene.sink.left(), 0);
}

#[tokio::test]
async fn reordered_behind_nothing_it_can_be_released() {
    let mut scene = frozen(COMPLETED).await;
    next(&scene, COMPLETED, "reordered", json!({})).await;
    approve(&scene).await;
    scene.advance(SignedDuration::from_mins(30)).await;
    assert_eq!(times(&scene).await.len(), 0);
    let all = ReleaseWebhooks::default();
    assert_eq!(scene.klarna.control().release_webhooks(&ALPHA.into(), &all).await.unwrap().deliveries, 1);
    assert_eq!(state(&scene.sink.next().await), "COMPLETED");
}

#[tokio::test]
async fn lost_it_never_comes_and_the_journal_says_so() {
    let mut scene = frozen(COMPLETED).await;
    next(&scene, COMPLETED, "lost", json!({})).await;
    approve(&scene).await;
    let entries = scene.klarna.awaited("event:*", 1).await.entries;
    assert_eq!(entries[0].fault.as_deref(), Some("webhook lost"));
    assert!(entries[0].response.is_none());
    scene.advance(SignedDuration::from_hours(48)).await;
    assert_eq!(scene.klarna.journal("event:*").await.entries.len(), 1);
    assert_eq!(scene.sink.left(), 0);
    assert_eq!(scene.found().await, Vec::<String>::new());
    // What was never sent cannot be repeated.
    let refused = scene.refused(COMPLETED, json!({"misbehaviour": ["duplicate"]})).await;
    assert!(refused.contains("nothing to repeat"), "{refused}");
}

#[tokio::test]
async fn before_the_response_the_caller_has_no_answer_yet() {
    let mut scene = Scene::new(SUBMITTED).await;
    scene.sink.next().await;
    let any = json!({"event_type": SUBMITTED, "misbehaviour": ["before_response"], "when": "next"});
    let any = serde_json::from_value(any).unwrap();
    scene.klarna.control().send_webhook(&ALPHA.into(), &any).await.unwrap();
    scene.sink.hold(true);
    let (klarna, sink) = (&scene.klarna, &mut scene.sink);
    let body = initial("t-2");
    let call = klarna.authorize(ALPHA, &[], &body);
    tokio::pin!(call);
    // The call is made; what comes first is the event, and not the answer.
    let event = tokio::select! {
        biased;
        answer = &mut call => panic!("the answer came before the event: {answer:?}"),
        event = sink.next() => event,
    };
    // As long as the event is not answered, so is the call not.
    let journal = klarna.journal("authorize");
    tokio::pin!(journal);
    let entries = tokio::select! {
        biased;
        answer = &mut call => panic!("the answer came before the event was taken: {answer:?}"),
        page = &mut journal => page.entries,
    };
    assert_eq!(entries.len(), 2, "the answer is written down, and held");
    sink.hold(false);
    let answer = call.await;
    assert_eq!(event.json()["payload"]["payment_request_id"], answer.request_id());
    let events = klarna.awaited("event:*", 2).await.entries;
    assert_eq!(events[1].fault.as_deref(), Some("webhook before_response"));
}

#[tokio::test]
async fn before_the_customer_is_sent_back_the_event_has_come() {
    let mut scene = Scene::new(COMPLETED).await;
    for by_page in [true, false] {
        let answer = scene.klarna.authorize(ALPHA, &[], &initial(&format!("p-{by_page}"))).await;
        next_of_any(&scene, COMPLETED, "before_response").await;
        scene.sink.hold(true);
        let (klarna, sink) = (&scene.klarna, &mut scene.sink);
        let journey = answer.journey();
        let act = async {
            if by_page {
                let form = [("act", "approve")];
                assert_eq!(klarna.http.post(journey).form(&form).send().await.unwrap().status(), 303);
            } else {
                klarna.act(&answer, CustomerAct::Approve).await;
            }
        };
        tokio::pin!(act);
        let event = tokio::select! {
            biased;
            () = &mut act => panic!("the customer was sent back before the event"),
            event = sink.next() => event,
        };
        assert_eq!(event.json()["payload"]["payment_request_id"], answer.request_id());
        sink.hold(false);
        act.await;
    }
    let words: Vec<_> = scene.deliveries().await.into_iter().filter_map(|(fault, _)| fault).collect();
    assert_eq!(words, ["webhook before_response"; 2]);
}

#[tokio::test]
async fn what_no_answer_waits_for_is_not_said_to_come_before_one() {
    let mut scene = frozen(EXPIRED).await;
    next_of_any(&scene, EXPIRED, "before_response").await;
    scene.advance(SignedDuration::from_hours(4)).await;
    let event = scene.sink.next().await;
    assert!(scene.fits(&event));
    assert_eq!(scene.deliveries().await, [(Some("webhook unplayed before_response".to_owned()), 200)]);
}

#[tokio::test]
async fn in_parallel_both_calls_are_open_at_once() {
    let mut scene = frozen(COMPLETED).await;
    next(&scene, COMPLETED, "parallel", json!({})).await;
    scene.sink.hold(true);
    approve(&scene).await;
    let (one, other) = (scene.sink.next().await, scene.sink.next().await);
    assert_eq!(one.body, other.body);
    assert_eq!(scene.klarna.journal("event:*").await.entries.len(), 0, "neither is answered");
    scene.sink.hold(false);
    scene.klarna.awaited("event:*", 2).await;
    assert_eq!(scene.found().await, Vec::<String>::new());
    // Again, and again two.
    let sent = scene.send(COMPLETED, json!({"misbehaviour": ["parallel"]})).await;
    assert_eq!((sent.deliveries, scene.sink.next().await.body), (2, one.body));
}

#[tokio::test]
async fn other_keys_than_the_webhooks() {
    let mut scene = Scene::new(COMPLETED).await;
    for word in ["old_key", "wrong_key"] {
        let refused = scene.refused(COMPLETED, json!({"misbehaviour": [word]})).await;
        assert!(refused.contains("409") && refused.contains("no key but its own"), "{refused}");
    }
    let second = scene.klarna.post("/v2/notification/signing-keys", &[], &Value::Null);
    let second = scene.klarna.send(second).await.body;
    let fits_second = |received: &Received| {
        let written = received.headers["klarna-signature"].to_str().unwrap();
        signature::verify(&second["signing_key"].as_str().unwrap().into(), &received.body, written)
    };
    scene.send(COMPLETED, json!({"misbehaviour": ["old_key"]})).await;
    let old = scene.sink.next().await;
    assert!(fits_second(&old) && !scene.fits(&old));
    assert_eq!(old.headers["klarna-signing-key-id"], second["signing_key_id"].as_str().unwrap());
    // That key is a true one: taking the event is no mistake.
    assert_eq!(scene.found().await, Vec::<String>::new());
    scene.send(COMPLETED, json!({"misbehaviour": ["wrong_key"]})).await;
    let wrong = scene.sink.next().await;
    assert!(fits_second(&wrong) && !scene.fits(&wrong));
    assert_eq!(wrong.headers["klarna-signing-key-id"], scene.key.as_str());
    assert_eq!(scene.found().await, ["webhook.forged-refused"]);
}

#[tokio::test]
async fn without_a_second_key_a_rules_event_is_sound_and_nobody_says_it_was_not() {
    let mut scene = Scene::new(SUBMITTED).await;
    scene.sink.next().await;
    for (index, word) in ["old_key", "wrong_key"].into_iter().enumerate() {
        let then = json!({"webhooks": [{"event_type": SUBMITTED, "misbehaviour": [word]}]});
        let rules = serde_json::from_value(json!({"rules": [{"name": "rotated", "then": then}]})).unwrap();
        scene.klarna.control().put_rules(&ALPHA.into(), &rules).await.unwrap();
        scene.klarna.authorize(ALPHA, &[], &initial(&format!("r-{index}"))).await;
        let event = scene.sink.next().await;
        assert!(scene.fits(&event), "{word}");
        let events = scene.klarna.awaited("event:*", index + 2).await.entries;
        let said = events.last().unwrap().fault.clone().unwrap();
        assert_eq!(said, format!("webhook unplayed {word}"));
    }
    // No later attempt, and no other misbehaviour, suffers by it.
    let then = json!({"webhooks": [{"event_type": SUBMITTED, "misbehaviour": ["old_key", "malformed"]}]});
    let rules = serde_json::from_value(json!({"rules": [{"name": "rotated", "then": then}]})).unwrap();
    scene.klarna.control().put_rules(&ALPHA.into(), &rules).await.unwrap();
    scene.klarna.authorize(ALPHA, &[], &initial("r-3")).await;
    let malformed = scene.sink.next().await;
    assert!(scene.fits(&malformed) && serde_json::from_slice::<Value>(&malformed.body).is_err());
}

#[tokio::test]
async fn before_anybody_has_called_a_second_key_is_asked_for_all_the_same() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    Sink::start().await.subscribe(&klarna, &[SUBMITTED]).await;
    for word in ["old_key", "wrong_key"] {
        let asked = json!({"event_type": SUBMITTED, "misbehaviour": [word], "when": "next"});
        let asked = serde_json::from_value(asked).unwrap();
        let refused = klarna.control().send_webhook(&ALPHA.into(), &asked).await.unwrap_err().to_string();
        assert!(refused.contains("409") && refused.contains("no key but its own"), "{refused}");
        klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await;
        klarna.control().send_webhook(&ALPHA.into(), &asked).await.unwrap();
        klarna
            .control()
            .forget_registrations("krn:partner:global:account:test:LOCALACQ", Registrations::Both)
            .await
            .unwrap();
        Sink::start().await.subscribe(&klarna, &[SUBMITTED]).await;
    }
}

#[tokio::test]
async fn altered_its_signature_is_of_what_it_was() {
    let mut scene = Scene::new(COMPLETED).await;
    scene.sink.answer(&[400]);
    scene
        .send(COMPLETED, json!({"misbehaviour": ["altered"], "payload_patch": {"state": "COMPLETED"}}))
        .await;
    let received = scene.sink.next().await;
    assert!(!scene.fits(&received));
    let mut before = received.json();
    before["payload"]["state"] = json!("SUBMITTED");
    let written = received.headers["klarna-signature"].to_str().unwrap();
    let secret = scene.secret.as_str().into();
    assert!(signature::verify(&secret, &serde_json::to_vec(&before).unwrap(), written));
    assert_eq!(scene.found().await, Vec::<String>::new());
    scene.send(COMPLETED, json!({"misbehaviour": ["altered"]})).await;
    let received = scene.sink.next().await;
    assert!(!scene.fits(&received));
    assert_eq!(received.json()["payload"]["altered"], true);
    // This one was taken.
    assert_eq!(scene.found().await, ["webhook.forged-refused"]);
}

#[tokio::test]
async fn a_type_that_nobody_has_heard_of() {
    let mut scene = Scene::new(COMPLETED).await;
    scene.send(COMPLETED, json!({"misbehaviour": ["unknown_event"]})).await;
    let received = scene.sink.next().await;
    assert!(scene.fits(&received));
    assert_eq!(received.json()["metadata"]["event_type"], "payment.request.state-change.unheard-of");
}

#[tokio::test]
async fn the_token_in_one_place_only() {
    let mut scene = Scene::new(COMPLETED).await;
    let places = |received: &Received| {
        let payload = &received.json()["payload"];
        let stands = |at: &Value| at["klarna_network_session_token"].is_string();
        (stands(payload), stands(&payload["state_context"]))
    };
    approve(&scene).await;
    scene.sink.next().await;
    for (word, expected) in
        [("token_only_in_payload", (true, false)), ("token_only_in_state_context", (false, true))]
    {
        scene.send(COMPLETED, json!({"misbehaviour": [word]})).await;
        let received = scene.sink.next().await;
        assert!(scene.fits(&received));
        assert_eq!(places(&received), expected, "{word}");
    }
}

#[tokio::test]
async fn a_misbehaviour_for_several_events_of_any_request() {
    let mut scene = frozen(ANY).await;
    scene.sink.next().await;
    let any = json!({"event_type": ANY, "misbehaviour": ["unsigned"], "when": "next", "times": 2});
    let any = serde_json::from_value(any).unwrap();
    scene.klarna.control().send_webhook(&ALPHA.into(), &any).await.unwrap();
    approve(&scene).await;
    for _ in 0..2 {
        assert!(!scene.sink.next().await.headers.contains_key("klarna-signature"));
    }
    scene.klarna.authorize(ALPHA, &[], &initial("t-2")).await;
    let third = scene.sink.next().await;
    assert!(scene.fits(&third));
}
