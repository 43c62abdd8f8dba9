//! The cookies of one Customer's browser: pages that lead on by forms often know their visitor by one.
//!
//! As RFC 6265 has them, with what a single purchase needs: they live as long as the purchase, and
//! `SameSite` is not weighed.

use std::sync::{Mutex, PoisonError};

use url::Url;

/// Cookies that were set so far.
#[derive(Debug, Default)]
pub struct Cookies(Mutex<Vec<Cookie>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Whether hosts below the domain get it, too.
    below: bool,
    path: String,
    secure: bool,
}

impl Cookies {
    /// Takes what an answer's `Set-Cookie` says.
    pub(super) fn take(&self, from: &Url, set_cookie: &str) {
        let Some((cookie, gone)) = Cookie::read(from, set_cookie) else { return };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|known| !known.is_same(&cookie));
        if !gone {
            kept.push(cookie);
        }
    }

    /// The header `Cookie` of a request; the longest path comes first.
    pub(super) fn for_request(&self, to: &Url) -> Option<String> {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        sent.retain(|cookie| cookie.goes_to(to));
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> =
            sent.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

impl Cookie {
    /// A cookie, and whether it is to be forgotten. `None` where a host speaks for another one.
    fn read(from: &Url, set_cookie: &str) -> Option<(Self, bool)> {
        let mut parts = set_cookie.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let host = from.host_str()?.to_ascii_lowercase();
        let mut cookie = Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            domain: host.clone(),
            below: false,
            path: folder(from.path()).to_owned(),
            secure: false,
        };
        if cookie.name.is_empty() {
            return None;
        }
        let mut gone = false;
        for part in parts {
            let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match attribute.trim().to_ascii_lowercase().as_str() {
                "domain" if !value.is_empty() => {
                    cookie.domain = value.trim_start_matches('.').to_ascii_lowercase();
                    cookie.below = from.domain().is_some();
                }
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "secure" => cookie.secure = true,
                "max-age" => gone = value.starts_with('-') || value == "0",
                // The way to forget a cookie without Max-Age is a date long past.
                "expires" => gone |= value.contains("1970"),
                _ => {}
            }
        }
        cookie.is_of(&host).then_some((cookie, gone))
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.domain, &self.path) == (&other.name, &other.domain, &other.path)
    }

    fn is_of(&self, host: &str) -> bool {
        let below = || self.below && host.strip_suffix(&self.domain).is_some_and(|rest| rest.ends_with('.'));
        host == self.domain || below()
    }

    fn goes_to(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let here = url.path().strip_prefix(self.path.as_str());
        let fits =
            here.is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'));
        // Browsers trust what is on this machine as they trust https.
        let local = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
        self.is_of(&host) && fits && (!self.secure || local || url.scheme() == "https")
    }
}

/// What stands before the last `/` of a path.
fn folder(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((folder, _)) if !folder.is_empty() => folder,
        _ => "/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn sent(set: &[(&str, &str)], to: &str) -> Option<String> {
        let cookies = Cookies::default();
        for (from, set_cookie) in set {
            cookies.take(&url(from), set_cookie);
        }
        cookies.for_request(&url(to))
    }

    #[test]
    fn a_cookie_goes_back_to_where_it_is_from() {
        let set = [("https://pay.example/hop/one?x=1", "session=a=b; HttpOnly; SameSite=Lax")];
        for (to, expected) in [
            ("https://pay.example/hop/two", Some("session=a=b")),
            ("http://pay.example:8080/hop", Some("session=a=b")),
            ("https://pay.example/hopping", None),
            ("https://pay.example/", None),
            ("https://www.pay.example/hop/two", None),
            ("https://example/hop/two", None),
        ] {
            assert_eq!(sent(&set, to).as_deref(), expected, "{to}");
        }
    }

    #[test]
    fn domain_path_and_secure_say_where_else() {
        let set = [("https://pay.example/hop/one", "s=1; Domain=.pay.example; Path=/; Secure")];
        for (to, expected) in [
            ("https://www.pay.example/x", Some("s=1")),
            ("https://pay.example/", Some("s=1")),
            ("http://pay.example/", None),
            ("https://notpay.example/", None),
        ] {
            assert_eq!(sent(&set, to).as_deref(), expected, "{to}");
        }
        assert_eq!(
            sent(&[("http://127.0.0.1:1/a", "s=1; Secure; Path=/")], "http://127.0.0.1:2/b").unwrap(),
            "s=1"
        );
        // Nobody speaks for another host.
        assert_eq!(
            sent(&[("https://pay.example/", "s=1; Domain=klarna.example")], "https://klarna.example/"),
            None
        );
    }

    #[test]
    fn the_last_word_counts_and_one_can_be_taken_back() {
        let from = "https://pay.example/a/b";
        assert_eq!(
            sent(&[(from, "x=1; path=/"), (from, "y=1"), (from, "x=2; path=/")], from).unwrap(),
            "y=1; x=2"
        );
        for gone in [
            "x=; Path=/; Max-Age=0",
            "x=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "x=;path=/;max-age=-1",
        ] {
            assert_eq!(sent(&[(from, "x=1; path=/"), (from, gone)], from), None, "{gone}");
        }
        assert_eq!(sent(&[(from, "=1"), (from, "nothing")], from), None);
    }
}
