//! Payment Requests that are made and changed without an authorize (contract `payments.md` 3.1).

use jiff::Timestamp;
use klarna_schemas::ids::{AcquirerAccountId, PaymentRequestId};
use klarna_schemas::klarna::payment_request::{
    CreatePaymentRequest, PaymentRequestState, UpdatePaymentRequest,
};
use klarna_schemas::klarna::webhook::REQUEST_UPDATED;
use klarna_schemas::money::MinorUnits;
use serde_json::Value;

use super::authorization::invalid;
use super::effect::{Effect, EventDraft, Refusal};
use super::idempotency::{Acted, shown};
use super::line_totals;
use super::payment_request::{RequestRecord, expiry};
use super::policies::OddityPolicy;
use super::post_purchase::unknown;
use super::sandbox::Sandbox;

/// Why a change of a request in another state is refused.
pub(crate) const OUT_OF_TURN: &str = "only SUBMITTED ones can be changed";

impl Sandbox {
    /// Makes a request, and the payment that it is to lead to. With a customer token that was issued here
    /// it is completed at once, unless the customer must consent to another.
    pub(crate) fn create_request(
        &mut self,
        asked: &CreatePaymentRequest,
        customer_token: Option<&str>,
        acquirer: AcquirerAccountId,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Acted {
        if let Some(refusal) = customer_token.and_then(|token| self.refuse_customer_token(token)) {
            return Acted { outcome: Err(refusal), payment: None };
        }
        let details = asked.details.clone();
        let consents_first = details.request_customer_token.is_some();
        let interaction = details.customer_interaction_config.unwrap_or_default();
        let older = details.payment_request_expires_at.as_deref();
        let expires_at = match expiry(&interaction, older, "", now) {
            Ok(expires_at) => expires_at,
            Err(refusal) => return Acted { outcome: Err(refusal), payment: None },
        };
        if let Err(refusal) = self.judge_lines(details.supplementary_purchase_data.as_ref(), asked.amount) {
            return Acted { outcome: Err(refusal), payment: None };
        }
        let payment = self.open_payment_for(details.payment_request_reference.clone());
        let blank = self.blank_request(acquirer, &payment, now);
        let record = self.add_request(RequestRecord {
            reference: details.payment_request_reference,
            amount: asked.amount,
            currency: asked.currency.clone(),
            interaction,
            purchase_data: details.supplementary_purchase_data,
            shipping_config: details.shipping_config,
            payment_option_id: details.payment_option_id,
            token_wish: details.request_customer_token,
            expires_at,
            ..blank
        });
        effects.push(Effect::Emit(Box::new(self.announce(&record, now))));
        if customer_token.is_some() && !consents_first {
            self.complete(record.uuid, now, effects);
        }
        let made = self.request(&record.id).map_or_else(|| shown(&record.view()), |made| shown(&made.view()));
        self.make_room(effects);
        Acted { outcome: Ok(made), payment: Some(payment) }
    }

    /// Changes a request: what is left out stays as it is.
    pub(crate) fn update_request(
        &mut self,
        id: &PaymentRequestId,
        asked: &UpdatePaymentRequest,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Acted {
        let Some(record) = self.requests.get(id) else {
            return Acted { outcome: Err(unknown("Payment Request", id.as_str())), payment: None };
        };
        let payment = Some(record.payment.clone());
        if record.state != PaymentRequestState::Submitted {
            let why = format!("is {}: {OUT_OF_TURN}", record.state);
            let refusal = self.policies.chosen.update_out_of_turn.refuse("the Payment Request", &why);
            return Acted { outcome: Err(refusal), payment };
        }
        let changed = changed(record, asked, now)
            .and_then(|new| self.judge_lines(new.purchase_data.as_ref(), new.amount).map(|()| new));
        let record = match changed {
            Ok(record) => record,
            Err(refusal) => return Acted { outcome: Err(refusal), payment },
        };
        self.requests.insert(id.clone(), record.clone());
        let event = self.announce(&record, now);
        let updated = EventDraft { event_type: REQUEST_UPDATED.to_owned(), ..event };
        effects.push(Effect::Emit(Box::new(updated)));
        Acted { outcome: Ok(shown(&record.view())), payment }
    }

    /// Refuses order lines that do not add up to the amount, where the policy is strict.
    fn judge_lines(&self, purchase_data: Option<&Value>, amount: MinorUnits) -> Result<(), Refusal> {
        match line_totals::misfit(purchase_data, amount) {
            Some(misfit) if self.policies.chosen.line_totals == OddityPolicy::Invalid => {
                Err(Refusal::Invalid(vec![misfit]))
            }
            _ => Ok(()),
        }
    }
}

/// The request as a change leaves it; of a change that is refused, nothing is record.
fn changed(
    record: &RequestRecord,
    asked: &UpdatePaymentRequest,
    now: Timestamp,
) -> Result<RequestRecord, Refusal> {
    let details = asked.details.clone();
    let older = details.payment_request_expires_at.as_deref();
    let names_an_end = older.is_some()
        || details.customer_interaction_config.as_ref().is_some_and(|new| new.interaction_expiry.is_some());
    let interaction = details.customer_interaction_config.unwrap_or_else(|| record.interaction.clone());
    let expires_at = if names_an_end { expiry(&interaction, older, "", now)? } else { record.expires_at };
    if asked.currency.as_ref().is_some_and(|currency| *currency != record.currency) && asked.amount.is_none()
    {
        return Err(invalid("amount", "must be given with another currency"));
    }
    let record = record.clone();
    Ok(RequestRecord {
        expires_at,
        interaction,
        amount: asked.amount.unwrap_or(record.amount),
        currency: asked.currency.clone().unwrap_or(record.currency),
        reference: details.payment_request_reference.or(record.reference),
        purchase_data: details.supplementary_purchase_data.or(record.purchase_data),
        shipping_config: details.shipping_config.or(record.shipping_config),
        payment_option_id: details.payment_option_id.or(record.payment_option_id),
        updated_at: now,
        ..record
    })
}
