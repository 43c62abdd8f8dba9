//! Klarna Network Data: a string that Partner and Klarna read, and nobody in between (AP-11).
//!
//! The acquirer may check its size and that it is JSON (contract `webhooks-and-network-data.md`
//! B.1); it never trims, parses into values, re-serialises or normalises it. What arrived as one
//! JSON string leaves as the same JSON string. Absent stays absent; the empty string is no JSON
//! and is refused like any other text that is none.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// Most characters (Unicode scalar values) that a Partner may send.
pub const MAX_CHARACTERS: usize = 10_240;

/// The Partner's string, exactly.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NetworkData(String);

/// Why a string cannot be network data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotNetworkData {
    /// Too long.
    #[error("has {0} characters; at most {MAX_CHARACTERS} are allowed")]
    TooLong(usize),
    /// Not JSON.
    #[error("must hold serialised JSON: {0}")]
    NotJson(String),
}

impl NetworkData {
    /// Checks, and changes nothing.
    pub fn check(&self) -> Result<(), NotNetworkData> {
        let characters = self.0.chars().count();
        if characters > MAX_CHARACTERS {
            return Err(NotNetworkData::TooLong(characters));
        }
        // The values are skipped, not kept: duplicate keys, `1.0` and escapes are the Partner's.
        serde_json::from_str::<IgnoredAny>(&self.0)
            .map(|_| ())
            .map_err(|error| NotNetworkData::NotJson(error.to_string()))
    }

    /// The string for Klarna: the Partner's.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Personal data of customers may stand in it, so it shows its size only.
impl std::fmt::Debug for NetworkData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NetworkData({} bytes)", self.0.len())
    }
}

impl From<&str> for NetworkData {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Strings that a careless acquirer would change.
    const AWKWARD: &[&str] = &[
        "{ \"b\" : 1.0,\n\t\"a\": 1e2 }\n",
        r#"{"a":1,"a":2}"#,
        r#"{"url":"https:\/\/shop.test\/x","e":"\u00e9","pair":"\ud83d\ude00"}"#,
        "{\"e\":\"e\u{301}\",\"é\":\"\u{a0}\u{2028}😀\"}",
        r#"{"content_type":"application/vnd.unknown+json","content":[[],{},null,-0,1E400]}"#,
        "  []  ",
        r#"{"half a pair":"\ud800"}"#,
        "\"a bare string\"",
    ];

    #[test]
    fn awkward_strings_pass_unchanged() {
        for text in AWKWARD {
            let carried: NetworkData = serde_json::from_str(&serde_json::to_string(text).unwrap()).unwrap();
            assert_eq!(carried.check(), Ok(()), "{text}");
            assert_eq!(carried.into_string(), *text);
        }
    }

    #[test]
    fn text_that_is_no_json_is_refused() {
        for text in ["", " ", "{", "{'a':1}", "{} {}", "undefined", "\u{feff}{}"] {
            assert!(matches!(NetworkData::from(text).check(), Err(NotNetworkData::NotJson(_))), "{text:?}");
        }
    }

    #[test]
    fn the_limit_counts_characters_not_bytes() {
        let of = |characters: usize| NetworkData(format!("\"{}\"", "å".repeat(characters - 2)));
        assert_eq!(of(MAX_CHARACTERS).check(), Ok(()));
        assert_eq!(of(MAX_CHARACTERS + 1).check(), Err(NotNetworkData::TooLong(MAX_CHARACTERS + 1)));
    }

    #[test]
    fn it_does_not_show_itself_in_logs() {
        let shown = format!("{:?}", NetworkData::from("{\"email\":\"someone@shop.test\"}"));
        assert_eq!(shown, "NetworkData(29 bytes)");
    }
}
