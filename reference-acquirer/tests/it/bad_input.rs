//! Bad input: a clear problem, nothing stored, nothing sent to Klarna.

use http::{Method, StatusCode};
use klarna_schemas::catalogue;
use reference_acquirer::http::routes::{Caller, ROUTES};
use serde_json::{Value, json};

use crate::support::{ALPHA, Acquirer, Database, Reply, Setup, client, on_both, order, sound};

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

/// What is wrong with a body whatever it is for: each POST of the Partner API against each of these.
#[tokio::test]
async fn bodies_that_no_operation_takes() {
    for route in ROUTES.iter().filter(|route| route.caller == Caller::Partner && route.method == Method::POST)
    {
        let setup = Setup::new().await;
        let acquirer = setup.start().await;
        let (path, body) = sound(&setup, &acquirer, route).await;
        let text = body.to_string();
        let utf16: Vec<u8> =
            [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let with =
            |name: &str, value: &str| format!("{{\"{name}\":{value},{}", &text[1..]).replace(",}", "}");
        let nested = format!("{}1{}", "[".repeat(2_000), "]".repeat(2_000));
        let cases: Vec<(&str, Vec<u8>, u16, Option<&str>)> = vec![
            ("broken off", b"{\"amount\": ".to_vec(), 400, None),
            ("two values", format!("{text}{text}").into_bytes(), 400, None),
            ("not UTF-8", b"{\"reference\":\"\xff\"}".to_vec(), 400, None),
            ("a byte order mark", [b"\xef\xbb\xbf", text.as_bytes()].concat(), 400, None),
            ("UTF-16", utf16, 400, None),
            ("deep nesting", with("x", &nested).into_bytes(), 400, None),
            ("a number that is none", with("amount", "1e999").into_bytes(), 400, None),
            ("an array", b"[]".to_vec(), 400, Some("$")),
            ("null", b"null".to_vec(), 400, Some("$")),
            ("a name twice", b"{\"amount\":1,\"amount\":7}".to_vec(), 400, Some("amount")),
            ("an unknown field", with("amuont", "1").into_bytes(), 400, Some("amuont")),
            ("too large", vec![b' '; (1 << 20) + 1], 413, None),
        ];
        let calls = setup.klarna.heard.matching(|_| true).len();
        let before = stored(&acquirer).await;
        let typed = |content_type: &str, body: Vec<u8>| {
            let url = format!("{}{path}", acquirer.base_url);
            client().post(url).bearer_auth(ALPHA).header("content-type", content_type).body(body)
        };
        let request = |body: Vec<u8>| typed("application/json", body);
        for (name, body, expected, field) in cases {
            let (status, problem) = refused(&acquirer, request(body)).await;
            assert_eq!(status, expected, "{route:?}, {name}: {problem:#}");
            if let Some(field) = field {
                let named = problem["errors"].as_array().unwrap().iter().any(|error| error["field"] == field);
                assert!(named, "{route:?}, {name}: {problem:#}");
            }
        }
        if body.get("amount").is_some() {
            for amount in
                ["0", "-1", "2147483648", "9223372036854775808", "1e30", "1.5", "\"1\"", "null", "true"]
            {
                let mut wrong = body.clone();
                wrong["amount"] = serde_json::from_str(amount).unwrap();
                let (status, problem) = refused(&acquirer, request(wrong.to_string().into_bytes())).await;
                assert_eq!(status, StatusCode::BAD_REQUEST, "{route:?} {amount}");
                assert_eq!(problem["errors"][0]["field"], "amount", "{route:?} {amount}");
            }
        }
        if route.path.contains("captures") || route.path.contains("refunds") || route.path == "/v1/payments" {
            for reference in ["", "a\0b", "a\nb", "\u{7f}", &"x".repeat(256)] {
                let mut wrong = body.clone();
                wrong["reference"] = json!(reference);
                let (status, problem) = refused(&acquirer, request(wrong.to_string().into_bytes())).await;
                assert_eq!(status, StatusCode::BAD_REQUEST, "{route:?} {reference:?}");
                assert_eq!(problem["errors"][0]["field"], "reference", "{route:?} {reference:?}");
            }
        }
        let other = typed("text/plain", text.clone().into_bytes());
        assert_eq!(refused(&acquirer, other).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{route:?}");

        assert_eq!(setup.klarna.heard.matching(|_| true).len(), calls, "{route:?}");
        assert_eq!(stored(&acquirer).await, before, "{route:?}");
        // And the request was sound but for that.
        assert!(request(text.into_bytes()).send().await.unwrap().status().is_success(), "{route:?}");
        acquirer.stop().await;
    }
}

/// All payments of alpha's, with what was done with them.
async fn stored(acquirer: &Acquirer) -> Vec<Value> {
    let url = format!("{}/v1/payments", acquirer.base_url);
    let page: Value = client().get(url).bearer_auth(ALPHA).send().await.unwrap().json().await.unwrap();
    let mut all = Vec::new();
    for payment in page["payments"].as_array().unwrap() {
        all.push(acquirer.read(ALPHA, payment["payment_id"].as_str().unwrap()).await.1);
    }
    all
}

/// More than the payment is worth can be neither captured nor refunded.
#[tokio::test]
async fn more_than_the_payment() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved()]);
    let acquirer = setup.start().await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    for what in ["captures", "refunds"] {
        let path = format!("{}/{what}", payment["payment_id"].as_str().unwrap());
        let request = acquirer.posting(ALPHA, &path, &json!({"amount": 45_901}));
        let (status, problem) = refused(&acquirer, request).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::BAD_REQUEST, &json!("amount")));
    }
    acquirer.stop().await;
    assert_eq!(setup.klarna.operations().len(), 0);
}

