//! What every answer carries: Klarna's correlation id, the partner's as it came, and what became of the
//! caller's certificate (contract `payments.md` 1.5).

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use klarna_schemas::klarna::client_certificate::{MTLS_STATUS_HEADER, MtlsStatus};
use uuid::Uuid;

/// Klarna's own id of an exchange.
const KLARNA: HeaderName = HeaderName::from_static("klarna-correlation-id");
/// The partner's id, sent back as it came.
const PARTNER: HeaderName = HeaderName::from_static("partner-correlation-id");
const MTLS: HeaderName = HeaderName::from_static(MTLS_STATUS_HEADER);

/// Puts on an answer what every answer of Klarna's carries.
pub(crate) fn stamp(request: &HeaderMap, response: &mut HeaderMap, id: Uuid, mtls: &MtlsStatus) {
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.insert(KLARNA, id);
    }
    if let Some(partner) = request.get(&PARTNER) {
        response.insert(PARTNER, partner.clone());
    }
    if let Ok(status) = HeaderValue::from_str(mtls.as_str()) {
        response.insert(MTLS, status);
    }
}
