//! Payment Presentation: what a payment form shows of Klarna (contract
//! `webhooks-and-network-data.md` C).

use std::time::Duration;

use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::klarna::SESSION_TOKEN_HEADER;
use klarna_schemas::klarna::presentation::PresentationInstruction;
use klarna_schemas::money::{Currency, MinorUnits};
use reqwest::Method;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::client::{CallError, KlarnaClient, sensitive};

/// For which purchase a payment form is built.
#[derive(Debug)]
pub struct PresentationQuery<'a> {
    /// The Partner's account at Klarna.
    pub account: &'a PartnerAccountId,
    /// Which payment account settles; Klarna's only one when absent.
    pub payment_account: Option<&'a str>,
    /// ISO 4217.
    pub currency: &'a Currency,
    /// Minor units.
    pub amount: MinorUnits,
    /// The customer's language and region, RFC 5646.
    pub locale: &'a str,
    /// The Partner's own session token, unread.
    pub session_token: Option<&'a SecretString>,
}

/// What Klarna would have shown. The options are Klarna's own bytes: nothing in them is for an
/// acquirer to read.
#[derive(Debug, Deserialize)]
pub struct Presentation {
    /// Where Klarna stands in the form.
    pub instruction: PresentationInstruction,
    /// What to show.
    #[serde(default)]
    pub payment_option: Option<Box<RawValue>>,
    /// What the customer used before.
    #[serde(default)]
    pub saved_payment_option: Option<Box<RawValue>>,
}

impl KlarnaClient {
    /// Asks what to show, once and within `patience`. `session` names what the call is for.
    pub async fn presentation(
        &self,
        query: &PresentationQuery<'_>,
        session: &str,
        patience: Duration,
    ) -> Result<Presentation, CallError> {
        let path = ["v2", "accounts", query.account.as_str(), "payment", "presentation"];
        let amount = query.amount.to_string();
        let mut asked = vec![
            ("currency", query.currency.as_str()),
            ("amount", &amount),
            ("locale", query.locale),
            ("intents[]", "PAY"),
        ];
        asked.extend(query.payment_account.map(|account| ("acquiring_config[payment_account_id]", account)));
        let mut request = self.request(Method::GET, &path, session).query(&asked).timeout(patience);
        if let Some(token) = query.session_token {
            request = request.header(SESSION_TOKEN_HEADER, sensitive(token)?);
        }
        self.json("presentation.read", request).await
    }
}
