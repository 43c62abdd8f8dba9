//! The variables that templates see.
//!
//! Each set is built twice: with the values, for the wire, and with markers in place of secrets, for
//! whatever is shown.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::facts::RequestFacts;
use super::operation::add_call;
use super::order::{Address, Customer, Mode, Order, OrderLine, Recipient};
use super::vars::PartnerBinding;

/// Brackets around the name of a secret where its value would stand: characters of the private use
/// area, which no API uses.
pub(super) const OPENS: char = '\u{E000}';
pub(super) const CLOSES: char = '\u{E001}';

/// Whether secrets stand as themselves or as markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrets {
    Revealed,
    Marked,
}

impl Secrets {
    fn show(self, name: &str, value: &SecretString) -> String {
        match self {
            Self::Revealed => value.expose_secret().to_owned(),
            Self::Marked => format!("{OPENS}{name}{CLOSES}"),
        }
    }
}

/// What is the same for all Partners and payments of a run.
#[derive(Debug, Clone)]
pub(crate) struct RunVariables {
    pub(crate) klarna_base_url: String,
    pub(crate) klarna_api_key: SecretString,
    pub(crate) partner_base_url: String,
    pub(crate) work_dir: String,
    pub(crate) seed: u64,
    /// What the acquirer is told to listen on.
    pub(crate) acquirer_listen: String,
    /// Where it listens, once that is known.
    pub(crate) acquirer_base_url: Option<String>,
}

impl RunVariables {
    /// Stand-ins of the right shape, to check templates with before anything runs.
    pub(super) fn sample(knows_base_url: bool) -> Self {
        Self {
            klarna_base_url: "http://127.0.0.1:8080".to_owned(),
            klarna_api_key: SecretString::from("sample"),
            partner_base_url: "http://127.0.0.1:8082".to_owned(),
            work_dir: ".".to_owned(),
            seed: 1,
            acquirer_listen: "127.0.0.1:8081".to_owned(),
            acquirer_base_url: knows_base_url.then(|| "http://127.0.0.1:8081".to_owned()),
        }
    }

    /// `klarna`, `acquirer` and `run`.
    fn common(&self, secrets: Secrets) -> Map<String, Value> {
        let mut acquirer = json!({"listen": self.acquirer_listen});
        if let (Some(url), Some(fields)) = (&self.acquirer_base_url, acquirer.as_object_mut()) {
            fields.insert("base_url".to_owned(), json!(url));
        }
        let mut variables = Map::new();
        variables.insert(
            "klarna".to_owned(),
            json!({
                "base_url": self.klarna_base_url,
                "api_key": secrets.show("KLARNA_API_KEY", &self.klarna_api_key),
            }),
        );
        variables.insert("acquirer".to_owned(), acquirer);
        variables.insert("run".to_owned(), json!({"seed": self.seed, "work_dir": self.work_dir}));
        variables
    }

    /// What templates of the launch see: the common ones and `partners`.
    pub(crate) fn of_launch(&self, partners: &[PartnerBinding]) -> Value {
        let mut variables = self.common(Secrets::Revealed);
        let list = partners.iter().map(|partner| self.partner(partner, Secrets::Revealed)).collect();
        variables.insert("partners".to_owned(), Value::Array(list));
        Value::Object(variables)
    }

    /// What every template of an operation sees: the common ones and `partner`.
    pub(super) fn of_partner(&self, partner: &PartnerBinding, secrets: Secrets) -> Map<String, Value> {
        let mut variables = self.common(secrets);
        variables.insert("partner".to_owned(), self.partner(partner, secrets));
        variables
    }

    fn partner(&self, partner: &PartnerBinding, secrets: Secrets) -> Value {
        let base = self.partner_base_url.trim_end_matches('/');
        let vars: Map<String, Value> = partner
            .vars
            .iter()
            .map(|(key, value)| {
                let shown = partner.shown_as.get(key).unwrap_or(key);
                (key.clone(), Value::String(secrets.show(shown, value)))
            })
            .collect();
        json!({
            "name": partner.name,
            "klarna_account": partner.klarna_account.as_str(),
            "return_url": format!("{base}/shop/return/{}", partner.name),
            "notification_url": format!("{base}/notifications/{}", partner.name),
            "vars": vars,
        })
    }
}

/// Adds `order`.
pub(super) fn with_order(mut variables: Map<String, Value>, order: &Order) -> Value {
    variables.insert("order".to_owned(), serde_json::to_value(order).unwrap_or_default());
    Value::Object(variables)
}

/// Adds `payment`.
pub(super) fn with_payment(mut variables: Map<String, Value>, payment: &BTreeMap<String, String>) -> Value {
    variables.insert("payment".to_owned(), json!(payment));
    Value::Object(variables)
}

/// What the templates of one operation see: for the wire, and for whatever is shown.
pub(super) struct OperationVariables {
    pub(super) revealed: Value,
    pub(super) marked: Value,
}

impl OperationVariables {
    pub(super) fn new(variables: impl Fn(Secrets) -> Value) -> Self {
        Self { revealed: variables(Secrets::Revealed), marked: variables(Secrets::Marked) }
    }

    /// Gives the next request a nonce and a time of its own.
    pub(super) fn renew(&mut self) {
        let facts = RequestFacts::now();
        for variables in [&mut self.revealed, &mut self.marked].into_iter().filter_map(Value::as_object_mut) {
            facts.add_to(variables);
        }
    }

    /// Adds what an earlier answer gave.
    pub(super) fn add_call(&mut self, name: &str, value: &str) {
        add_call(&mut self.revealed, name, value);
        add_call(&mut self.marked, name, value);
    }
}

/// An order with everything in it, to check templates with.
pub(crate) fn sample_order() -> Order {
    let text = |text: &str| text.to_owned();
    let address = Address {
        street_address: text("Gatan 1"),
        postal_code: text("11122"),
        city: text("Stockholm"),
        region: Some(text("Stockholm")),
        country: text("SE"),
    };
    Order {
        reference: text("tx-1"),
        amount: 45_900,
        currency: text("SEK"),
        purchase_reference: text("ORDER-1"),
        lines: vec![OrderLine {
            name: text("Trail shoe"),
            quantity: 1,
            unit_price: 45_900,
            total_amount: 45_900,
            total_tax_amount: 9_180,
            reference: text("shoe-1"),
        }],
        customer: Customer {
            given_name: text("Test"),
            family_name: text("Person"),
            email: text("customer@example.com"),
            phone: text("+46700000000"),
        },
        billing_address: address.clone(),
        shipping_address: address,
        recipient: Recipient { given_name: text("Other"), family_name: text("Receiver") },
        return_url: text("http://127.0.0.1:8082/shop/return/1"),
        app_return_url: Some(text("shop://return")),
        mode: Mode::Redirect,
        network_data: Some(text("{}")),
        session_token: Some(text("token")),
        locale: text("sv-SE"),
        payment_option_id: Some(text("option")),
    }
}
