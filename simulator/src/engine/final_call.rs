//! The final call: what its token means, and what is decided on it (contract `payments.md` 2.6).

use jiff::Timestamp;
use klarna_schemas::klarna::authorize::{AuthorizationResult, AuthorizeRequest, RequestPaymentTransaction};
use klarna_schemas::klarna::payment_request::PaymentRequestState;
use klarna_schemas::simulator::control::{CallKind, CustomerScript};
use klarna_schemas::simulator::rules::Then;
use serde_json::Value;

use super::authorization::{answer, declined};
use super::command::AuthorizeCommand;
use super::effect::{Decider, Effect, Refusal, Reply};
use super::initial_call::StepUp;
use super::payment::{CallRole, TokenStanding};
use super::policies::ReusePolicy;
use super::post_purchase::Approved;
use super::sandbox::Sandbox;
use super::token::{CompletedSession, TokenMeaning, TokenRecord};

/// What the token on a call means for it.
pub(super) enum TokenRule {
    /// No token of a completed request: the call is initial.
    Initial,
    /// The token of a completed session, under its current name.
    Final(String, CompletedSession),
    /// The call cannot be served.
    Refuse(Refusal),
    /// The call is declined for its token.
    Decline,
}

impl Sandbox {
    /// Reads the token by the rules of `payments.md` 2.6.
    pub(super) fn token_rule(
        &self,
        command: &AuthorizeCommand,
        request: &AuthorizeRequest,
        now: Timestamp,
    ) -> TokenRule {
        let Some(presented) = &command.token else { return TokenRule::Initial };
        if command.token_is_foreign {
            let why = "belongs to another Partner account";
            return TokenRule::Refuse(
                self.policies.chosen.foreign_token.refuse(presented.header.name(), why),
            );
        }
        let (name, record) = self.resolve_token(&presented.value);
        match record.map(|record| (&record.stands_for, record.expires_at)) {
            Some((TokenMeaning::Completed(session), expires_at)) => {
                if self.has_died(session, expires_at, now) {
                    let why = "has expired";
                    return match self.policies.chosen.expired_token.refusal(presented.header.name(), why) {
                        Some(refusal) => TokenRule::Refuse(refusal),
                        None => TokenRule::Decline,
                    };
                }
                TokenRule::Final(name.to_owned(), (**session).clone())
            }
            // A token without a completed request changes nothing, where there is a way to go on.
            _ if request.step_up_config.is_some() => TokenRule::Initial,
            _ => {
                let why = "names no completed Payment Request";
                TokenRule::Refuse(self.policies.chosen.unknown_token.refuse(presented.header.name(), why))
            }
        }
    }

    /// Whether a completed session has ended unused.
    fn has_died(&self, session: &CompletedSession, expires_at: Option<Timestamp>, now: Timestamp) -> bool {
        let request = session.request.as_ref().and_then(|id| self.request(id));
        let over = request.is_some_and(|record| record.state != PaymentRequestState::Completed);
        session.spent.is_none() && (over || expires_at.is_some_and(|at| now >= at))
    }

    /// How the token of a call stands.
    pub(super) fn token_standing(&self, command: &AuthorizeCommand) -> TokenStanding {
        let record = command.token.as_ref().and_then(|token| self.resolve_token(&token.value).1);
        match record.map(|record| &record.stands_for) {
            None => TokenStanding::Unknown,
            // Time has been let pass before: a token whose time is up has lost its request.
            Some(TokenMeaning::Completed(session)) if self.has_died(session, None, Timestamp::MIN) => {
                TokenStanding::Dead
            }
            Some(_) => TokenStanding::Known,
        }
    }

