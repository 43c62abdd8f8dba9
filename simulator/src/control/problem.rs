//! Errors of the control API: problem+json with a hint.

use axum::Json;
use axum::extract::FromRequest;
use axum::extract::rejection::BytesRejection;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::behaviour::rule_check::Mistake;

/// An RFC 9457 problem.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    hint: String,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            hint: hint.into(),
        }
    }

    pub(super) fn bad_request(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail, hint)
    }

    pub(super) fn unauthorized(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail, hint)
    }

    pub(super) fn forbidden(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail, hint)
    }

    pub(super) fn not_found(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail, hint)
    }

    pub(super) fn conflict(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail, hint)
    }

    pub(super) fn full(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail, hint)
    }
}

impl From<Mistake> for Problem {
    fn from(mistake: Mistake) -> Self {
        Self::bad_request(mistake.to_string(), mistake.hint)
    }
}

impl From<Vec<Mistake>> for Problem {
    /// The first, with the number of the others: one is mended at a time.
    fn from(mistakes: Vec<Mistake>) -> Self {
        let others = mistakes.len().saturating_sub(1);
        let more = if others == 0 { String::new() } else { format!(" (and {others} more)") };
        match mistakes.into_iter().next() {
            Some(first) => Self::bad_request(format!("{first}{more}"), first.hint),
            None => Self::bad_request("the rules cannot be used", "see docs/rules.md"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

/// A JSON body of the control API: every unknown field is refused, by its path.
pub(super) struct Strict<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Strict<T> {
    type Rejection = Problem;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Self::Rejection> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection: BytesRejection| {
            Problem::bad_request(rejection.body_text(), "send a body of at most 1 MiB")
        })?;
        // An empty body stands for an empty object: `PUT /sandboxes/{a}` needs nothing.
        let bytes = if bytes.is_empty() { Bytes::from_static(b"{}") } else { bytes };
        let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
        serde_path_to_error::deserialize(&mut deserializer).map(Self).map_err(|error| {
            let detail = format!("{}: {}", error.path(), error.inner());
            Problem::bad_request(detail, "the shapes are in schemas/simulator; unknown fields are refused")
        })
    }
}
