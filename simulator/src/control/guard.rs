//! Who may use the control API: whoever has the token, or anybody on this machine but the pages that a browser
//! on it has open.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, AsHeaderName, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use super::problem::Problem;
use crate::config::ControlSettings;
use crate::world::World;

/// By which browsers say whether a page of the same origin calls.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Lets a call through, or says why not.
pub(super) async fn guard(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let settings = world.settings();
    match refusal(&settings.control, &settings.public_url, request.headers(), request.uri()) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(settings: &ControlSettings, public_url: &str, headers: &HeaderMap, uri: &Uri) -> Option<Problem> {
    let Some(host) = called_host(headers, uri) else {
        return Some(Problem::bad_request(
            "Host: the call does not say, or not in one way, which host it is for",
            "send one Host header, such as 127.0.0.1:8080: every HTTP client does by itself",
        ));
    };
    if let Some(page) = other_page(headers, &host) {
        return Some(Problem::forbidden(
            format!("{page} may not use the control API"),
            "call it from a program, or from a page of the simulator itself",
        ));
    }
    let token = settings.token.expose_secret();
    if !token.is_empty() {
        let fits: bool = bearer(headers).as_bytes().ct_eq(token.as_bytes()).into();
        return (!fits).then(|| {
            Problem::unauthorized(
                "the control API of this simulator is guarded by a token",
                "send Authorization: Bearer <token>; it is the setting control.token",
            )
        });
    }
    let is_known = is_loopback(host.host()) || is_host_of(public_url, host.host());
    (!settings.open && !is_known).then(|| {
        Problem::forbidden(
            "without a token the control API answers to the names of this machine only",
            "call it by 127.0.0.1 or localhost, set control.token, or set control.open where only friends can reach it",
        )
    })
}

fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The host that is called, if the call names one, in one way. HTTP/2 names it in the URI.
fn called_host(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    let mut named = headers.get_all(HOST).iter();
    match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().ok()?.parse().ok(),
        (None, _) => uri.authority().cloned(),
        (Some(_), Some(_)) => None,
    }
    .filter(|host: &Authority| !host.host().is_empty())
}

/// The page of somebody else that a browser calls for, if one does.
fn other_page(headers: &HeaderMap, host: &Authority) -> Option<String> {
    if let Some(origin) = headers.get(ORIGIN) {
        let origin = String::from_utf8_lossy(origin.as_bytes());
        let same = origin.split_once("://").is_some_and(|(_, page)| page.eq_ignore_ascii_case(host.as_str()));
        return (!same).then(|| format!("a page of {origin}"));
    }
    // GET for a picture, a script or a frame has no Origin. Another port is the same site to a browser, and
    // another program on this machine.
    let site = text(headers, SEC_FETCH_SITE)?;
    let is_other = ["cross-site", "same-site"].iter().any(|other| site.eq_ignore_ascii_case(other));
    is_other.then(|| format!("a page of another site (Sec-Fetch-Site: {site})"))
}

/// The token that was sent, or nothing. Names of schemes are the same in any case.
fn bearer(headers: &HeaderMap) -> &str {
    let presented = text(headers, AUTHORIZATION).and_then(|value| value.split_once(' '));
    let (scheme, token) = presented.unwrap_or_default();
    if scheme.eq_ignore_ascii_case("Bearer") { token.trim_start_matches(' ') } else { "" }
}

/// Whether a host is a name of this machine for itself.
fn is_loopback(host: &str) -> bool {
    let bare = plain(host);
    let address = bare.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    bare == "localhost" || bare.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn is_host_of(public_url: &str, host: &str) -> bool {
    url::Url::parse(public_url).is_ok_and(|url| url.host_str().map(plain) == Some(plain(host)))
}

/// A name as it is compared: in small letters, without the dot that ends a whole one.
fn plain(host: &str) -> String {
    let whole = host.strip_suffix('.').unwrap_or(host);
    whole.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn status(token: &str, open: bool, headers: &[(&'static str, &str)]) -> Option<u16> {
        let settings = ControlSettings { token: token.to_owned().into(), open };
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        // Not collected: of two headers with the same name both are there.
        let mut sent = HeaderMap::new();
        for (name, value) in headers {
            sent.append(name, value);
        }
        let refused = refusal(&settings, "https://klarna.example", &sent, &Uri::from_static("/"));
        refused.map(|refused| refused.into_response().status().as_u16())
    }

    #[test]
    fn programs_of_this_machine_may_and_pages_of_others_may_not() {
        for host in ["127.0.0.1:8080", "localhost", "[::1]:8080", "klarna.localhost:1", "klarna.example"] {
            assert_eq!(status("", false, &[("host", host)]), None, "{host}");
        }
        assert_eq!(
            status("", false, &[("host", "evil.example:8080")]),
            Some(403),
            "a name that was bound anew"
        );
        assert_eq!(status("", true, &[("host", "simulator:8080")]), None);
        let page = [("host", "127.0.0.1:8080"), ("origin", "https://evil.example")];
        assert_eq!(status("", false, &page), Some(403));
        assert_eq!(
            status("secret", true, &[page[0], page[1], ("authorization", "Bearer secret")]),
            Some(403)
        );
        assert_eq!(status("", false, &[page[0], ("origin", "http://127.0.0.1:8080")]), None);
    }

    #[test]
    fn names_are_the_same_in_any_case_and_with_their_last_dot() {
        for host in [
            "LOCALHOST",
            "localhost.",
            "LocalHost.:8080",
            "klarna.LOCALHOST",
            "Klarna.Example",
            "klarna.example.",
        ] {
            assert_eq!(status("", false, &[("host", host)]), None, "{host}");
        }
        for host in ["localhost.evil.example", "notlocalhost", "localhost.."] {
            assert_eq!(status("", false, &[("host", host)]), Some(403), "{host}");
        }
    }

    #[test]
    fn a_call_says_which_host_it_is_for() {
        for (token, open) in [("", false), ("", true), ("secret", false)] {
            assert_eq!(status(token, open, &[]), Some(400));
            for host in ["", "a b", "127.0.0.1:8080:1", "http://localhost"] {
                assert_eq!(status(token, open, &[("host", host)]), Some(400), "{host}");
            }
        }
        assert_eq!(status("", false, &[("host", "localhost"), ("host", "evil.example")]), Some(400));
        let settings = ControlSettings { token: String::new().into(), open: false };
        let by_http_2 = Uri::from_static("https://localhost:8080/");
        assert!(refusal(&settings, "", &HeaderMap::new(), &by_http_2).is_none());
    }

    #[test]
    fn a_page_of_another_site_is_known_without_its_origin() {
        let host = ("host", "127.0.0.1:8080");
        for (site, refused) in
            [("cross-site", Some(403)), ("same-site", Some(403)), ("same-origin", None), ("none", None)]
        {
            assert_eq!(status("", false, &[host, ("sec-fetch-site", site)]), refused, "{site}");
        }
    }

    #[test]
    fn a_token_is_asked_for_whatever_the_host() {
        let host = ("host", "127.0.0.1");
        assert_eq!(status("secret", false, &[host]), Some(401));
        assert_eq!(status("secret", false, &[host, ("authorization", "Bearer wrong")]), Some(401));
        assert_eq!(status("secret", false, &[host, ("authorization", "secret")]), Some(401));
        assert_eq!(status("secret", false, &[("host", "any"), ("authorization", "Basic secret")]), Some(401));
        for sent in ["Bearer secret", "bearer secret", "BEARER  secret"] {
            assert_eq!(status("secret", false, &[("host", "any"), ("authorization", sent)]), None, "{sent}");
        }
    }
}
