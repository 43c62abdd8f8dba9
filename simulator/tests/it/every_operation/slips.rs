//! Every way in which a body may break its schema, a field at a time.

use serde_json::{Map, Value, json};

/// A body with one field wrong.
pub(super) struct Slip {
    pub(super) body: Value,
    /// What the refusal must name.
    pub(super) parameter: String,
    /// What is wrong with it.
    pub(super) kind: &'static str,
}

/// A step of the way to a field.
#[derive(Debug, Clone)]
enum Step {
    Field(String),
    /// The first item of a list.
    Item,
}

/// Every slip in a body that is otherwise sound.
pub(super) fn of(document: &Value, schema: &Value, sound: &Value) -> Vec<Slip> {
    let mut found = Vec::new();
    walk(document, schema, &[], &mut |way, value, kind| {
        let mut body = sound.clone();
        put(&mut body, way, value);
        found.push(Slip { body, parameter: parameter(way), kind });
    });
    let required = resolved(document, schema).get("required").and_then(Value::as_array).cloned();
    for field in required.unwrap_or_default() {
        let field = field.as_str().unwrap();
        let mut body = sound.clone();
        body.as_object_mut().unwrap().remove(field);
        found.push(Slip { body, parameter: field.to_owned(), kind: "without" });
    }
    found
}

/// Tells of each field of a schema each value that it does not take; nothing for one that is to be absent.
fn walk(
    document: &Value,
    schema: &Value,
    way: &[Step],
    tell: &mut impl FnMut(&[Step], Option<Value>, &'static str),
) {
    let schema = resolved(document, schema);
    if !way.is_empty()
        && let Some(kind) = schema.get("type").and_then(Value::as_str)
    {
        let other = if kind == "string" { json!(7) } else { json!("seven") };
        tell(way, Some(other), "of another type");
        if kind != "null" {
            tell(way, Some(Value::Null), "null");
        }
    }
    let limit = |name: &str| schema.get(name).and_then(Value::as_i64);
    if let Some(longest) = limit("maxLength") {
        tell(way, Some("x".repeat(usize::try_from(longest).unwrap() + 1).into()), "too long");
    }
    if limit("minLength").is_some_and(|least| least > 0) {
        tell(way, Some("".into()), "empty");
    }
    if schema.get("enum").is_some() {
        tell(way, Some("NO_SUCH_WORD".into()), "unheard of");
    }
    if let Some(least) = limit("minimum").and_then(|least| least.checked_sub(1)) {
        tell(way, Some(least.into()), "too small");
    }
    if let Some(most) = limit("maximum").and_then(|most| most.checked_add(1)) {
        tell(way, Some(most.into()), "too great");
    }
    if let Some(items) = schema.get("items") {
        let way: Vec<Step> = way.iter().cloned().chain([Step::Item]).collect();
        walk(document, items, &way, tell);
    }
    for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let way: Vec<Step> = way.iter().cloned().chain([Step::Field(name.clone())]).collect();
        walk(document, field, &way, tell);
    }
    // Of the body itself, the caller knows a sound one to leave them out of.
    if !way.is_empty() {
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            let name = name.as_str().unwrap().to_owned();
            let way: Vec<Step> = way.iter().cloned().chain([Step::Field(name)]).collect();
            tell(&way, None, "without");
        }
    }
}

/// A schema, and what those that it leads to add.
fn resolved(document: &Value, schema: &Value) -> Map<String, Value> {
    let mut all = Map::new();
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        all = resolved(document, document.pointer(reference.trim_start_matches('#')).unwrap());
    }
    all.extend(schema.as_object().unwrap().clone());
    all
}

/// Puts a value where a way leads, and what the way leads through where that is missing; or takes it away.
fn put(place: &mut Value, way: &[Step], value: Option<Value>) {
    let [step, rest @ ..] = way else {
        *place = value.unwrap_or_default();
        return;
    };
    match step {
        Step::Field(name) => {
            if !place.is_object() {
                *place = json!({});
            }
            let fields = place.as_object_mut().unwrap();
            match (&value, rest) {
                (None, []) => {
                    fields.remove(name);
                }
                _ => put(fields.entry(name.clone()).or_insert(Value::Null), rest, value),
            }
        }
        Step::Item => {
            if place.as_array().is_none_or(Vec::is_empty) {
                *place = json!([null]);
            }
            put(&mut place[0], rest, value);
        }
    }
}

/// A way in Klarna's notation: `a.b[0].c`.
fn parameter(way: &[Step]) -> String {
    let mut text = String::new();
    for step in way {
        match step {
            Step::Field(name) if text.is_empty() => text.push_str(name),
            Step::Field(name) => text.extend([".", name]),
            Step::Item => text.push_str("[0]"),
        }
    }
    text
}
