//! An order in which each value is like no other.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::adapter::{Address, Customer, Mode, Order, OrderLine, Recipient};

/// One value of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Canary {
    /// Where it stands in the order: `billing_address.city`; `network_data › canary` is a part of the data.
    pub name: String,
    /// The value.
    pub value: Value,
}

/// Parts the name of a value within the network data from its own.
const WITHIN: &str = " › ";

/// The order. Numbers are distinct and add up; texts carry a mark of their own.
pub fn canaries(seed: u64, mode: Mode, return_url: impl FnOnce(&str) -> Url) -> Order {
    let mark = |purpose: &str| {
        let digest = Sha256::digest(format!("{seed} {purpose}"));
        hex::encode(digest).chars().take(6).collect::<String>()
    };
    let reference = format!("ref-{}", mark("reference"));
    let address = |purpose: &str, postal_code: &str, country: &str| Address {
        street_address: format!("{purpose} street {}", mark(&format!("{purpose} street"))),
        postal_code: postal_code.to_owned(),
        city: format!("{purpose} city {}", mark(&format!("{purpose} city"))),
        region: Some(format!("{purpose} region {}", mark(&format!("{purpose} region")))),
        country: country.to_owned(),
    };
    let line = |name: &str, quantity: i64, unit_price: i64, total_tax_amount: i64| OrderLine {
        name: format!("{name} {}", mark(name)),
        quantity,
        unit_price,
        total_amount: quantity * unit_price,
        total_tax_amount,
        reference: format!("{name}-{}", mark(&format!("{name} reference"))),
    };
    let lines = vec![line("coat", 3, 7301, 4380), line("lamp", 7, 1117, 1563)];
    Order {
        amount: lines.iter().map(|line| line.total_amount).sum(),
        currency: "SEK".to_owned(),
        purchase_reference: format!("order-{}", mark("purchase reference")),
        lines,
        customer: Customer {
            given_name: format!("Given{}", mark("given name")),
            family_name: format!("Family{}", mark("family name")),
            email: format!("mail.{}@example.com", mark("email")),
            phone: "+46701740605".to_owned(),
        },
        billing_address: address("billing", "111 51", "SE"),
        shipping_address: address("shipping", "753 31", "FI"),
        recipient: Recipient {
            given_name: format!("Other{}", mark("other given name")),
            family_name: format!("Receiver{}", mark("other family name")),
        },
        return_url: return_url(&reference).into(),
        reference,
        app_return_url: None,
        mode,
        // No two encoders write it alike: spacing, `1.0`, an escape, a solidus.
        network_data: Some(format!(
            "{{ \"canary\": \"data-{}\",  \"schema_version\": 1.0, \"shop\": \"caf\\u00e9\", \"path\": \"a\\/b\" }}",
            mark("network data")
        )),
        session_token: None,
        locale: "sv-FI".to_owned(),
        payment_option_id: None,
    }
}

/// Each value of an order, and each text that is long enough to be recognised within its network data.
pub(super) fn of_order(order: &Order) -> Vec<Canary> {
    let mut canaries = Vec::new();
    let order = serde_json::to_value(order).unwrap_or_default();
    leaves(&order, "", &mut |name, value| {
        canaries.push(Canary { name: name.to_owned(), value: value.clone() });
        let within = value
            .as_str()
            .filter(|_| name == "network_data")
            .and_then(|text| serde_json::from_str(text).ok());
        let Some(within): Option<Value> = within else { return };
        leaves(&within, "", &mut |inner, value| {
            if value.as_str().is_some_and(super::find::is_distinct) {
                canaries.push(Canary { name: format!("{name}{WITHIN}{inner}"), value: value.clone() });
            }
        });
    });
    canaries
}

/// The order with one value changed, and no other; `None` for a value within the network data.
pub(super) fn changed(order: &Order, canary: &Canary) -> Option<Order> {
    if canary.name.contains(WITHIN) {
        return None;
    }
    let mut order = serde_json::to_value(order).ok()?;
    let pointer = format!("/{}", canary.name.replace(['.', '['], "/").replace(']', ""));
    let place = order.pointer_mut(&pointer)?;
    *place = match &*place {
        Value::String(word) if word == Mode::Redirect.as_str() => Mode::Sdk.as_str().into(),
        Value::String(word) if word == Mode::Sdk.as_str() => Mode::Redirect.as_str().into(),
        Value::String(text) => format!("{text}X").into(),
        Value::Number(number) => (number.as_i64()? + 1).into(),
        _ => return None,
    };
    serde_json::from_value(order).ok()
}

/// The values of a tree that are neither lists nor objects, with where they stand: `lines[0].name`.
pub(super) fn leaves<'a>(tree: &'a Value, at: &str, take: &mut impl FnMut(&str, &'a Value)) {
    match tree {
        Value::Object(members) => {
            for (name, member) in members {
                let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                leaves(member, &at, take);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, &format!("{at}[{index}]"), take);
            }
        }
        Value::Null => {}
        leaf => take(at, leaf),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn order() -> Order {
        canaries(7, Mode::Redirect, |marker| Url::parse(&format!("http://shop.example/{marker}")).unwrap())
    }

    #[test]
    fn no_two_values_are_alike_and_the_lines_add_up() {
        let canaries = of_order(&order());
        let values: HashSet<String> = canaries.iter().map(|canary| canary.value.to_string()).collect();
        assert_eq!(values.len(), canaries.len(), "{canaries:?}");
        assert!(canaries.iter().any(|canary| canary.name == "network_data › canary"));
        let order = order();
        assert_eq!(order.amount, order.lines.iter().map(|line| line.total_amount).sum::<i64>());
    }

    #[test]
    fn a_change_is_of_one_value() {
        let order = order();
        for canary in of_order(&order) {
            let Some(changed) = changed(&order, &canary) else {
                assert!(canary.name.contains(WITHIN), "{canary:?}");
                continue;
            };
            let (before, after) = (of_order(&order), of_order(&changed));
            let differing: Vec<&str> = before
                .iter()
                .filter(|one| !after.contains(one) && !one.name.contains(WITHIN))
                .map(|one| one.name.as_str())
                .collect();
            assert_eq!(differing, [canary.name.as_str()]);
        }
    }
}
