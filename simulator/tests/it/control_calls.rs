//! What the control API takes of a call, and what it refuses instead of ignoring it.

use std::collections::BTreeMap;

use klarna_schemas::simulator::control::{PresentationWish, PutSandbox};
use reqwest::Method;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, Klarna};

const LOCAL: &str = "krn:partner:global:account:test:LOCALACQ";

/// A simulator with a sandbox.
async fn started() -> Klarna {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna
}

async fn call(klarna: &Klarna, method: Method, path: &str, kind: Option<&str>, body: &str) -> Answer {
    let mut request = klarna.http.request(method, klarna.url(&format!("/_simulator/v1{path}")));
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    klarna.send(request.body(body.to_owned())).await
}

/// Checks that a call was refused with a problem, and what it tells: detail and hint.
fn refused(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let wrong = klarna_schemas::catalogue::check("simulator/problem", &answer.body).unwrap();
    assert_eq!(wrong, [], "{answer:?}");
    format!("{}; {}", answer.body["detail"].as_str().unwrap(), answer.body["hint"].as_str().unwrap())
}

#[tokio::test]
async fn an_array_is_no_object_however_deep() {
    let klarna = started().await;
    let sandbox = format!("/sandboxes/{ALPHA}");
    let path = |rest: &str| format!("{sandbox}{rest}");
    for (method, path, body, place) in [
        (Method::PUT, path(""), "[]", "the body"),
        (Method::PUT, path(""), r#"[7,{"freeze":true}]"#, "the body"),
        (Method::PUT, path(""), r#"{"clock": ["1h", null, null]}"#, "clock"),
        (Method::PUT, path("/presentation"), r#"["HIDE_KLARNA"]"#, "the body"),
        (Method::POST, path("/snapshots"), r#"["nm"]"#, "the body"),
        (Method::POST, path("/clock"), "[\"1h\", null, null]", "the body"),
        (Method::PUT, path("/rules"), r#"{"rules": [["a"]]}"#, "rules[0]"),
        (Method::PUT, path("/rules"), r#"{"rules": [{"name": "a", "then": ["DECLINED"]}]}"#, "rules[0].then"),
        (
            Method::PUT,
            path("/rules"),
            r#"{"rules": [{"name": "a", "then": {"fault": ["stall"]}}]}"#,
            "rules[0].then.fault",
        ),
        (
            Method::POST,
            path("/outcomes"),
            r#"[{"result": "STEP_UP_REQUIRED", "customer": [{"act": "open"}, ["approve"]]}]"#,
            "[0].customer[1]",
        ),
        (Method::POST, path("/faults"), r#"["authorize", "any", 1, "stall"]"#, "the body"),
        (Method::POST, format!("/accounts/{LOCAL}/forget"), r#"["both"]"#, "the body"),
    ] {
        let said = refused(&call(&klarna, method, &path, None, body).await, 400);
        assert!(said.contains("an object is wanted"), "{path} {body}: {said}");
        assert!(said.starts_with(&format!("{place}: ")), "{path} {body}: {said}");
    }
    let view = klarna.control().sandbox(&ALPHA.into()).await.unwrap();
    assert_eq!(view.epoch, 1, "nothing was reset");
    assert_eq!(klarna.control().snapshots(&ALPHA.into()).await.unwrap().snapshots, []);
    // Two bodies, of which the second would be ignored.
    let said = refused(&call(&klarna, Method::PUT, &path(""), None, "{} {}").await, 400);
    assert!(said.contains("trailing characters"), "{said}");
    // The sound twin.
    let wish: PresentationWish = serde_json::from_value(json!({"instruction": "HIDE_KLARNA"})).unwrap();
    klarna.control().set_presentation(&ALPHA.into(), &wish).await.unwrap();
}

#[tokio::test]
async fn the_journey_takes_no_array_for_an_object_either() {
    let klarna = started().await;
    let answer = klarna.authorize(ALPHA, &[], &crate::klarna::initial("t-1")).await;
    let act = json!({"act": "approve", "shipping": [], "shipping_amount": 1});
    let refused = klarna.send(klarna.http.post(answer.journey()).json(&act)).await;
    let (status, code, parameter) = refused.refusal();
    assert_eq!((status, code, parameter), (400, "VALIDATION_ERROR", "shipping"));
    assert!(refused.body.to_string().contains("an object is wanted"), "{refused:?}");
}

#[tokio::test]
async fn a_wrong_method_is_told_which_ones_there_are() {
    let klarna = started().await;
    let sandbox = format!("/sandboxes/{ALPHA}");
    for (method, path, allowed) in [
        (Method::PATCH, sandbox.clone(), "PUT, GET, DELETE, HEAD"),
        (Method::POST, "/sandboxes".to_owned(), "GET, HEAD"),
        (Method::GET, format!("{sandbox}/clock"), "POST"),
        (Method::HEAD, format!("{sandbox}/clock"), "POST"),
        (Method::OPTIONS, format!("{sandbox}/clock"), "POST"),
        (Method::PUT, format!("{sandbox}/snapshots/a/restore"), "POST"),
        (Method::GET, format!("{sandbox}/snapshots/a"), "DELETE"),
    ] {
        let answer = call(&klarna, method.clone(), &path, None, "").await;
        assert_eq!((answer.status, &answer.headers["allow"]), (405, &allowed.parse().unwrap()), "{answer:?}");
        assert_eq!(answer.headers.get_all("allow").iter().count(), 1);
        if method != Method::HEAD {
            assert!(refused(&answer, 405).contains(&format!("it takes {allowed}")), "{answer:?}");
        }
    }
    assert_eq!(call(&klarna, Method::HEAD, &sandbox, None, "").await.status, 200);
    assert_eq!(call(&klarna, Method::POST, "/nothing", None, "").await.status, 404);
    // Klarna publishes no 405.
    assert_eq!(klarna.send(klarna.http.patch(klarna.url("/v2/notification/webhooks"))).await.status, 404);
}

#[tokio::test]
async fn queries_and_bodies_that_nothing_would_read_are_refused() {
    let klarna = started().await;
    let sandbox = format!("/sandboxes/{ALPHA}");
    for (method, path) in [
        (Method::PUT, format!("{sandbox}?foo=1")),
        (Method::GET, "/sandboxes?foo=1".to_owned()),
        (Method::POST, format!("{sandbox}/keys?foo")),
        (Method::DELETE, format!("{sandbox}?foo=1")),
    ] {
        let said = refused(&call(&klarna, method, &path, None, "").await, 400);
        assert!(said.contains("foo: ") && said.contains("takes no query"), "{path}: {said}");
    }
    for (method, path) in [
        (Method::POST, format!("{sandbox}/keys")),
        (Method::DELETE, format!("{sandbox}/faults")),
        (Method::DELETE, sandbox.clone()),
        (Method::POST, "/rules/reload".to_owned()),
        (Method::GET, "/sandboxes".to_owned()),
    ] {
        let said = refused(&call(&klarna, method, &path, None, "{}").await, 400);
        assert!(said.contains("takes no body"), "{path}: {said}");
    }
    assert_eq!(klarna.control().sandbox(&ALPHA.into()).await.unwrap().epoch, 1, "nothing was changed");
    assert_eq!(call(&klarna, Method::POST, &format!("{sandbox}/keys?"), None, "").await.status, 201);
}

#[tokio::test]
async fn a_slip_in_a_query_is_told_by_what_that_query_takes() {
    let klarna = started().await;
    let get = async |path: &str| {
        let path = format!("/sandboxes/{ALPHA}{path}");
        refused(&call(&klarna, Method::GET, &path, None, "").await, 400)
    };
    let said = get("/findings?paymnt=1").await;
    assert!(said.contains("did you mean payment? the query takes payment"), "{said}");
    assert!(!said.contains("wait_ms"), "{said}");
    let said = get("/journal/stream?limit=1").await;
    assert!(said.starts_with("limit: "), "{said}");
    assert!(said.ends_with("min, wait_ms"), "{said}");
    let said = get("/journal/export?format=pdf").await;
    assert!(said.contains("har, curl, ndjson or stable"), "{said}");
    let said = get("/journal?limit=x").await;
    assert!(said.contains("wait_ms") && !said.contains("redact"), "{said}");
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_settings_say() {
    const LIMIT: usize = 1 << 20;
    let klarna = started().await;
    let sandbox = format!("/sandboxes/{ALPHA}");
    let of_length = |length: usize| format!("{{}}{}", " ".repeat(length - 2));
    for length in [LIMIT + 1, 2_000_012, 5_000_000] {
        let answer = call(&klarna, Method::PUT, &sandbox, None, &of_length(length)).await;
        let said = refused(&answer, 413);
        assert!(said.contains("1048576") && said.contains("limits.body_bytes"), "{said}");
    }
    assert_eq!(klarna.control().sandbox(&ALPHA.into()).await.unwrap().epoch, 1);
    assert_eq!(call(&klarna, Method::PUT, &sandbox, None, &of_length(LIMIT)).await.status, 200);
    let small = Klarna::with(|settings| settings.limits.body_bytes = 10).await;
    let said = refused(&call(&small, Method::PUT, &sandbox, None, &of_length(11)).await, 413);
    assert!(said.contains("more than 10 bytes"), "{said}");
    assert_eq!(call(&small, Method::PUT, &sandbox, None, &of_length(10)).await.status, 200);
    let large = Klarna::with(|settings| settings.limits.body_bytes = 4 * LIMIT).await;
    assert_eq!(call(&large, Method::PUT, &sandbox, None, &of_length(4 * LIMIT)).await.status, 200);
    refused(&call(&large, Method::PUT, &sandbox, None, &of_length(4 * LIMIT + 1)).await, 413);
}

#[tokio::test]
async fn bodies_are_json_whatever_curl_calls_them() {
    let klarna = started().await;
    let sandbox = format!("/sandboxes/{ALPHA}");
    let put = async |kind, body| call(&klarna, Method::PUT, &sandbox, kind, body).await;
    for kind in [
        None,
        Some("application/json"),
        Some("Application/JSON; charset=utf-8"),
        Some("application/merge-patch+json"),
        Some("application/x-www-form-urlencoded"),
    ] {
        assert_eq!(put(kind, r#"{"seed": 3}"#).await.status, 200, "{kind:?}");
    }
    for kind in ["application/xml", "text/plain", "multipart/form-data; boundary=a", "json", ""] {
        let said = refused(&put(Some(kind), r#"{"seed": 3}"#).await, 415);
        assert!(said.contains("Content-Type: application/json"), "{kind}: {said}");
    }
    assert_eq!(put(Some("text/plain"), "").await.status, 200, "there is no body to be of that type");
    let said = refused(&put(Some("application/x-www-form-urlencoded"), "seed=3").await, 400);
    assert!(said.contains(r#"{"seed": 7, "#), "{said}");
}

#[tokio::test]
async fn the_document_says_which_bodies_may_be_left_out() {
    let klarna = started().await;
    let document = klarna.send(klarna.http.get(klarna.url("/_simulator/openapi.json"))).await.body;
    let mut required = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(body) = operation.get("requestBody") else { continue };
            let path = path.replace("{account}", ALPHA).replace("{acquirer}", LOCAL).replace("{id}", "t");
            let method = method.to_uppercase().parse().unwrap();
            let answer = klarna.send(klarna.http.request(method, klarna.url(&path))).await;
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let is_required = body["required"].as_bool().unwrap();
            assert_eq!(is_required, answer.status == 400, "{id}: {answer:?}");
            assert!(operation["responses"]["4XX"].is_object());
            assert_ne!(body["content"]["application/json"]["example"], Value::Null, "{id}");
            required.insert(id, is_required);
        }
    }
    assert!(required["intent.put"] && !required["sandbox.put"], "{required:?}");
}
