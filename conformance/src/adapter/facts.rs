//! What is new in each call: a nonce and the time.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What templates see as `request.*`; the same wherever one call shows it.
#[derive(Debug, Clone)]
pub(super) struct RequestFacts {
    nonce: Uuid,
    at: Timestamp,
}

impl RequestFacts {
    /// Of a call that is made now.
    #[expect(clippy::disallowed_methods, reason = "an acquirer judges nonces and times by its own clock")]
    pub(super) fn now() -> Self {
        Self { nonce: Uuid::new_v4(), at: Timestamp::now() }
    }

    /// The same in each use: to check templates with, and to compare requests.
    pub(super) fn sample() -> Self {
        Self { nonce: Uuid::nil(), at: Timestamp::UNIX_EPOCH }
    }

    /// Adds `request`.
    pub(super) fn add_to(&self, variables: &mut Map<String, Value>) {
        let whole_ms = Timestamp::from_millisecond(self.at.as_millisecond()).unwrap_or(self.at);
        let facts = json!({
            "nonce": self.nonce.to_string(),
            "unix_seconds": self.at.as_second(),
            "unix_ms": self.at.as_millisecond(),
            "time": format!("{whole_ms:.3}"),
            "http_date": self.at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        });
        variables.insert("request".to_owned(), facts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_apis_want_them() {
        let facts = RequestFacts { nonce: Uuid::nil(), at: "2026-11-23T09:05:07.1234Z".parse().unwrap() };
        let mut variables = Map::new();
        facts.add_to(&mut variables);
        assert_eq!(
            variables["request"],
            json!({
                "nonce": "00000000-0000-0000-0000-000000000000",
                "unix_seconds": 1_795_424_707,
                "unix_ms": 1_795_424_707_123_i64,
                "time": "2026-11-23T09:05:07.123Z",
                "http_date": "Mon, 23 Nov 2026 09:05:07 GMT",
            })
        );
    }
}
