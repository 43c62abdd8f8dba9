//! Wishes of a tester that nothing could grant are refused, each with what helps.

use klarna_schemas::simulator::control::PutSandbox;
use klarna_simulator::Simulator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, KEY, Klarna, initial};

const SUBMITTED: &str = "payment.request.state-change.submitted";

async fn started() -> Klarna {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna
}

async fn ask(klarna: &Klarna, method: Method, path: &str, body: Value) -> Answer {
    let path = format!("/_simulator/v1/sandboxes/{ALPHA}{path}");
    klarna.call(method, &path, &[], Some(&body)).await
}

#[tokio::test]
async fn for_webhooks_to_come() {
    let klarna = started().await;
    let whole = json!({"event_type": SUBMITTED, "misbehaviour": ["unsigned"], "when": "next"});
    for (changes, said) in [
        (json!({"event_type": "payment.request.submited"}), "did you mean payment."),
        (json!({"times": 1001}), "times"),
        (json!({"misbehaviour": ["unsigned", "unsigned"]}), "misbehaviour"),
        (json!({"misbehaviour": []}), "name at least one, or a patch"),
        (json!({"misbehaviour": null}), "misbehaviour"),
        (json!({"misbehaviour": ["forged", "unsigned"]}), "docs/webhooks.md says what goes together"),
        (json!({"misbehaviour": ["delayed"], "delay": "PT80000000H"}), "at most PT168H"),
        (json!({"misbehaviour": ["replayed_late"], "delay": "169h"}), "at most PT168H"),
    ] {
        let mut body = whole.clone();
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let refused = ask(&klarna, Method::POST, "/webhooks", body).await;
        assert_eq!(refused.status, 400, "{changes}: {}", refused.body);
        assert!(refused.body.to_string().contains(said), "{changes}: {}", refused.body);
    }
    let patched = json!({"event_type": SUBMITTED, "payload_patch": {}, "when": "next", "times": 1000});
    assert_eq!(ask(&klarna, Method::POST, "/webhooks", patched).await.status, 200);
    let week =
        json!({"event_type": SUBMITTED, "misbehaviour": ["delayed"], "delay": "PT168H", "when": "next"});
    assert_eq!(ask(&klarna, Method::POST, "/webhooks", week).await.status, 200);
}

#[tokio::test]
async fn for_webhooks_at_once() {
    let klarna = started().await;
    let request = klarna.authorize(ALPHA, &[], &initial("t-1")).await.request_id();
    let sent = async |event_type: &str, misbehaviour: Value| {
        let body =
            json!({"payment_request_id": request, "event_type": event_type, "misbehaviour": misbehaviour});
        ask(&klarna, Method::POST, "/webhooks", body).await
    };
    let mistyped = "payment.request.state-change.completd";
    let evolved = "payment.request.introduced-later";
    for (event_type, misbehaviour, said) in [
        (mistyped, json!([]), "did you mean payment.request.state-change.completed?"),
        (mistyped, json!(["unknown_event"]), "did you mean payment.request.state-change.completed?"),
        (mistyped, json!(["duplicate"]), "did you mean payment.request.state-change.completed?"),
        ("nonsense", json!([]), "unknown_event"),
        (evolved, json!([]), "Klarna sends no event"),
        ("payment.request.*", json!([]), "add \\\"when\\\": \\\"next\\\""),
        ("payment.transaction.captured", json!([]), "is not about a Payment Request"),
    ] {
        let refused = sent(event_type, misbehaviour).await;
        assert_eq!(refused.status, 400, "{event_type}: {}", refused.body);
        assert!(refused.body.to_string().contains(said), "{event_type}: {}", refused.body);
    }
    for sound in [SUBMITTED, "payment.request.state-change.expired", "payment.request.updated"] {
        assert_eq!(sent(sound, json!([])).await.status, 200, "{sound}");
    }
    assert_eq!(sent(SUBMITTED, json!(["unknown_event"])).await.status, 200);
    // Known, and nothing of it was sent that could come again.
    for unsent in ["payment.transaction.captured", evolved] {
        assert_eq!(sent(unsent, json!(["duplicate"])).await.status, 409, "{unsent}");
    }
}

#[tokio::test]
async fn for_evolution_and_for_what_waits_too_long() {
    let klarna = started().await;
    let twice = json!({"kinds": ["extra_fields", "extra_fields"]});
    assert_eq!(ask(&klarna, Method::PUT, "/evolution", twice).await.status, 400);
    let late = json!({"event_type": SUBMITTED, "misbehaviour": ["delayed"], "delay": "PT80000000H"});
    let later = json!({"act": "approve", "after": "PT169H"});
    for then in [json!({"webhooks": [late]}), json!({"customer": [later]})] {
        let rules = json!({"rules": [{"name": "a", "then": then}]});
        let refused = ask(&klarna, Method::PUT, "/rules", rules).await;
        assert_eq!(refused.status, 400, "{then}");
        assert!(refused.body.to_string().contains("at most PT168H"), "{}", refused.body);
        let refused = ask(&klarna, Method::POST, "/outcomes", json!([then])).await;
        assert_eq!(refused.status, 400, "{then}");
    }
    let request = klarna.authorize(ALPHA, &[], &initial("t-1")).await.request_id();
    let act = json!({"payment_request_id": request, "act": "approve", "after": "PT169H"});
    let refused = ask(&klarna, Method::POST, "/customer", act).await;
    assert!(refused.status == 400 && refused.body.to_string().contains("PT168H"), "{}", refused.body);
}

