//! Payment Transactions after their approval: capture, refund, void (contract `payments.md` 4).

use klarna_schemas::ids::{PartnerAccountId, PaymentTransactionId};
use klarna_schemas::klarna::IDEMPOTENCY_KEY_HEADER;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::client::{Answered, CallError, KlarnaClient};
use crate::payments::operation::Kind;
use crate::store::OperationCall;

/// All that is read of an answer; which of the two ids is there depends on what was asked.
#[derive(Deserialize)]
struct Made {
    payment_capture_id: Option<String>,
    payment_refund_id: Option<String>,
}

impl KlarnaClient {
    /// Sends what was written down, byte for byte, and answers Klarna's names for what it made and for
    /// the exchange.
    pub async fn operate(
        &self,
        kind: Kind,
        account: &PartnerAccountId,
        transaction: &PaymentTransactionId,
        call: &OperationCall,
    ) -> Result<(Option<String>, Option<String>), CallError> {
        let (verb, operation) = match kind {
            Kind::Capture => ("capture", "transaction.capture"),
            Kind::Refund => ("refund", "transaction.refund"),
            Kind::Void | Kind::Cancel => ("void", "transaction.void"),
        };
        let path =
            ["v2", "accounts", account.as_str(), "payment", "transactions", transaction.as_str(), verb];
        let mut request = self
            .request(Method::POST, &path, &call.payment_id)
            .header(IDEMPOTENCY_KEY_HEADER, &call.idempotency_key);
        let Some(body) = &call.body else {
            // What a void answers with is not published; that it is a 2xx is enough.
            let answered = self.send(operation, request).await?;
            return Ok((None, answered.correlation_id));
        };
        request = request.header(CONTENT_TYPE, "application/json").body(body.expose_secret().to_owned());
        let Answered { body, correlation_id } = self.send(operation, request).await?;
        let made: Made = serde_json::from_slice(&body)
            .map_err(|error| CallError::try_again(format!("the answer is unreadable: {error}")))?;
        let id = if kind == Kind::Capture { made.payment_capture_id } else { made.payment_refund_id };
        Ok((id, correlation_id))
    }
}
