//! How values are written in a settings file.

use std::time::Duration;

use serde::{Deserialize as _, Deserializer};

pub(super) fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer)
        .map(Duration::from_millis)
        .map_err(|_| serde::de::Error::custom("must be a whole number of milliseconds"))
}

/// An empty string stands for "none", since TOML and environments have no null.
pub(super) fn empty_is_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(serde::de::Error::custom)
}
