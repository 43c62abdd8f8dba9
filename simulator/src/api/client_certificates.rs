//! Client certificates: how an acquirer gets them, and from when its calls need them (contract
//! `payments.md` 1.3).

use axum::Json;
use axum::http::StatusCode;
use bytes::Bytes;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use klarna_schemas::klarna::client_certificate::{
    CertificateUsage, ClientCertificate, ClientCertificateConfig, CreateClientCertificate,
    EnforceClientCertificates, EnforcedFrom,
};
use serde_json::Value;

use super::body::{json, typed};
use super::call::AccountCall;
use super::error::KlarnaError;
use crate::authority::{Authority, Purpose, SigningRequest};
use crate::clock::real_now;
use crate::connection::name_of;
use crate::engine::shown;

/// Where a request stands in the body.
const REQUEST: &str = "config.certificate_signing_request";
/// For how long a certificate is good, in years. Inferred.
const YEARS: i64 = 1;
/// How far ahead enforcement may be set, in months.
const MONTHS_AHEAD: i64 = 3;

/// `POST /v2/account/integration/credentials/client-certificate`.
pub(super) async fn create(
    called: AccountCall,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), KlarnaError> {
    let call = &called.0;
    let raw = json(&call.headers, &body)?;
    let asked: CreateClientCertificate = typed("klarna/create-client-certificate", &raw, call.policies())?;
    let request = SigningRequest::parse(&asked.config.certificate_signing_request)
        .map_err(|fault| KlarnaError::invalid_field(REQUEST, fault.to_string()))?;
    let wanted = name_of(call.account.id());
    if request.common_name() != Some(wanted) {
        let reason = format!("must have the common name {wanted}, the last segment of the account's id");
        return Err(KlarnaError::invalid_field(REQUEST, reason));
    }
    let issued = issue(&call.world.authority, &asked.config.usage, request)?;
    let made = called.once(raw, |account| {
        let id = format!(
            "krn:partner:global:account:credential:client-certificate:{}",
            account.ids.uuid("client-certificate")
        );
        Ok(shown(&ClientCertificate {
            client_certificate_id: id,
            description: asked.description,
            config: ClientCertificateConfig { usage: asked.config.usage },
            ..issued
        }))
    })?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// A certificate that has no name and no account yet.
fn issue(
    authority: &Authority,
    usage: &CertificateUsage,
    request: SigningRequest,
) -> Result<ClientCertificate, KlarnaError> {
    let purpose = match usage {
        CertificateUsage::JwtSigning => Purpose::Signing,
        // The schema lets no other usage through.
        CertificateUsage::Mtls | CertificateUsage::Unknown(_) => Purpose::ClientAuthentication,
    };
    let created_at = real_now();
    let expires_at = later(created_at, YEARS.years());
    let pem = authority.issue(request, purpose, created_at, expires_at).map_err(|error| {
        tracing::warn!(%error, "a client certificate cannot be issued");
        KlarnaError::invalid_field(REQUEST, "asks for what cannot be issued")
    })?;
    Ok(ClientCertificate {
        client_certificate_id: String::new(),
        description: None,
        config: ClientCertificateConfig { usage: usage.clone() },
        client_certificate: pem,
        created_at,
        expires_at,
    })
}

/// `PUT /v2/account/integration/client-certificates/enforcement`.
pub(super) async fn enforce(called: AccountCall, body: Bytes) -> Result<StatusCode, KlarnaError> {
    let raw = json(&called.0.headers, &body)?;
    let asked: EnforceClientCertificates =
        typed("klarna/enforce-client-certificates", &raw, called.0.policies())?;
    let now = real_now();
    let from = match asked.enforced_from {
        EnforcedFrom::Now => now,
        EnforcedFrom::At(time) if time <= later(now, MONTHS_AHEAD.months()) => time,
        EnforcedFrom::At(_) => {
            let reason = format!("must be NOW, or a time at most {MONTHS_AHEAD} months ahead");
            return Err(KlarnaError::invalid_field("enforced_from", reason));
        }
    };
    called.once(raw, |account| {
        account.certificates_enforced_from = Some(from);
        Ok(Value::Null)
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /v2/account/integration/client-certificates/enforcement`: back to reporting.
pub(super) async fn report(AccountCall(call): AccountCall) -> StatusCode {
    call.account.lock().certificates_enforced_from = None;
    StatusCode::NO_CONTENT
}

/// By the calendar of UTC; the last time there is, where that is too far.
fn later(time: Timestamp, span: jiff::Span) -> Timestamp {
    time.to_zoned(TimeZone::UTC).checked_add(span).map_or(Timestamp::MAX, |then| then.timestamp())
}
