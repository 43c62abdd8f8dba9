//! A webhook listener that answers what it is told to.

use std::collections::VecDeque;
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

/// A listener on a free port.
pub(crate) struct Sink {
    pub(crate) url: String,
    answers: Arc<Mutex<VecDeque<u16>>>,
    received: mpsc::UnboundedReceiver<Received>,
    held: watch::Sender<bool>,
}

#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<VecDeque<u16>>>,
    sender: mpsc::UnboundedSender<Received>,
    held: watch::Receiver<bool>,
}

impl Sink {
    pub(crate) async fn start() -> Self {
        let (sender, received) = mpsc::unbounded_channel();
        let answers = Arc::<Mutex<VecDeque<u16>>>::default();
        let held = watch::Sender::new(false);
        let script = Script { answers: answers.clone(), sender, held: held.subscribe() };
        let app = axum::Router::new()
            .fallback(receive)
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(script);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/events", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, answers, received, held }
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
    script.sender.send(Received { headers, body }).unwrap();
    script.held.wait_for(|held| !held).await.unwrap();
    let status = script.answers.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}
