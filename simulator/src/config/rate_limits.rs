//! How many calls a second Klarna takes, by category (contract `payments.md` 5.5).

use serde::Deserialize;

/// Which calls are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallCategory {
    /// Payment Authorize.
    PaymentAuthorize,
    /// Payment Requests.
    PaymentRequestManagement,
    /// What is done with a Payment Transaction, but capturing it.
    PaymentTransactionManagement,
    /// Captures.
    PaymentTransactionCapture,
    /// How Klarna is to be shown.
    PaymentPresentation,
    /// Tokens before the first authorize.
    Interoperability,
    /// Signing keys and webhooks.
    Notification,
    /// Credentials of the account itself.
    PartnerManagement,
}

impl CallCategory {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::PaymentAuthorize,
        Self::PaymentRequestManagement,
        Self::PaymentTransactionManagement,
        Self::PaymentTransactionCapture,
        Self::PaymentPresentation,
        Self::Interoperability,
        Self::Notification,
        Self::PartnerManagement,
    ];

    /// Its name in the `X-Ratelimit-Limit` header.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PaymentAuthorize => "payment-authorize",
            Self::PaymentRequestManagement => "payment-request-management",
            Self::PaymentTransactionManagement => "payment-transaction-management",
            Self::PaymentTransactionCapture => "payment-transaction-capture",
            Self::PaymentPresentation => "payment-presentation",
            Self::Interoperability => "interoperability",
            Self::Notification => "notification",
            Self::PartnerManagement => "partner-management",
        }
    }
}

/// Rate limits. `defaults.toml` says what each means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimitSettings {
    /// What is made of them.
    pub mode: RateLimitMode,
    /// How many calls a second, by category.
    pub quotas: Quotas,
}

/// What is made of rate limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RateLimitMode {
    /// Nothing: no call is counted, no header sent.
    Off,
    /// The headers tell, and no call is refused.
    Show,
    /// The headers tell, and a call too many gets 429.
    Enforce,
}

/// The quota of each category.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    /// Of [`CallCategory::PaymentAuthorize`].
    pub payment_authorize: Quota,
    /// Of [`CallCategory::PaymentRequestManagement`].
    pub payment_request_management: Quota,
    /// Of [`CallCategory::PaymentTransactionManagement`].
    pub payment_transaction_management: Quota,
    /// Of [`CallCategory::PaymentTransactionCapture`].
    pub payment_transaction_capture: Quota,
    /// Of [`CallCategory::PaymentPresentation`].
    pub payment_presentation: Quota,
    /// Of [`CallCategory::Interoperability`].
    pub interoperability: Quota,
    /// Of [`CallCategory::Notification`].
    pub notification: Quota,
    /// Of [`CallCategory::PartnerManagement`].
    pub partner_management: Quota,
}

/// Calls a second, at two levels at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Of one Partner account.
    pub account: u32,
    /// Of an acquirer account, over all Partner accounts that it calls.
    pub psp: u32,
}

impl Quotas {
    /// That of a category.
    pub(crate) fn of(&self, category: CallCategory) -> Quota {
        match category {
            CallCategory::PaymentAuthorize => self.payment_authorize,
            CallCategory::PaymentRequestManagement => self.payment_request_management,
            CallCategory::PaymentTransactionManagement => self.payment_transaction_management,
            CallCategory::PaymentTransactionCapture => self.payment_transaction_capture,
            CallCategory::PaymentPresentation => self.payment_presentation,
            CallCategory::Interoperability => self.interoperability,
            CallCategory::Notification => self.notification,
            CallCategory::PartnerManagement => self.partner_management,
        }
    }
}
