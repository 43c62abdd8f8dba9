//! What is set for each Partner.

use std::collections::BTreeMap;

use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::money::Currency;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use super::api_key::KeyHash;

/// A way to pay that payment forms can list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PaymentMethod {
    /// Payment cards.
    Card,
    /// Klarna, as Klarna would have itself shown.
    Klarna,
}

/// A Partner: its key here, its accounts at Klarna, its ears.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerSettings {
    /// This acquirer's name for it.
    pub name: String,
    /// What it authenticates with. Either this or its hash.
    pub api_key: Option<SecretString>,
    /// The hash of what it authenticates with.
    pub api_key_sha256: Option<KeyHash>,
    /// Its account at Klarna, one a Partner (contract `payments.md` 1.2).
    pub klarna_partner_account: PartnerAccountId,
    /// Which payment account settles; Klarna's only one when absent.
    pub klarna_payment_account: Option<String>,
    /// Which payment account settles a currency, where that is not the one above. By currency (ISO 4217).
    #[serde(default)]
    pub klarna_payment_accounts: BTreeMap<String, String>,
    /// The profile it was onboarded with. Klarna knows it since then; no payment call carries it.
    pub klarna_payment_profile: Option<String>,
    /// What its payment form lists, in order; the same as for everyone when absent.
    pub payment_methods: Option<Vec<PaymentMethod>>,
    /// Where it is told of outcomes.
    pub notification_url: Option<Url>,
    /// `whsec_` and the base64 of the key that signs what it is told; several with commas between,
    /// while one replaces the other.
    pub notification_secret: Option<SecretString>,
}

/// Which payment account a payment names (contract `payments.md` 2.1, `acquiring_config`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentAccount<'a> {
    /// This one.
    Named(&'a str),
    /// None: the Partner has only one.
    Only,
    /// It has some, and none for this currency.
    Missing,
}

impl PartnerSettings {
    /// Which payment account settles a currency.
    pub fn payment_account(&self, currency: &Currency) -> PaymentAccount<'_> {
        let own = self.klarna_payment_accounts.get(currency.as_str());
        match own.or(self.klarna_payment_account.as_ref()) {
            Some(account) => PaymentAccount::Named(account),
            None if self.klarna_payment_accounts.is_empty() => PaymentAccount::Only,
            None => PaymentAccount::Missing,
        }
    }

    /// The hash of its key; `None` where the settings do not say exactly one.
    pub fn key_hash(&self) -> Option<KeyHash> {
        match (&self.api_key, self.api_key_sha256) {
            (Some(key), None) if !key.expose_secret().is_empty() => Some(KeyHash::of(key)),
            (None, Some(hash)) => Some(hash),
            _ => None,
        }
    }
}
