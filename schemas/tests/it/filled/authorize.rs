//! Payment Authorize, and a transaction that comes of it.

use klarna_schemas::klarna::authorize::{
    AcquiringConfig, AuthorizationResult, AuthorizeRequest, AuthorizeResponse, CustomerToken,
    CustomerTokenResponse, PaymentFunding, PaymentTransaction, PaymentTransactionResponse, PointOfCheckout,
    PointOfTransaction, RequestCustomerToken, RequestPaymentTransaction, StepUpConfig,
};
use klarna_schemas::klarna::payment_request::InteractionExpiry;
use klarna_schemas::klarna::transaction::TransactionState;
use klarna_schemas::money::MinorUnits;
use serde_json::json;

use super::payment_requests::{by_duration, by_timestamp, interaction_config, payment_request};
use super::purchase_data::purchase_data;
use super::{Filled, currency, filled, moment, some};

pub(super) fn token_wish() -> RequestCustomerToken {
    RequestCustomerToken {
        scopes: Some(vec!["payment:customer_present".to_owned()]),
        customer_token_reference: some("apx-ct-0001"),
    }
}

pub(super) fn by_account() -> AcquiringConfig {
    AcquiringConfig {
        payment_account_id: some("krn:partner:global:account:payment-account:1"),
        settlement_currency: Some(currency()),
        ..AcquiringConfig::default()
    }
}

pub(super) fn by_reference() -> AcquiringConfig {
    AcquiringConfig {
        payment_acquiring_account_id: some("krn:partner:global:account:acquiring-account:1"),
        payment_account_reference: some("account-1"),
        settlement_currency: Some(currency()),
        ..AcquiringConfig::default()
    }
}

fn stores() -> [PointOfCheckout; 3] {
    let nowhere = PointOfCheckout::default();
    [
        PointOfCheckout { store_id: some("krn:partner:global:account:store:1"), ..nowhere.clone() },
        PointOfCheckout { store_reference: some("store-1"), ..nowhere.clone() },
        PointOfCheckout { store: Some(json!({})), ..nowhere },
    ]
}

fn authorize(
    expiry: InteractionExpiry,
    acquiring: AcquiringConfig,
    store: PointOfCheckout,
) -> AuthorizeRequest {
    AuthorizeRequest {
        currency: currency(),
        request_payment_transaction: Some(RequestPaymentTransaction {
            amount: MinorUnits(45_900),
            payment_transaction_reference: some("apx-tx-0001"),
            payment_option_id: some("S0xBUk5B"),
            payment_program_enablement_codes: Some(vec!["CODE".to_owned()]),
            capture: some("LATER"),
            payment_capture_reference: some("apx-ca-0001"),
        }),
        request_customer_token: Some(token_wish()),
        supplementary_purchase_data: Some(purchase_data()),
        klarna_network_data: some("{ \"a\": 1.0 }"),
        interoperability_data: some("{}"),
        step_up_config: Some(StepUpConfig {
            payment_request_reference: some("apx-pr-0001"),
            payment_request_expires_at: some("2026-12-31"),
            customer_interaction_config: Some(interaction_config(expiry)),
        }),
        acquiring_config: Some(acquiring),
        point_of_checkout: Some(store),
        point_of_transaction: Some(PointOfTransaction {
            r#type: some("WEBSITE"),
            terminal_reference: some("terminal-1"),
        }),
        payment_request_id: Some("krn:payment:eu1:request:1".into()),
    }
}

pub(super) fn transaction() -> PaymentTransaction {
    PaymentTransaction {
        payment_transaction_id: "krn:payment:eu1:transaction:1".into(),
        payment_transaction_reference: some("apx-tx-0001"),
        amount: MinorUnits(45_900),
        currency: currency(),
        state: Some(TransactionState::Authorized),
        expires_at: Some(moment()),
        payment_funding: Some(PaymentFunding { r#type: "GUARANTEED".to_owned(), state: "FUNDED".to_owned() }),
        payment_pricing: Some(serde_json::Map::new()),
        payment_captures: Some(vec![super::transactions::capture()]),
        supplementary_purchase_data: Some(serde_json::to_value(purchase_data()).unwrap()),
    }
}

/// Both sides of an authorize.
pub(super) fn filled_in() -> Vec<Filled> {
    let [by_id, by_name, in_full] = stores();
    vec![
        filled("klarna/authorize-request", &authorize(by_duration(), by_account(), by_id)),
        filled("klarna/authorize-request", &authorize(by_timestamp(), by_reference(), by_name)),
        filled("klarna/authorize-request", &authorize(by_timestamp(), by_reference(), in_full)),
        filled(
            "klarna/authorize-response",
            &AuthorizeResponse {
                payment_transaction_response: PaymentTransactionResponse {
                    result: AuthorizationResult::Approved,
                    result_reason: some("because"),
                    payment_transaction: Some(transaction()),
                },
                payment_request: Some(payment_request()),
                customer_token_response: Some(CustomerTokenResponse {
                    result: AuthorizationResult::Approved,
                    result_reason: some("because"),
                    customer_token: Some(CustomerToken {
                        customer_token_id: "krn:partner:eu1:test:identity:customer-token:1".into(),
                        customer_token_reference: some("apx-ct-0001"),
                    }),
                }),
                klarna_network_response_data: some("{}"),
            },
        ),
        filled("klarna/payment-transaction", &transaction()),
    ]
}
