//! Payment Requests, and what the customer is led by.

use klarna_schemas::klarna::authorize::AcquiringConfig;
use klarna_schemas::klarna::payment_request::{
    CreatePaymentRequest, CustomerInteraction, CustomerInteractionConfig, InteractionExpiry, KlarnaCustomer,
    PaymentRequest, PaymentRequestDetails, PaymentRequestState, QrCode, ShippingConfig, StateContext,
    UpdatePaymentRequest,
};
use klarna_schemas::klarna::webhook::{PaymentRequestPayload, WebhookEnvelope};
use klarna_schemas::money::MinorUnits;

use super::authorize::{by_account, by_reference, token_wish};
use super::notification::metadata;
use super::purchase_data::{chosen_shipping, purchase_data};
use super::{Filled, currency, filled, moment, some};

pub(super) fn interaction_config(expiry: InteractionExpiry) -> CustomerInteractionConfig {
    CustomerInteractionConfig {
        method: some("HANDOVER"),
        return_url: some("https://acq.test/back?pr={klarna.payment_request.id}"),
        app_return_url: some("acme-shop://back"),
        interaction_expiry: Some(expiry),
    }
}

pub(super) fn by_duration() -> InteractionExpiry {
    InteractionExpiry { duration: some("PT30M"), timestamp: None }
}

pub(super) fn by_timestamp() -> InteractionExpiry {
    InteractionExpiry { duration: None, timestamp: Some(moment()) }
}

pub(super) fn state_context() -> StateContext {
    StateContext {
        customer_interaction: Some(CustomerInteraction {
            method: some("HANDOVER"),
            payment_request_id: Some("krn:payment:eu1:request:1".into()),
            payment_request_url: some("http://127.0.0.1:8080/eu/requests/1/start"),
            qr_code: Some(QrCode {
                image_url: some("http://127.0.0.1:8080/static/qr/1.svg"),
                target_url: some("http://127.0.0.1:8080/eu/requests/1/start"),
            }),
        }),
        klarna_network_session_token: some("krn:network:eu1:test:session-token:1"),
        payment_token: some("krn:network:eu1:test:session-token:1"),
        klarna_customer: Some(KlarnaCustomer {
            customer_token: Some("krn:partner:eu1:test:identity:customer-token:1".into()),
            customer_token_reference: some("apx-ct-0001"),
        }),
        shipping: chosen_shipping(),
    }
}

pub(super) fn payment_request() -> PaymentRequest {
    PaymentRequest {
        payment_request_id: "krn:payment:eu1:request:1".into(),
        payment_request_reference: some("apx-pr-0001"),
        amount: Some(MinorUnits(45_900)),
        currency: currency(),
        state: PaymentRequestState::Completed,
        previous_state: Some(PaymentRequestState::InProgress),
        state_reason: some("PURCHASE_FLOW_ABORTED"),
        state_context: Some(state_context()),
        customer_interaction_config: Some(interaction_config(by_duration())),
        supplementary_purchase_data: Some(serde_json::to_value(purchase_data()).unwrap()),
        shipping_config: Some(shipping_config()),
        payment_option_id: some("S0xBUk5B"),
        expires_at: Some(moment()),
        created_at: Some(moment()),
        updated_at: Some(moment()),
        canceled_at: Some(moment()),
    }
}

fn shipping_config() -> ShippingConfig {
    ShippingConfig { mode: some("EDITABLE"), supported_countries: Some(vec!["SE".to_owned()]) }
}

fn request_details(acquiring: AcquiringConfig) -> PaymentRequestDetails {
    PaymentRequestDetails {
        payment_request_reference: some("apx-pr-0001"),
        supplementary_purchase_data: Some(serde_json::to_value(purchase_data()).unwrap()),
        customer_interaction_config: Some(interaction_config(by_duration())),
        payment_option_id: some("S0xBUk5B"),
        payment_program_enablement_codes: Some(vec!["CODE".to_owned()]),
        acquiring_config: Some(acquiring),
        shipping_config: Some(shipping_config()),
        request_customer_token: Some(token_wish()),
        klarna_network_data: some("{}"),
        interoperability_data: some("{}"),
        payment_request_expires_at: some("2026-12-31T10:00:00Z"),
    }
}

fn create_payment_request() -> CreatePaymentRequest {
    CreatePaymentRequest {
        currency: currency(),
        amount: MinorUnits(45_900),
        details: request_details(by_account()),
    }
}

fn update_payment_request() -> UpdatePaymentRequest {
    UpdatePaymentRequest {
        currency: Some(currency()),
        amount: Some(MinorUnits(45_900)),
        details: request_details(by_reference()),
    }
}

/// Requests over the wire, and in an event.
pub(super) fn filled_in() -> Vec<Filled> {
    vec![
        filled("klarna/payment-request", &payment_request()),
        filled("klarna/create-payment-request", &create_payment_request()),
        filled("klarna/update-payment-request", &update_payment_request()),
        filled(
            "klarna/payment-request-event",
            &WebhookEnvelope {
                metadata: metadata(),
                payload: PaymentRequestPayload {
                    payment_request_id: "krn:payment:eu1:request:1".into(),
                    payment_request_reference: some("apx-pr-0001"),
                    state: PaymentRequestState::Completed,
                    previous_state: Some(PaymentRequestState::InProgress),
                    state_reason: some("PURCHASE_FLOW_ABORTED"),
                    klarna_network_session_token: some("krn:network:eu1:test:session-token:1"),
                    payment_token: some("krn:network:eu1:test:session-token:1"),
                    state_context: Some(state_context()),
                    shipping: chosen_shipping(),
                },
            },
        ),
    ]
}
