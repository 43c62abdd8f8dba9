//! `/healthz` and `/readyz` for whoever watches the process, `/metrics` for Prometheus.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::json;

use super::Api;

/// 200 while the database answers, 503 otherwise. `webhook` says whether Klarna has the webhook, and
/// `missing` what it is not known to have: without it, payments can be made, but nobody hears how
/// step-ups end, until Klarna is asked. `klarna` says whether it answers.
pub async fn health(State(api): State<Api>) -> Response {
    let database = api.payments.store.ping().await;
    if let Err(error) = &database {
        tracing::error!(%error, "the database does not answer");
    }
    let healthy = database.is_ok();
    let subscription = api.subscription.borrow().clone();
    let mut body = json!({
        "status": if healthy { "ok" } else { "failing" },
        "database": if healthy { "ok" } else { "failing" },
        "klarna": if api.payments.klarna.holds_back() { "not_answering" } else { "ok" },
        "webhook": subscription.as_str(),
        "missing": subscription.missing(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    if let (Some(object), Some(reason)) = (body.as_object_mut(), subscription.reason()) {
        object.insert("reason".to_owned(), reason.into());
    }
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}

/// 204 while it takes new work: the database answers, and nobody has told it to stop. A balancer asks
/// this; that Klarna does not answer is no reason to send Partners elsewhere.
pub async fn ready(State(api): State<Api>) -> StatusCode {
    let takes_work = !api.payments.stop.is_cancelled() && api.payments.store.ping().await.is_ok();
    if takes_work { StatusCode::NO_CONTENT } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// All metrics in Prometheus' text format.
pub async fn metrics(State(api): State<Api>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], api.metrics.render()).into_response()
}
