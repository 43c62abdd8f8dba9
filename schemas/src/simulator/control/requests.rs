//! Payment Requests that Klarna's side ends.

use serde::{Deserialize, Serialize};

use crate::ids::PaymentRequestId;
use crate::klarna::payment_request::PaymentRequestState;

/// `POST /sandboxes/{a}/payment-requests`: end a Payment Request from Klarna's side.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndPaymentRequest {
    /// Which request.
    pub payment_request_id: PaymentRequestId,
    /// How it ends.
    pub act: RequestEnd,
}

/// How Klarna's side ends a Payment Request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestEnd {
    /// It is CANCELED.
    Cancel,
    /// It is EXPIRED, before its time.
    Expire,
}

/// Answer to `POST /sandboxes/{a}/payment-requests`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentRequestEnded {
    /// State of the request now.
    pub state: PaymentRequestState,
}
