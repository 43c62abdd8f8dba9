//! An authorize that nobody makes: what would be decided on it.

use klarna_schemas::klarna::authorize::AuthorizeRequest;
use klarna_schemas::klarna::{CUSTOMER_TOKEN_HEADER, IDEMPOTENCY_KEY_HEADER, SESSION_TOKEN_HEADER};
use klarna_schemas::simulator::rules::Explain;

use super::body::{Parsed, parse};
use crate::config::Settings;
use crate::engine::{AuthorizeCommand, IdempotencyKey, PresentedToken, TokenHeader};

/// The command that such a call would make.
pub(crate) fn authorize(asked: &Explain, settings: &Settings) -> AuthorizeCommand {
    let header = |name: &str| {
        let known = asked.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    };
    let parsed: Parsed<AuthorizeRequest> = parse("klarna/authorize-request", &asked.body);
    let refused = if parsed.request.is_ok() { parsed.refused_by(&settings.policies) } else { Vec::new() };
    let by_policy = !refused.is_empty();
    AuthorizeCommand {
        acquirer: "nobody".into(),
        request: if by_policy { Err(refused) } else { parsed.request },
        by_policy,
        undocumented: parsed.undocumented,
        older_names: parsed.older_names,
        raw: asked.body.clone(),
        token_is_foreign: false,
        token: header(SESSION_TOKEN_HEADER)
            .map(|value| PresentedToken { value, header: TokenHeader::Session }),
        customer_token: header(CUSTOMER_TOKEN_HEADER),
        key: header(IDEMPOTENCY_KEY_HEADER).map(IdempotencyKey),
        headers: asked.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        answer_fault: None,
    }
}
