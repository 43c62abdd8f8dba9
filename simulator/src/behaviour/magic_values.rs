//! Klarna's documented test customers: who is always declined (contract `webhooks-and-network-data.md` D,
//! `payments.md` 9.1).

use serde_json::Value;

/// Where a customer's email stands in an authorize.
const EMAIL: &str = "/supplementary_purchase_data/customer/email";
/// Where the phone stands.
const PHONE: &str = "/supplementary_purchase_data/customer/phone";
/// What stands behind a plus in the local part of a declined customer's email; `red` is the older one.
const DENIED_TAGS: [&str; 2] = ["denied", "red"];
/// Phones of declined customers, as far as they are known.
const DENIED_PHONES: [&str; 1] = ["+61473763254"];

/// Why this customer is declined whatever the order; `None` for everybody else. Test customers who are
/// accepted decide nothing: they are asked like others.
pub(crate) fn denied(body: &Value) -> Option<String> {
    let text = |place: &str| body.pointer(place).and_then(Value::as_str);
    let email = text(EMAIL).filter(|email| is_denied(email));
    let phone = || text(PHONE).filter(|phone| DENIED_PHONES.contains(&digits(phone).as_str()));
    email.map(|_| "the customer's email is one of a test customer who is always declined".to_owned()).or_else(
        || {
            phone()
                .map(|_| "the customer's phone is one of a test customer who is always declined".to_owned())
        },
    )
}

fn is_denied(email: &str) -> bool {
    let Some((local, _domain)) = email.rsplit_once('@') else { return false };
    local.split('+').skip(1).any(|tag| DENIED_TAGS.contains(&tag.to_ascii_lowercase().as_str()))
}

/// A phone without what people put between its digits.
fn digits(phone: &str) -> String {
    phone.chars().filter(|letter| letter.is_ascii_digit() || *letter == '+').collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_documented_customers_are_denied() {
        let with = |field: &str, value: &str| {
            denied(&json!({"supplementary_purchase_data": {"customer": {field: value}}})).is_some()
        };
        for email in ["customer+us+denied@klarna.com", "customer+denied@email.us", "customer+red@email.us"] {
            assert!(with("email", email), "{email}");
        }
        for email in [
            "customer+us@klarna.com",
            "denied@klarna.com",
            "red+fred@a.example",
            "customer@denied.com",
            "+denied",
        ] {
            assert!(!with("email", email), "{email}");
        }
        assert!(with("phone", "+61473763254"));
        assert!(with("phone", "+61 473 763 254"));
        assert!(!with("phone", "+61473752244"), "an accepted one decides nothing");
        assert!(denied(&json!({})).is_none());
    }
}
