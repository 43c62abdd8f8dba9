//! Payment Authorize (contract `payments.md` 2.6 and the table of decisions).
//!
//! The order of decision: idempotent replay, body, token and state rules, outcome.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use klarna_schemas::klarna::authorize::{
    AuthorizationResult, AuthorizeRequest, AuthorizeResponse, PaymentFunding, PaymentTransaction,
    PaymentTransactionResponse, RequestPaymentTransaction,
};
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::klarna::payment_request::{CustomerInteractionConfig, PaymentRequestState};
use klarna_schemas::money::{Currency, MinorUnits};
use klarna_schemas::simulator::control::CallKind;
use serde_json::Value;

use super::command::AuthorizeCommand;
use super::effect::{Decided, Effect, Refusal, Reply};
use super::payment::{AuthorizeCall, CallRole, NetworkData, Payment};
use super::payment_request::RequestRecord;
use super::sandbox::{Sandbox, announce};
use super::token::{CompletedSession, TokenMeaning};

/// How long an idempotency key is remembered (contract `payments.md` 5.1).
const KEY_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// Life of a request that names none (contract `payments.md` 3.4).
const REQUEST_LIFE: SignedDuration = SignedDuration::from_hours(3);
const REQUEST_LIFE_MIN: SignedDuration = SignedDuration::from_mins(15);
const REQUEST_LIFE_MAX: SignedDuration = SignedDuration::from_hours(48);
/// Life of an authorization.
const AUTHORIZATION_LIFE: SignedDuration = SignedDuration::from_hours(28 * 24);

/// What a key stands for once used.
#[derive(Debug, Clone)]
pub(crate) struct IdempotencyRecord {
    body: Value,
    decided: Decided,
    used_at: Timestamp,
}

