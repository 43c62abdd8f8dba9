//! Payment Requests: the record and its transitions (contract `payments.md` 3.3).

use jiff::Timestamp;
use klarna_schemas::ids::{AcquirerAccountId, PaymentRequestId};
use klarna_schemas::klarna::payment_request::{
    CustomerInteraction, CustomerInteractionConfig, PaymentRequest, PaymentRequestState, StateContext,
};
use klarna_schemas::klarna::webhook::PaymentRequestPayload;
use klarna_schemas::money::{Currency, MinorUnits};
use serde_json::Value;
use uuid::Uuid;

/// Life of the token after completion, in minutes (contract `payments.md` 2.6).
pub(crate) const TOKEN_LIFE_MINUTES: i64 = 60;

/// A Payment Request and all that the simulator keeps of it.
#[derive(Debug, Clone)]
pub(crate) struct RequestRecord {
    pub(crate) id: PaymentRequestId,
    /// The id's last part, which the Purchase Journey's URL carries.
    pub(crate) uuid: Uuid,
    pub(crate) reference: Option<String>,
    pub(crate) amount: MinorUnits,
    pub(crate) currency: Currency,
    pub(crate) state: PaymentRequestState,
    pub(crate) previous_state: Option<PaymentRequestState>,
    pub(crate) state_reason: Option<String>,
    pub(crate) interaction: CustomerInteractionConfig,
    pub(crate) purchase_data: Option<Value>,
    pub(crate) url: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Set on completion: (session token, its older name).
    pub(crate) tokens: Option<(String, String)>,
    /// Whether a final authorize was decided.
    pub(crate) finalised: bool,
    /// Who asked for it, and is told of it.
    pub(crate) acquirer: AcquirerAccountId,
    /// The simulator's name of the payment.
    pub(crate) payment: String,
}

impl RequestRecord {
    /// Moves to a state. The caller has checked that the transition is one.
    pub(crate) fn enter(&mut self, state: PaymentRequestState, reason: Option<&str>, now: Timestamp) {
        self.previous_state = Some(std::mem::replace(&mut self.state, state));
        self.state_reason = reason.map(str::to_owned);
        self.updated_at = now;
    }

    /// The request as Klarna's API shows it.
    pub(crate) fn view(&self) -> PaymentRequest {
        PaymentRequest {
            payment_request_id: self.id.clone(),
            payment_request_reference: self.reference.clone(),
            amount: self.amount,
            currency: self.currency.clone(),
            state: self.state.clone(),
            previous_state: self.previous_state.clone(),
            state_reason: self.state_reason.clone(),
            state_context: self.state_context(),
            customer_interaction_config: Some(self.interaction.clone()),
            supplementary_purchase_data: self.purchase_data.clone(),
            expires_at: Some(self.expires_at),
            created_at: Some(self.created_at),
            updated_at: Some(self.updated_at),
            // Nothing follows on CANCELED, so it changed last when it was canceled.
            canceled_at: (self.state == PaymentRequestState::Canceled).then_some(self.updated_at),
        }
    }

    /// The request as an event tells of it: the token stands in both places (contract, decisions).
    pub(crate) fn payload(&self) -> PaymentRequestPayload {
        let (token, payment_token) = self.live_tokens().unzip();
        PaymentRequestPayload {
            payment_request_id: self.id.clone(),
            payment_request_reference: self.reference.clone(),
            state: self.state.clone(),
            previous_state: self.previous_state.clone(),
            state_reason: self.state_reason.clone(),
            klarna_network_session_token: token,
            payment_token,
            state_context: self.state_context(),
        }
    }

    fn state_context(&self) -> Option<StateContext> {
        match self.state {
            PaymentRequestState::Submitted | PaymentRequestState::InProgress => Some(StateContext {
                customer_interaction: Some(CustomerInteraction {
                    method: Some(self.interaction.method.clone().unwrap_or_else(|| "HANDOVER".to_owned())),
                    payment_request_id: Some(self.id.clone()),
                    payment_request_url: Some(self.url.clone()),
                }),
                ..StateContext::default()
            }),
            PaymentRequestState::Completed => {
                let (klarna_network_session_token, payment_token) = self.live_tokens().unzip();
                Some(StateContext { klarna_network_session_token, payment_token, customer_interaction: None })
            }
            _ => None,
        }
    }

    /// The session token and its older name, while the request is COMPLETED: they die with that.
    fn live_tokens(&self) -> Option<(String, String)> {
        self.tokens.clone().filter(|_| self.state == PaymentRequestState::Completed)
    }

    /// Where the customer is sent, with Klarna's placeholders replaced; unknown ones stay.
    pub(crate) fn return_target(&self) -> Option<String> {
        let template = self.interaction.return_url.as_ref().or(self.interaction.app_return_url.as_ref())?;
        let (token, older) = self.live_tokens().unwrap_or_default();
        let values = [
            ("{klarna.payment_request.id}", self.id.as_str()),
            ("{klarna.payment_request.state}", self.state.as_str()),
            ("{klarna.payment_request.payment_request_reference}", self.reference.as_deref().unwrap_or("")),
            ("{klarna.payment_request.klarna_network_session_token}", token.as_str()),
            ("{klarna.payment_request.interoperability_token}", token.as_str()),
            ("{klarna.payment_request.payment_token}", older.as_str()),
        ];
        let mut target = template.clone();
        for (placeholder, value) in values {
            if target.contains(placeholder) {
                target = target.replace(placeholder, &in_url(value));
            }
        }
        Some(target)
    }
}

/// A value as it may stand anywhere in a URL; the colons of ids stay readable.
fn in_url(value: &str) -> String {
    const KEEP: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');
    percent_encoding::utf8_percent_encode(value, KEEP).to_string()
}
