//! Reads values out of the acquirer's JSON by JSONPath.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use klarna_schemas::nearest::nearest;
use serde_json::Value;
use serde_json_path::JsonPath;
use serde_saphyr::Spanned;

use super::error::{self, AdapterError};
use super::node::{Node, Shape};
use super::source::{Place, Source};

/// What the answer carries of Klarna's word to the Partner (AP-12).
pub(crate) const RESPONSE_DATA: &str = "network_response_data";

/// Names that the suite itself looks for; an adapter may read others for its own templates.
pub(super) const NAMES: &[&str] = &["payment_id", "redirect_url", "payment_request_id", RESPONSE_DATA];

/// Compiles a JSONPath, complaining at its place.
pub(super) fn compile(source: &Source, text: &str, place: Place) -> Result<JsonPath, AdapterError> {
    JsonPath::parse(text).map_err(|error| {
        source.complain(
            place,
            &format!("\"{text}\" is no JSONPath: {}", error.message()),
            Some("a JSONPath begins with $, as in $.payment.id or $['odd name'] (RFC 9535)"),
        )
    })
}

/// Named values, each read by one JSONPath.
#[derive(Debug, Clone)]
pub(super) struct Reads(Vec<Read>);

#[derive(Debug, Clone)]
struct Read {
    name: String,
    from: From,
}

/// Where a value stands.
#[derive(Debug, Clone)]
enum From {
    Body(Path),
    Header(String),
    /// In JSON that stands as text in the body.
    Inside(Path, Path),
}

#[derive(Debug, Clone)]
struct Path {
    /// As written; the library's own rendering is not exact.
    text: String,
    path: JsonPath,
}

const KEYS: &[&str] = &["header", "inside", "path"];

/// A JSONPath that should give one value and gives several.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read.{name}: {path} matches {count} values, it must match one")]
pub(super) struct Ambiguous {
    name: String,
    path: String,
    count: usize,
}

impl Reads {
    pub(super) fn compile(
        source: &Source,
        paths: &IndexMap<Spanned<String>, Node>,
    ) -> Result<Self, AdapterError> {
        let read = |(name, node): (&Spanned<String>, &Node)| {
            let slip = (!NAMES.contains(&name.value.as_str())).then(|| nearest(&name.value, NAMES)).flatten();
            if slip.is_some() {
                return Err(source.unknown(name.referenced.into(), "name to read", &name.value, NAMES));
            }
            Ok(Read { name: name.value.clone(), from: From::compile(source, node)? })
        };
        error::all(paths.iter().map(read)).map(Self)
    }

    /// As [`Self::compile`]; mistakes are noted, and the names are known all the same.
    pub(super) fn noting(source: &Source, paths: &IndexMap<Spanned<String>, Node>) -> Self {
        source.sift(Self::compile(source, paths)).unwrap_or_else(|| {
            let unread = |name: &Spanned<String>| {
                // What was meant, so that nobody complains that it is missing.
                let meant = nearest(&name.value, NAMES).unwrap_or(&name.value).to_owned();
                Read { name: meant, from: From::Header(String::new()) }
            };
            Self(paths.keys().map(unread).collect())
        })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|read| read.name.as_str())
    }

    /// Each name, and where its value stands, in words and in order.
    pub(super) fn in_words(&self) -> Vec<(String, String)> {
        self.0.iter().map(|read| (read.name.clone(), read.from.words())).collect()
    }

    /// What is found; what finds nothing, or null, is left out.
    pub(super) fn read(
        &self,
        headers: &[(String, String)],
        body: &Value,
    ) -> Result<BTreeMap<String, String>, Ambiguous> {
        let mut found = BTreeMap::new();
        for Read { name, from } in &self.0 {
            let value = match from {
                From::Header(header) => headers
                    .iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(header))
                    .map(|(_, value)| value.clone()),
                From::Body(path) => path.find(name, body)?,
                From::Inside(outer, inner) => {
                    match outer.find(name, body)?.map(|text| serde_json::from_str(&text)) {
                        Some(Ok(within)) => inner.find(name, &within)?,
                        Some(Err(_)) | None => None,
                    }
                }
            };
            found.extend(value.map(|value| (name.clone(), value)));
        }
        Ok(found)
    }
}

