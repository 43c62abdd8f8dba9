//! `POST /v2/accounts/{partner_account_id}/payment/authorize`.

use axum::Json;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use jiff::Timestamp;
use klarna_schemas::klarna::authorize::AuthorizeRequest;
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::simulator::control::{CallKind, Fault, FaultBody};
use serde_json::Value;

use super::body::{Parsed, json, parse};
use super::call::{AUTHORIZE, SandboxCall, missing_key, older_header, token};
use super::error::KlarnaError;
use super::faulty;
use super::recording::{Authorized, Notes, RefusedBody};
use crate::config::{OddityPolicy, PolicySettings};
use crate::engine::{
    AuthorizeCommand, Effect, IdempotencyKey, PresentedToken, Refusal, Reply, Undecided, line_totals,
};
use crate::world::{SandboxCell, answer_and_events};

/// What an authorize meets that is one too many, as its payment remembers it.
const OVER_QUOTA: Fault = Fault::Status { status: 429, body: FaultBody::Klarna };

/// `POST …/payment/authorize`.
pub(super) async fn authorize(called: SandboxCall, body: Bytes) -> Result<Response, KlarnaError> {
    let mut command = match read(&called, &body) {
        Ok(command) => command,
        Err(unreadable) => {
            // Trouble on the way asks nobody whether a body can be read; rules and outcomes do.
            if called.over_quota.is_none() {
                let armed = called.cell.lock().faults.take(AUTHORIZE, CallKind::Any);
                faulty::meet(&called.call.notes, armed)?;
            }
            return Err(unreadable);
        }
    };
    if command.request.is_ok() {
        called.claim()?;
    }
    let (cell, notes) = (&called.cell, &called.call.notes);
    let now = cell.clock().now();
    if let Some(refusal) = &called.over_quota {
        let mut state = cell.lock();
        let (undecided, effects) = state.machine.meet_fault(&command, OVER_QUOTA, now);
        drop(state);
        note_undecided(cell, notes, undecided, effects);
        return Err(refusal.clone());
    }
    meet_fault(cell, notes, &mut command, now)?;
    let (answered, after) = answer_and_events();
    let decided = {
        let mut state = cell.lock();
        let effects = state.machine.authorize(&command, now);
        if let Some((payment, wishes)) = Effect::wishes(&effects) {
            state.misbehaviours.wish(payment, wishes);
        }
        for uuid in Effect::journeys(&effects, &state.machine) {
            called.call.world.know_journey(uuid, &called.partner);
        }
        drop(state);
        cell.carry_out(effects, Some(after))
    };
    let decided = decided.ok_or_else(KlarnaError::internal)?;
    let unheard = decided.by.fault.map(|fault| cell.lock().faults.met(fault, None));
    notes.note(|noted| {
        noted.fault = noted.fault.take().or(unheard);
        noted.authorize = Some(match (&decided.reply, command.request) {
            (Reply::Refused(Refusal::Invalid(fields)), Err(_)) => {
                Authorized::Invalid(Box::new(RefusedBody {
                    raw: command.raw,
                    fields: fields.clone(),
                    by_policy: command.by_policy,
                }))
            }
            _ => Authorized::Decided(decided.call),
        });
        noted.epoch = Some(decided.epoch);
        noted.payment.clone_from(&decided.payment);
        noted.rule = Some(decided.by.name.into_owned());
        noted.answered = Some(answered);
    });
    match decided.reply {
        Reply::Authorized(answer) => Ok(Json(answer).into_response()),
        Reply::Refused(refusal) => Err(refusal.into()),
    }
}

/// The command that a call makes.
fn read(called: &SandboxCall, body: &Bytes) -> Result<AuthorizeCommand, KlarnaError> {
    let call = &called.call;
    let raw = json(&call.headers, body)?;
    let key = call.key_as_sent()?;
    let token = token(&call.headers);
    let parsed: Parsed<AuthorizeRequest> = parse("klarna/authorize-request", &raw);
    let strictly = strict_refusals(call.policies(), &parsed, &raw, key.as_ref(), token.as_ref());
    let by_policy = parsed.request.is_ok() && !strictly.is_empty();
    let request = if by_policy { Err(strictly) } else { parsed.request };
    Ok(AuthorizeCommand {
        acquirer: called.acquirer(),
        request,
        by_policy,
        undocumented: parsed.undocumented,
        older_names: parsed.older_names,
        raw,
        token_is_foreign: token
            .as_ref()
            .is_some_and(|token| call.world.token_is_foreign(&token.value, &called.partner)),
        token,
        customer_token: call.customer_token()?,
        key,
        headers: faulty::uncovered(&call.headers),
        answer_fault: None,
    })
}

/// What the policies refuse of a call that validates.
pub(super) fn strict_refusals(
    policies: &PolicySettings,
    parsed: &Parsed<AuthorizeRequest>,
    raw: &Value,
    key: Option<&IdempotencyKey>,
    token: Option<&PresentedToken>,
) -> Vec<ValidationError> {
    let mut refused = parsed.refused_by(policies);
    refused.extend(missing_key(policies, &Method::POST, key));
    refused.extend(token.and_then(|token| older_header(policies, token)));
    let asked = parsed.request.as_ref().ok().and_then(|request| request.request_payment_transaction.as_ref());
    if let (Some(asked), OddityPolicy::Invalid) = (asked, policies.line_totals) {
        refused.extend(line_totals::misfit(raw.get("supplementary_purchase_data"), asked.amount));
    }
    refused
}

/// Lets an authorize meet the fault that waits for it. One that keeps it from being served is noted in its
/// payment, and nothing is decided; else its answer will suffer.
fn meet_fault(
    cell: &SandboxCell,
    notes: &Notes,
    command: &mut AuthorizeCommand,
    now: Timestamp,
) -> Result<(), KlarnaError> {
    let mut state = cell.lock();
    let kind = state.machine.call_kind(command);
    // What was armed is of the wire, and meets whatever comes; a rule or a queued outcome decides, so it is
    // asked only where something is to be decided.
    let mut met = state.faults.take(AUTHORIZE, kind);
    if met.is_none() && state.machine.reaches_outcomes(command, now) {
        met = state.met_by_rule(&command.occasion(kind));
    }
    let Some(met) = met else { return Ok(()) };
    if met.fault.lets_serve() {
        command.answer_fault = Some(met.fault);
    } else {
        let (undecided, effects) = state.machine.meet_fault(command, met.fault, now);
        drop(state);
        note_undecided(cell, notes, undecided, effects);
    }
    faulty::meet(notes, Some(met))
}

/// Notes an authorize in its payment that was not decided.
fn note_undecided(cell: &SandboxCell, notes: &Notes, undecided: Undecided, effects: Vec<Effect>) {
    cell.carry_out(effects, None);
    notes.note(|noted| {
        noted.authorize = Some(Authorized::Decided(undecided.call));
        noted.epoch = Some(undecided.epoch);
        noted.payment = undecided.payment;
    });
}
