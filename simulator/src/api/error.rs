//! Klarna's error body, and what each refusal is called (contract `payments.md` 5.2, 5.3).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use klarna_schemas::klarna::error::{ErrorBody, ValidationError};
use uuid::Uuid;

use crate::config::ErrorListPolicy;
use crate::engine::Refusal;

/// Longest `error_message`, in characters (contract `payments.md` 5.2). It may name what came.
const MESSAGE_LENGTH: usize = 2048;

/// An answer that is no success. `error_id` is filled in where the answer is recorded.
#[derive(Debug, Clone)]
pub(crate) struct KlarnaError {
    status: StatusCode,
    kind: Option<&'static str>,
    code: &'static str,
    message: String,
    fields: Vec<ValidationError>,
}

impl KlarnaError {
    fn new(
        status: StatusCode,
        kind: Option<&'static str>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { status, kind, code, message: message.into(), fields: Vec::new() }
    }

    /// 400: fields or headers do not validate.
    pub(crate) fn invalid(fields: Vec<ValidationError>) -> Self {
        let message = match fields.first() {
            Some(first) => format!("the request did not validate: {} {}", first.parameter, first.reason),
            None => "the request did not validate".to_owned(),
        };
        let kind = Some("INPUT_ERROR");
        Self { fields, ..Self::new(StatusCode::BAD_REQUEST, kind, "VALIDATION_ERROR", message) }
    }

    /// 400: one field does not validate.
    pub(crate) fn invalid_field(parameter: &str, reason: impl Into<String>) -> Self {
        Self::invalid(vec![ValidationError::new(parameter, reason)])
    }

    /// 400: the body is no JSON, or does not say that it is.
    pub(crate) fn not_json(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Some("INPUT_ERROR"), "INVALID_CONTENT_TYPE", message)
    }

    /// 401: no credential, or a wrong one.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, Some("ACCESS_ERROR"), "UNAUTHORIZED", message)
    }

    /// 403: the caller may not.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, Some("RESOURCE_ERROR"), "OPERATION_FORBIDDEN", message)
    }

    /// 404: the thing named is not there.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, Some("RESOURCE_ERROR"), "RESOURCE_NOT_FOUND", message)
    }

    /// 404: there is no such operation. Klarna publishes no 405, so a wrong method is one too. The
    /// catalogue has no `error_type` for it (contract `payments.md` 5.3).
    pub(crate) fn no_route(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, None, "NOT_FOUND", message)
    }

    /// 409: it collides with what was done before.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, Some("RESOURCE_ERROR"), "RESOURCE_CONFLICT", message)
    }

    /// 413: the body is too large. The code is inferred: the catalogue names none.
    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("the body is larger than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Some("INPUT_ERROR"), "PAYLOAD_TOO_LARGE", message)
    }

    /// 429: more calls than the quota has room for.
    pub(crate) fn rate_limited(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, Some("ACCESS_ERROR"), "RATE_LIMITED", message)
    }

    /// What Klarna says with a status, whatever was asked (contract `payments.md` 5.3).
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (kind, code) = match status.as_u16() {
            401 => ("ACCESS_ERROR", "UNAUTHORIZED"),
            403 => ("RESOURCE_ERROR", "OPERATION_FORBIDDEN"),
            404 => ("RESOURCE_ERROR", "RESOURCE_NOT_FOUND"),
            409 => ("RESOURCE_ERROR", "RESOURCE_CONFLICT"),
            413 => ("INPUT_ERROR", "PAYLOAD_TOO_LARGE"),
            429 => ("ACCESS_ERROR", "RATE_LIMITED"),
            503 => ("TECHNICAL_ERROR", "TEMPORARY_UNAVAILABLE"),
            504 => ("TECHNICAL_ERROR", "TIMEOUT"),
            500.. => ("TECHNICAL_ERROR", "INTERNAL_ERROR"),
            // 400, and what Klarna does not publish.
            _ => ("INPUT_ERROR", "VALIDATION_ERROR"),
        };
        Self::new(status, Some(kind), code, "a fault, as the tester asked")
    }

    /// 500: a fault of the simulator's own.
    pub(crate) fn internal() -> Self {
        let message = "the simulator failed; its log says more";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Some("TECHNICAL_ERROR"), "INTERNAL_ERROR", message)
    }

    /// The body, under this id.
    pub(crate) fn body(&self, error_id: Uuid) -> ErrorBody {
        ErrorBody {
            error_id: error_id.to_string(),
            error_type: self.kind.map(str::to_owned),
            error_code: self.code.to_owned(),
            error_message: self.message.chars().take(MESSAGE_LENGTH).collect(),
            validation_errors: self.fields.clone(),
            errors: Vec::new(),
        }
    }

    /// The body under this id, with its fields listed as the policy says.
    pub(crate) fn body_listed(&self, error_id: Uuid, list: ErrorListPolicy) -> ErrorBody {
        let body = self.body(error_id);
        match list {
            ErrorListPolicy::ValidationErrors => body,
            ErrorListPolicy::Errors => body.with_older_list(),
        }
    }
}

impl From<Refusal> for KlarnaError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(fields) => Self::invalid(fields),
            Refusal::NotFound(what) => Self::not_found(what),
            Refusal::Forbidden(why) => Self::forbidden(why),
            Refusal::Conflict(why) => Self::conflict(why),
        }
    }
}

impl IntoResponse for KlarnaError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
