//! How settings come together: the defaults, over them a file, over it the environment.

use std::net::SocketAddr;
use std::path::Path;

use serde::Deserialize;

use super::{AccountSettings, AcquirerSettings, ConfigError, DEFAULTS, DefaultOutcome, Settings};

/// What the environment variables of this program start with.
const ENVIRONMENT_PREFIX: &str = "KLARNA_SIMULATOR_";

/// What the defaults are called in errors.
const BUILT_IN: &str = "that is built in";

impl Settings {
    /// The defaults alone.
    ///
    /// # Errors
    /// Never with the file that is built in: a test reads it.
    pub fn defaults() -> Result<Self, ConfigError> {
        Self::layered(None, std::iter::empty())
    }

    /// Defaults, then a file, then the environment of this process.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        #[expect(clippy::disallowed_methods, reason = "this module reads the environment")]
        let variables = std::env::vars();
        Self::layered(file, variables)
    }

    fn layered(
        file: Option<&Path>,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut merged = parse(BUILT_IN, DEFAULTS)?;
        let mut acquirers_from = BUILT_IN.to_owned();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
            let origin = path.display().to_string();
            let over = parse(&origin, &text)?;
            let has_acquirers = over.contains_key("acquirers");
            merge(&mut merged, over);
            // Read now, so that an error names this file and line.
            check_names(&origin, &text)?;
            if has_acquirers {
                acquirers_from = origin;
            }
        }
        for (name, value) in variables {
            if let Some(path) = name.strip_prefix(ENVIRONMENT_PREFIX) {
                let path = path.to_ascii_lowercase();
                set(&mut merged, &path, &value);
                if path == "acquirers" {
                    acquirers_from = format!("in the environment ({name})");
                }
            }
        }
        let settings: Self = merged.try_into().map_err(|error: toml::de::Error| ConfigError::Invalid {
            origin: "as a whole".to_owned(),
            detail: error.to_string(),
        })?;
        Ok(Self { acquirers_from, ..settings })
    }
}

fn parse(origin: &str, text: &str) -> Result<toml::Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| ConfigError::Invalid {
        origin: origin.to_owned(),
        detail: error.to_string(),
    })
}

/// Reads a file over the defaults' text as far as its errors go: unknown names and wrong types are
/// told with their place in the file.
fn check_names(origin: &str, text: &str) -> Result<(), ConfigError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read for its errors only")]
    struct File {
        listen: Option<SocketAddr>,
        public_url: Option<String>,
        seed: Option<u64>,
        outcome: Option<DefaultOutcome>,
        acquirers: Option<Vec<AcquirerSettings>>,
        accounts: Option<AccountSettings>,
        tls: Option<toml::Table>,
        policies: Option<toml::Table>,
        control: Option<toml::Table>,
        rules: Option<toml::Table>,
        webhooks: Option<toml::Table>,
        rate_limits: Option<toml::Table>,
        limits: Option<toml::Table>,
    }
    toml::from_str::<File>(text)
        .map(drop)
        .map_err(|error| ConfigError::Invalid { origin: origin.to_owned(), detail: error.to_string() })
}

fn merge(under: &mut toml::Table, over: toml::Table) {
    for (name, value) in over {
        match (under.get_mut(&name), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => merge(under, over),
            (_, value) => {
                under.insert(name, value);
            }
        }
    }
}

/// Sets `limits__body_bytes` to what a text means: TOML where it reads as such, else a string.
fn set(table: &mut toml::Table, path: &str, text: &str) {
    let value = format!("v = {text}")
        .parse::<toml::Table>()
        .ok()
        .and_then(|mut parsed| parsed.remove("v"))
        .unwrap_or_else(|| toml::Value::String(text.to_owned()));
    match path.split_once("__") {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((head, rest)) => {
            let child = table.entry(head).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let toml::Value::Table(child) = child {
                set(child, rest, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let pairs: Vec<_> = pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Settings::layered(None, pairs.into_iter())
    }

    #[test]
    fn the_defaults_read_and_match_the_published_schedule() {
        let settings = Settings::defaults().unwrap();
        let minutes: Vec<_> = settings.webhooks.retry_after.iter().map(SignedDuration::as_secs).collect();
        assert_eq!(minutes, [10, 120, 900, 10_800, 21_600, 43_200]);
        assert_eq!(settings.outcome, DefaultOutcome::StepUp);
    }

    #[test]
    fn the_environment_comes_over_the_defaults() {
        let settings = environment(&[
            ("KLARNA_SIMULATOR_OUTCOME", "approve"),
            ("KLARNA_SIMULATOR_LIMITS__BODY_BYTES", "2048"),
            ("UNRELATED", "x"),
        ])
        .unwrap();
        assert_eq!(settings.outcome, DefaultOutcome::Approve);
        assert_eq!(settings.limits.body_bytes, 2048);
    }

    #[test]
    fn an_unknown_setting_is_refused_by_name() {
        let error = environment(&[("KLARNA_SIMULATOR_LIMITS__BODY_BITES", "1")]).unwrap_err().to_string();
        assert!(error.contains("body_bites"), "{error}");
    }

    #[test]
    fn an_error_in_a_file_names_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "seed = 1\noutcom = \"approve\"\n").unwrap();
        let error = Settings::layered(Some(file.path()), std::iter::empty()).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
        assert!(error.contains("outcom"), "{error}");
    }
}
