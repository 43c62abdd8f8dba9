//! Payment Requests: the record and its transitions (contract `payments.md` 3.3).

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use klarna_schemas::ids::{AcquirerAccountId, PaymentRequestId};
use klarna_schemas::klarna::authorize::{CustomerToken, RequestCustomerToken};
use klarna_schemas::klarna::payment_request::{
    CustomerInteraction, CustomerInteractionConfig, KlarnaCustomer, PaymentRequest, PaymentRequestState,
    QrCode, ShippingConfig, StateContext,
};
use klarna_schemas::klarna::purchase_data::Shipping;
use klarna_schemas::klarna::webhook::PaymentRequestPayload;
use klarna_schemas::money::{Currency, MinorUnits};
use serde_json::Value;
use uuid::Uuid;

use super::authorization::invalid;
use super::customer::Planned;
use super::effect::Refusal;
use super::policies::TokenPlaces;

/// Life of the token after completion, in minutes (contract `payments.md` 2.6).
pub(crate) const TOKEN_LIFE_MINUTES: i64 = 60;

/// Life of a request that names none (contract `payments.md` 3.4).
pub(super) const REQUEST_LIFE: SignedDuration = SignedDuration::from_hours(3);
const REQUEST_LIFE_MIN: SignedDuration = SignedDuration::from_mins(15);
const REQUEST_LIFE_MAX: SignedDuration = SignedDuration::from_hours(48);

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
    pub(crate) shipping_config: Option<ShippingConfig>,
    /// What the customer chose, in an amount that has it already.
    pub(crate) shipping: Option<Shipping>,
    pub(crate) payment_option_id: Option<String>,
    /// Into the Purchase Journey.
    pub(crate) url: String,
    /// A picture of `url`.
    pub(crate) qr_image_url: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Set on completion: (session token, its older name).
    pub(crate) tokens: Option<(String, String)>,
    /// The customer token that was asked for.
    pub(crate) token_wish: Option<RequestCustomerToken>,
    /// Whether nothing else was: then no final call follows, and there is no amount.
    pub(crate) tokenises_only: bool,
    /// Set on completion, where one was asked for.
    pub(crate) customer_token: Option<CustomerToken>,
    /// Whether a final authorize was decided.
    pub(crate) finalised: bool,
    /// Whether the one-time code that the customer entered last was wrong.
    pub(crate) wrong_code: bool,
    /// What the customer is going to do by itself.
    pub(crate) planned: Planned,
    /// Who asked for it, and is told of it.
    pub(crate) acquirer: AcquirerAccountId,
    /// The simulator's name of the payment.
    pub(crate) payment: String,
}

