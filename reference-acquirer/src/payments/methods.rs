//! The payment methods of a Partner, and what Klarna would have shown of itself.
//!
//! A payment form must not wait for Klarna, nor fail with it: without a presentation the list goes
//! without Klarna.

use klarna_schemas::klarna::presentation::PresentationInstruction;
use klarna_schemas::money::{Currency, MinorUnits};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::create::{WrongField, read_checked};
use super::service::PaymentService;
use crate::chance;
use crate::config::{PartnerSettings, PaymentAccount, PaymentMethod};
use crate::klarna::presentation::{Presentation, PresentationQuery};

/// Schema of the body, `schemas/acquirer/list-payment-methods.schema.json`.
const SCHEMA: &str = "acquirer/list-payment-methods";

/// For which purchase a Partner builds its payment form. Its `klarna_network_data` is checked and
/// goes no further: Klarna's presentation takes none.
#[derive(Debug, Deserialize)]
pub struct ListPaymentMethods {
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units.
    pub amount: MinorUnits,
    /// The customer's language and region, RFC 5646.
    pub locale: String,
    /// The Partner's own session token, opaque.
    pub klarna_network_session_token: Option<SecretString>,
}

impl ListPaymentMethods {
    /// Reads a body, or names *every* field that is wrong.
    pub fn read(body: &Value) -> Result<Self, Vec<WrongField>> {
        read_checked(SCHEMA, body, Vec::new())
    }
}

/// The list, as `schemas/acquirer/payment-methods.schema.json` has it.
#[derive(Debug, Serialize)]
pub struct PaymentMethods {
    /// In the order in which the form lists them.
    pub payment_methods: Vec<ListedMethod>,
}

/// One way to pay.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ListedMethod {
    /// A payment card.
    Card {
        /// What the customer reads.
        name: &'static str,
    },
    /// Klarna, as Klarna would have itself shown.
    Klarna {
        /// For the payment form to follow.
        instruction: PresentationInstruction,
        /// Klarna's own bytes.
        payment_option: Box<RawValue>,
        /// Klarna's own bytes.
        #[serde(skip_serializing_if = "Option::is_none")]
        saved_payment_option: Option<Box<RawValue>>,
    },
}

impl PaymentService {
    /// What a Partner's payment form lists.
    pub async fn payment_methods(
        &self,
        partner: &PartnerSettings,
        asked: &ListPaymentMethods,
    ) -> PaymentMethods {
        let mut payment_methods = Vec::new();
        for method in self.settings.payment_methods(partner) {
            payment_methods.extend(match method {
                PaymentMethod::Card => Some(ListedMethod::Card { name: "Card" }),
                PaymentMethod::Klarna => self.klarna_as_method(partner, asked).await,
            });
        }
        PaymentMethods { payment_methods }
    }

    async fn klarna_as_method(
        &self,
        partner: &PartnerSettings,
        asked: &ListPaymentMethods,
    ) -> Option<ListedMethod> {
        let payment_account = match partner.payment_account(&asked.currency) {
            PaymentAccount::Named(account) => Some(account),
            PaymentAccount::Only => None,
            // A payment would be refused, so Klarna is not to be chosen.
            PaymentAccount::Missing => return None,
        };
        let query = PresentationQuery {
            account: &partner.klarna_partner_account,
            payment_account,
            currency: &asked.currency,
            amount: asked.amount,
            locale: &asked.locale,
            session_token: asked.klarna_network_session_token.as_ref(),
        };
        let session = chance::new_id("methods");
        let patience = self.settings.klarna.presentation_timeout;
        match self.klarna.presentation(&query, &session, patience).await {
            Ok(presentation) => listed(partner, presentation),
            Err(error) => {
                tracing::warn!(partner = partner.name, session, %error, "the payment methods go without Klarna");
                None
            }
        }
    }
}

/// Klarna in the list, where it is to be there and says how.
fn listed(partner: &PartnerSettings, presentation: Presentation) -> Option<ListedMethod> {
    let Presentation { instruction, payment_option, saved_payment_option } = presentation;
    if instruction == PresentationInstruction::HideKlarna {
        tracing::info!(partner = partner.name, "Klarna is not to be shown for this purchase");
        return None;
    }
    let Some(payment_option) = payment_option.filter(|option| is_object(option)) else {
        tracing::warn!(partner = partner.name, "the presentation names no payment option");
        return None;
    };
    let saved_payment_option = saved_payment_option.filter(|option| is_object(option));
    Some(ListedMethod::Klarna { instruction, payment_option, saved_payment_option })
}

fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}
