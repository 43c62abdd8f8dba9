//! What acquirers call things: the names of an order's values, and the words for outcomes.

use crate::adapter::Outcome;

/// A value of an order, and what it is called elsewhere. Names are as [`bare`] leaves them.
struct Named {
    variable: &'static str,
    names: &'static [&'static str],
}

const fn named(variable: &'static str, names: &'static [&'static str]) -> Named {
    Named { variable, names }
}

/// Values of an order that are called the same wherever they stand.
const ORDER: &[Named] = &[
    named("order.network_data", &["klarnanetworkdata", "networkdata", "klarnadata"]),
    named(
        "order.session_token",
        &["klarnanetworksessiontoken", "networksessiontoken", "klarnasessiontoken", "sessiontoken"],
    ),
    named(
        "order.payment_option_id",
        &["paymentoptionid", "klarnapaymentoptionid", "optionid", "optionkey", "klarnaoption"],
    ),
    named(
        "order.amount",
        &[
            "amount",
            "totalamount",
            "total",
            "grandtotal",
            "amountminor",
            "amountinminorunits",
            "minorunits",
            "value",
        ],
    ),
    named("order.currency", &["currency", "currencycode", "currencyiso"]),
    named("order.app_return_url", &["appreturnurl", "appurl", "deeplink"]),
    named(
        "order.return_url",
        &[
            "returnurl",
            "returnuri",
            "redirecturl",
            "redirecturi",
            "successurl",
            "cancelurl",
            "failureurl",
            "errorurl",
        ],
    ),
    named(
        "partner.notification_url",
        &["notificationurl", "webhookurl", "notifyurl", "callbackurl", "statusurl"],
    ),
    named(
        "order.purchase_reference",
        &["purchasereference", "ordernumber", "orderreference", "orderid", "purchaseid"],
    ),
    named(
        "order.reference",
        &[
            "reference",
            "merchantreference",
            "transactionreference",
            "paymentreference",
            "externalid",
            "externalreference",
            "clientreference",
            "merchanttransactionid",
            "requestid",
        ],
    ),
    named("order.locale", &["locale", "language", "shopperlocale", "lang"]),
    named("order.mode", &["mode", "flow", "channel", "integration"]),
    named("order.customer.email", &["email", "emailaddress", "mail"]),
    named("order.customer.phone", &["phone", "phonenumber", "mobile", "mobilenumber", "telephone", "msisdn"]),
    named(
        "partner.vars.merchant_id",
        &["merchantaccount", "merchantid", "merchantcode", "shopid", "storeid", "accountid", "siteid"],
    ),
];

/// Values of a person.
const PERSON: &[Named] = &[
    named("given_name", &["givenname", "firstname", "forename"]),
    named("family_name", &["familyname", "lastname", "surname"]),
];

/// Values of an address.
const ADDRESS: &[Named] = &[
    named(
        "street_address",
        &["streetaddress", "street", "line1", "addressline1", "address1", "street1", "addressline"],
    ),
    named("postal_code", &["postalcode", "zip", "zipcode", "postcode"]),
    named("city", &["city", "town", "locality"]),
    named("region", &["region", "state", "province", "county"]),
    named("country", &["country", "countrycode"]),
];

/// Values of an order line.
const LINE: &[Named] = &[
    named("line.name", &["name", "label", "title", "description", "productname"]),
    named("line.quantity", &["quantity", "count", "qty"]),
    named("line.unit_price", &["unitprice", "price", "priceperunit", "unitamount"]),
    named("line.total_amount", &["totalamount", "total", "linetotal", "amount", "lineamount"]),
    named("line.total_tax_amount", &["totaltaxamount", "tax", "taxtotal", "taxamount", "vat", "vatamount"]),
    named(
        "line.reference",
        &["reference", "sku", "article", "articlenumber", "productid", "id", "code", "itemid"],
    ),
];

/// Names of a list of order lines.
const LINES: &[&str] =
    &["orderlines", "lines", "items", "lineitems", "basket", "cart", "products", "articles", "basketitems"];

/// What tells the address to ship to from that of the bill.
const SHIPPING: &[&str] = &["shipping", "delivery", "shipto", "recipient", "ship"];
const BILLING: &[&str] = &["billing", "billto", "invoice"];

/// Values that not every order has: their member is dropped then.
const OPTIONAL: &[&str] = &[
    "order.network_data",
    "order.session_token",
    "order.payment_option_id",
    "order.app_return_url",
    "order.billing_address.region",
    "order.shipping_address.region",
];

/// Amounts of money, in minor units.
const MONEY: &[&str] = &["order.amount", "line.unit_price", "line.total_amount", "line.total_tax_amount"];

const OUTCOMES: &[(Outcome, &[&str])] = &[
    (
        Outcome::Approved,
        &[
            "approved",
            "authorised",
            "authorized",
            "paid",
            "success",
            "succeeded",
            "successful",
            "ok",
            "completed",
            "complete",
            "captured",
            "accepted",
            "settled",
            "done",
        ],
    ),
    (Outcome::Declined, &["declined", "refused", "rejected", "denied"]),
    (Outcome::Failed, &["failed", "failure", "error"]),
    (
        Outcome::StepUp,
        &[
            "stepup",
            "stepuprequired",
            "actionrequired",
            "requiresaction",
            "redirect",
            "redirectshopper",
            "redirectrequired",
            "challenge",
            "challengerequired",
            "customeractionrequired",
            "awaitingcustomer",
            "interactionrequired",
        ],
    ),
    (
        Outcome::Pending,
        &["pending", "processing", "inprogress", "received", "working", "waiting", "created", "new", "open"],
    ),
    (Outcome::Canceled, &["canceled", "cancelled", "aborted", "voided", "abandoned"]),
    (Outcome::Expired, &["expired", "timedout", "timeout"]),
    (Outcome::Invalid, &["invalid"]),
];

/// What a name was found to mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// The variable.
    pub variable: String,
    /// Whether the name is the variable's own.
    pub same_name: bool,
}

