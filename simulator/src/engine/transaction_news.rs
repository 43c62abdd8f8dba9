//! What events tell of a Payment Transaction (contract `payments.md` 3.6).
//!
//! Klarna publishes no payload: that ids and references come is certain, state and amounts are
//! inferred (contract `webhooks-and-network-data.md` A.3).

use klarna_schemas::ids::AcquirerAccountId;
use klarna_schemas::klarna::transaction::{
    TRANSACTION_CAPTURED, TRANSACTION_CHARGED_BACK, TRANSACTION_REFUNDED, TRANSACTION_STATE_CHANGE_PREFIX,
    TransactionPayload, TransactionState,
};

use super::transaction::{Deed, TransactionRecord};

/// What is told, in order, and to whom.
pub(super) struct News {
    pub(super) recipient: AcquirerAccountId,
    /// The simulator's name of the payment.
    pub(super) payment: String,
    /// Type and payload of each event.
    pub(super) told: Vec<(String, TransactionPayload)>,
}

impl TransactionRecord {
    /// What is to be told of a deed, and then of the state that it led to.
    pub(super) fn news(&self, before: Option<TransactionState>, deed: &Deed) -> News {
        let mut told: Vec<_> = self.deed_told(deed).into_iter().collect();
        if before.as_ref() != Some(&self.state) {
            let event_type = format!("{TRANSACTION_STATE_CHANGE_PREFIX}{}", self.state.event_suffix());
            told.push((event_type, TransactionPayload { previous_state: before, ..self.payload() }));
        }
        News { recipient: self.acquirer.clone(), payment: self.payment.clone(), told }
    }

    fn deed_told(&self, deed: &Deed) -> Option<(String, TransactionPayload)> {
        let base = self.payload();
        let (event_type, payload) = match deed.clone() {
            Deed::Changed => return None,
            Deed::Captured(capture) => (
                TRANSACTION_CAPTURED,
                TransactionPayload {
                    payment_capture_id: Some(capture.payment_capture_id),
                    payment_capture_reference: capture.payment_capture_reference,
                    capture_amount: capture.capture_amount,
                    ..base
                },
            ),
            Deed::Refunded(refund) => (
                TRANSACTION_REFUNDED,
                TransactionPayload {
                    payment_capture_id: refund.payment_capture_id,
                    payment_refund_id: Some(refund.payment_refund_id),
                    payment_refund_reference: refund.payment_refund_reference,
                    refund_amount: refund.refund_amount,
                    ..base
                },
            ),
            Deed::ChargedBack(chargeback) => (
                TRANSACTION_CHARGED_BACK,
                TransactionPayload {
                    payment_chargeback_id: Some(chargeback.payment_chargeback_id),
                    chargeback_amount: chargeback.chargeback_amount,
                    ..base
                },
            ),
        };
        Some((event_type.to_owned(), payload))
    }

    /// What every event tells of the transaction.
    fn payload(&self) -> TransactionPayload {
        TransactionPayload {
            payment_transaction_id: self.id.clone(),
            payment_transaction_reference: self.reference.clone(),
            payment_request_id: self.request.clone(),
            state: Some(self.state.clone()),
            previous_state: None,
            amount: Some(self.amount),
            currency: Some(self.currency.clone()),
            payment_capture_id: None,
            payment_capture_reference: None,
            capture_amount: None,
            payment_refund_id: None,
            payment_refund_reference: None,
            refund_amount: None,
            payment_chargeback_id: None,
            chargeback_amount: None,
        }
    }
}
