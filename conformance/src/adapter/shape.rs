//! Keys that no adapter has: all of them at once, where the typed reading stops at the first.

use klarna_schemas::catalogue::Catalogue;
use serde_json::Value;

use super::error::AdapterError;
use super::node::{Node, Shape};
use super::source::Source;

/// The schema of an adapter file, in the catalogue.
const SCHEMA: &str = "conformance/adapter";

/// What the typed reading had to say, and every unknown key beside it.
pub(super) fn mistakes(source: &Source, error: &serde_saphyr::Error) -> AdapterError {
    let mut told = source.yaml(error);
    let schema = Catalogue::global().schema(SCHEMA);
    if let (Some(schema), Ok(node)) = (schema, serde_saphyr::from_str::<Node>(source.text())) {
        let mut found = Vec::new();
        walk(source, schema, schema, &node, &mut found);
        told = found.into_iter().fold(told, AdapterError::and);
    }
    told.in_order()
}

/// Looks through a part of the file with the part of the schema that is about it.
fn walk(source: &Source, whole: &Value, part: &Value, node: &Node, found: &mut Vec<AdapterError>) {
    let part = referred(whole, part);
    match node.shape() {
        Shape::List(items) => {
            let Some(schema) = part.get("items") else { return };
            for item in items {
                walk(source, whole, schema, item, found);
            }
        }
        Shape::Map(pairs) => {
            let Some(known) = part.get("properties").and_then(Value::as_object) else { return };
            let closed = part.get("additionalProperties") == Some(&Value::Bool(false));
            for (key, value) in pairs {
                match known.get(&key.value) {
                    Some(schema) => walk(source, whole, schema, value, found),
                    None if closed => {
                        let names: Vec<&str> = known.keys().map(String::as_str).collect();
                        found.push(source.unknown(key.referenced.into(), "key", &key.value, &names));
                    }
                    None => {}
                }
            }
        }
        Shape::Scalar(_) | Shape::Text(_) => {}
    }
}

/// The schema that a part stands for.
fn referred<'a>(whole: &'a Value, part: &'a Value) -> &'a Value {
    let pointer = part.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| whole.pointer(pointer)).unwrap_or(part)
}
