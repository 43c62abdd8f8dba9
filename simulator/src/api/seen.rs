//! What of a call can be seen at the edge only, where its key is: for the rulebook.

use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::auth;
use super::body::header;
use super::call::token;
use crate::rulebook::Seen;
use crate::world::World;

/// What every key of Klarna's looks like, whosever it is.
const KEY_STARTS: [&str; 2] = ["klarna_test_api_", "klarna_live_api_"];

/// Looks at a call.
pub(super) fn seen(world: &World, parts: &Parts, entered: bool) -> Seen {
    Seen { host: host(parts), secret_in_url: has_secret_in_url(world, parts), entered }
}

/// The host that was called, without its port: of the URL with HTTP/2, else of its header.
fn host(parts: &Parts) -> Option<String> {
    let of_url = parts.uri.authority().cloned();
    let authority = of_url.or_else(|| header(&parts.headers, HOST.as_str())?.parse::<Authority>().ok())?;
    Some(authority.host().to_owned())
}

/// Whether the URL holds the caller's key, the token in its header, or in its query a token that Klarna
/// has issued; encoded or not. Paths name customer tokens by Klarna's own design.
fn has_secret_in_url(world: &World, parts: &Parts) -> bool {
    let key = auth::presented(&parts.headers).map(|presented| presented.key);
    let encoded = key.as_ref().map(|key| STANDARD.encode(key));
    let in_header = token(&parts.headers).map(|token| token.value);
    let own: Vec<&String> =
        [&key, &encoded, &in_header].into_iter().flatten().filter(|own| !own.is_empty()).collect();
    let tells = |text: &str| {
        own.iter().any(|own| text.contains(own.as_str()))
            || KEY_STARTS.iter().any(|start| text.contains(start))
    };
    let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
    let query = parts.uri.query().unwrap_or_default();
    tells(&path)
        || tells(query)
        || form_urlencoded::parse(query.as_bytes()).any(|(name, value)| {
            tells(&name) || tells(&value) || world.knows_token(&value) || world.knows_token(&name)
        })
}
