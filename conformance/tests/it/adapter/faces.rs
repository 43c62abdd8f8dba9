//! Adapters for APIs with other faces: forms, queries, signed requests, tokens, several calls for one payment,
//! notifications in forms and queries that may say no more than which payment.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use klarna_conformance::adapter::{Adapter, BoundAcquirer, OperationError, Outcome, Verification};
use klarna_conformance::partner::PartnerStandIn;
use serde_json::{Value, json};
use url::Url;

use super::{Seen, context, load, order};

const WOKEN: Duration = Duration::from_secs(10);

/// An acquirer that answers each request in its own way, and remembers it.
struct Acquirer {
    base_url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    _stop: tokio_util::task::AbortOnDropHandle<()>,
}

type Answer = fn(&Seen) -> Response;

impl Acquirer {
    async fn start(answer: Answer) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let serve = async move |State(seen): State<Arc<Mutex<Vec<Seen>>>>,
                                method: Method,
                                uri: Uri,
                                headers: HeaderMap,
                                body: Bytes| {
            let one = Seen { method, uri, headers, body };
            seen.lock().unwrap().push(one.clone());
            answer(&one)
        };
        let router = Router::new().fallback(serve).with_state(Arc::clone(&seen));
        let socket = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base_url = Url::parse(&format!("http://{}/", socket.local_addr().unwrap())).unwrap();
        let task = tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
        Self { base_url, seen, _stop: tokio_util::task::AbortOnDropHandle::new(task) }
    }

    fn bound(&self, adapter: &Adapter) -> BoundAcquirer {
        BoundAcquirer::new(adapter, &self.base_url, &context(std::path::Path::new("."))).unwrap()
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn json_answer(status: u16, body: &Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
}

/// The HMAC-SHA256 of a message in hexadecimal, by another program.
fn by_python(key: &str, message: &[u8]) -> String {
    use std::io::Write as _;
    const PROGRAM: &str = "import hmac, sys; \
        print(hmac.new(sys.argv[1].encode(), sys.stdin.buffer.read(), 'sha256').hexdigest())";
    let mut python = Command::new("python3")
        .args(["-c", PROGRAM, key])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(message).unwrap();
    let output = python.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn form_of(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body).into_owned().collect()
}

const SIGNED: &str = r#"version: 1
name: acme
attach: {base_url: "http://127.0.0.1:9"}
partners:
  - {name: alpha, klarna_account: "krn:alpha", vars: {account: "375917", secret: SAIPPUAKAUPPIAS}}
capabilities: [redirect]
authentication:
  signature:
    secret: "{{ partner.vars.secret }}"
    headers:
      checkout-account: "{{ partner.vars.account }}"
      checkout-nonce: "{{ request.nonce }}"
      checkout-timestamp: "{{ request.time }}"
    message: [method, target, {headers: checkout-}, body]
    header: signature
    value: "v1 {{ signature }}"
operations:
  create_payment:
    request:
      method: POST
      path: /payments
      query: {shop: "{{ partner.name }}", flags: {fast: true}}
      headers: {Idempotency-Key: "{{ order.reference }}"}
      body: {json: {amount: "{{ order.amount }}", klarna: {$json: {networkData: "{{ order.network_data }}"}}}}
    answer:
      outcome:
        - {status: 403, headers: {x-step-up: {present: true}}, is: step_up}
      read: {payment_id: {inside: $.data, path: $.id}, redirect_url: {header: location}}
"#;

#[tokio::test]
async fn requests_are_signed_over_the_parts_that_are_named() {
    let adapter = load(SIGNED).unwrap();
    let acquirer = Acquirer::start(|_| {
        let headers = [("location", "/hop/1"), ("x-step-up", "yes")];
        (StatusCode::FORBIDDEN, headers, json!({"data": "{\"id\":\"t-1\"}"}).to_string()).into_response()
    })
    .await;
    let mut order = order("tx-1");
    let data = "{ \"b\": 1.0, \"a\": \"\\u00e9 é\" }";
    order.network_data = Some(data.to_owned());
    let bound = acquirer.bound(&adapter);
    let answer = bound.create_payment(&adapter.partners()[0], &order).await.unwrap();
    assert_eq!(answer.outcome, Outcome::StepUp);
    assert_eq!(answer.read["payment_id"], "t-1");
    assert_eq!(answer.read["redirect_url"], acquirer.base_url.join("/hop/1").unwrap().as_str());

    let seen = acquirer.seen().remove(0);
    let of = |name: &str| seen.headers[name].to_str().unwrap();
    assert_eq!(seen.uri, "/payments?shop=alpha&flags%5Bfast%5D=true");
    let message = [
        b"POST\n/payments?shop=alpha&flags%5Bfast%5D=true\n".as_slice(),
        format!("checkout-account:375917\ncheckout-nonce:{}\n", of("checkout-nonce")).as_bytes(),
        format!("checkout-timestamp:{}\n", of("checkout-timestamp")).as_bytes(),
        &seen.body,
    ]
    .concat();
    assert_eq!(of("signature"), format!("v1 {}", by_python("SAIPPUAKAUPPIAS", &message)));
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    let inner: Value = serde_json::from_str(body["klarna"].as_str().unwrap()).unwrap();
    assert_eq!(inner, json!({ "networkData": data }));

    // Each request has a nonce of its own; the report shows neither secret nor a signature that is none.
    bound.create_payment(&adapter.partners()[0], &order).await.unwrap();
    assert_ne!(acquirer.seen()[1].headers["checkout-nonce"], seen.headers["checkout-nonce"]);
    let shown = &answer.exchange.curl;
    assert!(shown.contains("signature: v1 '\"$SIGNATURE\"") && !shown.contains("SAIPPUA"), "{shown}");
    // What only the time and the nonce tell apart is the same order.
    assert!(!bound.tells_apart(&adapter.partners()[0], &order, &order).unwrap());
}

const TOKENS_AND_TWO_CALLS: &str = r#"version: 1
name: acme
attach: {base_url: "http://127.0.0.1:9"}
partners:
  - {name: alpha, klarna_account: "krn:alpha", vars: {client: shop-1, secret: client-secret-1}}
capabilities: [redirect]
authentication:
  oauth2:
    token_url: "{{ acquirer.base_url }}/token"
    client_id: "{{ partner.vars.client }}"
    client_secret: "{{ partner.vars.secret }}"
    scope: payments
operations:
  create_payment:
    before:
      - request:
          method: POST
          path: /intents
          body:
            form:
              amount: "{{ order.amount }}"
              lines: {$each: "{{ order.lines }}", as: line, item: {name: "{{ line.name }}"}}
        answer:
          outcome: [{status: 422, is: invalid}]
          read: {intent: $.id}
    request:
      method: POST
      path: "/intents/{{ call.intent }}/confirm"
      body: {form: {klarna: {data: "{{ order.network_data | omit }}"}, ok: "yes"}}
    answer:
      outcome: [{status: 200, is: approved}]
      read: {payment_id: $.payment}
"#;

fn intents(seen: &Seen) -> Response {
    let body = String::from_utf8_lossy(&seen.body).into_owned();
    match seen.uri.path() {
        "/token" => json_answer(200, &json!({"access_token": "token-of-an-hour", "expires_in": 3600})),
        "/intents" if body.contains("amount=0") => json_answer(422, &json!({})),
        "/intents" if body.contains("amount=1&") => json_answer(500, &json!({})),
        "/intents" => json_answer(200, &json!({"id": "int 1"})),
        _ => json_answer(200, &json!({"payment": "p-1"})),
    }
}

#[tokio::test]
async fn a_payment_may_take_several_calls_and_a_token() {
    let adapter =
        load(&TOKENS_AND_TWO_CALLS.replace("{{ call.intent }}", "{{ call.intent | urlencode }}")).unwrap();
    let acquirer = Acquirer::start(intents).await;
    let bound = acquirer.bound(&adapter);
    let alpha = &adapter.partners()[0];
    let mut order = order("tx-1");
    order.network_data = Some("{\"a\": \"b&c=d\"}".to_owned());
    let answer = bound.create_payment(alpha, &order).await.unwrap();
    assert_eq!((answer.outcome, answer.read["payment_id"].as_str()), (Outcome::Approved, "p-1"));
    assert_eq!(answer.read["intent"], "int 1", "later operations see it as payment.intent");
    let seen = acquirer.seen();
    let paths: Vec<_> = seen.iter().map(|one| one.uri.path()).collect();
    assert_eq!(paths, ["/token", "/intents", "/intents/int%201/confirm"]);
    assert_eq!(
        form_of(&seen[0].body),
        [("grant_type", "client_credentials"), ("scope", "payments")].map(pair)
    );
    assert_eq!(seen[0].headers["authorization"], "Basic c2hvcC0xOmNsaWVudC1zZWNyZXQtMQ==");
    for call in &seen[1..] {
        assert_eq!(call.headers["authorization"], "Bearer token-of-an-hour");
        assert_eq!(call.headers["content-type"], "application/x-www-form-urlencoded");
    }
    let lines = [("amount", "45900"), ("lines[0][name]", "shoe"), ("lines[1][name]", "parcel")];
    assert_eq!(form_of(&seen[1].body), lines.map(pair));
    assert_eq!(form_of(&seen[2].body), [("klarna[data]", "{\"a\": \"b&c=d\"}"), ("ok", "yes")].map(pair));
    let shown = format!("{:?}", answer.exchange);
    assert!(shown.contains("$ACCESS_TOKEN") && !shown.contains("token-of-an-hour"), "{shown}");

    // The token is used again; an answer before can end the operation, or be one that says nothing.
    order.amount = 0;
    assert_eq!(bound.create_payment(alpha, &order).await.unwrap().outcome, Outcome::Invalid);
    order.amount = 1;
    let error = bound.create_payment(alpha, &order).await.unwrap_err().to_string();
    assert!(error.contains("a call before it was answered 500"), "{error}");
    assert_eq!(acquirer.seen().iter().filter(|one| one.uri.path() == "/token").count(), 1);
}

fn pair((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn without_a_token_nothing_is_asked() {
    let adapter = load(TOKENS_AND_TWO_CALLS).unwrap();
    let acquirer = Acquirer::start(|_| json_answer(401, &json!({"error": "invalid_client"}))).await;
    let error =
        acquirer.bound(&adapter).create_payment(&adapter.partners()[0], &order("1")).await.unwrap_err();
    assert!(matches!(error, OperationError::NoToken { .. }), "{error}");
    assert!(error.to_string().contains("it answered 401"), "{error}");
    assert_eq!(acquirer.seen().len(), 1);
}

const BY_QUERY: &str = r#"version: 1
name: acme
attach: {base_url: "http://127.0.0.1:9"}
partners:
  - {name: alpha, klarna_account: "krn:alpha", vars: {secret: SAIPPUAKAUPPIAS}}
  - {name: beta, klarna_account: "krn:beta", vars: {secret: another-one}}
capabilities: [redirect, notifications]
operations:
  create_payment:
    request: {method: POST, path: /payments}
    answer: {outcome: [{status: 200, is: approved}], read: {payment_id: $.id}}
  read_payment:
    request: {method: GET, path: "/payments/{{ payment.payment_id | urlencode }}"}
    answer: {outcome: [{where: {$.state: paid}, is: approved}, {where: {$.state: open}, is: pending}]}
notifications:
  body: query
  verify:
    scheme: hmac-sha256
    secret: "{{ partner.vars.secret }}"
    signature: {parameter: signature}
    message: [{parameters: checkout-}]
  read: {payment_id: "$['checkout-transaction-id']"}
  outcome:
    - {where: {"$['checkout-status']": ok}, is: approved}
    - {where: {"$['checkout-status']": fail}, is: declined}
"#;

async fn stand_in(adapter: &Adapter) -> (PartnerStandIn, reqwest::Client) {
    klarna_simulator::install_crypto_provider();
    let stand_in = PartnerStandIn::start("127.0.0.1:0".parse().unwrap(), adapter).await.unwrap();
    (stand_in, reqwest::Client::builder().no_proxy().build().unwrap())
}

#[tokio::test]
async fn a_notification_may_be_a_signed_query() {
    let adapter = load(BY_QUERY).unwrap();
    let (stand_in, http) = stand_in(&adapter).await;
    // Sorted by name, whatever the order of the query.
    let signature = by_python("SAIPPUAKAUPPIAS", b"checkout-status:ok\ncheckout-transaction-id:t 1");
    let get = async |partner: &str, signature: &str| {
        let mut url = stand_in.notification_url(partner);
        url.query_pairs_mut()
            .append_pair("checkout-transaction-id", "t 1")
            .append_pair("checkout-status", "ok")
            .append_pair("signature", signature);
        http.get(url).send().await.unwrap().status().as_u16()
    };
    assert_eq!(get("alpha", &signature).await, 200);
    let heard = stand_in.await_notification("t 1", |_| true, WOKEN).await.unwrap();
    assert_eq!((heard.outcome, &heard.verified), (Some(Outcome::Approved), &Verification::Good));
    assert_eq!(get("beta", &signature).await, 401);
    assert_eq!(get("alpha", &signature.replace(['0', '1'], "2")).await, 401);
    let bad =
        stand_in.notifications("t 1").into_iter().filter(|one| matches!(one.verified, Verification::Bad(_)));
    let reasons: Vec<String> = bad.map(|one| format!("{:?}", one.verified)).collect();
    assert!(reasons[0].contains("secret of Partner alpha"), "{reasons:?}");
    assert!(reasons[1].contains("the parameter signature does not fit the parts"), "{reasons:?}");
}

const LISTED: &str = r#"  verify:
    scheme: hmac-sha256
    secret: "{{ partner.vars.secret }}"
    signature: {header: Stripe-Signature, item: v1}
    message: [{header: stripe-signature, item: t}, body]
    separator: "."
"#;

#[tokio::test]
async fn one_of_several_signatures_in_a_header_is_enough() {
    let start = BY_QUERY.find("  verify:").unwrap();
    let yaml = format!(
        "{}{LISTED}  read: {{payment_id: $.id}}\n  outcome: [{{where: {{$.type: ok}}, is: approved}}]\n",
        &BY_QUERY[..start]
    );
    let adapter = load(&yaml.replace("body: query", "body: json")).unwrap();
    let (stand_in, http) = stand_in(&adapter).await;
    let body = r#"{"id":"p-1","type":"ok"}"#;
    let signature = by_python("SAIPPUAKAUPPIAS", format!("1700000000.{body}").as_bytes());
    let post = async |header: String| {
        let request = http.post(stand_in.notification_url("alpha")).header("Stripe-Signature", header);
        request.body(body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(post(format!("t=1700000000,v1={},v1={signature}", "0".repeat(64))).await, 200);
    assert_eq!(post(format!("t=1700000001,v1={signature}")).await, 401, "the time is signed, too");
    assert_eq!(post("t=1700000000".to_owned()).await, 401);
}

#[tokio::test]
async fn a_notification_that_names_a_payment_only_is_followed_by_a_look() {
    let start = BY_QUERY.find("  verify:").unwrap();
    let yaml =
        format!("{}  read: {{payment_id: $.id}}\n", &BY_QUERY[..start]).replace("body: query", "body: form");
    let adapter = load(&yaml).unwrap();
    let (stand_in, http) = stand_in(&adapter).await;
    let acquirer = Acquirer::start(|seen| {
        let state = if seen.uri.path().ends_with("paid") { "paid" } else { "open" };
        json_answer(200, &json!({ "state": state }))
    })
    .await;
    stand_in.ask(acquirer.bound(&adapter));
    let url = stand_in.notification_url("alpha");
    for id in ["tr_paid", "tr_other"] {
        assert_eq!(http.post(url.clone()).form(&[("id", id)]).send().await.unwrap().status(), 200);
    }
    let heard = stand_in.await_notification("tr_paid", |_| true, WOKEN).await.unwrap();
    assert_eq!((heard.outcome, heard.body.as_slice()), (Some(Outcome::Approved), b"id=tr_paid".as_slice()));
    let heard = stand_in.await_notification("tr_other", |_| true, WOKEN).await.unwrap();
    assert_eq!(heard.outcome, Some(Outcome::Pending));
    // Where nothing can be read, such notifications say nothing at all.
    let bare = yaml.split("  read_payment:").next().unwrap().to_owned()
        + "notifications:\n  body: form\n  read: {payment_id: $.id}\n";
    let error = load(&bare).unwrap_err();
    assert!(error.to_string().contains("no operation says how to read it"), "{error}");
}

#[test]
fn slips_in_these_parts_are_shown_at_their_place() {
    for (from, to, message) in [
        (
            "message: [method, target, {headers: checkout-}, body]",
            "message: [method, bdy]",
            "unknown part \"bdy\"",
        ),
        ("header: signature\n", "header: \"sig nature\"\n", "is no header name"),
        ("value: \"v1 {{ signature }}\"", "value: \"{{ signatur }}\"", "unknown variable \"signatur\""),
        ("{{ request.nonce }}", "{{ request.nonse }}", "unknown field of request \"nonse\""),
        (
            "    secret: \"{{ partner.vars.secret }}\"\n",
            "    algorithm: hmac-md5\n    secret: x\n",
            "unknown algorithm \"hmac-md5\"",
        ),
        ("body: {json: {", "body: {form: {}, json: {", "a body is either json or form"),
        ("{inside: $.data, path: $.id}", "{inside: $.data}", "a value is read by a JSONPath, from a header"),
        ("{present: true}", "{presnt: true}", "a condition is a value"),
    ] {
        assert_eq!(SIGNED.matches(from).count(), 1, "{from}");
        let error = load(&SIGNED.replace(from, to)).unwrap_err();
        assert!(error.to_string().contains(message), "{to}: {error}");
        assert!(error.line().is_some(), "{to}: {error}");
    }
    let error = load(&TOKENS_AND_TWO_CALLS.replace("call.intent }}", "call.intnet }}")).unwrap_err();
    assert!(error.to_string().contains("unknown field of call \"intnet\""), "{error}");
}
