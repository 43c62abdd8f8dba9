//! From a Partner's order to Klarna's words: the account, and the purchase data field by field.

use klarna_schemas::klarna::authorize::{
    AcquiringConfig, AuthorizeRequest, RequestPaymentTransaction, StepUpConfig,
};
use klarna_schemas::klarna::payment_request::CustomerInteractionConfig;
use klarna_schemas::klarna::purchase_data as klarna;

use super::create::{Address, CreatePayment, Customer, OrderLine, ShippingAddress};
use super::network_data::NetworkData;
use super::payment::Mode;

/// The initial call: everything that Klarna needs in order to decide, and to ask the customer.
///
/// `payment_id` names the payment request, so that an event finds its payment even before the
/// answer to this call does. `return_url` is the acquirer's own (the Partner's comes after it).
pub fn initial_authorize(
    order: &CreatePayment,
    payment_id: &str,
    payment_account: Option<&str>,
    return_url: &str,
) -> AuthorizeRequest {
    AuthorizeRequest {
        currency: order.currency.clone(),
        request_customer_token: None,
        request_payment_transaction: Some(RequestPaymentTransaction {
            amount: order.amount,
            payment_transaction_reference: Some(order.reference.clone()),
            payment_option_id: order.payment_option_id.clone(),
            payment_program_enablement_codes: None,
            capture: None,
            payment_capture_reference: None,
        }),
        supplementary_purchase_data: Some(purchase_data(order)),
        klarna_network_data: order.klarna_network_data.clone().map(NetworkData::into_string),
        interoperability_data: None,
        step_up_config: Some(StepUpConfig {
            payment_request_expires_at: None,
            payment_request_reference: Some(payment_id.to_owned()),
            customer_interaction_config: Some(CustomerInteractionConfig {
                method: Some(interaction_method(order.mode).to_owned()),
                return_url: Some(return_url.to_owned()),
                app_return_url: order.app_return_url.clone(),
                interaction_expiry: None,
            }),
        }),
        acquiring_config: payment_account.map(|account| AcquiringConfig {
            payment_account_id: Some(account.to_owned()),
            ..AcquiringConfig::default()
        }),
        point_of_checkout: None,
        point_of_transaction: None,
        payment_request_id: None,
    }
}

/// The final call: the same payload without `step_up_config`, since nobody is left to ask (AP-23).
pub fn final_authorize(initial: &AuthorizeRequest) -> AuthorizeRequest {
    AuthorizeRequest { step_up_config: None, ..initial.clone() }
}

fn interaction_method(mode: Mode) -> &'static str {
    match mode {
        Mode::Redirect => "HANDOVER",
        Mode::Sdk => "SDK",
    }
}

fn purchase_data(order: &CreatePayment) -> klarna::SupplementaryPurchaseData {
    klarna::SupplementaryPurchaseData {
        purchase_reference: Some(order.purchase_reference.clone()),
        line_items: Some(order.order_lines.iter().map(line_item).collect()),
        customer: Some(customer(&order.customer, &order.billing_address)),
        shipping: order.shipping_address.as_ref().map(|to| vec![shipping(to, &order.customer)]),
    }
}

fn line_item(line: &OrderLine) -> klarna::LineItem {
    klarna::LineItem {
        name: line.name.clone(),
        quantity: line.quantity,
        total_amount: line.total_amount,
        total_tax_amount: line.total_tax_amount,
        unit_price: line.unit_price,
        line_item_reference: line.reference.clone(),
        product_identifier: None,
        product_url: line.product_url.clone(),
        image_url: line.image_url.clone(),
    }
}

fn customer(customer: &Customer, billing: &Address) -> klarna::Customer {
    klarna::Customer {
        given_name: Some(customer.given_name.clone()),
        family_name: Some(customer.family_name.clone()),
        email: Some(customer.email.clone()),
        phone: Some(customer.phone.clone()),
        date_of_birth: customer.date_of_birth.clone(),
        address: Some(address(billing)),
    }
}

