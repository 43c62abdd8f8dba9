//! A payment as its Partner sees it: in answers of the Partner API and in notifications.

use jiff::Timestamp;
use klarna_schemas::ids::PaymentRequestId;
use serde::Serialize;
use serde_json::json;

use super::payment::{Mode, Payment};

/// `schemas/acquirer/payment.schema.json`.
#[derive(Debug, Serialize)]
pub struct PaymentView<'a> {
    payment_id: &'a str,
    reference: &'a str,
    status: &'static str,
    amount: i64,
    currency: &'a str,
    mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_request_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    klarna_network_response_data: Option<&'a str>,
    created_at: Timestamp,
}

impl<'a> From<&'a Payment> for PaymentView<'a> {
    fn from(payment: &'a Payment) -> Self {
        let (url, id) = payment.way_to_customer();
        Self {
            payment_id: &payment.id,
            reference: &payment.reference,
            status: payment.state.status(),
            amount: payment.amount.0,
            currency: payment.currency.as_str(),
            mode: payment.mode,
            payment_request_url: url,
            payment_request_id: id.map(PaymentRequestId::as_str),
            klarna_network_response_data: payment.response_data.as_deref(),
            created_at: payment.created_at,
        }
    }
}

/// The body of a notification, `schemas/acquirer/notification.schema.json`.
pub fn notification_body(payment: &Payment, now: Timestamp) -> String {
    json!({"type": "payment.updated", "timestamp": now, "data": PaymentView::from(payment)}).to_string()
}
