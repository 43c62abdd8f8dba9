//! Payment Requests that end early: taken back by the acquirer, or ended by Klarna's side.

use klarna_schemas::simulator::control::{CustomerAct, RequestEnd};
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, BETA, KEY, Klarna, TOKEN, initial, last};
use crate::sink::Sink;

async fn take_back_in(klarna: &Klarna, account: &str, id: &str) -> Answer {
    let url = klarna.url(&format!("/v2/accounts/{account}/payment/requests/{id}"));
    klarna.send(klarna.http.delete(url).header("authorization", format!("Basic {KEY}"))).await
}

async fn take_back(klarna: &Klarna, answer: &Answer) -> Answer {
    take_back_in(klarna, ALPHA, &answer.request_id()).await
}

async fn end_named(klarna: &Klarna, id: &str, act: RequestEnd) -> Result<String, String> {
    let ended = klarna.control().end_payment_request(&ALPHA.into(), &id.into(), act).await;
    ended.map(|ended| ended.state.to_string()).map_err(|error| error.to_string())
}

async fn end(klarna: &Klarna, answer: &Answer, act: RequestEnd) -> Result<String, String> {
    end_named(klarna, &answer.request_id(), act).await
}

/// Whoever comes back to the journey reads how it ended; nothing can be approved there.
async fn journey_says(klarna: &Klarna, answer: &Answer, words: &str) {
    let page = klarna.http.get(answer.journey()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(words) && !page.contains("value=\"approve\""), "{page}");
    let approve = klarna.http.post(answer.journey()).body("act=approve").send().await.unwrap();
    assert_eq!(approve.status(), 409);
}

#[tokio::test]
async fn an_acquirer_takes_back_an_open_request() {
    let klarna = Klarna::start().await;
    for (reference, act) in [("t-1", None), ("t-2", Some(CustomerAct::Open))] {
        let answer = klarna.authorize(ALPHA, &[], &initial(reference)).await;
        if let Some(act) = act {
            klarna.act(&answer, act).await;
        }
        let taken_back = take_back(&klarna, &answer).await;
        assert_eq!(taken_back.status, 200);
        assert_eq!(taken_back.body["payment_request_id"], answer.request_id());
        assert_eq!(taken_back.body["state"], "CANCELED");
        assert_eq!(taken_back.body["state_reason"], "PARTNER_CANCELED");
        assert!(taken_back.body["canceled_at"].is_string(), "{taken_back:?}");
        let violations =
            klarna_schemas::catalogue::check("klarna/payment-request", &taken_back.body).unwrap();
        assert!(violations.is_empty(), "{violations:?}");
        journey_says(&klarna, &answer, "The shop has taken this purchase back").await;
        let again = take_back(&klarna, &answer).await;
        assert_eq!(again.refusal(), (403, "OPERATION_FORBIDDEN", ""));
    }
    let entries = klarna.journal("payment_request.cancel").await.entries;
    let statuses: Vec<_> = entries
        .iter()
        .map(|entry| (entry.payment.as_deref(), entry.response.as_ref().unwrap().status))
        .collect();
    let (one, two) = (Some("e1p1"), Some("e1p2"));
    assert_eq!(statuses, [(one, 200), (one, 403), (two, 200), (two, 403)]);
}

#[tokio::test]
async fn taking_back_is_told_after_the_answer_and_without_the_token() {
    let klarna = Klarna::start().await;
    let mut sink = Sink::start().await;
    let key = klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await;
    let webhook = json!({"url": sink.url, "event_types": ["payment.request.state-change.canceled"],
        "event_version": "v2", "signing_key_id": key.body["signing_key_id"]});
    assert_eq!(klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook)).await.status, 201);
    let (answer, _) = klarna.completed("t-1").await;
    assert_eq!(take_back(&klarna, &answer).await.status, 200);
    let event = sink.next().await.json();
    assert_eq!(event["metadata"]["event_type"], "payment.request.state-change.canceled");
    let payload = &event["payload"];
    assert_eq!((&payload["state"], &payload["previous_state"]), (&json!("CANCELED"), &json!("COMPLETED")));
    assert_eq!(payload["state_reason"], "PARTNER_CANCELED");
    assert!(!event.to_string().contains("token"), "a token that is dead is not told: {event}");
    let told = klarna.awaited("event:*", 1).await.entries[0].seq;
    assert!(klarna.journal("payment_request.cancel").await.entries[0].seq < told);
}

#[tokio::test]
async fn the_token_of_an_ended_request_is_dead() {
    for act in [None, Some(RequestEnd::Cancel), Some(RequestEnd::Expire)] {
        let klarna = Klarna::start().await;
        let (answer, token) = klarna.completed("t-1").await;
        let (_, sound) = klarna.completed("t-2").await;
        match act {
            None => assert_eq!(take_back(&klarna, &answer).await.status, 200),
            Some(act) => assert!(end(&klarna, &answer, act).await.is_ok()),
        }
        let refused = klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-1")).await;
        assert_eq!(refused.refusal(), (404, "RESOURCE_NOT_FOUND", ""), "{act:?}");
        assert_eq!(klarna.authorize(ALPHA, &[(TOKEN, &sound)], &last("t-2")).await.result(), "APPROVED");
        // It did not die of neglect.
        assert!(!klarna.findings("e1p1").await.contains(&"final.missing".to_owned()));
    }
}

#[tokio::test]
async fn what_was_finalised_or_is_over_cannot_be_ended() {
    let klarna = Klarna::start().await;
    let (answer, token) = klarna.completed("t-1").await;
    assert_eq!(klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-1")).await.result(), "APPROVED");
    assert_eq!(take_back(&klarna, &answer).await.refusal(), (403, "OPERATION_FORBIDDEN", ""));
    let refused = end(&klarna, &answer, RequestEnd::Expire).await.unwrap_err();
    assert!(refused.contains("409") && refused.contains("finalised"), "{refused}");
    let declined = klarna.authorize(ALPHA, &[], &initial("t-2")).await;
    klarna.act(&declined, CustomerAct::Refuse).await;
    assert_eq!(take_back(&klarna, &declined).await.refusal(), (403, "OPERATION_FORBIDDEN", ""));
    let refused = end(&klarna, &declined, RequestEnd::Cancel).await.unwrap_err();
    assert!(refused.contains("409") && refused.contains("DECLINED"), "{refused}");
}

#[tokio::test]
async fn only_what_is_known_in_the_account_can_be_ended() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let elsewhere = take_back_in(&klarna, BETA, &answer.request_id()).await;
    assert_eq!(elsewhere.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
    let refused = end_named(&klarna, "krn:nobody", RequestEnd::Cancel).await.unwrap_err();
    assert!(refused.contains("404") && refused.contains("krn:nobody"), "{refused}");
    let read = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", answer.request_id())).await;
    assert_eq!(read.body["state"], "SUBMITTED");
}

#[tokio::test]
async fn klarnas_side_ends_an_open_request_and_the_page_says_so() {
    let klarna = Klarna::start().await;
    for (reference, act, state, words) in [
        ("t-1", RequestEnd::Cancel, "CANCELED", "has taken this purchase back"),
        ("t-2", RequestEnd::Expire, "EXPIRED", "has run out"),
    ] {
        let answer = klarna.authorize(ALPHA, &[], &initial(reference)).await;
        assert_eq!(end(&klarna, &answer, act).await.unwrap(), state);
        journey_says(&klarna, &answer, words).await;
    }
}
