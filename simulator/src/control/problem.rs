//! Errors of the control API: problem+json with a hint.

use axum::Json;
use axum::http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::behaviour::mistake::Mistake;

/// An RFC 9457 problem.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    hint: String,
    /// What HTTP wants to stand beside such a status.
    #[serde(skip)]
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            hint: hint.into(),
            header: None,
        }
    }

    pub(super) fn bad_request(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail, hint)
    }

    pub(super) fn unauthorized(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        let scheme = HeaderValue::from_static("Bearer realm=\"the control API of klarna-simulator\"");
        let header = Some(Box::new((WWW_AUTHENTICATE, scheme)));
        Self { header, ..Self::new(StatusCode::UNAUTHORIZED, detail, hint) }
    }

    pub(super) fn forbidden(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail, hint)
    }

    pub(super) fn not_found(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail, hint)
    }

    /// `allowed`: the methods that there are, with commas between them.
    pub(super) fn wrong_method(detail: impl Into<String>, hint: impl Into<String>, allowed: &str) -> Self {
        let header = HeaderValue::from_str(allowed).ok().map(|allowed| Box::new((ALLOW, allowed)));
        Self { header, ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail, hint) }
    }

    pub(super) fn too_large(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail, hint)
    }

    pub(super) fn unsupported(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail, hint)
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
    fn into_response(mut self) -> Response {
        let header = self.header.take();
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.headers_mut().extend(header.map(|header| *header));
        response
    }
}
