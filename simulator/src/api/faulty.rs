//! Faults over HTTP: what the caller gets instead of an answer.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use klarna_schemas::simulator::control::{CallKind, Fault, FaultBody};
use klarna_schemas::simulator::journal::Ending;
use serde_json::Value;
use uuid::Uuid;

use super::error::KlarnaError;
use super::recording::Notes;
use crate::behaviour::rules::Occasion;
use crate::clock::pause;
use crate::server::{CutOff, Suffering};
use crate::world::{Met, SandboxCell};

/// What a proxy in between might show.
const HTML: &str = "<!doctype html>\n<html><head><title>Error</title></head><body><h1>The service is unavailable</h1></body></html>\n";

/// Lets a call meet the fault that waits for it. The error only ends the handler of one that is not
/// served: what the caller gets is decided where the exchange is written down.
pub(super) fn meet(notes: &Notes, met: Option<Met>) -> Result<(), KlarnaError> {
    let Some(met) = met else { return Ok(()) };
    let goes_on = met.fault.lets_serve();
    notes.note(|noted| {
        noted.rule = met.by.clone().or(noted.rule.take());
        noted.fault = Some(met);
    });
    if goes_on { Ok(()) } else { Err(KlarnaError::internal()) }
}

/// The same, for a call in a sandbox that is no authorize: armed faults come first, then those of rules.
pub(super) fn meet_in(
    cell: &SandboxCell,
    notes: &Notes,
    operation: &str,
    headers: &HeaderMap,
) -> Result<(), KlarnaError> {
    let mut state = cell.lock();
    let armed = state.faults.take(operation, CallKind::Any);
    if armed.is_some() || !state.machine.behaviour.has_rules() {
        drop(state);
        return meet(notes, armed);
    }
    let body = serde_json::from_slice(&notes.body()).unwrap_or(Value::Null);
    let headers = uncovered(headers);
    let on = CallKind::Any;
    let met =
        state.fault_by_rule(&Occasion { operation, on, headers: &headers, body: &body, can_step_up: false });
    drop(state);
    meet(notes, met)
}

/// Headers that rules may look at: all but credentials.
pub(super) fn uncovered(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = headers.iter().filter(|(name, _)| **name != AUTHORIZATION);
    shown
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

/// How an exchange with this fault is written down: what was answered, and how it ended.
pub(super) fn ending(fault: Fault) -> Ending {
    match fault {
        Fault::Status { .. } | Fault::Delay { .. } | Fault::Drip { .. } | Fault::WrongLength => {
            Ending::Answered
        }
        Fault::Stall => Ending::TimedOut,
        Fault::Reset | Fault::Garbage | Fault::LoseAnswer | Fault::Cut { .. } | Fault::Truncate => {
            Ending::Broken
        }
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

/// Ends a call that was not served and gets no answer: at once, or, where it stalls, once it is let go.
pub(super) async fn without_answer(met: Met) -> Response {
    if met.fault == Fault::Garbage {
        return suffer(Body::from("the place of an answer").into_response(), met).await;
    }
    if met.fault == Fault::Stall {
        met.hold.cancelled().await;
    }
    cut_off(Body::empty().into_response())
}

/// Lets the answer of a call that was served suffer.
pub(super) async fn suffer(mut response: Response, met: Met) -> Response {
    match met.fault {
        Fault::LoseAnswer => return cut_off(response),
        Fault::Delay { ms } => {
            // Lifted or not, the answer follows.
            let delay = pause(Duration::from_millis(ms.into()));
            let _passed = met.hold.run_until_cancelled(delay).await;
        }
        fault => {
            response.extensions_mut().insert(Suffering { fault, hold: met.hold });
        }
    }
    response
}

fn cut_off(mut response: Response) -> Response {
    response.extensions_mut().insert(CutOff);
    response
}
