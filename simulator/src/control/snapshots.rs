//! Snapshots of a sandbox.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::simulator::control::{MakeSnapshot, SandboxView, SnapshotView, Snapshots};

use super::call::Strict;
use super::problem::Problem;
use super::sandboxes::existing;
use crate::world::World;

/// Longest name of a snapshot, in characters.
const NAME_LENGTH: usize = 100;

pub(super) async fn make(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(MakeSnapshot { name }): Strict<MakeSnapshot>,
) -> Result<(StatusCode, Json<SnapshotView>), Problem> {
    let cell = existing(&world, &account)?;
    if name.as_ref().is_some_and(|name| name.is_empty() || name.chars().count() > NAME_LENGTH) {
        let detail = format!("name: 1 to {NAME_LENGTH} characters");
        return Err(Problem::bad_request(detail, "leave it out to get a number"));
    }
    let taken = cell.take_snapshot(name);
    let view = taken.map_err(|full| Problem::conflict(full.to_string(), "delete one, or take one's name"))?;
    Ok((StatusCode::CREATED, Json(view)))
}

pub(super) async fn list(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
) -> Result<Json<Snapshots>, Problem> {
    Ok(Json(Snapshots { snapshots: existing(&world, &account)?.snapshots() }))
}

pub(super) async fn delete(
    State(world): State<Arc<World>>,
    Path((account, name)): Path<(PartnerAccountId, String)>,
) -> Result<StatusCode, Problem> {
    let there = existing(&world, &account)?.drop_snapshot(&name);
    if there { Ok(StatusCode::NO_CONTENT) } else { Err(no_snapshot(&name)) }
}

pub(super) async fn restore(
    State(world): State<Arc<World>>,
    Path((account, name)): Path<(PartnerAccountId, String)>,
) -> Result<Json<SandboxView>, Problem> {
    let cell = existing(&world, &account)?;
    if cell.restore(&name) { Ok(Json(cell.view())) } else { Err(no_snapshot(&name)) }
}

fn no_snapshot(name: &str) -> Problem {
    Problem::not_found(format!("there is no snapshot {name}"), "GET …/snapshots lists them")
}
