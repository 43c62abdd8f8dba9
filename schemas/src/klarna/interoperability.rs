//! Tokens outside a payment (contract `webhooks-and-network-data.md` B.6).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::open_enum;

open_enum! {
    /// What a customer is to have done before the first authorize.
    pub enum CustomerJourney {
        /// The purchase is completed already: an authorize with the token is final.
        ExpressCheckout = "KLARNA_EXPRESS_CHECKOUT",
        /// The customer has signed in.
        SignIn = "SIGN_IN_WITH_KLARNA",
        /// The customer knows what Klarna would lend.
        PreQualification = "KLARNA_PRE_QUALIFICATION",
        /// The customer's account is linked.
        AccountLinking = "KLARNA_ACCOUNT_LINKING",
    }
}

/// Body of `POST …/interoperability/test-tokens`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateTestToken {
    /// What the customer is to have done.
    pub customer_journey: CustomerJourney,
}

/// Answer to `POST …/interoperability/tokens` and `…/test-tokens`. Secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct InteroperabilityToken {
    /// Older name of the session token.
    pub interoperability_token: String,
    /// The same token under its current name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub klarna_network_session_token: Option<String>,
    /// When it lapses, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for InteroperabilityToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InteroperabilityToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Answer to `POST …/interoperability/sdk-tokens`. Secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct SdkToken {
    /// What the Web SDK is started with.
    pub sdk_token: String,
    /// When it lapses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for SdkToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SdkToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
