//! A body as the adapter draws it: a tree whose string leaves are templates.

use serde_json::{Map, Value};
use tera::Context;

use super::error::AdapterError;
use super::node::{Node, Shape};
use super::source::Place;
use super::template::{Template, TemplateError, Templates};

/// A compiled tree.
#[derive(Debug, Clone)]
pub(super) enum Tree {
    Constant(Value),
    Leaf(Template),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
    /// `{$each: "{{ list }}", as: name, item: tree}`: one item a member of the list.
    Each {
        list: Template,
        name: String,
        item: Box<Tree>,
    },
}

const EACH_KEYS: &[&str] = &["$each", "as", "item"];

impl Tree {
    pub(super) fn compile(node: &Node, templates: &mut Templates) -> Result<Self, AdapterError> {
        match node.shape() {
            Shape::Scalar(value) => Ok(Self::Constant(value.clone())),
            Shape::Text(text) => Ok(Self::Leaf(templates.value(text, node.place())?)),
            Shape::List(items) => {
                items.iter().map(|item| Self::compile(item, templates)).collect::<Result<_, _>>().map(Self::List)
            }
            Shape::Map(pairs) if node.get("$each").is_some() => {
                for (key, _) in pairs {
                    if !EACH_KEYS.contains(&key.value.as_str()) {
                        let place: Place = key.referenced.into();
                        return Err(templates.source().unknown(
                            place,
                            "key beside $each",
                            &key.value,
                            EACH_KEYS,
                        ));
                    }
                }
                Self::compile_each(node, templates)
            }
            Shape::Map(pairs) => pairs
                .iter()
                .map(|(key, value)| Ok((key.value.clone(), Self::compile(value, templates)?)))
                .collect::<Result<_, _>>()
                .map(Self::Map),
        }
    }

    fn compile_each(node: &Node, templates: &mut Templates) -> Result<Self, AdapterError> {
        let part = |key: &str, templates: &Templates| {
            node.get(key).cloned().ok_or_else(|| {
                templates.source().complain(
                    node.place(),
                    &format!("$each needs the key \"{key}\" beside it"),
                    Some("{$each: \"{{ order.lines }}\", as: line, item: {name: \"{{ line.name }}\"}}"),
                )
            })
        };
        let text = |node: &Node, templates: &Templates, what: &str| match node.shape() {
            Shape::Text(text) => Ok(text.clone()),
            _ => Err(templates.source().complain(node.place(), what, None)),
        };
        let (list, name, item) =
            (part("$each", templates)?, part("as", templates)?, part("item", templates)?);
        let expression = text(&list, templates, "$each takes an expression that gives a list")?;
        let name = text(&name, templates, "\"as\" takes the name of a variable")?;
        let list = templates.value(&expression, list.place())?;
        Ok(Self::Each { list, name, item: Box::new(Self::compile(&item, templates)?) })
    }

    /// Checks every leaf against sample variables.
    pub(super) fn check(&self, templates: &Templates, sample: &Value) -> Result<(), AdapterError> {
        match self {
            Self::Constant(_) => Ok(()),
            Self::Leaf(leaf) => templates.check(leaf, sample),
            Self::List(items) => items.iter().try_for_each(|item| item.check(templates, sample)),
            Self::Map(pairs) => pairs.iter().try_for_each(|(_, value)| value.check(templates, sample)),
            Self::Each { list, name, item } => {
                templates.check(list, sample)?;
                let variables = super::template::context(sample);
                let members = templates.render_value(list, &variables).ok().flatten();
                let Some(Value::Array(members)) = members else {
                    return Err(templates.complain(list, "$each takes an expression that gives a list"));
                };
                let mut inner = sample.clone();
                if let (Some(first), Some(fields)) = (members.into_iter().next(), inner.as_object_mut()) {
                    fields.insert(name.clone(), first);
                }
                item.check(templates, &inner)
            }
        }
    }

    /// The value of the tree; `None` when all of it was omitted.
    pub(super) fn render(
        &self,
        templates: &Templates,
        context: &Context,
    ) -> Result<Option<Value>, TemplateError> {
        match self {
            Self::Constant(value) => Ok(Some(value.clone())),
            Self::Leaf(leaf) => templates.render_value(leaf, context),
            Self::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.extend(item.render(templates, context)?);
                }
                Ok(Some(Value::Array(list)))
            }
            Self::Map(pairs) => {
                let mut map = Map::new();
                for (key, value) in pairs {
                    if let Some(value) = value.render(templates, context)? {
                        map.insert(key.clone(), value);
                    }
                }
                Ok(Some(Value::Object(map)))
            }
            Self::Each { list, name, item } => {
                let Some(members) = templates.render_value(list, context)? else { return Ok(None) };
                let Value::Array(members) = members else {
                    return Err(templates.fail(list, "$each takes an expression that gives a list"));
                };
                let mut rendered = Vec::with_capacity(members.len());
                for member in members {
                    let mut inner = context.clone();
                    inner.insert(name.clone(), &member);
                    rendered.extend(item.render(templates, &inner)?);
                }
                Ok(Some(Value::Array(rendered)))
            }
        }
    }
}
