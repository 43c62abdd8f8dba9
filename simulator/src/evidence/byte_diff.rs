//! Where two texts that should be one differ, and what kind of change it is.

use klarna_schemas::simulator::finding::{ByteDiff, ChangeKind};
use serde_json::Value;

/// Bytes shown on each side of the first difference.
const CONTEXT: usize = 24;

/// Compares the string that was given with what came. `None` where they are the same bytes.
pub(crate) fn compare(expected: Option<&str>, got: &Got<'_>) -> Option<ByteDiff> {
    let (kind, got_text) = match (expected, got) {
        (None, Got::Absent) => return None,
        (Some(expected), Got::Text(got)) if expected == *got => return None,
        (None, Got::Text(text)) => (ChangeKind::Added, (*text).to_owned()),
        (None, Got::NotText(value)) => (ChangeKind::Added, value.to_string()),
        (Some(_), Got::Absent) => (ChangeKind::Dropped, String::new()),
        (Some(_), Got::NotText(value)) => (ChangeKind::TypeChanged, value.to_string()),
        (Some(expected), Got::Text(text)) => (kind_of(expected, text), (*text).to_owned()),
    };
    let expected = expected.unwrap_or_default();
    let position = expected.bytes().zip(got_text.bytes()).take_while(|(one, other)| one == other).count();
    Some(ByteDiff {
        kind,
        position,
        expected_length: expected.len(),
        got_length: got_text.len(),
        expected_excerpt: excerpt(expected.as_bytes(), position),
        got_excerpt: excerpt(got_text.as_bytes(), position),
    })
}

/// What came where a string was expected.
#[derive(Debug, Clone)]
pub(crate) enum Got<'a> {
    /// Nothing.
    Absent,
    /// A string.
    Text(&'a str),
    /// Another JSON value.
    NotText(&'a Value),
}

fn kind_of(expected: &str, got: &str) -> ChangeKind {
    if got.is_empty() {
        return ChangeKind::Dropped;
    }
    let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
    match (parsed(expected), parsed(got)) {
        (Some(one), Some(other)) if same_value(&one, &other) => {
            if same_order(&one, &other) {
                ChangeKind::ReEncoded
            } else {
                ChangeKind::ReOrdered
            }
        }
        _ if expected.starts_with(got) => ChangeKind::Truncated,
        _ => ChangeKind::Altered,
    }
}

/// Whether two JSON values mean the same: `1.0` is `1`, and the order of keys says nothing.
fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(key, value): (&String, &Value)| {
                other.get(key).is_some_and(|other| same_value(value, other))
            };
            one.len() == other.len() && one.iter().all(same)
        }
        (one, other) => one == other,
    }
}

/// Whether the keys of two values of the same meaning stand in the same order throughout.
fn same_order(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.iter().zip(other).all(|(one, other)| same_order(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.iter().zip(other).all(|((key, one), (twin, other))| key == twin && same_order(one, other))
        }
        _ => true,
    }
}

/// Bytes around a position, fit for a terminal.
fn excerpt(bytes: &[u8], position: usize) -> String {
    let start = position.saturating_sub(CONTEXT);
    let end = bytes.len().min(position + CONTEXT);
    let shown = bytes.get(start..end).unwrap_or_default();
    let before = if start > 0 { "…" } else { "" };
    let after = if end < bytes.len() { "…" } else { "" };
    format!("{before}{}{after}", shown.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(expected: &str, got: &str) -> ChangeKind {
        compare(Some(expected), &Got::Text(got)).unwrap().kind
    }

    #[test]
    fn equal_bytes_are_no_difference() {
        assert_eq!(compare(Some("{ }"), &Got::Text("{ }")), None);
        assert_eq!(compare(None, &Got::Absent), None);
    }

    #[test]
    fn names_the_kind_of_change() {
        assert_eq!(kind(r#"{ "a": 1 }"#, r#"{"a":1}"#), ChangeKind::ReEncoded);
        assert_eq!(kind(r#"{"b":1,"a":2}"#, r#"{"a":2,"b":1}"#), ChangeKind::ReOrdered);
        assert_eq!(kind(r#"{"b":1}"#, r#"{"b":"#), ChangeKind::Truncated);
        assert_eq!(kind(r#"{"b":1}"#, r#"{"b":2}"#), ChangeKind::Altered);
        assert_eq!(kind(r#"{"b":1.0}"#, r#"{"b":1}"#), ChangeKind::ReEncoded);
        assert_eq!(kind(r#"{"b":1,"b":2}"#, r#"{"b":2}"#), ChangeKind::ReEncoded);
        assert_eq!(kind("{}\n", "{}"), ChangeKind::ReEncoded);
        assert_eq!(kind(r#"[{"b":1,"a":2}]"#, r#"[{"a":2,"b":1}]"#), ChangeKind::ReOrdered);
        assert_eq!(kind("no json", "no"), ChangeKind::Truncated);
        assert_eq!(kind(r#""\u00e9""#, "\"é\""), ChangeKind::ReEncoded);
        assert_eq!(compare(Some("x"), &Got::Absent).unwrap().kind, ChangeKind::Dropped);
        let number = Value::from(1);
        assert_eq!(compare(Some("1"), &Got::NotText(&number)).unwrap().kind, ChangeKind::TypeChanged);
    }

    #[test]
    fn points_at_the_first_byte_that_differs() {
        let diff = compare(Some("{\"a\":1.0}"), &Got::Text("{\"a\":1}")).unwrap();
        assert_eq!(diff.position, 6);
        assert_eq!((diff.expected_length, diff.got_length), (9, 7));
        assert_eq!(diff.got_excerpt, r#"{\"a\":1}"#);
    }
}
