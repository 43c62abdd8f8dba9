//! What comes back: the answer of success, Klarna's error body, and the headers of both.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::components;
use crate::api::operations::Operation;

/// Every refusal that an operation may have, and when it comes.
const REFUSALS: [(u16, &str); 9] = [
    (400, "A field, a query or a header does not validate, or the body is no JSON."),
    (401, "No API key, or one that opens no account."),
    (403, "The caller may not: another acquirer's account, a state that forbids it, or no room for more."),
    (404, "There is no such thing in this account, or no longer."),
    (409, "It collides with what was done before: an idempotency key, a token, a twin."),
    (413, "The body is larger than this server takes."),
    (
        429,
        "Too many calls in a second. The simulator says so where `rate_limits.mode` is `enforce`, or when the tester asks for it.",
    ),
    (500, "Klarna failed. The simulator says so when the tester asks for it."),
    (503, "Klarna is away. The simulator says so when the tester asks for it."),
];

/// The headers of every answer, by the name of their component.
const EVERY: [&str; 6] = [
    "KlarnaCorrelationId",
    "KlarnaMtlsVerificationStatus",
    "PartnerCorrelationId",
    "XRatelimitLimit",
    "XRatelimitRemaining",
    "XRatelimitReset",
];

/// The answers of an operation, by status.
pub(super) fn of(operation: &Operation) -> Map<String, Value> {
    let (status, schema) = operation.answer;
    let mut success = json!({ "description": reason(status), "headers": headers(&EVERY) });
    if let (Some(schema), Value::Object(success)) = (schema, &mut success) {
        success.insert("content".to_owned(), body(schema));
    }
    let refusals = operation
        .refusals()
        .into_iter()
        .map(|status| (status.to_string(), json!({ "$ref": format!("#/components/responses/{status}") })));
    std::iter::once((status.to_string(), success)).chain(refusals).collect()
}

/// The refusals, by the name of their component.
pub(super) fn refusals() -> Map<String, Value> {
    let refusal = |(status, about): (u16, &str)| {
        let sent = headers(&EVERY);
        let refusal = json!({ "description": about, "headers": sent, "content": body("klarna/error") });
        (status.to_string(), refusal)
    };
    REFUSALS.into_iter().map(refusal).collect()
}

/// The headers of answers.
pub(super) fn sent_headers() -> Map<String, Value> {
    let header = |about: &str, required: bool, schema: Value| json!({ "description": about, "required": required, "schema": schema });
    let text = || json!({ "type": "string" });
    let headers = [
        ("KlarnaCorrelationId", header("Klarna's name of the exchange.", true, text())),
        (
            "KlarnaMtlsVerificationStatus",
            header(
                "Whether a client certificate came, and was right.",
                true,
                json!({ "type": "string", "enum": ["NOT_PRESENT", "VALID", "INVALID"] }),
            ),
        ),
        ("PartnerCorrelationId", header("As the call had it.", false, text())),
        (
            "XRatelimitLimit",
            header(
                "The quota nearest to its end, and then each: calls a second of the Partner account and of the acquirer account. Not where no account is known.",
                false,
                text(),
            ),
        ),
        ("XRatelimitRemaining", header("Calls left of the first quota.", false, text())),
        ("XRatelimitReset", header("Seconds until there are more.", false, text())),
    ];
    headers.into_iter().map(|(name, header)| (name.to_owned(), header)).collect()
}

/// `KlarnaCorrelationId` is sent as `Klarna-Correlation-Id`.
fn headers(names: &[&str]) -> Map<String, Value> {
    let reference = |name: &&str| {
        let spelled = name.char_indices().flat_map(|(at, letter)| {
            let dash = (at > 0 && letter.is_ascii_uppercase()).then_some('-');
            dash.into_iter().chain([letter])
        });
        (spelled.collect::<String>(), json!({ "$ref": format!("#/components/headers/{name}") }))
    };
    names.iter().map(reference).collect()
}

fn body(schema: &str) -> Value {
    json!({ "application/json": { "schema": components::reference(schema) } })
}

fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Success")
}
