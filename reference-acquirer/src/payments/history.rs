//! What happened to a payment, and to what was done with it: each change with its time, its cause and
//! Klarna's names, so that it can be found in Klarna's logs. No token, no personal data.

use jiff::Timestamp;
use serde::Serialize;

use super::operation::{Operation, Outcome};
use super::payment::Payment;

/// Why something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The Partner asked for it.
    PartnerAsked,
    /// Klarna answered a call, or refused it.
    KlarnaAnswered,
    /// Klarna never answered; the last attempt was made.
    Unanswered,
    /// The same, and Klarna has confirmed that nothing comes of it.
    Withdrawn,
    /// The customer approved: an event says so, or Klarna when it was asked; so for the next ones.
    CustomerApproved,
    /// The customer approved, but the session token is not to be had.
    TokenLost,
    /// An event: the request was refused for good.
    RequestDeclined,
    /// The request was taken back: an event, or the Partner's cancel.
    RequestCanceled,
    /// An event: the request's time ran out.
    RequestExpired,
    /// An event showed that Klarna has a request after all.
    RequestFound,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 10] = [
        Self::PartnerAsked,
        Self::KlarnaAnswered,
        Self::Unanswered,
        Self::Withdrawn,
        Self::CustomerApproved,
        Self::TokenLost,
        Self::RequestDeclined,
        Self::RequestCanceled,
        Self::RequestExpired,
        Self::RequestFound,
    ];

    /// The name in the database and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PartnerAsked => "partner_asked",
            Self::KlarnaAnswered => "klarna_answered",
            Self::Unanswered => "unanswered",
            Self::Withdrawn => "withdrawn",
            Self::CustomerApproved => "customer_approved",
            Self::TokenLost => "token_lost",
            Self::RequestDeclined => "request_declined",
            Self::RequestCanceled => "request_canceled",
            Self::RequestExpired => "request_expired",
            Self::RequestFound => "request_found",
        }
    }
}

/// One change; also `schemas/acquirer/payment-events.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// Which operation changed; the payment itself where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// What the Partner read from then on.
    pub status: String,
    /// Why.
    pub cause: Cause,
    /// Klarna's name for the transaction or else the payment request, or for the capture or refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub klarna_id: Option<String>,
    /// The event that brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub klarna_event_id: Option<String>,
    /// Klarna's name for the exchange that brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub klarna_correlation_id: Option<String>,
}

impl HistoryEntry {
    /// A payment as it is from now on.
    pub fn of_payment(payment: &Payment, cause: Cause, at: Timestamp) -> Self {
        let transaction = payment.transaction_id.as_ref().map(|id| id.as_str().to_owned());
        Self {
            at,
            operation_id: None,
            status: payment.state.status().to_owned(),
            cause,
            klarna_id: transaction.or_else(|| payment.request_id.as_ref().map(|id| id.as_str().to_owned())),
            klarna_event_id: None,
            klarna_correlation_id: None,
        }
    }

    /// An operation as it is from now on.
    pub fn of_operation(operation: &Operation, cause: Cause, at: Timestamp) -> Self {
        Self {
            at,
            operation_id: Some(operation.id.clone()),
            status: operation.outcome.status().to_owned(),
            cause,
            klarna_id: match &operation.outcome {
                Outcome::Succeeded { klarna_id } => klarna_id.clone(),
                Outcome::Pending | Outcome::Failed(_) => None,
            },
            klarna_event_id: None,
            klarna_correlation_id: None,
        }
    }
}

/// Whether a text of Klarna's can be kept and shown: a name is short and in one line (contract
/// `payments.md` 5.6).
pub(super) fn is_name(text: &str) -> bool {
    text.chars().count() <= 255 && !text.contains(char::is_control)
}
