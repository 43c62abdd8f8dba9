//! Payment Requests: those that Klarna's side ends, and those that are not there.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use klarna_schemas::ids::{PartnerAccountId, PaymentRequestId};
use klarna_schemas::simulator::control::{EndPaymentRequest, PaymentRequestEnded};

use super::call::Strict;
use super::problem::Problem;
use super::sandboxes::existing;
use crate::engine::EndRefusal;
use crate::world::World;

pub(super) async fn end(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(asked): Strict<EndPaymentRequest>,
) -> Result<Json<PaymentRequestEnded>, Problem> {
    let cell = existing(&world, &account)?;
    let id = &asked.payment_request_id;
    let record = cell.end_request(id, asked.act, None, None).map_err(|refusal| match refusal {
        EndRefusal::Unknown => no_request(id),
        EndRefusal::Over(_) => {
            Problem::conflict(format!("the Payment Request {refusal}"), "make a new payment")
        }
        EndRefusal::Finalised => Problem::conflict(
            format!("the Payment Request {refusal}"),
            "end it before the final authorize is decided",
        ),
    })?;
    Ok(Json(PaymentRequestEnded { state: record.state }))
}

/// What a Payment Request that is not there is told as.
pub(super) fn no_request(id: &PaymentRequestId) -> Problem {
    Problem::not_found(
        format!("no Payment Request {id} is known in this sandbox and epoch"),
        "take the id from the authorize answer, or from what the acquirer gave the Partner",
    )
}
