//! Faults, by the bytes that a caller sees.

use std::io::ErrorKind;

use klarna_schemas::simulator::control::{
    ArmFault, CallKind, Fault, FaultBody, Intent, JournalQuery, PutSandbox,
};
use klarna_schemas::simulator::journal::Ending;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::klarna::{ALPHA, KEY, Klarna, TOKEN, initial, last};

const LOCAL: &str = "krn:partner:global:account:test:LOCALACQ";

/// A Klarna with a sandbox and this fault in it.
pub(crate) async fn klarna(fault: ArmFault) -> Klarna {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    arm(&klarna, &fault).await;
    klarna
}

pub(crate) async fn arm(klarna: &Klarna, fault: &ArmFault) {
    klarna.control().arm_fault(&ALPHA.into(), fault).await.unwrap();
}

/// What was found in the first payment, but for what these bare calls leave out.
pub(crate) async fn found(klarna: &Klarna) -> Vec<String> {
    let mut found = klarna.findings("e1p1").await;
    found
        .retain(|rule| rule != "integration-metadata.present" && rule != "subscription.covers-state-changes");
    found
}

fn status(status: u16, body: FaultBody) -> Fault {
    Fault::Status { status, body }
}

/// A connection with an authorize written on it.
pub(crate) async fn raw_authorize(klarna: &Klarna, reference: &str) -> TcpStream {
    let body = initial(reference).to_string();
    let address = klarna.simulator.base_url().socket_addrs(|| None).unwrap()[0];
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v2/accounts/{ALPHA}/payment/authorize HTTP/1.1\r\nHost: klarna\r\nAuthorization: Basic {KEY}\r\n\
         Content-Type: application/json\r\nKlarna-Idempotency-Key: {reference}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    stream
}

/// What comes until the connection ends, and how it ends.
pub(crate) async fn read_out(mut stream: TcpStream) -> (Vec<u8>, Result<(), ErrorKind>) {
    let mut bytes = Vec::new();
    let reading = tokio::time::timeout(std::time::Duration::from_secs(10), stream.read_to_end(&mut bytes));
    let ended = reading.await.expect("the connection does not end").map(|_| ()).map_err(|error| error.kind());
    (bytes, ended)
}

#[tokio::test]
async fn a_status_comes_in_klarnas_words_and_nothing_was_decided() {
    let klarna = klarna(ArmFault::once("authorize", status(500, FaultBody::Klarna))).await;
    let key = [("Klarna-Idempotency-Key", "k-1")];
    let faulty = klarna.authorize(ALPHA, &key, &initial("t-1")).await;
    assert_eq!(faulty.refusal(), (500, "INTERNAL_ERROR", ""));
    assert!(faulty.headers.contains_key("klarna-correlation-id"));
    // Another body under the same key would be a conflict, had the first call left a trace.
    let decided = klarna.authorize(ALPHA, &key, &initial("t-1")).await;
    assert_eq!(decided.result(), "STEP_UP_REQUIRED");
    let calls = klarna.journal("authorize").await.entries;
    let fates: Vec<_> = calls.iter().map(|call| (call.fault.as_deref(), call.rule.as_deref())).collect();
    assert_eq!(fates, [(Some("status 500"), None), (None, Some("default"))]);
    assert_eq!(calls[0].payment, calls[1].payment);
    assert_eq!(found(&klarna).await, Vec::<String>::new());
}

#[tokio::test]
async fn each_status_has_its_code_and_a_quota_its_headers() {
    let codes = [
        (400, "VALIDATION_ERROR"),
        (401, "UNAUTHORIZED"),
        (403, "OPERATION_FORBIDDEN"),
        (404, "RESOURCE_NOT_FOUND"),
        (409, "RESOURCE_CONFLICT"),
        (429, "RATE_LIMITED"),
        (503, "TEMPORARY_UNAVAILABLE"),
    ];
    for (code, word) in codes {
        let klarna = klarna(ArmFault::once("authorize", status(code, FaultBody::Klarna))).await;
        let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
        assert_eq!(answer.refusal(), (code, word, ""));
        let left = answer.headers["x-ratelimit-remaining"].to_str().unwrap();
        assert_eq!(left == "0", code == 429, "{code}: {left}");
    }
}

