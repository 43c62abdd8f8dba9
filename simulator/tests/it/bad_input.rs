//! Whatever comes: Klarna's error body, the parameter named, and nothing changed.

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{CallKind, PutSandbox, QueuedOutcome};
use klarna_schemas::simulator::journal::Ending;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::klarna::{ALPHA, KEY, Klarna, initial};

async fn raw(klarna: &Klarna, kind: &str, body: impl Into<reqwest::Body>) -> crate::klarna::Answer {
    let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
    let request = klarna.http.post(url).header("authorization", KEY).header("content-type", kind);
    klarna.send(request.body(body)).await
}

async fn assert_untouched(klarna: &Klarna) {
    let findings = klarna.control().findings(&ALPHA.into(), None).await.unwrap();
    let about_payments: Vec<_> =
        findings.findings.iter().filter(|finding| finding.payment.is_some()).collect();
    assert!(about_payments.is_empty(), "a payment was opened: {about_payments:?}");
    let of_payments = ["body.as-documented", "transaction-reference.present", "step-up-config.present"];
    let judged: Vec<_> = of_payments.iter().filter(|rule| findings.judged.contains_key(**rule)).collect();
    assert!(judged.is_empty(), "a payment was opened: {judged:?}");
    assert!(klarna.journal("event:*").await.entries.is_empty());
}

#[tokio::test]
async fn each_wrong_field_is_named() {
    let klarna = Klarna::start().await;
    let with = |pointer: &str, value: Value| {
        let mut body = initial("t-1");
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let without = |parent: &str, field: &str| {
        let mut body = initial("t-1");
        body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field).unwrap();
        body
    };
    let long = "x".repeat(256);
    let cases = [
        (without("", "currency"), "currency"),
        (without("", "request_payment_transaction"), "request_payment_transaction"),
        (without("/request_payment_transaction", "amount"), "request_payment_transaction.amount"),
        (with("/currency", json!("KRONA")), "currency"),
        (with("/currency", json!(752)), "currency"),
        (with("/request_payment_transaction/amount", json!("45900")), "request_payment_transaction.amount"),
        (with("/request_payment_transaction/amount", json!(0)), "request_payment_transaction.amount"),
        (with("/request_payment_transaction/amount", json!(-1)), "request_payment_transaction.amount"),
        (with("/request_payment_transaction/amount", json!(1.5)), "request_payment_transaction.amount"),
        (
            with("/request_payment_transaction/amount", json!(2_147_483_648_u64)),
            "request_payment_transaction.amount",
        ),
        (
            with("/request_payment_transaction/payment_transaction_reference", json!(long)),
            "request_payment_transaction.payment_transaction_reference",
        ),
        (with("/klarna_network_data", json!({"a": 1})), "klarna_network_data"),
        (
            with("/supplementary_purchase_data/line_items/0/quantity", json!("one")),
            "supplementary_purchase_data.line_items[0].quantity",
        ),
        (
            without("/supplementary_purchase_data/line_items/0", "total_amount"),
            "supplementary_purchase_data.line_items[0].total_amount",
        ),
        (with("/step_up_config", json!([])), "step_up_config"),
        (
            with(
                "/step_up_config/customer_interaction_config",
                json!({"return_url": "https://a.example", "interaction_expiry": {"duration": "PT14M"}}),
            ),
            "step_up_config.customer_interaction_config.interaction_expiry",
        ),
        (
            with(
                "/step_up_config/customer_interaction_config",
                json!({"return_url": "https://a.example", "interaction_expiry": {"duration": "P3D"}}),
            ),
            "step_up_config.customer_interaction_config.interaction_expiry",
        ),
    ];
    for (body, parameter) in cases {
        let answer = klarna.authorize(ALPHA, &[], &body).await;
        assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR", parameter), "{answer:?}");
    }
    assert_untouched(&klarna).await;
    // The sound twin.
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.result(), "STEP_UP_REQUIRED");
}

