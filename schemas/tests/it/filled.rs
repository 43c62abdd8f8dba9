//! One fully filled value of each typed view, beside the schema that it follows; a resource a file.

mod authorize;
mod control;
mod credentials;
mod disturbances;
mod errors;
mod notification;
mod payment_requests;
mod presentation;
mod purchase_data;
mod rules;
mod tokens;
mod transactions;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A typed view, filled in every field, and the way back.
pub(crate) struct Filled {
    /// The schema that it follows.
    pub(crate) schema: &'static str,
    /// The value as it goes over the wire.
    pub(crate) value: Value,
    /// Whether a body can be read as this type.
    pub(crate) read: fn(Value) -> Result<(), String>,
}

fn filled<T: Serialize + DeserializeOwned>(schema: &'static str, value: &T) -> Filled {
    Filled {
        schema,
        value: serde_json::to_value(value).unwrap(),
        read: |body| serde_json::from_value::<T>(body).map(drop).map_err(|error| error.to_string()),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the views are made of optional text")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn moment<T: std::str::FromStr<Err: std::fmt::Debug>>() -> T {
    "2026-02-24T17:25:34.534721775Z".parse().unwrap()
}

fn currency<T: std::str::FromStr<Err: std::fmt::Debug>>() -> T {
    "SEK".parse().unwrap()
}

/// What travels between an acquirer and Klarna.
pub(crate) fn klarna() -> Vec<Filled> {
    [
        authorize::filled_in(),
        payment_requests::filled_in(),
        purchase_data::filled_in(),
        presentation::filled_in(),
        errors::filled_in(),
        transactions::filled_in(),
        tokens::filled_in(),
        notification::filled_in(),
        credentials::filled_in(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What travels between a tester and the simulator.
pub(crate) fn simulator() -> Vec<Filled> {
    control::filled_in()
}
