//! The control API as an OpenAPI document, made of its table of operations and the schema files.

use serde_json::{Map, Value, json};

use super::components;
use crate::control::examples::example;
use crate::control::operations::{BASE, CONTROL, ControlOperation, Query};
use crate::control::query::{Kind, Parameter};

const ABOUT: &str = "What a tester can make the simulator do, and what it can show afterwards. No part of \
    Klarna: everything here is the simulator's own. Unknown fields and query parameters are refused with 400, \
    bodies of another media type with 415 (that of forms, which curl sends unasked, is read as JSON), and every \
    refusal is an RFC 9457 problem with a `hint`.";

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
        let example: Option<Value> =
            example(operation.id).and_then(|example| serde_json::from_str(example).ok());
        let content = json!({ "schema": components::reference(body), "example": example });
        members.insert(
            "requestBody".to_owned(),
            json!({ "required": operation.needs_body(), "content": { "application/json": content } }),
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
    parameters.extend(operation.query.parameters().map(|parameter| {
        let Parameter { name, kind, about } = parameter;
        json!({
            "name": name, "in": "query", "required": parameter.is_required(), "description": about,
            "schema": schema(*kind),
        })
    }));
    parameters
}

fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Whole => json!({ "type": "integer", "minimum": 0 }),
        Kind::AtMost(most) => json!({ "type": "integer", "minimum": 0, "maximum": most }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::YesOrNo => json!({ "type": "boolean" }),
        Kind::OneOf(words) => json!({ "enum": words }),
    }
}
