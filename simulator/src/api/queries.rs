//! What may be asked in a query: the one table that is checked against and documented from.

use serde_json::{Value, json};

/// One parameter of a query.
pub(crate) struct Query {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) about: &'static str,
    /// Its JSON Schema, as a document says it.
    pub(crate) schema: fn() -> Value,
}

/// Stands once for each intent.
pub(super) const INTENTS: &str = "intents[]";
/// What a customer may be about to do.
pub(super) const KNOWN_INTENTS: [&str; 3] = ["PAY", "SUBSCRIBE", "ADD_TO_WALLET"];
/// Longest locale, in characters (RFC 5646, 4.4.1).
pub(super) const LOCALE_LENGTH: usize = 35;

/// What a presentation may be asked with (contract `webhooks-and-network-data.md` C).
pub(super) static PRESENTATION: &[Query] = &[
    Query {
        name: "currency",
        required: true,
        about: "Of the purchase: three letters, ISO 4217.",
        schema: || json!({ "$ref": "#/components/schemas/Common_currency" }),
    },
    Query {
        name: "locale",
        required: true,
        about: "The language of the texts, RFC 5646: language, then subtags.",
        schema: || json!({ "type": "string", "maxLength": LOCALE_LENGTH, "pattern": LOCALE }),
    },
    Query {
        name: "amount",
        required: false,
        about: "In minor units. Must be given with PAY and SUBSCRIBE.",
        schema: || json!({ "$ref": "#/components/schemas/Common_amount" }),
    },
    Query {
        name: INTENTS,
        required: false,
        about: "What the customer is about to do; stands once for each. PAY when absent.",
        schema: || json!({ "type": "array", "items": { "type": "string", "enum": KNOWN_INTENTS } }),
    },
    Query {
        name: "subscription_billing_interval",
        required: false,
        about: "With SUBSCRIBE: MONTH, YEAR, …",
        schema: text,
    },
    Query {
        name: "subscription_billing_interval_frequency",
        required: false,
        about: "With SUBSCRIBE: every how many intervals.",
        schema: text,
    },
    Query {
        name: "app_return_url",
        required: false,
        about: "The app's return URL, in Base64.",
        schema: text,
    },
    Query {
        name: "acquiring_config[payment_account_id]",
        required: false,
        about: "Which payment account, where there are several.",
        schema: text,
    },
    Query {
        name: "acquiring_config[payment_acquiring_account_id]",
        required: false,
        about: "The other way to name the payment account; never both.",
        schema: text,
    },
    Query {
        name: "acquiring_config[payment_account_reference]",
        required: false,
        about: "Goes with `acquiring_config[payment_acquiring_account_id]`.",
        schema: text,
    },
];

/// A locale as the check takes it.
const LOCALE: &str = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$";

fn text() -> Value {
    json!({ "type": "string" })
}

/// The query of an operation; empty where it takes none.
pub(super) fn of(operation: &str) -> &'static [Query] {
    match operation {
        "presentation.read" => PRESENTATION,
        _ => &[],
    }
}
