//! A piece of YAML of any shape that remembers where it stands.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::source::Place;

/// Any YAML value and its place.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Node(Spanned<Shape>);

/// What a node can be.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// Anything but text, a list or a mapping.
    Scalar(Value),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Spanned<String>, Node)>),
}

impl Node {
    pub(super) fn shape(&self) -> &Shape {
        &self.0.value
    }

    pub(super) fn place(&self) -> Place {
        self.0.referenced.into()
    }

    /// The value of a key, if this is a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match self.shape() {
            Shape::Map(pairs) => pairs.iter().find(|(name, _)| name.value == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The scalar that stands here, text included.
    pub(super) fn scalar(&self) -> Option<Value> {
        match self.shape() {
            Shape::Scalar(value) => Some(value.clone()),
            Shape::Text(text) => Some(Value::String(text.clone())),
            Shape::List(_) | Shape::Map(_) => None,
        }
    }
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
        Ok(Shape::Text(value.to_owned()))
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
