//! What differs between two runs with the same seed and the same calls, the clock standing still.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use klarna_schemas::simulator::journal::JournalEntry;
use serde_json::{Map, Value};

/// Members of an entry: real time.
const MEMBERS: [&str; 2] = ["started_at", "timings"];
/// Headers that depend on real time, on ports, or on who calls.
const HEADERS: [&str; 8] = [
    "date",
    "host",
    "user-agent",
    "connection",
    "content-length",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

/// One entry a line, without all that; bodies stand as text where they are text.
pub(crate) fn stable(entries: &[JournalEntry]) -> String {
    entries.iter().map(|entry| without(entry).to_string() + "\n").collect()
}

fn without(entry: &JournalEntry) -> Value {
    let mut value = serde_json::to_value(entry).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        for name in MEMBERS {
            members.shift_remove(name);
        }
        for side in ["request", "response"] {
            if let Some(Value::Object(message)) = members.get_mut(side) {
                of_message(message);
            }
        }
    }
    value
}

fn of_message(message: &mut Map<String, Value>) {
    if let Some(Value::Array(headers)) = message.get_mut("headers") {
        let name =
            |pair: &Value| pair.get(0).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        headers.retain(|pair| !HEADERS.contains(&name(pair).as_str()));
    }
    let body = message.get("body_base64").and_then(Value::as_str).unwrap_or_default();
    let text = STANDARD.decode(body).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some(text) = text {
        message.shift_remove("body_base64");
        message.insert("body".to_owned(), Value::from(text));
    }
}
