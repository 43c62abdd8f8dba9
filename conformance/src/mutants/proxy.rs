//! The proxy in front of Klarna.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::task::AbortHandle;
use url::Url;

use super::defects::{Defect, Plan};
use super::network_data;

/// Headers that belong to one connection, not to the message (RFC 9110 7.6.1).
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Bytes that a body may have on its way through; far above what Klarna takes.
const BODY_LIMIT: usize = 8 * 1024 * 1024;
/// How long Klarna may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The proxy could not start.
#[derive(Debug, thiserror::Error)]
#[error("the defect proxy cannot start: {reason}")]
pub struct MutantError {
    /// What went wrong.
    pub reason: String,
}

/// The proxy. It ends when dropped.
#[derive(Debug)]
pub struct MutantProxy {
    base_url: Url,
    listener: AbortHandle,
}

#[derive(Debug)]
struct Passage {
    plan: Plan,
    klarna: String,
    http: reqwest::Client,
    /// Path and transaction reference of authorize calls that were answered with `STEP_UP_REQUIRED`.
    stepped_up: Mutex<HashSet<(String, String)>>,
}

impl MutantProxy {
    /// Listens on a free loopback port and stands before `klarna`.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(defect: &Defect, klarna: &Url) -> Result<Self, MutantError> {
        let failed = |reason: String| MutantError { reason };
        klarna_simulator::install_crypto_provider();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let socket = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(|error| failed(error.to_string()))?;
        let address = socket.local_addr().map_err(|error| failed(error.to_string()))?;
        let base_url =
            Url::parse(&format!("http://{address}/")).map_err(|error| failed(error.to_string()))?;
        let passage = Passage {
            plan: defect.plan,
            klarna: klarna.as_str().trim_end_matches('/').to_owned(),
            http,
            stepped_up: Mutex::default(),
        };
        let router = Router::new()
            .fallback(pass)
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .with_state(Arc::new(passage));
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(socket, router).await {
                tracing::error!(%error, "the defect proxy ended");
            }
        });
        Ok(Self { base_url, listener: task.abort_handle() })
    }

    /// What the acquirer takes for Klarna.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }
}

impl Drop for MutantProxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn pass(State(passage): State<Arc<Passage>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the defect proxy takes no body of this size\n")
            .into_response();
    };
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let authorize = parts.method == Method::POST && parts.uri.path().ends_with("/payment/authorize");
    if !authorize {
        return passage.forward(parts.method, target, parts.headers, body).await.into_response();
    }
    let call = reference(&body).map(|reference| (parts.uri.path().to_owned(), reference));
    if passage.plan == Plan::SkipFinalCall
        && parts.headers.contains_key("klarna-network-session-token")
        && call.as_ref().is_some_and(|call| passage.stepped_up().contains(call))
    {
        return approved(&body);
    }
    let body = passage.spoiled(body);
    let answer = passage.forward(parts.method, target, parts.headers, body).await;
    if let (Some(call), true) = (call, answer.asks_for_step_up()) {
        passage.stepped_up().insert(call);
    }
    answer.into_response()
}

/// What Klarna answered, or that it did not.
enum Forwarded {
    Answer(StatusCode, HeaderMap, Bytes),
    Broken,
}

impl Passage {
    fn stepped_up(&self) -> std::sync::MutexGuard<'_, HashSet<(String, String)>> {
        self.stepped_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body of an authorize after the defect.
    fn spoiled(&self, body: Bytes) -> Bytes {
        let spoiled = match self.plan {
            Plan::DropNetworkData => network_data::dropped(&body),
            Plan::ReserialiseNetworkData => network_data::reserialised(&body),
            Plan::SkipFinalCall => None,
        };
        spoiled.map_or(body, Bytes::from)
    }

    async fn forward(&self, method: Method, target: &str, headers: HeaderMap, body: Bytes) -> Forwarded {
        let mut headers = without_hops(&headers);
        headers.remove(http::header::HOST);
        headers.remove(http::header::CONTENT_LENGTH);
        let mut request = self.http.request(method, format!("{}{target}", self.klarna)).headers(headers);
        if !body.is_empty() {
            request = request.body(body);
        }
        let answer = async {
            let response = request.send().await?;
            let status = response.status();
            let headers = without_hops(response.headers());
            Ok::<_, reqwest::Error>(Forwarded::Answer(status, headers, response.bytes().await?))
        };
        match answer.await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(error = %error.without_url(), "the defect proxy does not reach Klarna");
                Forwarded::Broken
            }
        }
    }
}

impl Forwarded {
    fn asks_for_step_up(&self) -> bool {
        let Self::Answer(status, _, body) = self else { return false };
        let result = || {
            let body: Value = serde_json::from_slice(body).ok()?;
            Some(body.get("payment_transaction_response")?.get("result")? == "STEP_UP_REQUIRED")
        };
        status.is_success() && result().unwrap_or(false)
    }

    fn into_response(self) -> Response {
        match self {
            Self::Answer(status, headers, body) => {
                let mut response = Response::new(Body::from(body));
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                response.headers_mut().remove(http::header::CONTENT_LENGTH);
                response
            }
            Self::Broken => {
                (StatusCode::BAD_GATEWAY, "the defect proxy does not reach Klarna\n").into_response()
            }
        }
    }
}

/// The acquirer's name for the transaction that an authorize asks for.
fn reference(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let reference = body.get("request_payment_transaction")?.get("payment_transaction_reference")?;
    reference.as_str().map(str::to_owned)
}

/// A plausible answer to a final call that Klarna never sees.
fn approved(body: &[u8]) -> Response {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let asked = |name: &str| body.pointer(&format!("/request_payment_transaction/{name}")).cloned();
    let reference = asked("payment_transaction_reference").unwrap_or_default();
    let answer = json!({
        "payment_transaction_response": {
            "result": "APPROVED",
            "payment_transaction": {
                "payment_transaction_id": "krn:payment:eu1:transaction:00000000-0000-4000-8000-000000000000",
                "payment_transaction_reference": reference,
                "amount": asked("amount").unwrap_or_default(),
                "currency": body.get("currency").cloned().unwrap_or_default(),
                "payment_funding": {"type": "GUARANTEED", "state": "FUNDED"},
            },
        },
    });
    (StatusCode::OK, [(http::header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}

/// The headers that belong to the message.
fn without_hops(headers: &HeaderMap) -> HeaderMap {
    let named: Vec<HeaderName> = headers
        .get_all(http::header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    headers
        .iter()
        .filter(|(name, _)| !HOP_BY_HOP.contains(&name.as_str()) && !named.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
