//! What a Partner's payment form lists: the Partner's methods in order, Klarna as Klarna says.

use klarna_schemas::klarna::presentation::PresentationInstruction;
use klarna_schemas::money::{Currency, MinorUnits};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::create::{WrongField, check_network_data, read_body};
use super::network_data::NetworkData;
use super::service::PaymentService;
use crate::chance;
use crate::config::{Method, PartnerSettings};
use crate::klarna::{Presentation, PresentationCall};

/// Schema of the body, `schemas/acquirer/list-payment-methods.schema.json`.
const SCHEMA: &str = "acquirer/list-payment-methods";

/// For which purchase a Partner builds its payment form.
#[derive(Debug, Clone, Deserialize)]
pub struct ListMethods {
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units.
    pub amount: MinorUnits,
    /// RFC 5646.
    pub locale: String,
    /// Taken, and not sent on: a presentation has no place for it.
    #[serde(rename = "klarna_network_data")]
    pub _network_data: Option<NetworkData>,
    /// The Partner's own session token, opaque.
    pub klarna_network_session_token: Option<secrecy::SecretString>,
}

impl ListMethods {
    /// Reads a body, or names *every* field that is wrong.
    pub fn read(body: &Value) -> Result<Self, Vec<WrongField>> {
        read_body(SCHEMA, body, check_network_data(body).into_iter().collect())
    }
}

/// The answer, `schemas/acquirer/payment-methods.schema.json`.
#[derive(Debug, Clone, Serialize)]
pub struct PaymentMethods {
    /// In the order in which the form lists them.
    pub payment_methods: Vec<ListedMethod>,
}

/// One entry of a payment form.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ListedMethod {
    /// A stand-in.
    Card {
        /// What the customer reads.
        name: &'static str,
    },
    /// Klarna, in Klarna's words.
    Klarna {
        /// Where it stands in the form.
        instruction: String,
        /// As Klarna gave it.
        payment_option: Value,
        /// As Klarna gave it, where it gave one.
        #[serde(skip_serializing_if = "Option::is_none")]
        saved_payment_option: Option<Value>,
    },
}

impl PaymentService {
    /// What this Partner's payment form lists. Klarna is asked only if it is configured, and is left
    /// out where it hides or cannot be asked: a customer can still pay otherwise.
    pub async fn list_methods(&self, partner: &PartnerSettings, wanted: &ListMethods) -> PaymentMethods {
        let mut listed = Vec::new();
        for method in self.settings.payment_methods(partner) {
            match method {
                Method::Card => listed.push(ListedMethod::Card { name: "Card" }),
                Method::Klarna => listed.extend(self.klarna_method(partner, wanted).await),
            }
        }
        PaymentMethods { payment_methods: listed }
    }

    async fn klarna_method(&self, partner: &PartnerSettings, wanted: &ListMethods) -> Option<ListedMethod> {
        let call = PresentationCall {
            account: &partner.klarna_partner_account,
            payment_account: partner.klarna_payment_account.as_deref(),
            currency: &wanted.currency,
            locale: &wanted.locale,
            amount: wanted.amount,
            session_token: wanted.klarna_network_session_token.as_ref(),
            within: self.settings.klarna.presentation_timeout,
        };
        match self.klarna.present(&chance::new_id("form"), &call).await {
            Ok(presentation) => shown(presentation),
            Err(error) => {
                tracing::warn!(partner = partner.name, %error, "Klarna is left out of a payment form");
                None
            }
        }
    }
}

/// Klarna's entry, unless Klarna hides, or names nothing to show.
fn shown(presentation: Presentation) -> Option<ListedMethod> {
    let Presentation { instruction, payment_option, saved_payment_option } = presentation;
    if PresentationInstruction::from(instruction.as_str()) == PresentationInstruction::HideKlarna {
        return None;
    }
    Some(ListedMethod::Klarna { instruction, payment_option: payment_option?, saved_payment_option })
}
