//! The Payment Request: what the customer is asked to complete (contract `payments.md` 3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::authorize::{AcquiringConfig, RequestCustomerToken};
use super::purchase_data::Shipping;
use crate::ids::{CustomerTokenId, PaymentRequestId};
use crate::money::{Currency, MinorUnits};
use crate::open_enum;

open_enum! {
    /// State of a Payment Request (contract `payments.md` 3.3).
    pub enum PaymentRequestState {
        /// Created, or left by the customer who may come back.
        Submitted = "SUBMITTED",
        /// The customer is in the Purchase Journey.
        InProgress = "IN_PROGRESS",
        /// The customer approved; the final authorize is awaited.
        Completed = "COMPLETED",
        /// Refused for good.
        Declined = "DECLINED",
        /// Taken back by the acquirer.
        Canceled = "CANCELED",
        /// Its time ran out.
        Expired = "EXPIRED",
    }
}

impl PaymentRequestState {
    /// Whether no transition leads out of this state.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Declined | Self::Canceled | Self::Expired)
    }

    /// The last segment of `payment.request.state-change.*` for this state.
    pub fn event_suffix(&self) -> String {
        self.as_str().to_ascii_lowercase().replace('_', "-")
    }
}

/// A Payment Request as Klarna shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaymentRequest {
    /// Klarna's id; what the SDK is launched with.
    pub payment_request_id: PaymentRequestId,
    /// The acquirer's reference, as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request_reference: Option<String>,
    /// Minor units; absent where nothing but a customer token is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<MinorUnits>,
    /// ISO 4217.
    pub currency: Currency,
    /// Where it stands.
    pub state: PaymentRequestState,
    /// Where it stood before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_state: Option<PaymentRequestState>,
    /// Why it stands there, e.g. `PURCHASE_FLOW_ABORTED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// What belongs to the state: the way to the customer, later the session token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_context: Option<StateContext>,
    /// As the acquirer sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_interaction_config: Option<CustomerInteractionConfig>,
    /// As the acquirer sent it, unread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplementary_purchase_data: Option<Value>,
    /// Whether the customer may choose the shipping, as the acquirer sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_config: Option<ShippingConfig>,
    /// The payment option that the customer had chosen, as the acquirer sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_option_id: Option<String>,
    /// When an unfinished request ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// When it was canceled, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canceled_at: Option<Timestamp>,
}

/// What belongs to a state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StateContext {
    /// In SUBMITTED and `IN_PROGRESS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_interaction: Option<CustomerInteraction>,
    /// In COMPLETED: the token that the final authorize carries. Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub klarna_network_session_token: Option<String>,
    /// In COMPLETED: the older name of the same token, to be ignored by new integrations (AP-44).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_token: Option<String>,
    /// In COMPLETED, where a customer token was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub klarna_customer: Option<KlarnaCustomer>,
    /// In COMPLETED, where the customer chose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Shipping>,
}

/// What Klarna tells of a customer who consented to a token. The token is a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KlarnaCustomer {
    /// What `Klarna-Customer-Token` carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_token: Option<CustomerTokenId>,
    /// The caller's name for it, as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_token_reference: Option<String>,
}

impl std::fmt::Debug for KlarnaCustomer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KlarnaCustomer")
            .field("customer_token", &"[REDACTED]")
            .field("customer_token_reference", &self.customer_token_reference)
            .finish()
    }
}

/// The way to the customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CustomerInteraction {
    /// `HANDOVER`, `SDK` or `QR_CODE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// For the SDK.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request_id: Option<PaymentRequestId>,
    /// For a redirect. Opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request_url: Option<String>,
    /// For a till.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qr_code: Option<QrCode>,
}

/// A QR code that leads into the Purchase Journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrCode {
    /// The picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_url: Option<String>,
}

/// How the acquirer wants the customer led and brought back (contract `payments.md` 2.3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerInteractionConfig {
    /// `HANDOVER` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Where a browser returns to, with `{klarna.payment_request.…}` placeholders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// Where an app returns to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_return_url: Option<String>,
    /// When the request ends if the customer does not finish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction_expiry: Option<InteractionExpiry>,
}

/// `{duration}` or `{timestamp}`, between 15 minutes and 48 hours from creation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InteractionExpiry {
    /// ISO 8601, e.g. `PT15M`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// ISO 8601 with zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
}

/// Express shipping (contract `payments.md` 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingConfig {
    /// `EDITABLE` or `READ_ONLY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_countries: Option<Vec<String>>,
}

/// Body of `POST …/payment/requests`. What the simulator does not read, the schema checks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreatePaymentRequest {
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units.
    pub amount: MinorUnits,
    /// All else.
    #[serde(flatten)]
    pub details: PaymentRequestDetails,
}

/// Body of `PATCH` and `PUT …/payment/requests/{id}`: what is left out stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct UpdatePaymentRequest {
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<MinorUnits>,
    /// All else.
    #[serde(flatten)]
    pub details: PaymentRequestDetails,
}

/// What a Payment Request can be made or changed with, beside its money.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PaymentRequestDetails {
    /// The caller's name for the request, 1 to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request_reference: Option<String>,
    /// What is bought, by whom, sent where; kept as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplementary_purchase_data: Option<Value>,
    /// How the customer is led and brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_interaction_config: Option<CustomerInteractionConfig>,
    /// Opaque, from Payment Presentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_option_id: Option<String>,
    /// Codes of payment programs that are open to this payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_program_enablement_codes: Option<Vec<String>>,
    /// Which payment account settles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acquiring_config: Option<AcquiringConfig>,
    /// Whether the customer may choose the shipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_config: Option<ShippingConfig>,
    /// A customer token asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_customer_token: Option<RequestCustomerToken>,
    /// The Partner's Klarna Network Data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub klarna_network_data: Option<String>,
    /// Its older name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interoperability_data: Option<String>,
    /// Older way to say when the request ends: a date or a date-time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request_expires_at: Option<String>,
}
