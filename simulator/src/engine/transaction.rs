//! Payment Transactions: the record, what can be done to it, and when it lapses (contract
//! `payments.md` 4).
//!
//! Every act looks first and changes afterwards: one that is refused changes nothing.

use jiff::{SignedDuration, Timestamp};
use klarna_schemas::ids::{AcquirerAccountId, PaymentCaptureId, PaymentRequestId, PaymentTransactionId};
use klarna_schemas::klarna::authorize::{PaymentFunding, PaymentTransaction};
use klarna_schemas::klarna::transaction::{
    CaptureTransaction, PaymentCapture, PaymentChargeback, PaymentRefund, ReauthorizeTransaction,
    RefundPayment, TransactionState, UpdateTransaction,
};
use klarna_schemas::money::{Currency, MinorUnits};
use serde_json::{Map, Value};

use super::authorization::invalid;
use super::effect::Refusal;

/// Life of an authorization.
const AUTHORIZATION_LIFE: SignedDuration = SignedDuration::from_hours(28 * 24);
/// How long an expired authorization can be renewed, before it is CLOSED.
const RENEWABLE_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The most captures of one transaction.
const MAX_CAPTURES: usize = 200;
/// The most refunds of one transaction. As many voids are allowed, too, which nobody can reach: a
/// void ends the authorization.
const MAX_REFUNDS: usize = 200;
/// The most chargebacks of one transaction: Klarna publishes no bound, memory needs one.
const MAX_CHARGEBACKS: usize = 200;
/// The most that can be done to one transaction in all. What counts is inferred: all that changes it,
/// by whoever calls.
const MAX_ACTIONS: usize = 500;

/// A Payment Transaction and all that the simulator keeps of it.
#[derive(Debug, Clone)]
pub(crate) struct TransactionRecord {
    pub(crate) id: PaymentTransactionId,
    pub(crate) reference: Option<String>,
    /// What is authorized in all, captured or not.
    pub(crate) amount: MinorUnits,
    pub(crate) currency: Currency,
    pub(crate) state: TransactionState,
    pub(crate) expires_at: Timestamp,
    pub(crate) captures: Vec<CaptureRecord>,
    pub(crate) refunds: Vec<PaymentRefund>,
    pub(crate) chargebacks: Vec<PaymentChargeback>,
    /// How much was done to it.
    pub(super) actions: usize,
    /// What was last sent of the purchase.
    pub(crate) purchase_data: Option<Value>,
    /// The Payment Request that led to it.
    pub(crate) request: Option<PaymentRequestId>,
    /// Who asked for it, and is told of it.
    pub(crate) acquirer: AcquirerAccountId,
    /// The simulator's name of the payment.
    pub(crate) payment: String,
}

/// A capture, and how much of it went back.
#[derive(Debug, Clone)]
pub(crate) struct CaptureRecord {
    pub(crate) id: PaymentCaptureId,
    pub(crate) reference: Option<String>,
    pub(crate) amount: MinorUnits,
    /// Refunded or charged back.
    pub(crate) returned: MinorUnits,
    pub(crate) at: Timestamp,
}

/// What was done to a transaction.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    /// Nothing but the transaction itself has changed.
    Changed,
    Captured(PaymentCapture),
    Refunded(PaymentRefund),
    ChargedBack(PaymentChargeback),
}

