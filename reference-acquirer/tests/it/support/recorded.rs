//! What a neighbour heard, in order, awaitable.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;
use tokio::sync::watch;

/// How long a test waits for what must come.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// When it was heard.
    pub(crate) at: Instant,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// What stands behind the `?`, raw.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Exchange {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The DELETE of a payment request.
    pub(crate) fn is_cancel(&self) -> bool {
        self.method == Method::DELETE && self.path.contains("/payment/requests/")
    }

    /// A capture, refund or void.
    pub(crate) fn is_operation(&self) -> bool {
        self.path.contains("/payment/transactions/")
    }

    pub(crate) fn is_presentation(&self) -> bool {
        self.path.ends_with("/payment/presentation")
    }

    /// The query, decoded, in order.
    pub(crate) fn asked(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    pub(crate) fn is_authorize(&self) -> bool {
        self.path.ends_with("/payment/authorize")
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Recorded(watch::Sender<Vec<Exchange>>);

impl Recorded {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }

    pub(crate) fn push(&self, exchange: Exchange) {
        self.0.send_modify(|all| all.push(exchange));
    }

    pub(crate) fn matching(&self, wanted: impl Fn(&Exchange) -> bool) -> Vec<Exchange> {
        self.0.borrow().iter().filter(|exchange| wanted(exchange)).cloned().collect()
    }

    /// The first `count` exchanges that match, as soon as there are so many.
    pub(crate) async fn await_matching(
        &self,
        count: usize,
        wanted: impl Fn(&Exchange) -> bool,
    ) -> Vec<Exchange> {
        let mut heard = self.0.subscribe();
        let enough = heard.wait_for(|all| all.iter().filter(|exchange| wanted(exchange)).count() >= count);
        let in_time = tokio::time::timeout(DEADLINE, enough).await;
        assert!(in_time.is_ok(), "waited for {count}, heard instead: {:#?}", self.paths());
        drop(in_time);
        self.matching(wanted)
    }

    fn paths(&self) -> Vec<String> {
        self.0.borrow().iter().map(|exchange| format!("{} {}", exchange.method, exchange.path)).collect()
    }
}

/// Repetitions of one call: same path, same key, same token, same bytes.
pub(crate) fn assert_same_call(calls: &[Exchange]) {
    for call in calls {
        assert_eq!(call.path, calls[0].path);
        for header in ["klarna-idempotency-key", "klarna-network-session-token"] {
            assert_eq!(call.header(header), calls[0].header(header));
        }
        assert_eq!(call.body, calls[0].body);
    }
}
