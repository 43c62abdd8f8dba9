//! How a Partner shows who it is.

use serde_json::Value;

use super::super::{Authentication, Variable};
use super::document::Document;

/// The first way that the call takes, of those that an adapter can name.
pub(super) fn of(document: &Document, operation: &Value, acquirer: &str) -> Option<Authentication> {
    let wanted = operation.get("security").or_else(|| document.at("/security"));
    let Some(wanted) = wanted.and_then(Value::as_array) else {
        // Nothing is said: the one way that there is, if there is one.
        let schemes = document.at("/components/securitySchemes").and_then(Value::as_object);
        let Some(schemes) = schemes else { return Some(Authentication::Nothing) };
        return schemes.values().find_map(|scheme| way(document.followed(scheme), acquirer));
    };
    let names = wanted.iter().filter_map(Value::as_object).flat_map(|one| one.keys());
    let ways = names.filter_map(|name| {
        let pointer = format!("/components/securitySchemes/{}", name.replace('~', "~0").replace('/', "~1"));
        way(document.at(&pointer)?, acquirer)
    });
    let open =
        wanted.is_empty() || wanted.iter().all(|one| one.as_object().is_some_and(serde_json::Map::is_empty));
    ways.into_iter().next().or(open.then_some(Authentication::Nothing))
}

fn way(scheme: &Value, acquirer: &str) -> Option<Authentication> {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    let variable = |name: &str| Variable::new(acquirer, name);
    match text("type") {
        "http" if text("scheme").eq_ignore_ascii_case("bearer") => {
            Some(Authentication::Bearer(variable("api_key")))
        }
        "http" if text("scheme").eq_ignore_ascii_case("basic") => {
            Some(Authentication::Basic(variable("username"), variable("password")))
        }
        "apiKey" if text("in") == "header" => {
            Some(Authentication::Header(text("name").to_owned(), variable("api_key")))
        }
        "oauth2" => {
            let url = scheme.pointer("/flows/clientCredentials/tokenUrl").and_then(Value::as_str)?;
            let url = if url.starts_with('/') {
                format!("{{{{ acquirer.base_url }}}}{url}")
            } else {
                url.to_owned()
            };
            Some(Authentication::OAuth(url, variable("client_id"), variable("client_secret")))
        }
        _ => None,
    }
}
