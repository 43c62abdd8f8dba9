//! The journal: what was asked and answered, found and awaited.

use std::time::Duration;

use bytes::Bytes;
use klarna_schemas::simulator::control::{JournalQuery, PutSandbox};
use klarna_schemas::simulator::journal::JournalPage;
use reqwest::Method;
use serde_json::json;

use crate::journal_streams::events;
use crate::klarna::{ALPHA, KEY, Klarna, TOKEN, initial, last};

pub(crate) const LOCAL: &str = "krn:partner:global:account:test:LOCALACQ";

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
