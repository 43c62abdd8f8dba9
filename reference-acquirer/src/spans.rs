//! What this program is busy with, as spans: a caller's request, a call to Klarna, a piece of open work,
//! a notification. They name payments, events and Klarna's correlation ids, and hold nothing secret.
//!
//! The logs show in which span something was said. Built with the feature `opentelemetry`, and told an
//! endpoint, the program exports them too (`telemetry/otlp.rs`); their `otel.…` fields are for that.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::store::Claim;
#[cfg(feature = "opentelemetry")]
use crate::telemetry::otlp;

/// A request that is being served. Its path is the route's: that of a customer's return is a secret.
pub async fn of_request(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let span = request_span(request.method(), route);
    #[cfg(feature = "opentelemetry")]
    otlp::continue_trace(&span, request.headers());
    async move {
        let response = next.run(request).await;
        Span::current().record("http.response.status_code", response.status().as_u16());
        response
    }
    .instrument(span)
    .await
}

fn request_span(method: &Method, route: &str) -> Span {
    tracing::info_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        http.request.method = %method,
        http.route = route,
        http.response.status_code = Empty,
    )
}

/// A call to Klarna. What it is about is known to the span that it is made in, or is said here.
pub(crate) fn klarna_call(operation: &'static str) -> Span {
    tracing::info_span!(
        "klarna",
        otel.name = format!("klarna {operation}"),
        otel.kind = "client",
        operation,
        http.response.status_code = Empty,
        klarna_correlation_id = Empty,
    )
}

/// A row of the outbox that is being worked on.
pub(crate) fn work(claim: &Claim) -> Span {
    tracing::info_span!(
        "work",
        otel.name = format!("work {}", claim.task.as_str()),
        otel.kind = "consumer",
        task = claim.task.as_str(),
        subject = claim.subject,
        attempt = claim.attempt,
    )
}

/// A notification on its way to a Partner.
pub(crate) fn notification(payment_id: &str, webhook_id: &str) -> Span {
    tracing::info_span!(
        "notification",
        otel.name = "notify Partner",
        otel.kind = "client",
        payment_id,
        webhook_id,
        http.response.status_code = Empty,
    )
}
