//! Payment Requests that are made and changed without an authorize (contract `payments.md` 3.1).

use jiff::Timestamp;
use klarna_schemas::ids::{AcquirerAccountId, PaymentRequestId};
use klarna_schemas::klarna::payment_request::{
    CreatePaymentRequest, PaymentRequestState, UpdatePaymentRequest,
};
use klarna_schemas::klarna::webhook::REQUEST_UPDATED;

use super::authorization::invalid;
use super::effect::{Effect, EventDraft, Refusal};
use super::idempotency::{Acted, shown};
use super::payment_request::{RequestRecord, expiry};
use super::post_purchase::unknown;
use super::sandbox::Sandbox;

impl Sandbox {
    /// Makes a request, and the payment that it is to lead to.
    pub(crate) fn create_request(
        &mut self,
        asked: &CreatePaymentRequest,
        acquirer: AcquirerAccountId,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Acted {
        let details = asked.details.clone();
        let interaction = details.customer_interaction_config.unwrap_or_default();
        let older = details.payment_request_expires_at.as_deref();
        let expires_at = match expiry(&interaction, older, "", now) {
            Ok(expires_at) => expires_at,
            Err(refusal) => return Acted { outcome: Err(refusal), payment: None },
        };
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
        self.make_room(effects);
        Acted { outcome: Ok(shown(&record.view())), payment: Some(payment) }
    }

    /// Changes a request: what is left out stays as it is.
    pub(crate) fn update_request(
        &mut self,
        id: &PaymentRequestId,
        asked: &UpdatePaymentRequest,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Acted {
        let Some(record) = self.requests.get_mut(id) else {
            return Acted { outcome: Err(unknown("Payment Request", id.as_str())), payment: None };
        };
        let payment = Some(record.payment.clone());
        if record.state != PaymentRequestState::Submitted {
            let why = format!("is {}: only SUBMITTED ones can be changed", record.state);
            let refusal = self.policies.chosen.update_out_of_turn.refuse("the Payment Request", &why);
            return Acted { outcome: Err(refusal), payment };
        }
        if let Err(refusal) = change(record, asked, now) {
            return Acted { outcome: Err(refusal), payment };
        }
        let record = record.clone();
        let event = self.announce(&record, now);
        let updated = EventDraft { event_type: REQUEST_UPDATED.to_owned(), ..event };
        effects.push(Effect::Emit(Box::new(updated)));
        Acted { outcome: Ok(shown(&record.view())), payment }
    }
}

fn change(record: &mut RequestRecord, asked: &UpdatePaymentRequest, now: Timestamp) -> Result<(), Refusal> {
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
    // Nothing of a change that is refused is kept.
    record.expires_at = expires_at;
    record.interaction = interaction;
    record.amount = asked.amount.unwrap_or(record.amount);
    record.currency = asked.currency.clone().unwrap_or_else(|| record.currency.clone());
    record.reference = details.payment_request_reference.or_else(|| record.reference.take());
    record.purchase_data = details.supplementary_purchase_data.or_else(|| record.purchase_data.take());
    record.shipping_config = details.shipping_config.or_else(|| record.shipping_config.take());
    record.payment_option_id = details.payment_option_id.or_else(|| record.payment_option_id.take());
    record.updated_at = now;
    Ok(())
}
