//! A file of TOML or YAML as JSON, with the place of each part.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use toml::de::{DeTable, DeValue};

use super::Complaint;
use crate::behaviour::mistake::{dotted, part};

/// A place in a text: line and column from 1, in characters, and the offset in bytes. All 0 where none is
/// known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) offset: usize,
}

/// A document, and where its parts stand: by JSON pointer.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) value: Value,
    places: HashMap<String, Place>,
}

impl Located {
    /// Whether there is nothing but space and comments.
    pub(super) fn is_empty(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Object(members) => members.is_empty(),
            _ => false,
        }
    }

    /// The place of what a pointer names; of what it stands in, where that is not there.
    pub(super) fn place(&self, pointer: &str) -> Place {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.places.get(pointer) {
                return *place;
            }
            match pointer.rsplit_once('/') {
                Some((above, _)) => pointer = above,
                None => return Place::default(),
            }
        }
    }

    /// The same for a name with dots: `rules[0].when`.
    pub(super) fn place_of_parameter(&self, parameter: &str) -> Place {
        let mut parameter = parameter;
        loop {
            let known = self.places.iter().find(|(pointer, _)| dotted(pointer) == parameter);
            if let Some((_, place)) = known {
                return *place;
            }
            match parameter.rfind(['.', '[']) {
                Some(end) => parameter = parameter.get(..end).unwrap_or_default(),
                None => return self.places.get("").copied().unwrap_or_default(),
            }
        }
    }
}

/// The place of a byte.
fn place_at(text: &str, offset: usize) -> Place {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    Place { line, column: before.get(start..).unwrap_or_default().chars().count() + 1, offset }
}

/// Reads TOML.
pub(super) fn of_toml(text: &str) -> Result<Located, Complaint> {
    let table = DeTable::parse(text).map_err(|error| {
        let place = error.span().map_or_else(Place::default, |span| place_at(text, span.start));
        Complaint::new(place, error.message(), "this is no TOML")
    })?;
    let mut places = HashMap::new();
    places.insert(String::new(), place_at(text, 0));
    let value = table_of_toml(text, table.get_ref(), "", &mut places);
    Ok(Located { value, places })
}

fn table_of_toml(text: &str, table: &DeTable<'_>, at: &str, places: &mut HashMap<String, Place>) -> Value {
    let mut members = Map::new();
    for (name, value) in table {
        let pointer = format!("{at}/{}", part(name.get_ref()));
        // A mistake in a value is shown at the value, one in a table at its name.
        let place = match value.get_ref() {
            DeValue::Table(_) | DeValue::Array(_) => name.span().start,
            _ => value.span().start,
        };
        // What is known of a name is where the name stands: rules look up conditions by name.
        let place = if at.ends_with("/body") || at.ends_with("/headers") { name.span().start } else { place };
        places.insert(pointer.clone(), place_at(text, place));
        let value = value_of_toml(text, value.get_ref(), &pointer, places);
        members.insert(name.get_ref().to_string(), value);
    }
    Value::Object(members)
}

fn value_of_toml(text: &str, value: &DeValue<'_>, at: &str, places: &mut HashMap<String, Place>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::from(number.to_string()), Value::from),
        DeValue::Float(number) => {
            number.as_str().parse::<f64>().map_or_else(|_| Value::from(number.to_string()), Value::from)
        }
        DeValue::Boolean(truth) => Value::from(*truth),
        DeValue::Datetime(time) => Value::from(time.to_string()),
        DeValue::Array(items) => {
            let mut list = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let pointer = format!("{at}/{index}");
                places.insert(pointer.clone(), place_at(text, item.span().start));
                list.push(value_of_toml(text, item.get_ref(), &pointer, places));
            }
            Value::Array(list)
        }
        DeValue::Table(table) => table_of_toml(text, table, at, places),
    }
}

/// Reads YAML.
pub(super) fn of_yaml(text: &str) -> Result<Located, Complaint> {
    let node: Node = serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        let place = error.location().map(|location| yaml_place(text, location)).unwrap_or_default();
        let message = error.to_string();
        // The place is shown apart; the parser repeats it at the end of its sentence.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(before, _)| before);
        // Nor do readers of the file call the parser's functions.
        let message = message.split_once("; use from_").map_or(message, |(before, _)| before);
        Complaint::new(place, message, "this is no YAML that can be read")
    })?;
    let mut places = HashMap::new();
    let value = value_of_yaml(text, &node, "", &mut places);
    Ok(Located { value, places })
}

fn yaml_place(text: &str, location: serde_saphyr::Location) -> Place {
    let number = |value: u64| usize::try_from(value).unwrap_or(0);
    let (line, column) = (number(location.line()), number(location.column()));
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let within = text.get(start..).unwrap_or_default().char_indices().nth(column.saturating_sub(1));
    Place { line, column, offset: start + within.map_or(0, |(offset, _)| offset) }
}

fn value_of_yaml(text: &str, node: &Node, at: &str, places: &mut HashMap<String, Place>) -> Value {
    places.entry(at.to_owned()).or_insert_with(|| yaml_place(text, node.0.referenced));
    match &node.0.value {
        Shape::Scalar(value) => value.clone(),
        Shape::List(items) => {
            let item = |(index, item)| value_of_yaml(text, item, &format!("{at}/{index}"), places);
            Value::Array(items.iter().enumerate().map(item).collect())
        }
        Shape::Map(pairs) => {
            let mut members = Map::new();
            for (name, node) in pairs {
                let pointer = format!("{at}/{}", part(&name.value));
                if !matches!(node.0.value, Shape::Scalar(_))
                    || at.ends_with("/body")
                    || at.ends_with("/headers")
                {
                    places.insert(pointer.clone(), yaml_place(text, name.referenced));
                }
                members.insert(name.value.clone(), value_of_yaml(text, node, &pointer, places));
            }
            Value::Object(members)
        }
    }
}

/// Any YAML value and its place.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Node(Spanned<Shape>);

/// What a node can be.
#[derive(Debug)]
enum Shape {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<(Spanned<String>, Node)>),
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Shape, E> {
        Ok(Shape::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Shape, E> {
        Ok(Shape::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Shape, E> {
        Ok(Shape::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Shape, E> {
        Ok(Shape::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Shape, E> {
        Ok(Shape::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Shape, E> {
        Ok(Shape::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Shape::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Shape, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = entries.next_entry()? {
            pairs.push(pair);
        }
        Ok(Shape::Map(pairs))
    }
}