/// What the token on a call means for it.
enum TokenRule {
    /// No token of a completed request: the call is initial.
    Initial,
    /// The token of a completed session, under its current name.
    Final(String, CompletedSession),
    /// The call cannot be served.
    Refuse(Refusal),
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
                by: "epoch",
                payment: None,
                call: None,
                epoch,
            })));
            return effects;
        }
        if let Some(mut decided) = self.replay(command, now) {
            self.note(command, CallRole::Replay, decided.payment.clone(), &decided.reply);
            decided.call = self.newest_call(decided.payment.as_deref());
            effects.push(Effect::Reply(Box::new(decided)));
            return effects;
        }
        let (reply, by, payment) = self.decide(command, now, &mut effects);
        let call = self.newest_call(payment.as_deref());
        let decided = Decided { reply, by, payment, call, epoch };
        if let Some(key) = &command.key {
            let record =
                IdempotencyRecord { body: command.raw.clone(), decided: decided.clone(), used_at: now };
            self.idempotency.entry(key.clone()).or_insert(record);
        }
        effects.push(Effect::Reply(Box::new(decided)));
        effects
    }

    /// The epoch that a call belongs to, by its token, then by its key.
    fn epoch_of_call(&self, command: &AuthorizeCommand) -> u64 {
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
        if record.body == command.raw {
            return Some(Decided { by: "replay", ..record.decided.clone() });
        }
        let conflict = "this Klarna-Idempotency-Key was used with another body".to_owned();
        Some(Decided {
            reply: Reply::Refused(Refusal::Conflict(conflict)),
            by: "idempotency",
            ..record.decided.clone()
        })
    }

    fn decide(
        &mut self,
        command: &AuthorizeCommand,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> (Reply, &'static str, Option<String>) {
        let request = match &command.request {
            Ok(request) => request,
            Err(violations) => {
                return (Reply::Refused(Refusal::Invalid(violations.clone())), "body", None);
            }
        };
        let Some(transaction) = &request.request_payment_transaction else {
            let missing = invalid("request_payment_transaction", "is required");
            return (Reply::Refused(missing), "body", None);
        };
        match self.token_rule(command, request, now) {
            TokenRule::Refuse(refusal) => {
                let payment = self.attribute(command, transaction);
                let reply = Reply::Refused(refusal);
                if let Some(name) = &payment {
                    self.note(command, CallRole::Further, Some(name.clone()), &reply);
                }
                (reply, "token", payment)
            }
            TokenRule::Final(token, session) => {
                self.finalise(command, request, transaction, &token, &session, now)
            }
            TokenRule::Initial => self.initiate(command, request, transaction, now, effects),
        }
    }

    /// Reads the token by the rules of `payments.md` 2.6.
    fn token_rule(
        &self,
        command: &AuthorizeCommand,
        request: &AuthorizeRequest,
        now: Timestamp,
    ) -> TokenRule {
        let Some(presented) = &command.token else { return TokenRule::Initial };
        if command.token_is_foreign {
            let why = "the session token belongs to another Partner account".to_owned();
            return TokenRule::Refuse(Refusal::Forbidden(why));
        }
        let (name, record) = self.resolve_token(&presented.value);
        match record.map(|record| (&record.stands_for, record.expires_at)) {
            Some((TokenMeaning::Completed(session), expires_at)) => {
                let over = session
                    .request
                    .as_ref()
                    .and_then(|id| self.request(id))
                    .is_some_and(|record| record.state != PaymentRequestState::Completed);
                if session.spent.is_none() && (over || expires_at.is_some_and(|at| now >= at)) {
                    let why = "the session token has expired".to_owned();
                    return TokenRule::Refuse(Refusal::NotFound(why));
                }
                TokenRule::Final(name.to_owned(), (**session).clone())
            }
            // A token without a completed request changes nothing, where there is a way to go on.
            _ if request.step_up_config.is_some() => TokenRule::Initial,
            _ => TokenRule::Refuse(invalid(presented.header.name(), "names no completed Payment Request")),
        }
    }

    /// A token's current name and record.
    fn resolve_token<'a>(&'a self, value: &'a str) -> (&'a str, Option<&'a super::token::TokenRecord>) {
        match self.tokens.get(value) {
            Some(record) => match &record.stands_for {
                TokenMeaning::AliasOf(current) => (current, self.tokens.get(current)),
                _ => (value, Some(record)),
            },
            None => (value, None),
        }
    }

    fn finalise(
        &mut self,
        command: &AuthorizeCommand,
        request: &AuthorizeRequest,
        transaction: &RequestPaymentTransaction,
        token: &str,
        session: &CompletedSession,
        now: Timestamp,
    ) -> (Reply, &'static str, Option<String>) {
        let record = session.request.as_ref().and_then(|id| self.request(id));
        let payment = match record {
            Some(record) => Some(record.payment.clone()),
            None => self.attribute(command, transaction).or_else(|| Some(self.open_payment(transaction))),
        };
        let (reply, by) = match &session.spent {
            Some((body, first)) if *body == command.raw => (first.clone(), "token"),
            Some(_) => {
                let why = "the session token was used for another final authorize".to_owned();
                (Reply::Refused(Refusal::Conflict(why)), "token")
            }
            None => self.first_final(request, transaction, session, now),
        };
        if session.spent.is_none() && matches!(reply, Reply::Authorized(_)) {
            self.spend(token, command.raw.clone(), reply.clone());
        }
        self.note(command, CallRole::Final, payment.clone(), &reply);
        (reply, by, payment)
    }

    fn first_final(
        &mut self,
        request: &AuthorizeRequest,
        transaction: &RequestPaymentTransaction,
        session: &CompletedSession,
        now: Timestamp,
    ) -> (Reply, &'static str) {
        if let Some((amount, currency)) = &session.approved {
            if transaction.amount != *amount {
                let reason = "differs from the amount that the customer approved";
                return (Reply::Refused(invalid("request_payment_transaction.amount", reason)), "token");
            }
            if !request.currency.as_str().eq_ignore_ascii_case(currency.as_str()) {
                let reason = "differs from the currency that the customer approved";
                return (Reply::Refused(invalid("currency", reason)), "token");
            }
        }
        let can_step_up = request.step_up_config.is_some();
        let (result, reason, by) = match self.plan.take(CallKind::Final, can_step_up) {
            Some(planned) => (planned.result, planned.result_reason, "queued"),
            None => (AuthorizationResult::Approved, None, "token"),
        };
        (Reply::Authorized(Box::new(self.answer(result, reason, request, transaction, now))), by)
    }

    fn spend(&mut self, token: &str, body: Value, reply: Reply) {
        let Some(record) = self.tokens.get_mut(token) else { return };
        let TokenMeaning::Completed(session) = &mut record.stands_for else { return };
        session.spent = Some((body, reply));
        if let Some(request) = session.request.as_ref().and_then(|id| self.requests.get_mut(id)) {
            request.finalised = true;
        }
    }

    fn initiate(
        &mut self,
        command: &AuthorizeCommand,
        request: &AuthorizeRequest,
        transaction: &RequestPaymentTransaction,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> (Reply, &'static str, Option<String>) {
        let interaction = request
            .step_up_config
            .as_ref()
            .map(|config| config.customer_interaction_config.clone().unwrap_or_default());
        let expires_at = match interaction.as_ref().map(|config| expiry(config, now)).transpose() {
            Ok(expires_at) => expires_at,
            Err(refusal) => return (Reply::Refused(refusal), "body", None),
        };
        let known = self.attribute(command, transaction);
        let role = if known.is_some() { CallRole::Further } else { CallRole::Initial };
        let payment = known.unwrap_or_else(|| self.open_payment(transaction));
        let (mut result, reason, mut by) = match self.plan.take(CallKind::Initial, interaction.is_some()) {
            Some(planned) => (planned.result, planned.result_reason, "queued"),
            None => (self.policies.default_outcome.clone(), None, "default"),
        };
        if result == AuthorizationResult::StepUpRequired && interaction.is_none() {
            (result, by) = (AuthorizationResult::Declined, "no-step-up-config");
        }
        let mut answer = self.answer(result.clone(), reason, request, transaction, now);
        // Facts first: the call saw the request as it stood before it.
        self.note(command, role, Some(payment.clone()), &Reply::Authorized(Box::new(answer.clone())));
        if let (AuthorizationResult::StepUpRequired, Some(interaction), Some(expires_at)) =
            (&result, interaction, expires_at)
        {
            let record = self.submit(command, request, transaction, interaction, expires_at, &payment, now);
            answer.payment_request = Some(record.view());
            let event = announce(&record, self.ids.uuid("event").to_string(), self.epoch, now);
            effects.push(Effect::Emit(Box::new(event)));
        }
        (Reply::Authorized(Box::new(answer)), by, Some(payment))
    }

    #[expect(clippy::too_many_arguments, reason = "all of it goes into the record, and only here")]
    fn submit(
        &mut self,
        command: &AuthorizeCommand,
        request: &AuthorizeRequest,
        transaction: &RequestPaymentTransaction,
        interaction: CustomerInteractionConfig,
        expires_at: Timestamp,
        payment: &str,
        now: Timestamp,
    ) -> RequestRecord {
        let uuid = self.ids.uuid("payment-request");
        let record = RequestRecord {
            id: format!("krn:payment:eu1:request:{uuid}").into(),
            uuid,
            reference: request
                .step_up_config
                .as_ref()
                .and_then(|config| config.payment_request_reference.clone()),
            amount: transaction.amount,
            currency: request.currency.clone(),
            state: PaymentRequestState::Submitted,
            previous_state: None,
            state_reason: None,
            interaction,
            purchase_data: command.raw.get("supplementary_purchase_data").cloned(),
            url: format!("{}/eu/requests/{uuid}/start", self.policies.journey_base),
            expires_at,
            created_at: now,
            updated_at: now,
            tokens: None,
            finalised: false,
            acquirer: command.acquirer.clone(),
            payment: payment.to_owned(),
        };
        self.by_uuid.insert(uuid, record.id.clone());
        self.requests.insert(record.id.clone(), record.clone());
        if let Some(payment) = self.payment_mut(payment) {
            payment.request = Some(record.id.clone());
        }
        record
    }

    fn answer(
        &mut self,
        result: AuthorizationResult,
        result_reason: Option<String>,
        request: &AuthorizeRequest,
        transaction: &RequestPaymentTransaction,
        now: Timestamp,
    ) -> AuthorizeResponse {
        let payment_transaction = (result == AuthorizationResult::Approved)
            .then(|| self.transaction(transaction, transaction.amount, &request.currency, now));
        AuthorizeResponse {
            payment_transaction_response: PaymentTransactionResponse {
                result,
                result_reason,
                payment_transaction,
            },
            payment_request: None,
            klarna_network_response_data: None,
        }
    }

    fn transaction(
        &mut self,
        asked: &RequestPaymentTransaction,
        amount: MinorUnits,
        currency: &Currency,
        now: Timestamp,
    ) -> PaymentTransaction {
        let state = if asked.capture.as_deref() == Some("NOW") { "COMPLETED" } else { "AUTHORIZED" };
        PaymentTransaction {
            payment_transaction_id: format!("krn:payment:eu1:transaction:{}", self.ids.uuid("transaction"))
                .into(),
            payment_transaction_reference: asked.payment_transaction_reference.clone(),
            amount,
            currency: currency.clone(),
            state: Some(state.to_owned()),
            expires_at: now.checked_add(AUTHORIZATION_LIFE).ok(),
            payment_funding: Some(PaymentFunding {
                r#type: "GUARANTEED".to_owned(),
                state: "FUNDED".to_owned(),
            }),
        }
    }

    /// The payment that a call belongs to: by token, by key, then by reference.
    fn attribute(
        &self,
        command: &AuthorizeCommand,
        transaction: &RequestPaymentTransaction,
    ) -> Option<String> {
        let by_token = command.token.as_ref().and_then(|token| {
            let (_, record) = self.resolve_token(&token.value);
            match &record?.stands_for {
                TokenMeaning::Completed(session) => {
                    Some(self.request(session.request.as_ref()?)?.payment.clone())
                }
                _ => None,
            }
        });
        let by_key = || self.idempotency.get(command.key.as_ref()?)?.decided.payment.clone();
        let by_reference = || {
            let reference = transaction.payment_transaction_reference.as_deref()?;
            let known =
                self.payments.iter().rev().find(|payment| payment.reference.as_deref() == Some(reference))?;
            Some(known.name.clone())
        };
        by_token.or_else(by_key).or_else(by_reference)
    }

    fn open_payment(&mut self, transaction: &RequestPaymentTransaction) -> String {
        let name = format!("e{}p{}", self.epoch, self.payments.len() + 1);
        self.payments.push(Payment {
            name: name.clone(),
            intent: self.intents.pop_front(),
            reference: transaction.payment_transaction_reference.clone(),
            request: None,
            calls: Vec::new(),
        });
        name
    }

    /// Position of a payment's newest call.
    fn newest_call(&self, payment: Option<&str>) -> Option<usize> {
        self.payment(payment?)?.calls.len().checked_sub(1)
    }

    /// Writes a call down in its payment's history.
    fn note(&mut self, command: &AuthorizeCommand, role: CallRole, payment: Option<String>, reply: &Reply) {
        let request = command.request.as_ref().ok();
        let transaction = request.and_then(|request| request.request_payment_transaction.as_ref());
        let token_known = command.token.as_ref().is_some_and(|token| self.tokens.contains_key(&token.value));
        let Some(name) = payment else { return };
        let request_state = self
            .payment(&name)
            .and_then(|payment| payment.request.clone())
            .and_then(|id| Some(self.request(&id)?.state.clone()));
        let call = AuthorizeCall {
            role,
            seq: 0,
            result: match reply {
                Reply::Authorized(answer) => Some(answer.payment_transaction_response.result.clone()),
                Reply::Refused(_) => None,
            },
            request_state,
            key: command.key.as_ref().map(|key| key.0.clone()),
            raw: command.raw.clone(),
            amount: transaction.map(|transaction| transaction.amount),
            currency: request.map(|request| request.currency.clone()),
            reference: transaction.and_then(|transaction| transaction.payment_transaction_reference.clone()),
            network_data: NetworkData::of(&command.raw),
            token: command.token.as_ref().map(|token| (token.value.clone(), token.header)),
            token_known,
            undocumented: command.undocumented.clone(),
            integration_metadata: command.integration_metadata.clone(),
            unprefixed_key: command.unprefixed_key,
            target: command.target.clone(),
        };
        if let Some(payment) = self.payment_mut(&name) {
            payment.calls.push(call);
        }
    }
}

