//! The control API as an OpenAPI document, made of its table of operations and the schema files.

use serde_json::{Map, Value, json};

use super::components;
use crate::control::operations::{CONTROL, ControlOperation, Query};

/// In front of every path.
const BASE: &str = "/_simulator/v1";

const ABOUT: &str = "What a tester can make the simulator do, and what it can show afterwards. No part of \
    Klarna: everything here is the simulator's own. Unknown fields are refused with 400, and every refusal is \
    an RFC 9457 problem with a `hint`.";

/// Makes the document.
pub(super) fn make() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in CONTROL {
        let item = paths.entry(format!("{BASE}{}", operation.path)).or_insert_with(|| json!({}));
        if let Value::Object(item) = item {
            item.insert(operation.method.to_ascii_lowercase(), described(operation));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "The control API of klarna-simulator",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "servers": [{ "url": "/", "description": "This simulator" }],
        "security": [{}, { "token": [] }],
        "paths": paths,
        "components": {
            "schemas": components::all(),
            "securitySchemes": { "token": {
                "type": "http", "scheme": "bearer",
                "description": "The setting `control.token`; without one the control API is open on loopback.",
            } },
        },
    })
}

fn described(operation: &ControlOperation) -> Value {
    let (status, answer) = operation.answer;
    let mut success = json!({ "description": operation.summary });
    let content = match (operation.query, answer) {
        (Query::Stream, _) => Some(json!({ "text/event-stream": { "schema": { "type": "string" } } })),
        (Query::Export, _) => Some(json!({
            "application/json": { "schema": { "type": "object" } },
            "application/x-ndjson": { "schema": { "type": "string" } },
            "text/x-shellscript": { "schema": { "type": "string" } },
        })),
        (_, Some(schema)) => Some(json!({ "application/json": { "schema": components::reference(schema) } })),
        (_, None) => None,
    };
    let problem = json!({
        "description": "Why not, and how to mend it.",
        "content": { "application/problem+json": { "schema": components::reference("simulator/problem") } },
    });
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters(operation),
        "responses": { "4XX": problem },
    });
    if let (Some(content), Value::Object(members)) = (content, &mut success) {
        members.insert("content".to_owned(), content);
    }
    if let Some(Value::Object(responses)) = described.get_mut("responses") {
        responses.insert(status.to_string(), success);
    }
    if let (Some(body), Value::Object(members)) = (operation.body, &mut described) {
        let schema = components::reference(body);
        members.insert(
            "requestBody".to_owned(),
            json!({ "content": { "application/json": { "schema": schema } } }),
        );
    }
    described
}

/// Parts of the path, and what the query takes.
fn parameters(operation: &ControlOperation) -> Vec<Value> {
    let parts = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = parts
        .map(|name| {
            let about = match name {
                "account" => "A Partner account, with `:` raw or as %3A.",
                "acquirer" => "An acquirer account, with `:` raw or as %3A.",
                "id" => "The id of a transaction.",
                _ => "The name of a snapshot.",
            };
            json!({ "name": name, "in": "path", "required": true, "description": about, "schema": { "type": "string" } })
        })
        .collect();
    let text = || json!({ "type": "string" });
    let whole = || json!({ "type": "integer", "minimum": 0 });
    let time = || json!({ "type": "string", "format": "date-time" });
    let conditions = [
        ("after", whole(), "Only entries with a greater seq."),
        ("direction", json!({ "enum": ["inbound", "outbound"] }), "Who called whom."),
        ("operation", text(), "Only this operation; a * at the end matches any rest."),
        ("payment", text(), "Only this payment, by any of its names."),
        ("epoch", whole(), "Only this epoch of the sandbox."),
        ("header", text(), "A request header: Name, or Name: value."),
        ("request_json", text(), "A JSONPath that finds something in the request's body."),
        ("response_json", text(), "The same for the answer's body."),
        ("status", whole(), "Only answers with this HTTP status."),
        ("ended", json!({ "enum": ["answered", "timed_out", "broken"] }), "How the exchange ended."),
        ("fault", text(), "A fault or misbehaviour; a * at the end matches any rest."),
        ("finding", text(), "A rule that cites it; a * at the end matches any rest."),
        ("since", time(), "By the sandbox's time."),
        ("until", time(), "By the sandbox's time."),
    ];
    let bounds = [
        ("limit", whole(), "At most so many, the oldest first."),
        ("min", whole(), "How many to wait for."),
        (
            "wait_ms",
            json!({ "type": "integer", "minimum": 0, "maximum": 60_000 }),
            "How long, in real milliseconds.",
        ),
    ];
    let forms = [
        ("format", json!({ "enum": ["har", "curl", "ndjson", "stable"] }), "As what."),
        ("redact", json!({ "type": "boolean" }), "Whether secrets and personal data are blackened."),
    ];
    let query: Vec<(&str, Value, &str)> = match operation.query {
        Query::Nothing => Vec::new(),
        Query::Payment => vec![("payment", text(), "Only this payment, by any of its names.")],
        Query::Stream => conditions.into(),
        Query::Journal => conditions.into_iter().chain(bounds).collect(),
        Query::Export => forms.into_iter().chain(conditions).collect(),
    };
    parameters.extend(query.into_iter().map(|(name, schema, about)| {
        json!({ "name": name, "in": "query", "required": name == "format", "description": about, "schema": schema })
    }));
    parameters
}
