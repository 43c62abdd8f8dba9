//! What the simulator serves, as an OpenAPI 3.1 document and as a page: both made of the table of
//! operations, the schema files and what is known of each. Neither is part of Klarna, so they stand
//! outside the journal.

mod answers;
mod components;
mod control;
mod document;
mod fields;
mod page;
mod parameters;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::Value;

use crate::world::World;

/// What the page looks like.
const STYLE: &str = include_str!("../../static/docs.css");

/// The routes of document and page.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/_simulator/openapi.json", get(async || axum::Json(control::make())))
        .route("/docs", get(docs))
        .route("/static/docs.css", get(async || ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)))
}

/// The document of this simulator, made at first use.
fn document(world: &World) -> &Value {
    world.document.get_or_init(|| document::make(&world.settings().policies))
}

async fn openapi(State(world): State<Arc<World>>) -> Response {
    axum::Json(document(&world)).into_response()
}

async fn docs(State(world): State<Arc<World>>) -> Response {
    match page::render(document(&world)) {
        Ok(page) => {
            let headers = [
                (CONTENT_TYPE, "text/html; charset=utf-8"),
                // It shows what this program has, and fetches nothing from elsewhere.
                (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'self'"),
            ];
            (headers, page).into_response()
        }
        Err(error) => {
            tracing::error!(error, "the page of the API could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
