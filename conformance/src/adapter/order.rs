//! What a scenario's Partner sells: the template variables under `order.`.

use serde::{Deserialize, Serialize};

/// One order, as the Partner hands it to its acquirer. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The Partner's own transaction reference.
    pub reference: String,
    /// Minor units, tax included.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The order number that the Customer knows.
    pub purchase_reference: String,
    /// What is bought.
    pub lines: Vec<OrderLine>,
    /// Who buys.
    pub customer: Customer,
    /// Where the bill goes.
    pub billing_address: Address,
    /// Where the goods go.
    pub shipping_address: Address,
    /// Who receives them there: somebody else than who buys.
    pub recipient: Recipient,
    /// Where the Customer comes back to.
    pub return_url: String,
    /// Where the Customer comes back to in the Partner's app.
    pub app_return_url: Option<String>,
    /// `redirect` or `sdk`.
    pub mode: Mode,
    /// Klarna Network Data: the exact string that Klarna must get.
    pub network_data: Option<String>,
    /// Klarna Network Session Token that the Partner brings.
    pub session_token: Option<String>,
    /// The language of the Partner's page, as a BCP 47 tag.
    pub locale: String,
    /// The payment option that the Customer chose, where Klarna's presentation offered one.
    pub payment_option_id: Option<String>,
}

/// How the Customer is led to Klarna.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The Customer opens a URL.
    Redirect,
    /// The Partner's page starts the Web SDK with the Payment Request's id.
    Sdk,
}

impl Mode {
    /// The word that adapters see as `order.mode`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::Sdk => "sdk",
        }
    }
}

/// One line of an order. Amounts are minor units, tax included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderLine {
    /// What it is called.
    pub name: String,
    /// How many.
    pub quantity: i64,
    /// Price of one.
    pub unit_price: i64,
    /// Price of all; negative for a discount.
    pub total_amount: i64,
    /// Tax in `total_amount`.
    pub total_tax_amount: i64,
    /// The Partner's article number.
    pub reference: String,
}

/// Who buys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// E-mail address.
    pub email: String,
    /// Telephone number, E.164.
    pub phone: String,
}

/// Who receives the goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Street and number.
    pub street_address: String,
    /// Postal code.
    pub postal_code: String,
    /// City.
    pub city: String,
    /// Region or state, where the country has them.
    pub region: Option<String>,
    /// ISO 3166 alpha-2.
    pub country: String,
}
