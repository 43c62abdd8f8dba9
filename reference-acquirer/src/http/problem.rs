//! Errors as `application/problem+json` (RFC 9457, `schemas/acquirer/problem.schema.json`).

use std::any::Any;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::once;
use crate::payments::create::WrongField;
use crate::payments::operation::{Kind, MOST_OF_A_KIND};
use crate::payments::payment::Payment;
use crate::store::StoreError;

/// An error answer.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    name: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<WrongField>,
}

impl Problem {
    fn new(status: StatusCode, name: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, name, title, detail: detail.into(), errors: Vec::new() }
    }

    /// 400: the body is no JSON.
    pub fn malformed_json(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed-json", "The body is not JSON", detail)
    }

    /// 400: fields are wrong, each named.
    pub fn wrong_fields(errors: Vec<WrongField>) -> Self {
        let detail = match errors.len() {
            1 => "one field is wrong; see errors".to_owned(),
            count => format!("{count} fields are wrong; see errors"),
        };
        let problem =
            Self::new(StatusCode::BAD_REQUEST, "invalid-fields", "The request is not valid", detail);
        Self { errors, ..problem }
    }

    /// 400: a webhook that is not believed.
    pub fn webhook_refused(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "webhook-refused", "The webhook is refused", detail)
    }

    /// 400: the request broke off.
    pub fn broken_body(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "broken-body", "The body could not be read", detail)
    }

    /// 401: no key, or an unknown one.
    pub fn unauthorized() -> Self {
        let detail = "send the Partner's key as `Authorization: Bearer <api key>`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "The API key is missing or unknown", detail)
    }

    /// 404: no such path.
    pub fn no_such_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-path",
            "There is nothing at this path",
            "see POST /v1/payments",
        )
    }

    /// 404: no such payment, or another Partner's.
    pub fn no_such_payment() -> Self {
        let detail = "this Partner has no payment of that id";
        Self::new(StatusCode::NOT_FOUND, "no-such-payment", "There is no such payment", detail)
    }

    /// 405: the path has other methods. The framework adds `Allow`.
    pub fn wrong_method() -> Self {
        let detail = "the path exists, but not with this method; see the Allow header";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "The method is not allowed here", detail)
    }

    /// 408: the body came too slowly.
    pub fn too_slow() -> Self {
        let detail = "the body did not arrive in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "The request took too long", detail)
    }

    /// 409: the payment is not in a state for the operation.
    pub fn wrong_state(kind: Kind, payment: &Payment) -> Self {
        let wanted = match kind {
            Kind::Cancel => "step_up_required",
            Kind::Capture | Kind::Refund | Kind::Void => "approved",
        };
        let (kind, status) = (kind.as_str(), payment.state.status());
        let detail = format!("{kind} is for a payment that is {wanted:?}; this one is {status:?}");
        Self::new(StatusCode::CONFLICT, "wrong-state", "The payment is not in a state for this", detail)
    }

    /// 409: Klarna would take no more of these.
    pub fn too_many_operations(kind: Kind) -> Self {
        let detail = format!("a payment can have {MOST_OF_A_KIND} operations of kind {:?}", kind.as_str());
        Self::new(StatusCode::CONFLICT, "too-many-operations", "The payment has too many of these", detail)
    }

    /// 409: the Partner used the reference before, for another request.
    pub fn reference_taken(reference: &str) -> Self {
        let detail = format!("something else has the reference {reference:?}; a new attempt needs a new one");
        let problem = Self::new(StatusCode::CONFLICT, "reference-taken", "The reference is taken", detail);
        let error =
            WrongField { field: "reference".to_owned(), reason: "is used for something else".to_owned() };
        Self { errors: vec![error], ..problem }
    }

    /// 409: the Partner used the key for another request.
    pub fn idempotency_key_taken() -> Self {
        let detail = "the key came before with another path or body; a new request needs a new key";
        let problem =
            Self::new(StatusCode::CONFLICT, "idempotency-key-taken", "The idempotency key is taken", detail);
        let error = WrongField::new(once::HEADER, "was used for another request");
        Self { errors: vec![error], ..problem }
    }

    /// 409: the same request is being done.
    pub fn request_under_way() -> Self {
        let detail = "the same request came before and is being done; repeat it a little later";
        Self::new(StatusCode::CONFLICT, "request-under-way", "The request is under way", detail)
    }

    /// Whether the fault is the acquirer's, so that the request may be repeated.
    pub fn is_ours(&self) -> bool {
        self.status.is_server_error()
    }

    /// 413: the body is too large.
    pub fn too_large(limit_bytes: usize) -> Self {
        let detail = format!("at most {limit_bytes} bytes are read");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large", detail)
    }

    /// 415: the body is said to be something else.
    pub fn wrong_content_type() -> Self {
        let detail = "send JSON with `Content-Type: application/json`";
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "wrong-content-type",
            "The content type is not JSON",
            detail,
        )
    }

    /// 500: our fault. What went wrong is in the logs, not in the answer.
    pub fn internal() -> Self {
        let detail = "the acquirer could not do this; the request may be repeated unchanged";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something broke at the acquirer", detail)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request could not be served");
        Self::internal()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("/problems/{}", self.name),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let (Some(object), false) = (body.as_object_mut(), self.errors.is_empty()) {
            let errors =
                self.errors.iter().map(|wrong| json!({"field": wrong.field, "reason": wrong.reason}));
            object.insert("errors".to_owned(), errors.collect());
        }
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The answer to a request whose handler panicked.
pub fn of_panic(_: Box<dyn Any + Send + 'static>) -> http::Response<Body> {
    tracing::error!("a handler panicked");
    Problem::internal().into_response()
}
