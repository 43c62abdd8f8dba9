//! The document, its references followed.

use std::path::Path;

use serde_json::{Map, Value, json};
use url::Url;

/// References that are followed one after another before it is given up: some lead in a circle.
const REFERENCES_MAX: usize = 32;

/// An OpenAPI document.
#[derive(Debug, Clone)]
pub struct Document {
    root: Value,
}

/// Why a document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is not there, or not readable.
    #[error("{path} cannot be read: {reason}")]
    Unreadable {
        /// Which file.
        path: String,
        /// What went wrong.
        reason: String,
    },
    /// It is neither JSON nor YAML.
    #[error("{path}:{line}:{column}: {reason}\n  hint: an OpenAPI document is JSON or YAML")]
    NoDocument {
        /// Which file.
        path: String,
        /// From 1; 0 where it is not known.
        line: u64,
        /// From 1; 0 where it is not known.
        column: u64,
        /// What went wrong.
        reason: String,
    },
    /// It is something else than OpenAPI 3.0 or 3.1.
    #[error("{path}: it does not say \"openapi: 3.0…\" or \"openapi: 3.1…\"\n  hint: {hint}")]
    Other {
        /// Which file.
        path: String,
        /// What it is instead, and what may help.
        hint: &'static str,
    },
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn load(path: &Path) -> Result<Self, DocumentError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| DocumentError::Unreadable { path: name.clone(), reason: error.to_string() })?;
        Self::read(&name, &text)
    }

    /// Reads the text of a document.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(path: &str, text: &str) -> Result<Self, DocumentError> {
        let no_document = |line: u64, column: u64, reason: String| DocumentError::NoDocument {
            path: path.to_owned(),
            line,
            column,
            reason,
        };
        let root: Value = if text.trim_start().starts_with('{') {
            serde_json::from_str(text)
                .map_err(|error| no_document(error.line() as u64, error.column() as u64, error.to_string()))?
        } else {
            serde_saphyr::from_str(text).map_err(|error| {
                let error = error.without_snippet();
                let place = error.location();
                no_document(
                    place.map_or(0, |place| place.line()),
                    place.map_or(0, |place| place.column()),
                    error.to_string(),
                )
            })?
        };
        let version = root.get("openapi").and_then(Value::as_str).unwrap_or_default();
        if version.starts_with("3.0") || version.starts_with("3.1") {
            return Ok(Self { root });
        }
        let hint = if root.get("swagger").is_some() {
            "this is Swagger 2.0; converters to OpenAPI 3 are at hand"
        } else {
            "name the document itself, and not a page that shows it"
        };
        Err(DocumentError::Other { path: path.to_owned(), hint })
    }

    /// What stands at a JSON pointer, references followed.
    pub(super) fn at(&self, pointer: &str) -> Option<&Value> {
        self.root.pointer(pointer).map(|value| self.followed(value))
    }

    /// A short name out of the title.
    pub(super) fn name(&self) -> Option<String> {
        let title = self.root.pointer("/info/title")?.as_str()?;
        let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let plain = words.filter(|word| !["API", "api", "Api", "the", "of", "The"].contains(word));
        let name = plain.take(3).collect::<Vec<_>>().join("-").to_lowercase();
        (!name.is_empty()).then_some(name)
    }

    /// A server on this machine: those of the acquirer's elsewhere know no simulator.
    pub(super) fn local_server(&self) -> Option<String> {
        let servers = self.root.get("servers")?.as_array()?;
        let urls = servers.iter().filter_map(|server| Url::parse(server.get("url")?.as_str()?).ok());
        let local = |url: &Url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        urls.filter(local).map(|url| url.origin().ascii_serialization()).next()
    }

    /// The path in front of all paths, that of the first server.
    pub(super) fn base_path(&self) -> String {
        let url = self.root.pointer("/servers/0/url").and_then(Value::as_str).unwrap_or_default();
        let path = match Url::parse(url) {
            Ok(url) => url.path().to_owned(),
            Err(_) if url.starts_with('/') => url.to_owned(),
            Err(_) => String::new(),
        };
        path.trim_end_matches('/').to_owned()
    }

    /// The value that a reference stands for, or the value itself. One that leads out of the document, or in
    /// a circle, stays as it is.
    pub(super) fn followed<'a>(&'a self, value: &'a Value) -> &'a Value {
        let mut here = value;
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = here.get("$ref").and_then(Value::as_str) else { return here };
            let pointer = reference
                .strip_prefix('#')
                .and_then(|pointer| percent_encoding::percent_decode_str(pointer).decode_utf8().ok());
            match pointer.and_then(|pointer| self.root.pointer(&pointer)) {
                Some(next) => here = next,
                None => return here,
            }
        }
        here
    }

    /// A schema with everything that belongs to it in one place: references followed, `allOf` put together, of
    /// `oneOf` and `anyOf` the first that is more than null. Members stay as they are.
    pub(super) fn shape(&self, schema: &Value) -> Shape {
        let mut shape = Shape::default();
        self.gather(schema, &mut shape, 0);
        shape
    }

    fn gather(&self, schema: &Value, shape: &mut Shape, depth: usize) {
        if depth > REFERENCES_MAX {
            return;
        }
        if schema.get("$ref").is_some() {
            let target = self.followed(schema);
            if target.get("$ref").is_none() {
                self.gather(target, shape, depth + 1);
            }
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.gather(part, shape, depth + 1);
        }
        for choice in ["oneOf", "anyOf"] {
            let choices = schema.get(choice).and_then(Value::as_array);
            let first = choices.and_then(|choices| choices.iter().find(|one| !is_null(self.followed(one))));
            if let Some(first) = first {
                self.gather(first, shape, depth + 1);
            }
        }
        if let Some(then) = schema.get("then") {
            self.gather(then, shape, depth + 1);
            // What only some have is no part that is always there.
            shape.required.retain(|name| !required(then).any(|named| named == name));
        }
        shape.take(schema);
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// A schema, put together.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    pub(super) kind: Option<String>,
    pub(super) members: Map<String, Value>,
    pub(super) required: Vec<String>,
    pub(super) items: Option<Value>,
    pub(super) words: Vec<Value>,
    pub(super) default: Option<Value>,
    pub(super) description: String,
}

