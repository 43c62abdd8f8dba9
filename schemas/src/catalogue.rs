//! The catalogue of JSON Schemas: every shape that crosses a wire, compiled once, offline.
//!
//! This module is the only one that names the `jsonschema` crate. A schema is asked for by its
//! place without the suffix, e.g. `klarna/authorize-request`. Violations come in Klarna's dot
//! notation, with words for a person and never with a value out of the body, and each says whether
//! it rejects the body or is only to be reported (`x-report` in the schema file).

mod apart;
mod compile;
mod disposition;
mod documents;
mod embedded;
mod parameter;
mod reason;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

pub use self::apart::check_against;
pub use self::disposition::reports;
use self::documents::Documents;

/// How many violations one check names at most; a body with more is wrong enough.
pub const MOST_VIOLATIONS: usize = 100;

/// Every schema, ready to check with.
pub struct Catalogue {
    documents: Documents,
    validators: BTreeMap<String, Validator>,
    defects: BTreeMap<String, String>,
}

/// One way in which a body does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which field, in Klarna's dot notation: `supplementary_purchase_data.line_items[0].quantity`;
    /// a missing or unknown field by its own name; `$` for the body itself. At most 256 characters.
    pub parameter: String,
    /// What is wrong, for a person; holds no value out of the body. At most 512 characters.
    pub reason: String,
    /// The schema keyword that it breaks: `required`, `type`, `maxLength`, …
    pub keyword: String,
    /// What it means for the body.
    pub disposition: Disposition,
}

/// What a violation means for the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// The body is refused: 400 `VALIDATION_ERROR`.
    Reject,
    /// The body is accepted, and a finding is written. Strict mode rejects it too.
    Report,
}

/// There is no such schema, or its file is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no schema \"{name}\"{hint}")]
pub struct UnknownSchema {
    /// What was asked for.
    pub name: String,
    /// What may have been meant, or why the file is of no use; begins with a separator, or is empty.
    pub hint: String,
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalogue").field("names", &self.names().collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

/// [`Catalogue::check`] of the embedded catalogue.
pub fn check(name: &str, value: &Value) -> Result<Vec<Violation>, UnknownSchema> {
    Catalogue::global().check(name, value)
}

/// Every embedded schema file as it stands in the repository: its path, e.g.
/// `klarna/error.schema.json`, and its bytes. For those who write the files out again.
pub fn files() -> impl Iterator<Item = (String, std::borrow::Cow<'static, [u8]>)> {
    embedded::files().map(|(name, bytes)| (format!("{name}{}", embedded::SUFFIX), bytes))
}

impl Catalogue {
    /// The embedded catalogue, compiled at first use.
    pub fn global() -> &'static Self {
        static GLOBAL: LazyLock<Catalogue> = LazyLock::new(|| {
            Catalogue::of_files(embedded::files().map(|(name, bytes)| (name, bytes.into_owned())))
        });
        &GLOBAL
    }

    fn of_files(files: impl Iterator<Item = (String, Vec<u8>)>) -> Self {
        let mut documents = Documents::default();
        let mut defects = BTreeMap::new();
        for (name, bytes) in files {
            match serde_json::from_slice(&bytes) {
                Ok(document) => documents.insert(name, document),
                Err(error) => {
                    defects.insert(name, format!("is not JSON: {error}"));
                }
            }
        }
        let compile::Compiled { validators, defects } = compile::compile(&mut documents, defects);
        Self { documents, validators, defects }
    }

    /// Every way in which `value` does not fit the schema `name`, up to [`MOST_VIOLATIONS`]; those
    /// that reject come first. An empty list means that it fits.
    ///
    /// # Errors
    /// When there is no such schema.
    pub fn check(&self, name: &str, value: &Value) -> Result<Vec<Violation>, UnknownSchema> {
        let validator = self.validators.get(name).ok_or_else(|| self.unknown(name))?;
        let (mut rejecting, mut reported) = (Vec::new(), Vec::new());
        for error in validator.iter_errors(value) {
            // What was compiled is a lone `$ref` to the file.
            let path = error.evaluation_path().as_str();
            let path = path.strip_prefix("/$ref").unwrap_or(path);
            let disposition = disposition::disposition(&self.documents, name, path);
            // Reports by the thousand must not hide what rejects, so the search goes on.
            let into = match disposition {
                Disposition::Reject => &mut rejecting,
                Disposition::Report => &mut reported,
            };
            if into.len() < MOST_VIOLATIONS {
                unfold(value, &error, disposition, into);
            }
        }
        rejecting.append(&mut reported);
        rejecting.truncate(MOST_VIOLATIONS);
        Ok(rejecting)
    }

    /// The schema file itself.
    pub fn schema(&self, name: &str) -> Option<&Value> {
        self.documents.get(name)
    }

    /// What the `$ref` of a schema leads to, seen from the schema file `from`: the name of the file
    /// and the part of it.
    pub fn resolve<'a>(&'a self, from: &str, reference: &str) -> Option<(&'a str, &'a Value)> {
        self.documents.resolve(from, reference)
    }

    /// The names of all schemas, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.documents.iter().map(|(name, _)| name)
    }

    /// Schema files that are of no use, and why. Empty in any build that passed its tests.
    pub fn defects(&self) -> impl Iterator<Item = (&str, &str)> {
        self.defects.iter().map(|(name, why)| (name.as_str(), why.as_str()))
    }

    fn unknown(&self, name: &str) -> UnknownSchema {
        let hint = match self.defects.get(name) {
            Some(why) => format!(": {why}"),
            None => self
                .names()
                .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)))
                .map_or_else(String::new, |nearest| format!("; did you mean \"{nearest}\"?")),
        };
        UnknownSchema { name: name.to_owned(), hint }
    }
}

