//! Signing keys and webhooks over the wire (contract `webhooks-and-network-data.md` A.1).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use klarna_schemas::ids::{SigningKeyId, WebhookId};
use klarna_schemas::klarna::notification::{CreateWebhook, SigningKey, SigningKeys, Webhook, Webhooks};
use klarna_schemas::simulator::control::CallKind;

use super::authorize::{acquirer, json, rejected};
use super::error::KlarnaError;
use super::faulty;
use super::recording::Notes;
use crate::clock::real_now;
use crate::notify::SubscriptionRefusal;
use crate::operation::Operation;
use crate::world::{AccountCell, World};

/// Names the operation and finds the account.
fn enter(
    world: &World,
    notes: &Notes,
    headers: &HeaderMap,
    operation: Operation,
) -> Result<Arc<AccountCell>, KlarnaError> {
    notes.note(|noted| noted.operation = Some(operation.name().to_owned()));
    let account = acquirer(world, notes, headers)?;
    let met = account.lock().faults.take(operation.name(), CallKind::Any);
    faulty::meet(notes, met)?;
    Ok(account)
}

fn no_key(id: &SigningKeyId) -> KlarnaError {
    KlarnaError::not_found(format!("no signing key {id} is known in this account"))
}

fn no_webhook(id: &WebhookId) -> KlarnaError {
    KlarnaError::not_found(format!("no webhook {id} is known in this account"))
}

pub(super) async fn create_signing_key(
    State(world): State<Arc<World>>,
    Extension(notes): Extension<Notes>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<SigningKey>), KlarnaError> {
    let account = enter(&world, &notes, &headers, Operation::CreateSigningKey)?;
    let mut state = account.lock();
    let state = &mut *state;
    let key = state.signing_keys.create(&mut state.ids, real_now());
    let key = key.map_err(|full| KlarnaError::forbidden(full.to_string()))?;
    Ok((StatusCode::CREATED, Json(key)))
}

pub(super) async fn list_signing_keys(
    State(world): State<Arc<World>>,
    Extension(notes): Extension<Notes>,
    headers: HeaderMap,
) -> Result<Json<SigningKeys>, KlarnaError> {
    let account = enter(&world, &notes, &headers, Operation::ListSigningKeys)?;
    let signing_keys = account.lock().signing_keys.list();
    Ok(Json(SigningKeys { signing_keys }))
}

pub(super) async fn read_signing_key(
    State(world): State<Arc<World>>,
    Extension(notes): Extension<Notes>,
    Path(id): Path<SigningKeyId>,
    headers: HeaderMap,
) -> Result<Json<SigningKey>, KlarnaError> {
    let account = enter(&world, &notes, &headers, Operation::ReadSigningKey)?;
    let key = account.lock().signing_keys.read(&id);
    key.map(Json).ok_or_else(|| no_key(&id))
}

pub(super) async fn delete_signing_key(
    State(world): State<Arc<World>>,
    Extension(notes): Extension<Notes>,
    Path(id): Path<SigningKeyId>,
    headers: HeaderMap,
) -> Result<StatusCode, KlarnaError> {
    let account = enter(&world, &notes, &headers, Operation::DeleteSigningKey)?;
    let deleted = account.lock().signing_keys.delete(&id);
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(no_key(&id)) }
}

pub(super) async fn create_webhook(
    State(world): State<Arc<World>>,
    Extension(notes): Extension<Notes>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Webhook>), KlarnaError> {
    let account = enter(&world, &notes, &headers, Operation::CreateWebhook)?;
    let raw = json(&headers, &body)?;
    let wrong = rejected("klarna/create-webhook", &raw);
    if !wrong.is_empty() {
        return Err(KlarnaError::invalid(wrong));
    }
    let asked: CreateWebhook = serde_path_to_error::deserialize(&raw)
        .map_err(|error| KlarnaError::invalid_field(&error.path().to_string(), error.inner().to_string()))?;
    let key = asked.signing_key_id.clone();
    let mut state = account.lock();
    let state = &mut *state;
    let allow_http = &world.settings().webhooks.allow_http;
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

pub(super) async fn list_webhooks(
    State(world): State<Arc<World>>,
    Extension(notes): Extension<Notes>,
    headers: HeaderMap,
) -> Result<Json<Webhooks>, KlarnaError> {
    let account = enter(&world, &notes, &headers, Operation::ListWebhooks)?;
    let webhooks = account.lock().subscriptions.list();
    Ok(Json(Webhooks { webhooks }))
}

pub(super) async fn read_webhook(
    State(world): State<Arc<World>>,
    Extension(notes): Extension<Notes>,
    Path(id): Path<WebhookId>,
    headers: HeaderMap,
) -> Result<Json<Webhook>, KlarnaError> {
    let account = enter(&world, &notes, &headers, Operation::ReadWebhook)?;
    let webhook = account.lock().subscriptions.read(&id);
    webhook.map(Json).ok_or_else(|| no_webhook(&id))
}

pub(super) async fn delete_webhook(
    State(world): State<Arc<World>>,
    Extension(notes): Extension<Notes>,
    Path(id): Path<WebhookId>,
    headers: HeaderMap,
) -> Result<StatusCode, KlarnaError> {
    let account = enter(&world, &notes, &headers, Operation::DeleteWebhook)?;
    let deleted = account.lock().subscriptions.delete(&id);
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(no_webhook(&id)) }
}
