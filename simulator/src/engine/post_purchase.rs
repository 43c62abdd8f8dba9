//! What becomes of a payment after its authorize: captures, refunds, voids, and the events that tell
//! of them (contract `payments.md` 4 and 3.6).

use jiff::Timestamp;
use klarna_schemas::ids::{
    PaymentCaptureId, PaymentChargebackId, PaymentRefundId, PaymentRequestId, PaymentTransactionId,
};
use klarna_schemas::klarna::authorize::{AuthorizeRequest, PaymentTransaction, RequestPaymentTransaction};
use klarna_schemas::klarna::transaction::{
    CaptureTransaction, PaymentCapture, PaymentChargeback, PaymentRefund, ReauthorizeTransaction,
    RefundPayment, UpdateTransaction,
};
use klarna_schemas::money::MinorUnits;

use super::command::AuthorizeCommand;
use super::effect::{Effect, EventDraft, EventPayload, Refusal};
use super::idempotency::{Acted, Outcome, shown};
use super::payment::MAX_TRANSACTIONS;
use super::sandbox::Sandbox;
use super::transaction::{Deed, TransactionRecord};
use super::transaction_news::News;

/// An authorize that is approved, or about to be, as far as its transaction needs it.
pub(super) struct Approved<'a> {
    pub(super) command: &'a AuthorizeCommand,
    pub(super) request: &'a AuthorizeRequest,
    pub(super) asked: &'a RequestPaymentTransaction,
    /// The simulator's name of the payment.
    pub(super) payment: &'a str,
    /// The request that the customer completed, if one led here.
    pub(super) completed: Option<PaymentRequestId>,
}

impl Sandbox {
    /// Makes the transaction of an approved authorize. With `capture: NOW` it is captured at once; of
    /// what is told then, that no `authorized` comes first is inferred.
    pub(super) fn open_transaction(
        &mut self,
        approved: &Approved<'_>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> PaymentTransaction {
        let Approved { command, request, asked, payment, completed } = approved;
        let id: PaymentTransactionId =
            format!("krn:payment:eu1:transaction:{}{}", self.ids.uuid("transaction"), self.tail_of_ids())
                .into();
        let (currency, acquirer) = (request.currency.clone(), command.acquirer.clone());
        let mut record = TransactionRecord {
            reference: asked.payment_transaction_reference.clone(),
            purchase_data: command.raw.get("supplementary_purchase_data").cloned(),
            request: completed.clone(),
            ..TransactionRecord::authorized(id.clone(), asked.amount, currency, acquirer, payment, now)
        };
        let mut deed = Deed::Changed;
        if asked.capture.as_deref() == Some("NOW") {
            let all = CaptureTransaction {
                capture_amount: asked.amount,
                payment_capture_reference: asked.payment_capture_reference.clone(),
                remaining_authorization: None,
                supplementary_capture_data: None,
                supplementary_purchase_data: None,
            };
            // Nothing keeps a new transaction from being captured; if anything did, it stays AUTHORIZED.
            deed = record.capture(&all, now).unwrap_or(Deed::Changed);
        }
        self.tell(record.news(None, &deed), now, effects);
        // The answer shows the transaction without what the caller has just sent.
        let shown = PaymentTransaction { supplementary_purchase_data: None, ..record.view() };
        self.keep(record);
        shown
    }

    /// Keeps a transaction with its payment, which has so many at most: the oldest makes room.
    fn keep(&mut self, record: TransactionRecord) {
        if let Some(payment) = self.payment_mut(&record.payment) {
            payment.transactions.push_back(record.id.clone());
            if payment.transactions.len() > MAX_TRANSACTIONS
                && let Some(oldest) = payment.transactions.pop_front()
            {
                self.transactions.remove(&oldest);
            }
            self.transactions.insert(record.id.clone(), record);
        }
    }

    /// A transaction by its id.
    pub(crate) fn transaction(&self, id: &PaymentTransactionId) -> Option<&TransactionRecord> {
        self.transactions.get(id)
    }

    /// The payment that an id belongs to: of a request, of a transaction or of a part of one.
    pub(crate) fn payment_of_id(&self, id: &str) -> Option<&str> {
        let owner = self.transaction(&id.into()).or_else(|| self.transaction(&owner_of(id).into()));
        let of_transaction = owner.map(|record| record.payment.as_str());
        of_transaction.or_else(|| self.request(&id.into()).map(|record| record.payment.as_str()))
    }

    /// A capture by its id, and the payment that it belongs to.
    pub(crate) fn capture_named(&self, id: &PaymentCaptureId) -> Option<(PaymentCapture, String)> {
        let record = self.transaction(&owner_of(id.as_str()).into())?;
        Some((record.capture_view(record.capture_of(id)?), record.payment.clone()))
    }

    /// A refund by its id, and the payment that it belongs to.
    pub(crate) fn refund_named(&self, id: &PaymentRefundId) -> Option<(PaymentRefund, String)> {
        let record = self.transaction(&owner_of(id.as_str()).into())?;
        let refund = record.refunds.iter().find(|refund| refund.payment_refund_id == *id)?;
        Some((refund.clone(), record.payment.clone()))
    }

    /// A chargeback by its id, and the payment that it belongs to.
    pub(crate) fn chargeback_named(&self, id: &PaymentChargebackId) -> Option<(PaymentChargeback, String)> {
        let record = self.transaction(&owner_of(id.as_str()).into())?;
        let chargeback = record.chargebacks.iter().find(|made| made.payment_chargeback_id == *id)?;
        Some((chargeback.clone(), record.payment.clone()))
    }

