//! One call of the Partner's, as a report may show it: secrets replaced, repeatable by hand.

use serde::{Deserialize, Serialize};

use super::variables::{CLOSES, OPENS};

/// One call and its answer. Secrets stand as `$NAME` wherever they were sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerExchange {
    /// HTTP method.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Header pairs in order, secrets replaced.
    pub request_headers: Vec<(String, String)>,
    /// Body as sent, secrets replaced.
    pub request_body: Vec<u8>,
    /// HTTP status of the answer.
    pub status: u16,
    /// Header pairs of the answer, in order.
    pub response_headers: Vec<(String, String)>,
    /// Body of the answer, exact.
    pub response_body: Vec<u8>,
    /// A command for a shell that makes the same call again, secrets as `$NAME`.
    pub curl: String,
}

/// A request as it would be made, secrets as `$NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRequest {
    /// HTTP method.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Header pairs in order.
    pub headers: Vec<(String, String)>,
    /// Body; empty where there is none.
    pub body: String,
    /// A command for a shell that makes the call.
    pub curl: String,
}

/// A request with markers where secrets stand.
#[derive(Debug, Clone)]
pub(super) struct Likeness {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    /// `username:password` of basic authentication.
    pub(super) user: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Likeness {
    /// The call before there is an answer.
    pub(super) fn dry(&self) -> DryRequest {
        let exchange = self.answered(0, Vec::new(), Vec::new());
        DryRequest {
            method: exchange.method,
            url: exchange.url,
            headers: exchange.request_headers,
            body: String::from_utf8_lossy(&exchange.request_body).into_owned(),
            curl: exchange.curl,
        }
    }

    /// The call with its answer.
    pub(super) fn answered(
        &self,
        status: u16,
        response_headers: Vec<(String, String)>,
        response_body: Vec<u8>,
    ) -> PartnerExchange {
        let mut request_headers: Vec<(String, String)> = Vec::new();
        if self.user.is_some() {
            request_headers.push(("authorization".to_owned(), "Basic $CREDENTIALS".to_owned()));
        }
        request_headers.extend(self.headers.iter().map(|(name, value)| (name.clone(), dollars(value))));
        PartnerExchange {
            method: self.method.clone(),
            url: self.shown_url(),
            request_headers,
            request_body: match std::str::from_utf8(&self.body) {
                Ok(text) => dollars(text).into_bytes(),
                Err(_) => self.body.clone(),
            },
            status,
            response_headers,
            response_body,
            curl: self.curl(),
        }
    }

    /// The URL with `$NAME` for secrets.
    pub(super) fn shown_url(&self) -> String {
        dollars(&self.url)
    }

    /// A command that makes the call again.
    pub(super) fn curl(&self) -> String {
        let mut command = format!("curl -sS -i -X {} {}", self.method, quoted(&self.url));
        if let Some(user) = &self.user {
            command.push_str(" -u ");
            command.push_str(&quoted(user));
        }
        for (name, value) in &self.headers {
            command.push_str(" -H ");
            command.push_str(&quoted(&format!("{name}: {value}")));
        }
        if !self.body.is_empty() {
            command.push_str(" --data-binary ");
            command.push_str(&quoted(&String::from_utf8_lossy(&self.body)));
        }
        command
    }
}

/// Markers as `$NAME`.
fn dollars(text: &str) -> String {
    text.replace(OPENS, "$").replace(CLOSES, "")
}

/// One word for a POSIX shell: single quotes around the text, double quotes around variables.
pub(crate) fn quoted(text: &str) -> String {
    let mut word = String::new();
    let literal = |text: &str, word: &mut String| {
        if !text.is_empty() {
            word.push('\'');
            word.push_str(&text.replace('\'', r"'\''"));
            word.push('\'');
        }
    };
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPENS) {
        let Some((name, after)) = after.split_once(CLOSES) else { break };
        literal(before, &mut word);
        word.push_str("\"$");
        word.push_str(name);
        word.push('"');
        rest = after;
    }
    literal(rest, &mut word);
    if word.is_empty() { "''".to_owned() } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness() -> Likeness {
        Likeness {
            method: "POST".to_owned(),
            url: format!("http://127.0.0.1:1/p?m={OPENS}ALPHA_MERCHANT{CLOSES}"),
            headers: vec![("authorization".to_owned(), format!("Bearer {OPENS}ALPHA_KEY{CLOSES}"))],
            user: None,
            body: format!("{{\"name\":\"it's\",\"key\":\"{OPENS}ALPHA_KEY{CLOSES}\"}}").into_bytes(),
        }
    }

    #[test]
    fn the_curl_line_is_one_for_a_shell() {
        assert_eq!(
            likeness().curl(),
            concat!(
                "curl -sS -i -X POST 'http://127.0.0.1:1/p?m='\"$ALPHA_MERCHANT\"",
                " -H 'authorization: Bearer '\"$ALPHA_KEY\"",
                " --data-binary '{\"name\":\"it'\\''s\",\"key\":\"'\"$ALPHA_KEY\"'\"}'",
            ),
        );
    }

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        let line = likeness().curl().replacen("curl", "printf '%s\\n'", 1);
        let output = std::process::Command::new("sh")
            .args(["-c", &line])
            .env("ALPHA_KEY", "s3cr$t")
            .env("ALPHA_MERCHANT", "m 1")
            .output()
            .unwrap();
        let words = String::from_utf8(output.stdout).unwrap();
        assert!(words.ends_with("{\"name\":\"it's\",\"key\":\"s3cr$t\"}\n"), "{words}");
        assert!(words.contains("authorization: Bearer s3cr$t\n"), "{words}");
    }

    #[test]
    fn secrets_stand_by_name() {
        let mut likeness = likeness();
        likeness.user = Some(format!("me:{OPENS}ALPHA_PASSWORD{CLOSES}"));
        let exchange = likeness.answered(200, Vec::new(), Vec::new());
        assert_eq!(exchange.url, "http://127.0.0.1:1/p?m=$ALPHA_MERCHANT");
        assert_eq!(
            exchange.request_headers,
            [
                ("authorization".to_owned(), "Basic $CREDENTIALS".to_owned()),
                ("authorization".to_owned(), "Bearer $ALPHA_KEY".to_owned()),
            ]
        );
        assert_eq!(exchange.request_body, br#"{"name":"it's","key":"$ALPHA_KEY"}"#);
        assert!(exchange.curl.contains(r#"-u 'me:'"$ALPHA_PASSWORD""#), "{}", exchange.curl);
    }
}
