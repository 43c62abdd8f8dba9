//! Reads values out of the acquirer's JSON by JSONPath.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use klarna_schemas::nearest::nearest;
use serde_json::Value;
use serde_json_path::JsonPath;
use serde_saphyr::Spanned;

use super::error::AdapterError;
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
    /// As written; the library's own rendering is not exact.
    text: String,
    path: JsonPath,
}

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
        paths: &IndexMap<Spanned<String>, Spanned<String>>,
    ) -> Result<Self, AdapterError> {
        let mut reads = Vec::new();
        for (name, path) in paths {
            let slip = (!NAMES.contains(&name.value.as_str())).then(|| nearest(&name.value, NAMES)).flatten();
            if slip.is_some() {
                return Err(source.unknown(name.referenced.into(), "name to read", &name.value, NAMES));
            }
            let (name, text) = (name.value.clone(), path.value.clone());
            reads.push(Read { name, path: compile(source, &text, path.referenced.into())?, text });
        }
        Ok(Self(reads))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|read| read.name.as_str())
    }

    /// What the paths find; a path that finds nothing, or null, is left out.
    pub(super) fn read(&self, body: &Value) -> Result<BTreeMap<String, String>, Ambiguous> {
        let mut found = BTreeMap::new();
        for Read { name, text, path } in &self.0 {
            let nodes = path.query(body);
            if nodes.len() > 1 {
                return Err(Ambiguous { name: name.clone(), path: text.clone(), count: nodes.len() });
            }
            match nodes.first() {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => {
                    found.insert(name.clone(), text.clone());
                }
                Some(other) => {
                    found.insert(name.clone(), other.to_string());
                }
            }
        }
        Ok(found)
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
        let found = reads.read(&body).unwrap();
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("own".to_owned(), "7".to_owned()), ("payment_id".to_owned(), "pé1".to_owned()),]
        );
    }

    #[test]
    fn several_matches_are_refused_by_name() {
        let error = reads("payment_id: $..id\n").unwrap().read(&json!([{"id": 1}, {"id": 2}])).unwrap_err();
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
