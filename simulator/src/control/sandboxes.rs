//! Sandboxes: make, reset, and set up what shall happen in them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::simulator::control::{
    ClockView, Intent, MintSessionToken, MintedSessionToken, PartnerKey, PresentationWish, PutSandbox,
    QueuedOutcome, SandboxView, Sandboxes, SetClock,
};
use klarna_schemas::simulator::rules::RulesFile;

use super::call::Strict;
use super::problem::Problem;
use super::rules;
use crate::behaviour::doings;
use crate::clock::{ClockRefusal, SandboxClock};
use crate::rules_file;
use crate::world::{MoveRefusal, SandboxCell, World};

/// Shortest and longest session token that can be minted, in characters.
const TOKEN_LENGTH: std::ops::RangeInclusive<usize> = 64..=10_240;
/// Longest reason of a queued outcome, in characters.
const REASON_LENGTH: usize = 255;
/// Length of a session token that names none.
const TOKEN_LENGTH_DEFAULT: usize = 512;

/// A sandbox that must be there.
pub(super) fn existing(world: &World, account: &PartnerAccountId) -> Result<Arc<SandboxCell>, Problem> {
    world.sandbox(account).ok_or_else(|| {
        Problem::not_found(
            format!("there is no sandbox {account}"),
            format!("make it: PUT /_simulator/v1/sandboxes/{account}"),
        )
    })
}

pub(super) async fn list(State(world): State<Arc<World>>) -> Json<Sandboxes> {
    Json(Sandboxes { sandboxes: world.sandboxes().iter().map(|cell| cell.view()).collect() })
}

pub(super) async fn put(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(body): Strict<PutSandbox>,
) -> Result<Json<SandboxView>, Problem> {
    // All is checked before anything is done: what is refused has done nothing.
    let rules = rules::usable(&RulesFile::of(body.rules), &account)?;
    if let Some(clock) = &body.clock {
        SandboxClock::new().target(clock).map_err(MoveRefusal::from)?;
    }
    let cell = match world.sandbox(&account) {
        Some(cell) => {
            cell.reset(body.seed.unwrap_or(world.seed()));
            cell
        }
        None => world.ensure_sandbox(&account, body.seed).ok_or_else(|| {
            Problem::full(
                "this simulator holds as many sandboxes as it may",
                "delete one, or raise limits.sandboxes",
            )
        })?,
    };
    cell.lock().machine.behaviour.lay_down(rules);
    if let Some(clock) = &body.clock {
        match cell.move_clock(clock).await {
            // It lay ahead a moment ago: real time is there by now.
            Ok(_) | Err(MoveRefusal::Clock(ClockRefusal::Backwards { .. })) => {}
            Err(refusal) => return Err(refusal.into()),
        }
    }
    Ok(Json(cell.view()))
}

pub(super) async fn read(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
) -> Result<Json<SandboxView>, Problem> {
    Ok(Json(existing(&world, &account)?.view()))
}

pub(super) async fn delete(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
) -> Result<StatusCode, Problem> {
    existing(&world, &account)?;
    world.remove_sandbox(&account);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn declare_intent(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(intent): Strict<Intent>,
) -> Result<Json<SandboxView>, Problem> {
    let cell = existing(&world, &account)?;
    cell.lock().machine.declare(intent);
    Ok(Json(cell.view()))
}

pub(super) async fn set_presentation(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(wish): Strict<PresentationWish>,
) -> Result<Json<SandboxView>, Problem> {
    let cell = existing(&world, &account)?;
    cell.lock().machine.instruct(wish.instruction);
    Ok(Json(cell.view()))
}

pub(super) async fn mint_session_token(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(body): Strict<MintSessionToken>,
) -> Result<(StatusCode, Json<MintedSessionToken>), Problem> {
    let cell = existing(&world, &account)?;
    let length = body.length.unwrap_or(TOKEN_LENGTH_DEFAULT);
    if !TOKEN_LENGTH.contains(&length) {
        let detail = format!(
            "length: a session token has {} to {} characters",
            TOKEN_LENGTH.start(),
            TOKEN_LENGTH.end()
        );
        return Err(Problem::bad_request(detail, "leave length out to get a usual one"));
    }
    let token = cell.lock().machine.mint(length, body.state, cell.clock().now());
    world.know_token(&token, &account);
    Ok((StatusCode::CREATED, Json(MintedSessionToken { klarna_network_session_token: token })))
}

pub(super) async fn make_partner_key(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
) -> Result<(StatusCode, Json<PartnerKey>), Problem> {
    existing(&world, &account)?;
    Ok((StatusCode::CREATED, Json(PartnerKey { api_key: world.partner_key(&account) })))
}

pub(super) async fn queue_outcomes(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(outcomes): Strict<Vec<QueuedOutcome>>,
) -> Result<Json<SandboxView>, Problem> {
    let cell = existing(&world, &account)?;
    for (index, outcome) in outcomes.iter().enumerate() {
        let at = format!("/{index}");
        let mut mistakes = doings::check_outcome(outcome.on, &outcome.then(), &at);
        mistakes.extend(rules_file::check_wishes(&outcome.webhooks, &at));
        if let Some(mistake) = mistakes.into_iter().next() {
            return Err(mistake.into());
        }
        if outcome.result_reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON_LENGTH) {
            let detail = format!("[{index}].result_reason: at most {REASON_LENGTH} characters");
            return Err(Problem::bad_request(detail, "a short reason will do"));
        }
        if outcome.times == 0 {
            return Err(Problem::bad_request(
                format!("[{index}].times: must be at least 1"),
                "leave it out for 1",
            ));
        }
    }
    let queued = cell.lock().machine.queue(outcomes);
    queued.map_err(|full| Problem::conflict(full.to_string(), "use `times`, or reset the sandbox"))?;
    Ok(Json(cell.view()))
}

pub(super) async fn set_clock(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(body): Strict<SetClock>,
) -> Result<Json<ClockView>, Problem> {
    let cell = existing(&world, &account)?;
    Ok(Json(cell.move_clock(&body).await?))
}

impl From<MoveRefusal> for Problem {
    fn from(refusal: MoveRefusal) -> Self {
        let hint = match refusal {
            MoveRefusal::OtherEpoch => {
                return Self::conflict(refusal.to_string(), "move the clock that it has now");
            }
            MoveRefusal::Clock(ClockRefusal::Backwards { .. }) => "reset the sandbox to start again",
            MoveRefusal::Clock(ClockRefusal::OutOfRange) => "ask for less",
        };
        Self::bad_request(refusal.to_string(), hint)
    }
}
