//! Klarna's API: bytes become commands, commands go to the engine, replies become bytes.

pub(crate) mod auth;
mod authorize;
mod body;
mod call;
mod client_certificates;
mod correlation;
mod course;
pub(crate) mod error;
mod faulty;
mod interoperability;
mod notification;
mod older_names;
pub(crate) mod operations;
mod payment_requests;
mod presentation;
pub(crate) mod queries;
mod rate_limit;
pub(crate) mod recording;
mod seen;
mod simulate;
pub(crate) mod supposed_call;
mod transactions;

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, Uri};

use crate::world::World;
use error::KlarnaError;

/// The routes of Klarna's API.
pub(crate) fn routes() -> Router<Arc<World>> {
    operations::routes()
}

/// What a path that Klarna does not have answers.
pub(crate) async fn unknown_path(method: Method, uri: Uri) -> KlarnaError {
    KlarnaError::no_route(format!("there is no operation {method} {}", uri.path()))
}

/// What a known path answers to a method that it does not take.
pub(crate) async fn unknown_method(method: Method, uri: Uri) -> KlarnaError {
    KlarnaError::no_route(format!("{} is known, but not with {method}", uri.path()))
}
