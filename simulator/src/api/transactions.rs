//! Payment Transactions over the wire (contract `payments.md` 4).
//!
//! Which statuses mean success is inferred: 201 where a capture or refund comes into being, else 200.
//! So is what comes back: the capture, the refund, or the transaction as it is now.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use klarna_schemas::ids::{PaymentCaptureId, PaymentChargebackId, PaymentRefundId, PaymentTransactionId};
use klarna_schemas::klarna::authorize::PaymentTransaction;
use klarna_schemas::klarna::transaction::{
    CaptureTransaction, PaymentCapture, PaymentChargeback, PaymentRefund, ReauthorizeTransaction,
    RefundPayment, UpdateTransaction,
};
use serde_json::Value;

use super::body::{json, json_or_nothing, typed};
use super::call::SandboxCall;
use super::error::KlarnaError;
use crate::engine::{Sandbox, unknown};

/// `GET …/payment/transactions/{payment_transaction_id}`.
pub(super) async fn read(called: SandboxCall) -> Result<Json<PaymentTransaction>, KlarnaError> {
    let id: PaymentTransactionId = called.call.id();
    let found =
        |machine: &Sandbox| machine.transaction(&id).map(|record| (record.view(), record.payment.clone()));
    read_of(&called, "Payment Transaction", id.as_str(), found)
}

/// `PATCH …/payment/transactions/{payment_transaction_id}`. That it answers with the object is
/// inferred.
pub(super) async fn update(called: SandboxCall, body: Bytes) -> Result<Json<Value>, KlarnaError> {
    let id: PaymentTransactionId = called.call.id();
    let raw = json(&called.call.headers, &body)?;
    let asked: UpdateTransaction = typed("klarna/update-transaction", &raw, called.call.policies())?;
    called.once(raw, |machine, now, effects| machine.update_transaction(&id, &asked, now, effects)).map(Json)
}

/// `POST …/payment/transactions/{payment_transaction_id}/authorize`. That it is always approved, and
/// answers with the object, is inferred.
pub(super) async fn reauthorize(called: SandboxCall, body: Bytes) -> Result<Json<Value>, KlarnaError> {
    let id: PaymentTransactionId = called.call.id();
    let raw = json(&called.call.headers, &body)?;
    let asked: ReauthorizeTransaction =
        typed("klarna/reauthorize-transaction", &raw, called.call.policies())?;
    called.once(raw, |machine, now, effects| machine.reauthorize(&id, &asked, now, effects)).map(Json)
}

/// `POST …/payment/transactions/{payment_transaction_id}/capture`.
pub(super) async fn capture(called: SandboxCall, body: Bytes) -> Result<Response, KlarnaError> {
    let id: PaymentTransactionId = called.call.id();
    let raw = json(&called.call.headers, &body)?;
    let asked: CaptureTransaction = typed("klarna/capture-transaction", &raw, called.call.policies())?;
    called.once(raw, |machine, now, effects| machine.capture(&id, &asked, now, effects)).map(created)
}

/// `POST …/payment/transactions/{payment_transaction_id}/refund`.
pub(super) async fn refund(called: SandboxCall, body: Bytes) -> Result<Response, KlarnaError> {
    let id: PaymentTransactionId = called.call.id();
    let raw = json(&called.call.headers, &body)?;
    let asked: RefundPayment = typed("klarna/refund-payment", &raw, called.call.policies())?;
    called
        .once(raw, |machine, now, effects| machine.refund_transaction(&id, &asked, now, effects))
        .map(created)
}

/// `POST …/payment/captures/{payment_capture_id}/refund`.
pub(super) async fn refund_capture(called: SandboxCall, body: Bytes) -> Result<Response, KlarnaError> {
    let id: PaymentCaptureId = called.call.id();
    let raw = json(&called.call.headers, &body)?;
    let asked: RefundPayment = typed("klarna/refund-payment", &raw, called.call.policies())?;
    called.once(raw, |machine, now, effects| machine.refund_capture(&id, &asked, now, effects)).map(created)
}

/// `POST …/payment/transactions/{payment_transaction_id}/void`: takes no body. That it answers with
/// the object is inferred.
pub(super) async fn void(called: SandboxCall, body: Bytes) -> Result<Json<Value>, KlarnaError> {
    let id: PaymentTransactionId = called.call.id();
    let raw = json_or_nothing(&called.call.headers, &body)?;
    called.once(raw, |machine, now, effects| machine.void(&id, now, effects)).map(Json)
}

/// `GET …/payment/captures/{payment_capture_id}`.
pub(super) async fn read_capture(called: SandboxCall) -> Result<Json<PaymentCapture>, KlarnaError> {
    let id: PaymentCaptureId = called.call.id();
    read_of(&called, "Payment Capture", id.as_str(), |machine| machine.capture_named(&id))
}

/// `GET …/payment/refunds/{payment_refund_id}`.
pub(super) async fn read_refund(called: SandboxCall) -> Result<Json<PaymentRefund>, KlarnaError> {
    let id: PaymentRefundId = called.call.id();
    read_of(&called, "Payment Refund", id.as_str(), |machine| machine.refund_named(&id))
}

/// `GET …/payment/chargebacks/{payment_chargeback_id}`.
pub(super) async fn read_chargeback(called: SandboxCall) -> Result<Json<PaymentChargeback>, KlarnaError> {
    let id: PaymentChargebackId = called.call.id();
    read_of(&called, "Payment Chargeback", id.as_str(), |machine| machine.chargeback_named(&id))
}

/// Reads what `id` names.
fn read_of<T>(
    called: &SandboxCall,
    what: &str,
    id: &str,
    find: impl FnOnce(&Sandbox) -> Option<(T, String)>,
) -> Result<Json<T>, KlarnaError> {
    let found = called.read(id, |machine| {
        let (view, payment) = find(machine).ok_or_else(|| KlarnaError::from(unknown(what, id)))?;
        Ok((view, Some(payment)))
    });
    found.map(Json)
}

fn created(made: Value) -> Response {
    (StatusCode::CREATED, Json(made)).into_response()
}