/// Letters and digits alone, in lower case: `givenName` and `given_name` are one.
pub fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// What a member of an order line means.
pub fn of_line(name: &str) -> Option<Meaning> {
    look_up(LINE, &bare(name), "")
}

/// What a member means that stands within members of these names.
pub fn of_order(within: &[String], name: &str) -> Option<Meaning> {
    let name = bare(name);
    let within: Vec<String> = within.iter().map(|name| bare(name)).collect();
    let stands_in = |words: &[&str]| within.iter().any(|name| words.iter().any(|word| name.contains(word)));
    // `amount: {value, currency}`, and `redirect: {url}`.
    if name == "value" && !stands_in(&["amount", "total", "price", "money"]) {
        return None;
    }
    if name == "url" && stands_in(&["return", "redirect"]) {
        return Some(Meaning { variable: "order.return_url".to_owned(), same_name: false });
    }
    if name == "data" && stands_in(&["klarnanetwork", "networkdata"]) {
        return Some(Meaning { variable: "order.network_data".to_owned(), same_name: false });
    }
    let shipping = stands_in(SHIPPING);
    let person = if shipping { "order.recipient." } else { "order.customer." };
    let address = if shipping { "order.shipping_address." } else { "order.billing_address." };
    let address_is_named = shipping || stands_in(BILLING);
    let of_address = look_up(ADDRESS, &name, address)
        .map(|found| Meaning { same_name: found.same_name && address_is_named, ..found });
    look_up(ORDER, &name, "").or_else(|| look_up(PERSON, &name, person)).or(of_address)
}

fn look_up(table: &[Named], name: &str, prefix: &str) -> Option<Meaning> {
    let found = table.iter().find(|one| one.names.contains(&name))?;
    let last = found.variable.rsplit('.').next().unwrap_or_default();
    // `klarna_network_data` is no other name than `network_data`.
    let same_name =
        ["", "klarna", "klarnanetwork"].iter().any(|before| *name == format!("{before}{}", bare(last)));
    Some(Meaning { variable: format!("{prefix}{}", found.variable), same_name })
}

/// Whether a list of this name holds order lines.
pub fn names_lines(name: &str) -> bool {
    LINES.contains(&bare(name).as_str())
}

/// Whether not every order has a value.
pub fn is_optional(variable: &str) -> bool {
    OPTIONAL.contains(&variable)
}

/// Whether a value is an amount of money.
pub fn is_money(variable: &str) -> bool {
    MONEY.contains(&variable)
}

/// What a word for a state means.
pub fn outcome(word: &str) -> Option<Outcome> {
    let bare = bare(word);
    OUTCOMES.iter().find(|(_, words)| words.contains(&bare.as_str())).map(|(outcome, _)| *outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_spelling_and_by_where_they_stand() {
        let within = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let variable = |names: &[&str], name| of_order(&within(names), name).map(|found| found.variable);
        assert_eq!(variable(&["shopper"], "firstName").as_deref(), Some("order.customer.given_name"));
        assert_eq!(variable(&["shipTo"], "first_name").as_deref(), Some("order.recipient.given_name"));
        assert_eq!(variable(&["delivery"], "zip").as_deref(), Some("order.shipping_address.postal_code"));
        assert_eq!(variable(&["billing"], "zip").as_deref(), Some("order.billing_address.postal_code"));
        assert_eq!(variable(&["amount"], "value").as_deref(), Some("order.amount"));
        assert_eq!(variable(&["metadata"], "value"), None);
        assert_eq!(variable(&[], "dateOfBirth"), None);
        assert!(of_order(&within(&[]), "currency").unwrap().same_name);
        assert!(!of_order(&within(&["person"]), "city").unwrap().same_name, "which address is a guess");
        assert_eq!(outcome("Action-Required"), Some(Outcome::StepUp));
        assert_eq!(outcome("purple"), None);
    }
}
