//! QR codes of Purchase Journeys, for tills (contract `payments.md` 2.3, method `QR_CODE`).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use qrcode::QrCode;
use qrcode::render::svg;
use uuid::Uuid;

use crate::world::World;

/// Pixels of a code's side, at least.
const SIDE: u32 = 240;

/// The route of the pictures. A till asks for them, not the acquirer: they stand outside the journal.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/static/qr/{name}", get(picture))
}

async fn picture(State(world): State<Arc<World>>, Path(name): Path<String>) -> Response {
    let uuid = name.strip_suffix(".svg").and_then(|uuid| uuid.parse::<Uuid>().ok());
    let url = uuid.and_then(|uuid| {
        let cell = world.journey(uuid)?;
        let state = cell.lock();
        Some(state.machine.request_by_uuid(uuid)?.url.clone())
    });
    match url.and_then(|url| drawn(&url)) {
        Some(picture) => {
            ([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "no-store")], picture).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The code of a URL; `None` where it is longer than a QR code can be.
fn drawn(url: &str) -> Option<String> {
    let code = QrCode::new(url).ok()?;
    Some(code.render::<svg::Color<'_>>().min_dimensions(SIDE, SIDE).build())
}
