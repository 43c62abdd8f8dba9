//! The control API: strict about what it is told, and awaitable.

use klarna_schemas::simulator::control::{JournalQuery, PutSandbox, SetClock};
use klarna_simulator::control::client::ControlError;
use serde_json::json;

use crate::klarna::{ALPHA, Klarna, initial};

#[tokio::test]
async fn a_reset_opens_a_new_epoch_and_the_journal_goes_on() {
    let klarna = Klarna::start().await;
    let control = klarna.control();
    let made = control
        .put_sandbox(&ALPHA.into(), &PutSandbox { seed: Some(3), ..PutSandbox::default() })
        .await
        .unwrap();
    assert_eq!((made.epoch, made.seed), (1, 3));
    let first = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let again = control
        .put_sandbox(&ALPHA.into(), &PutSandbox { seed: Some(3), ..PutSandbox::default() })
        .await
        .unwrap();
    assert_eq!(again.epoch, 2);
    let gone = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", first.request_id())).await;
    assert_eq!(gone.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
    klarna.authorize(ALPHA, &[], &initial("t-2")).await;
    let epochs: Vec<_> = klarna.journal("authorize").await.entries.iter().map(|entry| entry.epoch).collect();
    assert_eq!(epochs, [1, 2]);
}

#[tokio::test]
async fn the_same_seed_and_calls_give_the_same_ids() {
    let mut ids = Vec::new();
    for seed in [3, 3, 4] {
        let klarna = Klarna::start().await;
        klarna
            .control()
            .put_sandbox(&ALPHA.into(), &PutSandbox { seed: Some(seed), ..PutSandbox::default() })
            .await
            .unwrap();
        let (answer, token) = klarna.completed("t-1").await;
        ids.push((answer.request_id(), token));
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}

#[tokio::test]
async fn the_journal_can_be_awaited_and_says_when_nothing_came() {
    let klarna = Klarna::start().await;
    let control = klarna.control();
    control.put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let query = |wait_ms| JournalQuery {
        operation: Some("authorize".to_owned()),
        wait_ms: Some(wait_ms),
        ..JournalQuery::default()
    };
    let empty = control.journal(&ALPHA.into(), &query(1)).await.unwrap();
    assert!(empty.timed_out && empty.entries.is_empty());
    let account = ALPHA.into();
    let awaited = query(10_000);
    let body = initial("t-1");
    let (page, _) = tokio::join!(control.journal(&account, &awaited), klarna.authorize(ALPHA, &[], &body));
    let page = page.unwrap();
    assert_eq!((page.entries.len(), page.timed_out), (1, false));
    assert_eq!(page.entries[0].request.json().unwrap(), body);
    let later = JournalQuery { after: Some(page.next_after), ..query(1) };
    assert!(control.journal(&account, &later).await.unwrap().timed_out);
}

#[tokio::test]
async fn the_journal_keeps_the_exact_bytes() {
    let klarna = Klarna::start().await;
    let body = "{ \"currency\" : \"SEK\",\n\t\"request_payment_transaction\":{\"amount\":1.0e0} }";
    let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
    let request = klarna.http.post(url).header("authorization", crate::klarna::KEY).header("X-Odd", "  a  b");
    klarna.send(request.header("content-type", "application/json").body(body)).await;
    let entry = klarna.journal("authorize").await.entries.remove(0);
    assert_eq!(String::from_utf8(entry.request.body()).unwrap(), body);
    assert_eq!(entry.request.header("x-odd"), Some("a  b"));
}

#[tokio::test]
async fn what_belongs_to_no_partner_account_is_in_the_acquirers_journal() {
    let klarna = Klarna::start().await;
    klarna.get("/v2/notification/webhooks").await;
    let query = JournalQuery { operation: Some("webhook.list".to_owned()), ..JournalQuery::default() };
    let page =
        klarna.control().account_journal("krn:partner:global:account:test:LOCALACQ", &query).await.unwrap();
    assert_eq!(page.entries.len(), 1);
}

#[tokio::test]
async fn unknown_fields_names_and_values_are_refused_with_a_hint() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let base = klarna.url(&format!("/_simulator/v1/sandboxes/{ALPHA}"));
    let put = |path: &str, body| klarna.http.put(format!("{base}{path}")).json(&body);
    let post = |path: &str, body| klarna.http.post(format!("{base}{path}")).json(&body);
    let cases = [
        (put("", json!({"sede": 1})), 400, "sede"),
        (put("/intent", json!({"amount": 1, "currency": "SEK", "nope": 1})), 400, "nope"),
        (put("/intent", json!({"amount": 1, "currency": "SEKK"})), 400, "SEKK"),
        (post("/session-tokens", json!({"state": "unused", "length": 10})), 400, "64"),
        (post("/session-tokens", json!({"state": "odd"})), 400, "odd"),
        (post("/outcomes", json!([{"result": "MAYBE"}])), 400, "[0].result"),
        (post("/outcomes", json!([{"result": "APPROVED", "times": 0}])), 400, "times"),
        (post("/outcomes", json!([{"result": "STEP_UP_REQUIRED", "on": "final"}])), 400, "final"),
        (post("/customer", json!({"payment_request_id": "krn:x", "act": "open"})), 404, "krn:x"),
        (post("/clock", json!({"advance": "soon"})), 400, "advance"),
        (post("/clock", json!({})), 400, "exactly one"),
        (post("/clock", json!({"advance": "1h", "freeze": true})), 400, "exactly one"),
        (klarna.http.get(klarna.url("/_simulator/v1/sandboxes/%FF")), 400, "path"),
        (post("/clock", json!({"set": "2001-01-01T00:00:00Z"})), 400, "backwards"),
        (klarna.http.get(format!("{base}/journal?operaton=x")), 400, "operaton"),
        (klarna.http.get(format!("{base}/journal?wait_ms=60001")), 400, "60000"),
        (klarna.http.get(format!("{base}/findings?payment=e9p9")), 404, "e9p9"),
        (klarna.http.get(klarna.url("/_simulator/v1/nothing")), 404, "nothing"),
        (klarna.http.patch(base.clone()), 405, "PATCH"),
        (klarna.http.get(klarna.url("/_simulator/v1/sandboxes/none")), 404, "none"),
    ];
    for (request, status, named) in cases {
        let answer = klarna.send(request).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(answer.body["detail"].as_str().unwrap().contains(named), "{named} in {answer:?}");
        assert!(!answer.body["hint"].as_str().unwrap().is_empty());
    }
    assert_eq!(klarna.control().sandbox(&ALPHA.into()).await.unwrap().epoch, 1, "nothing was changed");
}

#[tokio::test]
async fn a_deleted_sandbox_is_gone() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let url = klarna.url(&format!("/_simulator/v1/sandboxes/{ALPHA}"));
    assert_eq!(klarna.send(klarna.http.delete(&url)).await.status, 204);
    assert!(matches!(
        klarna.control().sandbox(&ALPHA.into()).await,
        Err(ControlError::Refused { status: 404, .. })
    ));
}

