//! An authorize that nobody makes: what would be decided on it.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use klarna_schemas::klarna::authorize::AuthorizeRequest;
use klarna_schemas::klarna::{CUSTOMER_TOKEN_HEADER, IDEMPOTENCY_KEY_HEADER};
use klarna_schemas::simulator::rules::Explain;

use super::authorize::strict_refusals;
use super::body::{Parsed, header, parse};
use super::call::{idempotency_key, token};
use crate::config::Settings;
use crate::engine::AuthorizeCommand;

/// The command that such a call would make.
pub(crate) fn authorize(asked: &Explain, settings: &Settings) -> AuthorizeCommand {
    let headers = headers(asked);
    let parsed: Parsed<AuthorizeRequest> = parse("klarna/authorize-request", &asked.body);
    let token = token(&headers);
    // A key that is none is refused like a body that is none.
    let key = header(&headers, IDEMPOTENCY_KEY_HEADER).map(idempotency_key).transpose();
    let (key, wrong_key) = key.map_or_else(|wrong| (None, Some(wrong)), |key| (key, None));
    let strictly = strict_refusals(&settings.policies, &parsed, &asked.body, key.as_ref(), token.as_ref());
    let (request, by_policy) = match (wrong_key, parsed.request) {
        (Some(wrong), _) => (Err(vec![wrong]), false),
        (None, Ok(_)) if !strictly.is_empty() => (Err(strictly), true),
        (None, request) => (request, false),
    };
    AuthorizeCommand {
        acquirer: "nobody".into(),
        request,
        by_policy,
        undocumented: parsed.undocumented,
        older_names: parsed.older_names,
        raw: asked.body.clone(),
        token_is_foreign: false,
        token,
        customer_token: header(&headers, CUSTOMER_TOKEN_HEADER).filter(|token| !token.is_empty()),
        key,
        headers: asked.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        answer_fault: None,
    }
}

/// The headers as a call would bring them; what cannot be one is left out.
fn headers(asked: &Explain) -> HeaderMap {
    let pair = |(name, value): (&String, &String)| {
        let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    };
    asked.headers.iter().filter_map(pair).collect()
}
