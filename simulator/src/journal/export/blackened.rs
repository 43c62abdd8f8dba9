//! Entries without what must not be handed on: tokens, secrets, and who the customer is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use klarna_schemas::simulator::journal::JournalEntry;
use serde_json::Value;

use super::secrets::Secrets;

/// What stands in the place of it.
pub(super) const BLACK: &str = "***";
/// What the name of a header, or of a member of a query, has in it whose value is a secret.
const SECRET_NAMES: [&str; 8] =
    ["authorization", "token", "cookie", "api-key", "apikey", "secret", "password", "signature"];
/// Members of bodies that hold tokens and keys.
const TOKENS: [&str; 9] = [
    "klarna_network_session_token",
    "payment_token",
    "interoperability_token",
    "customer_token_id",
    "customer_token",
    "signing_key",
    "api_key",
    "sdk_token",
    "client_secret",
];
/// Members of bodies that tell who the customer is.
const PERSONAL: [&str; 10] = [
    "given_name",
    "family_name",
    "email",
    "phone",
    "date_of_birth",
    "street_address",
    "street_address2",
    "postal_code",
    "national_identification_number",
    "attention",
];

/// Whether what stands under this name is a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

/// Collects the tokens and keys in a body.
pub(super) fn tokens_of(body: &Value, tokens: &mut Vec<String>) {
    match body {
        Value::Array(items) => items.iter().for_each(|item| tokens_of(item, tokens)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(token) if TOKENS.contains(&name.as_str()) => tokens.push(token.clone()),
                    member => tokens_of(member, tokens),
                }
            }
        }
        _ => {}
    }
}

/// Blackens an entry, by names and by values. Bodies that are no JSON are blackened whole: nobody can say
/// what is in them.
pub(crate) fn blacken(entry: &mut JournalEntry, secrets: &Secrets) {
    entry.request.target = secrets.target(&entry.request.target);
    blacken_headers(&mut entry.request.headers, secrets);
    entry.request.body_base64 = blackened(&entry.request.body(), secrets);
    if let Some(response) = &mut entry.response {
        blacken_headers(&mut response.headers, secrets);
        response.body_base64 = blackened(&response.body(), secrets);
    }
}

fn blacken_headers(headers: &mut [(String, String)], secrets: &Secrets) {
    for (name, value) in headers {
        *value = if is_secret_name(name) { BLACK.to_owned() } else { secrets.blackened(value).into_owned() };
    }
}

fn blackened(body: &[u8], secrets: &Secrets) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        _ if body.is_empty() => return String::new(),
        Ok(mut value) => {
            walk(&mut value);
            secrets.json(value).to_string()
        }
        Err(_) => format!("{BLACK} {} bytes", body.len()),
    };
    STANDARD.encode(text)
}

fn walk(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::Object(members) => {
            for (name, member) in members {
                if member.is_string()
                    && (TOKENS.contains(&name.as_str()) || PERSONAL.contains(&name.as_str()))
                {
                    *member = Value::from(BLACK);
                } else if name == "klarna_network_data" || name == "interoperability_data" {
                    // Opaque: it may hold all of it.
                    let length = member.as_str().map_or(0, str::len);
                    *member = Value::from(format!("{BLACK} {length} bytes"));
                } else {
                    walk(member);
                }
            }
        }
        _ => {}
    }
}
