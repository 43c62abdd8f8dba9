//! A scripted Klarna: it records raw bytes, answers authorizes from a queue, keeps signing keys
//! and webhooks, and sends signed events.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::serve::ListenerExt as _;
use http::{Request, StatusCode};
use klarna_schemas::signature;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::registered::Registered;
use super::{Exchange, Recorded};

pub(crate) const SIGNING_KEY: &str = "s3cret-signing-key-å";

/// What an authorize is answered with.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Json(u16, Value),
    Raw(u16, &'static str, &'static str),
    /// Nothing, until [`FakeKlarna::let_go`]; then the JSON.
    Held(Value),
    /// The connection is reset in the middle of the answer.
    Broken,
    /// The connection ends without any answer.
    Closed,
    /// 429, and what `X-Ratelimit-Reset` says.
    Limited(&'static str),
}

impl Reply {
    pub(crate) fn approved() -> Self {
        Self::Json(
            200,
            json!({"payment_transaction_response": {"result": "APPROVED",
                "payment_transaction": {"payment_transaction_id": TRANSACTION_ID}}}),
        )
    }

    pub(crate) fn captured() -> Self {
        Self::Json(201, json!({"payment_capture_id": CAPTURE_ID, "state": "NEW"}))
    }

    pub(crate) fn refunded() -> Self {
        Self::Json(201, json!({"payment_refund_id": REFUND_ID}))
    }

    pub(crate) fn declined() -> Self {
        Self::Json(200, json!({"payment_transaction_response": {"result": "DECLINED"}}))
    }

    pub(crate) fn step_up() -> Self {
        Self::Json(200, step_up_body())
    }

    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::Json(status, json!({"error_id": "e-1", "error_code": code, "error_message": "no"}))
    }
}

pub(crate) const TRANSACTION_ID: &str = "krn:payment:eu1:transaction:1";
pub(crate) const CAPTURE_ID: &str = "krn:payment:eu1:transaction:1:capture:1";
pub(crate) const REFUND_ID: &str = "krn:payment:eu1:transaction:1:refund:1";
pub(crate) const REQUEST_ID: &str = "krn:payment:eu1:request:1";
pub(crate) const REQUEST_URL: &str = "https://pay.klarna.test/eu/requests/1/start?x=%20&y=é";
pub(crate) const TOKEN: &str = "krn:network:eu1:test:session-token:secret";

pub(crate) fn step_up_body() -> Value {
    json!({"payment_transaction_response": {"result": "STEP_UP_REQUIRED"},
        "payment_request": {"payment_request_id": REQUEST_ID, "state": "SUBMITTED",
            "state_context": {"customer_interaction": {"method": "HANDOVER",
                "payment_request_id": REQUEST_ID, "payment_request_url": REQUEST_URL}}}})
}

#[derive(Debug, Clone)]
pub(crate) struct FakeKlarna {
    pub(crate) base_url: String,
    pub(crate) heard: Recorded,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    cancels: Arc<Mutex<VecDeque<Reply>>>,
    operations: Arc<Mutex<VecDeque<Reply>>>,
    reads: Arc<Mutex<VecDeque<Reply>>>,
    presentations: Arc<Mutex<VecDeque<Reply>>>,
    registered: Arc<Mutex<Registered>>,
    /// See [`FakeKlarna::decides`].
    sound: Arc<OnceLock<Option<u16>>>,
    gate: Arc<Notify>,
}

impl FakeKlarna {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        // A connection that ends is reset, so that what breaks on purpose breaks hard.
        let listener = listener.tap_io(|stream| stream.set_zero_linger().unwrap());
        let klarna = Self {
            base_url,
            heard: Recorded::new(),
            replies: Arc::default(),
            cancels: Arc::default(),
            operations: Arc::default(),
            reads: Arc::default(),
            presentations: Arc::default(),
            registered: Arc::default(),
            sound: Arc::default(),
            gate: Arc::default(),
        };
        let router = Router::new().fallback(answer).with_state(klarna.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        klarna
    }

    pub(crate) fn will(&self, replies: impl IntoIterator<Item = Reply>) {
        self.replies.lock().unwrap().extend(replies);
    }

