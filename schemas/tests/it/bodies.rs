//! Bodies that the tests start from.

use serde_json::{Value, json};

/// An initial authorize as the contract shows it (`payments.md` 2.4).
pub(crate) fn initial_authorize() -> Value {
    json!({
        "currency": "SEK",
        "request_payment_transaction": {
            "amount": 45900, "payment_transaction_reference": "apx-tx-0001", "capture": "LATER"
        },
        "supplementary_purchase_data": {
            "purchase_reference": "ORDER-5501",
            "line_items": [
                { "name": "Trail shoe", "quantity": 1, "unit_price": 41000, "total_amount": 41000, "total_tax_amount": 8200 },
                { "name": "Parcel", "quantity": 1, "total_amount": 4900, "total_tax_amount": 980 }
            ],
            "customer": {
                "given_name": "Test", "family_name": "Person", "email": "customer+se@klarna.com",
                "phone": "+46700000000"
            },
            "shipping": [{
                "shipping_reference": "s1",
                "recipient": { "given_name": "Test", "family_name": "Person" },
                "address": {
                    "street_address": "Gatan 1", "postal_code": "11122", "city": "Stockholm", "country": "SE"
                }
            }]
        },
        "klarna_network_data": "{\"content_type\":\"application/vnd.klarna.interoperability-data.v2+json\",\"content\":{\"payment_request\":{\"supplementary_purchase_data\":{\"purchase_reference\":\"ORDER-5501\"}}}}",
        "step_up_config": {
            "payment_request_reference": "apx-pr-0001",
            "customer_interaction_config": {
                "method": "HANDOVER",
                "return_url": "https://acq.test/back?pr={klarna.payment_request.id}&st={klarna.payment_request.state}",
                "interaction_expiry": { "duration": "PT30M" }
            }
        }
    })
}
