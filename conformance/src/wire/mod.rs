//! HTTP messages on their way through a program that stands between two others, and how they pass.

mod serve;

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

use crate::authority::{Authority, trusted};

pub(crate) use self::serve::{Pass, serve};

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

/// How long the other side may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query, as written by the caller.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer, as it came or as it is made up on the way.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The other side gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer: {why}")]
pub(crate) struct Unanswered {
    /// Why.
    pub(crate) why: String,
    /// It took the connection, so it may have done something.
    pub(crate) was_reached: bool,
}

impl Call {
    /// The target without its query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Puts a header in place of any of this name. A value that no header can hold is left out.
    pub(crate) fn set_header(&mut self, name: &'static str, value: &str) {
        self.headers.remove(name);
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Changes the body in place, where it is JSON and `edit` says that it changed anything.
    pub(crate) fn edit(&mut self, edit: impl FnOnce(&mut Value) -> bool) {
        edited(&mut self.body, edit);
    }
}

impl Answer {
    /// An answer with a JSON body.
    pub(crate) fn json_of(status: StatusCode, body: &Value) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self { status, headers, body: Bytes::from(body.to_string()) }
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Changes the body in place, where it is JSON and `edit` says that it changed anything.
    pub(crate) fn edit(&mut self, edit: impl FnOnce(&mut Value) -> bool) {
        edited(&mut self.body, edit);
    }
}

fn edited(body: &mut Bytes, edit: impl FnOnce(&mut Value) -> bool) {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return };
    if edit(&mut value) {
        *body = Bytes::from(value.to_string());
    }
}

/// Sends what passes.
#[derive(Debug)]
pub(crate) struct Wire {
    http: reqwest::Client,
}

impl Wire {
    pub(crate) fn new(authority: Option<&Authority>) -> Result<Self, reqwest::Error> {
        klarna_simulator::install_crypto_provider();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE);
        let http = trusted(http, authority).build()?;
        Ok(Self { http })
    }

    /// Makes a call at this URL and gives the answer, both without what belonged to the other
    /// connection.
    pub(crate) async fn send(&self, url: String, call: &Call) -> Result<Answer, Unanswered> {
        let mut headers = without_hops(&call.headers);
        headers.remove(http::header::HOST);
        headers.remove(http::header::CONTENT_LENGTH);
        let mut request = self.http.request(call.method.clone(), url).headers(headers);
        if !call.body.is_empty() {
            request = request.body(call.body.clone());
        }
        let unanswered = |error: reqwest::Error| Unanswered {
            was_reached: !error.is_connect(),
            why: error.without_url().to_string(),
        };
        let response = request.send().await.map_err(unanswered)?;
        let status = response.status();
        let mut headers = without_hops(response.headers());
        headers.remove(http::header::CONTENT_LENGTH);
        let body = response.bytes().await.map_err(unanswered)?;
        Ok(Answer { status, headers, body })
    }
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
