//! Bad input: a clear problem, nothing stored, nothing sent to Klarna.

use http::StatusCode;
use klarna_schemas::catalogue;
use serde_json::{Value, json};

use crate::support::{ALPHA, Acquirer, Reply, Setup, client, order};

/// Sends it raw and answers the problem, checked for its form.
async fn refused(acquirer: &Acquirer, request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{status}");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(catalogue::check("acquirer/problem", &problem), Ok(Vec::new()), "{problem:#}");
    assert_eq!(problem["status"], status.as_u16());
    let _ = acquirer;
    (status, problem)
}

fn post(acquirer: &Acquirer, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
    client()
        .post(format!("{}/v1/payments", acquirer.base_url))
        .bearer_auth(ALPHA)
        .header("content-type", "application/json")
        .body(body)
}

/// Only a sound order got through: the fence that proves the absence of all others.
async fn assert_nothing_else_reached_klarna(setup: &Setup, acquirer: Acquirer) {
    setup.klarna.will([Reply::approved()]);
    let (status, _) = acquirer.create(ALPHA, &order("sound")).await;
    assert_eq!(status, StatusCode::CREATED);
    setup.partner.await_verified().await;
    acquirer.stop().await;
    assert_eq!(setup.klarna.authorizes().len(), 1);
}

#[tokio::test]
async fn bodies_that_are_no_order() {
    let setup = Setup::new().await;
    let acquirer = setup.start().await;
    let text = order("tx-1").to_string();
    let lone_surrogate = text.replace("ORDER-5501", r"\ud800");
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("empty", Vec::new(), 400),
        ("broken off", text.as_bytes()[..50].to_vec(), 400),
        ("two values", format!("{text}{text}").into_bytes(), 400),
        ("not UTF-8", b"{\"reference\":\"\xff\"}".to_vec(), 400),
        ("a lone surrogate", lone_surrogate.into_bytes(), 400),
        ("deep nesting", "[".repeat(100_000).into_bytes(), 400),
        ("an array", b"[]".to_vec(), 400),
        ("a string", b"\"order\"".to_vec(), 400),
        ("too large", vec![b' '; (1 << 20) + 1], 413),
    ];
    for (name, body, expected) in cases {
        let (status, problem) = refused(&acquirer, post(&acquirer, body)).await;
        assert_eq!(status, expected, "{name}: {problem:#}");
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let request = post(&acquirer, text.clone()).header("content-type", "x");
        let request = client()
            .post(format!("{}/v1/payments", acquirer.base_url))
            .bearer_auth(ALPHA)
            .header("content-type", content_type)
            .body(request.build().unwrap().body().unwrap().as_bytes().unwrap().to_vec());
        assert_eq!(
            refused(&acquirer, request).await.0,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{content_type:?}"
        );
    }
    assert_nothing_else_reached_klarna(&setup, acquirer).await;
}

