//! Names of older revisions in a body, which Klarna still serves (contract `payments.md` 7).

use klarna_schemas::klarna::error::ValidationError;
use serde_json::Value;

/// Holds the lines of an order, of a capture or of a refund.
const WITH_LINES: [&str; 3] =
    ["supplementary_purchase_data", "supplementary_capture_data", "supplementary_refund_data"];
/// Holds `customer_interaction_config`, in an authorize and in a Payment Request.
const ABOVE_THE_INTERACTION: [&str; 2] = ["step_up_config.", ""];
/// Where a placeholder may stand.
const RETURN_URLS: [&str; 2] = ["return_url", "app_return_url"];
const OLDER_PLACEHOLDER: &str = "{klarna.payment_request.payment_token}";

/// Every field of a body that stands under an older name, or has an older value.
pub(super) fn in_body(raw: &Value) -> Vec<ValidationError> {
    let mut older = Vec::new();
    if is_there(raw, "interoperability_data") {
        let why = "is the older name of klarna_network_data";
        older.push(ValidationError::new("interoperability_data", why));
    }
    for place in WITH_LINES {
        let lines = at(raw, place).and_then(|data| data.get("line_items")).and_then(Value::as_array);
        for (index, _) in
            lines.into_iter().flatten().enumerate().filter(|(_, line)| is_there(line, "reference"))
        {
            let parameter = format!("{place}.line_items[{index}].reference");
            older.push(ValidationError::new(parameter, "is the older name of line_item_reference"));
        }
    }
    for above in ABOVE_THE_INTERACTION {
        if let Some(holder) = at(raw, above.trim_end_matches('.')) {
            in_interaction(holder, above, &mut older);
        }
    }
    older
}

/// What is older in the ways to lead the customer, which stand in `holder`.
fn in_interaction(holder: &Value, above: &str, older: &mut Vec<ValidationError>) {
    if is_there(holder, "payment_request_expires_at") {
        let why = "is older than customer_interaction_config.interaction_expiry";
        older.push(ValidationError::new(format!("{above}payment_request_expires_at"), why));
    }
    let Some(config) = holder.get("customer_interaction_config") else { return };
    let field = |name: &str| format!("{above}customer_interaction_config.{name}");
    if config.get("method").is_some_and(|method| method == "SERVER_REDIRECT") {
        older.push(ValidationError::new(field("method"), "is SERVER_REDIRECT, the older name of HANDOVER"));
    }
    for name in RETURN_URLS {
        if config.get(name).and_then(Value::as_str).is_some_and(|url| url.contains(OLDER_PLACEHOLDER)) {
            let why = format!(
                "has {OLDER_PLACEHOLDER}, older than {{klarna.payment_request.klarna_network_session_token}}"
            );
            older.push(ValidationError::new(field(name), why));
        }
    }
}

/// A member of a body, or the body itself where there is no name.
fn at<'a>(raw: &'a Value, name: &str) -> Option<&'a Value> {
    if name.is_empty() { Some(raw) } else { raw.get(name) }
}

fn is_there(holder: &Value, name: &str) -> bool {
    holder.get(name).is_some_and(|value| !value.is_null())
}
