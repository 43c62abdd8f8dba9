//! The initial call: the outcome, and the Payment Request that a step-up makes.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use klarna_schemas::klarna::authorize::{AuthorizationResult, AuthorizeRequest, RequestPaymentTransaction};
use klarna_schemas::klarna::payment_request::{CustomerInteractionConfig, PaymentRequestState};
use klarna_schemas::simulator::control::CallKind;
use serde_json::Value;

use super::authorization::invalid;
use super::command::AuthorizeCommand;
use super::effect::{Effect, Refusal, Reply};
use super::payment_request::RequestRecord;
use super::sandbox::{Sandbox, announce};

/// Life of a request that names none (contract `payments.md` 3.4).
const REQUEST_LIFE: SignedDuration = SignedDuration::from_hours(3);
const REQUEST_LIFE_MIN: SignedDuration = SignedDuration::from_mins(15);
const REQUEST_LIFE_MAX: SignedDuration = SignedDuration::from_hours(48);

impl Sandbox {
    /// Decides a call without such a token.
    pub(super) fn initiate(
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
        let role = self.role_of_initial(known.as_deref());
        let payment = known.unwrap_or_else(|| self.open_payment(command, transaction));
        let asked = interaction.zip(expires_at).map(|(interaction, expires_at)| StepUp {
            reference: request.step_up_config.as_ref().and_then(|c| c.payment_request_reference.clone()),
            purchase_data: command.raw.get("supplementary_purchase_data").cloned(),
            interaction,
            expires_at,
        });
        let planned = self.plan.take(CallKind::Initial, asked.is_some());
        let forced = planned.as_ref().is_some_and(|planned| planned.force);
        let (mut result, reason, mut by) = match planned {
            Some(planned) => (planned.result, planned.result_reason, "queued"),
            None => (self.policies.default_outcome.clone(), None, "default"),
        };
        let step_up = asked.or_else(|| forced.then(|| StepUp::forced(command, now)));
        if result == AuthorizationResult::StepUpRequired && step_up.is_none() {
            (result, by) = (AuthorizationResult::Declined, "no-step-up-config");
        }
        let mut answer = self.answer(result.clone(), reason, request, transaction, now);
        // Facts first: the call saw the request as it stood before it.
        self.note(command, role, Some(payment.clone()), &Reply::Authorized(Box::new(answer.clone())));
        if let (AuthorizationResult::StepUpRequired, Some(step_up)) = (&result, step_up) {
            let record = self.submit(command, request, transaction, step_up, &payment, now);
            answer.payment_request = Some(record.view());
            effects.push(self.announce_submitted(&record, now));
        }
        (Reply::Authorized(Box::new(answer)), by, Some(payment))
    }

    /// The event that a new request makes.
    pub(super) fn announce_submitted(&mut self, record: &RequestRecord, now: Timestamp) -> Effect {
        let event = announce(record, self.ids.uuid("event").to_string(), self.epoch, now);
        Effect::Emit(Box::new(event))
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
        let uuid = self.ids.uuid("payment-request");
        let record = RequestRecord {
            id: format!("krn:payment:eu1:request:{uuid}").into(),
            uuid,
            reference: step_up.reference,
            amount: transaction.amount,
            currency: request.currency.clone(),
            state: PaymentRequestState::Submitted,
            previous_state: None,
            state_reason: None,
            interaction: step_up.interaction,
            purchase_data: step_up.purchase_data,
            url: format!("{}/eu/requests/{uuid}/start", self.policies.journey_base),
            expires_at: step_up.expires_at,
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
