//! In which ways Klarna has evolved, in one sandbox.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::simulator::control::SetEvolution;

use super::call::Strict;
use super::problem::Problem;
use super::sandboxes::existing;
use crate::behaviour::evolution::Evolved;
use crate::world::World;

pub(super) async fn put(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(wish): Strict<SetEvolution>,
) -> Result<Json<SetEvolution>, Problem> {
    let cell = existing(&world, &account)?;
    cell.lock().machine.behaviour.evolve(Evolved::new(wish.kinds));
    read(State(world), Path(account)).await
}

pub(super) async fn read(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
) -> Result<Json<SetEvolution>, Problem> {
    let evolved = existing(&world, &account)?.lock().machine.behaviour.evolved();
    Ok(Json(SetEvolution { kinds: evolved.kinds().clone() }))
}
