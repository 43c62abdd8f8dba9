//! A payment as its Partner sees it: in answers of the Partner API and in notifications.

use jiff::Timestamp;
use klarna_schemas::ids::PaymentRequestId;
use serde::Serialize;
use serde_json::json;

use super::list::Page;
use super::operation::{Operation, Outcome};
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

/// `schemas/acquirer/operation.schema.json`.
#[derive(Debug, Serialize)]
pub struct OperationView<'a> {
    operation_id: &'a str,
    payment_id: &'a str,
    kind: &'static str,
    reference: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    klarna_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    klarna_error_code: Option<&'a str>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> OperationView<'a> {
    /// An operation and the payment that it is done with.
    pub fn new(operation: &'a Operation, payment: &'a Payment) -> Self {
        let klarna_id = match &operation.outcome {
            Outcome::Succeeded { klarna_id } => klarna_id.as_deref(),
            Outcome::Pending | Outcome::Failed(_) => None,
        };
        let failure = match &operation.outcome {
            Outcome::Failed(failure) => Some(failure),
            Outcome::Pending | Outcome::Succeeded { .. } => None,
        };
        Self {
            operation_id: &operation.id,
            payment_id: &operation.payment_id,
            kind: operation.kind.as_str(),
            reference: &operation.reference,
            status: operation.outcome.status(),
            amount: operation.amount.map(|amount| amount.0),
            currency: operation.amount.map(|_| payment.currency.as_str()),
            klarna_id,
            failure_reason: failure.map(|failure| failure.reason.as_str()),
            klarna_error_code: failure.and_then(|failure| failure.klarna_error_code.as_deref()),
            created_at: operation.created_at,
            updated_at: operation.updated_at,
        }
    }
}

/// A payment and what was done with it, oldest first.
#[derive(Debug, Serialize)]
pub struct PaymentWithOperations<'a> {
    #[serde(flatten)]
    payment: PaymentView<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    operations: Vec<OperationView<'a>>,
}

impl<'a> PaymentWithOperations<'a> {
    /// All that a Partner can read of a payment.
    pub fn new(payment: &'a Payment, operations: &'a [Operation]) -> Self {
        let operations = operations.iter().map(|operation| OperationView::new(operation, payment)).collect();
        Self { payment: payment.into(), operations }
    }
}

/// `schemas/acquirer/payment-list.schema.json`.
#[derive(Debug, Serialize)]
pub struct PageView<'a> {
    payments: Vec<PaymentView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<&'a str>,
}

impl<'a> From<&'a Page> for PageView<'a> {
    fn from(page: &'a Page) -> Self {
        let payments = page.payments.iter().map(PaymentView::from).collect();
        Self { payments, next_cursor: page.next_cursor.as_deref() }
    }
}

/// The body of a notification about an operation, `schemas/acquirer/notification.schema.json`.
pub fn operation_body(operation: &Operation, payment: &Payment, now: Timestamp) -> String {
    let data = OperationView::new(operation, payment);
    json!({"type": "operation.updated", "timestamp": now, "data": data}).to_string()
}

/// The body of a notification, `schemas/acquirer/notification.schema.json`.
pub fn notification_body(payment: &Payment, now: Timestamp) -> String {
    json!({"type": "payment.updated", "timestamp": now, "data": PaymentView::from(payment)}).to_string()
}
