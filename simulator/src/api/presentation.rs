//! `GET /v2/accounts/{partner_account_id}/payment/presentation` (contract
//! `webhooks-and-network-data.md` C).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::money::{Currency, MinorUnits};

use super::authorize::{enter, token};
use super::error::KlarnaError;
use super::recording::Notes;
use crate::engine::PresentationQuery;
use crate::world::World;

/// The journal's name of this operation.
const OPERATION: &str = "presentation.read";

/// Everything that may be asked.
const QUERIES: [&str; 10] = [
    "currency",
    "locale",
    "amount",
    INTENTS,
    "subscription_billing_interval",
    "subscription_billing_interval_frequency",
    "app_return_url",
    "acquiring_config[payment_account_id]",
    "acquiring_config[payment_acquiring_account_id]",
    "acquiring_config[payment_account_reference]",
];

/// Stands once for each intent.
const INTENTS: &str = "intents[]";
/// What a customer may be about to do.
const KNOWN_INTENTS: [&str; 3] = ["PAY", "SUBSCRIBE", "ADD_TO_WALLET"];
/// Longest locale, in characters (RFC 5646, 4.4.1).
const LOCALE_LENGTH: usize = 35;

/// How long an answer that knows no customer may be shown again, and one that does.
const CACHEABLE: &str = "max-age=300";
const NOT_CACHEABLE: &str = "private, no-store";

pub(super) async fn read(
    State(world): State<Arc<World>>,
    Extension(notes): Extension<Notes>,
    Path(account): Path<PartnerAccountId>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, KlarnaError> {
    notes.note(|noted| noted.operation = Some(OPERATION.to_owned()));
    let (cell, _) = enter(&world, &notes, &headers, &account)?;
    let pairs = Pairs::read(query.as_deref().unwrap_or_default());
    let token = token(&headers).map(|token| token.value);
    let oddities = pairs.oddities();
    if !oddities.is_empty() {
        tracing::warn!(?oddities, "a presentation was asked for in an undocumented way");
    }
    let wanted = pairs.wanted(token).map_err(KlarnaError::invalid)?;
    let mut state = cell.lock();
    if let Some(token) = &wanted.token {
        notes.note(|noted| noted.epoch = Some(state.machine.epoch_of_id(token)));
    }
    let shown = state.machine.present(&wanted)?;
    drop(state);
    let customer_known = wanted.token.is_some() || headers.contains_key("klarna-customer-token");
    let caching = if customer_known { NOT_CACHEABLE } else { CACHEABLE };
    Ok(([(CACHE_CONTROL, caching)], Json(shown)).into_response())
}

/// The query, decoded.
struct Pairs(Vec<(String, String)>);

impl Pairs {
    fn read(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// What was asked for, or every query that does not validate.
    fn wanted(&self, token: Option<String>) -> Result<PresentationQuery, Vec<ValidationError>> {
        let mut wrong = Vec::new();
        let currency = self.required("currency", &mut wrong, |text| {
            text.parse::<Currency>().map_err(|error| error.to_string())
        });
        let locale = self.required("locale", &mut wrong, |text| {
            if is_locale(text) { Ok(text.to_owned()) } else { Err("must be a tag like en-GB".to_owned()) }
        });
        let amount = match self.first("amount").map(amount) {
            None if self.pays() => {
                wrong.push(invalid("amount", "must be given with PAY and SUBSCRIBE"));
                None
            }
            None => None,
            Some(Ok(amount)) => Some(amount),
            Some(Err(reason)) => {
                wrong.push(invalid("amount", reason));
                None
            }
        };
        match (currency, locale) {
            (Some(currency), Some(locale)) if wrong.is_empty() => {
                Ok(PresentationQuery { currency, locale, amount, token })
            }
            _ => Err(wrong),
        }
    }

    /// Whether something is to be paid: without an intent, PAY is meant.
    fn pays(&self) -> bool {
        let mut intents = self.0.iter().filter(|(name, _)| name == INTENTS).peekable();
        intents.peek().is_none() || intents.any(|(_, intent)| intent != "ADD_TO_WALLET")
    }

    fn required<T>(
        &self,
        name: &str,
        wrong: &mut Vec<ValidationError>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.first(name).ok_or_else(|| "must be given".to_owned()).and_then(read);
        value.map_err(|reason| wrong.push(invalid(name, reason))).ok()
    }

    /// What is not as documented and yet accepted.
    fn oddities(&self) -> Vec<ValidationError> {
        let mut odd: Vec<ValidationError> = Vec::new();
        for (name, value) in &self.0 {
            if !QUERIES.contains(&name.as_str()) {
                odd.push(invalid(name, "is not documented"));
            } else if name == INTENTS && !KNOWN_INTENTS.contains(&value.as_str()) {
                odd.push(invalid(name, format!("must be one of {}", KNOWN_INTENTS.join(", "))));
            }
        }
        if self.first(INTENTS).is_none() {
            odd.push(invalid(INTENTS, "is not given"));
        }
        if self.first("acquiring_config[payment_account_id]").is_some()
            && self.first("acquiring_config[payment_acquiring_account_id]").is_some()
        {
            odd.push(invalid("acquiring_config", "names the payment account in two ways"));
        }
        odd
    }
}

fn invalid(parameter: &str, reason: impl Into<String>) -> ValidationError {
    ValidationError { parameter: parameter.to_owned(), reason: reason.into(), doc_url: None }
}

/// An amount as authorize takes it (contract `payments.md` 2.1).
fn amount(text: &str) -> Result<MinorUnits, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<i64>() {
        Ok(amount @ 0..=0x7fff_ffff) if digits => Ok(MinorUnits(amount)),
        _ => Err("must be a whole number of minor units, 0 to 2147483647".to_owned()),
    }
}

/// Language, then subtags: `sv`, `sv-SE`, `zh-Hant-TW`.
fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    text.len() <= LOCALE_LENGTH
        && (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}
