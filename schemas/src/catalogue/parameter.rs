//! Klarna's dot notation: `supplementary_purchase_data.line_items[0].quantity`.

use serde_json::Value;

/// What the whole body is called, which has no field name.
pub(super) const WHOLE: &str = "$";

/// Longest `parameter` in characters (contract `payments.md` 5.2).
const LONGEST: usize = 256;

/// A JSON pointer into `body` in dot notation. The body tells a list's index from a field whose
/// name is a number.
pub(super) fn of_pointer(body: &Value, pointer: &str) -> String {
    let mut text = String::new();
    let mut here = Some(body);
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        match here {
            Some(Value::Array(items)) => {
                text.push('[');
                text.push_str(&segment);
                text.push(']');
                here = segment.parse::<usize>().ok().and_then(|index| items.get(index));
            }
            other => {
                push_field(&mut text, &segment);
                here = other.and_then(|value| value.get(&segment));
            }
        }
    }
    text
}

/// The parameter of a field of the object at `parent`.
pub(super) fn field(parent: &str, name: &str) -> String {
    let mut text = parent.to_owned();
    push_field(&mut text, name);
    text
}

fn push_field(text: &mut String, name: &str) {
    if !text.is_empty() {
        text.push('.');
    }
    text.push_str(name);
}

/// A parameter ready to be shown: never empty, never too long.
pub(super) fn shown(parameter: String) -> String {
    if parameter.is_empty() { WHOLE.to_owned() } else { shorten(parameter, LONGEST) }
}

/// At most `longest` characters, with an ellipsis where something was cut off.
pub(super) fn shorten(text: String, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text,
        Some(_) => text.chars().take(longest.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_have_brackets_and_fields_have_dots() {
        let body = json!({ "a": { "0": [ { "b": 1 } ], "x/y": 2 } });
        assert_eq!(of_pointer(&body, "/a/0/0/b"), "a.0[0].b");
        assert_eq!(of_pointer(&body, "/a/x~1y"), "a.x/y");
        assert_eq!(shown(of_pointer(&body, "")), "$");
        assert_eq!(field("a[0]", "b"), "a[0].b");
        assert_eq!(field("", "b"), "b");
    }

    #[test]
    fn long_parameters_are_cut_at_a_character() {
        let cut = shown("é".repeat(300));
        assert_eq!(cut.chars().count(), 256);
        assert!(cut.ends_with('…'));
    }
}
