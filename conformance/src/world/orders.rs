//! What the Partner sells when a scenario does not say.

use klarna_schemas::money::Currency;

use super::context::RunContext;
use super::failure::Failure;
use crate::adapter::{Address, Customer, Mode, Order, OrderLine, Recipient};

/// Klarna Network Data so plain that whoever parses and rewrites it changes little or nothing: a
/// defect of that kind then shows where it is looked for, and not in every scenario.
const PLAIN: &str = r#"{"content_type":"application/json","schema_version":"1"}"#;

/// Klarna Network Data that no two encoders write alike.
pub(super) const PECULIAR: &str = r#"{"schema_version": 1.0, "content_type": "application/json", "sdk": {"locale": "sv-SE", "name": "web"}, "shop": "caf\u00e9", "path": "a\/b"}"#;

/// Characters that a table of a feature cannot show, in data that is sound JSON all the same.
pub(super) fn peculiar(words: &str) -> Option<&'static str> {
    match words {
        "Windows line ends" => Some("{\r\n  \"a\": 1,\r\n  \"b\": 2\r\n}\r\n"),
        "a byte order mark in it" => Some("{\"before\u{feff}after\":\"\u{feff}\"}"),
        "invisible letters" => Some("{\"a\u{a0}b\":\"c\u{200d}d\u{ad}e\u{2028}f\u{2029}g\u{7f}h\"}"),
        _ => None,
    }
}

/// Shipping, in minor units, where the amount leaves room for it.
const SHIPPING: i64 = 4900;

/// An order of 459.00 SEK; the `number`-th of its scenario.
pub(super) fn sample(run: &RunContext, scenario: &str, number: usize) -> Order {
    let reference = format!("order-{}-{number}", run.short_name(scenario, "order"));
    let address = |street: &str, postal_code: &str, city: &str, region: &str| Address {
        street_address: street.to_owned(),
        postal_code: postal_code.to_owned(),
        city: city.to_owned(),
        region: Some(region.to_owned()),
        country: "SE".to_owned(),
    };
    let mode =
        if run.adapter.claims("redirect") || !run.adapter.claims("sdk") { Mode::Redirect } else { Mode::Sdk };
    let mut order = Order {
        purchase_reference: format!("{}-{number}", run.short_name(scenario, "purchase").to_uppercase()),
        return_url: format!("{}?lang=sv&from=a%26b", run.stand_in.return_url(&reference)),
        reference,
        amount: 0,
        currency: String::new(),
        lines: Vec::new(),
        customer: Customer {
            given_name: "Ebba".to_owned(),
            family_name: "Åkesson".to_owned(),
            email: "ebba@example.com".to_owned(),
            phone: "+46701740615".to_owned(),
        },
        // Two places, so that one cannot stand for the other.
        billing_address: address("Drottninggatan 1", "111 51", "Stockholm", "Stockholms län"),
        shipping_address: address("Storgatan 2", "753 31", "Uppsala", "Uppsala län"),
        recipient: Recipient { given_name: "Nils".to_owned(), family_name: "Östberg".to_owned() },
        app_return_url: None,
        mode,
        network_data: run.adapter.claims("network_data").then(|| PLAIN.to_owned()),
        session_token: None,
        locale: "sv-SE".to_owned(),
        payment_option_id: None,
    };
    price(&mut order, 45_900, "SEK");
    order
}

/// Prices an order: one article and, where the amount leaves room, its shipping.
pub(super) fn price(order: &mut Order, amount: i64, currency: &str) {
    let shipping = if amount > 2 * SHIPPING { SHIPPING } else { 0 };
    let goods = amount - shipping;
    order.amount = amount;
    currency.clone_into(&mut order.currency);
    // Two of a kind, where the price can be halved: neither quantity nor unit price is the default.
    let quantity = if goods % 2 == 0 { 2 } else { 1 };
    order.lines = vec![line("Rain coat, sea green", quantity, goods, "COAT-7")];
    if shipping > 0 {
        order.lines.push(line("Shipping", 1, shipping, "SHIP-1"));
    }
}

fn line(name: &str, quantity: i64, total: i64, reference: &str) -> OrderLine {
    OrderLine {
        name: name.to_owned(),
        quantity,
        unit_price: total / quantity,
        total_amount: total,
        // A fifth of a price that holds 25 % of tax.
        total_tax_amount: total / 5,
        reference: reference.to_owned(),
    }
}

/// Minor units of an amount as a feature writes it, e.g. `459.00` of `SEK`.
pub(super) fn minor_units(number: &str, currency: &str) -> Result<i64, Failure> {
    let unreadable = || Failure::misused(&format!("\"{number} {currency}\" is no amount"));
    let known: Currency = currency.parse().map_err(|_| unreadable())?;
    let digits = known.minor_digits() as usize;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > digits {
        return Err(unreadable());
    }
    format!("{whole}{fraction:0<digits$}").parse().map_err(|_| unreadable())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_become_minor_units() {
        assert_eq!(minor_units("459.00", "SEK").unwrap(), 45_900);
        assert_eq!(minor_units("459.5", "SEK").unwrap(), 45_950);
        assert_eq!(minor_units("459", "EUR").unwrap(), 45_900);
        assert_eq!(minor_units("1200", "JPY").unwrap(), 1200);
        assert_eq!(minor_units("1.250", "KWD").unwrap(), 1250);
        assert!(minor_units("1.5", "JPY").is_err());
    }
}
