//! Entries without what must not be handed on: tokens, secrets, and who the customer is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use klarna_schemas::simulator::journal::JournalEntry;
use serde_json::Value;

/// What stands in the place of it.
const BLACK: &str = "***";
/// Headers that carry tokens and signatures.
const HEADERS: [&str; 6] = [
    "authorization",
    "klarna-network-session-token",
    "klarna-payment-token",
    "klarna-interoperability-token",
    "klarna-customer-token",
    "klarna-signature",
];
/// Members of bodies, whatever they stand in.
const MEMBERS: [&str; 19] = [
    "klarna_network_session_token",
    "payment_token",
    "interoperability_token",
    "customer_token_id",
    "customer_token",
    "signing_key",
    "api_key",
    "sdk_token",
    "client_secret",
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

/// Blackens an entry. Bodies that are no JSON are blackened whole: nobody can say what is in them.
pub(crate) fn blacken(entry: &mut JournalEntry) {
    blacken_headers(&mut entry.request.headers);
    entry.request.body_base64 = blackened(&entry.request.body());
    if let Some(response) = &mut entry.response {
        blacken_headers(&mut response.headers);
        response.body_base64 = blackened(&response.body());
    }
}

fn blacken_headers(headers: &mut [(String, String)]) {
    for (name, value) in headers {
        if HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            BLACK.clone_into(value);
        }
    }
}

fn blackened(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        _ if body.is_empty() => return String::new(),
        Ok(mut value) => {
            walk(&mut value);
            value.to_string()
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
                if member.is_string() && MEMBERS.contains(&name.as_str()) {
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
