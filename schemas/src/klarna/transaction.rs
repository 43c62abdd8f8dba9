//! Payment Transactions after their authorize: what is asked of them, and what comes of it (contract
//! `payments.md` 4, `webhooks-and-network-data.md` B.5).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{
    PaymentCaptureId, PaymentChargebackId, PaymentRefundId, PaymentRequestId, PaymentTransactionId,
};
use crate::money::{Currency, MinorUnits};
use crate::open_enum;

/// Prefix of the events that tell how a transaction fares.
pub const TRANSACTION_STATE_CHANGE_PREFIX: &str = "payment.transaction.state-change.";
/// The event that tells of a capture.
pub const TRANSACTION_CAPTURED: &str = "payment.transaction.captured";
/// The event that tells of a refund.
pub const TRANSACTION_REFUNDED: &str = "payment.transaction.refunded";
/// The event that tells of a chargeback.
pub const TRANSACTION_CHARGED_BACK: &str = "payment.transaction.chargeback";

open_enum! {
    /// Where a transaction stands (contract `payments.md` 4).
    pub enum TransactionState {
        /// There is money left to capture.
        Authorized = "AUTHORIZED",
        /// The authorization has lapsed; it can be renewed within 7 days.
        Expired = "EXPIRED",
        /// Nothing is left authorized.
        Completed = "COMPLETED",
        /// Nothing more can be done with it.
        Closed = "CLOSED",
    }
}

impl TransactionState {
    /// How the state stands at the end of an event's name.
    pub fn event_suffix(&self) -> String {
        self.as_str().to_ascii_lowercase()
    }
}

/// Body of `PATCH …/payment/transactions/{id}`: what is left out stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct UpdateTransaction {
    /// The acquirer's name for the transaction, 1 to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_transaction_reference: Option<String>,
    /// What is bought, by whom, sent where; kept as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplementary_purchase_data: Option<Value>,
}

/// Body of `POST …/payment/transactions/{id}/authorize`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ReauthorizeTransaction {
    /// How many days longer the authorization lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension_days: Option<i64>,
    /// What is authorized in all from now on, captures included; minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<MinorUnits>,
    /// What is bought, by whom, sent where; kept as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplementary_purchase_data: Option<Value>,
}

/// Body of `POST …/payment/transactions/{id}/capture`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CaptureTransaction {
    /// Minor units, at most what is left of the authorization.
    pub capture_amount: MinorUnits,
    /// The acquirer's name for the capture, 1 to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_capture_reference: Option<String>,
    /// `RELEASE`: what is left of the authorization is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_authorization: Option<String>,
    /// What is captured, and how it travels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplementary_capture_data: Option<Value>,
    /// What is bought, by whom, sent where; kept as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplementary_purchase_data: Option<Value>,
}

impl CaptureTransaction {
    /// Whether what is left of the authorization is given up.
    pub fn releases(&self) -> bool {
        self.remaining_authorization.as_deref() == Some("RELEASE")
    }
}

/// Body of `POST …/payment/transactions/{id}/refund` and of `POST …/payment/captures/{id}/refund`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefundPayment {
    /// Minor units, at most what was captured and not given back.
    pub refund_amount: MinorUnits,
    /// The acquirer's name for the refund, 1 to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_refund_reference: Option<String>,
    /// Its other name (contract `payments.md` 10): both are in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_reference: Option<String>,
    /// What is given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplementary_refund_data: Option<Value>,
}

impl RefundPayment {
    /// The acquirer's name for the refund, under whichever name it came.
    pub fn reference(&self) -> Option<&String> {
        self.payment_refund_reference.as_ref().or(self.refund_reference.as_ref())
    }
}

/// A capture: answer of the capture and the read. But for its id the fields are inferred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentCapture {
    /// Klarna's id.
    pub payment_capture_id: PaymentCaptureId,
    /// The acquirer's reference, as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_capture_reference: Option<String>,
    /// The transaction that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_transaction_id: Option<PaymentTransactionId>,
    /// Minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_amount: Option<MinorUnits>,
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// A refund: answer of the refund and the read. But for its id the fields are inferred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefund {
    /// Klarna's id.
    pub payment_refund_id: PaymentRefundId,
    /// The acquirer's reference, as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_refund_reference: Option<String>,
    /// The transaction that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_transaction_id: Option<PaymentTransactionId>,
    /// The capture that was refunded, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_capture_id: Option<PaymentCaptureId>,
    /// Minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_amount: Option<MinorUnits>,
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// A chargeback. All fields are inferred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentChargeback {
    /// Klarna's id.
    pub payment_chargeback_id: PaymentChargebackId,
    /// The transaction that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_transaction_id: Option<PaymentTransactionId>,
    /// Minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chargeback_amount: Option<MinorUnits>,
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// Payload of `payment.transaction.*`. Only that ids and references come is certain (contract
/// `webhooks-and-network-data.md` A.3); all else is inferred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionPayload {
    /// Which transaction.
    pub payment_transaction_id: PaymentTransactionId,
    /// The acquirer's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_transaction_reference: Option<String>,
    /// The Payment Request that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request_id: Option<PaymentRequestId>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<TransactionState>,
    /// Where it stood before; in state changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_state: Option<TransactionState>,
    /// What is authorized in all; minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<MinorUnits>,
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The capture that was made, or refunded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_capture_id: Option<PaymentCaptureId>,
    /// The acquirer's reference of the capture that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_capture_reference: Option<String>,
    /// What was captured; minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_amount: Option<MinorUnits>,
    /// The refund that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_refund_id: Option<PaymentRefundId>,
    /// The acquirer's reference of the refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_refund_reference: Option<String>,
    /// What was given back; minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_amount: Option<MinorUnits>,
    /// The chargeback that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_chargeback_id: Option<PaymentChargebackId>,
    /// What was taken back; minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chargeback_amount: Option<MinorUnits>,
}