#[tokio::test]
async fn a_flood_guard_has_no_body_and_a_proxy_has_html() {
    let klarna = klarna(ArmFault::once("authorize", status(403, FaultBody::None))).await;
    arm(&klarna, &ArmFault::once("authorize", status(502, FaultBody::Html))).await;
    let path = format!("/v2/accounts/{ALPHA}/payment/authorize");
    let guarded = klarna.post(&path, &[], &initial("t-1")).send().await.unwrap();
    assert_eq!((guarded.status().as_u16(), guarded.headers().get("content-type")), (403, None));
    assert_eq!(guarded.bytes().await.unwrap().len(), 0);
    let proxied = klarna.post(&path, &[], &initial("t-1")).send().await.unwrap();
    assert_eq!(proxied.status().as_u16(), 502);
    assert!(proxied.text().await.unwrap().starts_with("<!doctype html>"));
}

#[tokio::test]
async fn a_reset_leaves_not_a_byte() {
    let klarna = klarna(ArmFault::once("authorize", Fault::Reset)).await;
    let (bytes, ended) = read_out(raw_authorize(&klarna, "t-1").await).await;
    assert_eq!((bytes.as_slice(), ended), (&b""[..], Err(ErrorKind::ConnectionReset)));
    let entry = &klarna.journal("authorize").await.entries[0];
    let written = (entry.fault.as_deref(), entry.ended, entry.response.is_none());
    assert_eq!(written, (Some("reset"), Ending::Broken, true));
    // The fault was for one call.
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.result(), "STEP_UP_REQUIRED");
}

#[tokio::test]
async fn a_stalled_call_hears_nothing_until_the_fault_is_lifted() {
    let klarna = klarna(ArmFault::once("authorize", Fault::Stall)).await;
    let mut stalled = raw_authorize(&klarna, "t-1").await;
    let entry = klarna.awaited("authorize", 1).await.entries[0].clone();
    assert_eq!((entry.fault.as_deref(), entry.ended), (Some("stall"), Ending::TimedOut));
    // Later calls are served meanwhile, so what has not come by now is held back.
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-2")).await.result(), "STEP_UP_REQUIRED");
    let nothing = stalled.try_read(&mut [0; 16]).map_err(|error| error.kind());
    assert_eq!(nothing, Err(ErrorKind::WouldBlock));
    klarna.control().lift_faults(&ALPHA.into()).await.unwrap();
    let (bytes, ended) = read_out(stalled).await;
    assert_eq!((bytes.as_slice(), ended), (&b""[..], Err(ErrorKind::ConnectionReset)));
    // A reset of the sandbox lifts faults too.
    arm(&klarna, &ArmFault::once("authorize", Fault::Stall)).await;
    stalled = raw_authorize(&klarna, "t-3").await;
    klarna.awaited("authorize", 3).await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    assert_eq!(read_out(stalled).await.0, b"");
}

#[tokio::test]
async fn a_reset_stream_leaves_the_other_streams_of_its_connection_alone() {
    let klarna = klarna(ArmFault::once("authorize", Fault::Stall)).await;
    arm(&klarna, &ArmFault::once("authorize", Fault::Reset)).await;
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
    let call = |reference: &str| {
        let request = http.post(&url).header("authorization", format!("Basic {KEY}"));
        request.header("content-type", "application/json").body(initial(reference).to_string()).send()
    };
    let stalled = tokio::spawn(call("t-1"));
    klarna.awaited("authorize", 1).await;
    assert!(call("t-2").await.is_err(), "this stream is reset");
    assert_eq!(call("t-3").await.unwrap().status(), 200);
    assert!(!stalled.is_finished(), "the stalled stream on the same connection lives");
    klarna.control().lift_faults(&ALPHA.into()).await.unwrap();
    assert!(stalled.await.unwrap().is_err());
}

