//! The journal: what was asked and answered, found, awaited and followed.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use klarna_schemas::simulator::control::{JournalQuery, PutSandbox};
use klarna_schemas::simulator::journal::JournalPage;
use reqwest::Method;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, KEY, Klarna, TOKEN, initial, last};

const LOCAL: &str = "krn:partner:global:account:test:LOCALACQ";

pub(crate) fn journal_path(rest: &str) -> String {
    format!("/_simulator/v1/sandboxes/{ALPHA}/journal{rest}")
}

pub(crate) async fn page(klarna: &Klarna, query: &[(&str, &str)]) -> JournalPage {
    let request = klarna.http.get(klarna.url(&journal_path(""))).query(query);
    let answer = klarna.send(request).await;
    assert_eq!(answer.status, 200, "{query:?}: {}", answer.body);
    serde_json::from_value(answer.body).unwrap()
}

async fn operations(klarna: &Klarna, query: &[(&str, &str)]) -> Vec<String> {
    page(klarna, query).await.entries.into_iter().map(|entry| entry.operation).collect()
}

pub(crate) async fn text(klarna: &Klarna, path: &str) -> String {
    let response = klarna.http.get(klarna.url(path)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}

/// A Klarna on which a few things have happened.
pub(crate) async fn busy() -> Klarna {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let (_, token) = klarna.completed("t-1").await;
    klarna.authorize(ALPHA, &[(TOKEN, &token), ("X-Trace", "one")], &last("t-1")).await;
    let mut euro = initial("t-2");
    euro["currency"] = json!("EUR");
    klarna.authorize(ALPHA, &[("X-Trace", "two")], &euro).await;
    klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/krn:nobody")).await;
    klarna
}

#[tokio::test]
async fn every_condition_finds_what_it_is_for() {
    let klarna = busy().await;
    for (query, found) in [
        (&[("header", "X-Trace")][..], 2),
        (&[("header", "x-trace: two")], 1),
        (&[("header", "x-trace: three")], 0),
        (&[("request_json", "$[?@.currency == \"EUR\"]")], 0),
        (&[("request_json", "$.step_up_config")], 2),
        (&[("response_json", "$.payment_transaction_response.payment_transaction")], 1),
        (&[("status", "404")], 1),
        (&[("status", "404"), ("operation", "payment_request.*")], 1),
        (&[("ended", "broken")], 0),
        (&[("payment", "e1p1"), ("operation", "authorize")], 2),
        (&[("payment", "t-2")], 1),
        (&[("epoch", "2")], 0),
        (&[("since", "2026-01-01T00:00:00Z"), ("operation", "authorize")], 3),
        (&[("until", "2026-01-01T00:00:00Z")], 0),
        (&[("finding", "integration-metadata.present"), ("limit", "1")], 1),
        (&[("operation", "authorize"), ("limit", "2")], 2),
    ] {
        assert_eq!(page(&klarna, query).await.entries.len(), found, "{query:?}");
    }
    let first = page(&klarna, &[("operation", "authorize"), ("limit", "2")]).await;
    let after = first.next_after.to_string();
    assert_eq!(operations(&klarna, &[("operation", "authorize"), ("after", &after)]).await.len(), 1);
}

#[tokio::test]
async fn what_can_never_match_is_refused_with_what_was_meant() {
    let klarna = busy().await;
    for (name, value, says) in [
        ("operation", "autorize", "did you mean authorize?"),
        ("operation", "event:payment.request.state-change.complete", "completed"),
        ("finding", "network-data.byte-equals", "did you mean network-data.byte-equal?"),
        ("request_json", "$[", "no JSONPath"),
        ("header", "a b", "no name of a header"),
        ("status", "many", "status"),
        ("colour", "red", "request_json, response_json"),
        ("ended", "well", "ended"),
        ("status", "42", "no answer ever has 42"),
        ("epoch", "0", "counted from 1"),
        ("payment", "e0p0", "none is ever called e0p0"),
        ("fault", "lose_anser", "did you mean lose_answer?"),
        ("fault", "status", "did you mean status *?"),
        ("fault", "webhook forge", "did you mean webhook forged?"),
    ] {
        let answer =
            klarna.send(klarna.http.get(klarna.url(&journal_path(""))).query(&[(name, value)])).await;
        assert_eq!(answer.status, 400, "{name}={value}");
        assert!(answer.body.to_string().contains(says), "{name}={value}: {}", answer.body);
    }
}

#[tokio::test]
async fn what_can_match_is_waited_for() {
    let klarna = busy().await;
    for query in [
        [("fault", "status 5*"), ("direction", "inbound")],
        [("fault", "sta*"), ("direction", "inbound")],
        [("fault", "webhook *"), ("direction", "outbound")],
        [("fault", "delay 5 ms"), ("payment", "e7p2")],
        [("operation", "event:*"), ("direction", "outbound")],
        [("operation", "*"), ("direction", "outbound")],
    ] {
        assert!(page(&klarna, &query).await.entries.is_empty(), "{query:?}");
    }
    for (direction, operation) in
        [("outbound", "authorize"), ("inbound", "event:*"), ("outbound", "payment_request.*")]
    {
        let query = [("direction", direction), ("operation", operation)];
        let answer = klarna.send(klarna.http.get(klarna.url(&journal_path(""))).query(&query)).await;
        assert_eq!(answer.status, 400, "{query:?}");
        assert!(answer.body.to_string().contains("is never"), "{}", answer.body);
    }
}

#[tokio::test]
async fn what_came_near_is_told_where_one_thing_was_asked_for_and_where_too_few_came() {
    let klarna = busy().await;
    let misses = async |query: &[(&str, &str)]| -> Vec<String> {
        page(&klarna, query).await.near.into_iter().flat_map(|near| near.misses).collect()
    };
    assert_eq!(
        misses(&[("status", "409"), ("wait_ms", "1")]).await,
        [
            "status: 409 was asked for, 404 it is",
            "status: 409 was asked for, 200 it is",
            "status: 409 was asked for, no answer it is"
        ]
    );
    let operations = misses(&[("operation", "payment_capture.*"), ("wait_ms", "1")]).await;
    assert_eq!(operations[0], "operation: payment_capture.* was asked for, payment_request.read it is");
    assert_eq!(operations[1], "operation: payment_capture.* was asked for, authorize it is");
    let headers = misses(&[("header", "X-Tracing"), ("wait_ms", "1")]).await;
    assert!(
        headers.iter().any(|miss| miss.contains("there is no x-tracing, but") && miss.contains("x-trace"))
    );
    let members = misses(&[("request_json", "$.curency"), ("wait_ms", "1")]).await;
    assert!(members.iter().any(|miss| miss.contains("the body has currency")), "{members:?}");
    // One of two came: the other one may have come in another form.
    let query = [("operation", "authorize"), ("header", "X-Trace: two"), ("min", "2"), ("wait_ms", "1")];
    let page = page(&klarna, &query).await;
    assert!(page.timed_out && page.entries.len() == 1);
    assert!(page.near.iter().any(|near| near.misses == ["header x-trace: two was asked for, one it is"]));
}

#[tokio::test]
async fn a_payment_of_an_epoch_that_has_ended_is_found_by_its_name() {
    let klarna = busy().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    assert_eq!(page(&klarna, &[("payment", "e1p1"), ("operation", "authorize")]).await.entries.len(), 2);
}

#[tokio::test]
async fn awaiting_in_vain_ends_with_what_came_near() {
    let klarna = busy().await;
    let query = [("operation", "authorize"), ("status", "409"), ("header", "X-Trace: two"), ("wait_ms", "1")];
    let page = page(&klarna, &query).await;
    assert!(page.timed_out && page.entries.is_empty());
    let nearest = &page.near[0];
    assert_eq!(nearest.operation, "authorize");
    assert_eq!(nearest.misses, ["status: 409 was asked for, 200 it is"]);
    assert!(page.near.len() <= 5 && page.near[1].misses.len() >= nearest.misses.len());
    // With nothing asked for there is nothing to be near to.
    let behind = JournalQuery { after: Some(99), ..JournalQuery::default() };
    assert!(klarna.control().journal(&ALPHA.into(), &behind).await.unwrap().near.is_empty());
}

#[tokio::test]
async fn a_wait_ends_when_its_sandbox_does() {
    let klarna = busy().await;
    let request =
        klarna.http.get(klarna.url(&journal_path(""))).query(&[("status", "418"), ("wait_ms", "60000")]);
    let waiting = tokio::spawn(request.send());
    let stream = klarna
        .http
        .get(klarna.url(&journal_path("/stream")))
        .query(&[("status", "418")])
        .send()
        .await
        .unwrap();
    let delete = klarna.call(Method::DELETE, &format!("/_simulator/v1/sandboxes/{ALPHA}"), &[], None).await;
    assert_eq!(delete.status, 204);
    let ended = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap();
    assert!([200, 404].contains(&ended.unwrap().unwrap().status().as_u16()));
    let rest = tokio::time::timeout(Duration::from_secs(10), stream.bytes()).await.unwrap();
    assert_eq!(rest.unwrap(), Bytes::new());
}

/// Reads events of a stream until so many have come.
async fn events(stream: reqwest::Response, count: usize) -> Vec<(String, Value)> {
    let mut bytes = stream.bytes_stream();
    let mut text = String::new();
    let read = async {
        while text.matches("\n\n").count() < count {
            text.push_str(std::str::from_utf8(&bytes.next().await.unwrap().unwrap()).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(10), read).await.unwrap();
    let field = |event: &str, name: &str| {
        event.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or_default().to_owned()
    };
    text.split("\n\n")
        .filter(|event| !event.is_empty())
        .map(|event| (field(event, "id"), serde_json::from_str(&field(event, "data")).unwrap()))
        .collect()
}

#[tokio::test]
async fn a_stream_sends_what_is_there_and_what_comes_and_is_resumed() {
    let klarna = busy().await;
    let follow = async |last: Option<&str>| {
        let mut request =
            klarna.http.get(klarna.url(&journal_path("/stream"))).query(&[("operation", "authorize")]);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        response
    };
    let stream = follow(None).await;
    klarna.authorize(ALPHA, &[("X-Trace", "three")], &initial("t-3")).await;
    let seen = events(stream, 4).await;
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|(_, entry)| entry["operation"] == "authorize"));
    assert!(seen.iter().all(|(id, entry)| id.parse().ok() == entry["seq"].as_u64()));
    let resumed = events(follow(Some(&seen[2].0)).await, 1).await;
    // How long it took is known once its answer has left: the first reader came before that.
    let without = |(id, mut entry): (String, Value)| {
        entry.as_object_mut().unwrap().remove("timings");
        (id, entry)
    };
    assert_eq!(without(resumed[0].clone()), without(seen[3].clone()));
    let refused = klarna.send(klarna.http.get(klarna.url(&journal_path("/stream?limit=1")))).await;
    assert_eq!(refused.status, 400);
}

/// The whole of a stream that ends by itself: each event with its name and its data.
async fn whole_stream(klarna: &Klarna, query: &[(&str, &str)]) -> Vec<(String, Value)> {
    let request = klarna.http.get(klarna.url(&journal_path("/stream"))).query(query);
    let text = async { request.send().await.unwrap().text().await.unwrap() };
    let text = tokio::time::timeout(Duration::from_secs(20), text).await.expect("it ends by itself");
    let named = |event: &str| {
        let of = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("");
        (of("event: ").to_owned(), serde_json::from_str(of("data: ")).unwrap())
    };
    text.split("\n\n").filter(|event| event.contains("data: ")).map(named).collect()
}

#[tokio::test]
async fn a_stream_ends_when_enough_has_come() {
    let klarna = busy().await;
    let awaited = whole_stream(&klarna, &[("operation", "authorize"), ("min", "4"), ("wait_ms", "60000")]);
    let late = async {
        klarna.authorize(ALPHA, &[("X-Trace", "three")], &initial("t-3")).await;
        klarna.authorize(ALPHA, &[("X-Trace", "four")], &initial("t-4")).await;
    };
    let (seen, ()) = tokio::join!(awaited, late);
    assert_eq!(seen.len(), 5);
    assert!(seen[..4].iter().all(|(name, entry)| name.is_empty() && entry["operation"] == "authorize"));
    assert_eq!(seen[4], ("end".to_owned(), json!({"seen": 4, "timed_out": false})));
}

#[tokio::test]
async fn a_stream_ends_when_the_time_is_up_and_says_what_came_near() {
    let klarna = busy().await;
    let query = [("operation", "authorize"), ("header", "X-Trace: nobody"), ("min", "1"), ("wait_ms", "1")];
    let seen = whole_stream(&klarna, &query).await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    let (name, end) = &seen[0];
    assert_eq!((name.as_str(), &end["seen"], &end["timed_out"]), ("end", &json!(0), &json!(true)));
    assert!(end["near"][0]["misses"][0].as_str().unwrap().contains("x-trace"), "{end}");
    // What is there is sent, however short the time is.
    let seen = whole_stream(&klarna, &[("operation", "authorize"), ("wait_ms", "0")]).await;
    assert_eq!(seen.last().unwrap().1, json!({"seen": 3, "timed_out": true}));
    assert_eq!(seen.len(), 4);
    for wrong in ["/stream?min=0", "/stream?wait_ms=60001", "/stream?min=few"] {
        let refused = klarna.send(klarna.http.get(klarna.url(&journal_path(wrong)))).await;
        assert_eq!(refused.status, 400, "{wrong}: {refused:?}");
    }
}

#[tokio::test]
async fn nobodys_journal_is_followed_and_written_out_as_others_are() {
    let klarna = Klarna::start().await;
    let stream = klarna.http.get(klarna.url("/_simulator/v1/journal/stream")).send().await.unwrap();
    klarna.send(klarna.http.get(klarna.url("/v2/nothing/here"))).await;
    let seen = events(stream, 1).await;
    assert_eq!(seen[0].1["request"]["target"], "/v2/nothing/here");
    let lines = text(&klarna, "/_simulator/v1/journal/export?format=ndjson").await;
    assert_eq!(lines.lines().count(), 1);
    assert!(lines.contains("/v2/nothing/here"));
}

#[tokio::test]
async fn nobodys_calls_have_a_journal_too() {
    let klarna = Klarna::start().await;
    klarna.send(klarna.http.get(klarna.url("/v2/nothing/here"))).await;
    klarna
        .send(klarna.http.get(klarna.url("/v2/notification/webhooks")).header("authorization", "Basic wrong"))
        .await;
    let page = klarna.control().lobby_journal(&JournalQuery::default()).await.unwrap();
    let seen: Vec<_> = page
        .entries
        .iter()
        .map(|entry| (entry.operation.as_str(), entry.response.as_ref().unwrap().status))
        .collect();
    assert_eq!(seen, [("unknown", 404), ("webhook.list", 401)]);
    let account = klarna.control().account_journal(LOCAL, &JournalQuery::default()).await.unwrap();
    assert!(account.entries.is_empty());
}

#[tokio::test]
async fn a_full_journal_says_how_much_it_has_lost_everywhere() {
    let klarna = Klarna::with(|settings| settings.limits.journal_bytes = 60_000).await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let stream = klarna
        .http
        .get(klarna.url(&journal_path("/stream")))
        .query(&[("status", "418")])
        .send()
        .await
        .unwrap();
    let big = format!("{{\"padding\": \"{}\"}}", "x".repeat(10_000));
    for _ in 0..20 {
        let request = klarna.http.post(klarna.url(&format!("/v2/accounts/{ALPHA}/payment/requests")));
        request.header("authorization", format!("Basic {KEY}")).body(big.clone()).send().await.unwrap();
    }
    let page = page(&klarna, &[]).await;
    assert!(page.dropped > 0 && !page.entries.is_empty());
    let lost = events(stream, 1).await;
    assert!(lost[0].1["dropped"].as_u64().unwrap() > 0, "{lost:?}");
}
