//! `POST /v2/accounts/{partner_account_id}/payment/authorize`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, OriginalUri, Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use jiff::Timestamp;
use klarna_schemas::catalogue::{self, Disposition, Violation};
use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::klarna::authorize::AuthorizeRequest;
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::klarna::{IDEMPOTENCY_KEY_HEADER, INTEGRATION_METADATA_HEADER, SESSION_TOKEN_HEADER};
use serde_json::Value;

use super::error::KlarnaError;
use super::recording::{Authorized, Notes, Place};
use super::{auth, faulty, payment_requests};
use crate::engine::{AuthorizeCommand, IdempotencyKey, PresentedToken, Refusal, Reply, TokenHeader};
use crate::operation::Operation;
use crate::world::{AccountRefusal, SandboxCell, World};

/// Longest idempotency key, in characters (contract `payments.md` 1.4).
const KEY_LENGTH: usize = 255;

pub(super) async fn authorize(
    State(world): State<Arc<World>>,
    Extension(notes): Extension<Notes>,
    Path(account): Path<PartnerAccountId>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, KlarnaError> {
    let (cell, acquirer) = enter(&world, &notes, &headers, &account, Operation::Authorize)?;
    let raw = json(&headers, &body)?;
    let key = idempotency_key(&headers)?;
    let token = token(&headers);
    let (request, undocumented) = parse(&raw);
    let command = AuthorizeCommand {
        acquirer,
        request,
        undocumented,
        raw,
        token_is_foreign: token.as_ref().is_some_and(|token| world.token_is_foreign(&token.value, &account)),
        token,
        key,
        integration_metadata: text(&headers, INTEGRATION_METADATA_HEADER),
        unprefixed_key: headers.contains_key("idempotency-key"),
        target: uri.to_string(),
    };
    // Only now: a stray call must not keep the acquirer out that the sandbox is for.
    if command.request.is_ok() && !cell.claim(&command.acquirer) {
        return Err(foreign(&account));
    }
    let now = cell.clock().now();
    meet_fault(&cell, &notes, &command, now)?;
    let (answered, after) = tokio::sync::oneshot::channel();
    let decided = {
        let mut state = cell.lock();
        let effects = state.machine.authorize(&command, now);
        for effect in &effects {
            if let crate::engine::Effect::Emit(event) = effect {
                payment_requests::know_journey(&world, &state.machine, event);
            }
        }
        drop(state);
        cell.carry_out(effects, Some(after))
    };
    let decided = decided.ok_or_else(KlarnaError::internal)?;
    notes.note(|noted| {
        noted.authorize = Some(match (&decided.reply, command.request) {
            (Reply::Refused(Refusal::Invalid(fields)), Err(_)) => {
                Authorized::Invalid(Box::new(command.raw), fields.clone())
            }
            _ => Authorized::Decided(decided.call),
        });
        noted.epoch = Some(decided.epoch);
        noted.payment.clone_from(&decided.payment);
        noted.rule = Some(decided.by.to_owned());
        noted.answered = Some(answered);
    });
    match decided.reply {
        Reply::Authorized(answer) => Ok(Json(answer).into_response()),
        Reply::Refused(refusal) => Err(refusal.into()),
    }
}

/// Lets an authorize meet the fault that waits for it: it is noted in its payment, and not decided.
fn meet_fault(
    cell: &SandboxCell,
    notes: &Notes,
    command: &AuthorizeCommand,
    now: Timestamp,
) -> Result<(), KlarnaError> {
    let mut state = cell.lock();
    let kind = state.machine.call_kind(command);
    let Some(met) = state.faults.take(Operation::Authorize.name(), kind) else { return Ok(()) };
    let (undecided, effects) = state.machine.meet_fault(command, met.fault, now);
    drop(state);
    cell.carry_out(effects, None);
    notes.note(|noted| {
        noted.authorize = Some(Authorized::Decided(undecided.call));
        noted.epoch = Some(undecided.epoch);
        noted.payment = undecided.payment;
    });
    faulty::meet(notes, Some(met))
}

/// Names the operation, finds out who calls, and opens the sandbox that they call.
pub(super) fn enter(
    world: &Arc<World>,
    notes: &Notes,
    headers: &HeaderMap,
    account: &PartnerAccountId,
    operation: Operation,
) -> Result<(Arc<SandboxCell>, klarna_schemas::ids::AcquirerAccountId), KlarnaError> {
    notes.note(|noted| noted.operation = Some(operation.name().to_owned()));
    let acquirer = acquirer(world, notes, headers)?;
    let cell = world.sandbox_for(account, acquirer.id()).map_err(|refusal| match refusal {
        AccountRefusal::Unknown => {
            KlarnaError::forbidden(format!("no Partner account {account} is known here"))
        }
        AccountRefusal::Foreign => foreign(account),
        AccountRefusal::Full => KlarnaError::forbidden("this simulator holds as many sandboxes as it may"),
    })?;
    notes.note(|noted| noted.place = Place::Sandbox(cell.clone()));
    // An authorize belongs to a payment, faulty or not: it meets its faults once it has been read.
    if operation != Operation::Authorize {
        faulty::meet_in(&cell, notes, operation)?;
    }
    Ok((cell, acquirer.id().clone()))
}

fn foreign(account: &PartnerAccountId) -> KlarnaError {
    KlarnaError::forbidden(format!("the Partner account {account} is another acquirer's"))
}

/// Finds out who calls.
pub(super) fn acquirer(
    world: &World,
    notes: &Notes,
    headers: &HeaderMap,
) -> Result<Arc<crate::world::AccountCell>, KlarnaError> {
    let presented = auth::presented(headers)
        .ok_or_else(|| KlarnaError::unauthorized("send the API key as Authorization: Basic <key>"))?;
    let account = world.account(&presented.key).ok_or_else(|| {
        KlarnaError::unauthorized("this API key opens no account; a test key starts with klarna_test_api_, and opens one while there is room (limits.accounts)")
    })?;
    notes.note(|noted| noted.place = Place::Account(account.clone()));
    Ok(account)
}

/// The body as JSON. `Content-Type` may be missing only where the body is JSON all the same.
pub(super) fn json(headers: &HeaderMap, body: &[u8]) -> Result<Value, KlarnaError> {
    if let Some(kind) = text(headers, "content-type") {
        let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence != "application/json" && !essence.ends_with("+json") {
            return Err(KlarnaError::not_json(format!(
                "the Content-Type is {essence}, not application/json"
            )));
        }
    }
    serde_json::from_slice(body)
        .map_err(|error| KlarnaError::not_json(format!("the body is no JSON: {error}")))
}

/// The body as a typed view, or every field that does not validate; and what is not as documented
/// and yet accepted.
fn parse(raw: &Value) -> (Result<AuthorizeRequest, Vec<ValidationError>>, Vec<ValidationError>) {
    let (rejected, reported) = judged("klarna/authorize-request", raw);
    if !rejected.is_empty() {
        return (Err(rejected), Vec::new());
    }
    let request = serde_path_to_error::deserialize(raw)
        .map_err(|error| vec![ValidationError::new(error.path().to_string(), error.inner().to_string())]);
    (request, reported)
}

/// What a schema rejects in a body.
pub(super) fn rejected(schema: &str, raw: &Value) -> Vec<ValidationError> {
    judged(schema, raw).0
}

/// What a schema rejects in a body, and what it only reports.
fn judged(schema: &str, raw: &Value) -> (Vec<ValidationError>, Vec<ValidationError>) {
    let violations = catalogue::check(schema, raw).unwrap_or_else(|error| {
        tracing::error!(%error, "a schema is missing from this build");
        Vec::new()
    });
    let (rejected, reported): (Vec<_>, Vec<_>) =
        violations.into_iter().partition(|violation| violation.disposition == Disposition::Reject);
    let errors = |violations: Vec<Violation>| {
        let error = |Violation { parameter, reason, .. }| ValidationError::new(parameter, reason);
        violations.into_iter().map(error).collect()
    };
    (errors(rejected), errors(reported))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, KlarnaError> {
    let Some(key) = text(headers, IDEMPOTENCY_KEY_HEADER) else { return Ok(None) };
    let length = key.chars().count();
    if length == 0 || length > KEY_LENGTH {
        let reason = format!("takes 1 to {KEY_LENGTH} characters");
        return Err(KlarnaError::invalid_field("Klarna-Idempotency-Key", reason));
    }
    Ok(Some(IdempotencyKey(key)))
}

/// The token, under its current or an older header.
pub(super) fn token(headers: &HeaderMap) -> Option<PresentedToken> {
    [
        (SESSION_TOKEN_HEADER, TokenHeader::Session),
        ("klarna-payment-token", TokenHeader::Payment),
        ("klarna-interoperability-token", TokenHeader::Interoperability),
    ]
    .into_iter()
    .find_map(|(name, header)| {
        let value = text(headers, name).filter(|value| !value.is_empty())?;
        Some(PresentedToken { value, header })
    })
}

/// A header as text.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
