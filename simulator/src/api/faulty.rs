//! Faults over HTTP: what the caller gets instead of an answer.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use klarna_schemas::simulator::control::{CallKind, Fault, FaultBody};
use klarna_schemas::simulator::journal::Ending;
use uuid::Uuid;

use super::error::KlarnaError;
use super::recording::Notes;
use crate::server::CutOff;
use crate::world::{Met, SandboxCell};

/// What a proxy in between might show.
const HTML: &str = "<!doctype html>\n<html><head><title>Error</title></head><body><h1>The service is unavailable</h1></body></html>\n";

/// Lets a call meet the fault that waits for it. The error only ends the handler: what the caller
/// gets is decided where the exchange is written down.
pub(super) fn meet(notes: &Notes, met: Option<Met>) -> Result<(), KlarnaError> {
    let Some(met) = met else { return Ok(()) };
    notes.note(|noted| noted.fault = Some(met));
    Err(KlarnaError::internal())
}

/// The same, for a call in a sandbox that is no authorize.
pub(super) fn meet_in(cell: &SandboxCell, notes: &Notes, operation: &str) -> Result<(), KlarnaError> {
    let met = cell.lock().faults.take(operation, CallKind::Any);
    meet(notes, met)
}

/// How an exchange with this fault is written down: what was answered, and how it ended.
pub(super) fn ending(fault: Fault) -> Ending {
    match fault {
        Fault::Status { .. } => Ending::Answered,
        Fault::Stall => Ending::TimedOut,
        Fault::Reset => Ending::Broken,
    }
}

/// Status, headers and body of a faulty answer; nothing where there is none.
pub(super) fn answer(fault: Fault, id: Uuid) -> Option<(StatusCode, HeaderMap, Bytes)> {
    let Fault::Status { status, body } = fault else { return None };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = HeaderMap::new();
    let (kind, body) = match body {
        FaultBody::None => return Some((status, headers, Bytes::new())),
        FaultBody::Html => ("text/html; charset=utf-8", Bytes::from_static(HTML.as_bytes())),
        FaultBody::Klarna => {
            let error = KlarnaError::of_status(status).body(id);
            ("application/json", Bytes::from(serde_json::to_vec(&error).unwrap_or_default()))
        }
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Some((status, headers, body))
}

/// Ends a call without an answer: at once, or, where it stalls, once it is let go.
pub(super) async fn without_answer(met: Met) -> Response {
    if met.fault == Fault::Stall {
        met.hold.cancelled().await;
    }
    let mut response = Body::empty().into_response();
    response.extensions_mut().insert(CutOff);
    response
}
