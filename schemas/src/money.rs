//! Money as Klarna counts it: whole minor units of an ISO 4217 currency (contract `payments.md` 6).

use serde::{Deserialize, Serialize};

/// An amount in minor units (cents, öre). Lines may be negative (discounts); payments may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MinorUnits(pub i64);

impl std::fmt::Display for MinorUnits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An ISO 4217 alphabetic currency code: three ASCII letters, kept as they came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(String);

/// A currency that is not three ASCII letters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three letters of ISO 4217, not \"{0}\"")]
pub struct NotACurrency(pub String);

impl Default for Currency {
    /// `XXX`: no currency (ISO 4217).
    fn default() -> Self {
        Self("XXX".to_owned())
    }
}

impl Currency {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Digits behind the decimal point in the currency's major unit (ISO 4217), 2 where unlisted.
    pub fn minor_digits(&self) -> u32 {
        match self.0.to_ascii_uppercase().as_str() {
            "JPY" | "KRW" | "CLP" | "ISK" | "VND" | "XAF" | "XOF" => 0,
            "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }

    /// An amount of this currency as a person writes it: `459.00 SEK`.
    pub fn display(&self, amount: MinorUnits) -> String {
        let digits = self.minor_digits();
        if digits == 0 {
            return format!("{} {}", amount.0, self.0);
        }
        let scale = 10_u64.pow(digits);
        let sign = if amount.0 < 0 { "-" } else { "" };
        let magnitude = amount.0.unsigned_abs();
        let width = digits as usize;
        format!("{sign}{}.{:0width$} {}", magnitude / scale, magnitude % scale, self.0)
    }
}

impl TryFrom<String> for Currency {
    type Error = NotACurrency;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            Ok(Self(text))
        } else {
            Err(NotACurrency(text))
        }
    }
}

impl std::str::FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(currency: &str, amount: i64) -> String {
        currency.parse::<Currency>().unwrap().display(MinorUnits(amount))
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!(shown("SEK", 45_900), "459.00 SEK");
        assert_eq!(shown("EUR", -5), "-0.05 EUR");
        assert_eq!(shown("JPY", 1200), "1200 JPY");
        assert_eq!(shown("KWD", 1), "0.001 KWD");
    }

    #[test]
    fn a_currency_is_three_letters() {
        assert_eq!("EURO".parse::<Currency>(), Err(NotACurrency("EURO".to_owned())));
        assert!("e1r".parse::<Currency>().is_err());
    }
}