/// The customer receives the goods unless the shipping address names somebody else, whose email
/// and phone are not the customer's and so are left out.
fn shipping(to: &ShippingAddress, customer: &Customer) -> klarna::Shipping {
    let given_name = to.given_name.as_ref().unwrap_or(&customer.given_name);
    let family_name = to.family_name.as_ref().unwrap_or(&customer.family_name);
    let is_customer = *given_name == customer.given_name && *family_name == customer.family_name;
    let recipient = klarna::Recipient {
        given_name: Some(given_name.clone()),
        family_name: Some(family_name.clone()),
        email: is_customer.then(|| customer.email.clone()),
        phone: is_customer.then(|| customer.phone.clone()),
    };
    klarna::Shipping {
        shipping_reference: None,
        recipient: Some(recipient),
        address: Some(address(&to.address)),
        shipping_option: None,
    }
}

fn address(address: &Address) -> klarna::Address {
    klarna::Address {
        street_address: Some(address.street_address.clone()),
        street_address2: address.street_address2.clone(),
        postal_code: Some(address.postal_code.clone()),
        city: Some(address.city.clone()),
        region: address.region.clone(),
        country: Some(address.country.clone()),
    }
}

/// The text that Klarna gets. Made once, stored, and sent as it is ever after.
pub fn to_json(request: &AuthorizeRequest) -> String {
    // Strings, numbers and options only: there is nothing that could fail.
    serde_json::to_string(request).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn order(shipping: &Value) -> CreatePayment {
        let body = json!({
            "reference": "tx-1", "amount": 100, "currency": "SEK", "purchase_reference": "ORDER-1",
            "order_lines": [{"name": "Discount", "quantity": 1, "total_amount": -5}],
            "customer": {"given_name": "Alva", "family_name": "Ek", "email": "a@shop.test", "phone": "+46700000000"},
            "billing_address": {"street_address": "B 1", "postal_code": "1", "city": "Ystad", "country": "SE"},
            "shipping_address": shipping, "return_url": "https://shop.test/", "mode": "sdk",
        });
        CreatePayment::read(&body).unwrap()
    }

    fn recipient(shipping: &Value) -> Value {
        let request = initial_authorize(&order(shipping), "pay_1", None, "https://acquirer.test/return/x");
        let mut body = serde_json::to_value(request).unwrap();
        body.pointer_mut("/supplementary_purchase_data/shipping/0/recipient").unwrap().take()
    }

    /// The whole body is compared in `tests/it/creating.rs`; here is what depends on the order.
    #[test]
    fn somebody_elses_parcel_does_not_carry_the_customers_contacts() {
        let to = json!({"street_address": "S 1", "postal_code": "2", "city": "Lund", "country": "SE"});
        let with = |names: Value| {
            let mut to = to.clone();
            to.as_object_mut().unwrap().extend(names.as_object().unwrap().clone());
            recipient(&to)
        };
        let customer = json!({"given_name": "Alva", "family_name": "Ek", "email": "a@shop.test", "phone": "+46700000000"});
        assert_eq!(with(json!({})), customer);
        assert_eq!(with(json!({"given_name": "Alva", "family_name": "Ek"})), customer);
        assert_eq!(with(json!({"given_name": "Bo"})), json!({"given_name": "Bo", "family_name": "Ek"}));
    }

    #[test]
    fn the_final_call_is_the_initial_one_without_the_step_up() {
        let to = json!({"street_address": "S 1", "postal_code": "2", "city": "Lund", "country": "SE"});
        let mut order = order(&to);
        order.klarna_network_data = Some("{ \"a\": 1.0 }".into());
        order.payment_option_id = Some("option-1".to_owned());
        let initial =
            initial_authorize(&order, "pay_1", Some("krn:account"), "https://acquirer.test/return/x");
        let mut expected: Value = serde_json::from_str(&to_json(&initial)).unwrap();
        assert_eq!(expected["step_up_config"]["customer_interaction_config"]["method"], "SDK");
        expected.as_object_mut().unwrap().remove("step_up_config");
        let last: Value = serde_json::from_str(&to_json(&final_authorize(&initial))).unwrap();
        assert_eq!(last, expected);
        assert_eq!(last["klarna_network_data"], "{ \"a\": 1.0 }");
        assert_eq!(last["request_payment_transaction"]["payment_option_id"], "option-1");
    }
}
