//! What a payment presentation links to: pictures, plain shapes of our own with the word in them,
//! and terms.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::world::World;

/// Every picture, by the name in its URL.
const ICONS: [(&str, &str); 4] = [
    ("badge.svg", include_str!("../static/icons/badge.svg")),
    ("rectangle.svg", include_str!("../static/icons/rectangle.svg")),
    ("square.svg", include_str!("../static/icons/square.svg")),
    ("button.svg", include_str!("../static/icons/button.svg")),
];

/// What the link below a payment option leads to.
const TERMS: &str = "This Klarna is simulated: nothing is sold, lent or owed here.\n";

/// The routes of pictures and terms. Browsers ask for them, so they stand outside the journal.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/static/icons/{name}", get(icon)).route("/static/terms.txt", get(async || TERMS))
}

async fn icon(Path(name): Path<String>) -> Response {
    match ICONS.iter().find(|(known, _)| *known == name) {
        Some((_, picture)) => {
            ([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "public, max-age=86400")], *picture)
                .into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