#[tokio::test]
async fn what_real_clients_send_is_not_refused() {
    let klarna = Klarna::start().await;
    let mut odd = initial("t-1");
    odd["unknown_field"] = json!({"a": [1]});
    odd["supplementary_purchase_data"] = json!({
        "line_items": [{"name": "Discount", "quantity": 1, "total_amount": -500, "reference": "r"}],
        "shipping": [], "customer": {},
    });
    odd["step_up_config"] = json!({"customer_interaction_config": {"return_url": "https://a.example/{klarna.payment_request.id}"}});
    assert_eq!(klarna.authorize(ALPHA, &[], &odd).await.result(), "STEP_UP_REQUIRED");
    assert!(klarna.findings("t-1").await.contains(&"body.as-documented".to_owned()), "but it is warned of");
    let two_days = json!({"return_url": "https://a.example", "interaction_expiry": {"duration": "P2D"}});
    let mut long = initial("t-2");
    long["step_up_config"]["customer_interaction_config"] = two_days;
    assert_eq!(klarna.authorize(ALPHA, &[], &long).await.result(), "STEP_UP_REQUIRED");
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let klarna = Klarna::start().await;
    for body in ["", "{", "not json", "{\"currency\":\"\\ud800\"}", "\u{feff}{}"] {
        assert_eq!(
            raw(&klarna, "application/json", body).await.refusal(),
            (400, "INVALID_CONTENT_TYPE", ""),
            "{body}"
        );
    }
    assert_eq!(raw(&klarna, "application/json", vec![0xff, 0xfe]).await.refusal().1, "INVALID_CONTENT_TYPE");
    let body = initial("t-1").to_string();
    assert_eq!(raw(&klarna, "text/plain", body.clone()).await.refusal(), (400, "INVALID_CONTENT_TYPE", ""));
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(raw(&klarna, "application/json", deep).await.refusal().0, 400);
    for body in ["[]", "null", "1", "\"text\""] {
        assert_eq!(raw(&klarna, "application/json", body).await.refusal().1, "VALIDATION_ERROR", "{body}");
    }
    assert_untouched(&klarna).await;
    assert_eq!(raw(&klarna, "application/json; charset=utf-8", body).await.result(), "STEP_UP_REQUIRED");
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_refused() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let mut body = initial("t-1");
    body["padding"] = json!("x".repeat(1 << 20));
    let answer = klarna.authorize(ALPHA, &[], &body).await;
    assert_eq!(answer.refusal().0, 413);
    // A caller that writes all of it before it reads is answered, too.
    body["padding"] = json!("x".repeat(12 << 20));
    let answer = klarna.authorize(ALPHA, &[], &body).await;
    assert_eq!(answer.refusal().0, 413);
    let journal = klarna.journal("authorize").await;
    assert!(journal.entries.iter().all(|entry| entry.request.truncated), "only the beginning is kept");
    assert!(journal.entries.iter().all(|entry| entry.request.body().len() == 64 << 10));
    body["padding"] = json!("x".repeat((1 << 20) - 2_000));
    assert_eq!(klarna.authorize(ALPHA, &[], &body).await.result(), "STEP_UP_REQUIRED");
}

/// Whoever asks first whether to send so much is told no, and need not send it.
#[tokio::test]
async fn a_large_body_that_is_announced_is_refused_before_it_comes() {
    let klarna = Klarna::start().await;
    let address = klarna.simulator.base_url().authority().to_owned();
    let mut socket = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /v2/accounts/{ALPHA}/payment/authorize HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: 2000000\r\nExpect: 100-continue\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 64 << 10];
    let read = tokio::time::timeout(std::time::Duration::from_secs(10), socket.read(&mut answer));
    let length = read.await.expect("it is answered before the body").unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn bad_credentials_are_refused_and_open_nothing() {
    let klarna = Klarna::start().await;
    let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
    for credential in [
        None,
        Some("Basic wrong"),
        Some("Bearer klarna_test_api_local"),
        Some("Basic klarna_live_api_x"),
        Some(""),
    ] {
        let mut request = klarna.http.post(&url).json(&initial("t-1"));
        if let Some(credential) = credential {
            request = request.header("authorization", credential);
        }
        assert_eq!(klarna.send(request).await.refusal(), (401, "UNAUTHORIZED", ""), "{credential:?}");
    }
    assert!(klarna.control().sandbox(&ALPHA.into()).await.is_err(), "no sandbox was made");
}

