//! Payment Presentation: what a payment form shall show of Klarna (contract
//! `webhooks-and-network-data.md` C).

use std::time::Duration;

use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::klarna::SESSION_TOKEN_HEADER;
use klarna_schemas::money::{Currency, MinorUnits};
use reqwest::Method;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use super::client::{CallError, KlarnaClient, sensitive};

/// What Klarna is asked.
#[derive(Debug)]
pub struct PresentationCall<'a> {
    /// The Partner's account at Klarna.
    pub account: &'a PartnerAccountId,
    /// Which payment account settles, where there are several.
    pub payment_account: Option<&'a str>,
    /// ISO 4217.
    pub currency: &'a Currency,
    /// RFC 5646.
    pub locale: &'a str,
    /// Minor units.
    pub amount: MinorUnits,
    /// The Partner's own session token, opaque.
    pub session_token: Option<&'a SecretString>,
    /// Longest wait for the whole answer.
    pub within: Duration,
}

/// What Klarna answers: read as far as this acquirer acts on it, handed on as it came.
#[derive(Debug, Clone, Deserialize)]
pub struct Presentation {
    /// Where Klarna stands in the form; an instruction that is not known is the Partner's to read.
    pub instruction: String,
    /// What to show.
    pub payment_option: Option<Value>,
    /// What the customer used before.
    pub saved_payment_option: Option<Value>,
}

impl KlarnaClient {
    /// Asks once, what a payment form shall show.
    pub async fn present(
        &self,
        session: &str,
        call: &PresentationCall<'_>,
    ) -> Result<Presentation, CallError> {
        let path = ["v2", "accounts", call.account.as_str(), "payment", "presentation"];
        let amount = call.amount.to_string();
        let mut query = vec![
            ("currency", call.currency.as_str()),
            ("locale", call.locale),
            ("amount", amount.as_str()),
            ("intents[]", "PAY"),
        ];
        if let Some(account) = call.payment_account {
            query.push(("acquiring_config[payment_account_id]", account));
        }
        let mut request = self.request(Method::GET, &path, session).query(&query).timeout(call.within);
        if let Some(token) = call.session_token {
            request = request.header(SESSION_TOKEN_HEADER, sensitive(token)?);
        }
        self.json("presentation.read", request).await
    }
}