#[tokio::test]
async fn for_which_authorize_of_what_is_none() {
    let klarna = started().await;
    let fault =
        |operation: &str| json!({"operation": operation, "on": "final", "kind": "status", "status": 418});
    let refused = ask(&klarna, Method::POST, "/faults", fault("presentation.read")).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.to_string().contains("only an authorize is initial or final"), "{}", refused.body);
    // Of a pattern, `on` means the authorize calls, and only those are met.
    assert_eq!(ask(&klarna, Method::POST, "/faults", fault("*")).await.status, 200);
    let read = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/krn:r")).await;
    assert_eq!(read.status, 404);
    let journey =
        ask(&klarna, Method::POST, "/faults", json!({"operation": "journey.open", "kind": "stall"}));
    let refused = journey.await.body.to_string();
    assert!(refused.contains("cannot be met by a fault") && !refused.contains("there is no"), "{refused}");
}

#[tokio::test]
async fn a_fault_meets_a_call_that_cannot_be_read() {
    let klarna = started().await;
    for (kind, body) in [("text/plain", "{}"), ("application/json", "{"), ("application/json", "")] {
        let fault = json!({"operation": "authorize", "kind": "status", "status": 503});
        assert_eq!(ask(&klarna, Method::POST, "/faults", fault).await.status, 200);
        let statuses = async || {
            let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
            let call = klarna.http.post(url).header("authorization", format!("Basic {KEY}"));
            call.header("content-type", kind).body(body).send().await.unwrap().status().as_u16()
        };
        assert_eq!([statuses().await, statuses().await], [503, 400], "{kind} {body}");
    }
    let entry = &klarna.journal("authorize").await.entries[0];
    assert_eq!(entry.fault.as_deref(), Some("status 503"));
}

#[tokio::test]
async fn a_sandbox_can_do_without_the_evolution_of_the_rules_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.toml");
    std::fs::write(&file, "version = 1\nevolution = [\"another_2xx\"]\n").unwrap();
    let klarna = Klarna::of(Simulator::builder().rules(file)).await;
    let put = async || klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let status = async |reference| klarna.authorize(ALPHA, &[], &initial(reference)).await.status;
    put().await;
    assert_eq!(status("t-1").await, 201);
    let none = ask(&klarna, Method::PUT, "/evolution", json!({"kinds": []})).await;
    assert_eq!(none.body, json!({"kinds": []}));
    assert_eq!(status("t-2").await, 200);
    // What the sandbox's own rules say later holds, and so does the file after a reset.
    let rules = json!({"evolution": ["new_headers"]});
    assert_eq!(ask(&klarna, Method::PUT, "/rules", rules).await.status, 200);
    assert_eq!(status("t-3").await, 201);
    ask(&klarna, Method::PUT, "/evolution", json!({"kinds": []})).await;
    put().await;
    assert_eq!(status("t-4").await, 201);
}

#[tokio::test]
async fn what_is_armed_and_what_waits_can_be_looked_at() {
    let klarna = started().await;
    let fault = json!({"operation": "authorize", "kind": "status", "status": 503, "times": 2});
    ask(&klarna, Method::POST, "/faults", fault).await;
    for (index, word) in ["held", "unsigned"].into_iter().enumerate() {
        let wish =
            json!({"event_type": SUBMITTED, "misbehaviour": [word], "when": "next", "times": index + 1});
        assert_eq!(ask(&klarna, Method::POST, "/webhooks", wish).await.status, 200);
    }
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.status, 503);
    let armed = klarna.control().armed_faults(&ALPHA.into()).await.unwrap().faults;
    assert_eq!(armed.iter().map(|one| one.times).collect::<Vec<_>>(), [1]);
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.status, 503);
    assert!(klarna.control().armed_faults(&ALPHA.into()).await.unwrap().faults.is_empty());
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let waiting = klarna.control().waiting_webhooks(&ALPHA.into()).await.unwrap();
    let [next] = &waiting.next[..] else { panic!("{waiting:?}") };
    assert_eq!((next.wish.misbehaviour[0].as_str(), next.wish.times), ("unsigned", Some(2)));
    let [held] = &waiting.held[..] else { panic!("{waiting:?}") };
    assert_eq!((held.event_type.as_str(), held.payment.as_str()), (SUBMITTED, "e1p1"));
    let of_account = klarna.control().armed_account_faults("krn:partner:global:account:test:LOCALACQ").await;
    assert!(of_account.unwrap().faults.is_empty());
}
