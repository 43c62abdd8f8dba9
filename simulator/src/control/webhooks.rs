//! Webhooks out of turn, misbehaving, or held; and registrations that Klarna forgets.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use klarna_schemas::ids::{AcquirerAccountId, PartnerAccountId};
use klarna_schemas::simulator::control::{
    ForgetRegistrations, Registrations, ReleaseWebhooks, SendWebhook, SendWhen, WebhooksSent,
};

use super::faults::known;
use super::problem::{Problem, Strict};
use super::requests::no_request;
use super::sandboxes::existing;
use crate::notify::{Letter, Manner};
use crate::world::{SandboxCell, World};

pub(super) async fn send(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(asked): Strict<SendWebhook>,
) -> Result<Json<WebhooksSent>, Problem> {
    let cell = existing(&world, &account)?;
    let manner = Manner::of(&asked)
        .map_err(|why| Problem::bad_request(why, "docs/architecture.md says what goes together"))?;
    let payment = payment_of(&cell, &asked)?;
    if asked.when == SendWhen::Next {
        let expected = cell.lock().misbehaviours.expect(&asked, manner);
        expected.map_err(|full| Problem::conflict(full.to_string(), "reset the sandbox"))?;
        return Ok(Json(WebhooksSent { event_id: None, deliveries: 0 }));
    }
    if manner.twice {
        let letters = again(&cell, &asked.event_type, &payment)?;
        let deliveries = cell.deliver_once(letters).await;
        return Ok(Json(WebhooksSent { event_id: None, deliveries }));
    }
    let now = cell.clock().now();
    let event = cell.lock().machine.announce_anew(&asked.payment_request_id, &asked.event_type, now);
    let event = event.ok_or_else(|| no_request(&asked.payment_request_id))?;
    let letters = cell.letters(&event, &manner);
    let deliveries = cell.deliver_once(letters).await;
    Ok(Json(WebhooksSent { event_id: Some(event.event_id), deliveries }))
}

pub(super) async fn release(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(which): Strict<ReleaseWebhooks>,
) -> Result<Json<WebhooksSent>, Problem> {
    let cell = existing(&world, &account)?;
    let released = cell.lock().misbehaviours.release(&which);
    let mut deliveries = 0;
    for (event, manner) in released {
        deliveries += cell.deliver(&event, &manner).await;
    }
    Ok(Json(WebhooksSent { event_id: None, deliveries }))
}

pub(super) async fn forget(
    State(world): State<Arc<World>>,
    Path(acquirer): Path<AcquirerAccountId>,
    Strict(ForgetRegistrations { what }): Strict<ForgetRegistrations>,
) -> Result<StatusCode, Problem> {
    let account = known(&world, &acquirer)?;
    let mut state = account.lock();
    // Or the key of the call that had made one would bring a forgotten one back.
    state.forget_used_keys();
    if matches!(what, Registrations::SigningKeys | Registrations::Both) {
        state.signing_keys.forget();
    }
    if matches!(what, Registrations::Webhooks | Registrations::Both) {
        state.subscriptions.forget();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The payment of the request that a webhook is about.
fn payment_of(cell: &SandboxCell, asked: &SendWebhook) -> Result<String, Problem> {
    let state = cell.lock();
    let record = state.machine.request(&asked.payment_request_id);
    record.map(|record| record.payment.clone()).ok_or_else(|| no_request(&asked.payment_request_id))
}

/// What was sent of an event already, to be sent again as it was.
fn again(cell: &SandboxCell, event_type: &str, payment: &str) -> Result<Vec<Letter>, Problem> {
    let state = cell.lock();
    let sent = state.journal.last_sent(&format!("event:{event_type}"), payment, state.machine.epoch);
    let letters: Vec<Letter> = sent.into_iter().map(Letter::again).collect();
    if letters.is_empty() {
        let detail = format!("no {event_type} was sent about {payment} yet, so there is nothing to repeat");
        return Err(Problem::conflict(detail, "await the event in the journal first"));
    }
    Ok(letters)
}