impl TransactionRecord {
    /// A transaction that was approved just now.
    pub(super) fn authorized(
        id: PaymentTransactionId,
        amount: MinorUnits,
        currency: Currency,
        acquirer: AcquirerAccountId,
        payment: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            reference: None,
            amount,
            currency,
            state: TransactionState::Authorized,
            expires_at: now.checked_add(AUTHORIZATION_LIFE).unwrap_or(Timestamp::MAX),
            captures: Vec::new(),
            refunds: Vec::new(),
            chargebacks: Vec::new(),
            actions: 0,
            purchase_data: None,
            request: None,
            acquirer,
            payment: payment.to_owned(),
        }
    }

    /// What was captured.
    pub(crate) fn captured(&self) -> i64 {
        self.captures.iter().map(|capture| capture.amount.0).sum()
    }

    /// What was captured and has not gone back.
    fn returnable(&self) -> i64 {
        self.captures.iter().map(CaptureRecord::returnable).sum()
    }

    /// Changes what is known of it.
    pub(super) fn update(&mut self, asked: &UpdateTransaction) -> Result<Deed, Refusal> {
        self.must_be(&[TransactionState::Authorized], "changed")?;
        self.has_room()?;
        self.actions += 1;
        self.reference = asked.payment_transaction_reference.clone().or_else(|| self.reference.take());
        self.learn(asked.supplementary_purchase_data.as_ref());
        Ok(Deed::Changed)
    }

    /// Renews or prolongs the authorization, or makes it one over another amount.
    ///
    /// Inferred: days come on top of what is left of its life, a renewal without days has the usual
    /// life, and what is captured bounds the amount from below.
    pub(super) fn reauthorize(
        &mut self,
        asked: &ReauthorizeTransaction,
        now: Timestamp,
    ) -> Result<Deed, Refusal> {
        self.must_be(&[TransactionState::Authorized, TransactionState::Expired], "authorized again")?;
        self.has_room()?;
        if asked.amount.is_some_and(|amount| amount.0 <= self.captured()) {
            return Err(invalid("amount", "must be more than what is captured"));
        }
        let renewed = self.state == TransactionState::Expired;
        let life = match asked.extension_days {
            Some(days) => SignedDuration::from_hours(days.saturating_mul(24)),
            None if renewed => AUTHORIZATION_LIFE,
            None => SignedDuration::ZERO,
        };
        let expires_at = self.expires_at.max(now).checked_add(life);
        self.expires_at = expires_at.map_err(|_| invalid("extension_days", "is out of range"))?;
        self.actions += 1;
        self.state = TransactionState::Authorized;
        self.amount = asked.amount.unwrap_or(self.amount);
        self.learn(asked.supplementary_purchase_data.as_ref());
        Ok(Deed::Changed)
    }

    /// Captures a part of what is left, or all of it.
    pub(super) fn capture(&mut self, asked: &CaptureTransaction, now: Timestamp) -> Result<Deed, Refusal> {
        self.must_be(&[TransactionState::Authorized], "captured")?;
        has_room_for("captures", self.captures.len(), MAX_CAPTURES)?;
        self.has_room()?;
        let left = self.amount.0 - self.captured();
        if asked.capture_amount.0 > left {
            let why = format!("is more than what is left of the authorization: {left}");
            return Err(invalid("capture_amount", &why));
        }
        self.actions += 1;
        self.learn(asked.supplementary_purchase_data.as_ref());
        let capture = CaptureRecord {
            id: format!("{}:capture:{}", self.id, self.captures.len() + 1).into(),
            reference: asked.payment_capture_reference.clone(),
            amount: asked.capture_amount,
            returned: MinorUnits(0),
            at: now,
        };
        let made = self.capture_view(&capture);
        self.captures.push(capture);
        if asked.capture_amount.0 == left || asked.releases() {
            self.state = TransactionState::Completed;
        }
        Ok(Deed::Captured(made))
    }

    /// Gives money back: of one capture where one is named, else of all, the oldest first. That order
    /// is inferred, and so is that line items do not change it.
    pub(super) fn refund(
        &mut self,
        capture: Option<&PaymentCaptureId>,
        asked: &RefundPayment,
        now: Timestamp,
    ) -> Result<Deed, Refusal> {
        use TransactionState::{Authorized, Completed, Expired};
        self.must_be(&[Authorized, Completed, Expired], "refunded")?;
        has_room_for("refunds", self.refunds.len(), MAX_REFUNDS)?;
        self.has_room()?;
        let returnable = match capture {
            None => self.returnable(),
            Some(id) => self.capture_of(id).map(CaptureRecord::returnable).ok_or_else(|| {
                Refusal::NotFound(format!("no Payment Capture {id} is known in this account"))
            })?,
        };
        if asked.refund_amount.0 > returnable {
            let why = format!("is more than what was captured and not given back: {returnable}");
            return Err(invalid("refund_amount", &why));
        }
        self.actions += 1;
        self.give_back(capture, asked.refund_amount.0);
        let refund = PaymentRefund {
            payment_refund_id: format!("{}:refund:{}", self.id, self.refunds.len() + 1).into(),
            payment_refund_reference: asked.reference().cloned(),
            payment_transaction_id: Some(self.id.clone()),
            payment_capture_id: capture.cloned(),
            refund_amount: Some(asked.refund_amount),
            currency: Some(self.currency.clone()),
            created_at: Some(now),
        };
        self.refunds.push(refund.clone());
        Ok(Deed::Refunded(refund))
    }

    /// Gives up what is left of the authorization.
    pub(super) fn void(&mut self) -> Result<Deed, Refusal> {
        self.must_be(&[TransactionState::Authorized], "voided")?;
        self.has_room()?;
        self.actions += 1;
        let nothing_captured = self.captures.is_empty();
        self.state = if nothing_captured { TransactionState::Closed } else { TransactionState::Completed };
        Ok(Deed::Changed)
    }

    /// Takes money back for the customer, as Klarna does after a lost dispute. In which states it does
    /// is inferred: while there is something to take.
    pub(super) fn charge_back(&mut self, amount: MinorUnits, now: Timestamp) -> Result<Deed, Refusal> {
        let returnable = self.returnable();
        if amount.0 > returnable {
            let why = format!("is more than what was captured and not given back: {returnable}");
            return Err(invalid("amount", &why));
        }
        has_room_for("chargebacks", self.chargebacks.len(), MAX_CHARGEBACKS)?;
        self.give_back(None, amount.0);
        let chargeback = PaymentChargeback {
            payment_chargeback_id: format!("{}:chargeback:{}", self.id, self.chargebacks.len() + 1).into(),
            payment_transaction_id: Some(self.id.clone()),
            chargeback_amount: Some(amount),
            currency: Some(self.currency.clone()),
            created_at: Some(now),
        };
        self.chargebacks.push(chargeback.clone());
        Ok(Deed::ChargedBack(chargeback))
    }

    /// When it lapses by itself: an authorization at its end, an expired one when it is too late to
    /// renew it.
    pub(super) fn due(&self) -> Option<Timestamp> {
        match self.state {
            TransactionState::Authorized => Some(self.expires_at),
            TransactionState::Expired => self.expires_at.checked_add(RENEWABLE_FOR).ok(),
            _ => None,
        }
    }

    /// Lapses. The caller has seen that it is due.
    pub(super) fn lapse(&mut self) {
        self.state = match self.state {
            TransactionState::Authorized => TransactionState::Expired,
            _ => TransactionState::Closed,
        };
    }

    /// A capture by its id.
    pub(super) fn capture_of(&self, id: &PaymentCaptureId) -> Option<&CaptureRecord> {
        self.captures.iter().find(|capture| capture.id == *id)
    }

    fn give_back(&mut self, capture: Option<&PaymentCaptureId>, amount: i64) {
        let mut rest = amount;
        for record in self.captures.iter_mut().filter(|record| capture.is_none_or(|id| record.id == *id)) {
            let part = rest.min(record.returnable());
            record.returned.0 += part;
            rest -= part;
        }
    }

    fn learn(&mut self, purchase_data: Option<&Value>) {
        if let Some(data) = purchase_data {
            self.purchase_data = Some(data.clone());
        }
    }

    fn must_be(&self, states: &[TransactionState], done: &str) -> Result<(), Refusal> {
        if states.contains(&self.state) {
            return Ok(());
        }
        let why = format!("the Payment Transaction is {}: it cannot be {done}", self.state);
        Err(Refusal::Forbidden(why))
    }

    fn has_room(&self) -> Result<(), Refusal> {
        has_room_for("actions", self.actions, MAX_ACTIONS)
    }

    /// The transaction as it is read.
    pub(crate) fn view(&self) -> PaymentTransaction {
        PaymentTransaction {
            payment_transaction_id: self.id.clone(),
            payment_transaction_reference: self.reference.clone(),
            amount: self.amount,
            currency: self.currency.clone(),
            state: Some(self.state.clone()),
            expires_at: Some(self.expires_at),
            payment_funding: Some(PaymentFunding {
                r#type: "GUARANTEED".to_owned(),
                state: "FUNDED".to_owned(),
            }),
            payment_pricing: Some(Map::new()),
            payment_captures: Some(self.captures.iter().map(|capture| self.capture_view(capture)).collect()),
            supplementary_purchase_data: self.purchase_data.clone(),
        }
    }

    /// A capture as it is read.
    pub(crate) fn capture_view(&self, capture: &CaptureRecord) -> PaymentCapture {
        PaymentCapture {
            payment_capture_id: capture.id.clone(),
            payment_capture_reference: capture.reference.clone(),
            payment_transaction_id: Some(self.id.clone()),
            capture_amount: Some(capture.amount),
            currency: Some(self.currency.clone()),
            created_at: Some(capture.at),
        }
    }
}

impl CaptureRecord {
    /// What can still go back of it.
    fn returnable(&self) -> i64 {
        self.amount.0 - self.returned.0
    }
}

fn has_room_for(what: &str, done: usize, most: usize) -> Result<(), Refusal> {
    if done < most {
        return Ok(());
    }
    Err(Refusal::Forbidden(format!("the Payment Transaction has had its {most} {what}: no more is allowed")))
}
