//! Payment Requests over the wire (contract `payments.md` 3.1).

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use klarna_schemas::ids::PaymentRequestId;
use klarna_schemas::klarna::payment_request::{
    CreatePaymentRequest, PaymentRequest, PaymentRequestState, UpdatePaymentRequest,
};
use klarna_schemas::simulator::control::RequestEnd;
use serde_json::Value;

use super::body::{json, typed};
use super::call::SandboxCall;
use super::error::KlarnaError;
use crate::config::ExpiredRequestPolicy;
use crate::engine::{self, EndRefusal};
use crate::world::answer_and_events;

/// Why a request is CANCELED (contract `payments.md` 3.3).
const BY_PARTNER: &str = "PARTNER_CANCELED";

/// `POST …/payment/requests`. With the token of a customer who has consented before, it is COMPLETED at
/// once.
pub(super) async fn create(called: SandboxCall, body: Bytes) -> Result<Response, KlarnaError> {
    let raw = json(&called.call.headers, &body)?;
    let asked: CreatePaymentRequest = typed("klarna/create-payment-request", &raw, called.call.policies())?;
    called.call.token()?;
    let customer_token = called.call.customer_token()?;
    let acquirer = called.acquirer();
    let made = called.once(raw, |machine, now, effects| {
        machine.create_request(&asked, customer_token.as_deref(), acquirer, now, effects)
    })?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// `PATCH` and `PUT …/payment/requests/{payment_request_id}`.
pub(super) async fn update(called: SandboxCall, body: Bytes) -> Result<Json<Value>, KlarnaError> {
    let id: PaymentRequestId = called.call.id();
    let raw = json(&called.call.headers, &body)?;
    let asked: UpdatePaymentRequest = typed("klarna/update-payment-request", &raw, called.call.policies())?;
    called.once(raw, |machine, now, effects| machine.update_request(&id, &asked, now, effects)).map(Json)
}

/// `GET …/payment/requests/{payment_request_id}`.
pub(super) async fn read(called: SandboxCall) -> Result<Json<PaymentRequest>, KlarnaError> {
    let id: PaymentRequestId = called.call.id();
    let policies = called.call.world.settings().policies;
    let view = called.read(id.as_str(), |machine| {
        let record = machine.request(&id).ok_or_else(|| unknown(&id))?;
        let gone = record.state == PaymentRequestState::Expired
            && policies.expired_request == ExpiredRequestPolicy::NotFound;
        if gone { Err(unknown(&id)) } else { Ok((record.view(), Some(record.payment.clone()))) }
    });
    view.map(Json)
}

/// `DELETE …/payment/requests/{payment_request_id}`: the acquirer cancels a request that came to
/// nothing. Answers 200 with the object.
pub(super) async fn cancel(called: SandboxCall) -> Result<Json<PaymentRequest>, KlarnaError> {
    let id: PaymentRequestId = called.call.id();
    let (payment, epoch) = {
        let state = called.cell.lock();
        let payment = state.machine.request(&id).map(|record| record.payment.clone());
        (payment, state.machine.epoch_of_id(id.as_str()))
    };
    let (answered, after) = answer_and_events();
    called.call.notes.note(|noted| {
        noted.epoch = Some(epoch);
        noted.payment = payment;
        noted.answered = Some(answered);
    });
    let ended = called.cell.end_request(&id, RequestEnd::Cancel, Some(BY_PARTNER), Some(after));
    let record = ended.map_err(|refusal| match refusal {
        EndRefusal::Unknown => unknown(&id),
        // The code is inferred: none is published for a state that does not allow it.
        EndRefusal::Over(_) | EndRefusal::Finalised => {
            let policy = called.call.world.settings().policies.cancel_out_of_turn;
            policy.refuse("the Payment Request", &refusal.to_string()).into()
        }
    })?;
    Ok(Json(record.view()))
}

/// `DELETE …/payment/tokens/{payment_token}`: the acquirer gives up a token that it has not used. The
/// status is inferred.
pub(super) async fn cancel_token(called: SandboxCall) -> Result<StatusCode, KlarnaError> {
    let token: String = called.call.id();
    let (payment, epoch) = {
        let state = called.cell.lock();
        (state.machine.payment_of_token(&token), state.machine.epoch_of_id(&token))
    };
    let (answered, after) = answer_and_events();
    called.call.notes.note(|noted| {
        noted.epoch = Some(epoch);
        noted.payment = payment;
        noted.answered = Some(answered);
    });
    called.cell.cancel_token(&token, BY_PARTNER, after)?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(id: &PaymentRequestId) -> KlarnaError {
    engine::unknown("Payment Request", id.as_str()).into()
}
