//! Faults: arm them, lift them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use klarna_schemas::ids::{AcquirerAccountId, PartnerAccountId};
use klarna_schemas::simulator::control::{ArmFault, SandboxView};

use super::problem::{Problem, Strict};
use super::sandboxes::existing;
use crate::behaviour::faults::TooManyFaults;
use crate::world::{AccountCell, World};

pub(super) async fn arm(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(fault): Strict<ArmFault>,
) -> Result<Json<SandboxView>, Problem> {
    let cell = existing(&world, &account)?;
    cell.lock().faults.arm(fault).map_err(full)?;
    Ok(Json(cell.view()))
}

pub(super) async fn lift(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
) -> Result<Json<SandboxView>, Problem> {
    let cell = existing(&world, &account)?;
    cell.lock().faults.lift();
    Ok(Json(cell.view()))
}

pub(super) async fn arm_in_account(
    State(world): State<Arc<World>>,
    Path(acquirer): Path<AcquirerAccountId>,
    Strict(fault): Strict<ArmFault>,
) -> Result<StatusCode, Problem> {
    known(&world, &acquirer)?.lock().faults.arm(fault).map_err(full)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn lift_in_account(
    State(world): State<Arc<World>>,
    Path(acquirer): Path<AcquirerAccountId>,
) -> Result<StatusCode, Problem> {
    known(&world, &acquirer)?.lock().faults.lift();
    Ok(StatusCode::NO_CONTENT)
}

/// An acquirer account that has called, or is configured.
pub(super) fn known(world: &World, acquirer: &AcquirerAccountId) -> Result<Arc<AccountCell>, Problem> {
    world.account_by_id(acquirer).ok_or_else(|| {
        Problem::not_found(
            format!("there is no acquirer account {acquirer}"),
            "an account is there once it is configured, or has called with its API key",
        )
    })
}

fn full(full: TooManyFaults) -> Problem {
    Problem::conflict(full.to_string(), "lift them: DELETE the same path")
}
