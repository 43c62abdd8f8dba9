//! A tree as the pairs of a form or a query: nested keys as `a[b][0]`.

use serde_json::Value;
use url::form_urlencoded::Serializer;

/// The pairs of a tree, in its order. What is null is left out.
pub(super) fn pairs(tree: &Value) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    match tree {
        Value::Object(members) => {
            for (name, value) in members {
                add(name.clone(), value, &mut pairs);
            }
        }
        other => add(String::new(), other, &mut pairs),
    }
    pairs
}

fn add(name: String, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::String(text) => pairs.push((name, text.clone())),
        Value::Bool(_) | Value::Number(_) => pairs.push((name, value.to_string())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                add(format!("{name}[{index}]"), item, pairs);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                add(format!("{name}[{key}]"), member, pairs);
            }
        }
    }
}

/// The same as it goes over the wire.
pub(super) fn encode(tree: &Value) -> String {
    Serializer::new(String::new()).extend_pairs(pairs(tree)).finish()
}

/// A form or a query that came, as an object of texts; of a name that stands twice, a list.
pub(super) fn decode(text: &[u8]) -> Value {
    let mut members = serde_json::Map::new();
    for (name, value) in url::form_urlencoded::parse(text) {
        let value = Value::String(value.into_owned());
        match members.get_mut(name.as_ref()) {
            None => drop(members.insert(name.into_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_keys_stand_in_brackets() {
        let tree = json!({
            "amount": 45_900, "confirm": true, "none": null,
            "metadata": {"order id": "a&b=c"},
            "lines": [{"name": "Trail shöe", "quantity": 1}, {"name": "+"}],
        });
        assert_eq!(
            encode(&tree),
            "amount=45900&confirm=true&metadata%5Border+id%5D=a%26b%3Dc\
             &lines%5B0%5D%5Bname%5D=Trail+sh%C3%B6e&lines%5B0%5D%5Bquantity%5D=1&lines%5B1%5D%5Bname%5D=%2B"
        );
    }

    #[test]
    fn what_is_written_is_read_back_byte_for_byte() {
        let data = "{ \"a\" :\t1.0 ,\n \"b\": \"\u{e9}\u{301} \\u00e9 %41+&=;#\" }\r\n";
        let read = decode(encode(&json!({"data": data})).as_bytes());
        assert_eq!(read, json!({ "data": data }));
        assert_eq!(decode(b"a=1&b=2&a=3&a=4&c"), json!({"a": ["1", "3", "4"], "b": "2", "c": ""}));
    }
}
