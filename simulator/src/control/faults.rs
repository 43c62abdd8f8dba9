//! Faults: arm them, look at them, lift them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use klarna_schemas::ids::{AcquirerAccountId, PartnerAccountId};
use klarna_schemas::nearest::nearest;
use klarna_schemas::simulator::control::{ArmFault, CallKind, FaultsView, SandboxView};

use super::call::Strict;
use super::problem::Problem;
use super::sandboxes::existing;
use crate::api::operations::{AUTHORIZE, OPERATIONS, Operation};
use crate::behaviour::faults::TooManyFaults;
use crate::pattern::fits;
use crate::world::{AccountCell, World};

pub(super) async fn arm(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(fault): Strict<ArmFault>,
) -> Result<Json<SandboxView>, Problem> {
    let cell = existing(&world, &account)?;
    check(&fault, Operation::is_of_a_partner)?;
    cell.lock().faults.arm(fault).map_err(full)?;
    Ok(Json(cell.view()))
}

pub(super) async fn read(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
) -> Result<Json<FaultsView>, Problem> {
    Ok(Json(existing(&world, &account)?.lock().faults.view()))
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
    let account = known(&world, &acquirer)?;
    check(&fault, |operation| !operation.is_of_a_partner())?;
    account.lock().faults.arm(fault).map_err(full)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn read_in_account(
    State(world): State<Arc<World>>,
    Path(acquirer): Path<AcquirerAccountId>,
) -> Result<Json<FaultsView>, Problem> {
    Ok(Json(known(&world, &acquirer)?.lock().faults.view()))
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

/// Refuses a fault that no call of this place can meet.
fn check(fault: &ArmFault, is_here: fn(&Operation) -> bool) -> Result<(), Problem> {
    check_operation(&fault.operation, is_here)?;
    let meets_authorize =
        OPERATIONS.iter().any(|one| one.id == AUTHORIZE && is_here(one) && fits(&fault.operation, one.id));
    if fault.on == CallKind::Any || meets_authorize {
        return Ok(());
    }
    let detail =
        format!("on: only an authorize is initial or final, and this fault is for {}", fault.operation);
    Err(Problem::bad_request(detail, "leave `on` out"))
}

/// Refuses a pattern that no operation of this place fits: its fault would wait for ever.
fn check_operation(pattern: &str, is_here: fn(&Operation) -> bool) -> Result<(), Problem> {
    let here = OPERATIONS.iter().filter(|operation| is_here(operation));
    let names: Vec<_> = here.map(|operation| operation.id).collect();
    if names.iter().any(|name| fits(pattern, name)) {
        return Ok(());
    }
    let listed = names.join(", ");
    if OPERATIONS.iter().any(|operation| fits(pattern, operation.id)) {
        let detail = format!("operation: no call to {pattern} meets the faults that are armed here");
        let hint = format!(
            "calls with a Partner account in their path meet the faults of its sandbox, all others those \
             of their acquirer account; here: {listed}"
        );
        return Err(Problem::bad_request(detail, hint));
    }
    if ["journey.", "event:"].iter().any(|start| pattern.starts_with(start)) {
        let detail = format!("operation: {pattern} cannot be met by a fault: it is no call to Klarna's API");
        let hint = format!("webhooks misbehave by POST …/webhooks; faults meet calls to {listed}");
        return Err(Problem::bad_request(detail, hint));
    }
    let hint = match nearest(pattern.trim_end_matches('*'), &names) {
        Some(meant) => format!("did you mean {meant}? Known here: {listed}"),
        None => format!("known here: {listed}; a * at the end matches any rest"),
    };
    Err(Problem::bad_request(format!("operation: there is no operation {pattern}"), hint))
}

fn full(full: TooManyFaults) -> Problem {
    Problem::conflict(full.to_string(), "lift them: DELETE the same path")
}
