//! `POST /v2/notification/webhooks/{webhook_id}/simulate`: a sample event, so that a webhook can be tried
//! out (contract `webhooks-and-network-data.md` A.1).

use axum::Json;
use axum::http::StatusCode;
use bytes::Bytes;
use klarna_schemas::ids::WebhookId;
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::klarna::notification::{SimulateWebhook, WebhookSimulated};
use serde_json::Value;

use super::body::{json, typed};
use super::call::AccountCall;
use super::error::KlarnaError;
use super::notification::no_webhook;
use crate::behaviour::evolution::Evolved;
use crate::clock::real_now;
use crate::engine::{EventDraft, EventPayload, Refusal, shown};
use crate::notify::{Letter, Manner, samples};
use crate::world::Account;

/// Sends one event of the type that is asked for, once, to the webhook that is named: whatever types it
/// wants and whether it is enabled. The status and the body of the answer are inferred.
pub(super) async fn simulate_webhook(
    called: AccountCall,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), KlarnaError> {
    let id: WebhookId = called.0.id();
    let raw = json(&called.0.headers, &body)?;
    let asked: SimulateWebhook = typed("klarna/simulate-webhook", &raw, called.0.policies())?;
    let mut letter = None;
    let answer = called.once(raw, |account| {
        let (made, event_id) = sample(account, called.0.account.id().as_str(), &id, &asked)?;
        letter = Some(made);
        Ok(shown(&WebhookSimulated { event_id }))
    })?;
    // Nothing is sent where the call was made before.
    if let Some(letter) = letter {
        let (courier, account) = (called.0.world.courier.clone(), called.0.account.clone());
        let sending = async move { courier.deliver_sample(&account, letter).await };
        called.0.world.tasks.spawn(called.0.world.stopping.clone().run_until_cancelled_owned(sending));
    }
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// The sample as it goes out, and its id.
fn sample(
    account: &mut Account,
    recipient: &str,
    id: &WebhookId,
    asked: &SimulateWebhook,
) -> Result<(Letter, String), Refusal> {
    let to = account.subscriptions.subscription(id).ok_or_else(|| no_webhook(id))?;
    let now = real_now();
    let payload = samples::payload(&asked.event_type, &mut account.ids, now).ok_or_else(|| {
        let why = "is no event of v2's catalogue; a wildcard names none";
        Refusal::Invalid(vec![ValidationError::new("event_type", why)])
    })?;
    let event_id = account.ids.uuid("sample-event").to_string();
    let event = EventDraft {
        number: 0,
        event_id: event_id.clone(),
        event_type: asked.event_type.clone(),
        occurred_at: now,
        recipient: recipient.into(),
        payload: EventPayload::Other(payload),
        payment: String::new(),
        epoch: 1,
    };
    Ok((
        Letter::new(&event, &samples::SUBJECT.into(), &to, &Manner::default(), &Evolved::default()),
        event_id,
    ))
}
