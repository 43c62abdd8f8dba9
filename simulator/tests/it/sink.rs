//! A webhook listener that answers what it is told to.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::klarna::Klarna;

/// What came.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// How often the first attempts of each event fail, and which have come: deliveries run side by side, so a
/// list of answers would say nothing of whose they are.
#[derive(Debug, Default)]
struct Failures {
    of_each: usize,
    attempts: HashMap<String, usize>,
}

/// A listener on a free port.
pub(crate) struct Sink {
    pub(crate) url: String,
    answers: Arc<Mutex<VecDeque<u16>>>,
    failures: Arc<Mutex<Failures>>,
    received: mpsc::UnboundedReceiver<Received>,
    held: watch::Sender<bool>,
}

#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<VecDeque<u16>>>,
    failures: Arc<Mutex<Failures>>,
    sender: mpsc::UnboundedSender<Received>,
    held: watch::Receiver<bool>,
}

impl Sink {
    pub(crate) async fn start() -> Self {
        let (sender, received) = mpsc::unbounded_channel();
        let answers = Arc::<Mutex<VecDeque<u16>>>::default();
        let failures = Arc::<Mutex<Failures>>::default();
        let held = watch::Sender::new(false);
        let script =
            Script { answers: answers.clone(), failures: failures.clone(), sender, held: held.subscribe() };
        let app = axum::Router::new()
            .fallback(receive)
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(script);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/events", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, answers, failures, received, held }
    }

    /// Subscribes this listener to events of these types.
    pub(crate) async fn subscribe(&self, klarna: &Klarna, event_types: &[&str]) {
        let key = klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await;
        let webhook = json!({"url": self.url, "event_types": event_types, "event_version": "v2",
            "signing_key_id": key.body["signing_key_id"], "status": "ENABLED"});
        assert_eq!(klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook)).await.status, 201);
    }

    /// Answers these statuses, then 200.
    pub(crate) fn answer(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    /// Answers 503 to the first attempts of each event that comes from now on.
    pub(crate) fn fail_each(&self, attempts: usize) {
        *self.failures.lock().unwrap() = Failures { of_each: attempts, attempts: HashMap::new() };
    }

    /// Answers nothing until told to.
    pub(crate) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    pub(crate) async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(std::time::Duration::from_secs(10), self.received.recv());
        next.await.expect("no webhook came in 10 s").unwrap()
    }

    /// What has come and was not looked at. Says nothing of what is still on its way.
    pub(crate) fn left(&mut self) -> usize {
        std::iter::from_fn(|| self.received.try_recv().ok()).count()
    }
}

async fn receive(State(mut script): State<Script>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    // What nobody can read is known by its bytes: two such events are not one.
    let id = event["metadata"]["event_id"].as_str().map(str::to_owned);
    let event = id.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned());
    let fails = {
        let mut failures = script.failures.lock().unwrap();
        let attempts = failures.attempts.entry(event).or_default();
        *attempts += 1;
        let attempt = *attempts;
        attempt <= failures.of_each
    };
    script.sender.send(Received { headers, body }).unwrap();
    script.held.wait_for(|held| !held).await.unwrap();
    if fails {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let status = script.answers.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}