    /// From now on it answers what nothing is scripted for by itself, the same call alike each time:
    /// without a session token step-up, with one approved, operations done. `finals` is the status of
    /// each final call instead.
    pub(crate) fn decides(&self, finals: Option<u16>) {
        self.sound.set(finals).unwrap();
    }

    /// What is answered where the script has come to its end.
    fn unscripted(&self, exchange: &Exchange) -> Reply {
        let Some(finals) = self.sound.get() else { return Reply::error(500, "NOT_SCRIPTED") };
        if exchange.path.ends_with("/capture") {
            return Reply::captured();
        }
        if exchange.path.ends_with("/refund") {
            return Reply::refunded();
        }
        let is_initial = exchange.json().get("step_up_config").is_some();
        match finals {
            Some(status) if !is_initial => Reply::error(*status, "NOT_NOW"),
            _ if exchange.header("klarna-network-session-token").is_some() => Reply::approved(),
            _ => Reply::step_up(),
        }
    }

    pub(crate) fn let_go(&self) {
        self.gate.notify_one();
    }

    /// What the next cancellations of payment requests are answered with; 200 without a script.
    /// Answers to reads of the payment request; with its token when nothing is left.
    pub(crate) fn will_be_read(&self, replies: impl IntoIterator<Item = Reply>) {
        self.reads.lock().unwrap().extend(replies);
    }

    pub(crate) fn will_cancel(&self, replies: impl IntoIterator<Item = Reply>) {
        self.cancels.lock().unwrap().extend(replies);
    }

    /// What the next captures, refunds and voids are answered with; 500 without a script.
    pub(crate) fn will_operate(&self, replies: impl IntoIterator<Item = Reply>) {
        self.operations.lock().unwrap().extend(replies);
    }

    pub(crate) fn operations(&self) -> Vec<Exchange> {
        self.heard.matching(Exchange::is_operation)
    }

    /// What the next reads of the presentation are answered with; 500 without a script.
    pub(crate) fn will_present(&self, replies: impl IntoIterator<Item = Reply>) {
        self.presentations.lock().unwrap().extend(replies);
    }

    pub(crate) fn presentations(&self) -> Vec<Exchange> {
        self.heard.matching(Exchange::is_presentation)
    }

    pub(crate) async fn await_cancels(&self, count: usize) -> Vec<Exchange> {
        self.heard.await_matching(count, Exchange::is_cancel).await
    }

    /// What is registered, to be looked at or meddled with.
    pub(crate) fn registered(&self) -> MutexGuard<'_, Registered> {
        self.registered.lock().unwrap()
    }

    /// From now on the notification API answers 503, or is back.
    pub(crate) fn notification_api_down(&self, down: bool) {
        self.registered().down = down;
    }

    pub(crate) fn authorizes(&self) -> Vec<Exchange> {
        self.heard.matching(Exchange::is_authorize)
    }

    pub(crate) async fn await_authorizes(&self, count: usize) -> Vec<Exchange> {
        self.heard.await_matching(count, Exchange::is_authorize).await
    }

    pub(crate) fn webhooks(&self) -> Vec<Value> {
        self.registered().webhooks.clone()
    }

    /// Sends a signed state change about the payment that `initial` asked for.
    pub(crate) async fn send_event(&self, event_id: &str, state: &str, initial: &Exchange) -> StatusCode {
        self.send_signed(event_body(event_id, state, initial).to_string()).await
    }

    /// Sends any body, signed with the newest key.
    pub(crate) async fn send_signed(&self, body: String) -> StatusCode {
        let (id, secret) = self.registered().key();
        let signature = signature::sign(&SecretString::from(secret), body.as_bytes());
        self.deliver(body, Some(&signature), Some(&id)).await
    }

    pub(crate) fn key_id(&self) -> String {
        self.registered().key().0
    }

    pub(crate) async fn deliver(
        &self,
        body: String,
        signature: Option<&str>,
        key_id: Option<&str>,
    ) -> StatusCode {
        let url = self.webhooks().last().unwrap()["url"].as_str().unwrap().to_owned();
        let mut request = client().post(url).header("content-type", "application/json").body(body);
        if let Some(signature) = signature {
            request = request.header("Klarna-Signature", signature);
        }
        if let Some(key_id) = key_id {
            request = request.header("Klarna-Signing-Key-Id", key_id);
        }
        request.send().await.unwrap().status()
    }
}

