//! Payment Transactions after their authorize.

use klarna_schemas::klarna::transaction::{
    CaptureTransaction, PaymentCapture, PaymentChargeback, PaymentRefund, ReauthorizeTransaction,
    RefundPayment, TransactionPayload, TransactionState, UpdateTransaction,
};
use klarna_schemas::klarna::webhook::WebhookEnvelope;
use klarna_schemas::money::MinorUnits;
use serde_json::json;

use super::notification::metadata;
use super::purchase_data::purchase_data;
use super::{Filled, currency, filled, moment, some};

/// A capture.
pub(super) fn capture() -> PaymentCapture {
    PaymentCapture {
        payment_capture_id: "krn:payment:eu1:transaction:1:capture:1".into(),
        payment_capture_reference: some("apx-ca-0001"),
        payment_transaction_id: Some("krn:payment:eu1:transaction:1".into()),
        capture_amount: Some(MinorUnits(45_900)),
        currency: Some(currency()),
        created_at: Some(moment()),
    }
}

/// What is asked of a transaction, and what comes of it.
pub(super) fn filled_in() -> Vec<Filled> {
    let bought = || Some(serde_json::to_value(purchase_data()).unwrap());
    let line_items = serde_json::to_value(purchase_data().line_items).unwrap();
    let parcel = json!({
        "tracking_number": "1", "tracking_url": "https://carrier.example/1", "shipping_carrier": "CARRIER",
        "shipping_type": "TO_DOOR", "shipping_type_attribute": "TRACKED",
        "estimated_delivery_date": "2026-03-01",
    });
    let refund = PaymentRefund {
        payment_refund_id: "krn:payment:eu1:transaction:1:refund:1".into(),
        payment_refund_reference: some("apx-re-0001"),
        payment_transaction_id: Some("krn:payment:eu1:transaction:1".into()),
        payment_capture_id: Some("krn:payment:eu1:transaction:1:capture:1".into()),
        refund_amount: Some(MinorUnits(100)),
        currency: Some(currency()),
        created_at: Some(moment()),
    };
    let chargeback = PaymentChargeback {
        payment_chargeback_id: "krn:payment:eu1:transaction:1:chargeback:1".into(),
        payment_transaction_id: Some("krn:payment:eu1:transaction:1".into()),
        chargeback_amount: Some(MinorUnits(100)),
        currency: Some(currency()),
        created_at: Some(moment()),
    };
    let payload = TransactionPayload {
        payment_transaction_id: "krn:payment:eu1:transaction:1".into(),
        payment_transaction_reference: some("apx-tx-0001"),
        payment_request_id: Some("krn:payment:eu1:request:1".into()),
        state: Some(TransactionState::Completed),
        previous_state: Some(TransactionState::Authorized),
        amount: Some(MinorUnits(45_900)),
        currency: Some(currency()),
        payment_capture_id: Some("krn:payment:eu1:transaction:1:capture:1".into()),
        payment_capture_reference: some("apx-ca-0001"),
        capture_amount: Some(MinorUnits(45_900)),
        payment_refund_id: Some(refund.payment_refund_id.clone()),
        payment_refund_reference: some("apx-re-0001"),
        refund_amount: Some(MinorUnits(100)),
        payment_chargeback_id: Some(chargeback.payment_chargeback_id.clone()),
        chargeback_amount: Some(MinorUnits(100)),
    };
    vec![
        filled(
            "klarna/update-transaction",
            &UpdateTransaction {
                payment_transaction_reference: some("apx-tx-0002"),
                supplementary_purchase_data: bought(),
            },
        ),
        filled(
            "klarna/reauthorize-transaction",
            &ReauthorizeTransaction {
                extension_days: Some(7),
                amount: Some(MinorUnits(50_000)),
                supplementary_purchase_data: bought(),
            },
        ),
        filled(
            "klarna/capture-transaction",
            &CaptureTransaction {
                capture_amount: MinorUnits(45_900),
                payment_capture_reference: some("apx-ca-0001"),
                remaining_authorization: some("RELEASE"),
                supplementary_capture_data: Some(json!({
                    "line_items": line_items.clone(), "shipments": [{"delivery": parcel.clone(), "return": parcel}],
                })),
                supplementary_purchase_data: bought(),
            },
        ),
        filled(
            "klarna/refund-payment",
            &RefundPayment {
                refund_amount: MinorUnits(100),
                payment_refund_reference: some("apx-re-0001"),
                refund_reference: some("apx-re-0001"),
                supplementary_refund_data: Some(json!({ "line_items": line_items })),
            },
        ),
        filled("klarna/payment-capture", &capture()),
        filled("klarna/payment-refund", &refund),
        filled("klarna/payment-chargeback", &chargeback),
        filled("klarna/payment-transaction-event", &WebhookEnvelope { metadata: metadata(), payload }),
    ]
}