on_both! {
    what_a_database_cannot_hold_never_reaches_it
}

/// PostgreSQL has no NUL: a text with one is refused by name, and a path with one leads nowhere.
async fn what_a_database_cannot_hold_never_reaches_it(database: &Database) {
    let setup = Setup::new().await;
    let url = database.url();
    let acquirer = setup.start_with(|settings| settings.database = url.into()).await;
    for route in ROUTES.iter().filter(|route| route.path.contains('{')) {
        for name in ["%00", "pay_%00", "a%0Ab", "%FF", "%ED%A0%80"] {
            let path = route.path.replace("{payment_id}", name).replace("{return_key}", name);
            let request = client().request(route.method.clone(), format!("{}{path}", acquirer.base_url));
            let request =
                request.bearer_auth(ALPHA).header("content-type", "application/json").body("{\"amount\":1}");
            assert_eq!(refused(&acquirer, request).await.0, StatusCode::NOT_FOUND, "{route:?} {name}");
        }
    }
    for field in [
        "reference",
        "purchase_reference",
        "order_lines[0].name",
        "order_lines[0].reference",
        "order_lines[0].product_url",
        "order_lines[0].image_url",
        "customer.given_name",
        "customer.family_name",
        "customer.email",
        "billing_address.street_address",
        "billing_address.region",
        "shipping_address.city",
        "return_url",
        "app_return_url",
        "payment_option_id",
        "klarna_network_session_token",
    ] {
        for control in ["\0", "\u{1b}", "\u{7f}"] {
            let mut order = order("tx-1");
            order["payment_option_id"] = json!("option-1");
            order["klarna_network_session_token"] = json!("token");
            let pointer = format!("/{}", field.replace("[0]", "/0").replace('.', "/"));
            let value = order.pointer_mut(&pointer).unwrap();
            *value = json!(format!("{}{control}x", value.as_str().unwrap()));
            let (status, problem) = refused(&acquirer, post(&acquirer, order.to_string())).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{field}");
            let errors = problem["errors"].as_array().unwrap();
            assert!(errors.iter().all(|error| error["field"] == field), "{field}: {problem:#}");
        }
    }
    assert_eq!(stored(&acquirer).await, Vec::<Value>::new());
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
        (json!({"amount": 459.5}), vec!["amount"]),
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
