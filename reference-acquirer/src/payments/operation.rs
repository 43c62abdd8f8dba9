//! What a Partner does with a payment after it was made: it cancels an unfinished step-up, captures
//! and refunds money, or voids what is left of the authorization (AP-50). Pure: no I/O, no clock.
//!
//! `cancel` is for before the approval: it withdraws the payment request. `void` is for after it: it
//! gives up what was not captured. Klarna keeps the books of an approved transaction, which may also
//! be captured or refunded elsewhere; so beyond what cannot be right anyway nothing is refused here
//! that Klarna might accept.

use jiff::Timestamp;
use klarna_schemas::ids::{PaymentRequestId, PaymentTransactionId};
use klarna_schemas::klarna::transaction::{CaptureTransaction, RefundPayment};
use klarna_schemas::money::MinorUnits;
use serde::Deserialize;
use serde_json::Value;

use super::create::{WrongField, read_checked};
use super::payment::{Payment, State};

/// The most captures, refunds or voids that Klarna takes for one transaction (contract
/// `payments.md` 4).
pub const MOST_OF_A_KIND: usize = 200;

/// What is done with a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The payment request of an unfinished step-up is withdrawn.
    Cancel,
    /// Money is taken.
    Capture,
    /// Money is given back.
    Refund,
    /// What is left of the authorization is given up.
    Void,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Cancel, Self::Capture, Self::Refund, Self::Void];

    /// The name in the database and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Void => "void",
        }
    }

    /// The schema of what a Partner sends for it.
    fn schema(self) -> &'static str {
        match self {
            Self::Capture | Self::Refund => "acquirer/move-money",
            Self::Cancel | Self::Void => "acquirer/no-fields",
        }
    }
}

/// An operation as the database keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The acquirer's name for it.
    pub id: String,
    /// The payment that it is done with.
    pub payment_id: String,
    /// What is done.
    pub kind: Kind,
    /// The Partner's name for it, or the acquirer's where the Partner gave none. Klarna sees it as
    /// the capture's or refund's reference.
    pub reference: String,
    /// Minor units; captures and refunds have it.
    pub amount: Option<MinorUnits>,
    /// What came of it.
    pub outcome: Outcome,
    /// When the Partner asked for it.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What came of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Klarna's answer is awaited.
    Pending,
    /// Klarna did it.
    Succeeded {
        /// Klarna's name for the capture or refund.
        klarna_id: Option<String>,
    },
    /// It was not done, or nobody knows.
    Failed(Failure),
}

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For programs.
    pub reason: FailureReason,
    /// Klarna's `error_code`, where it gave one.
    pub klarna_error_code: Option<String>,
}

/// Why an operation failed, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureReason {
    /// Klarna refused it: nothing was done.
    Refused,
    /// Klarna never answered: whether it was done is not known.
    Unanswered,
}

impl FailureReason {
    /// Every reason.
    pub const ALL: [Self; 2] = [Self::Refused, Self::Unanswered];

    /// The name in the database and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unanswered => "unanswered",
        }
    }
}

impl Outcome {
    /// The name in the database and in answers.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded { .. } => "succeeded",
            Self::Failed(_) => "failed",
        }
    }
}

/// An operation as a Partner asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedOperation {
    /// What is to be done.
    pub kind: Kind,
    /// Minor units; captures and refunds have it.
    pub amount: Option<MinorUnits>,
    /// The Partner's own name for it.
    pub reference: Option<String>,
}

#[derive(Deserialize)]
struct Fields {
    amount: Option<MinorUnits>,
    reference: Option<String>,
}

impl AskedOperation {
    /// Reads a body, or names *every* field that is wrong.
    pub fn read(kind: Kind, body: &Value) -> Result<Self, Vec<WrongField>> {
        let Fields { amount, reference } = read_checked(kind.schema(), body, Vec::new())?;
        Ok(Self { kind, amount, reference })
    }

    /// Whether an earlier operation is what this one would become: of the same reference, or of the
    /// same id; of cancels and voids only one is under way at a time.
    pub fn is_named_as(&self, earlier: &Operation, id: &str) -> bool {
        if earlier.kind != self.kind {
            return false;
        }
        let named = self.reference.as_deref().unwrap_or(id);
        earlier.id == id
            || earlier.reference == named
            || self.amount.is_none() && earlier.outcome == Outcome::Pending
    }

