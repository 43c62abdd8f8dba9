//! Payment Authorize: request and answer (contract `payments.md` 2).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::payment_request::{CustomerInteractionConfig, PaymentRequest};
use super::purchase_data::SupplementaryPurchaseData;
use super::transaction::{PaymentCapture, TransactionState};
use crate::ids::{CustomerTokenId, PaymentRequestId, PaymentTransactionId};
use crate::money::{Currency, MinorUnits};
use crate::open_enum;

/// `POST /v2/accounts/{partner_account_id}/payment/authorize`, initial and final.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuthorizeRequest {
    /// Currency of every amount that names no other.
    pub currency: Currency,
    /// The transaction asked for; absent only when nothing but a customer token is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_payment_transaction: Option<RequestPaymentTransaction>,
    /// A customer token asked for, beside a transaction or alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_customer_token: Option<RequestCustomerToken>,
    /// What is bought, by whom, sent where (AP-08).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplementary_purchase_data: Option<SupplementaryPurchaseData>,
    /// The Partner's Klarna Network Data: a string that nobody but Partner and Klarna reads (AP-11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub klarna_network_data: Option<String>,
    /// The older name of `klarna_network_data`, still served (contract `payments.md` 7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interoperability_data: Option<String>,
    /// How a step-up would reach the customer; left out on the final call (AP-13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up_config: Option<StepUpConfig>,
    /// Which payment account settles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acquiring_config: Option<AcquiringConfig>,
    /// In which store; only in stores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point_of_checkout: Option<PointOfCheckout>,
    /// Where the transaction happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point_of_transaction: Option<PointOfTransaction>,
    /// The request that a final call ends; seen in one sample only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request_id: Option<PaymentRequestId>,
}

/// The transaction that an authorize asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestPaymentTransaction {
    /// Minor units, 1 to 2 147 483 647.
    pub amount: MinorUnits,
    /// The acquirer's name for the transaction, 1 to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_transaction_reference: Option<String>,
    /// Opaque, from Payment Presentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_option_id: Option<String>,
    /// Codes of payment programs that are open to this payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_program_enablement_codes: Option<Vec<String>>,
    /// `NOW` or `LATER` (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<String>,
    /// The acquirer's name for the capture that `NOW` makes, 1 to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_capture_reference: Option<String>,
}

/// A customer token asked for (contract `payments.md` 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCustomerToken {
    /// `payment:customer_present`, `payment:customer_not_present`, `customer:login`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The caller's name for the token, 1 to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_token_reference: Option<String>,
}

/// What Klarna needs in order to ask the customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StepUpConfig {
    /// The acquirer's name for the payment request, 1 to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request_reference: Option<String>,
    /// Older way to say when the request ends: a date, through whose last moment it lives, or a date-time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request_expires_at: Option<String>,
    /// Where and how the customer is led.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_interaction_config: Option<CustomerInteractionConfig>,
}

/// Which of the acquirer's accounts a payment settles to: exactly one of `payment_account_id`, and
/// `payment_acquiring_account_id` with `payment_account_reference` (contract
/// `webhooks-and-network-data.md` E).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcquiringConfig {
    /// `krn:partner:global:account:payment-account:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_account_id: Option<String>,
    /// `krn:partner:global:account:acquiring-account:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_acquiring_account_id: Option<String>,
    /// The acquirer's name for the payment account, 1 to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_account_reference: Option<String>,
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement_currency: Option<Currency>,
}

/// In which store a customer checks out (contract `payments.md` 2.1): one of the three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointOfCheckout {
    /// Klarna's name of the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<String>,
    /// The acquirer's name of it, 1 to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_reference: Option<String>,
    /// The store itself; the sources do not describe it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<Value>,
}

/// Where a transaction happens (contract `payments.md` 2.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointOfTransaction {
    /// `WEBSITE`, `MOBILE_APP` or `TERMINAL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// The acquirer's name of the terminal, 1 to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal_reference: Option<String>,
}

open_enum! {
    /// Klarna's decision on an authorize (contract `payments.md` 2.5).
    pub enum AuthorizationResult {
        /// The transaction exists.
        Approved = "APPROVED",
        /// No transaction, and none to come.
        Declined = "DECLINED",
        /// The customer must be asked first.
        StepUpRequired = "STEP_UP_REQUIRED",
    }
}

/// The answer to an authorize; HTTP 200 for all three results.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuthorizeResponse {
    /// The decision and, if approved, the transaction.
    pub payment_transaction_response: PaymentTransactionResponse,
    /// The request that the customer is to complete; only on step-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request: Option<PaymentRequest>,
    /// Answer to `request_customer_token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_token_response: Option<CustomerTokenResponse>,
    /// Data for the Partner, handed back unread (AP-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub klarna_network_response_data: Option<String>,
}

/// The decision on a customer token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CustomerTokenResponse {
    /// What Klarna decided.
    pub result: AuthorizationResult,
    /// Why; Klarna publishes no list of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_reason: Option<String>,
    /// The token, only when approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_token: Option<CustomerToken>,
}

/// A token that stands for a customer's consent to be charged again. The id is a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerToken {
    /// What `Klarna-Customer-Token` carries.
    pub customer_token_id: CustomerTokenId,
    /// The caller's name for it, as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_token_reference: Option<String>,
}

impl std::fmt::Debug for CustomerToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CustomerToken")
            .field("customer_token_id", &"[REDACTED]")
            .field("customer_token_reference", &self.customer_token_reference)
            .finish()
    }
}

/// The decision.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaymentTransactionResponse {
    /// What Klarna decided.
    pub result: AuthorizationResult,
    /// Why; Klarna publishes no list of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_reason: Option<String>,
    /// The transaction, only when approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_transaction: Option<PaymentTransaction>,
}

/// A transaction as the authorize answer shows it once approved, and as it is read later (contract
/// `payments.md` 2.5 and 4).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaymentTransaction {
    /// Klarna's id, to be stored (AP-16).
    pub payment_transaction_id: PaymentTransactionId,
    /// The acquirer's reference, as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_transaction_reference: Option<String>,
    /// Minor units.
    pub amount: MinorUnits,
    /// ISO 4217.
    pub currency: Currency,
    /// AUTHORIZED at first, or COMPLETED when captured at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<TransactionState>,
    /// When the authorization lapses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Who carries the risk and whether money is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_funding: Option<PaymentFunding>,
    /// What it costs; what is in it is not published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_pricing: Option<Map<String, Value>>,
    /// Its captures, the oldest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_captures: Option<Vec<PaymentCapture>>,
    /// What was last sent of the purchase, as it came; in reads only, as inferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplementary_purchase_data: Option<Value>,
}

/// Funding of a transaction (contract `payments.md` 2.5).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaymentFunding {
    /// `GUARANTEED` or `NON_GUARANTEED`.
    pub r#type: String,
    /// `PENDING`, `FUNDED` or `EXPIRED`.
    pub state: String,
}
