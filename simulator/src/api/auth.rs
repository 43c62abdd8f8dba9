//! Who calls: the API key in any of the forms in which clients send it (contract `payments.md` 1.2).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};

/// How a key was sent. What it was is never kept: only a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Presented {
    /// The key itself; dropped once the account is found.
    pub(crate) key: String,
    /// The form, in words.
    pub(crate) form: &'static str,
}

/// The start of every key of Klarna's test environment.
const KEY_START: &str = "klarna_";

/// Reads the key from a call.
pub(crate) fn presented(headers: &HeaderMap) -> Option<Presented> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?.trim();
    let Some((scheme, rest)) = value.split_once(' ') else {
        return Some(Presented { key: value.to_owned(), form: "the key with no scheme" });
    };
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let rest = rest.trim();
    if rest.starts_with(KEY_START) {
        return Some(Presented { key: rest.to_owned(), form: "Basic <key>" });
    }
    let decoded = STANDARD.decode(rest).or_else(|_| STANDARD_NO_PAD.decode(rest)).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (key, form) = match text.split_once(':') {
        None => (text.as_str(), "Basic base64(key)"),
        Some(("", key)) => (key, "Basic base64(:key)"),
        Some((key, "")) => (key, "Basic base64(key:)"),
        Some((_, key)) => (key, "Basic base64(user:key)"),
    };
    Some(Presented { key: key.to_owned(), form })
}

/// What a journal keeps of an `Authorization` header.
pub(crate) fn described(headers: &HeaderMap) -> String {
    match presented(headers) {
        Some(presented) => format!("[{}, fingerprint {}]", presented.form, fingerprint(&presented.key)),
        None => "[unreadable]".to_owned(),
    }
}

fn fingerprint(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    hex::encode(digest.get(..4).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(value: &str) -> Option<Presented> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        presented(&headers)
    }

    #[test]
    fn all_six_forms_give_the_same_key() {
        let key = "klarna_test_api_abc";
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let forms = [
            basic(&format!(":{key}")),
            basic(&format!("{key}:")),
            basic(&format!("0b9d2c9e-user:{key}")),
            basic(key),
            format!("basic {key}"),
            key.to_owned(),
        ];
        let mut names = std::collections::HashSet::new();
        for form in forms {
            let presented = read(&form).unwrap();
            assert_eq!(presented.key, key, "{form}");
            assert!(names.insert(presented.form), "{form}");
        }
    }

    #[test]
    fn other_schemes_are_no_key() {
        assert_eq!(read("Bearer klarna_test_api_abc"), None);
        assert_eq!(read("Basic %%%"), None);
    }

    #[test]
    fn the_journal_never_sees_the_key() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic klarna_test_api_abc"));
        let kept = described(&headers);
        assert!(!kept.contains("api_abc"), "{kept}");
        assert!(kept.contains("Basic <key>"), "{kept}");
    }
}
