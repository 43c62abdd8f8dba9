//! The envelope of an event (contract `webhooks-and-network-data.md` A.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::payment_request::{PaymentRequestState, StateContext};
use super::purchase_data::Shipping;
use crate::ids::{AcquirerAccountId, PartnerAccountId, PaymentRequestId, WebhookId};

/// Prefix of the events that tell how a Payment Request fares.
pub const STATE_CHANGE_PREFIX: &str = "payment.request.state-change.";

/// The event that tells of a changed Payment Request.
pub const REQUEST_UPDATED: &str = "payment.request.updated";

/// Every event type of `v2` (contract `webhooks-and-network-data.md` A.2). Klarna may add more (AP-41):
/// this is for what people write, not for what comes over the wire.
pub const EVENT_TYPES: &[&str] = &[
    "payment.request.state-change.submitted",
    "payment.request.state-change.in-progress",
    "payment.request.state-change.canceled",
    "payment.request.state-change.expired",
    "payment.request.state-change.completed",
    "payment.request.state-change.declined",
    "payment.request.updated",
    "payment.transaction.state-change.authorized",
    "payment.transaction.state-change.completed",
    "payment.transaction.state-change.expired",
    "payment.transaction.state-change.closed",
    "payment.transaction.captured",
    "payment.transaction.chargeback",
    "payment.transaction.refunded",
    "payment.funding.state-change.funded",
    "payment.funding.state-change.expired",
    "payment.dispute.state-change.initiated",
    "payment.dispute.state-change.representment",
    "payment.dispute.state-change.pre-arbitration",
    "payment.dispute.state-change.arbitration",
    "payment.dispute.state-change.arbitration-pending",
    "payment.dispute.state-change.arbitration-appeal-window-open",
    "payment.dispute.state-change.merchant-evidence-pending",
    "payment.dispute.state-change.closed",
    "payment.dispute.updated.arbitration-deadline-extended",
    "payment.dispute.updated.representment-deadline-extended",
    "identity.customer-token.state-change.revoked",
    "settlement.report.created",
    "settlement.report.uploaded-to-sftp",
    "settlement.payout.processed",
    "settlement.payout.confirmed",
    "settlement.payout.failed",
    "partner.account.state-change.operational",
    "partner.account.change.created",
    "partner.compliance.decision.created",
];

/// An event: `metadata` of every event, `payload` of its kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebhookEnvelope<P = Value> {
    /// What all events have.
    pub metadata: WebhookMetadata,
    /// What this kind of event has.
    pub payload: P,
}

/// What all events have.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebhookMetadata {
    /// What repeats are told by; up to 255 characters.
    pub event_id: String,
    /// E.g. `payment.request.state-change.completed`.
    pub event_type: String,
    /// `v2`.
    pub event_version: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Carried through logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The Partner account that it is about.
    pub subject_account_id: PartnerAccountId,
    /// The acquirer account that asked to be told.
    pub recipient_account_id: AcquirerAccountId,
    /// Klarna's id of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_instance_id: Option<String>,
    /// The webhook that it comes by.
    pub webhook_id: WebhookId,
    /// `false` in test.
    pub live: bool,
}

/// Payload of `payment.request.*`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaymentRequestPayload {
    /// Which request.
    pub payment_request_id: PaymentRequestId,
    /// The acquirer's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request_reference: Option<String>,
    /// Where it stands.
    pub state: PaymentRequestState,
    /// Where it stood before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_state: Option<PaymentRequestState>,
    /// Why it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// In COMPLETED, here or in `state_context` (sources differ): the token of the final call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub klarna_network_session_token: Option<String>,
    /// Older name of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_token: Option<String>,
    /// What belongs to the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_context: Option<StateContext>,
    /// In COMPLETED, where the customer chose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Shipping>,
}

impl PaymentRequestPayload {
    /// The session token, wherever this event carries it.
    pub fn session_token(&self) -> Option<&str> {
        self.klarna_network_session_token
            .as_deref()
            .or_else(|| self.state_context.as_ref()?.klarna_network_session_token.as_deref())
    }
}