impl From {
    fn words(&self) -> String {
        match self {
            Self::Body(path) => path.text.clone(),
            Self::Header(name) => format!("the header {name}"),
            Self::Inside(outer, inner) => format!("{} in the JSON text at {}", inner.text, outer.text),
        }
    }

    fn compile(source: &Source, node: &Node) -> Result<Self, AdapterError> {
        let path = |node: &Node| match node.shape() {
            Shape::Text(text) => Ok(Path { text: text.clone(), path: compile(source, text, node.place())? }),
            _ => Err(source.complain(node.place(), "this takes a JSONPath", None)),
        };
        let Shape::Map(pairs) = node.shape() else { return path(node).map(Self::Body) };
        for (key, _) in pairs {
            if !KEYS.contains(&key.value.as_str()) {
                return Err(source.unknown(key.referenced.into(), "key", &key.value, KEYS));
            }
        }
        match (node.get("header").map(Node::shape), node.get("inside"), node.get("path")) {
            (Some(Shape::Text(name)), None, None) => Ok(Self::Header(name.clone())),
            (None, Some(outer), Some(inner)) => Ok(Self::Inside(path(outer)?, path(inner)?)),
            _ => Err(source.complain(
                node.place(),
                "a value is read by a JSONPath, from a header, or from JSON text inside the body",
                Some("read: {payment_id: $.id, redirect_url: {header: location}, token: {inside: $.data, path: $.token}}"),
            )),
        }
    }
}

impl Path {
    /// The one value that it finds, as text.
    fn find(&self, name: &str, body: &Value) -> Result<Option<String>, Ambiguous> {
        let nodes = self.path.query(body);
        if nodes.len() > 1 {
            return Err(Ambiguous { name: name.to_owned(), path: self.text.clone(), count: nodes.len() });
        }
        Ok(match nodes.first() {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reads(yaml: &str) -> Result<Reads, AdapterError> {
        let source = Source::new("a.yaml".to_owned(), yaml.to_owned());
        Reads::compile(&source, &serde_saphyr::from_str(yaml).unwrap())
    }

    #[test]
    fn one_match_is_read_and_none_is_left_out() {
        let reads = reads("payment_id: $.data.id\nredirect_url: $.next['go to']\nown: $.n\n").unwrap();
        let body = json!({"data": {"id": "p\u{e9}1"}, "next": {"go to": null}, "n": 7});
        let found = reads.read(&[], &body).unwrap();
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("own".to_owned(), "7".to_owned()), ("payment_id".to_owned(), "pé1".to_owned()),]
        );
    }

    #[test]
    fn headers_and_json_inside_text_are_read() {
        let yaml = "redirect_url: {header: Location}\nown: {inside: $.data, path: $.a.b}\nnone: {inside: $.id, path: $.a}\n";
        let headers = [("location".to_owned(), "https://x.example/".to_owned())];
        let found =
            reads(yaml).unwrap().read(&headers, &json!({"data": "{\"a\":{\"b\":7}}", "id": "p"})).unwrap();
        let found: Vec<_> = found.into_iter().collect();
        assert_eq!(
            found,
            [
                ("own".to_owned(), "7".to_owned()),
                ("redirect_url".to_owned(), "https://x.example/".to_owned())
            ]
        );
        let error = reads("own: {heder: x}\n").unwrap_err();
        assert_eq!((error.place().as_str(), error.nearest()), ("a.yaml:1:7", Some("header")));
        assert!(reads("own: {inside: $.a}\n").is_err());
    }

    #[test]
    fn several_matches_are_refused_by_name() {
        let error =
            reads("payment_id: $..id\n").unwrap().read(&[], &json!([{"id": 1}, {"id": 2}])).unwrap_err();
        assert_eq!(error.to_string(), "read.payment_id: $..id matches 2 values, it must match one");
    }

    #[test]
    fn a_bad_path_and_a_slip_of_the_pen_are_shown_at_their_place() {
        let error = reads("payment_id: data.id\n").unwrap_err();
        assert_eq!((error.line(), error.column()), (Some(1), Some(13)));
        assert!(error.message().contains("\"data.id\" is no JSONPath"), "{error}");
        let error = reads("redirct_url: $.url\n").unwrap_err();
        assert_eq!(error.nearest(), Some("redirect_url"));
        assert_eq!(error.place(), "a.yaml:1:1");
    }
}