/// Each change makes exactly these fields wrong.
#[tokio::test]
async fn every_wrong_field_is_named() {
    let setup = Setup::new().await;
    let acquirer = setup.start().await;
    let long = "x".repeat(256);
    let many = |character: &str, count: usize| format!("\"{}\"", character.repeat(count - 2));
    let cases: Vec<(Value, Vec<&str>)> = vec![
        (json!({"amount": 0}), vec!["amount"]),
        (json!({"amount": -1}), vec!["amount"]),
        (json!({"amount": 2_147_483_648_i64}), vec!["amount"]),
        (json!({"amount": "45900"}), vec!["amount"]),
        (json!({"amount": 459.5}), vec!["amount"]),
        (json!({"amount": 459.0}), vec!["amount"]),
        (json!({"amount": null}), vec!["amount"]),
        (json!({"currency": "kronor"}), vec!["currency"]),
        (json!({"currency": 7}), vec!["currency"]),
        (json!({"reference": ""}), vec!["reference"]),
        (json!({"reference": long}), vec!["reference"]),
        (json!({"reference": "a\nb"}), vec!["reference"]),
        (json!({"mode": "popup"}), vec!["mode"]),
        (json!({"order_lines": []}), vec!["order_lines"]),
        (json!({"order_lines": {}}), vec!["order_lines"]),
        (
            json!({"order_lines": [{"name": "x", "quantity": 0, "total_amount": 1}]}),
            vec!["order_lines[0].quantity"],
        ),
        (
            json!({"order_lines": [{"name": "x", "quantity": 1, "total_amount": 1}, {"name": 5}]}),
            vec!["order_lines[1].name", "order_lines[1].quantity", "order_lines[1].total_amount"],
        ),
        (json!({"return_url": "/back"}), vec!["return_url"]),
        (json!({"return_url": "http://shop.test/back"}), vec!["return_url"]),
        (json!({"return_url": "javascript:alert(1)"}), vec!["return_url"]),
        (json!({"app_return_url": "back"}), vec!["app_return_url"]),
        (json!({"app_return_url": "javascript:alert(1)"}), vec!["app_return_url"]),
        (json!({"klarna_network_data": ""}), vec!["klarna_network_data"]),
        (json!({"klarna_network_data": "no json"}), vec!["klarna_network_data"]),
        (json!({"klarna_network_data": {"a": 1}}), vec!["klarna_network_data"]),
        (json!({"klarna_network_data": many("å", 10_241)}), vec!["klarna_network_data"]),
        (json!({"klarna_network_session_token": ""}), vec!["klarna_network_session_token"]),
        (json!({"klarna_network_session_token": "a b"}), vec!["klarna_network_session_token"]),
        (json!({"klarna_network_session_token": "t".repeat(10_241)}), vec!["klarna_network_session_token"]),
        (json!({"klarna_network_dta": "{}"}), vec!["klarna_network_dta"]),
        (
            json!({"customer": {"email": "nobody"}}),
            vec!["customer.email", "customer.family_name", "customer.given_name", "customer.phone"],
        ),
        (json!({"billing_address": "here"}), vec!["billing_address"]),
        (
            json!({"amount": "x", "currency": 1, "return_url": "/", "klarna_network_data": "{"}),
            vec!["amount", "currency", "klarna_network_data", "return_url"],
        ),
    ];
    for (change, expected) in cases {
        let mut order = order("tx-1");
        order.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let (status, problem) = refused(&acquirer, post(&acquirer, order.to_string())).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let mut named: Vec<_> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["field"].as_str().unwrap())
            .collect();
        named.sort_unstable();
        named.dedup();
        assert_eq!(named, expected, "{problem:#}");
    }
    for field in [
        "reference",
        "amount",
        "currency",
        "purchase_reference",
        "order_lines",
        "customer",
        "billing_address",
        "return_url",
        "mode",
    ] {
        let mut order = order("tx-1");
        order.as_object_mut().unwrap().remove(field);
        let (_, problem) = refused(&acquirer, post(&acquirer, order.to_string())).await;
        assert_eq!(problem["errors"][0]["field"], field);
    }
    assert_nothing_else_reached_klarna(&setup, acquirer).await;
}

#[tokio::test]
async fn the_limits_themselves_are_allowed() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::declined()]);
    let acquirer = setup.start().await;
    let mut order = order(&"å".repeat(255));
    order["amount"] = json!(2_147_483_647);
    order["klarna_network_data"] = json!(format!("\"{}\"", "å".repeat(10_238)));
    order["klarna_network_session_token"] = json!("t".repeat(10_240));
    order["return_url"] = json!("http://127.0.0.1:1/back");
    let (status, payment) = acquirer.create(ALPHA, &order).await;
    assert_eq!(status, StatusCode::CREATED, "{payment:#}");
    acquirer.stop().await;
}

#[tokio::test]
async fn who_is_not_known() {
    let setup = Setup::new().await;
    let acquirer = setup.start().await;
    let url = format!("{}/v1/payments", acquirer.base_url);
    let body = order("tx-1").to_string();
    for authorization in
        [None, Some("Bearer wrong"), Some("Bearer "), Some("Basic alpha-test-key"), Some("alpha-test-key")]
    {
        let mut request = client().post(&url).header("content-type", "application/json").body(body.clone());
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        assert_eq!(refused(&acquirer, request).await.0, StatusCode::UNAUTHORIZED, "{authorization:?}");
    }
    let read = client().get(format!("{url}/pay_1"));
    assert_eq!(refused(&acquirer, read).await.0, StatusCode::UNAUTHORIZED);
    assert_nothing_else_reached_klarna(&setup, acquirer).await;
}

#[tokio::test]
async fn paths_and_methods() {
    let setup = Setup::new().await;
    let acquirer = setup.start().await;
    let base = acquirer.base_url.clone();
    for path in
        ["/", "/v1", "/v1/payment", "/v1/payments/", "/v1/payments/x/y", "/return/nobody", "/return/%FF"]
    {
        let (status, _) = refused(&acquirer, client().get(format!("{base}{path}")).bearer_auth(ALPHA)).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    for id in ["nobody", "%FF", "%00"] {
        let (status, _) =
            refused(&acquirer, client().get(format!("{base}/v1/payments/{id}")).bearer_auth(ALPHA)).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{id}");
    }
    for (method, path) in [("PUT", "/v1/payments"), ("DELETE", "/v1/payments/x"), ("GET", "/klarna/webhooks")]
    {
        let request = client().request(method.parse().unwrap(), format!("{base}{path}")).bearer_auth(ALPHA);
        let response = request.try_clone().unwrap().send().await.unwrap();
        assert!(response.headers().contains_key("allow"));
        assert_eq!(refused(&acquirer, request).await.0, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
    }
    assert_nothing_else_reached_klarna(&setup, acquirer).await;
}