#[tokio::test]
async fn a_fault_meets_the_calls_that_it_is_for() {
    let klarna = Klarna::start().await;
    let (_, token) = klarna.completed("t-1").await;
    let fault = status(503, FaultBody::Klarna);
    arm(&klarna, &ArmFault { on: CallKind::Final, ..ArmFault::once("authorize", fault) }).await;
    arm(&klarna, &ArmFault { times: 2, ..ArmFault::once("payment_request.*", fault) }).await;
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-2")).await.status, 200);
    let headers = [(TOKEN, token.as_str()), ("Klarna-Idempotency-Key", "final")];
    assert_eq!(klarna.authorize(ALPHA, &headers, &last("t-1")).await.status, 503);
    let request = klarna.journal("authorize").await.entries[0].response.clone().unwrap().json().unwrap();
    let id = request["payment_request"]["payment_request_id"].as_str().unwrap().to_owned();
    let path = format!("/v2/accounts/{ALPHA}/payment/requests/{id}");
    let read =
        [klarna.get(&path).await.status, klarna.get(&path).await.status, klarna.get(&path).await.status];
    assert_eq!(read, [503, 503, 200]);
    // Served or not, they are found with the payment that their path is about.
    let calls = klarna.journal("authorize").await.entries;
    let reads = klarna.journal("payment_request.read").await.entries;
    assert!(calls[0].payment.is_some() && reads.iter().all(|read| read.payment == calls[0].payment));
    // The token was not spent by the call that met the fault.
    assert_eq!(klarna.authorize(ALPHA, &headers, &last("t-1")).await.result(), "APPROVED");
    assert_eq!(found(&klarna).await, Vec::<String>::new());
}

#[tokio::test]
async fn registrations_meet_the_faults_of_their_account() {
    let klarna = Klarna::start().await;
    let fault = ArmFault::once("signing_key.create", status(500, FaultBody::Klarna));
    klarna.control().arm_account_fault(LOCAL, &fault).await.unwrap();
    let create = || klarna.post("/v2/notification/signing-keys", &[], &Value::Null);
    assert_eq!(klarna.get("/v2/notification/signing-keys").await.status, 200);
    assert_eq!(klarna.send(create()).await.refusal(), (500, "INTERNAL_ERROR", ""));
    assert_eq!(klarna.get("/v2/notification/signing-keys").await.body["signing_keys"], json!([]));
    assert_eq!(klarna.send(create()).await.status, 201);
    let stall = ArmFault::once("webhook.list", Fault::Stall);
    klarna.control().arm_account_fault(LOCAL, &stall).await.unwrap();
    let stalled = tokio::spawn(
        klarna.http.get(klarna.url("/v2/notification/webhooks")).header("authorization", KEY).send(),
    );
    let query = JournalQuery {
        operation: Some("webhook.list".to_owned()),
        wait_ms: Some(10_000),
        ..JournalQuery::default()
    };
    let page = klarna.control().account_journal(LOCAL, &query).await.unwrap();
    assert_eq!(page.entries[0].fault.as_deref(), Some("stall"));
    klarna.control().lift_account_faults(LOCAL).await.unwrap();
    assert!(stalled.await.unwrap().is_err());
    assert!(klarna.control().arm_account_fault("krn:nobody", &stall).await.is_err());
}

