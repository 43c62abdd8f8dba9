//! Sandboxes: make, reset, and set up what shall happen in them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{
    ActAsCustomer, CallKind, ClockView, CustomerActed, Intent, MintSessionToken, MintedSessionToken,
    PartnerKey, PresentationWish, PutSandbox, QueuedOutcome, SandboxView, Sandboxes, SetClock,
};
use klarna_schemas::simulator::journal::{Direction, Ending};

use super::problem::{Problem, Strict};
use super::requests::no_request;
use crate::clock::{ClockRefusal, real_now};
use crate::engine::{CustomerRefusal, ShippingChoice};
use crate::journal::{Exchange, Sent};
use crate::journey;
use crate::notify::ClockMove;
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
        if let AuthorizationResult::Unknown(other) = &outcome.result {
            let detail = format!("[{index}].result: Klarna has no result {other}");
            return Err(Problem::bad_request(detail, "one of APPROVED, DECLINED, STEP_UP_REQUIRED"));
        }
        let steps_up = outcome.result == AuthorizationResult::StepUpRequired;
        if outcome.on == CallKind::Final && steps_up && !outcome.force {
            let detail = format!("[{index}].result: Klarna does not ask for a step-up on a final call");
            return Err(Problem::bad_request(
                detail,
                "APPROVED or DECLINED on a final call, or `force: true` to see what the acquirer makes of it",
            ));
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

pub(super) async fn act_as_customer(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(body): Strict<ActAsCustomer>,
) -> Result<Json<CustomerActed>, Problem> {
    let cell = existing(&world, &account)?;
    let known = cell
        .lock()
        .machine
        .request(&body.payment_request_id)
        .map(|record| (record.uuid, record.payment.clone(), record.url.clone()));
    let (uuid, payment, url) = known.ok_or_else(|| no_request(&body.payment_request_id))?;
    let started_at = real_now();
    let virtual_at = cell.clock().now();
    let choice = ShippingChoice { shipping: body.shipping, amount: body.shipping_amount };
    let acted = journey::act_by_control(&cell, uuid, body.act, &choice).map_err(|refusal| match refusal {
        CustomerRefusal::Unknown => {
            Problem::not_found(refusal.to_string(), "was the sandbox reset meanwhile?")
        }
        CustomerRefusal::TooLate(..) => Problem::conflict(refusal.to_string(), "make a new payment"),
        CustomerRefusal::Shipping(_) => Problem::bad_request(
            refusal.to_string(),
            "make or change the Payment Request with shipping_config {\"mode\": \"EDITABLE\"}, and choose with approve",
        ),
    })?;
    cell.record(Exchange {
        epoch: cell.view().epoch,
        payment: Some(payment),
        direction: Direction::Inbound,
        operation: format!("journey.{}", body.act.as_str()),
        started_at,
        virtual_at,
        method: "POST".to_owned(),
        target: url,
        request_headers: Vec::new(),
        request_body: bytes::Bytes::new(),
        response: None,
        ended: Ending::Answered,
        rule: Some("control".to_owned()),
        fault: None,
        sent: Sent::AsKlarnaDoes,
        tls: None,
    });
    Ok(Json(acted))
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
    let mut at = cell.clock().now();
    let clock_move = ClockMove::begin(cell.deliveries());
    // An attempt that is under way may fail and fall due again on the way.
    clock_move.settled(at).await;
    while let Some(due) = cell.next_due(&clock_move).filter(|due| *due <= target) {
        let due: Timestamp = due.max(at);
        cell.clock().go_to(due);
        happened.extend(cell.tick());
        clock_move.settled(due).await;
        at = due;
    }
    cell.clock().go_to(target);
    happened.extend(cell.tick());
    clock_move.settled(target).await;
    Ok(happened)
}