/// Turns one error of the validator into what a reader needs: a violation for each missing or
/// unknown field, and for alternatives the one that was meant.
fn unfold(value: &Value, error: &ValidationError<'_>, disposition: Disposition, into: &mut Vec<Violation>) {
    use ValidationErrorKind as Kind;
    let here = parameter::of_pointer(value, error.instance_path().as_str());
    let mut push = |parameter: String, reason: String, keyword: &str| {
        into.push(Violation {
            parameter: parameter::shown(parameter),
            reason,
            keyword: keyword.to_owned(),
            disposition,
        });
    };
    match error.kind() {
        Kind::Required { property } => {
            let field = property.as_str().unwrap_or_default();
            push(parameter::field(&here, field), reason::reason(error), "required");
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            for field in unexpected {
                push(parameter::field(&here, field), reason::reason(error), error.kind().keyword());
            }
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            let missing: Vec<&str> = context
                .iter()
                .filter_map(|branch| match branch.as_slice() {
                    [only] => match only.kind() {
                        Kind::Required { property } if only.instance_path() == error.instance_path() => {
                            property.as_str()
                        }
                        _ => None,
                    },
                    _ => None,
                })
                .collect();
            if let ([first, ..], true) = (missing.as_slice(), missing.len() == context.len()) {
                push(parameter::field(&here, first), reason::one_required(&missing), error.kind().keyword());
                return;
            }
            // A branch that wants another type here was not meant; if one is left, it was.
            let mut meant = context.iter().filter(|branch| {
                !branch.iter().any(|inner| {
                    inner.instance_path() == error.instance_path()
                        && matches!(
                            inner.kind(),
                            Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. }
                        )
                })
            });
            if let (Some(branch), None) = (meant.next(), meant.next()) {
                for inner in branch {
                    unfold(value, inner, disposition, into);
                }
                return;
            }
            let mut forms: Vec<String> =
                context.iter().filter_map(|branch| branch.first().map(reason::reason)).collect();
            forms.dedup();
            push(here, reason::none_of(&forms), error.kind().keyword());
        }
        Kind::Custom { keyword, .. } if keyword == "x-whole" => push(here, reason::reason(error), "type"),
        kind => push(here, reason::reason(error), kind.keyword()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn catalogue(files: &[(&str, Value)]) -> Catalogue {
        Catalogue::of_files(files.iter().map(|(name, schema)| {
            let mut schema = schema.clone();
            if schema.is_object() && schema.get("$id").is_none() {
                schema["$id"] = json!(format!("{}{name}{}", embedded::BASE, embedded::SUFFIX));
            }
            ((*name).to_owned(), schema.to_string().into_bytes())
        }))
    }

    #[test]
    fn a_broken_file_is_named_and_the_others_work() {
        let catalogue = catalogue(&[
            ("a/sound", json!({ "type": "string" })),
            ("a/no-schema", json!({ "type": "text" })),
            ("a/elsewhere", json!({ "$id": "https://elsewhere.example/x.json" })),
            ("a/dangling", json!({ "$ref": "nobody.schema.json" })),
            ("a/leans-on-it", json!({ "$ref": "dangling.schema.json" })),
            ("a/bad-pattern", json!({ "pattern": "(" })),
            ("a/odd-format", json!({ "format": "colour" })),
        ]);
        assert_eq!(catalogue.check("a/sound", &json!(1)).unwrap().len(), 1);
        let broken: Vec<&str> = catalogue.defects().map(|(name, _)| name).collect();
        assert_eq!(
            broken,
            ["a/bad-pattern", "a/dangling", "a/elsewhere", "a/leans-on-it", "a/no-schema", "a/odd-format"]
        );
        for name in broken {
            assert!(catalogue.check(name, &json!(1)).unwrap_err().hint.starts_with(": "), "{name}");
        }
    }

    #[test]
    fn x_report_reaches_beside_itself_through_a_ref_and_with_a_star_all_beneath() {
        let catalogue = catalogue(&[
            (
                "a/root",
                json!({ "properties": {
                    "hard": { "$ref": "text.schema.json" },
                    "soft": { "$ref": "text.schema.json", "x-report": ["maxLength"] },
                    "free": { "items": { "$ref": "text.schema.json" }, "x-report": ["*"] }
                } }),
            ),
            ("a/text", json!({ "type": "string", "maxLength": 1 })),
        ]);
        let weigh = |body: Value| catalogue.check("a/root", &body).unwrap()[0].disposition;
        assert_eq!(weigh(json!({ "hard": "ab" })), Disposition::Reject);
        assert_eq!(weigh(json!({ "soft": "ab" })), Disposition::Report);
        assert_eq!(weigh(json!({ "soft": 1 })), Disposition::Reject);
        assert_eq!(weigh(json!({ "free": [1] })), Disposition::Report);
    }

    #[test]
    fn of_alternatives_the_one_that_was_meant_is_explained() {
        let catalogue = catalogue(&[(
            "a/root",
            json!({ "anyOf": [
                { "type": "string" },
                { "type": "object", "properties": { "n": { "minimum": 1 } }, "required": ["n", "m"] }
            ] }),
        )]);
        let found = catalogue.check("a/root", &json!({ "n": 0 })).unwrap();
        let named: Vec<_> = found.iter().map(|v| (v.parameter.as_str(), v.keyword.as_str())).collect();
        assert_eq!(named, [("m", "required"), ("n", "minimum")]);
        let found = catalogue.check("a/root", &json!(true)).unwrap();
        assert_eq!(
            found[0].reason,
            "fits none of the forms that are allowed: must be a string, not a boolean; or must be an object, not a boolean"
        );
    }
}
