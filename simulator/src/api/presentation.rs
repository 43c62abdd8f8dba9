//! `GET …/payment/presentation` (contract `webhooks-and-network-data.md` C).

use axum::Json;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::money::{Currency, MinorUnits};

use super::call::SandboxCall;
use super::error::KlarnaError;
use super::queries::{self, INTENTS, KNOWN_INTENTS, LOCALE_LENGTH};
use crate::engine::{Intent, Interval, PresentationQuery};

/// How long an answer that knows no customer may be shown again, and one that does.
const CACHEABLE: &str = "max-age=300";
const NOT_CACHEABLE: &str = "private, no-store";

pub(super) async fn read(called: SandboxCall) -> Result<Response, KlarnaError> {
    let call = &called.call;
    let pairs = Pairs::read(call.uri.query().unwrap_or_default());
    let token = call.token()?.map(|token| token.value);
    let oddities = pairs.oddities();
    if !oddities.is_empty() {
        tracing::warn!(?oddities, "a presentation was asked for in an undocumented way");
    }
    let mut wanted = pairs.wanted(token).map_err(KlarnaError::invalid)?;
    wanted.customer_token = call.customer_token()?;
    let mut state = called.cell.lock();
    if let Some(token) = &wanted.token {
        call.notes.note(|noted| noted.epoch = Some(state.machine.epoch_of_id(token)));
    }
    let shown = state.machine.present(&wanted)?;
    drop(state);
    let customer_known = wanted.token.is_some() || wanted.customer_token.is_some();
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
        self.all(name).next()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
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
                wrong.push(ValidationError::new("amount", "must be given with PAY and SUBSCRIBE"));
                None
            }
            None => None,
            Some(Ok(amount)) => Some(amount),
            Some(Err(reason)) => {
                wrong.push(ValidationError::new("amount", reason));
                None
            }
        };
        if self.all(INTENTS).any(|intent| !KNOWN_INTENTS.contains(&intent)) {
            wrong.push(ValidationError::new("intents", format!("takes {}", KNOWN_INTENTS.join(", "))));
        }
        if self.first("acquiring_config[payment_account_id]").is_some()
            && self.first("acquiring_config[payment_acquiring_account_id]").is_some()
        {
            wrong.push(ValidationError::new("acquiring_config", "names the payment account in two ways"));
        }
        match (currency, locale) {
            (Some(currency), Some(locale)) if wrong.is_empty() => {
                let intent = self.intent();
                Ok(PresentationQuery { currency, locale, intent, amount, token, customer_token: None })
            }
            _ => Err(wrong),
        }
    }

    /// Whether something is to be paid: without an intent, PAY is meant.
    fn pays(&self) -> bool {
        self.first(INTENTS).is_none() || self.all(INTENTS).any(|intent| intent != "ADD_TO_WALLET")
    }

    /// What the customer is about to do; of several, what says most.
    fn intent(&self) -> Intent {
        if !self.pays() {
            return Intent::AddToWallet;
        }
        if self.all(INTENTS).all(|intent| intent != "SUBSCRIBE") {
            return Intent::Pay;
        }
        // Klarna's list of intervals is not published: one that is not known here says nothing.
        let interval = self.first("subscription_billing_interval").and_then(Interval::of);
        let frequency = self.first("subscription_billing_interval_frequency").map_or(Ok(1), str::parse);
        Intent::Subscribe(interval.and_then(|interval| Some((frequency.ok()?, interval))))
    }

    fn required<T>(
        &self,
        name: &str,
        wrong: &mut Vec<ValidationError>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.first(name).ok_or_else(|| "must be given".to_owned()).and_then(read);
        value.map_err(|reason| wrong.push(ValidationError::new(name, reason))).ok()
    }

    /// What is not as documented and yet accepted.
    fn oddities(&self) -> Vec<ValidationError> {
        let mut odd: Vec<ValidationError> = Vec::new();
        for (name, _) in &self.0 {
            if !queries::PRESENTATION.iter().any(|query| query.name == name) {
                odd.push(ValidationError::new(name, "is not documented"));
            }
        }
        if self.first(INTENTS).is_none() {
            odd.push(ValidationError::new(INTENTS, "is not given"));
        }
        odd
    }
}

/// An amount as authorize takes it (contract `payments.md` 2.1).
fn amount(text: &str) -> Result<MinorUnits, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<i64>() {
        Ok(amount @ 1..=0x7fff_ffff) if digits => Ok(MinorUnits(amount)),
        _ => Err("must be a whole number of minor units, 1 to 2147483647".to_owned()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(query: &str) -> Vec<String> {
        let wrong = Pairs::read(query).wanted(None).unwrap_err();
        wrong.into_iter().map(|field| field.parameter).collect()
    }

    #[test]
    fn intents_come_raw_or_escaped_and_what_is_unknown_is_accepted() {
        for query in [
            "currency=SEK&locale=sv-SE&amount=100",
            "currency=sek&locale=sv&amount=2147483647&intents[]=PAY&unheard_of=1",
            "currency=SEK&locale=zh-Hant-TW&amount=1&intents%5B%5D=PAY&intents%5B%5D=SUBSCRIBE",
            "currency=SEK&locale=sv-SE&intents[]=ADD_TO_WALLET",
            "currency=SEK&locale=sv-SE&amount=1&acquiring_config%5Bpayment_account_id%5D=krn%3Aa",
        ] {
            assert!(Pairs::read(query).wanted(None).is_ok(), "{query}");
        }
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        assert_eq!(wrong(""), ["currency", "locale", "amount"]);
        for amount in ["0", "-1", "1.00", "+1", "2147483648", ""] {
            assert_eq!(wrong(&format!("currency=SEK&locale=sv-SE&amount={amount}")), ["amount"], "{amount}");
        }
        assert_eq!(wrong("currency=SEK&locale=sv-SE&intents[]=SUBSCRIBE"), ["amount"]);
        assert_eq!(wrong("currency=SEK&locale=Swedish&amount=1"), ["locale"]);
        assert_eq!(wrong("currency=SEK&locale=sv-&amount=1"), ["locale"]);
        assert_eq!(wrong("currency=kronor&locale=sv-SE&amount=1"), ["currency"]);
        assert_eq!(wrong("currency=SEK&locale=sv-SE&amount=1&intents[]=SAVE"), ["intents"]);
        let both = "acquiring_config[payment_account_id]=1&acquiring_config[payment_acquiring_account_id]=2";
        assert_eq!(wrong(&format!("currency=SEK&locale=sv-SE&amount=1&{both}")), ["acquiring_config"]);
    }
}
