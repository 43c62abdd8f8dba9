//! The document: every operation on every path of it, and all that they refer to.

use serde_json::{Map, Value, json};

use super::{answers, components, parameters};
use crate::api::operations::{OPERATIONS, Operation};
use crate::config::PolicySettings;
use crate::evidence::grounds::{self, Ground, Subject};

/// Makes the document of a simulator with these policies.
pub(super) fn make(chosen: &PolicySettings) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in OPERATIONS {
        for (at, path) in operation.paths.iter().enumerate() {
            let item = paths.entry(*path).or_insert_with(|| json!({}));
            if let Value::Object(item) = item {
                item.insert(parameters::verb(&operation.method), described(operation, path, at > 0));
            }
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Klarna's API as klarna-simulator serves it",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "servers": [{ "url": "/", "description": "This simulator" }],
        "security": [{ "api_key": [] }],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": components::schemas(),
            "parameters": parameters::headers(),
            "headers": answers::sent_headers(),
            "responses": answers::refusals(),
            "securitySchemes": { "api_key": {
                "type": "apiKey", "in": "header", "name": "Authorization",
                "description": "`Basic <API key>`, with the key raw or in Base64, with or without a user. A key that starts with klarna_test_api_ opens an account.",
            } },
        },
        "x-policies": policies(chosen),
    })
}

const ABOUT: &str = "A local stand-in for Klarna, for development and tests. Not Klarna's own \
    document: `x-evidence` says of each operation what Klarna has published and what is concluded, and \
    `x-policies` of each setting that decides where Klarna is silent. The keywords of \
    a schema refuse a body with 400; those beneath `x-reported` are Klarna's too, and what breaks them is \
    written down as a finding and refused only where `undocumented_fields` is `invalid`. `x-whole` asks for a whole number \
    without fraction or exponent. A fault that a tester has armed may answer with any status.";

fn described(operation: &Operation, path: &str, is_own: bool) -> Value {
    // An operation is served on two paths at most, and names must differ.
    let id = if is_own { format!("{}.own", operation.id) } else { operation.id.to_owned() };
    let mut described = json!({
        "operationId": id,
        "summary": operation.summary,
        "tags": [tag(operation)],
        "parameters": parameters::of(operation, path),
    });
    if let Value::Object(described) = &mut described {
        if is_own {
            described.insert("description".to_owned(), "In the account that the API key opens.".into());
        }
        if let Some(request) = operation.request {
            let content = json!({ "application/json": { "schema": components::reference(request) } });
            described.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
        }
        described.insert("responses".to_owned(), answers::of(operation).into());
        let known = grounds::of(&Subject::Operation(operation.id));
        described.insert("x-evidence".to_owned(), known.map_or(Value::Null, Ground::to_json));
    }
    described
}

/// What an operation is about: the resource before the dot, in words.
pub(super) fn tag(operation: &Operation) -> String {
    let resource = operation.id.split('.').next().unwrap_or_default();
    let words = resource.replace('_', " ");
    let mut letters = words.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// Every resource once, in the order of the table.
pub(super) fn tags() -> Vec<Value> {
    let mut tags: Vec<String> = Vec::new();
    for operation in OPERATIONS {
        let tag = tag(operation);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags.into_iter().map(|tag| json!({ "name": tag })).collect()
}

/// Each policy: what it is set to here, and on what ground it stands.
fn policies(chosen: &PolicySettings) -> Map<String, Value> {
    // Words only: this does not fail.
    let chosen = serde_json::to_value(chosen).unwrap_or_default();
    let policies = grounds::all().filter_map(|ground| match ground.of {
        Subject::Policy(name) => {
            let value = chosen.get(name).cloned().unwrap_or_default();
            Some((name.to_owned(), json!({ "value": value, "x-evidence": ground.to_json() })))
        }
        Subject::Operation(_) | Subject::Rule(_) => None,
    });
    policies.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_document_has_every_route_of_the_table_and_no_other() {
        let served: BTreeSet<(String, String)> = OPERATIONS
            .iter()
            .flat_map(|it| it.paths.iter().map(|path| (parameters::verb(&it.method), (*path).to_owned())))
            .collect();
        let document = make(&crate::engine::Policies::defaults().chosen);
        let items = document["paths"].as_object().unwrap();
        let said: BTreeSet<(String, String)> = items
            .iter()
            .flat_map(|(path, item)| {
                item.as_object().unwrap().keys().map(|verb| (verb.clone(), path.clone()))
            })
            .collect();
        assert_eq!(said, served);
    }
}
