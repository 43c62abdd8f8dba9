//! The tester's API under `/_simulator/v1`, and a client for it.

pub mod client;

mod call;
mod customer;
mod evolution;
pub(crate) mod examples;
mod faults;
mod follow;
mod guard;
mod journal;
pub(crate) mod operations;
mod problem;
pub(crate) mod query;
mod requests;
mod rules;
mod sandboxes;
mod snapshots;
mod transactions;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, OriginalUri};
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post, put};

use crate::world::World;
use problem::Problem;

/// The routes of the control API.
pub(crate) fn routes(world: &Arc<World>) -> Router<Arc<World>> {
    let v1 = Router::new()
        .route("/sandboxes", get(sandboxes::list))
        .route("/sandboxes/{account}", put(sandboxes::put).get(sandboxes::read).delete(sandboxes::delete))
        .route("/sandboxes/{account}/intent", put(sandboxes::declare_intent))
        .route("/sandboxes/{account}/presentation", put(sandboxes::set_presentation))
        .route("/sandboxes/{account}/session-tokens", post(sandboxes::mint_session_token))
        .route("/sandboxes/{account}/keys", post(sandboxes::make_partner_key))
        .route("/sandboxes/{account}/outcomes", post(sandboxes::queue_outcomes))
        .route("/sandboxes/{account}/rules", put(rules::put).get(rules::read))
        .route("/sandboxes/{account}/evolution", put(evolution::put).get(evolution::read))
        .route("/sandboxes/{account}/explain", post(rules::explain))
        .route("/rules", get(rules::file))
        .route("/rules/reload", post(rules::reload))
        .route("/sandboxes/{account}/customer", post(customer::act))
        .route("/sandboxes/{account}/faults", post(faults::arm).get(faults::read).delete(faults::lift))
        .route("/sandboxes/{account}/webhooks", post(webhooks::send).get(webhooks::read))
        .route("/sandboxes/{account}/webhooks/release", post(webhooks::release))
        .route("/sandboxes/{account}/payment-requests", post(requests::end))
        .route("/sandboxes/{account}/transactions/{id}/chargeback", post(transactions::charge_back))
        .route("/sandboxes/{account}/snapshots", post(snapshots::make).get(snapshots::list))
        .route("/sandboxes/{account}/snapshots/{name}", delete(snapshots::delete))
        .route("/sandboxes/{account}/snapshots/{name}/restore", post(snapshots::restore))
        .route("/sandboxes/{account}/clock", post(sandboxes::set_clock))
        .route("/sandboxes/{account}/journal", get(journal::of_sandbox))
        .route("/sandboxes/{account}/journal/stream", get(journal::follow_sandbox))
        .route("/sandboxes/{account}/journal/export", get(journal::export_sandbox))
        .route("/accounts/{acquirer}/journal/stream", get(journal::follow_account))
        .route("/accounts/{acquirer}/journal/export", get(journal::export_account))
        .route("/journal", get(journal::of_nobody))
        .route("/journal/stream", get(journal::follow_nobody))
        .route("/journal/export", get(journal::export_nobody))
        .route("/sandboxes/{account}/findings", get(journal::findings))
        .route("/accounts/{acquirer}/findings", get(journal::findings_of_account))
        .route("/findings", get(journal::findings_of_nobody))
        .route("/accounts/{acquirer}/journal", get(journal::of_account))
        .route(
            "/accounts/{acquirer}/faults",
            post(faults::arm_in_account).get(faults::read_in_account).delete(faults::lift_in_account),
        )
        .route("/accounts/{acquirer}/forget", post(webhooks::forget))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(world.clone(), call::check))
        .layer(map_response(explained))
        .layer(from_fn_with_state(world.clone(), guard::guard));
    Router::new().nest(operations::BASE, v1)
}

/// A path that the router could not read is told of like every other mistake.
async fn explained(response: Response) -> Response {
    let kind = response.headers().get(CONTENT_TYPE);
    let unread = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !unread || !response.status().is_client_error() {
        return response;
    }
    Problem::bad_request(
        "the path cannot be read",
        "write ids raw, or with each odd byte as a % escape of UTF-8",
    )
    .into_response()
}

async fn unknown(method: Method, OriginalUri(uri): OriginalUri) -> Problem {
    Problem::not_found(
        format!("the control API has no {method} {}", uri.path()),
        "docs/architecture.md lists its operations",
    )
}

async fn wrong_method(path: MatchedPath, method: Method, OriginalUri(uri): OriginalUri) -> Problem {
    let mut methods: Vec<_> = operations::at(path.as_str()).map(|one| one.method).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    let allowed = methods.join(", ");
    Problem::wrong_method(
        format!("{} takes no {method}", uri.path()),
        format!("it takes {allowed}"),
        &allowed,
    )
}