impl RequestRecord {
    /// A new request, with nothing in it yet; `base` stands in front of the journey's path.
    pub(crate) fn blank(
        uuid: Uuid,
        base: &str,
        acquirer: AcquirerAccountId,
        payment: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            id: format!("krn:payment:eu1:request:{uuid}").into(),
            uuid,
            reference: None,
            amount: MinorUnits(0),
            currency: Currency::default(),
            state: PaymentRequestState::Submitted,
            previous_state: None,
            state_reason: None,
            interaction: CustomerInteractionConfig::default(),
            purchase_data: None,
            shipping_config: None,
            shipping: None,
            payment_option_id: None,
            url: format!("{base}/eu/requests/{uuid}/start"),
            qr_image_url: format!("{base}/static/qr/{uuid}.svg"),
            expires_at: now,
            created_at: now,
            updated_at: now,
            tokens: None,
            token_wish: None,
            tokenises_only: false,
            customer_token: None,
            finalised: false,
            wrong_code: false,
            planned: Planned::default(),
            acquirer,
            payment: payment.to_owned(),
        }
    }

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
            amount: (!self.tokenises_only).then_some(self.amount),
            currency: self.currency.clone(),
            state: self.state.clone(),
            previous_state: self.previous_state.clone(),
            state_reason: self.state_reason.clone(),
            state_context: self.state_context(),
            customer_interaction_config: Some(self.interaction.clone()),
            supplementary_purchase_data: self.purchase_data.clone(),
            shipping_config: self.shipping_config.clone(),
            payment_option_id: self.payment_option_id.clone(),
            expires_at: Some(self.expires_at),
            created_at: Some(self.created_at),
            updated_at: Some(self.updated_at),
            // Nothing follows on CANCELED, so it changed last when it was canceled.
            canceled_at: (self.state == PaymentRequestState::Canceled).then_some(self.updated_at),
        }
    }

    /// The request as an event tells of it.
    pub(crate) fn payload(&self, places: TokenPlaces) -> PaymentRequestPayload {
        let (token, payment_token) = self.live_tokens().unzip();
        let in_payload = places != TokenPlaces::StateContext;
        let mut state_context = self.state_context();
        if places == TokenPlaces::Payload
            && let Some(context) = &mut state_context
        {
            (context.klarna_network_session_token, context.payment_token) = (None, None);
        }
        PaymentRequestPayload {
            payment_request_id: self.id.clone(),
            payment_request_reference: self.reference.clone(),
            state: self.state.clone(),
            previous_state: self.previous_state.clone(),
            state_reason: self.state_reason.clone(),
            klarna_network_session_token: token.filter(|_| in_payload),
            payment_token: payment_token.filter(|_| in_payload),
            state_context,
            shipping: self.shipping.clone().filter(|_| self.state == PaymentRequestState::Completed),
        }
    }

    /// How the customer gets into the Purchase Journey, by the method that was asked for.
    fn way_in(&self) -> CustomerInteraction {
        let method = self.interaction.method.as_deref().unwrap_or("HANDOVER");
        let qr_code = (method == "QR_CODE").then(|| QrCode {
            image_url: Some(self.qr_image_url.clone()),
            target_url: Some(self.url.clone()),
        });
        CustomerInteraction {
            method: Some(method.to_owned()),
            payment_request_id: Some(self.id.clone()),
            payment_request_url: Some(self.url.clone()),
            qr_code,
        }
    }

    fn state_context(&self) -> Option<StateContext> {
        match self.state {
            PaymentRequestState::Submitted | PaymentRequestState::InProgress => {
                Some(StateContext { customer_interaction: Some(self.way_in()), ..StateContext::default() })
            }
            PaymentRequestState::Completed => {
                let (klarna_network_session_token, payment_token) = self.live_tokens().unzip();
                let klarna_customer = self.customer_token.clone().map(|token| KlarnaCustomer {
                    customer_token: Some(token.customer_token_id),
                    customer_token_reference: token.customer_token_reference,
                });
                Some(StateContext {
                    klarna_network_session_token,
                    payment_token,
                    klarna_customer,
                    shipping: self.shipping.clone(),
                    customer_interaction: None,
                })
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

/// When a request with this configuration ends (contract `payments.md` 3.4); `older` is
/// `payment_request_expires_at`, `above` the path of the object that holds both.
pub(super) fn expiry(
    config: &CustomerInteractionConfig,
    older: Option<&str>,
    above: &str,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    let field = format!("{above}customer_interaction_config.interaction_expiry");
    let older_field = format!("{above}payment_request_expires_at");
    let (field, life) = match (&config.interaction_expiry, older) {
        (None, None) => (field, REQUEST_LIFE),
        (None, Some(text)) => {
            let end = end_of(text).ok_or_else(|| invalid(&older_field, "is no date and no date-time"))?;
            (older_field, end.duration_since(now))
        }
        (Some(expiry), _) => {
            let life = match (&expiry.duration, expiry.timestamp) {
                (Some(text), None) => text
                    .parse::<Span>()
                    .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
                    .map_err(|_| invalid(&format!("{field}.duration"), "is no ISO 8601 duration"))?,
                (None, Some(at)) => at.duration_since(now),
                _ => return Err(invalid(&field, "takes exactly one of duration and timestamp")),
            };
            (field, life)
        }
    };
    // The older field has no published bounds: a date may lie months away (contract, decisions).
    let is_older = older.is_some() && config.interaction_expiry.is_none();
    let life = if is_older { life.min(REQUEST_LIFE_MAX) } else { life };
    if is_older && life <= SignedDuration::ZERO {
        return Err(invalid(&field, "lies in the past"));
    }
    if !is_older && (life < REQUEST_LIFE_MIN || life > REQUEST_LIFE_MAX) {
        return Err(invalid(&field, "must lie between 15 minutes and 48 hours from now"));
    }
    now.checked_add(life).map_err(|_| invalid(&field, "is out of range"))
}

/// A date-time, or the end of a date in UTC.
fn end_of(text: &str) -> Option<Timestamp> {
    let day = || -> Option<Timestamp> {
        let day: Date = text.parse().ok()?;
        Some(day.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    text.parse().ok().or_else(day)
}

/// A value as it may stand anywhere in a URL; the colons of ids stay readable.
fn in_url(value: &str) -> String {
    const KEEP: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');
    percent_encoding::utf8_percent_encode(value, KEEP).to_string()
}
