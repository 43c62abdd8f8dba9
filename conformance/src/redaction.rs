//! Text that may be shown: what is secret in it is cut or named, and a type says that it was done.
//!
//! Three nets, one behind the other: members of JSON that hold secrets, values that the run knows to
//! be secret, and the shapes that Klarna's keys and tokens have wherever they turn up.

use std::sync::LazyLock;

use klarna_schemas::simulator::journal::{JournalEntry, RecordedResponse};
use regex::Regex;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::model::{cut_secret, mask};

/// Members of Klarna's bodies whose values are secret.
pub(crate) const SECRET_MEMBERS: &[&str] =
    &["klarna_network_session_token", "payment_token", "signing_key", "interoperability_token"];

/// The end of the names of headers whose values are secret.
const SECRET_HEADER: &str = "-token";

/// What stands where a secret stood of which not even the beginning may be shown.
const BLACKENED: &str = "[REDACTED]";

/// Session tokens, API keys and secrets of notifications, as they look anywhere in a text; a colon can
/// be written as in a URL.
#[expect(clippy::expect_used, reason = "a literal, which a test compiles")]
static SHAPES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)krn(?::|%3A)network(?::|%3A)[a-z0-9]+(?::|%3A)[a-z]+(?::|%3A)session-token(?::|%3A)[A-Za-z0-9._~%-]+|klarna_(?:test|live)_api_[A-Za-z0-9._~-]+|whsec_[A-Za-z0-9+/=_-]+",
    )
    .expect("the pattern is well formed")
});

/// A text without secrets; made by a [`Redactor`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redacted(String);

impl Redacted {
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Knows what is secret in a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redactor {
    keys: Vec<SecretString>,
    tokens: Vec<SecretString>,
}

impl Redactor {
    /// One that blackens these `keys` and everything that looks like a secret of Klarna's.
    pub(crate) fn new(keys: Vec<SecretString>) -> Self {
        Self { keys, tokens: Vec::new() }
    }

    /// Learns the tokens and signing keys that an exchange carried.
    pub(crate) fn learn(&mut self, entry: &JournalEntry) {
        let mut found = Vec::new();
        for (name, value) in &entry.request.headers {
            if is_secret_header(name) {
                found.push(value.clone());
            }
        }
        found.extend(entry.request.json().iter().flat_map(secrets_in));
        let answer = entry.response.as_ref().and_then(RecordedResponse::json);
        found.extend(answer.iter().flat_map(secrets_in));
        for secret in found {
            if secret.len() >= 6 && self.tokens.iter().all(|known| known.expose_secret() != secret) {
                self.tokens.push(secret.into());
            }
        }
    }

    /// A text without secrets.
    pub(crate) fn text(&self, text: &str) -> Redacted {
        let mut text = mask(text);
        for token in &self.tokens {
            let token = token.expose_secret();
            if text.contains(token) {
                text = text.replace(token, &cut_secret(token));
            }
        }
        for key in &self.keys {
            if text.contains(key.expose_secret()) {
                text = text.replace(key.expose_secret(), BLACKENED);
            }
        }
        Redacted(without_shapes(&text))
    }

    /// The value of a header without secrets.
    pub(crate) fn header(&self, name: &str, value: &str) -> Redacted {
        if is_secret_header(name) { Redacted(cut_secret(value)) } else { self.text(value) }
    }
}

/// Whether the value of a header is secret, by its name.
pub(crate) fn is_secret_header(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(SECRET_HEADER)
}

/// A text without anything that looks like a secret of Klarna's.
pub(crate) fn without_shapes(text: &str) -> String {
    SHAPES.replace_all(text, BLACKENED).into_owned()
}

/// The secrets in a body, at any depth.
fn secrets_in(body: &Value) -> Vec<String> {
    match body {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match value {
                Value::String(secret) if SECRET_MEMBERS.contains(&name.as_str()) => vec![secret.clone()],
                other => secrets_in(other),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(secrets_in).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "krn:network:eu1:test:session-token:abcDEF123-_~abcDEF123";

    #[test]
    fn secrets_are_found_by_their_shape() {
        let redactor = Redactor::new(Vec::new());
        for secret in [
            TOKEN.to_owned(),
            TOKEN.replace(':', "%3A"),
            "klarna_test_api_local".to_owned(),
            "whsec_YWxwaGEtdGVzdC1ub3RpZmljYXRpb24tc2VjcmV0".to_owned(),
        ] {
            let shown = redactor.text(&format!("GET /x?t={secret}&u=1 said \"{secret}\""));
            assert_eq!(shown.as_str(), "GET /x?t=[REDACTED]&u=1 said \"[REDACTED]\"");
        }
        let harmless = "krn:partner:global:account:test:ALPHA001 session-token";
        assert_eq!(redactor.text(harmless).as_str(), harmless);
    }

    #[test]
    fn what_the_run_knows_and_what_an_exchange_carried_is_cut_everywhere() {
        let entry: JournalEntry = serde_json::from_value(serde_json::json!({
            "seq": 1, "epoch": 1, "direction": "inbound", "operation": "signing_key.create",
            "started_at": "2026-01-01T00:00:00Z", "virtual_at": "2026-01-01T00:00:00Z",
            "request": {"method": "POST", "target": "/", "headers": [["Klarna-Network-Session-Token", "an-odd-token"]], "body_base64": ""},
            // {"a":[{"signing_key":"an-odd-key"}]}
            "response": {"status": 201, "headers": [], "body_base64": "eyJhIjpbeyJzaWduaW5nX2tleSI6ImFuLW9kZC1rZXkifV19"},
            "ended": "answered",
        }))
        .unwrap();
        let mut redactor = Redactor::new(vec![SecretString::from("hunter22")]);
        redactor.learn(&entry);
        let shown = redactor.text("an-odd-token, an-odd-key, hunter22");
        assert_eq!(shown.as_str(), "an-odd-t…(12 characters), an-odd-k…(10 characters), [REDACTED]");
    }
}
