//! Payment Authorize (contract `payments.md` 2.6 and the table of decisions).
//!
//! The order of decision: idempotent replay, body, token and state rules, outcome.

use std::collections::VecDeque;

use jiff::Timestamp;
use klarna_schemas::klarna::authorize::{
    AuthorizationResult, AuthorizeResponse, PaymentTransaction, PaymentTransactionResponse,
    RequestPaymentTransaction,
};
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::simulator::control::Fault;
use serde_json::Value;

use super::command::AuthorizeCommand;
use super::effect::{Decided, Decider, Effect, Refusal, Reply};
use super::final_call::TokenRule;
use super::idempotency::KEY_LIFE;
use super::payment::{AuthorizeCall, CallRole, EarlierAttempt, MAX_CALLS, NetworkData, Payment};
use super::sandbox::Sandbox;

/// What a key stands for once used.
#[derive(Debug, Clone)]
pub(crate) struct IdempotencyRecord {
    body: Value,
    decided: Decided,
    used_at: Timestamp,
}

impl IdempotencyRecord {
    /// Whether a call gets the remembered answer again.
    pub(super) fn answers(&self, command: &AuthorizeCommand) -> bool {
        self.body == command.raw
    }

    /// Whether it is of a call for this payment.
    pub(super) fn is_of(&self, payment: &str) -> bool {
        self.decided.payment.as_deref() == Some(payment)
    }
}

impl Sandbox {
    /// Decides an authorize.
    pub(crate) fn authorize(&mut self, command: &AuthorizeCommand, now: Timestamp) -> Vec<Effect> {
        let mut effects = self.tick(now);
        let epoch = self.epoch_of_call(command);
        if epoch != self.epoch {
            let why = "this call belongs to what was in the sandbox before its reset".to_owned();
            let reply = Reply::Refused(Refusal::NotFound(why));
            effects.push(Effect::Reply(Box::new(Decided {
                reply,
                by: "epoch".into(),
                payment: None,
                call: None,
                epoch,
            })));
            return effects;
        }
        if let Some(mut decided) = self.replay(command, now) {
            self.note(command, CallRole::Replay, decided.payment.clone(), &decided.reply);
            decided.call = self.newest_call(decided.payment.as_deref());
            self.note_unheard(&decided, command.answer_fault);
            effects.push(Effect::Reply(Box::new(decided)));
            return effects;
        }
        let (reply, by, payment) = self.decide(command, now, &mut effects);
        let call = self.newest_call(payment.as_deref());
        let decided = Decided { reply, by, payment, call, epoch };
        self.note_unheard(&decided, command.answer_fault.or(decided.by.fault));
        if let Some(key) = &command.key {
            let record =
                IdempotencyRecord { body: command.raw.clone(), decided: decided.clone(), used_at: now };
            self.idempotency.entry(key.clone()).or_insert(record);
        }
        effects.push(Effect::Reply(Box::new(decided)));
        self.make_room(&mut effects);
        effects
    }

    /// The epoch that a call belongs to, by its token, then by its key.
    pub(super) fn epoch_of_call(&self, command: &AuthorizeCommand) -> u64 {
        let by_token = command.token.as_ref().map(|token| self.epoch_of_id(&token.value));
        let by_key = || command.key.as_ref().map(|key| self.epoch_of_key(key));
        by_token.filter(|epoch| *epoch != self.epoch).or_else(by_key).unwrap_or(self.epoch)
    }

    /// The first answer again, or a conflict, where the key was used before.
    fn replay(&mut self, command: &AuthorizeCommand, now: Timestamp) -> Option<Decided> {
        let key = command.key.as_ref()?;
        let record = self.idempotency.get(key)?;
        if now.duration_since(record.used_at) > KEY_LIFE {
            self.idempotency.remove(key);
            return None;
        }
        if record.answers(command) {
            return Some(Decided { by: "replay".into(), ..record.decided.clone() });
        }
        let conflict = "this Klarna-Idempotency-Key was used with another body".to_owned();
        Some(Decided {
            reply: Reply::Refused(Refusal::Conflict(conflict)),
            by: "idempotency".into(),
            ..record.decided.clone()
        })
    }