/// An event as the simulator writes it, the token in both places.
pub(crate) fn event_body(event_id: &str, state: &str, initial: &Exchange) -> Value {
    let account = initial.path.split('/').nth(3).unwrap();
    let mut payload = json!({
        "payment_request_id": REQUEST_ID,
        "payment_request_reference": initial.json()["step_up_config"]["payment_request_reference"],
        "state": state,
        "previous_state": "IN_PROGRESS",
    });
    if state == "COMPLETED" {
        payload["klarna_network_session_token"] = json!(TOKEN);
        payload["state_context"] = json!({"klarna_network_session_token": TOKEN});
    }
    let suffix = state.to_ascii_lowercase().replace('_', "-");
    json!({"metadata": {"event_id": event_id, "event_type": format!("payment.request.state-change.{suffix}"),
            "event_version": "v2", "occurred_at": "2026-01-05T09:12:31.120Z", "subject_account_id": account,
            "recipient_account_id": "krn:partner:global:account:test:LOCALACQ",
            "webhook_id": "krn:w", "live": false},
        "payload": payload})
}

pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(super::recorded::DEADLINE)
        .build()
        .unwrap()
}

async fn answer(State(klarna): State<FakeKlarna>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let exchange = Exchange {
        at: Instant::now(),
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: to_bytes(body, usize::MAX).await.unwrap(),
    };
    klarna.heard.push(exchange.clone());
    if exchange.is_authorize() {
        let reply = klarna.replies.lock().unwrap().pop_front();
        return klarna.reply(reply.unwrap_or_else(|| klarna.unscripted(&exchange))).await;
    }
    if exchange.is_presentation() {
        let reply = klarna.presentations.lock().unwrap().pop_front();
        return klarna.reply(reply.unwrap_or_else(|| Reply::error(500, "NOT_SCRIPTED"))).await;
    }
    if exchange.is_operation() {
        let reply = klarna.operations.lock().unwrap().pop_front();
        return klarna.reply(reply.unwrap_or_else(|| klarna.unscripted(&exchange))).await;
    }
    if exchange.is_cancel() {
        let reply = klarna.cancels.lock().unwrap().pop_front();
        return klarna.reply(reply.unwrap_or_else(|| Reply::Json(200, json!({"state": "CANCELED"})))).await;
    }
    if exchange.path.contains("/payment/requests/") {
        let reply = klarna.reads.lock().unwrap().pop_front();
        if let Some(reply) = reply {
            return klarna.reply(reply).await;
        }
        let read = json!({"payment_request_id": REQUEST_ID, "state": "COMPLETED",
            "state_context": {"klarna_network_session_token": "token-by-reading"}});
        return json_reply(200, &read);
    }
    klarna.registered().answer(&exchange)
}

impl FakeKlarna {
    async fn reply(&self, reply: Reply) -> Response {
        match reply {
            Reply::Json(status, body) => json_reply(status, &body),
            Reply::Raw(status, content_type, body) => {
                (StatusCode::from_u16(status).unwrap(), [("content-type", content_type)], body)
                    .into_response()
            }
            Reply::Held(body) => {
                self.gate.notified().await;
                json_reply(200, &body)
            }
            Reply::Broken => {
                let half = futures::stream::iter([
                    Ok("{\"payment_transaction_response\":{\"resu".to_owned()),
                    Err(std::io::Error::other("broken on purpose")),
                ]);
                (StatusCode::OK, Body::from_stream(half)).into_response()
            }
            // A handler that panics takes its connection with it.
            Reply::Closed => panic!("broken on purpose"),
            Reply::Limited(reset) => {
                let headers = [
                    ("x-ratelimit-limit", "40"),
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", reset),
                ];
                (headers, json_reply(429, &json!({"error_code": "RATE_LIMITED"}))).into_response()
            }
        }
    }
}

pub(super) fn json_reply(status: u16, body: &Value) -> Response {
    let headers = [("content-type", "application/json"), ("klarna-correlation-id", "c-1")];
    (StatusCode::from_u16(status).unwrap(), headers, body.to_string()).into_response()
}