#[tokio::test]
async fn wrong_paths_and_methods_are_refused() {
    let klarna = Klarna::start().await;
    let path = format!("/v2/accounts/{ALPHA}/payment/authorize");
    for (method, path) in [
        ("GET", path.as_str()),
        ("PUT", &path),
        ("POST", "/"),
        ("POST", "/v3/x"),
        ("PATCH", "/v2/notification/webhooks"),
        ("GET", "/v2/notification/webhooks/%FF"),
        ("GET", "/eu/requests/no-uuid/start"),
    ] {
        let request =
            klarna.http.request(method.parse().unwrap(), klarna.url(path)).header("authorization", KEY);
        let answer = klarna.send(request).await;
        assert_eq!(answer.refusal(), (404, "NOT_FOUND", ""), "{method} {path}");
        // The contract's catalogue has none for a route, unlike for a resource (`payments.md` 5.3).
        assert_eq!(answer.body.get("error_type"), None, "{method} {path}");
    }
}

#[tokio::test]
async fn an_overlong_idempotency_key_is_refused() {
    let klarna = Klarna::start().await;
    let long = "k".repeat(256);
    let answer = klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", &long)], &initial("t-1")).await;
    assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR", "Klarna-Idempotency-Key"));
    assert_untouched(&klarna).await;
}

#[tokio::test]
async fn a_caller_that_breaks_off_changes_nothing() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let address = klarna.simulator.base_url().socket_addrs(|| None).unwrap()[0];
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v2/accounts/{ALPHA}/payment/authorize HTTP/1.1\r\nhost: x\r\nauthorization: {KEY}\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{{\"currency\""
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    drop(stream);
    // The sound twin comes later on the same server, so what the first did would show.
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.result(), "STEP_UP_REQUIRED");
    let answered = klarna.journal("authorize").await.entries.into_iter();
    assert_eq!(answered.filter(|entry| entry.ended == Ending::Answered).count(), 1);
}

#[tokio::test]
async fn garbage_on_the_wire_does_not_stop_the_server() {
    let klarna = Klarna::start().await;
    let address = klarna.simulator.base_url().socket_addrs(|| None).unwrap()[0];
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"\x16\x03\x01 this is no HTTP\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _closed = stream.read_to_end(&mut answer).await;
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.result(), "STEP_UP_REQUIRED");
}

#[tokio::test]
async fn there_is_an_end_to_accounts_and_outcomes() {
    let klarna = Klarna::with(|settings| settings.limits.accounts = 2).await;
    let call = async |key: &str| {
        let request = klarna.http.get(klarna.url("/v2/notification/signing-keys"));
        klarna.send(request.header("authorization", format!("Basic {key}"))).await.status
    };
    // The configured account is one of the two.
    let opened = [call("klarna_test_api_one").await, call("klarna_test_api_two").await];
    assert_eq!(opened, [200, 401]);
    assert_eq!([call("klarna_test_api_one").await, call(KEY).await], [200, 200]);

    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let declined = QueuedOutcome::once(CallKind::Any, AuthorizationResult::Declined);
    let full = klarna.control().queue_outcomes(&ALPHA.into(), &vec![declined.clone(); 1_001]).await;
    assert!(full.unwrap_err().to_string().contains("409"));
    let wordy = QueuedOutcome { result_reason: Some("x".repeat(256)), ..declined };
    let refused = klarna.control().queue_outcomes(&ALPHA.into(), &[wordy]).await.unwrap_err().to_string();
    assert!(refused.contains("[0].result_reason"), "{refused}");
}
