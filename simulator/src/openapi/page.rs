//! The page that shows the document, by resource.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::Value;
use tera::{Context, Tera};

use super::fields::{self, Field, resolved, text};
use super::{document, parameters};
use crate::api::operations::{OPERATIONS, Operation};

const TEMPLATE: &str = include_str!("../../templates/docs.html");

static TERA: LazyLock<Result<Tera, tera::Error>> = LazyLock::new(|| {
    let mut tera = Tera::default();
    tera.add_raw_template("docs.html", TEMPLATE)?;
    Ok(tera)
});

#[derive(Serialize)]
struct View {
    about: String,
    groups: Vec<Group>,
    key: String,
    headers: Vec<Field>,
    refusals: Vec<Answer>,
    shapes: Vec<Shape>,
    policies: Vec<Policy>,
}

/// A resource.
#[derive(Serialize)]
struct Group {
    name: String,
    operations: Vec<Entry>,
}

/// An operation, on all its paths.
#[derive(Serialize)]
struct Entry {
    id: &'static str,
    method: String,
    paths: &'static [&'static str],
    summary: &'static str,
    /// Parts of the path, and queries.
    parameters: Vec<Field>,
    headers: Vec<String>,
    body: Option<Shape>,
    answers: Vec<Answer>,
    evidence: Value,
}

/// A schema with a name.
#[derive(Serialize)]
struct Shape {
    name: String,
    about: String,
    fields: Vec<Field>,
}

#[derive(Serialize)]
struct Answer {
    status: String,
    about: String,
    /// The component of its body.
    shape: Option<String>,
}

#[derive(Serialize)]
struct Policy {
    name: String,
    /// What it is set to here.
    value: String,
    default: String,
    evidence: Value,
}

/// Renders the page of a document.
pub(super) fn render(document: &Value) -> Result<String, String> {
    let tera = TERA.as_ref().map_err(ToString::to_string)?;
    let context = Context::from_serialize(&view(document)).map_err(|error| error.to_string())?;
    tera.render("docs.html", &context).map_err(|error| error.to_string())
}

fn view(document: &Value) -> View {
    let groups = document::tags().into_iter().map(|tag| {
        let name = text(&tag, "name").to_owned();
        let of_it = OPERATIONS.iter().filter(|operation| document::tag(operation) == name);
        let operations = of_it.map(|operation| entry(document, operation)).collect();
        Group { name, operations }
    });
    let key = document.pointer("/components/securitySchemes/api_key").unwrap_or(&Value::Null);
    View {
        about: document.pointer("/info").map(|info| text(info, "description").to_owned()).unwrap_or_default(),
        groups: groups.collect(),
        key: text(key, "description").to_owned(),
        headers: members(document, "/components/parameters")
            .map(|(_, header)| fields::parameter(document, header))
            .collect(),
        refusals: members(document, "/components/responses")
            .map(|(status, answer)| self::answer(document, status, answer))
            .collect(),
        shapes: members(document, "/components/schemas")
            .filter(|(_, schema)| schema.get("properties").is_some())
            .map(|(name, _)| shape(document, name))
            .collect(),
        policies: policies(document),
    }
}

fn entry(document: &Value, operation: &'static Operation) -> Entry {
    let verb = parameters::verb(&operation.method);
    let paths = document.get("paths");
    let described = operation.paths.first().and_then(|path| paths?.get(*path)?.get(&verb));
    let described = described.unwrap_or(&Value::Null);
    let all = described.get("parameters").and_then(Value::as_array).into_iter().flatten();
    // Headers are shared, and told of in one place.
    let (headers, own): (Vec<_>, Vec<_>) = all.partition(|parameter| parameter.get("$ref").is_some());
    let body = described.pointer("/requestBody/content/application~1json/schema");
    let answers = described.get("responses").and_then(Value::as_object).into_iter().flatten();
    Entry {
        id: operation.id,
        method: operation.method.to_string(),
        paths: operation.paths,
        summary: operation.summary,
        parameters: own.into_iter().map(|parameter| fields::parameter(document, parameter)).collect(),
        headers: headers.into_iter().map(|it| text(resolved(document, it), "name").to_owned()).collect(),
        body: body.and_then(fields::component).map(|name| shape(document, name)),
        answers: answers.map(|(status, answer)| self::answer(document, status, answer)).collect(),
        evidence: described.get("x-evidence").cloned().unwrap_or_default(),
    }
}

fn answer(document: &Value, status: &str, answer: &Value) -> Answer {
    let answer = resolved(document, answer);
    let schema = answer.pointer("/content/application~1json/schema");
    Answer {
        status: status.to_owned(),
        about: text(answer, "description").to_owned(),
        shape: schema.and_then(fields::component).map(str::to_owned),
    }
}

fn shape(document: &Value, name: &str) -> Shape {
    let schema = document.pointer(&format!("/components/schemas/{name}")).unwrap_or(&Value::Null);
    Shape {
        name: name.to_owned(),
        about: text(schema, "description").to_owned(),
        fields: fields::of(document, schema),
    }
}

fn policies(document: &Value) -> Vec<Policy> {
    let defaults: toml::Table = toml::from_str(crate::config::DEFAULTS).unwrap_or_default();
    let default = |name: &str| defaults.get("policies")?.get(name)?.as_str().map(str::to_owned);
    members(document, "/x-policies")
        .map(|(name, policy)| Policy {
            name: name.clone(),
            value: text(policy, "value").to_owned(),
            default: default(name).unwrap_or_default(),
            evidence: policy.get("x-evidence").cloned().unwrap_or_default(),
        })
        .collect()
}

/// The members of an object in the document.
fn members<'a>(document: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    document.pointer(pointer).and_then(Value::as_object).into_iter().flatten()
}
