//! Whether a broken keyword rejects a body or is only reported.
//!
//! A keyword rejects unless its schema says otherwise with `x-report`:
//! - `"x-report": ["format"]` reports that keyword where it stands beside it, or in the schema that
//!   a `$ref` beside it leads to;
//! - `"x-report": ["*"]` reports everything in the schema and beneath it.

use serde_json::Value;

use super::Disposition;
use super::documents::Documents;

/// Follows an evaluation path (a JSON pointer that goes through `$ref`s) from the document `name`
/// to the keyword at its end.
pub(super) fn disposition(documents: &Documents, name: &str, evaluation_path: &str) -> Disposition {
    let Some(root) = documents.get(name) else { return Disposition::Reject };
    let mut place = (name, root);
    // The schema reached last, with those that led to it by `$ref` alone: they speak as one.
    let mut speakers = vec![root];
    let mut segments: Vec<String> = evaluation_path
        .split('/')
        .skip(1)
        .map(|segment| segment.replace("~1", "/").replace("~0", "~"))
        .collect();
    let Some(keyword) = segments.pop() else { return Disposition::Reject };
    for segment in segments {
        if speakers.iter().any(|schema| reports(schema, "*")) {
            return Disposition::Report;
        }
        let reference = if segment == "$ref" { place.1.get("$ref").and_then(Value::as_str) } else { None };
        if let Some(reference) = reference {
            let Some(next) = documents.resolve(place.0, reference) else { return Disposition::Reject };
            place = next;
        } else {
            let next = match place.1 {
                Value::Array(items) => segment.parse::<usize>().ok().and_then(|index| items.get(index)),
                other => other.get(&segment),
            };
            let Some(next) = next else { return Disposition::Reject };
            place.1 = next;
            speakers.clear();
        }
        speakers.push(place.1);
    }
    if speakers.iter().any(|schema| reports(schema, "*") || reports(schema, &keyword)) {
        Disposition::Report
    } else {
        Disposition::Reject
    }
}

/// Whether a schema only reports what breaks a keyword that stands in it.
pub fn reports(schema: &Value, keyword: &str) -> bool {
    schema
        .get("x-report")
        .and_then(Value::as_array)
        .is_some_and(|keywords| keywords.iter().any(|listed| listed.as_str() == Some(keyword)))
}
