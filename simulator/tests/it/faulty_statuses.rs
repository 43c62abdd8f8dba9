//! Statuses in the place of an answer, by the bytes on the wire.

use klarna_schemas::simulator::control::{ArmFault, Fault, FaultBody};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use crate::faults::{klarna, raw_authorize};

/// Head and body of the answer to an authorize that meets this status. The connection stays open.
async fn answer(status: u16, body: FaultBody) -> (String, String) {
    let klarna = klarna(ArmFault::once("authorize", Fault::Status { status, body })).await;
    let mut stream = raw_authorize(&klarna, "t-1").await;
    let mut bytes = Vec::new();
    loop {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "it ended after {bytes:?}");
        let text = String::from_utf8(bytes.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = header(head, "content-length").unwrap().parse::<usize>().unwrap();
        if body.len() >= length {
            assert_eq!(body.len(), length);
            return (head.to_owned(), body.to_owned());
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(is, _)| is.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[tokio::test]
async fn in_klarnas_words() {
    let (head, body) = answer(503, FaultBody::Klarna).await;
    assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{head}");
    assert_eq!(header(&head, "content-type"), Some("application/json"));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(klarna_schemas::catalogue::check("klarna/error", &body).unwrap(), []);
    assert_eq!(body["error_code"], "TEMPORARY_UNAVAILABLE");
    assert!(header(&head, "klarna-correlation-id").is_some(), "{head}");
}

#[tokio::test]
async fn without_a_body() {
    let (head, body) = answer(403, FaultBody::None).await;
    assert!(head.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{head}");
    assert_eq!((header(&head, "content-type"), header(&head, "content-length")), (None, Some("0")));
    assert_eq!(body, "");
}

#[tokio::test]
async fn as_a_page() {
    let (head, body) = answer(502, FaultBody::Html).await;
    assert!(head.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{head}");
    assert_eq!(header(&head, "content-type"), Some("text/html; charset=utf-8"));
    assert!(body.starts_with("<!doctype html>") && body.ends_with("</html>\n"), "{body}");
}

#[tokio::test]
async fn with_the_headers_of_a_quota() {
    let (head, _) = answer(429, FaultBody::Klarna).await;
    assert!(head.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{head}");
    assert_eq!(header(&head, "x-ratelimit-remaining"), Some("0"), "{head}");
    assert!(header(&head, "x-ratelimit-limit").is_some(), "{head}");
}
