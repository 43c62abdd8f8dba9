//! Schemas as rows of a table: what a field is called, what it takes, what it means.

use serde::Serialize;
use serde_json::Value;

/// A field of a body, or a parameter, for a reader.
#[derive(Debug, Serialize)]
pub(super) struct Field {
    /// With dots, for a field of an object that has no name of its own.
    name: String,
    required: bool,
    kind: Kind,
    about: String,
}

/// What a field takes.
#[derive(Debug, Default, Serialize)]
pub(super) struct Kind {
    words: String,
    /// The component to read on at.
    shape: Option<String>,
}

/// The name of the component that a schema refers to.
pub(super) fn component(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}

/// What a `$ref` leads to in the document, and anything else itself.
pub(super) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value.get("$ref").and_then(Value::as_str);
    let target = target.and_then(|reference| document.pointer(reference.strip_prefix('#')?));
    target.map_or(value, |target| resolved(document, target))
}

/// The fields of an object, and of objects in it that have no name.
pub(super) fn of(document: &Value, schema: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    collect(document, schema, "", &mut fields);
    fields
}

/// A parameter as a field.
pub(super) fn parameter(document: &Value, parameter: &Value) -> Field {
    let schema = match parameter.get("schema") {
        Some(schema) => schema,
        None => parameter.pointer("/content/application~1json/schema").unwrap_or(&Value::Null),
    };
    Field {
        name: text(parameter, "name").to_owned(),
        required: parameter.get("required").and_then(Value::as_bool).unwrap_or_default(),
        kind: kind(document, schema),
        about: text(parameter, "description").to_owned(),
    }
}

fn collect(document: &Value, schema: &Value, before: &str, fields: &mut Vec<Field>) {
    let required = schema.get("required").and_then(Value::as_array);
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let full = format!("{before}{name}");
        let own = text(property, "description");
        let about = if own.is_empty() { text(resolved(document, property), "description") } else { own };
        fields.push(Field {
            name: full.clone(),
            required: required.is_some_and(|required| required.iter().any(|it| it == name)),
            kind: kind(document, property),
            about: about.to_owned(),
        });
        // What a reference leads to has a table of its own.
        collect(document, property, &format!("{full}."), fields);
        if let Some(items) = property.get("items") {
            collect(document, items, &format!("{full}[]."), fields);
        }
    }
}

/// What a schema takes, in words.
fn kind(document: &Value, schema: &Value) -> Kind {
    let target = resolved(document, schema);
    if target.get("properties").is_some() {
        return Kind { words: "object".to_owned(), shape: component(schema).map(str::to_owned) };
    }
    if let Some(items) = target.get("items") {
        let Kind { words, shape } = kind(document, items);
        return Kind { words: format!("list of {words}"), shape };
    }
    let words = match target.get("enum").and_then(Value::as_array) {
        Some(values) => {
            let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            values.join(", ")
        }
        None => [text(target, "type"), text(target, "format"), &bounds(target)]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(", "),
    };
    Kind { words: if words.is_empty() { "anything".to_owned() } else { words }, shape: None }
}

/// How long, or how large.
fn bounds(schema: &Value) -> String {
    let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
    let (least, most, unit) = match text(schema, "type") {
        "string" => (bound("minLength"), bound("maxLength"), " characters"),
        _ => (bound("minimum"), bound("maximum"), ""),
    };
    match (least, most) {
        // These bounds only say that it is a number of 64 bits, and that a text is none without one.
        (_, Some(i64::MAX)) | (Some(1) | None, None) => String::new(),
        (Some(least), Some(most)) => format!("{least} to {most}{unit}"),
        (Some(least), None) => format!("at least {least}{unit}"),
        (None, Some(most)) => format!("up to {most}{unit}"),
    }
}

/// A member that is text; nothing where there is none.
pub(super) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}
