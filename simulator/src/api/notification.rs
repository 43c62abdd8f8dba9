//! Signing keys and webhooks over the wire (contract `webhooks-and-network-data.md` A.1).

use axum::Json;
use axum::http::StatusCode;
use bytes::Bytes;
use klarna_schemas::ids::{SigningKeyId, WebhookId};
use klarna_schemas::klarna::notification::{CreateWebhook, SigningKey, SigningKeys, Webhook, Webhooks};

use super::body::{json, typed};
use super::call::AccountCall;
use super::error::KlarnaError;
use crate::clock::real_now;
use crate::notify::SubscriptionRefusal;

fn no_key(id: &SigningKeyId) -> KlarnaError {
    KlarnaError::not_found(format!("no signing key {id} is known in this account"))
}

fn no_webhook(id: &WebhookId) -> KlarnaError {
    KlarnaError::not_found(format!("no webhook {id} is known in this account"))
}

pub(super) async fn create_signing_key(
    AccountCall(call): AccountCall,
) -> Result<(StatusCode, Json<SigningKey>), KlarnaError> {
    let mut state = call.account.lock();
    let state = &mut *state;
    let key = state.signing_keys.create(&mut state.ids, real_now());
    let key = key.map_err(|full| KlarnaError::forbidden(full.to_string()))?;
    Ok((StatusCode::CREATED, Json(key)))
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
    key.map(Json).ok_or_else(|| no_key(&id))
}

pub(super) async fn delete_signing_key(AccountCall(call): AccountCall) -> Result<StatusCode, KlarnaError> {
    let id: SigningKeyId = call.id();
    let deleted = call.account.lock().signing_keys.delete(&id);
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(no_key(&id)) }
}

pub(super) async fn create_webhook(
    AccountCall(call): AccountCall,
    body: Bytes,
) -> Result<(StatusCode, Json<Webhook>), KlarnaError> {
    let raw = json(&call.headers, &body)?;
    let asked: CreateWebhook = typed("klarna/create-webhook", &raw)?;
    let key = asked.signing_key_id.clone();
    let mut state = call.account.lock();
    let state = &mut *state;
    let allow_http = &call.world.settings().webhooks.allow_http;
    let made = state.subscriptions.create(asked, &state.signing_keys, allow_http, &mut state.ids, real_now());
    match made {
        Ok(webhook) => Ok((StatusCode::CREATED, Json(webhook))),
        Err(SubscriptionRefusal::Invalid(field, reason)) => Err(KlarnaError::invalid_field(field, reason)),
        Err(SubscriptionRefusal::NoSuchKey) => Err(no_key(&key)),
        Err(SubscriptionRefusal::Duplicate(twin)) => {
            Err(KlarnaError::conflict(format!("webhook {twin} has the same url and event types")))
        }
    }
}

pub(super) async fn list_webhooks(AccountCall(call): AccountCall) -> Result<Json<Webhooks>, KlarnaError> {
    let webhooks = call.account.lock().subscriptions.list();
    Ok(Json(Webhooks { webhooks }))
}

pub(super) async fn read_webhook(AccountCall(call): AccountCall) -> Result<Json<Webhook>, KlarnaError> {
    let id: WebhookId = call.id();
    let webhook = call.account.lock().subscriptions.read(&id);
    webhook.map(Json).ok_or_else(|| no_webhook(&id))
}

pub(super) async fn delete_webhook(AccountCall(call): AccountCall) -> Result<StatusCode, KlarnaError> {
    let id: WebhookId = call.id();
    let deleted = call.account.lock().subscriptions.delete(&id);
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(no_webhook(&id)) }
}
