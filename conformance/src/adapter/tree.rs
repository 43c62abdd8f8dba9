//! A body as the adapter draws it: a tree whose string leaves are templates.

use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use tera::Context;

use super::error::{self, AdapterError};
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
    /// `{$json: tree}`: the text of the tree as JSON.
    Text(Box<Tree>),
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
            Shape::Text(text) => {
                let leaf = templates.value(text, node.place());
                // A mistake is noted, so that the leaves around it are looked at, too.
                Ok(templates.source().sift(leaf).map_or(Self::Constant(Value::Null), Self::Leaf))
            }
            Shape::List(items) => {
                error::all(items.iter().map(|item| Self::compile(item, templates))).map(Self::List)
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
            Shape::Map(pairs) if node.get("$json").is_some() => match pairs.as_slice() {
                [(_, tree)] => Ok(Self::Text(Box::new(Self::compile(tree, templates)?))),
                _ => Err(templates.source().complain(
                    node.place(),
                    "$json stands alone in its mapping",
                    Some("{$json: {amount: \"{{ order.amount }}\"}} gives the JSON text of what is in it"),
                )),
            },
            Shape::Map(pairs) => {
                let member = |(key, value): &(Spanned<String>, Node)| {
                    Ok((key.value.clone(), Self::compile(value, templates)?))
                };
                error::all(pairs.iter().map(member)).map(Self::Map)
            }
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
            Self::Text(tree) => tree.check(templates, sample),
            Self::List(items) => error::all(items.iter().map(|item| item.check(templates, sample))).map(drop),
            Self::Map(pairs) => {
                error::all(pairs.iter().map(|(_, value)| value.check(templates, sample))).map(drop)
            }
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
            Self::Text(tree) => {
                Ok(tree.render(templates, context)?.map(|value| Value::String(value.to_string())))
            }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::source::Source;
    use super::super::template::context;
    use super::*;

    fn compile(yaml: &str) -> Result<(Tree, Templates), AdapterError> {
        let mut templates = Templates::new(Source::new("a.yaml".to_owned(), yaml.to_owned()));
        let node: Node = serde_saphyr::from_str(yaml).unwrap();
        let tree = Tree::compile(&node, &mut templates)?;
        templates.source().verdict()?;
        Ok((tree, templates))
    }

    fn rendered(yaml: &str, variables: &Value) -> Result<Option<Value>, TemplateError> {
        let (tree, templates) = compile(yaml).unwrap();
        tree.render(&templates, &context(variables))
    }

    fn complaint(yaml: &str, variables: &Value) -> AdapterError {
        match compile(yaml) {
            Err(error) => error,
            Ok((tree, templates)) => tree.check(&templates, variables).unwrap_err(),
        }
    }

    #[test]
    fn a_sole_expression_keeps_its_type_and_any_other_leaf_is_text() {
        let order = json!({"order": {"amount": 45_900, "rate": 1.5, "ok": true, "none": null, "all": [1, {"z": 1, "a": 2}]}});
        let yaml = r#"{a: "{{ order.amount }}", b: "x{{ order.amount }}", c: 7, d: "{{ order.all }}", e: "{{- order.ok -}}", f: "{{ order.none }}", g: ["{{ order.rate }}", null, plain], h: " {{ order.amount + 1 }} "}"#;
        assert_eq!(
            rendered(yaml, &order).unwrap(),
            Some(json!({
                "a": 45_900, "b": "x45900", "c": 7, "d": [1, {"z": 1, "a": 2}], "e": true, "f": null,
                "g": [1.5, null, "plain"], "h": 45_901,
            }))
        );
    }

    #[test]
    fn omit_drops_the_key_or_the_item_and_keeps_what_is_there() {
        let order = json!({"order": {"none": null, "empty": "", "zero": 0, "text": "t"}});
        let yaml = r#"{a: "{{ order.none | omit }}", b: "{{ order.empty | omit }}", c: "{{ order.zero | omit }}", d: ["{{ order.none | omit }}", "{{ order.text | omit }}"], e: "x{{ order.none | omit }}", f: {g: "{{ order.none | omit }}"}}"#;
        assert_eq!(rendered(yaml, &order).unwrap(), Some(json!({"b": "", "c": 0, "d": ["t"], "f": {}})));
    }

    #[test]
    fn each_member_of_a_list_becomes_an_item() {
        let order = json!({"order": {"currency": "SEK", "lines": [{"name": "a", "total": 1250}, {"name": "b", "total": -5}]}});
        let yaml = r#"{lines: {$each: "{{ order.lines }}", as: line, item: {Label: "{{ line.name }}", total: "{{ line.total | decimal }}", of: "{{ order.currency }}"}}}"#;
        assert_eq!(
            rendered(yaml, &order).unwrap(),
            Some(json!({"lines": [
                {"Label": "a", "total": "12.50", "of": "SEK"},
                {"Label": "b", "total": "-0.05", "of": "SEK"},
            ]}))
        );
        assert_eq!(
            complaint(r#"{$each: "{{ order.currency }}", as: x, item: 1}"#, &order).message(),
            "$each takes an expression that gives a list"
        );
        let error = complaint(r#"{$each: "{{ order.lines }}", as: x, itme: 1}"#, &order);
        assert_eq!((error.nearest(), error.place().as_str()), (Some("item"), "a.yaml:1:37"));
        let error = complaint(r#"{$each: "{{ order.lines }}", as: x, item: "{{ x.nam }}"}"#, &order);
        assert_eq!((error.nearest(), error.place().as_str()), (Some("name"), "a.yaml:1:49"));
    }

    #[test]
    fn json_text_stands_in_json() {
        let order = json!({"order": {"network_data": "{ \"b\": 1.0 }", "none": null}});
        let yaml = r#"{meta: {$json: {data: "{{ order.network_data }}", n: [1, "{{ order.none | omit }}"]}}, gone: {$json: "{{ order.none | omit }}"}}"#;
        let value = rendered(yaml, &order).unwrap().unwrap();
        let text = value["meta"].as_str().unwrap();
        let inner: Value = serde_json::from_str(text).unwrap();
        assert_eq!(inner, json!({"data": "{ \"b\": 1.0 }", "n": [1]}));
        assert!(value.get("gone").is_none());
        assert!(complaint("{$json: 1, b: 2}", &order).message().contains("alone"));
    }

    #[test]
    fn decimals_follow_the_currency() {
        let order = json!({"order": {"currency": "JPY", "amount": 1200}});
        let render = |yaml| rendered(yaml, &order).unwrap();
        assert_eq!(render(r#""{{ order.amount | decimal }}""#), Some(json!("1200")));
        assert_eq!(render(r#""{{ order.amount | decimal(currency='KWD') }}""#), Some(json!("1.200")));
        let error = rendered(r#""{{ 5 | decimal }}""#, &json!({})).unwrap_err();
        assert!(error.message.contains("decimal(currency=order.currency)"), "{error}");
    }

    /// The point of it all: whatever the string holds, it arrives.
    #[test]
    fn network_data_is_placed_byte_for_byte_and_never_evaluated() {
        for data in [
            r#"{"b":1,"a":2}"#,
            "{ \"a\" :\t1.0 ,\n \"a\": 2 }\n",
            r#"{"a":"\u00e9\/ \ud83d\ude00"}"#,
            "{\"a\":\"é\u{301}\u{2028}\u{7f}\u{0}\u{1}\"}\r\n",
            "{{ order.amount }}{% if x %}{# gone #}",
            "\"quoted\" and 'quoted' \\ and ${HOME} and \u{1}omitted\u{1}",
            "",
            " ",
        ] {
            let order = json!({"order": {"network_data": data}});
            let yaml = r#"{deep: [{data: "{{ order.network_data | omit }}"}], in_text: "<{{ order.network_data }}>"}"#;
            let (tree, templates) = compile(yaml).unwrap();
            let value = tree.render(&templates, &context(&order)).unwrap().unwrap();
            assert_eq!(value.pointer("/deep/0/data").and_then(Value::as_str), Some(data));
            // Once more over the wire.
            let decoded: Value = serde_json::from_str(&value.to_string()).unwrap();
            assert_eq!(decoded.pointer("/deep/0/data").and_then(Value::as_str), Some(data));
            if !data.contains('\u{1}') {
                assert_eq!(value.pointer("/in_text"), Some(&json!(format!("<{data}>"))));
            }
        }
    }

    #[test]
    fn an_absent_value_is_an_error_that_names_what_there_is() {
        let order = json!({"order": {"amount": 1, "currency": "SEK"}});
        let yaml = "a: 1\nb:\n  c: \"{{ order.amuont }}\"\n";
        let error = rendered(yaml, &order).unwrap_err();
        assert_eq!(error.place, "a.yaml:3:16");
        assert!(error.message.contains("Available fields: amount, currency"), "{error}");
        let error = complaint(yaml, &order);
        assert_eq!(error.place(), "a.yaml:3:16");
        assert_eq!(error.message(), "unknown field of order \"amuont\"");
        assert_eq!(error.nearest(), Some("amount"));
    }

    #[test]
    fn mistakes_are_found_at_load_even_behind_omit_filters_and_conditions() {
        let order = json!({"order": {"network_data": "{}", "currency": "SEK"}});
        for (yaml, place, nearest) in [
            (r#"a: "{{ order.netwrok_data | omit }}""#, "a.yaml:1:14", Some("network_data")),
            (r#"a: "{% if false %}{{ order.curency }}{% endif %}""#, "a.yaml:1:28", Some("currency")),
            (r#"a: "{{ order.currency ~ 'order.nothing' ~ order.x }}""#, "a.yaml:1:49", None),
            (r#"a: "{{ ordre.currency }}""#, "a.yaml:1:8", Some("order")),
            (r#"a: "{{ ordre | omit }}""#, "a.yaml:1:8", Some("order")),
            (r#"a: "{{ order.currency | omti }}""#, "a.yaml:1:25", Some("omit")),
            ("a: |\n  one\n  two {{ order.curency }}\n", "a.yaml:3:16", Some("currency")),
            (r#"a: "{{ order.currency ""#, "a.yaml:1:22", None),
            (r#"a: "{{ order.currency | decimal }}""#, "a.yaml:1:8", None),
        ] {
            let error = complaint(yaml, &order);
            assert_eq!((error.place().as_str(), error.nearest()), (place, nearest), "{error}");
        }
    }
}
