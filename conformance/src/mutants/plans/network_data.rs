//! What bad acquirers do to Klarna Network Data.

use axum::body::Bytes;
use serde_json::{Map, Value};

use crate::mutants::plan::{Authorize, Plan};
use crate::wire::Answer;

/// The names that Klarna Network Data has had in an authorize.
const FIELDS: &[&str] = &["klarna_network_data", "interoperability_data"];

/// Network data is left out.
#[derive(Debug)]
pub(in crate::mutants) struct Dropped;

impl Plan for Dropped {
    fn authorize(&self, authorize: &mut Authorize) -> Option<Answer> {
        if let Some(body) = dropped(&authorize.call.body) {
            authorize.call.body = Bytes::from(body);
        }
        None
    }
}

/// Network data is read and written again.
#[derive(Debug)]
pub(in crate::mutants) struct Reserialised;

impl Plan for Reserialised {
    fn authorize(&self, authorize: &mut Authorize) -> Option<Answer> {
        if let Some(body) = reserialised(&authorize.call.body) {
            authorize.call.body = Bytes::from(body);
        }
        None
    }
}

/// The body without network data; `None` when it has none.
fn dropped(body: &[u8]) -> Option<Vec<u8>> {
    edited(body, |fields, name| fields.shift_remove(name).is_some())
}

/// The body with network data parsed and written again; `None` when that changes nothing.
fn reserialised(body: &[u8]) -> Option<Vec<u8>> {
    edited(body, |fields, name| {
        let Some(Value::String(text)) = fields.get(name) else { return false };
        let Ok(value) = serde_json::from_str::<Value>(text) else { return false };
        let again = written_again(value).to_string();
        let changes = again != *text;
        fields.insert(name.to_owned(), Value::String(again));
        changes
    })
}

fn edited(body: &[u8], mut edit: impl FnMut(&mut Map<String, Value>, &str) -> bool) -> Option<Vec<u8>> {
    let mut fields: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let mut changed = false;
    for name in FIELDS {
        changed |= edit(&mut fields, name);
    }
    changed.then(|| Value::Object(fields).to_string().into_bytes())
}

/// The value as many libraries would write it: keys sorted, whole floats as integers. Spaces,
/// escapes and duplicate keys went in the parse.
fn written_again(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut pairs: Vec<(String, Value)> = fields.into_iter().collect();
            pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(pairs.into_iter().map(|(key, value)| (key, written_again(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(written_again).collect()),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => {
                let text = format!("{float:.0}");
                text.parse::<i64>().map_or(Value::Number(number), Value::from)
            }
            _ => Value::Number(number),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(data: &str) -> Vec<u8> {
        json!({"currency": "SEK", "klarna_network_data": data, "n": 1}).to_string().into_bytes()
    }

    fn data(body: Option<Vec<u8>>) -> Option<Value> {
        let fields: Value = serde_json::from_slice(&body.unwrap()).unwrap();
        assert_eq!((&fields["currency"], &fields["n"]), (&json!("SEK"), &json!(1)));
        fields.get("klarna_network_data").cloned()
    }

    #[test]
    fn dropping_takes_the_field_and_nothing_else() {
        assert_eq!(data(dropped(&body("{}"))), None);
        assert_eq!(dropped(br#"{"currency":"SEK"}"#), None);
        assert_eq!(dropped(b"no json"), None);
    }

    #[test]
    fn writing_again_changes_each_habit_of_the_writer() {
        for (sent, forwarded) in [
            (r#"{"b":1,"a":2}"#, r#"{"a":2,"b":1}"#),
            (r#"{ "a" : 1 }"#, r#"{"a":1}"#),
            (r#"{"a":1.0}"#, r#"{"a":1}"#),
            (r#"{"a":"\u00e9\/"}"#, r#"{"a":"é/"}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            ("{}\n", "{}"),
        ] {
            assert_eq!(data(reserialised(&body(sent))), Some(json!(forwarded)), "{sent}");
        }
        assert_eq!(reserialised(&body(r#"{"a":1}"#)), None, "nothing to change");
        assert_eq!(reserialised(&body("no json")), None);
    }
}
