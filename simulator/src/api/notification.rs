//! Signing keys and webhooks over the wire (contract `webhooks-and-network-data.md` A.1).

use axum::Json;
use axum::http::StatusCode;
use bytes::Bytes;
use klarna_schemas::ids::{SigningKeyId, WebhookId};
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::klarna::notification::{
    CreateWebhook, SigningKey, SigningKeys, UpdateWebhook, Webhook, Webhooks,
};
use serde_json::Value;

use super::body::{json, json_or_nothing, typed};
use super::call::AccountCall;
use super::error::KlarnaError;
use crate::clock::real_now;
use crate::engine::{Refusal, shown, unknown};
use crate::notify::SubscriptionRefusal;

/// What was made.
type Made = Result<(StatusCode, Json<Value>), KlarnaError>;

fn no_key(id: &SigningKeyId) -> Refusal {
    unknown("signing key", id.as_str())
}

/// The refusal of a webhook that is not there.
pub(super) fn no_webhook(id: &WebhookId) -> Refusal {
    unknown("webhook", id.as_str())
}

/// Why a webhook cannot be made or changed, in Klarna's words.
fn refused(refusal: SubscriptionRefusal) -> Refusal {
    match refusal {
        SubscriptionRefusal::Invalid(field, reason) => {
            Refusal::Invalid(vec![ValidationError::new(field, reason)])
        }
        SubscriptionRefusal::NoSuchKey(id) => no_key(&id),
        SubscriptionRefusal::NoSuchWebhook(id) => no_webhook(&id),
        SubscriptionRefusal::Duplicate(twin) => {
            Refusal::Conflict(format!("webhook {twin} has the same url and event types"))
        }
    }
}

pub(super) async fn create_signing_key(called: AccountCall, body: Bytes) -> Made {
    let raw = json_or_nothing(&called.0.headers, &body)?;
    let made = called.once(raw, |account| {
        let key = account.signing_keys.create(&mut account.ids, real_now());
        Ok(shown(&key.map_err(|full| Refusal::Forbidden(full.to_string()))?))
    })?;
    Ok((StatusCode::CREATED, Json(made)))
}

pub(super) async fn list_signing_keys(
    AccountCall(call): AccountCall,
) -> Result<Json<SigningKeys>, KlarnaError> {
    let signing_keys = call.account.lock().signing_keys.list();
    Ok(Json(SigningKeys { signing_keys }))
}

pub(super) async fn read_signing_key(
    AccountCall(call): AccountCall,
) -> Result<Json<SigningKey>, KlarnaError> {
    let id: SigningKeyId = call.id();
    let key = call.account.lock().signing_keys.read(&id);
    key.map(Json).ok_or_else(|| no_key(&id).into())
}

pub(super) async fn delete_signing_key(AccountCall(call): AccountCall) -> Result<StatusCode, KlarnaError> {
    let id: SigningKeyId = call.id();
    let deleted = call.account.lock().signing_keys.delete(&id);
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(no_key(&id).into()) }
}

pub(super) async fn create_webhook(called: AccountCall, body: Bytes) -> Made {
    let raw = json(&called.0.headers, &body)?;
    let asked: CreateWebhook = typed("klarna/create-webhook", &raw, called.0.policies())?;
    let urls = (&called.0.world.settings().webhooks).into();
    let made = called.once(raw, |account| {
        let (keys, ids) = (&account.signing_keys, &mut account.ids);
        let made = account.subscriptions.create(asked, keys, urls, ids, real_now());
        Ok(shown(&made.map_err(refused)?))
    })?;
    Ok((StatusCode::CREATED, Json(made)))
}

pub(super) async fn update_webhook(called: AccountCall, body: Bytes) -> Result<Json<Value>, KlarnaError> {
    let id: WebhookId = called.0.id();
    let raw = json(&called.0.headers, &body)?;
    let asked: UpdateWebhook = typed("klarna/update-webhook", &raw, called.0.policies())?;
    let urls = (&called.0.world.settings().webhooks).into();
    let updated = called.once(raw, |account| {
        let updated = account.subscriptions.update(&id, asked, &account.signing_keys, urls);
        Ok(shown(&updated.map_err(refused)?))
    })?;
    Ok(Json(updated))
}

pub(super) async fn list_webhooks(AccountCall(call): AccountCall) -> Result<Json<Webhooks>, KlarnaError> {
    let webhooks = call.account.lock().subscriptions.list();
    Ok(Json(Webhooks { webhooks }))
}

pub(super) async fn read_webhook(AccountCall(call): AccountCall) -> Result<Json<Webhook>, KlarnaError> {
    let id: WebhookId = call.id();
    let webhook = call.account.lock().subscriptions.read(&id);
    webhook.map(Json).ok_or_else(|| no_webhook(&id).into())
}

pub(super) async fn delete_webhook(AccountCall(call): AccountCall) -> Result<StatusCode, KlarnaError> {
    let id: WebhookId = call.id();
    let deleted = call.account.lock().subscriptions.delete(&id);
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(no_webhook(&id).into()) }
}
