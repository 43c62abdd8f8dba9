//! The initial call: the outcome, and the Payment Request that a step-up makes.

use jiff::Timestamp;
use klarna_schemas::ids::AcquirerAccountId;
use klarna_schemas::klarna::authorize::{AuthorizationResult, AuthorizeRequest, RequestPaymentTransaction};
use klarna_schemas::klarna::payment_request::CustomerInteractionConfig;
use klarna_schemas::simulator::control::{CallKind, Evolution};
use klarna_schemas::simulator::rules::Then;
use serde_json::Value;

use super::authorization::answer;
use super::command::AuthorizeCommand;
use super::effect::{Decider, Effect, Refusal, Reply};
use super::payment_request::{REQUEST_LIFE, RequestRecord, expiry};
use super::post_purchase::Approved;
use super::sandbox::Sandbox;

impl Sandbox {
    /// Decides a call without such a token.
    pub(super) fn initiate(
        &mut self,
        command: &AuthorizeCommand,
        request: &AuthorizeRequest,
        transaction: &RequestPaymentTransaction,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> (Reply, Decider, Option<String>) {
        let asked = match StepUp::asked(command, request, now) {
            Ok(asked) => asked,
            Err(refusal) => return (Reply::Refused(refusal), "body".into(), None),
        };
        let known = self.attribute(command, transaction);
        let role = self.role_of_initial(known.as_deref());
        let payment = known.unwrap_or_else(|| self.open_payment(command, transaction));
        let choice = self.choose(command, CallKind::Initial, asked.is_some());
        let (unasked, by_itself) = self.unasked_result(command, request);
        let then = choice.as_ref().map_or_else(Then::default, |choice| choice.then.clone());
        let mut by = choice.map_or(by_itself, Decider::from);
        let mut result = then.result.unwrap_or(unasked);
        let step_up = asked.or_else(|| then.force.then(|| StepUp::forced(command, now)));
        if result == AuthorizationResult::StepUpRequired && step_up.is_none() {
            let why = "is required: there is no way to the customer";
            if let Some(refusal) = self.policies.chosen.no_way_to_the_customer.refusal("step_up_config", why)
            {
                let reply = Reply::Refused(refusal);
                self.note(command, role, Some(payment.clone()), &reply);
                return (reply, "no-step-up-config".into(), Some(payment));
            }
            (result, by.name) = (AuthorizationResult::Declined, "no-step-up-config".into());
        }
        let approved = Approved { command, request, asked: transaction, payment: &payment, completed: None };
        let made =
            (result == AuthorizationResult::Approved).then(|| self.open_transaction(&approved, now, effects));
        let mut answer = answer(result.clone(), then.result_reason, made);
        answer.klarna_network_response_data = then.response_data;
        if let Some(wish) = &request.request_customer_token {
            answer.customer_token_response = Some(self.answer_to_wish(wish, &result, None));
        }
        // Facts first: the call saw the request as it stood before it.
        self.note(command, role, Some(payment.clone()), &Reply::Authorized(Box::new(answer.clone())));
        if let (AuthorizationResult::StepUpRequired, Some(step_up)) = (&result, step_up) {
            let record = self.submit(command, request, transaction, step_up, &payment, now);
            answer.payment_request = Some(record.view());
            effects.push(Effect::Emit(Box::new(self.announce(&record, now))));
            self.follow_script(&record, &then.customer, now, effects);
        }
        (Reply::Authorized(Box::new(answer)), by, Some(payment))
    }

    /// Makes the request of a step-up, which is the payment's from now on.
    pub(super) fn submit(
        &mut self,
        command: &AuthorizeCommand,
        request: &AuthorizeRequest,
        transaction: &RequestPaymentTransaction,
        step_up: StepUp,
        payment: &str,
        now: Timestamp,
    ) -> RequestRecord {
        let blank = self.blank_request(command.acquirer.clone(), payment, now);
        self.add_request(RequestRecord {
            amount: transaction.amount,
            currency: request.currency.clone(),
            payment_option_id: transaction.payment_option_id.clone(),
            token_wish: request.request_customer_token.clone(),
            ..step_up.laid_over(blank)
        })
    }

    /// A request of a payment, with an id of its own and nothing in it yet.
    pub(super) fn blank_request(
        &mut self,
        acquirer: AcquirerAccountId,
        payment: &str,
        now: Timestamp,
    ) -> RequestRecord {
        let uuid = self.ids.uuid("payment-request");
        let mut record = RequestRecord::blank(uuid, &self.policies.journey_base, acquirer, payment, now);
        record.id.0.push_str(&self.tail_of_ids());
        record
    }

    /// What stands behind every new id: something once ids have grown longer.
    pub(super) fn tail_of_ids(&mut self) -> String {
        let longer = self.behaviour.evolved().has(Evolution::LongerIds);
        if longer { self.ids.tail() } else { String::new() }
    }

    /// Takes a request in, which is its payment's from now on.
    pub(super) fn add_request(&mut self, record: RequestRecord) -> RequestRecord {
        self.by_uuid.insert(record.uuid, record.id.clone());
        self.requests.insert(record.id.clone(), record.clone());
        if let Some(payment) = self.payment_mut(&record.payment) {
            payment.earlier_requests.extend(payment.request.replace(record.id.clone()));
        }
        record
    }
}

/// What a step-up asks the customer by.
pub(super) struct StepUp {
    reference: Option<String>,
    interaction: CustomerInteractionConfig,
    purchase_data: Option<Value>,
    expires_at: Timestamp,
}

impl StepUp {
    /// The one that a call gives a way for, if it does.
    pub(super) fn asked(
        command: &AuthorizeCommand,
        request: &AuthorizeRequest,
        now: Timestamp,
    ) -> Result<Option<Self>, Refusal> {
        let Some(config) = &request.step_up_config else { return Ok(None) };
        let interaction = config.customer_interaction_config.clone().unwrap_or_default();
        let older = config.payment_request_expires_at.as_deref();
        let expires_at = expiry(&interaction, older, "step_up_config.", now)?;
        Ok(Some(Self {
            reference: config.payment_request_reference.clone(),
            interaction,
            purchase_data: command.raw.get("supplementary_purchase_data").cloned(),
            expires_at,
        }))
    }

    /// A request that asks the customer so.
    pub(super) fn laid_over(self, blank: RequestRecord) -> RequestRecord {
        RequestRecord {
            reference: self.reference,
            interaction: self.interaction,
            purchase_data: self.purchase_data,
            expires_at: self.expires_at,
            ..blank
        }
    }

    /// One that the call gives no way for.
    pub(super) fn forced(command: &AuthorizeCommand, now: Timestamp) -> Self {
        Self {
            reference: None,
            interaction: CustomerInteractionConfig::default(),
            purchase_data: command.raw.get("supplementary_purchase_data").cloned(),
            expires_at: now.checked_add(REQUEST_LIFE).unwrap_or(now),
        }
    }

    /// One after a request that the customer has completed: by the same way, with a life of its own.
    pub(super) fn again(before: &RequestRecord, now: Timestamp) -> Self {
        let interaction =
            CustomerInteractionConfig { interaction_expiry: None, ..before.interaction.clone() };
        Self {
            reference: before.reference.clone(),
            interaction,
            purchase_data: before.purchase_data.clone(),
            expires_at: now.checked_add(REQUEST_LIFE).unwrap_or(now),
        }
    }
}