    /// The new operation's reference: the Partner's, or one of ours.
    ///
    /// A cancel or void without one is called by its number: of two that were asked at once, and see
    /// the same `earlier` operations, only one finds the name free, also if it has ended by then.
    pub fn reference_after(&self, earlier: &[Operation], id: &str) -> String {
        match (&self.reference, self.kind) {
            (Some(reference), _) => reference.clone(),
            (None, Kind::Cancel | Kind::Void) => {
                let number = 1 + earlier.iter().filter(|earlier| earlier.kind == self.kind).count();
                format!("{}-{number}", self.kind.as_str())
            }
            (None, Kind::Capture | Kind::Refund) => id.to_owned(),
        }
    }

    /// What this payment cannot bear, whatever Klarna would say.
    pub fn wrong_for(&self, payment: &Payment) -> Option<WrongField> {
        let amount = self.amount.filter(|amount| *amount > payment.amount)?;
        let reason = format!("{amount} is more than the payment's {}", payment.amount);
        Some(WrongField { field: "amount".to_owned(), reason })
    }

    /// The body of the call to Klarna, where it has one.
    pub fn klarna_body(&self, reference: &str) -> Option<String> {
        let amount = self.amount?;
        let body = match self.kind {
            Kind::Capture => serde_json::to_string(&CaptureTransaction {
                capture_amount: amount,
                payment_capture_reference: Some(reference.to_owned()),
                remaining_authorization: None,
                supplementary_capture_data: None,
                supplementary_purchase_data: None,
            }),
            // By transaction, Klarna's samples call it `refund_reference` (contract `payments.md` 4).
            Kind::Refund => serde_json::to_string(&RefundPayment {
                refund_amount: amount,
                payment_refund_reference: None,
                refund_reference: Some(reference.to_owned()),
                supplementary_refund_data: None,
            }),
            Kind::Cancel | Kind::Void => return None,
        };
        // Strings and numbers only: there is nothing that could fail.
        body.ok()
    }
}

/// What at Klarna an operation is done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The payment request of a step-up.
    Request(PaymentRequestId),
    /// The transaction of an approved payment.
    Transaction(PaymentTransactionId),
}

impl Payment {
    /// What the operation would be done to; `None` where the payment is not in a state for it.
    pub fn target_of(&self, kind: Kind) -> Option<Target> {
        match kind {
            Kind::Cancel if self.state == State::StepUpRequired => {
                self.request_id.clone().map(Target::Request)
            }
            Kind::Capture | Kind::Refund | Kind::Void if self.state == State::Approved => {
                self.transaction_id.clone().map(Target::Transaction)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn earlier(kind: Kind, reference: &str) -> Operation {
        Operation {
            id: format!("op-{reference}"),
            payment_id: "p".to_owned(),
            kind,
            reference: reference.to_owned(),
            amount: None,
            outcome: Outcome::Succeeded { klarna_id: None },
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn cancels_that_see_the_same_are_called_the_same() {
        let asked = |kind| AskedOperation { kind, amount: None, reference: None };
        let cancel = asked(Kind::Cancel);
        let before = [earlier(Kind::Void, "void-1")];
        assert_eq!(cancel.reference_after(&before, "a"), cancel.reference_after(&before, "b"));
        // A later try is another.
        let after = [earlier(Kind::Void, "void-1"), earlier(Kind::Cancel, "cancel-1")];
        assert_eq!(cancel.reference_after(&after, "c"), "cancel-2");
        // Captures without a reference are as many as were asked for.
        assert_eq!(asked(Kind::Capture).reference_after(&before, "d"), "d");
    }

    #[test]
    fn the_same_id_is_the_same_operation() {
        let cancel = AskedOperation { kind: Kind::Cancel, amount: None, reference: None };
        assert!(cancel.is_named_as(&earlier(Kind::Cancel, "cancel-1"), "op-cancel-1"));
        assert!(!cancel.is_named_as(&earlier(Kind::Cancel, "cancel-1"), "op-2"));
    }
}
