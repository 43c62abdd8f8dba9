//! Who may use the control API: whoever has the token, or anybody on this machine but the pages that a browser
//! on it has open.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use super::problem::Problem;
use crate::config::ControlSettings;
use crate::world::World;

/// Lets a call through, or says why not.
pub(super) async fn guard(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let settings = world.settings();
    match refusal(&settings.control, &settings.public_url, request.headers(), request.uri()) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(settings: &ControlSettings, public_url: &str, headers: &HeaderMap, uri: &Uri) -> Option<Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host =
        text(HOST).and_then(|host| host.parse::<Authority>().ok()).or_else(|| uri.authority().cloned());
    if let Some(origin) = text(ORIGIN) {
        let same = origin.split_once("://").map(|(_, authority)| authority);
        if same.is_none() || same != host.as_ref().map(Authority::as_str) {
            return Some(Problem::forbidden(
                format!("a page of {origin} may not use the control API"),
                "call it from a program, or from a page of the simulator itself",
            ));
        }
    }
    let token = settings.token.expose_secret();
    if !token.is_empty() {
        let presented =
            text(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let fits: bool = presented.as_bytes().ct_eq(token.as_bytes()).into();
        return (!fits).then(|| {
            Problem::unauthorized(
                "the control API of this simulator is guarded by a token",
                "send Authorization: Bearer <token>; it is the setting control.token",
            )
        });
    }
    let is_known =
        host.as_ref().is_none_or(|host| is_loopback(host.host()) || is_host_of(public_url, host.host()));
    (!settings.open && !is_known).then(|| {
        Problem::forbidden(
            "without a token the control API answers to the names of this machine only",
            "call it by 127.0.0.1 or localhost, set control.token, or set control.open where only friends can reach it",
        )
    })
}

/// Whether a host is a name of this machine for itself.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare.ends_with(".localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_host_of(public_url: &str, host: &str) -> bool {
    url::Url::parse(public_url).is_ok_and(|url| url.host_str() == Some(host))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn status(token: &str, open: bool, headers: &[(&'static str, &str)]) -> Option<u16> {
        let settings = ControlSettings { token: token.to_owned().into(), open };
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let headers: HeaderMap = headers.collect();
        let refused = refusal(&settings, "https://klarna.example", &headers, &Uri::from_static("/"));
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
    fn a_token_is_asked_for_whatever_the_host() {
        let host = ("host", "127.0.0.1");
        assert_eq!(status("secret", false, &[host]), Some(401));
        assert_eq!(status("secret", false, &[host, ("authorization", "Bearer wrong")]), Some(401));
        assert_eq!(status("secret", false, &[host, ("authorization", "secret")]), Some(401));
        assert_eq!(status("secret", false, &[("host", "any"), ("authorization", "Bearer secret")]), None);
    }
}
