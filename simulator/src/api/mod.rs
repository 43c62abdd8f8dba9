//! Klarna's API: bytes become commands, commands go to the engine, replies become bytes.

pub(crate) mod auth;
mod authorize;
mod correlation;
pub(crate) mod error;
mod faulty;
mod notification;
mod payment_requests;
mod presentation;
pub(crate) mod recording;

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, Uri};
use axum::routing::{get, post};

use crate::world::World;
use error::KlarnaError;

/// The routes of Klarna's API.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/v2/accounts/{account}/payment/authorize", post(authorize::authorize))
        .route(
            "/v2/accounts/{account}/payment/requests/{id}",
            get(payment_requests::read).delete(payment_requests::cancel),
        )
        .route("/v2/accounts/{account}/payment/presentation", get(presentation::read))
        .route(
            "/v2/notification/signing-keys",
            post(notification::create_signing_key).get(notification::list_signing_keys),
        )
        .route(
            "/v2/notification/signing-keys/{id}",
            get(notification::read_signing_key).delete(notification::delete_signing_key),
        )
        .route(
            "/v2/notification/webhooks",
            post(notification::create_webhook).get(notification::list_webhooks),
        )
        .route(
            "/v2/notification/webhooks/{id}",
            get(notification::read_webhook).delete(notification::delete_webhook),
        )
}

/// What a path that Klarna does not have answers.
pub(crate) async fn unknown_path(method: Method, uri: Uri) -> KlarnaError {
    KlarnaError::no_route(format!("there is no operation {method} {}", uri.path()))
}

/// What a known path answers to a method that it does not take.
pub(crate) async fn unknown_method(method: Method, uri: Uri) -> KlarnaError {
    KlarnaError::no_route(format!("{} is known, but not with {method}", uri.path()))
}
