//! An exchange as evidence: who called whom with what, secrets cut.

use klarna_schemas::simulator::journal::{Direction, Ending, JournalEntry};
use serde::{Deserialize, Serialize};

use crate::redaction::SECRET_MEMBERS;

/// The longest text of a body in the model, in characters.
const BODY_MAX: usize = 2000;

/// How much of a secret is shown, in characters: enough to tell two apart.
const SECRET_SHOWN: usize = 8;

/// One exchange with Klarna, for a reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Its number in the sandbox's journal.
    pub seq: u64,
    /// `to Klarna` or `from Klarna`.
    pub direction: String,
    /// E.g. `authorize`, `event:payment.request.state-change.completed`.
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Path and query, or the whole URL of a call from Klarna.
    pub target: String,
    /// Klarna's own headers of the request, secrets cut.
    pub headers: Vec<(String, String)>,
    /// Body of the request, secrets cut, shortened where it is long.
    pub request_body: String,
    /// HTTP status of the answer, if one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Body of the answer, secrets cut, shortened where it is long.
    pub response_body: String,
    /// `answered`, `timed_out` or `broken`.
    pub ended: String,
}

impl From<&JournalEntry> for Exchange {
    fn from(entry: &JournalEntry) -> Self {
        let shown = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.starts_with("klarna-")
                || name == "content-type"
                || name == "authorization"
                || name == "idempotency-key"
        };
        let headers = entry
            .request
            .headers
            .iter()
            .filter(|(name, _)| shown(name))
            .map(|(name, value)| {
                let secret = name.to_ascii_lowercase().ends_with("-token");
                (name.clone(), if secret { cut_secret(value) } else { value.clone() })
            })
            .collect();
        Self {
            seq: entry.seq,
            direction: match entry.direction {
                Direction::Inbound => "to Klarna",
                Direction::Outbound => "from Klarna",
            }
            .to_owned(),
            operation: entry.operation.clone(),
            method: entry.request.method.clone(),
            target: entry.request.target.clone(),
            headers,
            request_body: body(&entry.request.body()),
            status: entry.response.as_ref().map(|response| response.status),
            response_body: entry.response.as_ref().map(|response| body(&response.body())).unwrap_or_default(),
            ended: match entry.ended {
                Ending::Answered => "answered",
                Ending::TimedOut => "timed_out",
                Ending::Broken => "broken",
            }
            .to_owned(),
        }
    }
}

/// The beginning of a secret and its length.
pub fn cut_secret(secret: &str) -> String {
    if secret.ends_with(" characters)") && secret.contains("…(") {
        // What is cut already stays as it is, so that a text can be looked through twice.
        return secret.to_owned();
    }
    let shown: String = secret.chars().take(SECRET_SHOWN).collect();
    let length = secret.chars().count();
    if length <= SECRET_SHOWN { "…".to_owned() } else { format!("{shown}…({length} characters)") }
}

fn body(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let masked = mask(&text);
    if masked.chars().count() <= BODY_MAX {
        return masked;
    }
    let head: String = masked.chars().take(BODY_MAX).collect();
    format!("{head}… ({} bytes in all)", bytes.len())
}

/// Cuts the values of token and key members. The rest of the text stays as it came: a parsed and
/// rewritten body would hide the very differences that a reader looks for.
pub(crate) fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let next = SECRET_MEMBERS
            .iter()
            .filter_map(|member| rest.find(&format!("{member}\"")).map(|at| at + member.len() + 1))
            .min();
        let Some(end) = next else { break };
        let (before, after) = rest.split_at(end);
        masked.push_str(before);
        let value_at = after.find(|c: char| !c.is_whitespace() && c != ':').unwrap_or(after.len());
        let (gap, value) = after.split_at(value_at);
        masked.push_str(gap);
        let Some(inner) = value.strip_prefix('"') else {
            rest = value;
            continue;
        };
        let (secret, behind) = inner.split_at(end_of_string(inner));
        masked.push('"');
        masked.push_str(&cut_secret(secret));
        rest = behind;
    }
    masked.push_str(rest);
    masked
}

/// Where the quote stands that ends a JSON string.
fn end_of_string(inner: &str) -> usize {
    let mut escaped = false;
    for (index, character) in inner.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index,
            _ => {}
        }
    }
    inner.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_cut_and_the_rest_stays_byte_for_byte() {
        let text = r#"{"b":1.0,  "klarna_network_session_token" : "abcdefghijklmnop\"q", "a":"\u00e9"}"#;
        let masked = mask(text);
        assert_eq!(
            masked,
            r#"{"b":1.0,  "klarna_network_session_token" : "abcdefgh…(19 characters)", "a":"\u00e9"}"#
        );
    }

    #[test]
    fn short_secrets_are_not_shown_at_all() {
        assert_eq!(cut_secret("abc"), "…");
        let once = cut_secret("abcdefghijklmnop");
        assert_eq!(once, "abcdefgh…(16 characters)");
        assert_eq!(cut_secret(&once), once);
    }
}
