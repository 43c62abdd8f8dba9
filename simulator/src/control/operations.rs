//! The operations of the control API: what documents and commands are made of.

mod table;

use klarna_schemas::catalogue;
use serde_json::json;

pub(crate) use self::table::CONTROL;
pub(crate) use super::query::Query;

/// In front of every path.
pub(crate) const BASE: &str = "/_simulator/v1";

/// One operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ControlOperation {
    /// Its name: a noun and what is done to it.
    pub(crate) id: &'static str,
    pub(crate) method: &'static str,
    /// Below [`BASE`].
    pub(crate) path: &'static str,
    /// What it does, in one line.
    pub(crate) summary: &'static str,
    /// The schema of its body, if it takes one.
    pub(crate) body: Option<&'static str>,
    /// What a success is: its status, and the schema of its body, if it has one.
    pub(crate) answer: (u16, Option<&'static str>),
    /// What its query takes.
    pub(crate) query: Query,
}

impl ControlOperation {
    /// Whether it can do nothing without a body: an empty one stands for an empty object.
    pub(crate) fn needs_body(&self) -> bool {
        let wrong = |schema| catalogue::check(schema, &json!({})).is_ok_and(|wrong| !wrong.is_empty());
        self.body.is_some_and(wrong)
    }
}

/// The operations at a path, which is given with what stands in front of it.
pub(crate) fn at(path: &str) -> impl Iterator<Item = &'static ControlOperation> {
    CONTROL.iter().filter(move |one| path.strip_prefix(BASE) == Some(one.path))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use klarna_schemas::catalogue::Catalogue;
    use regex::Regex;

    use super::*;

    #[test]
    fn the_table_has_every_route_and_no_other() {
        let source = include_str!("mod.rs");
        let route = Regex::new(r#"(?s)\.route\(\s*"([^"]+)",\s*(.*?)\)\s*(?:\n|$)"#).unwrap();
        let verb = Regex::new(r"\b(get|post|put|delete)\(").unwrap();
        let mut routed = BTreeSet::new();
        for found in route.captures_iter(source) {
            for method in verb.captures_iter(&found[2]) {
                routed.insert(format!("{} {}", method[1].to_uppercase(), &found[1]));
            }
        }
        let listed: BTreeSet<_> = CONTROL.iter().map(|one| format!("{} {}", one.method, one.path)).collect();
        assert_eq!(listed, routed);
        assert_eq!(listed.len(), CONTROL.len(), "none stands twice");
    }

    #[test]
    fn every_schema_that_it_names_is_there() {
        for one in CONTROL {
            for schema in one.body.iter().chain(&one.answer.1) {
                assert!(Catalogue::global().schema(schema).is_some(), "{}: {schema}", one.id);
            }
        }
        let ids: BTreeSet<_> = CONTROL.iter().map(|one| one.id).collect();
        assert_eq!(ids.len(), CONTROL.len());
    }
}
