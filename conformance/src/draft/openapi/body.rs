//! What of an order stands where in a body.

use serde_json::Value;

use super::super::words::{self, Meaning};
use super::super::{Body, Content, Field, Sure};
use super::document::{Document, Shape};
use super::likely;

/// How deep a body is looked through.
const DEPTH_MAX: usize = 6;

/// How a member was come to.
#[derive(Debug, Default)]
struct Way {
    /// The names from the top.
    names: Vec<String>,
    /// The references that were followed: one that stands here leads in a circle.
    references: Vec<String>,
}

impl Way {
    fn to(schema: &Value) -> Self {
        Self { names: Vec::new(), references: reference(schema).into_iter().collect() }
    }

    fn leads_back_to(&self, schema: &Value) -> bool {
        reference(schema).is_some_and(|reference| self.references.contains(&reference))
    }
}

fn reference(schema: &Value) -> Option<String> {
    schema.get("$ref").and_then(Value::as_str).map(str::to_owned)
}

/// The body of a call.
pub(super) fn of(document: &Document, operation: &Value) -> Option<Body> {
    let body = operation.get("requestBody")?;
    let Some((kind, schema)) = document.body_schema(body) else {
        let fields = vec![Field {
            name: "body".to_owned(),
            content: Content::Todo("neither JSON nor a form: see `body` in the guide".to_owned()),
        }];
        return Some(Body { kind: "json", fields, left_out: Vec::new() });
    };
    let (fields, left_out) = members(document, &document.shape(schema), &mut Way::to(schema), false);
    Some(Body { kind, fields, left_out })
}

/// Whether some member of a schema means a variable.
pub(super) fn names(document: &Document, schema: &Value, variable: &str) -> bool {
    let (fields, _) = members(document, &document.shape(schema), &mut Way::to(schema), false);
    uses(&fields, variable)
}

/// Whether some template of a body names a variable.
pub(super) fn uses(fields: &[Field], variable: &str) -> bool {
    fields.iter().any(|field| match &field.content {
        Content::Template(template, _) => template.contains(variable),
        Content::Object(members, _) | Content::Lines(members, _) => uses(members, variable),
        Content::Constant(..) | Content::Todo(_) => false,
    })
}

/// The members of a mapping, and the names of those that are left out.
fn members(document: &Document, shape: &Shape, way: &mut Way, in_line: bool) -> (Vec<Field>, Vec<String>) {
    let (mut fields, mut left_out) = (Vec::new(), Vec::new());
    for (name, schema) in &shape.members {
        let member = document.shape(schema);
        let content = if in_line {
            of_line(name, &member)
        } else if way.leads_back_to(schema) {
            None
        } else {
            let before = way.references.len();
            way.references.extend(reference(schema));
            let content = of_order(document, name, &member, way);
            way.references.truncate(before);
            content
        };
        let content = content.or_else(|| fixed(&member, shape.needs(name)));
        match content {
            Some(content) => fields.push(Field { name: name.clone(), content }),
            None if shape.needs(name) => {
                let content = Content::Todo(wanted(name, &member));
                fields.push(Field { name: name.clone(), content });
            }
            None => left_out.push(name.clone()),
        }
    }
    (fields, left_out)
}

fn of_order(document: &Document, name: &str, member: &Shape, way: &mut Way) -> Option<Content> {
    if let Some(items) = &member.items {
        let item = document.shape(items);
        if !words::names_lines(name) || !item.is_object() {
            return None;
        }
        let (fields, left_out) = members(document, &item, way, true);
        return Some(Content::Lines(fields, left_out));
    }
    if member.is_object() {
        if way.names.len() >= DEPTH_MAX {
            return None;
        }
        way.names.push(name.to_owned());
        let (fields, left_out) = members(document, member, way, false);
        way.names.pop();
        // Members that nothing of an order stands in are no reason to send the whole.
        let says_something =
            |field: &Field| !matches!(field.content, Content::Todo(_) | Content::Constant(..));
        return fields.iter().any(says_something).then_some(Content::Object(fields, left_out));
    }
    if let Some(content) = mode(name, member) {
        return Some(content);
    }
    let meaning = words::of_order(&way.names, name)?;
    (meaning.variable != "order.mode").then(|| template(&meaning, member))
}

fn of_line(name: &str, member: &Shape) -> Option<Content> {
    if member.is_object() {
        return None;
    }
    words::of_line(name).map(|meaning| template(&meaning, member))
}

/// The template that gives a variable in the type that is asked for.
fn template(meaning: &Meaning, member: &Shape) -> Content {
    let variable = &meaning.variable;
    let kind = member.kind.as_deref().unwrap_or_default();
    let (filter, guess) = match kind {
        "string" if words::is_money(variable) => (" | decimal", Some("a text, so a decimal: 459.00")),
        "number" if words::is_money(variable) => {
            (" | decimal | float", Some("a number, so a decimal: 459.0"))
        }
        "string" if variable.ends_with(".quantity") => (" | str", None),
        _ if words::is_optional(variable) => (" | omit", None),
        _ => ("", None),
    };
    let sure = match guess {
        Some(why) => likely(why),
        None if meaning.same_name => Sure::Sure,
        None => likely("by its name"),
    };
    Content::Template(format!("{{{{ {variable}{filter} }}}}"), sure)
}

/// Which of two ways the Customer is led, in the acquirer's own words.
fn mode(name: &str, member: &Shape) -> Option<Content> {
    words::of_order(&[], name).filter(|meaning| meaning.variable == "order.mode")?;
    let words: Vec<&str> = member.words.iter().filter_map(Value::as_str).collect();
    if words.contains(&"redirect") && words.contains(&"sdk") {
        return Some(Content::Template("{{ order.mode }}".to_owned(), Sure::Sure));
    }
    let like = |known: &[&str]| {
        words.iter().find(|word| known.iter().any(|known| words::bare(word).contains(known)))
    };
    let (sdk, redirect) =
        (like(&["sdk", "app", "native"])?, like(&["redirect", "web", "browser", "hosted"])?);
    let text = format!("{{% if order.mode == 'sdk' %}}{sdk}{{% else %}}{redirect}{{% endif %}}");
    Some(Content::Template(text, likely(format!("{sdk} for the SDK, {redirect} for a redirect"))))
}

/// A word that is always the same.
fn fixed(member: &Shape, needed: bool) -> Option<Content> {
    let klarna = |word: &&Value| word.as_str().is_some_and(|word| words::bare(word).contains("klarna"));
    match member.words.as_slice() {
        [only] => Some(Content::Constant(only.clone(), Sure::Sure)),
        several => match (several.iter().find(klarna), &member.default) {
            (Some(word), _) => Some(Content::Constant(word.clone(), likely("Klarna's among several words"))),
            (None, Some(default)) if needed => {
                Some(Content::Constant(default.clone(), likely("the default")))
            }
            (None, _) => None,
        },
    }
}

/// What somebody must find out about a member.
fn wanted(name: &str, member: &Shape) -> String {
    let what = format!("{name} is needed, and nothing of an order is called so");
    if !member.words.is_empty() {
        let words: Vec<String> = member.words.iter().take(8).map(Value::to_string).collect();
        return format!("{what}; one of {}", words.join(", "));
    }
    match &member.kind {
        Some(kind) => format!("{what}; of type {kind}"),
        None => what,
    }
}
