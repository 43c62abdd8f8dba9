//! Parties that remember what they got and answer by a script: Klarna, or an acquirer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

/// What the plain Klarna answers to every authorize. Odd on purpose.
pub(super) const STEP_UP: &str =
    "{ \"payment_transaction_response\" : {\"result\":\"STEP_UP_REQUIRED\"},\"n\":1.0 }\n";

/// A call, as it came.
#[derive(Debug, Clone)]
pub(super) struct Got {
    pub(super) line: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Got {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A status and a text for each call.
type Script = Box<dyn Fn(&Got) -> (u16, String) + Send + Sync>;

/// What a party answers.
pub(super) struct Answers(Script);

impl Answers {
    pub(super) fn new(script: impl Fn(&Got) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self(Box::new(script))
    }

    /// A step-up for every authorize, and nothing else known.
    pub(super) fn step_up() -> Self {
        Self::new(|got| (if got.line.ends_with("authorize") { 200 } else { 418 }, STEP_UP.to_owned()))
    }

    /// Takes everything.
    pub(super) fn taken() -> Self {
        Self::new(|_| (202, String::new()))
    }

    /// Signing keys, webhooks, a step-up for calls without token, and an approval for those with one.
    /// What was registered is listed.
    pub(super) fn klarna() -> Self {
        let registered: Mutex<Vec<Value>> = Mutex::default();
        Self::new(move |got| match got.line.split('?').next().unwrap() {
            "POST /v2/notification/signing-keys" => {
                (201, json!({"signing_key_id": "krn:key:1", "signing_key": "secret-å"}).to_string())
            }
            "POST /v2/notification/webhooks" => {
                let mut webhook = got.json();
                webhook["webhook_id"] = json!("krn:webhook:1");
                registered.lock().unwrap().push(webhook.clone());
                (201, webhook.to_string())
            }
            "GET /v2/notification/webhooks" => {
                let mut webhooks = registered.lock().unwrap().clone();
                webhooks.push(json!({"webhook_id": "krn:webhook:by-hand", "url": "https://by.hand/events"}));
                (200, json!({"webhooks": webhooks}).to_string())
            }
            "GET /v2/notification/webhooks/krn:webhook:1" => (200, registered.lock().unwrap()[0].to_string()),
            line if line.starts_with("GET") && line.contains("/payment/requests/") => (
                200,
                json!({"payment_request_id": "krn:request:1", "state": "SUBMITTED", "amount": 5}).to_string(),
            ),
            line if line.ends_with("/authorize") && got.header("klarna-network-session-token").is_empty() => {
                let request = json!({"payment_request_id": "krn:request:1", "state": "SUBMITTED"});
                let result = json!({"result": "STEP_UP_REQUIRED"});
                (200, json!({"payment_transaction_response": result, "payment_request": request}).to_string())
            }
            line if line.ends_with("/authorize") => {
                (200, json!({"payment_transaction_response": {"result": "APPROVED"}}).to_string())
            }
            _ => (404, String::new()),
        })
    }
}

/// What a party keeps between calls.
type Shared = (Arc<watch::Sender<Vec<Got>>>, Arc<Script>);

/// A party that listens.
pub(super) struct Party {
    pub(super) base_url: Url,
    seen: Arc<watch::Sender<Vec<Got>>>,
    _stop: AbortOnDropHandle<()>,
}

impl Party {
    pub(super) async fn start(answers: Answers) -> Self {
        let seen: Arc<watch::Sender<Vec<Got>>> = Arc::default();
        let state = (Arc::clone(&seen), Arc::new(answers.0));
        let answer = |State((seen, script)): State<Shared>, request: Request| async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let got = Got { line: format!("{} {}", parts.method, parts.uri), headers: parts.headers, body };
            seen.send_modify(|seen| seen.push(got.clone()));
            let (status, text) = script(&got);
            Response::builder()
                .status(status)
                .header("Klarna-Correlation-Id", "c-1")
                .header("connection", "x-hop")
                .header("x-hop", "gone")
                .body(Body::from(text))
                .unwrap()
        };
        let router = Router::new().fallback(answer).with_state(state);
        let socket = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base_url = Url::parse(&format!("http://{}/", socket.local_addr().unwrap())).unwrap();
        let task = tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
        Self { base_url, seen, _stop: AbortOnDropHandle::new(task) }
    }

    /// Everything so far.
    pub(super) fn seen(&self) -> Vec<Got> {
        self.seen.borrow().clone()
    }

    /// Waits for the call of this number, counted from one.
    pub(super) async fn nth(&self, number: usize) -> Got {
        let mut seen = self.seen.subscribe();
        let came = seen.wait_for(|seen| seen.len() >= number);
        let seen = tokio::time::timeout(Duration::from_secs(10), came).await;
        seen.expect("the call comes in time").unwrap()[number - 1].clone()
    }

    pub(super) fn last(&self) -> Got {
        self.seen().pop().unwrap()
    }
}