    /// Changes what is known of a transaction.
    pub(crate) fn update_transaction(
        &mut self,
        id: &PaymentTransactionId,
        asked: &UpdateTransaction,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Acted {
        self.act_on(id, now, effects, |record| record.update(asked))
    }

    /// Renews, prolongs or changes an authorization.
    pub(crate) fn reauthorize(
        &mut self,
        id: &PaymentTransactionId,
        asked: &ReauthorizeTransaction,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Acted {
        self.act_on(id, now, effects, |record| record.reauthorize(asked, now))
    }

    /// Captures.
    pub(crate) fn capture(
        &mut self,
        id: &PaymentTransactionId,
        asked: &CaptureTransaction,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Acted {
        self.act_on(id, now, effects, |record| record.capture(asked, now))
    }

    /// Refunds, over all captures of a transaction.
    pub(crate) fn refund_transaction(
        &mut self,
        id: &PaymentTransactionId,
        asked: &RefundPayment,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Acted {
        self.act_on(id, now, effects, |record| record.refund(None, asked, now))
    }

    /// Refunds one capture.
    pub(crate) fn refund_capture(
        &mut self,
        id: &PaymentCaptureId,
        asked: &RefundPayment,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Acted {
        if self.capture_named(id).is_none() {
            return Acted { outcome: Err(unknown("Payment Capture", id.as_str())), payment: None };
        }
        self.act_on(&owner_of(id.as_str()).into(), now, effects, |record| record.refund(Some(id), asked, now))
    }

    /// Gives up what is left of an authorization.
    pub(crate) fn void(
        &mut self,
        id: &PaymentTransactionId,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Acted {
        self.act_on(id, now, effects, TransactionRecord::void)
    }

    /// Takes money back for the customer: by the tester's hand only.
    pub(crate) fn charge_back(
        &mut self,
        id: &PaymentTransactionId,
        amount: MinorUnits,
        now: Timestamp,
    ) -> (Outcome, Vec<Effect>) {
        let mut effects = self.tick(now);
        let acted = self.act_on(id, now, &mut effects, |record| record.charge_back(amount, now));
        (acted.outcome, effects)
    }

    fn act_on(
        &mut self,
        id: &PaymentTransactionId,
        now: Timestamp,
        effects: &mut Vec<Effect>,
        act: impl FnOnce(&mut TransactionRecord) -> Result<Deed, Refusal>,
    ) -> Acted {
        let Some(record) = self.transactions.get_mut(id) else {
            return Acted { outcome: Err(unknown("Payment Transaction", id.as_str())), payment: None };
        };
        let (before, payment) = (record.state.clone(), Some(record.payment.clone()));
        let deed = match act(record) {
            Ok(deed) => deed,
            Err(refusal) => return Acted { outcome: Err(refusal), payment },
        };
        let news = record.news(Some(before), &deed);
        let answer = match &deed {
            Deed::Changed => shown(&record.view()),
            Deed::Captured(capture) => shown(capture),
            Deed::Refunded(refund) => shown(refund),
            Deed::ChargedBack(chargeback) => shown(chargeback),
        };
        self.tell(news, now, effects);
        Acted { outcome: Ok(answer), payment }
    }

    /// When an authorization next lapses.
    pub(super) fn next_lapse(&self) -> Option<Timestamp> {
        self.transactions.values().filter_map(TransactionRecord::due).min()
    }

    /// Lets the authorizations lapse that are due by `now`.
    pub(super) fn lapse(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        // One that was let alone for long goes through both ends.
        while self.next_lapse().is_some_and(|at| at <= now) {
            let is_due = |record: &&TransactionRecord| record.due().is_some_and(|at| at <= now);
            let mut due: Vec<(Option<Timestamp>, PaymentTransactionId)> = self
                .transactions
                .values()
                .filter(is_due)
                .map(|record| (record.due(), record.id.clone()))
                .collect();
            due.sort_unstable();
            for (_, id) in due {
                let Some(record) = self.transactions.get_mut(&id) else { continue };
                let before = record.state.clone();
                record.lapse();
                let news = record.news(Some(before), &Deed::Changed);
                self.tell(news, now, effects);
            }
        }
    }

    fn tell(&mut self, news: News, now: Timestamp, effects: &mut Vec<Effect>) {
        for (event_type, payload) in news.told {
            effects.push(Effect::Emit(Box::new(EventDraft {
                number: self.number(),
                event_id: self.ids.uuid("event").to_string(),
                event_type,
                occurred_at: now,
                recipient: news.recipient.clone(),
                payload: EventPayload::Other(shown(&payload)),
                payment: news.payment.clone(),
                epoch: self.epoch,
            })));
        }
    }
}

/// The id of the transaction that a capture, a refund or a chargeback belongs to. Our own ids say whose
/// they are, so that no index has to be kept; a foreign one leads to nothing.
pub(super) fn owner_of(id: &str) -> &str {
    let owner = id.rsplit_once(':').and_then(|(rest, _ordinal)| rest.rsplit_once(':'));
    owner.map_or(id, |(owner, _kind)| owner)
}

/// The refusal of an id that names nothing.
pub(crate) fn unknown(what: &str, id: &str) -> Refusal {
    Refusal::NotFound(format!("no {what} {id} is known in this account"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_say_whose_they_are() {
        let owner = "krn:payment:eu1:transaction:1";
        assert_eq!(owner_of(&format!("{owner}:capture:1")), owner);
        for odd in ["", ":", "x", "x:1"] {
            assert_ne!(owner_of(odd), owner);
        }
    }
}