/// When a request with this configuration ends (contract `payments.md` 3.4).
fn expiry(config: &CustomerInteractionConfig, now: Timestamp) -> Result<Timestamp, Refusal> {
    const FIELD: &str = "step_up_config.customer_interaction_config.interaction_expiry";
    let life = match &config.interaction_expiry {
        None => REQUEST_LIFE,
        Some(expiry) => match (&expiry.duration, expiry.timestamp) {
            (Some(text), None) => text
                .parse::<Span>()
                .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
                .map_err(|_| invalid(&format!("{FIELD}.duration"), "is no ISO 8601 duration"))?,
            (None, Some(at)) => at.duration_since(now),
            _ => return Err(invalid(FIELD, "takes exactly one of duration and timestamp")),
        },
    };
    if life < REQUEST_LIFE_MIN || life > REQUEST_LIFE_MAX {
        return Err(invalid(FIELD, "must lie between 15 minutes and 48 hours from now"));
    }
    now.checked_add(life).map_err(|_| invalid(FIELD, "is out of range"))
}

/// A refusal for one field.
fn invalid(parameter: &str, reason: &str) -> Refusal {
    Refusal::Invalid(vec![ValidationError {
        parameter: parameter.to_owned(),
        reason: reason.to_owned(),
        doc_url: None,
    }])
}
