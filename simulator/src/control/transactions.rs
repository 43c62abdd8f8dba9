//! Payment Transactions that Klarna's side takes money back of.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use klarna_schemas::ids::{PartnerAccountId, PaymentTransactionId};
use klarna_schemas::simulator::control::ChargeBack;
use serde_json::Value;

use super::call::Strict;
use super::problem::Problem;
use super::sandboxes::existing;
use crate::engine::Refusal;
use crate::world::World;

/// Makes a chargeback, which Klarna's API then shows, and says so by an event.
pub(super) async fn charge_back(
    State(world): State<Arc<World>>,
    Path((account, id)): Path<(PartnerAccountId, PaymentTransactionId)>,
    Strict(asked): Strict<ChargeBack>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let cell = existing(&world, &account)?;
    if asked.amount.0 < 1 {
        return Err(Problem::bad_request("amount: must be at least 1", "amounts are in minor units"));
    }
    let made = cell.charge_back(&id, asked.amount).map_err(|refusal| match refusal {
        Refusal::NotFound(what) => Problem::not_found(what, "take the id from the authorize answer"),
        Refusal::Forbidden(why) | Refusal::Conflict(why) => Problem::conflict(why, "make a new payment"),
        Refusal::Invalid(fields) => {
            let wrong: Vec<_> =
                fields.iter().map(|field| format!("{} {}", field.parameter, field.reason)).collect();
            Problem::conflict(wrong.join("; "), "capture more first, or ask for less")
        }
    })?;
    Ok((StatusCode::CREATED, Json(made)))
}
