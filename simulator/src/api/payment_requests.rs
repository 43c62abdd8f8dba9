//! Payment Requests over the wire (contract `payments.md` 3.1).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::HeaderMap;
use klarna_schemas::ids::{PartnerAccountId, PaymentRequestId};
use klarna_schemas::klarna::payment_request::PaymentRequest;
use klarna_schemas::simulator::control::RequestEnd;

use super::authorize::enter;
use super::error::KlarnaError;
use super::recording::Notes;
use crate::engine::{EndRefusal, EventDraft, Sandbox};
use crate::operation::Operation;
use crate::world::World;

/// `GET /v2/accounts/{partner_account_id}/payment/requests/{payment_request_id}`.
pub(super) async fn read(
    State(world): State<Arc<World>>,
    Extension(notes): Extension<Notes>,
    Path((account, id)): Path<(PartnerAccountId, PaymentRequestId)>,
    headers: HeaderMap,
) -> Result<Json<PaymentRequest>, KlarnaError> {
    let (cell, _) = enter(&world, &notes, &headers, &account, Operation::ReadPaymentRequest)?;
    cell.tick();
    let state = cell.lock();
    notes.note(|noted| noted.epoch = Some(state.machine.epoch_of_id(id.as_str())));
    let record = state.machine.request(&id).ok_or_else(|| unknown(&id))?;
    notes.note(|noted| noted.payment = Some(record.payment.clone()));
    Ok(Json(record.view()))
}

/// `DELETE /v2/accounts/{partner_account_id}/payment/requests/{payment_request_id}`: the acquirer
/// cancels a request that came to nothing. Answers 200 with the object.
pub(super) async fn cancel(
    State(world): State<Arc<World>>,
    Extension(notes): Extension<Notes>,
    Path((account, id)): Path<(PartnerAccountId, PaymentRequestId)>,
    headers: HeaderMap,
) -> Result<Json<PaymentRequest>, KlarnaError> {
    /// Why it is CANCELED (contract `payments.md` 3.3).
    const BY_PARTNER: &str = "PARTNER_CANCELED";
    let (cell, _) = enter(&world, &notes, &headers, &account, Operation::CancelPaymentRequest)?;
    let (payment, epoch) = {
        let state = cell.lock();
        let payment = state.machine.request(&id).map(|record| record.payment.clone());
        (payment, state.machine.epoch_of_id(id.as_str()))
    };
    let (answered, after) = tokio::sync::oneshot::channel();
    notes.note(|noted| {
        noted.epoch = Some(epoch);
        noted.payment = payment;
        noted.answered = Some(answered);
    });
    let ended = cell.end_request(&id, RequestEnd::Cancel, Some(BY_PARTNER), Some(after));
    let record = ended.map_err(|refusal| match refusal {
        EndRefusal::Unknown => unknown(&id),
        // The code is inferred: none is published for a state that does not allow it.
        EndRefusal::Over(_) | EndRefusal::Finalised => KlarnaError::forbidden(refusal.to_string()),
    })?;
    Ok(Json(record.view()))
}

fn unknown(id: &PaymentRequestId) -> KlarnaError {
    KlarnaError::not_found(format!("no Payment Request {id} is known in this account"))
}

/// Lets the world find the Purchase Journey of a request that an event tells of.
pub(super) fn know_journey(world: &World, machine: &Sandbox, event: &EventDraft) {
    if let Some(record) = machine.request(&event.payload.payment_request_id) {
        world.know_journey(record.uuid, &machine.account);
    }
}
