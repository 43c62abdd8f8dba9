//! What is bought, by whom, sent where (contract `payments.md` 2.2).

use serde::{Deserialize, Serialize};

use crate::money::MinorUnits;

/// `supplementary_purchase_data` of an authorize, without the verticals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplementaryPurchaseData {
    /// The order number that the customer knows, up to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_reference: Option<String>,
    /// What is bought; shipping and discounts are lines too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_items: Option<Vec<LineItem>>,
    /// Who buys; the address is the billing address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// Where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Vec<Shipping>>,
}

/// One line of the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    /// What the customer reads.
    pub name: String,
    /// At least 1.
    pub quantity: i64,
    /// Minor units; negative for a discount.
    pub total_amount: MinorUnits,
    /// Minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_tax_amount: Option<MinorUnits>,
    /// Minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<MinorUnits>,
    /// The Partner's name for the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_item_reference: Option<String>,
    /// The Partner's name for the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_identifier: Option<String>,
    /// Page of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_url: Option<String>,
    /// Picture of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
}

/// Who buys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Email address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    /// Billing address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// One parcel's way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipping {
    /// The Partner's name for the parcel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_reference: Option<String>,
    /// Who receives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Recipient>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// How.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_option: Option<ShippingOption>,
}

/// How a parcel travels (contract `webhooks-and-network-data.md` B.4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingOption {
    /// `TO_DOOR`, `PICKUP_STORE`; others exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_type: Option<String>,
    /// `SIGNATURE_REQUIRED`, `LEAVE_AT_DOOR`, `LEAVE_WITH_NEIGHBOUR`, `TRACKED`, `UNTRACKED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_type_attributes: Option<Vec<String>>,
    /// Who carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_carrier: Option<String>,
}

/// Who receives a parcel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Email address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// Second line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street_address2: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State or region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}