#[tokio::test]
async fn a_faulty_call_is_judged_by_what_it_said() {
    let fault = ArmFault { times: 2, ..ArmFault::once("authorize", status(500, FaultBody::Klarna)) };
    let klarna = klarna(fault).await;
    let intent: Intent = serde_json::from_value(
        json!({"amount": 45_900, "currency": "SEK", "network_data": "something else"}),
    )
    .unwrap();
    klarna.control().declare_intent(&ALPHA.into(), &intent).await.unwrap();
    klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "k-1")], &initial("t-1")).await;
    assert_eq!(found(&klarna).await, ["network-data.byte-equal"]);
    // Again, with another key: Klarna cannot tell it from a new call.
    klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "k-2")], &initial("t-1")).await;
    let judged = found(&klarna).await;
    assert!(judged.contains(&"idempotency-key.kept-on-retry".to_owned()), "{judged:?}");
    // Or with another body under the first key.
    let mut other = initial("t-1");
    other["request_payment_transaction"]["amount"] = json!(1);
    klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "k-1")], &other).await;
    let judged = found(&klarna).await;
    assert!(judged.contains(&"idempotency-key.one-body".to_owned()), "{judged:?}");
}

#[tokio::test]
async fn a_final_call_that_only_met_a_fault_was_to_be_made_again() {
    let klarna = Klarna::start().await;
    let (_, token) = klarna.completed("t-1").await;
    arm(&klarna, &ArmFault { on: CallKind::Final, ..ArmFault::once("authorize", Fault::Reset) }).await;
    let (path, headers) = (format!("/v2/accounts/{ALPHA}/payment/authorize"), [(TOKEN, token.as_str())]);
    assert!(klarna.post(&path, &headers, &last("t-1")).send().await.is_err());
    let two_hours = serde_json::from_value(json!({"advance": "PT2H"})).unwrap();
    klarna.control().set_clock(&ALPHA.into(), &two_hours).await.unwrap();
    let found = found(&klarna).await;
    assert!(!found.contains(&"final.missing".to_owned()), "it came: {found:?}");
    assert!(found.contains(&"retry.made".to_owned()), "{found:?}");
    assert!(found.contains(&"request.canceled-when-given-up".to_owned()), "{found:?}");
}

/// Operation, method and path of every call that can meet a fault.
const SANDBOX_CALLS: [(&str, &str, &str); 4] = [
    ("authorize", "POST", "authorize"),
    ("payment_request.read", "GET", "requests/krn:r"),
    ("payment_request.cancel", "DELETE", "requests/krn:r"),
    ("presentation.read", "GET", "presentation"),
];
const ACCOUNT_CALLS: [(&str, &str, &str); 8] = [
    ("signing_key.create", "POST", "signing-keys"),
    ("signing_key.list", "GET", "signing-keys"),
    ("signing_key.read", "GET", "signing-keys/krn:k"),
    ("signing_key.delete", "DELETE", "signing-keys/krn:k"),
    ("webhook.create", "POST", "webhooks"),
    ("webhook.list", "GET", "webhooks"),
    ("webhook.read", "GET", "webhooks/krn:w"),
    ("webhook.delete", "DELETE", "webhooks/krn:w"),
];

/// A call that may be as senseless as it likes: a fault comes before anything is decided.
async fn status_of(klarna: &Klarna, method: &str, path: &str) -> u16 {
    let request = klarna.http.request(method.parse().unwrap(), klarna.url(path)).header("authorization", KEY);
    request.body(initial("t-1").to_string()).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn every_operation_that_can_be_armed_is_met_by_its_call() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let fault = status(418, FaultBody::None);
    for (operation, method, path) in SANDBOX_CALLS {
        arm(&klarna, &ArmFault::once(operation, fault)).await;
        let path = format!("/v2/accounts/{ALPHA}/payment/{path}");
        assert_eq!(status_of(&klarna, method, &path).await, 418, "{operation}");
    }
    for (operation, method, path) in ACCOUNT_CALLS {
        klarna.control().arm_account_fault(LOCAL, &ArmFault::once(operation, fault)).await.unwrap();
        let path = format!("/v2/notification/{path}");
        assert_eq!(status_of(&klarna, method, &path).await, 418, "{operation}");
    }
}

