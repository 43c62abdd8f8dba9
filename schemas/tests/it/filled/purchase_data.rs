//! What is bought, by whom, sent where.

use klarna_schemas::klarna::purchase_data::{
    Address, Customer, LineItem, Recipient, Shipping, ShippingOption, SupplementaryPurchaseData,
};
use klarna_schemas::money::MinorUnits;

use super::{Filled, filled, some};

pub(super) fn address() -> Address {
    Address {
        street_address: some("Gatan 1"),
        street_address2: some("c/o Person"),
        postal_code: some("11122"),
        city: some("Stockholm"),
        region: some("Stockholm"),
        country: some("SE"),
    }
}

fn shipping_option() -> ShippingOption {
    ShippingOption {
        shipping_type: some("TO_DOOR"),
        shipping_type_attributes: Some(vec!["TRACKED".to_owned()]),
        shipping_carrier: some("CARRIER"),
    }
}

pub(super) fn chosen_shipping() -> Option<Shipping> {
    purchase_data().shipping.and_then(|mut shipping| shipping.pop())
}

pub(super) fn purchase_data() -> SupplementaryPurchaseData {
    SupplementaryPurchaseData {
        purchase_reference: some("ORDER-5501"),
        line_items: Some(vec![LineItem {
            name: "Trail shoe".to_owned(),
            quantity: 1,
            total_amount: MinorUnits(45_900),
            total_tax_amount: Some(MinorUnits(9180)),
            unit_price: Some(MinorUnits(45_900)),
            line_item_reference: some("line-1"),
            product_identifier: some("SKU-1"),
            product_url: some("https://shop.example/p/1"),
            image_url: some("https://shop.example/p/1.png"),
        }]),
        customer: Some(Customer {
            given_name: some("Test"),
            family_name: some("Person"),
            email: some("customer+se@klarna.com"),
            phone: some("+46700000000"),
            date_of_birth: some("1990-01-31"),
            address: Some(address()),
        }),
        shipping: Some(vec![Shipping {
            shipping_reference: some("s1"),
            recipient: Some(Recipient {
                given_name: some("Test"),
                family_name: some("Person"),
                email: some("customer+se@klarna.com"),
                phone: some("+46700000000"),
            }),
            address: Some(address()),
            shipping_option: Some(shipping_option()),
        }]),
    }
}

/// All of it.
pub(super) fn filled_in() -> Vec<Filled> {
    vec![filled("klarna/supplementary-purchase-data", &purchase_data())]
}