    /// What a call's key says without deciding it: `replay` or `idempotency`, if it was used before.
    pub(super) fn known_answer(&self, command: &AuthorizeCommand, now: Timestamp) -> Option<&'static str> {
        let record = self.idempotency.get(command.key.as_ref()?)?;
        let lives = now.duration_since(record.used_at) <= KEY_LIFE;
        lives.then(|| if record.answers(command) { "replay" } else { "idempotency" })
    }

    fn decide(
        &mut self,
        command: &AuthorizeCommand,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> (Reply, Decider, Option<String>) {
        let request = match &command.request {
            Ok(request) => request,
            Err(violations) => {
                let by = if command.by_policy { "policy" } else { "body" };
                // It is no call of the payment's, and yet about it.
                let payment = command.token.as_ref().and_then(|token| self.payment_of_token(&token.value));
                return (Reply::Refused(Refusal::Invalid(violations.clone())), by.into(), payment);
            }
        };
        let customer_token = command.customer_token.as_deref();
        if let Some(refusal) = customer_token.and_then(|token| self.refuse_customer_token(token)) {
            return (Reply::Refused(refusal), "customer-token".into(), None);
        }
        let Some(transaction) = &request.request_payment_transaction else {
            return self.ask_for_token_alone(command, request, now, effects);
        };
        match self.token_rule(command, request, now) {
            TokenRule::Refuse(refusal) => {
                let payment = self.attribute(command, transaction);
                let reply = Reply::Refused(refusal);
                if let Some(name) = &payment {
                    self.note(command, CallRole::Further, Some(name.clone()), &reply);
                }
                (reply, "token".into(), payment)
            }
            TokenRule::Decline => {
                let reply = declined();
                let payment = self.attribute(command, transaction);
                self.note(command, CallRole::Final, payment.clone(), &reply);
                (reply, "token".into(), payment)
            }
            TokenRule::Final(token, session) => {
                self.finalise(command, request, transaction, &token, &session, now, effects)
            }
            TokenRule::Initial => self.initiate(command, request, transaction, now, effects),
        }
    }

    /// The payment that a call belongs to: by token, by key, then by reference. A reference may come
    /// again once the payment has come to nothing: that is another try.
    pub(super) fn attribute(
        &self,
        command: &AuthorizeCommand,
        transaction: &RequestPaymentTransaction,
    ) -> Option<String> {
        let by_token = command.token.as_ref().and_then(|token| self.payment_of_token(&token.value));
        let by_key = || self.idempotency.get(command.key.as_ref()?)?.decided.payment.clone();
        let by_reference = || {
            let reference = transaction.payment_transaction_reference.as_deref()?;
            let known =
                self.payments.iter().rev().find(|payment| payment.reference.as_deref() == Some(reference))?;
            let tries_anew = self.came_to_nothing(known) && self.may_begin(command);
            (!tries_anew).then(|| known.name.clone())
        };
        by_token.or_else(by_key).or_else(by_reference)
    }

    /// Whether a payment was declined, or its request has ended without a purchase.
    fn came_to_nothing(&self, payment: &Payment) -> bool {
        let request = payment.request.as_ref().and_then(|id| self.request(id));
        let decision = payment.calls.iter().rev().find_map(|call| call.result.as_ref());
        decision == Some(&AuthorizationResult::Declined)
            || request.is_some_and(|record| record.state.is_final() && !record.finalised)
    }

    /// Whether a call can be the first of a payment: it leads to the customer, and where the Partner
    /// says what it asks, it has asked.
    fn may_begin(&self, command: &AuthorizeCommand) -> bool {
        let leads_on = command.request.as_ref().is_ok_and(|request| request.step_up_config.is_some());
        leads_on && (self.intent.is_some() || !self.intents_declared)
    }

    /// The newest payment for the same purchase, if it came to nothing.
    fn earlier_attempt(
        &self,
        command: &AuthorizeCommand,
        transaction: &RequestPaymentTransaction,
    ) -> Option<EarlierAttempt> {
        const PURCHASE: &str = "/supplementary_purchase_data/purchase_reference";
        let purchase = command.raw.pointer(PURCHASE).and_then(Value::as_str);
        let same_purchase = |payment: &&Payment| {
            let theirs =
                payment.initial().and_then(|call| call.raw.pointer(PURCHASE)).and_then(Value::as_str);
            (payment.reference.is_some() && payment.reference == transaction.payment_transaction_reference)
                || (purchase.is_some() && purchase == theirs)
        };
        let earlier = self.payments.iter().rev().find(same_purchase)?;
        let seq = earlier.initial()?.seq;
        self.came_to_nothing(earlier).then(|| EarlierAttempt { seq, reference: earlier.reference.clone() })
    }

    pub(super) fn open_payment(
        &mut self,
        command: &AuthorizeCommand,
        transaction: &RequestPaymentTransaction,
    ) -> String {
        let earlier_attempt = self.earlier_attempt(command, transaction);
        let name = self.open_payment_for(transaction.payment_transaction_reference.clone());
        if let Some(payment) = self.payment_mut(&name) {
            payment.earlier_attempt = earlier_attempt;
        }
        name
    }

    /// A new payment under the caller's reference, which what the Partner has asked is bound to.
    pub(super) fn open_payment_for(&mut self, reference: Option<String>) -> String {
        self.payments_opened += 1;
        let name = format!("e{}p{}", self.epoch, self.payments_opened);
        self.payments.push_back(Payment {
            name: name.clone(),
            intent: self.intent.take(),
            reference,
            request: None,
            earlier_requests: Vec::new(),
            earlier_attempt: None,
            transactions: VecDeque::new(),
            calls: Vec::new(),
            completed_event: None,
            calls_left_out: false,
        });
        name
    }

    /// Position of a payment's newest call, unless that was left out.
    pub(super) fn newest_call(&self, payment: Option<&str>) -> Option<usize> {
        let payment = self.payment(payment?)?;
        payment.calls.len().checked_sub(1).filter(|_| !payment.calls_left_out)
    }

    /// Writes a call down in its payment's history.
    pub(super) fn note(
        &mut self,
        command: &AuthorizeCommand,
        role: CallRole,
        payment: Option<String>,
        reply: &Reply,
    ) {
        let Some(name) = payment else { return };
        let mut call = self.facts(command, role, &name);
        call.result = match reply {
            Reply::Authorized(answer) => Some(answer.payment_transaction_response.result.clone()),
            Reply::Refused(_) => None,
        };
        call.refused = matches!(reply, Reply::Refused(_));
        self.append_call(&name, call);
    }

    /// Writes down that a call's answer met a fault.
    fn note_unheard(&mut self, decided: &Decided, fault: Option<Fault>) {
        let payment = decided.payment.as_deref().and_then(|name| self.payment_mut(name));
        let call = payment.zip(decided.call).and_then(|(payment, call)| payment.calls.get_mut(call));
        if let Some(call) = call {
            call.unheard = fault;
        }
    }

    /// Writes down a call that met a fault.
    pub(super) fn note_fault(
        &mut self,
        command: &AuthorizeCommand,
        role: CallRole,
        payment: &str,
        fault: Fault,
    ) {
        let mut call = self.facts(command, role, payment);
        call.fault = Some(fault);
        self.append_call(payment, call);
    }

    fn append_call(&mut self, payment: &str, call: AuthorizeCall) {
        if let Some(payment) = self.payment_mut(payment) {
            if payment.calls.len() < MAX_CALLS {
                payment.calls.push(call);
            } else {
                payment.calls_left_out = true;
            }
        }
    }

    /// What can be said of a call before it is known how it ended.
    fn facts(&self, command: &AuthorizeCommand, role: CallRole, payment: &str) -> AuthorizeCall {
        let request = command.request.as_ref().ok();
        let transaction = request.and_then(|request| request.request_payment_transaction.as_ref());
        let payment_option_known = transaction
            .and_then(|transaction| transaction.payment_option_id.as_deref())
            .and_then(|id| self.presenting.has_issued(id));
        let led = self.payment(payment).and_then(|payment| self.request(payment.request.as_ref()?));
        let asked_for = led
            .filter(|record| !record.tokenises_only)
            .map(|record| (record.amount, record.currency.clone()));
        let request_state = led.map(|record| record.state.clone());
        AuthorizeCall {
            role,
            seq: 0,
            result: None,
            fault: None,
            unheard: None,
            refused: false,
            asked_for,
            request_state,
            key: command.key.as_ref().map(|key| key.0.clone()),
            raw: command.raw.clone(),
            amount: transaction.map(|transaction| transaction.amount),
            currency: request.map(|request| request.currency.clone()),
            reference: transaction.and_then(|transaction| transaction.payment_transaction_reference.clone()),
            network_data: NetworkData::of(&command.raw),
            token: command.token.as_ref().map(|token| (token.value.clone(), token.header)),
            token_standing: self.token_standing(command),
            by_partner: command.acquirer.as_str() == self.account.as_str(),
            payment_option_known,
            undocumented: command.undocumented.clone(),
            older_names: command.older_names.clone(),
        }
    }
}

/// The answer to an authorize; only an approved one has a transaction.
pub(super) fn answer(
    result: AuthorizationResult,
    result_reason: Option<String>,
    payment_transaction: Option<PaymentTransaction>,
) -> AuthorizeResponse {
    AuthorizeResponse {
        payment_transaction_response: PaymentTransactionResponse {
            result,
            result_reason,
            payment_transaction,
        },
        payment_request: None,
        customer_token_response: None,
        klarna_network_response_data: None,
    }
}

/// A decline that no plan asked for.
pub(super) fn declined() -> Reply {
    Reply::Authorized(Box::new(answer(AuthorizationResult::Declined, None, None)))
}

/// A refusal for one field.
pub(super) fn invalid(parameter: &str, reason: &str) -> Refusal {
    Refusal::Invalid(vec![ValidationError::new(parameter, reason)])
}
