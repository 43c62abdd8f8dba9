//! What a call carries beside its body: parts of the path, queries, headers.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::components;
use crate::api::operations::Operation;
use crate::api::queries::Query;

/// Operations that read a session token.
const TOKEN_READERS: [&str; 4] =
    ["authorize", "payment_request.create", "presentation.read", "sdk_token.create"];
/// Operations that read a customer token.
const CUSTOMER_TOKEN_READERS: [&str; 4] =
    ["authorize", "payment_request.create", "presentation.read", "interoperability_token.create"];

/// The parameters of an operation on one of its paths.
pub(super) fn of(operation: &Operation, path: &str) -> Vec<Value> {
    let mut parameters: Vec<Value> = parts(path).map(part).collect();
    parameters.extend(operation.queries().iter().map(query));
    let headers = [
        ("KlarnaIdempotencyKey", operation.takes_key()),
        ("KlarnaNetworkSessionToken", TOKEN_READERS.contains(&operation.id)),
        ("KlarnaCustomerToken", CUSTOMER_TOKEN_READERS.contains(&operation.id)),
        ("KlarnaIntegrationMetadata", true),
        ("PartnerCorrelationId", true),
    ];
    let sent = headers.into_iter().filter(|(_, sent)| *sent);
    parameters.extend(sent.map(|(name, _)| json!({ "$ref": format!("#/components/parameters/{name}") })));
    parameters
}

/// The names of the variable parts of a path.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn part(name: &str) -> Value {
    let about = match name {
        "account" => "The Partner's account. Its colons may stand raw or as %3A.",
        _ => "Klarna's name of the thing. Opaque; its colons may stand raw or as %3A.",
    };
    let mut described = json!({
        "name": name, "in": "path", "required": true, "description": about,
        "schema": { "type": "string", "minLength": 1 },
    });
    if let (true, Value::Object(described)) = (name == "account", &mut described) {
        described.insert("example".to_owned(), "krn:partner:global:account:test:ALPHA001".into());
    }
    described
}

fn query(query: &Query) -> Value {
    json!({
        "name": query.name, "in": "query", "required": query.required, "description": query.about,
        "schema": (query.schema)(),
    })
}

/// The headers that many operations read, by the name of their component.
pub(super) fn headers() -> Map<String, Value> {
    let header = |name: &str, about: &str, schema: Value| json!({ "name": name, "in": "header", "required": false, "description": about, "schema": schema });
    let headers = [
        (
            "KlarnaIdempotencyKey",
            header(
                "Klarna-Idempotency-Key",
                "Names the action: a repeat within 24 hours gets the first answer, another body 409. A UUID is best.",
                json!({ "type": "string", "minLength": 1, "maxLength": 255 }),
            ),
        ),
        (
            "KlarnaNetworkSessionToken",
            header(
                "Klarna-Network-Session-Token",
                "The session token as the Partner or Klarna's webhook gave it; must be there on a final authorize. Opaque.",
                json!({ "type": "string" }),
            ),
        ),
        (
            "KlarnaCustomerToken",
            header(
                "Klarna-Customer-Token",
                "Stands for a customer's consent to be charged again. Opaque.",
                json!({ "type": "string", "maxLength": 1024 }),
            ),
        ),
        (
            "KlarnaIntegrationMetadata",
            json!({
                "name": "Klarna-Integration-Metadata", "in": "header", "required": false,
                "description": "Who integrates, as one line of JSON. What it holds is never refused.",
                "content": { "application/json": { "schema": components::reference("klarna/integration-metadata") } },
            }),
        ),
        (
            "PartnerCorrelationId",
            header(
                "Partner-Correlation-Id",
                "The caller's name of the exchange, up to 255 characters; comes back with the answer. A longer one is not refused.",
                json!({ "type": "string" }),
            ),
        ),
    ];
    headers.into_iter().map(|(name, header)| (name.to_owned(), header)).collect()
}

/// A method as a document has it.
pub(super) fn verb(method: &Method) -> String {
    method.as_str().to_ascii_lowercase()
}
