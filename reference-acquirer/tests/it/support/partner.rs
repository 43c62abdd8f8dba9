//! A Partner's ears: it records notifications and answers with scripted statuses.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Request, StatusCode};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;

use super::{Exchange, Recorded};

/// Raw key, and as the scheme writes it.
pub(crate) const KEY: &[u8] = b"alpha-notification-secret";

pub(crate) fn secret() -> String {
    secret_of(KEY)
}

pub(crate) fn secret_of(key: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(key))
}

/// How a Partner answers a notification.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hears {
    Answers(u16),
    /// 307 to another path of the same Partner.
    Redirects,
    /// No answer, ever.
    Hangs,
}

#[derive(Debug, Clone)]
pub(crate) struct FakePartner {
    pub(crate) url: String,
    pub(crate) heard: Recorded,
    script: Arc<Mutex<VecDeque<Hears>>>,
}

impl FakePartner {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let partner = Self {
            url: format!("http://{}/ears", listener.local_addr().unwrap()),
            heard: Recorded::new(),
            script: Arc::default(),
        };
        let router = Router::new().fallback(listen).with_state(partner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        partner
    }

    pub(crate) fn will_answer(&self, statuses: impl IntoIterator<Item = u16>) {
        self.will(statuses.into_iter().map(Hears::Answers));
    }

    pub(crate) fn will(&self, script: impl IntoIterator<Item = Hears>) {
        self.script.lock().unwrap().extend(script);
    }

    pub(crate) async fn await_notifications(&self, count: usize) -> Vec<Exchange> {
        self.heard.await_matching(count, |_| true).await
    }

    /// The one thing that it was told, with its signature checked as a receiver would.
    pub(crate) async fn await_verified(&self) -> Value {
        let told = self.await_notifications(1).await;
        verify(&told[0]);
        told[0].json()
    }
}

/// Standard Webhooks, written independently of the acquirer's own code.
pub(crate) fn verify(told: &Exchange) {
    assert_eq!(told.header("webhook-signature").unwrap(), signature_by(KEY, told));
}

pub(crate) fn signature_by(key: &[u8], told: &Exchange) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    for part in [told.header("webhook-id").unwrap(), ".", told.header("webhook-timestamp").unwrap(), "."] {
        mac.update(part.as_bytes());
    }
    mac.update(&told.body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

async fn listen(State(partner): State<FakePartner>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    partner.heard.push(Exchange {
        at: Instant::now(),
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: to_bytes(body, usize::MAX).await.unwrap(),
    });
    let script = partner.script.lock().unwrap().pop_front();
    match script.unwrap_or(Hears::Answers(204)) {
        Hears::Answers(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Hears::Redirects => (StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]).into_response(),
        Hears::Hangs => std::future::pending().await,
    }
}
