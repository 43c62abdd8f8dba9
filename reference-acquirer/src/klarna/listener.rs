//! Webhooks in: verified, deduplicated and stored before they are answered; acted on afterwards.

use axum::body::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::SignedDuration;
use klarna_schemas::ids::SigningKeyId;
use klarna_schemas::klarna::webhook::STATE_CHANGE_PREFIX;
use klarna_schemas::signature::{self, SIGNATURE_HEADER, SIGNING_KEY_ID_HEADER};
use secrecy::SecretString;
use serde::Deserialize;

use crate::clock;
use crate::points::{Point, reach};
use crate::store::{ReceivedEvent, Store, StoreError};

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It is stored, and will be acted on.
    New,
    /// It was stored before.
    Repeated,
    /// It is sound, but of a kind that this acquirer has no use for.
    NotOurs,
}

/// Why a delivery is not believed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A header is missing, doubled or no text.
    #[error("the header {0} is missing or unreadable")]
    Header(&'static str),
    /// The key is none of ours.
    #[error("the signing key is unknown")]
    UnknownKey,
    /// Somebody else wrote it, or altered it.
    #[error("the signature does not fit the body")]
    Signature,
    /// It is signed, but no event.
    #[error("the body is no event: {0}")]
    NoEvent(String),
    /// It could not be stored, so Klarna is to try again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Deserialize)]
struct Envelope {
    metadata: Metadata,
}

/// How long an event's id may be (contract `webhooks-and-network-data.md` A.3).
const EVENT_ID_CHARACTERS: std::ops::RangeInclusive<usize> = 1..=255;

/// The only part of an event that is needed before it is acted on.
#[derive(Deserialize)]
struct Metadata {
    event_id: String,
    event_type: String,
    correlation_id: Option<String>,
    /// Only measured, so whatever stands there spoils nothing.
    occurred_at: Option<serde_json::Value>,
}

/// Verifies a delivery and stores it. The signature covers the exact bytes, so nothing is parsed
/// before it holds (contract `webhooks-and-network-data.md` A.4).
pub async fn receive(store: &dyn Store, headers: &HeaderMap, body: &Bytes) -> Result<Received, Refused> {
    let key_id = SigningKeyId::from(header(headers, SIGNING_KEY_ID_HEADER)?);
    let signature = header(headers, SIGNATURE_HEADER)?;
    let key = store.signing_key(&key_id).await?.ok_or(Refused::UnknownKey)?;
    if !signature::verify(&key, body, signature) {
        return Err(Refused::Signature);
    }

    let Metadata { event_id, event_type, correlation_id, occurred_at } =
        serde_json::from_slice::<Envelope>(body)
            .map_err(|error| Refused::NoEvent(error.to_string()))?
            .metadata;
    let length = event_id.chars().count();
    if !EVENT_ID_CHARACTERS.contains(&length) || event_id.contains(char::is_control) {
        return Err(Refused::NoEvent("metadata.event_id is no id of 1 to 255 characters".to_owned()));
    }
    if !event_type.starts_with(STATE_CHANGE_PREFIX) {
        tracing::info!(event_id, event_type, "an event of a kind without a use here");
        return Ok(Received::NotOurs);
    }
    let text = std::str::from_utf8(body).map_err(|error| Refused::NoEvent(error.to_string()))?;
    let event = ReceivedEvent { event_id, body: SecretString::from(text) };
    let now = clock::now();
    reach(Point::EventVerified);
    let new = store.receive_event(&event, now).await?;
    reach(Point::EventStored);
    if let Some(occurred_at) = occurred_at.as_ref().and_then(|at| at.as_str()?.parse().ok()).filter(|_| new) {
        let lag: SignedDuration = now.duration_since(occurred_at);
        metrics::histogram!("acquirer_webhook_lag_seconds").record(lag.as_secs_f64().max(0.0));
    }
    tracing::info!(event_id = event.event_id, event_type, correlation_id, new, "webhook received");
    Ok(if new { Received::New } else { Received::Repeated })
}

fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Refused> {
    let mut values = headers.get_all(HeaderName::from_static(name)).iter();
    match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(Refused::Header(name)),
    }
}