impl Shape {
    fn take(&mut self, schema: &Value) {
        let kind = match schema.get("type") {
            Some(Value::String(kind)) => Some(kind.clone()),
            // OpenAPI 3.1: several types, null among them.
            Some(Value::Array(kinds)) => {
                kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").map(str::to_owned)
            }
            _ => None,
        };
        self.kind = kind.or(self.kind.take());
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let both = match self.members.remove(name) {
                Some(known) if member.is_object() => json!({ "allOf": [known, member] }),
                Some(known) => known,
                None => member.clone(),
            };
            self.members.insert(name.clone(), both);
        }
        self.required.extend(required(schema).map(str::to_owned));
        self.items = schema.get("items").cloned().or(self.items.take());
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            self.words.clone_from(words);
        }
        if let Some(word) = schema.get("const") {
            self.words = vec![word.clone()];
        }
        self.default = schema.get("default").cloned().or(self.default.take());
        if let Some(text) = schema.get("description").and_then(Value::as_str) {
            text.clone_into(&mut self.description);
        }
    }

    /// Whether it is a mapping with members that are known.
    pub(super) fn is_object(&self) -> bool {
        !self.members.is_empty()
    }

    /// Whether a body must have a member.
    pub(super) fn needs(&self, name: &str) -> bool {
        self.required.iter().any(|required| required == name)
    }
}

impl Document {
    /// Every operation: method in capitals, path, and what is said of it.
    pub(super) fn operations(&self) -> Vec<(String, &str, &Value)> {
        let mut operations = Vec::new();
        for (path, item) in self.root.get("paths").and_then(Value::as_object).into_iter().flatten() {
            let item = self.followed(item);
            for (method, operation) in item.as_object().into_iter().flatten() {
                if ["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                    operations.push((method.to_uppercase(), path.as_str(), operation));
                }
            }
        }
        operations
    }

    /// The schemas that have a name.
    pub(super) fn schemas(&self) -> impl Iterator<Item = (&str, &Value)> {
        let named = self.root.pointer("/components/schemas").and_then(Value::as_object);
        named.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
    }

    /// The schema of a body, and whether it is JSON or a form.
    pub(super) fn body_schema<'a>(&'a self, body: &'a Value) -> Option<(&'static str, &'a Value)> {
        let content = self.followed(body).get("content")?.as_object()?;
        let of = |kind: &str| {
            content
                .iter()
                .find(|(name, _)| name.split(';').next() == Some(kind))
                .and_then(|(_, it)| it.get("schema"))
        };
        let json = of("application/json").map(|schema| ("json", schema));
        let form = || of("application/x-www-form-urlencoded").map(|schema| ("form", schema));
        let suffixed = || {
            let found = content.iter().find(|(name, _)| name.ends_with("+json"));
            found.and_then(|(_, it)| it.get("schema")).map(|schema| ("json", schema))
        };
        json.or_else(form).or_else(suffixed)
    }

    /// The schema of the first good answer.
    pub(super) fn answer_schema<'a>(&'a self, operation: &'a Value) -> Option<&'a Value> {
        let responses = operation.get("responses")?.as_object()?;
        let good = responses.iter().filter(|(status, _)| status.starts_with('2'));
        good.filter_map(|(_, response)| self.body_schema(response)).map(|(_, schema)| schema).next()
    }
}
