//! The schema files as components of one document: every `$ref` between them leads to a component,
//! and so does every part of them that has a name.

use klarna_schemas::catalogue::Catalogue;
use serde_json::{Map, Value, json};

/// Where Klarna's shapes stand in the catalogue.
const FOLDER: &str = "klarna/";

/// What marks keywords in a schema file that refuse nothing (`klarna_schemas::catalogue`).
const MARK: &str = "x-report";
/// Where they stand in the document.
const REPORTED: &str = "x-reported";
/// Keywords that describe a schema without asking anything of a value.
const SAYS_NOTHING: [&str; 2] = ["title", "description"];

/// What says where a file stands, or nothing at all once it is a component.
const OF_FILES: [&str; 3] = ["$schema", "$id", "$defs"];

/// Every shape of Klarna's, by the name of its component.
pub(super) fn schemas() -> Map<String, Value> {
    of_files(|name| name.starts_with(FOLDER))
}

/// Those of Klarna and those of the control API, which refer to them.
pub(super) fn all() -> Map<String, Value> {
    of_files(|name| name.starts_with(FOLDER) || name.starts_with("simulator/"))
}

fn of_files(wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
    let catalogue = Catalogue::global();
    let mut schemas = Map::new();
    for file in catalogue.names().filter(|name| wanted(name)) {
        let Some(Value::Object(root)) = catalogue.schema(file) else { continue };
        let mut shape = root.clone();
        shape.retain(|key, _| !OF_FILES.contains(&key.as_str()));
        // A file of common parts describes nothing by itself.
        if shape.keys().any(|key| key != "title" && key != "description") {
            schemas.insert(named(file), moved(file, &Value::Object(shape)));
        }
        for (part, schema) in root.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            schemas.insert(format!("{}_{part}", named(file)), moved(file, schema));
        }
    }
    schemas
}

/// A schema that leads to a component.
pub(super) fn reference(file: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", named(file)) })
}

/// `klarna/payment-request` is `PaymentRequest`.
fn named(file: &str) -> String {
    let words = file.strip_prefix(FOLDER).unwrap_or(file).split(['-', '/']);
    let capitalised = words.map(|word| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    });
    capitalised.collect()
}

/// A schema out of a file, with references that hold in the document.
fn moved(file: &str, schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let moved = members.iter().map(|(key, value)| match value {
                Value::String(reference) if key == "$ref" => (key.clone(), redirected(file, reference)),
                _ => (key.clone(), moved(file, value)),
            });
            Value::Object(loosened(moved.collect()))
        }
        Value::Array(items) => items.iter().map(|item| moved(file, item)).collect(),
        other => other.clone(),
    }
}

/// A schema whose keywords that refuse nothing stand apart, under [`REPORTED`]: what is left is what
/// the simulator keeps to.
fn loosened(mut schema: Map<String, Value>) -> Map<String, Value> {
    // A field may be called so, too; as a keyword it is a list of names.
    if !schema.get(MARK).is_some_and(Value::is_array) {
        return schema;
    }
    let marked = schema.remove(MARK).unwrap_or_default();
    let names: Vec<&str> = marked.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let is_reported =
        |key: &str| names.contains(&key) || (names.contains(&"*") && !SAYS_NOTHING.contains(&key));
    let (reported, mut kept): (Map<_, _>, Map<_, _>) =
        schema.into_iter().partition(|(key, _)| is_reported(key));
    kept.insert(REPORTED.to_owned(), Value::Object(reported));
    kept
}

/// A reference between files as one between components. One that leads nowhere stays as it is, for
/// a test to find.
fn redirected(file: &str, reference: &str) -> Value {
    let (target, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    let Some((target, _)) = Catalogue::global().resolve(file, target) else { return reference.into() };
    let component = named(target);
    let place = match pointer.strip_prefix("/$defs/") {
        Some(part) => format!("{component}_{part}"),
        None => format!("{component}{pointer}"),
    };
    format!("#/components/schemas/{place}").into()
}
