//! Klarna evolves: each way alone changes what it says, and nothing else.

use klarna_schemas::simulator::control::{CustomerAct, Evolution, PutSandbox, SetEvolution};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, Klarna, TOKEN, initial, last};
use crate::sink::Sink;

const COMPLETED: &str = "payment.request.state-change.completed";

/// What was answered and told in one payment.
struct Seen {
    stepped_up: Answer,
    read: Answer,
    refused: Answer,
    finalised: Answer,
    /// The completed event.
    event: Value,
    event_headers: HeaderMap,
    /// Events that came with it.
    others: Vec<String>,
}

/// A whole payment with a Klarna that has evolved so.
async fn payment(kinds: &[Evolution]) -> Seen {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let wish = SetEvolution { kinds: kinds.iter().copied().collect() };
    assert_eq!(klarna.control().evolve(&ALPHA.into(), &wish).await.unwrap(), wish);
    let mut sink = Sink::start().await;
    sink.subscribe(&klarna, &[COMPLETED]).await;
    let stepped_up = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    klarna.act(&stepped_up, CustomerAct::Approve).await;
    let (mut events, mut event_headers) = (Vec::new(), HeaderMap::new());
    let expected = if kinds.contains(&Evolution::NewEventTypes) { 2 } else { 1 };
    for _ in 0..expected {
        let received = sink.next().await;
        let event = received.json();
        if event["metadata"]["event_type"] == COMPLETED {
            event_headers = received.headers;
        }
        events.push(event);
    }
    assert_eq!(sink.left(), 0);
    let completed = events.iter().position(|event| event["metadata"]["event_type"] == COMPLETED).unwrap();
    let event = events.remove(completed);
    let token = event["payload"]["klarna_network_session_token"].as_str().unwrap().to_owned();
    let id = stepped_up.request_id();
    let read = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{id}")).await;
    let refused = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/krn:nobody")).await;
    let finalised = klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-1")).await;
    let others = events.iter().map(|event| event["metadata"]["event_type"].as_str().unwrap().to_owned());
    Seen { stepped_up, read, refused, finalised, event, event_headers, others: others.collect() }
}

impl Seen {
    fn answers(&self) -> [&Answer; 4] {
        [&self.stepped_up, &self.read, &self.refused, &self.finalised]
    }

    fn statuses(&self) -> [u16; 4] {
        self.answers().map(|answer| answer.status)
    }

    /// Whether a text stands in every body, in none, or in some.
    fn everywhere(&self, text: &str) -> Option<bool> {
        let bodies = self.answers().map(|answer| answer.body.to_string());
        let mut there = bodies
            .iter()
            .chain([&self.event.to_string()])
            .map(|body| body.contains(text))
            .collect::<Vec<_>>();
        there.dedup();
        (there.len() == 1).then(|| there[0])
    }
}

#[tokio::test]
async fn a_klarna_that_has_not_evolved_is_as_documented() {
    let seen = payment(&[]).await;
    assert_eq!(seen.statuses(), [200, 200, 404, 200]);
    assert_eq!(seen.everywhere("introduced_later"), Some(false));
    assert_eq!(seen.everywhere("INTRODUCED_LATER"), Some(false));
    assert!(seen.others.is_empty());
    assert_eq!(seen.finalised.result(), "APPROVED");
}

#[tokio::test]
async fn extra_fields_stand_in_answers_and_events() {
    let seen = payment(&[Evolution::ExtraFields]).await;
    assert_eq!(seen.everywhere("introduced_later"), Some(true));
    assert_eq!(seen.statuses(), [200, 200, 404, 200]);
    assert_eq!(seen.finalised.result(), "APPROVED");
    assert!(seen.event["payload"]["introduced_later"].is_object());
}

#[tokio::test]
async fn unknown_values_stand_where_they_decide_nothing() {
    let seen = payment(&[Evolution::UnknownEnumValues]).await;
    assert_eq!(seen.everywhere("INTRODUCED_LATER"), Some(true));
    assert_eq!(seen.everywhere("introduced_later"), Some(false));
    assert_eq!(seen.read.body["state"], "COMPLETED");
    assert_eq!(seen.read.body["state_reason"], "INTRODUCED_LATER");
    assert_eq!(seen.refused.body["error_code"], "RESOURCE_NOT_FOUND");
    assert_eq!(seen.finalised.result(), "APPROVED");
    assert_eq!(seen.event["payload"]["state"], "COMPLETED");
}

#[tokio::test]
async fn keys_come_in_another_order() {
    let (plain, reordered) = (payment(&[]).await, payment(&[Evolution::ReorderedKeys]).await);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for (one, other) in [
        (&plain.read.body, &reordered.read.body),
        (
            &plain.finalised.body["payment_transaction_response"],
            &reordered.finalised.body["payment_transaction_response"],
        ),
        (&plain.event, &reordered.event),
        (&plain.event["payload"], &reordered.event["payload"]),
    ] {
        let mut reversed = keys(other);
        assert_ne!(keys(one), reversed);
        reversed.reverse();
        assert_eq!(keys(one), reversed);
    }
}

#[tokio::test]
async fn a_success_has_another_status_and_a_refusal_its_own() {
    let seen = payment(&[Evolution::Another2xx]).await;
    assert_eq!(seen.statuses(), [201, 201, 404, 201]);
}

#[tokio::test]
async fn new_ids_are_longer_and_still_good_for_everything() {
    let seen = payment(&[Evolution::LongerIds]).await;
    let id = seen.stepped_up.request_id();
    assert!(id.len() > 150 && id.len() <= 255 && id.contains("~v2_"), "{id}");
    assert_eq!(seen.read.body["payment_request_id"], id);
    assert_eq!(seen.event["payload"]["payment_request_id"], id);
    let event_id = seen.event["metadata"]["event_id"].as_str().unwrap();
    assert!(event_id.len() > 120 && event_id.len() <= 255, "{event_id}");
    let response = &seen.finalised.body["payment_transaction_response"];
    let transaction = response["payment_transaction"]["payment_transaction_id"].as_str().unwrap();
    assert!(transaction.contains("~v2_") && transaction.len() <= 255, "{transaction}");
}

#[tokio::test]
async fn new_headers_stand_on_answers_and_events() {
    let seen = payment(&[Evolution::NewHeaders]).await;
    for headers in seen.answers().map(|answer| &answer.headers).into_iter().chain([&seen.event_headers]) {
        assert_eq!(headers["klarna-introduced-later"], "yes");
    }
}

#[tokio::test]
async fn an_event_of_a_new_type_comes_beside_the_known_one() {
    let seen = payment(&[Evolution::NewEventTypes]).await;
    assert_eq!(seen.others, ["payment.request.introduced-later"]);
}

#[tokio::test]
async fn all_at_once_and_a_reset_takes_it_back() {
    let seen = payment(&Evolution::ALL).await;
    assert_eq!(seen.finalised.body["payment_transaction_response"]["result"], "APPROVED");
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let wish = SetEvolution { kinds: Evolution::ALL.into() };
    klarna.control().evolve(&ALPHA.into(), &wish).await.unwrap();
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.status, 200);
    let path = format!("/_simulator/v1/sandboxes/{ALPHA}/rules");
    let by_rules =
        klarna.call(reqwest::Method::PUT, &path, &[], Some(&json!({"evolution": ["another_2xx"]}))).await;
    assert_eq!(by_rules.status, 200, "{}", by_rules.body);
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-2")).await.status, 201);
    let unknown =
        klarna.call(reqwest::Method::PUT, &path, &[], Some(&json!({"evolution": ["another_3xx"]}))).await;
    assert_eq!(unknown.status, 400);
}
