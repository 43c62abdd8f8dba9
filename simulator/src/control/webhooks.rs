//! Webhooks out of turn, misbehaving, or held; and registrations that Klarna forgets.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use klarna_schemas::ids::{AcquirerAccountId, PartnerAccountId, PaymentRequestId};
use klarna_schemas::klarna::webhook::EVENT_TYPES;
use klarna_schemas::nearest::nearest;
use klarna_schemas::simulator::control::{
    ForgetRegistrations, Registrations, ReleaseWebhooks, SendWebhook, SendWhen, WebhooksSent, WebhooksView,
};

use super::call::Strict;
use super::faults::known;
use super::problem::Problem;
use super::requests::no_request;
use super::sandboxes::existing;
use crate::behaviour::evolution::NEW_EVENT;
use crate::notify::{Expected, Letter, Manner, Of, Repeated};
use crate::rules_file;
use crate::world::{SandboxCell, World};

/// How the names of events begin that are about a Payment Request.
const ABOUT_REQUESTS: &str = "payment.request.";

pub(super) async fn send(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(asked): Strict<SendWebhook>,
) -> Result<Json<WebhooksSent>, Problem> {
    let cell = existing(&world, &account)?;
    let manner = Manner::of(&asked)
        .map_err(|why| Problem::bad_request(why, "docs/webhooks.md says what goes together"))?;
    check_name(&asked, &manner)?;
    if manner.needs_another_key() && !cell.has_other_keys(&asked.event_type) {
        let detail = format!("the webhook that wants {} has no key but its own", asked.event_type);
        return Err(Problem::conflict(detail, "make a second signing key, or change the webhook's"));
    }
    if asked.when == SendWhen::Next {
        expect(&cell, asked, manner)?;
        return Ok(Json(WebhooksSent { event_id: None, deliveries: 0 }));
    }
    let id = asked.payment_request_id.as_ref().ok_or_else(|| {
        let why = "payment_request_id: only the next event may be of any request";
        Problem::bad_request(why, "name a request, or add \"when\": \"next\"")
    })?;
    let payment = payment_of(&cell, id)?;
    if manner.repeated != Repeated::Not {
        let letters = again(&cell, &asked.event_type, &payment, &manner)?;
        let deliveries = cell.deliver_once(letters).await;
        return Ok(Json(WebhooksSent { event_id: None, deliveries }));
    }
    let now = cell.clock().now();
    let event = cell.lock().machine.announce_anew(id, &asked.event_type, now);
    let event = event.ok_or_else(|| no_request(id))?;
    let letters = cell.letters(&event, &manner);
    let deliveries = cell.deliver_once(letters).await;
    Ok(Json(WebhooksSent { event_id: Some(event.event_id), deliveries }))
}

/// Refuses the name of an event that there is none of, or that cannot be sent so.
fn check_name(asked: &SendWebhook, manner: &Manner) -> Result<(), Problem> {
    let name = asked.event_type.as_str();
    if asked.when == SendWhen::Next {
        return rules_file::check_event_type(name, "/event_type")
            .map_or(Ok(()), |mistake| Err(mistake.into()));
    }
    let known = EVENT_TYPES.contains(&name);
    // What was sent goes out again as it was; else the event is about a request as it stands.
    let again = manner.repeated != Repeated::Not;
    if (known && (again || name.starts_with(ABOUT_REQUESTS))) || (again && name == NEW_EVENT) {
        return Ok(());
    }
    if known {
        let why =
            format!("event_type: {name} is not about a Payment Request, so it cannot be sent out of turn");
        return Err(Problem::bad_request(why, "such as payment.request.state-change.completed"));
    }
    if name.ends_with('*') {
        let why = format!("event_type: {name} names no one event, and one is sent");
        return Err(Problem::bad_request(why, "write its whole name, or add \"when\": \"next\""));
    }
    let hint = match nearest(name, EVENT_TYPES) {
        Some(meant) => format!("did you mean {meant}?"),
        None => "such as payment.request.state-change.completed".to_owned(),
    };
    let hint = format!("{hint} For a type that nobody knows, send a known one with \"unknown_event\"");
    Err(Problem::bad_request(format!("event_type: Klarna sends no event {name:?}"), hint))
}

/// Lets events to come misbehave.
fn expect(cell: &SandboxCell, asked: SendWebhook, manner: Manner) -> Result<(), Problem> {
    if let Some(id) = &asked.payment_request_id {
        payment_of(cell, id)?;
    }
    let wish = asked.wish();
    let expected = Expected { of: asked.payment_request_id.map_or(Of::Any, Of::Request), wish, manner };
    let expected = cell.lock().misbehaviours.expect(expected);
    expected.map_err(|full| Problem::conflict(full.to_string(), "reset the sandbox"))
}

pub(super) async fn read(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
) -> Result<Json<WebhooksView>, Problem> {
    Ok(Json(existing(&world, &account)?.lock().misbehaviours.view()))
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
fn payment_of(cell: &SandboxCell, id: &PaymentRequestId) -> Result<String, Problem> {
    let state = cell.lock();
    let record = state.machine.request(id);
    record.map(|record| record.payment.clone()).ok_or_else(|| no_request(id))
}

/// What was sent of an event already, to be sent again as it was.
fn again(
    cell: &SandboxCell,
    event_type: &str,
    payment: &str,
    manner: &Manner,
) -> Result<Vec<Letter>, Problem> {
    let now = cell.clock().now();
    let state = cell.lock();
    let sent = state.journal.last_sent(&format!("event:{event_type}"), payment, state.machine.epoch);
    let letters: Vec<Letter> = sent.into_iter().flat_map(|sent| Letter::again(&sent, manner, now)).collect();
    if letters.is_empty() {
        let detail = format!("no {event_type} was sent about {payment} yet, so there is nothing to repeat");
        return Err(Problem::conflict(detail, "await the event in the journal first"));
    }
    Ok(letters)
}
