//! Tokens outside a payment, over the wire (contract `webhooks-and-network-data.md` B.6).

use axum::Json;
use axum::http::StatusCode;
use bytes::Bytes;
use klarna_schemas::klarna::interoperability::{CreateTestToken, CustomerJourney};
use serde_json::Value;

use super::body::{json, json_or_nothing, typed};
use super::call::SandboxCall;
use super::error::KlarnaError;

/// Success: the status is inferred.
type Made = Result<(StatusCode, Json<Value>), KlarnaError>;

/// `POST …/interoperability/sdk-tokens`: no body.
pub(super) async fn create_sdk_token(called: SandboxCall, body: Bytes) -> Made {
    let raw = json_or_nothing(&called.call.headers, &body)?;
    called.call.token()?;
    let made = called.once(raw, |machine, now, _| machine.hand_out_sdk_token(now))?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// `POST …/interoperability/tokens`: a session token, for the customer whose token comes along if one does.
pub(super) async fn create_token(called: SandboxCall, body: Bytes) -> Made {
    let raw = json_or_nothing(&called.call.headers, &body)?;
    if let Some(token) = called.call.customer_token()?
        && let Some(refusal) = called.cell.lock().machine.refuse_customer_token(&token)
    {
        return Err(refusal.into());
    }
    let made = called
        .once(raw, |machine, now, effects| machine.hand_out_token(&CustomerJourney::SignIn, now, effects))?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// `POST …/interoperability/test-tokens`.
pub(super) async fn create_test_token(called: SandboxCall, body: Bytes) -> Made {
    let raw = json(&called.call.headers, &body)?;
    let asked: CreateTestToken = typed("klarna/create-test-token", &raw, called.call.policies())?;
    let made = called
        .once(raw, |machine, now, effects| machine.hand_out_token(&asked.customer_journey, now, effects))?;
    Ok((StatusCode::CREATED, Json(made)))
}
