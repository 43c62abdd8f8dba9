//! JSON in which every name stands once.
//!
//! Of two fields of one name most readers keep the last and some the first, so the acquirer and
//! whoever checked the request before could read two different payments out of the same bytes.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a text is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotTaken {
    /// It is no JSON.
    Malformed(String),
    /// A field stands twice: its path in dot notation.
    Twice(String),
}

/// A text as JSON. What is no UTF-8, begins with a byte order mark, or nests more than 127 deep is
/// none; neither is a lone surrogate or a number that no `f64` can hold.
pub fn parse(text: &[u8]) -> Result<Value, NotTaken> {
    let mut twice = None;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let parsed = Strict { path: String::new(), twice: &mut twice }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    match (parsed, twice) {
        (_, Some(field)) => Err(NotTaken::Twice(field)),
        (Err(error), None) => Err(NotTaken::Malformed(error.to_string())),
        (Ok(value), None) => Ok(value),
    }
}

struct Strict<'a> {
    path: String,
    twice: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Strict {
            path: format!("{}[{}]", self.path, list.len()),
            twice: &mut *self.twice,
        })? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let path = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
            if map.contains_key(&name) {
                *self.twice = Some(path);
                return Err(A::Error::custom("a field stands twice"));
            }
            let value = members.next_value_seed(Strict { path, twice: &mut *self.twice })?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_texts_read_as_serde_json_reads_them() {
        for text in [
            "null",
            "true",
            "-1",
            "0",
            "18446744073709551615",
            "1.5",
            "1e3",
            "\"\\u00e5\\ud83d\\ude00\"",
            "[]",
            "{}",
            r#" {"a": [1, {"b": null, "c": {"a": ""}}], "b": "\n"} "#,
        ] {
            assert_eq!(
                parse(text.as_bytes()).unwrap(),
                serde_json::from_str::<Value>(text).unwrap(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_field_that_stands_twice_is_named() {
        for (text, field) in [
            (r#"{"a":1,"a":1}"#, "a"),
            (r#"{"a":1,"\u0061":2}"#, "a"),
            (r#"{"lines":[{},{"name":{"x":1,"x":[]}}]}"#, "lines[1].name.x"),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(NotTaken::Twice(field.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_not_taken() {
        let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for text in [
            b"".as_slice(),
            b"{",
            b"{}{}",
            b"{'a':1}",
            b"\xef\xbb\xbf{}",
            b"\xfe\xff\0{\0}",
            &utf16,
            b"\"\xff\"",
            b"\"\\ud800\"",
            b"1e400",
            b"01",
            b"NaN",
            b"\"\0\"",
            deep.as_bytes(),
        ] {
            assert!(matches!(parse(text), Err(NotTaken::Malformed(_))), "{}", String::from_utf8_lossy(text));
        }
    }
}
