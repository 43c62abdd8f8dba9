//! Correlation ids: Klarna's on every answer, the partner's echoed (contract `payments.md` 1.5).

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// Klarna's own id of an exchange.
const KLARNA: HeaderName = HeaderName::from_static("klarna-correlation-id");
/// The partner's id, sent back as it came.
const PARTNER: HeaderName = HeaderName::from_static("partner-correlation-id");
/// Whether a client certificate came; plain connections carry none.
const MTLS: HeaderName = HeaderName::from_static("klarna-mtls-verification-status");

/// Puts on an answer what every answer of Klarna's carries.
pub(crate) fn stamp(request: &HeaderMap, response: &mut HeaderMap, id: Uuid) {
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.insert(KLARNA, id);
    }
    if let Some(partner) = request.get(&PARTNER) {
        response.insert(PARTNER, partner.clone());
    }
    response.insert(MTLS, HeaderValue::from_static("NOT_PRESENT"));
}
