//! Journals followed as they are written: to the end of the sandbox, of the time, or of what was waited for.

use std::time::Duration;

use futures::StreamExt as _;
use klarna_schemas::simulator::control::JournalQuery;
use klarna_schemas::simulator::journal::StreamEnd;
use klarna_simulator::control::client::{ControlError, Followed};
use serde_json::{Value, json};

use crate::journal::{LOCAL, busy, journal_path, text};
use crate::klarna::{ALPHA, Klarna, initial};

/// Reads events of a stream until so many have come.
pub(crate) async fn events(stream: reqwest::Response, count: usize) -> Vec<(String, Value)> {
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
        assert!(refused.body["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{wrong}: {refused:?}");
    }
}

/// What comes of a client's stream until it ends by itself: the entries' operations, and the end.
async fn ended(
    stream: impl futures::Stream<Item = Result<Followed, ControlError>>,
) -> (Vec<String>, Option<StreamEnd>) {
    let came = tokio::time::timeout(Duration::from_secs(20), stream.collect::<Vec<_>>()).await;
    let (mut operations, mut end) = (Vec::new(), None);
    for event in came.expect("it ends by itself") {
        match event.unwrap() {
            Followed::Entry(entry) => operations.push(entry.operation),
            Followed::End(last) => end = Some(last),
            Followed::Dropped(lost) => panic!("{lost} were lost"),
        }
    }
    (operations, end)
}

#[tokio::test]
async fn the_client_follows_each_journal_to_its_end() {
    let klarna = busy().await;
    klarna.send(klarna.http.get(klarna.url("/v2/nothing/here"))).await;
    klarna.get("/v2/notification/webhooks").await;
    let control = klarna.control();
    let query = JournalQuery { min: Some(1), wait_ms: Some(20_000), ..JournalQuery::default() };
    let full = Some(StreamEnd { seen: 1, timed_out: false, near: Vec::new() });
    let (came, end) = ended(control.follow_journal(&ALPHA.into(), &query).await.unwrap()).await;
    assert_eq!((came.len(), end), (1, full.clone()));
    let (came, end) = ended(control.follow_account_journal(LOCAL, &query).await.unwrap()).await;
    assert_eq!((came.len(), end), (1, full.clone()));
    let (came, end) = ended(control.follow_lobby_journal(&query).await.unwrap()).await;
    assert_eq!((came, end), (vec!["unknown".to_owned()], full));
    let more = JournalQuery { min: Some(9), wait_ms: Some(1), ..JournalQuery::default() };
    let (came, end) = ended(control.follow_lobby_journal(&more).await.unwrap()).await;
    assert_eq!(came.len(), 1);
    assert!(end.is_some_and(|end| end.timed_out && end.seen == 1));
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
