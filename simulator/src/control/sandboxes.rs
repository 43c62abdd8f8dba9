//! Sandboxes: make, reset, and set up what shall happen in them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::simulator::control::{
    ClockView, Intent, MintSessionToken, MintedSessionToken, PartnerKey, PresentationWish, PutSandbox,
    QueuedOutcome, SandboxView, Sandboxes, SetClock,
};
use klarna_schemas::simulator::rules::RulesFile;

use super::call::Strict;
use super::problem::Problem;
use super::rules;
use crate::behaviour::rule_check;
use crate::clock::ClockRefusal;
use crate::notify::ClockMove;
use crate::rules_file;
use crate::world::{SandboxCell, World};

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
    let rules = rules::usable(&RulesFile::of(body.rules), &account)?;
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
        move_clock(&cell, clock).await?;
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
        let mut mistakes = rule_check::check_outcome(outcome.on, &outcome.then(), &at);
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
    let happened = move_clock(&cell, &body).await?;
    Ok(Json(ClockView { now: cell.clock().now(), happened }))
}

/// Goes from due time to due time, and passes one only when the deliveries begun there have ended. What
/// callers set going meanwhile is not waited for.
async fn move_clock(cell: &SandboxCell, change: &SetClock) -> Result<Vec<String>, Problem> {
    let target = cell.clock().target(change).map_err(|refusal| {
        let hint = match refusal {
            ClockRefusal::Backwards { .. } => "reset the sandbox to start again",
            ClockRefusal::OutOfRange => "ask for less",
        };
        Problem::bad_request(refusal.to_string(), hint)
    })?;
    if let SetClock::Freeze(frozen) = change {
        cell.clock().freeze(*frozen);
        return Ok(Vec::new());
    }
    let mut happened = Vec::new();
    let epoch = cell.view().epoch;
    let mut at = cell.clock().now();
    let clock_move = ClockMove::begin(cell.deliveries());
    // An attempt that is under way may fail and fall due again on the way.
    clock_move.settled(at).await;
    while let Some(due) = cell.next_due(&clock_move).filter(|due| *due <= target) {
        let due: Timestamp = due.max(at);
        go_on(cell, epoch, due)?;
        happened.extend(cell.tick());
        clock_move.settled(due).await;
        at = due;
    }
    go_on(cell, epoch, target)?;
    happened.extend(cell.tick());
    clock_move.settled(target).await;
    Ok(happened)
}

/// Moves the clock of the epoch in which the move has begun: the time of another one is not its own.
fn go_on(cell: &SandboxCell, epoch: u64, at: Timestamp) -> Result<(), Problem> {
    // Under the lock, by which resets change epoch and clock together.
    let state = cell.lock();
    if state.machine.epoch != epoch {
        let detail = "the sandbox was reset, or went back to a snapshot, while its clock was moving";
        return Err(Problem::conflict(detail, "move the clock that it has now"));
    }
    cell.clock().go_to(at);
    drop(state);
    Ok(())
}
