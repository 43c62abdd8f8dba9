//! The schema files as JSON documents, and the ways that `$ref` leads between them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::embedded::{BASE, SUFFIX};

/// Schema documents by name (`klarna/error`).
#[derive(Debug, Default)]
pub(super) struct Documents(BTreeMap<String, Value>);

impl Documents {
    pub(super) fn insert(&mut self, name: String, document: Value) {
        self.0.insert(name, document);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, document)| (name.as_str(), document))
    }

    /// What `reference` means when it stands in the document `from`: the document's name and the
    /// schema in it. Only JSON pointers are understood behind the `#`; anchors are not used here.
    pub(super) fn resolve<'a>(&'a self, from: &str, reference: &str) -> Option<(&'a str, &'a Value)> {
        let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let name = if file.is_empty() { from.to_owned() } else { target(from, file)? };
        let (name, document) = self.0.get_key_value(&name)?;
        Some((name, document.pointer(pointer)?))
    }

    /// The first `$ref` of a document that leads nowhere.
    pub(super) fn dangling(&self, name: &str) -> Option<String> {
        let mut open = vec![self.get(name)?];
        while let Some(value) = open.pop() {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(reference)) = members.get("$ref")
                        && self.resolve(name, reference).is_none()
                    {
                        return Some(reference.clone());
                    }
                    open.extend(members.values());
                }
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
        None
    }
}

/// The document that a relative or absolute `file` names, seen from the document `from`.
fn target(from: &str, file: &str) -> Option<String> {
    let path = if let Some(path) = file.strip_prefix(BASE) {
        path.to_owned()
    } else {
        let mut folders: Vec<&str> = from.split('/').collect();
        folders.pop();
        for step in file.split('/') {
            match step {
                "." => {}
                ".." => {
                    folders.pop()?;
                }
                other => folders.push(other),
            }
        }
        folders.join("/")
    };
    Some(path.strip_suffix(SUFFIX)?.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_lead_to_neighbours_other_folders_and_the_file_itself() {
        let mut documents = Documents::default();
        documents.insert("a/one".to_owned(), json!({ "$defs": { "x": { "type": "string" } } }));
        documents.insert("b/two".to_owned(), json!({ "$ref": "../a/one.schema.json#/$defs/x" }));
        let found = Some(("a/one", &json!({ "type": "string" })));
        assert_eq!(documents.resolve("a/one", "#/$defs/x"), found);
        assert_eq!(documents.resolve("a/other", "one.schema.json#/$defs/x"), found);
        assert_eq!(documents.resolve("b/two", "../a/one.schema.json#/$defs/x"), found);
        assert_eq!(documents.resolve("b/two", &format!("{BASE}a/one.schema.json#/$defs/x")), found);
        assert_eq!(documents.dangling("b/two"), None);
        documents.remove("a/one");
        assert_eq!(documents.dangling("b/two").as_deref(), Some("../a/one.schema.json#/$defs/x"));
    }
}