    /// A token's current name and record.
    pub(super) fn resolve_token<'a>(&'a self, value: &'a str) -> (&'a str, Option<&'a TokenRecord>) {
        match self.tokens.get(value) {
            Some(record) => match &record.stands_for {
                TokenMeaning::AliasOf(current) => (current, self.tokens.get(current)),
                _ => (value, Some(record)),
            },
            None => (value, None),
        }
    }

    /// Decides a call with the token of a completed session.
    #[expect(clippy::too_many_arguments, reason = "the call, its token, the time and what comes of it")]
    pub(super) fn finalise(
        &mut self,
        command: &AuthorizeCommand,
        request: &AuthorizeRequest,
        transaction: &RequestPaymentTransaction,
        token: &str,
        session: &CompletedSession,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> (Reply, Decider, Option<String>) {
        let before = session.request.as_ref().and_then(|id| self.request(id)).cloned();
        let payment = match &before {
            Some(record) => record.payment.clone(),
            None => self
                .attribute(command, transaction)
                .unwrap_or_else(|| self.open_payment(command, transaction)),
        };
        let (mut reply, by, script) = match &session.spent {
            Some((body, first))
                if *body == command.raw || self.policies.chosen.token_reused == ReusePolicy::Replay =>
            {
                (first.clone(), "token".into(), CustomerScript::default())
            }
            Some(_) => {
                let why = "the session token was used for another final authorize".to_owned();
                (Reply::Refused(Refusal::Conflict(why)), "token".into(), CustomerScript::default())
            }
            None => {
                let completed = session.request.clone();
                let call = Approved { command, request, asked: transaction, payment: &payment, completed };
                self.first_final(&call, session, now, effects)
            }
        };
        // Facts first: the call saw the request as it stood before it.
        self.note(command, CallRole::Final, Some(payment.clone()), &reply);
        if let Reply::Authorized(answer) = &mut reply
            && session.spent.is_none()
        {
            if answer.payment_transaction_response.result == AuthorizationResult::StepUpRequired {
                let step_up = match &before {
                    Some(before) => StepUp::again(before, now),
                    None => StepUp::forced(command, now),
                };
                let record = self.submit(command, request, transaction, step_up, &payment, now);
                answer.payment_request = Some(record.view());
                effects.push(Effect::Emit(Box::new(self.announce(&record, now))));
                self.follow_script(&record, &script, now, effects);
            }
            // A forced step-up spends the token, too: the same call again gets the same request.
            self.spend(token, command.raw.clone(), reply.clone());
        }
        (reply, by, Some(payment))
    }

    fn first_final(
        &mut self,
        call: &Approved<'_>,
        session: &CompletedSession,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> (Reply, Decider, CustomerScript) {
        let by_token = |reply| (reply, "token".into(), CustomerScript::default());
        if let Some((parameter, why)) = departure(session, call.request, call.asked) {
            let refusal = self.policies.chosen.other_amount.refusal(parameter, why);
            return match refusal {
                Some(refusal) => by_token(Reply::Refused(refusal)),
                None => by_token(declined()),
            };
        }
        // The customer has been asked: a step-up is no legal answer, even where step_up_config stayed;
        // only a forced one comes here.
        let choice = self.choose(call.command, CallKind::Final, false);
        let then = choice.as_ref().map_or_else(Then::default, |choice| choice.then.clone());
        let by = choice.map_or_else(|| "token".into(), Decider::from);
        let result = then.result.unwrap_or(AuthorizationResult::Approved);
        let made =
            (result == AuthorizationResult::Approved).then(|| self.open_transaction(call, now, effects));
        let mut answer = answer(result, then.result_reason, made);
        answer.klarna_network_response_data = then.response_data;
        let asked = session.request.as_ref().and_then(|id| self.request(id));
        if let Some((wish, made)) =
            asked.and_then(|record| Some((record.token_wish.clone()?, record.customer_token.clone())))
        {
            let result = answer.payment_transaction_response.result.clone();
            answer.customer_token_response = Some(self.answer_to_wish(&wish, &result, made));
        }
        (Reply::Authorized(Box::new(answer)), by, then.customer)
    }

    fn spend(&mut self, token: &str, body: Value, reply: Reply) {
        let Some(record) = self.tokens.get_mut(token) else { return };
        let TokenMeaning::Completed(session) = &mut record.stands_for else { return };
        session.spent = Some((body, reply));
        if let Some(request) = session.request.as_ref().and_then(|id| self.requests.get_mut(id)) {
            request.finalised = true;
        }
    }
}

/// In what a final call departs from what the customer approved: the field, and how.
pub(super) fn departure(
    session: &CompletedSession,
    request: &AuthorizeRequest,
    transaction: &RequestPaymentTransaction,
) -> Option<(&'static str, &'static str)> {
    let (amount, currency) = session.approved.as_ref()?;
    if transaction.amount != *amount {
        let why = "differs from the amount that the customer approved";
        return Some(("request_payment_transaction.amount", why));
    }
    (!request.currency.as_str().eq_ignore_ascii_case(currency.as_str()))
        .then_some(("currency", "differs from the currency that the customer approved"))
}
