//! `GET /openapi.json`: the table of routes and the schema files as an OpenAPI 3.1 document.

use std::sync::LazyLock;

use axum::Json;
use klarna_schemas::catalogue::Catalogue;
use serde_json::{Map, Value, json};

use super::once;
use super::problem::Problem;
use super::routes::{Caller, ROUTES, Route};

/// Where the shapes of this API stand in the catalogue.
const FOLDER: &str = "acquirer/";

/// What says where a file stands; a component needs none of it.
const OF_FILES: [&str; 3] = ["$schema", "$id", "$defs"];

/// The document, made at first use.
pub async fn serve() -> Result<Json<&'static Value>, Problem> {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
    Ok(Json(&DOCUMENT))
}

fn document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Value::Object(item) = item {
            item.insert(route.method.as_str().to_ascii_lowercase(), described(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Partner API of the reference acquirer",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What Partners call, and beside it what Klarna, customers and operators do.",
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "responses": { "problem": {
                "description": "A problem: nothing was done, or the acquirer broke (5xx).",
                "content": { "application/problem+json": { "schema": reference("acquirer/problem") } },
            } },
            "securitySchemes": { "api_key": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn described(route: &Route) -> Value {
    let mut described = Map::new();
    described.insert("operationId".to_owned(), operation_id(route).into());
    described.insert("summary".to_owned(), route.summary.into());
    described.insert("tags".to_owned(), json!([tag(route.caller)]));
    if route.caller == Caller::Partner {
        described.insert("security".to_owned(), json!([{ "api_key": [] }]));
    }
    described.insert("parameters".to_owned(), parameters(route).into());
    if let Some(request) = route.request {
        let content = json!({ "application/json": { "schema": reference(request) } });
        let required = request != "acquirer/no-fields";
        described.insert("requestBody".to_owned(), json!({ "required": required, "content": content }));
    }
    let mut responses: Map<String, Value> = route
        .answers
        .iter()
        .map(|(status, schema)| {
            let mut response = json!({ "description": meaning(*status) });
            if let (Value::Object(response), Some(schema)) = (&mut response, schema) {
                let content = json!({ "application/json": { "schema": reference(schema) } });
                response.insert("content".to_owned(), content);
            }
            (status.to_string(), response)
        })
        .collect();
    responses.insert("default".to_owned(), json!({ "$ref": "#/components/responses/problem" }));
    described.insert("responses".to_owned(), responses.into());
    described.into()
}

/// `POST /v1/payments/{payment_id}/captures` is `post_v1_payments_payment_id_captures`.
fn operation_id(route: &Route) -> String {
    let words = route.path.split(|it: char| !it.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_owned).collect();
    format!("{}_{}", route.method.as_str().to_ascii_lowercase(), words.join("_"))
}

fn tag(caller: Caller) -> &'static str {
    match caller {
        Caller::Partner => "Partner",
        Caller::Klarna => "Klarna",
        Caller::Customer => "Customer",
        Caller::Operator => "Operator",
        Caller::Anybody => "Anybody",
    }
}

fn meaning(status: u16) -> &'static str {
    match status {
        200 => "Done, or done before.",
        201 => "Made; Klarna has answered.",
        202 => "Made; Klarna's answer is awaited and will be notified.",
        303 => "Back to the Partner.",
        _ => "An answer.",
    }
}

fn parameters(route: &Route) -> Vec<Value> {
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    parameters.extend(route.query.iter().map(|(name, schema)| {
        // The table's own text; a test reads them all.
        let schema: Value = serde_json::from_str(schema).unwrap_or_default();
        json!({ "name": name, "in": "query", "schema": schema })
    }));
    if route.caller == Caller::Partner && route.method == http::Method::POST {
        parameters.push(json!({
            "name": once::HEADER, "in": "header",
            "description": "The same key and request again: the same answer, and nothing is done.",
            "schema": { "type": "string", "maxLength": once::MOST_CHARACTERS, "pattern": "^[!-~]+$" },
        }));
    }
    parameters
}

/// Every schema file of this API as a component, and every part of it that has a name.
fn schemas() -> Map<String, Value> {
    let catalogue = Catalogue::global();
    let mut schemas = Map::new();
    for file in catalogue.names().filter(|name| name.starts_with(FOLDER)) {
        let Some(Value::Object(root)) = catalogue.schema(file) else { continue };
        let mut shape = root.clone();
        shape.retain(|key, _| !OF_FILES.contains(&key.as_str()));
        schemas.insert(named(file), moved(file, &Value::Object(shape)));
        for (part, schema) in root.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            schemas.insert(format!("{}_{part}", named(file)), moved(file, schema));
        }
    }
    schemas
}

fn reference(file: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", named(file)) })
}

/// `acquirer/create-payment` is `CreatePayment`.
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
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| match value {
                Value::String(reference) if key == "$ref" => (key.clone(), redirected(file, reference)),
                _ => (key.clone(), moved(file, value)),
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(|item| moved(file, item)).collect(),
        other => other.clone(),
    }
}

/// One that leads nowhere stays as it is, for a test to find.
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