#[tokio::test]
async fn a_fault_that_no_call_can_meet_is_refused() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    for (operation, said) in [
        ("authorise", "did you mean authorize?"),
        ("payment_requests.*", "payment_request.read"),
        ("journey.open", "cannot be met by a fault"),
        ("event:*", "POST …/webhooks"),
        ("AUTHORIZE", "did you mean authorize?"),
        ("webhook.create", "acquirer account"),
    ] {
        let armed = klarna.control().arm_fault(&ALPHA.into(), &ArmFault::once(operation, Fault::Reset)).await;
        let refused = armed.unwrap_err().to_string();
        assert!(refused.contains("400") && refused.contains(operation), "{refused}");
        assert!(refused.contains(said), "{refused}");
    }
    for (operation, said) in [("webhooks.create", "did you mean webhook.create?"), ("auth*", "its sandbox")] {
        let armed = klarna.control().arm_account_fault(LOCAL, &ArmFault::once(operation, Fault::Reset)).await;
        let refused = armed.unwrap_err().to_string();
        assert!(refused.contains("400") && refused.contains(said), "{refused}");
    }
    for pattern in ["*", "auth*", "payment_request.*"] {
        arm(&klarna, &ArmFault::once(pattern, Fault::Reset)).await;
    }
}

#[tokio::test]
async fn rules_and_queued_outcomes_bring_faults_too() {
    let klarna = Klarna::start().await;
    let path = format!("/_simulator/v1/sandboxes/{ALPHA}");
    let rules = json!({"rules": [
        {"name": "down for a while", "times": 1, "when": {"on": "initial"}, "then": {"fault": {"kind": "status", "status": 503}}},
        {"name": "lost", "times": 1, "then": {"result": "DECLINED", "fault": {"kind": "lose_answer"}}},
        {"name": "no reading", "when": {"operation": "payment_request.read"}, "then": {"fault": {"kind": "status", "status": 502}}},
    ]});
    let put = klarna.call(reqwest::Method::PUT, &path, &[], Some(&rules)).await;
    assert_eq!(put.status, 200, "{}", put.body);
    let key = [("Klarna-Idempotency-Key", "t-1")];
    assert_eq!(klarna.authorize(ALPHA, &key, &initial("t-1")).await.status, 503);
    let authorize = format!("/v2/accounts/{ALPHA}/payment/authorize");
    assert!(klarna.post(&authorize, &key, &initial("t-1")).send().await.is_err());
    assert_eq!(klarna.authorize(ALPHA, &key, &initial("t-1")).await.result(), "DECLINED");
    let read = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/krn:r")).await;
    assert_eq!(read.status, 502);
    let queued = json!([{"result": "APPROVED", "fault": {"kind": "truncate"}}]);
    let outcomes = format!("{path}/outcomes");
    assert_eq!(klarna.call(reqwest::Method::POST, &outcomes, &[], Some(&queued)).await.status, 200);
    let key = [("Klarna-Idempotency-Key", "t-2")];
    assert!(klarna.post(&authorize, &key, &initial("t-2")).send().await.unwrap().bytes().await.is_err());
    assert_eq!(klarna.authorize(ALPHA, &key, &initial("t-2")).await.result(), "APPROVED");
    let fates: Vec<_> = klarna
        .journal("authorize")
        .await
        .entries
        .into_iter()
        .map(|entry| (entry.fault.unwrap_or_default(), entry.rule.unwrap_or_default()))
        .collect();
    let fates: Vec<_> = fates.iter().map(|(fault, rule)| (fault.as_str(), rule.as_str())).collect();
    assert_eq!(
        fates,
        [
            ("status 503", "rule:down for a while"),
            ("lose_answer", "rule:lost"),
            ("", "replay"),
            ("truncate", "queued"),
            ("", "replay")
        ]
    );
}
