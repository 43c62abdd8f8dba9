//! Looks for a canary in what reached Klarna.

use std::fmt;

use klarna_schemas::money::{Currency, MinorUnits};
use serde_json::Value;

use super::canary::leaves;
use crate::world::Call;

/// As it came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// The value itself: of a text every byte.
    ByteForByte,
    /// Byte for byte, within a longer text.
    Within,
    /// The same value, written in another way.
    ReEncoded,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByteForByte => "byte for byte",
            Self::Within => "within",
            Self::ReEncoded => "re-encoded",
        })
    }
}

/// Where it came out, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) form: Form,
    /// Its place in the body, or `header NAME`.
    pub(super) place: String,
}

/// The fewest characters of a text that is looked for within others: shorter ones stand there by chance.
const DISTINCT: usize = 6;

/// Whether a text is long enough to be recognised within another.
pub(super) fn is_distinct(text: &str) -> bool {
    text.chars().count() >= DISTINCT
}

/// Where a value came out in a call, in its best form; nothing where it did not.
pub(super) fn in_call(call: &Call, value: &Value, currency: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let body = call.body().unwrap_or_default();
    leaves(&body, "", &mut |place, leaf| {
        found.extend(form(value, leaf, currency).map(|form| Found { form, place: place.to_owned() }));
    });
    objects(&body, "", &mut |place, tree| {
        if is_json_of(value, tree) {
            found.push(Found { form: Form::ReEncoded, place: place.to_owned() });
        }
    });
    for (name, text) in call.entry.request.headers.iter().filter(|(name, _)| is_klarnas(name)) {
        let leaf = Value::from(text.as_str());
        found
            .extend(form(value, &leaf, currency).map(|form| Found { form, place: format!("header {name}") }));
    }
    let best = found.iter().map(|one| one.form).min();
    found.retain(|one| Some(one.form) == best);
    found
}

/// Whether a header is Klarna's own: others say nothing about a payment.
fn is_klarnas(name: &str) -> bool {
    name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("klarna-"))
}

/// In which form a value stands in a leaf.
fn form(wanted: &Value, leaf: &Value, currency: &str) -> Option<Form> {
    if wanted == leaf {
        return Some(Form::ByteForByte);
    }
    match (wanted, leaf) {
        (Value::String(text), Value::String(got)) => {
            if is_distinct(text) && got.contains(text.as_str()) {
                return Some(Form::Within);
            }
            let same_json = || {
                let (one, other): (Value, Value) =
                    (serde_json::from_str(text).ok()?, serde_json::from_str(got).ok()?);
                (one.is_object() && one == other).then_some(())
            };
            let alike = is_distinct(text) && bare(text) == bare(got);
            (alike || same_json().is_some()).then_some(Form::ReEncoded)
        }
        (Value::Number(number), Value::String(got)) => {
            let minor = number.as_i64()?;
            let decimal = currency.parse::<Currency>().ok().map(|known| known.display(MinorUnits(minor)));
            let decimal = decimal.as_deref().and_then(|shown| shown.split(' ').next());
            (*got == minor.to_string() || Some(got.as_str()) == decimal).then_some(Form::ReEncoded)
        }
        _ => None,
    }
}

/// Whether a tree is what a text of JSON says.
fn is_json_of(wanted: &Value, tree: &Value) -> bool {
    let parsed = wanted.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    parsed.is_some_and(|parsed| parsed.is_object() && parsed == *tree)
}

/// Letters and digits alone, in lower case, with escapes of URLs undone.
fn bare(text: &str) -> String {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    decoded.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn objects<'a>(tree: &'a Value, at: &str, take: &mut impl FnMut(&str, &'a Value)) {
    if let Value::Object(members) = tree {
        take(at, tree);
        for (name, member) in members {
            let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            objects(member, &at, take);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_forms_are_told_apart() {
        let data = r#"{ "a": 1.0, "b": "caf\u00e9" }"#;
        for (wanted, leaf, expected) in [
            (json!(data), json!(data), Some(Form::ByteForByte)),
            (json!(data), json!("{\"a\":1.0,\"b\":\"café\"}"), Some(Form::ReEncoded)),
            (json!("ref-0a1b2c"), json!("x/ref-0a1b2c/y"), Some(Form::Within)),
            (json!("+46701740605"), json!("+46 70-174 06 05"), Some(Form::ReEncoded)),
            (json!(29_722), json!("297.22"), Some(Form::ReEncoded)),
            (json!(29_722), json!(29_722), Some(Form::ByteForByte)),
            (json!(29_722), json!(297), None),
            (json!("SE"), json!("SEK"), None),
            (json!("city 1a2b3c"), json!("city 1a2b3d"), None),
        ] {
            assert_eq!(form(&wanted, &leaf, "SEK"), expected, "{wanted} in {leaf}");
        }
        assert!(is_json_of(&json!(data), &json!({"b": "café", "a": 1.0})));
    }
}