#[tokio::test]
async fn an_open_request_expires_after_three_hours() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.control().set_clock(&ALPHA.into(), &SetClock::Freeze(true)).await.unwrap();
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let path = format!("/v2/accounts/{ALPHA}/payment/requests/{}", answer.request_id());
    for (advance, state) in [("PT2H59M59S", "SUBMITTED"), ("PT1S", "EXPIRED")] {
        let advance = SetClock::Advance(advance.parse().unwrap());
        klarna.control().set_clock(&ALPHA.into(), &advance).await.unwrap();
        assert_eq!(klarna.get(&path).await.body["state"], state);
    }
}

#[tokio::test]
async fn the_bodies_conform_to_their_schemas() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    for (path, schema) in [("/journal", "simulator/journal-page"), ("/findings", "simulator/findings")] {
        let url = klarna.url(&format!("/_simulator/v1/sandboxes/{ALPHA}{path}"));
        let answer = klarna.send(klarna.http.get(url)).await;
        let violations = klarna_schemas::catalogue::check(schema, &answer.body).unwrap();
        assert!(violations.is_empty(), "{schema}: {violations:?}");
    }
}

#[tokio::test]
async fn a_sandbox_forgets_its_oldest_payment_whole_when_it_is_full() {
    let klarna = Klarna::with(|settings| settings.limits.payments = 2).await;
    let (first, token) = klarna.completed("t-1").await;
    let (second, _) = klarna.completed("t-2").await;
    let read =
        async |id: String| klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{id}")).await.status;
    assert_eq!(read(first.request_id()).await, 200);
    klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "t-3")], &initial("t-3")).await;
    assert_eq!(read(first.request_id()).await, 404);
    assert_eq!(klarna.http.get(first.journey()).send().await.unwrap().status(), 404);
    let late = klarna.authorize(ALPHA, &[(crate::klarna::TOKEN, &token)], &crate::klarna::last("t-1")).await;
    assert_eq!(late.refusal(), (400, "VALIDATION_ERROR", crate::klarna::TOKEN));
    // The other payments are as they were: the same key gets the first answer again.
    let again = klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "t-2")], &initial("t-2")).await;
    assert_eq!(again.request_id(), second.request_id());
    assert_eq!(read(second.request_id()).await, 200);
}
