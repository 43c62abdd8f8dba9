//! A Partner's order: what `POST /v1/payments` carries, and whether it may go to Klarna (AP-02).

use klarna_schemas::catalogue;
use klarna_schemas::money::{Currency, MinorUnits};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};
use url::{Host, Url};

use super::network_data::{NetworkData, NotNetworkData};
use super::payment::Mode;

/// Schema of the body, `schemas/acquirer/create-payment.schema.json`.
const SCHEMA: &str = "acquirer/create-payment";

/// A payment as a Partner asks for it.
#[derive(Debug, Clone, Deserialize)]
pub struct CreatePayment {
    /// The Partner's own transaction reference.
    pub reference: String,
    /// Minor units.
    pub amount: MinorUnits,
    /// ISO 4217.
    pub currency: Currency,
    /// The order number that the customer knows.
    pub purchase_reference: String,
    /// What is bought.
    pub order_lines: Vec<OrderLine>,
    /// Who buys.
    pub customer: Customer,
    /// Where the bill goes.
    pub billing_address: Address,
    /// Where the goods go; absent when nothing is shipped.
    pub shipping_address: Option<ShippingAddress>,
    /// Where the customer's browser ends up.
    pub return_url: String,
    /// Where the customer's app is woken.
    pub app_return_url: Option<String>,
    /// How a step-up is led.
    pub mode: Mode,
    /// For Klarna, unread.
    pub klarna_network_data: Option<NetworkData>,
    /// The Partner's own session token, opaque.
    pub klarna_network_session_token: Option<secrecy::SecretString>,
    /// The payment option that the customer chose, opaque.
    pub payment_option_id: Option<String>,
}

/// One line of the order.
#[derive(Debug, Clone, Deserialize)]
pub struct OrderLine {
    /// What the customer reads.
    pub name: String,
    /// How many.
    pub quantity: i64,
    /// Minor units.
    pub unit_price: Option<MinorUnits>,
    /// Minor units; negative for a discount.
    pub total_amount: MinorUnits,
    /// Minor units.
    pub total_tax_amount: Option<MinorUnits>,
    /// The Partner's name for the line.
    pub reference: Option<String>,
    /// Page of the product.
    pub product_url: Option<String>,
    /// Picture of the product.
    pub image_url: Option<String>,
}

/// Who buys.
#[derive(Debug, Clone, Deserialize)]
pub struct Customer {
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Email address.
    pub email: String,
    /// E.164.
    pub phone: String,
    /// `YYYY-MM-DD`.
    pub date_of_birth: Option<String>,
}

/// A postal address.
#[derive(Debug, Clone, Deserialize)]
pub struct Address {
    /// Street and number.
    pub street_address: String,
    /// Second line.
    pub street_address2: Option<String>,
    /// Postal code.
    pub postal_code: String,
    /// City.
    pub city: String,
    /// State or region.
    pub region: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
}

/// Where the goods go, and to whom if not to the customer.
#[derive(Debug, Clone, Deserialize)]
pub struct ShippingAddress {
    /// Given name of whoever receives it.
    pub given_name: Option<String>,
    /// Family name of whoever receives it.
    pub family_name: Option<String>,
    /// Where.
    #[serde(flatten)]
    pub address: Address,
}

/// A field that is wrong, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongField {
    /// Dot notation, e.g. `order_lines[0].quantity`.
    pub field: String,
    /// For the Partner's developer.
    pub reason: String,
}

impl WrongField {
    /// A field, and what is wrong with it.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

impl CreatePayment {
    /// Reads a body, or names *every* field that is wrong.
    pub fn read(body: &Value) -> Result<Self, Vec<WrongField>> {
        read_checked(SCHEMA, body, wrong_urls(body))
    }
}

/// Reads a body that a schema describes, or names every field that is wrong: those of the schema,
/// what was found `beyond` it, and network data that is none.
pub(super) fn read_checked<T: DeserializeOwned>(
    schema: &str,
    body: &Value,
    beyond: Vec<WrongField>,
) -> Result<T, Vec<WrongField>> {
    let mut wrong = match catalogue::check(schema, body) {
        Ok(violations) => violations
            .into_iter()
            .map(|violation| WrongField::new(violation.parameter, violation.reason))
            .collect(),
        // The schema is embedded and a test reads it; without it nothing may pass.
        Err(error) => vec![WrongField::new("$", error.to_string())],
    };
    wrong.extend(beyond);
    wrong.extend(wrong_network_data(body));
    if !wrong.is_empty() {
        return Err(wrong);
    }
    serde_path_to_error::deserialize(with_whole_numbers(body))
        .map_err(|error| vec![WrongField::new(error.path().to_string(), error.inner().to_string())])
}

/// The largest whole number up to which an `f64` holds each of them.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// `100.0` and `1e2` are integers to JSON Schema (2020-12 validation, 6.1.1), so they are to this API
/// too; Rust's types take them as `100` only.
fn with_whole_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => whole(number).map_or_else(|| value.clone(), Value::from),
        Value::Array(items) => items.iter().map(with_whole_numbers).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), with_whole_numbers(value))).collect()
        }
        _ => value.clone(),
    }
}

/// The integer that a number written with a point or an exponent is, if it is exactly one.
fn whole(number: &Number) -> Option<i64> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    if float.fract() != 0.0 || float.abs() > LARGEST_EXACT {
        return None;
    }
    // Its shortest decimal form has no point and no exponent.
    format!("{float:.0}").parse().ok()
}

/// What a schema cannot say of URLs. Fields of the wrong type are left to the schema.
fn wrong_urls(body: &Value) -> Vec<WrongField> {
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    let mut wrong = Vec::new();
    if let Some(Err(reason)) = text("return_url").map(check_return_url) {
        wrong.push(WrongField::new("return_url", reason));
    }
    if let Some(Err(reason)) = text("app_return_url").map(check_app_return_url) {
        wrong.push(WrongField::new("app_return_url", reason));
    }
    wrong
}

/// What a schema cannot say of network data. Data of the wrong type is left to the schema.
fn wrong_network_data(body: &Value) -> Option<WrongField> {
    let data = NetworkData::from(body.get("klarna_network_data")?.as_str()?);
    match data.check() {
        Err(NotNetworkData::NotJson(why)) => {
            Some(WrongField::new("klarna_network_data", format!("must hold serialised JSON: {why}")))
        }
        _ => None,
    }
}

fn check_return_url(text: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|error| format!("must be an absolute URL: {error}"))?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => Err("must be https; plain http is for loopback addresses only".to_owned()),
        other => Err(format!("must be https, not {other}")),
    }
}

/// An app is woken by a scheme of its own or a universal link; what a browser would run is neither.
fn check_app_return_url(text: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|error| format!("must be an absolute URL: {error}"))?;
    match url.scheme() {
        "javascript" | "data" | "file" | "blob" => Err(format!("a {}: URL wakes no app", url.scheme())),
        _ => Ok(()),
    }
}

/// Whether a URL stays on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
