//! Lays the sources of settings over each other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use toml::{Table, Value};

use super::Settings;
use super::complaints::Complaint;
use super::locate::{Place, place_of};

/// The embedded defaults: the documentation of every setting.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// Prefix of this program's own variables.
const PREFIX: &str = "REFERENCE_ACQUIRER_";

/// The launch environment, which any acquirer under test may be given. `PARTNER_RETURN_URL` is
/// part of it too, but here every payment brings its return URL along.
const LAUNCH: [(&str, &[&str]); 6] = [
    ("KLARNA_BASE_URL", &["klarna", "base_url"]),
    ("KLARNA_API_KEY", &["klarna", "api_key"]),
    ("KLARNA_CA_FILE", &["klarna", "ca_file"]),
    ("PARTNER_NOTIFICATION_URL", &["notifications", "default_url"]),
    ("ACQUIRER_LISTEN", &["listen"]),
    // The name that OpenTelemetry gives it.
    ("OTEL_EXPORTER_OTLP_ENDPOINT", &["traces", "endpoint"]),
];

/// Where settings come from, besides the defaults.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Flags: path of the setting, and its value.
    pub flags: Vec<(Vec<&'static str>, String)>,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A value is of the wrong type, or its name is unknown.
    #[error("{place}: {reason}")]
    Value {
        /// File, line and column, or the variable or flag.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// Values that do not go together.
    #[error("the settings cannot be used:\n  - {}", .0.join("\n  - "))]
    Unusable(Vec<String>),
}

/// The environment of this process, which is read here and nowhere else.
pub fn process_environment() -> BTreeMap<String, String> {
    // Variables that are not Unicode are none of ours.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Lays all sources over each other and checks the result.
pub fn load(sources: &Sources) -> Result<Settings, ConfigError> {
    let mut origins = Origins::default();
    let mut merged = parse(DEFAULTS, Path::new("defaults.toml"))?;
    if let Some(path) = &sources.file {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::File { path: path.clone(), source })?;
        overlay(&mut merged, parse(&text, path)?);
        origins.file = Some((path.clone(), text));
    }
    for (variable, setting) in LAUNCH {
        if let Some(value) = sources.environment.get(variable).filter(|value| !value.is_empty()) {
            let setting: Vec<String> = setting.iter().map(ToString::to_string).collect();
            set(&mut merged, &setting, value)
                .map_err(|reason| ConfigError::Value { place: variable.to_owned(), reason })?;
            origins.named.push((setting, variable.to_owned()));
        }
    }
    for (variable, value) in &sources.environment {
        let Some(setting) = variable.strip_prefix(PREFIX).filter(|_| !value.is_empty()) else { continue };
        let setting: Vec<String> = setting.split("__").map(str::to_ascii_lowercase).collect();
        set(&mut merged, &setting, value)
            .map_err(|reason| ConfigError::Value { place: variable.clone(), reason })?;
        origins.named.push((setting, variable.clone()));
    }
    for (setting, value) in &sources.flags {
        let setting: Vec<String> = setting.iter().map(ToString::to_string).collect();
        let flag = format!("--{}", setting.join("-").replace('_', "-"));
        set(&mut merged, &setting, value)
            .map_err(|reason| ConfigError::Value { place: flag.clone(), reason })?;
        origins.named.push((setting, flag));
    }

    let settings: Settings = serde_path_to_error::deserialize(Value::Table(merged)).map_err(|error| {
        let path = error.path().to_string();
        origins.complaint(&path, error.inner().message())
    })?;
    let complaints = settings.complaints();
    if complaints.is_empty() {
        return Ok(settings);
    }
    let placed =
        complaints.into_iter().map(|Complaint { setting, text }| match origins.place(&setting, "") {
            Some(place) => format!("{place}: {text}"),
            None => text,
        });
    Err(ConfigError::Unusable(placed.collect()))
}

fn parse(text: &str, path: &Path) -> Result<Table, ConfigError> {
    let table = toml::Deserializer::parse(text).and_then(Table::deserialize);
    table.map_err(|error| {
        let place = Place::of_offset(text, error.span().map_or(0, |span| span.start));
        ConfigError::Value {
            place: format!("{}:{place}", path.display()),
            reason: error.message().to_owned(),
        }
    })
}

fn overlay(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => overlay(inner, value),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// Sets one value given as text; its type is that of the default.
fn set(table: &mut Table, setting: &[String], text: &str) -> Result<(), String> {
    let unknown = || format!("there is no setting {}", setting.join("."));
    let (last, parents) = setting.split_last().ok_or_else(unknown)?;
    let mut table = table;
    for parent in parents {
        table = table.get_mut(parent).and_then(Value::as_table_mut).ok_or_else(unknown)?;
    }
    let value = match table.get(last).ok_or_else(unknown)? {
        Value::Integer(_) => text
            .trim()
            .parse()
            .map(Value::Integer)
            .map_err(|_| format!("{} must be a whole number, not {text:?}", setting.join(".")))?,
        Value::String(_) => Value::String(text.to_owned()),
        _ => return Err(format!("{} cannot be set this way; use the file", setting.join("."))),
    };
    table.insert(last.clone(), value);
    Ok(())
}

/// Where values came from, for complaints.
#[derive(Default)]
struct Origins {
    file: Option<(PathBuf, String)>,
    named: Vec<(Vec<String>, String)>,
}

impl Origins {
    fn complaint(&self, path: &str, reason: &str) -> ConfigError {
        let place = match (self.place(path, reason), &self.file) {
            (Some(place), _) if self.variable(path).is_some() => place,
            (Some(place), _) => format!("{place}: {path}"),
            (None, Some((file, _))) => format!("{}: {path}", file.display()),
            (None, None) => path.to_owned(),
        };
        ConfigError::Value { place, reason: reason.to_owned() }
    }

    /// The variable or flag that set it, or else file, line and column.
    fn place(&self, path: &str, reason: &str) -> Option<String> {
        if let Some(name) = self.variable(path) {
            return Some(name.to_owned());
        }
        let (file, text) = self.file.as_ref()?;
        Some(format!("{}:{}", file.display(), place_of(text, path, reason)?))
    }

    fn variable(&self, path: &str) -> Option<&str> {
        let named = self.named.iter().rev().find(|(setting, _)| setting.join(".") == path)?;
        Some(&named.1)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    const FILE: &str = "\
database_key = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"
[klarna]
api_key = \"from-file\"

[[partners]]
name = \"alpha\"
api_key = \"k\"
klarna_partner_account = \"krn:a\"
";

    fn with(text: &str, environment: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("acquirer.toml");
        std::fs::write(&file, text).unwrap();
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        load(&Sources { file: Some(file), environment, flags: Vec::new() })
    }

    fn complaint(text: &str, environment: &[(&str, &str)]) -> String {
        let full = with(text, environment).unwrap_err().to_string();
        // The temporary folder differs from run to run.
        full.rsplit_once("/acquirer.toml").map_or(full.clone(), |(_, rest)| format!("acquirer.toml{rest}"))
    }

    #[test]
    fn later_sources_win() {
        assert_eq!(with(FILE, &[]).unwrap().klarna.api_key.expose_secret(), "from-file");
        let launched = with(FILE, &[("KLARNA_API_KEY", "launched")]).unwrap();
        assert_eq!(launched.klarna.api_key.expose_secret(), "launched");
        let both = [("KLARNA_API_KEY", "launched"), ("REFERENCE_ACQUIRER_KLARNA__API_KEY", "own")];
        assert_eq!(with(FILE, &both).unwrap().klarna.api_key.expose_secret(), "own");
        let number =
            with(FILE, &[("REFERENCE_ACQUIRER_RETURN__WAIT_MS", "25"), ("KLARNA_CA_FILE", "")]).unwrap();
        assert_eq!(number.r#return.wait.as_millis(), 25);
        assert_eq!(number.klarna.ca_file, None);
    }

    #[test]
    fn complaints_name_the_place() {
        type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);
        let cases: [Case; 10] = [
            ("listen = ", &[], "acquirer.toml:1:10: string values must be quoted, expected literal string"),
            (
                "[klarna]\ntimeout_ms = \"soon\"\n",
                &[],
                "acquirer.toml:2:1: klarna.timeout_ms: must be a whole number of milliseconds",
            ),
            (
                "[klarna]\n\n  timeout = 5\n",
                &[],
                "acquirer.toml:3:3: klarna.timeout: unknown field `timeout`, expected one of",
            ),
            (
                "[[partners]]\nname = \"a\"\n",
                &[],
                "acquirer.toml:1:1: partners[0]: missing field `klarna_partner_account`",
            ),
            (
                FILE,
                &[("REFERENCE_ACQUIRER_RETURN__WAIT", "5")],
                "REFERENCE_ACQUIRER_RETURN__WAIT: there is no setting return.wait",
            ),
            (
                FILE,
                &[("REFERENCE_ACQUIRER_RETURN__WAIT_MS", "soon")],
                "REFERENCE_ACQUIRER_RETURN__WAIT_MS: return.wait_ms must be a whole number, not \"soon\"",
            ),
            (FILE, &[("ACQUIRER_LISTEN", "here")], "ACQUIRER_LISTEN: invalid socket address syntax"),
            (
                FILE,
                &[("ACQUIRER_LISTEN", "0.0.0.0:80")],
                "the settings cannot be used:\n  - public_url is missing: Klarna and customers cannot reach http://0.0.0.0:80",
            ),
            (
                "",
                &[],
                "the settings cannot be used:\n  - klarna.api_key is missing: set it in the file or as KLARNA_API_KEY\n  - database_key is missing: set REFERENCE_ACQUIRER_DATABASE_KEY to",
            ),
            (
                "database_key = \"short\"\n",
                &[("KLARNA_API_KEY", "k")],
                "acquirer.toml:1:1: database_key must be the standard base64 of 32 bytes",
            ),
        ];
        for (file, environment, expected) in cases {
            let complaint = complaint(file, environment);
            assert!(complaint.starts_with(expected), "{complaint}");
        }
    }

    #[test]
    fn partners_must_not_share_what_tells_them_apart() {
        let twice = format!(
            "{FILE}notification_url = \"https://a.test\"\n\n[[partners]]\nname = \"beta\"\napi_key = \"k\"\n\
             klarna_partner_account = \"krn:a\"\nnotification_secret = \"plain\"\n"
        );
        let complaints = with(&twice, &[]).unwrap_err().to_string();
        for expected in [
            "acquirer.toml:9:1: partner \"alpha\" has a notification URL but no notification_secret",
            "acquirer.toml:13:1: partners \"alpha\" and \"beta\" have the same api_key",
            "acquirer.toml:14:1: partners \"alpha\" and \"beta\" share the Klarna account krn:a; each needs its own",
            "acquirer.toml:15:1: notification_secret of partner \"beta\" must be whsec_ and standard base64, or several",
        ] {
            assert!(complaints.contains(expected), "{complaints}");
        }
    }

    #[test]
    fn payment_accounts_are_accounts_of_currencies_and_each_partners_own() {
        let with_accounts = |accounts: &str| with(&format!("{FILE}{accounts}"), &[]);
        let sound = "klarna_payment_account = \"krn:p:payment-account:1\"\n\
                     klarna_payment_accounts = { EUR = \"krn:p:payment-account:2\" }\n";
        assert!(with_accounts(sound).is_ok());
        let wrong = "klarna_payment_account = \"ALPHA001\"\n\
                     [partners.klarna_payment_accounts]\nSEK = \"krn:p:payment-account:1\"\neur = \"krn:p:account:2\"\n\n\
                     [[partners]]\nname = \"beta\"\napi_key = \"b\"\nklarna_partner_account = \"krn:b\"\n\
                     klarna_payment_account = \"krn:p:payment-account:1\"\n";
        let complaints = with_accounts(wrong).unwrap_err().to_string();
        for expected in [
            "acquirer.toml:9:1: partner \"alpha\": \"ALPHA001\" is no payment account; Klarna's look like krn:",
            "acquirer.toml:12:1: partner \"alpha\": \"eur\" is no currency; three capitals",
            "acquirer.toml:12:1: partner \"alpha\": \"krn:p:account:2\" is no payment account",
            "acquirer.toml:18:1: partner \"beta\": the payment account krn:p:payment-account:1 is partner \"alpha\"'s",
        ] {
            assert!(complaints.contains(expected), "{complaints}");
        }
        assert_eq!(complaints.matches("\n  - ").count(), 4, "{complaints}");
    }

    #[test]
    fn signing_keys_made_by_hand_are_whole() {
        let with_keys = |keys: &str| with(&format!("{FILE}{keys}"), &[]);
        let key = |id: &str, secret: &str| {
            format!("[[registration.signing_keys]]\nid = \"{id}\"\nsecret = \"{secret}\"\n")
        };
        let sound = key("krn:key:1", "s") + &key("krn:key:2", "t");
        assert_eq!(with_keys(&sound).unwrap().registration.signing_keys.len(), 2);
        let wrong = key("krn:key:1", "") + &key("krn:key:1", "t") + &key("", "t");
        let complaints = with_keys(&wrong).unwrap_err().to_string();
        for expected in [
            "acquirer.toml:11:1: registration.signing_keys[0].secret is empty",
            "acquirer.toml:13:1: registration.signing_keys[1].id stands twice",
            "acquirer.toml:16:1: registration.signing_keys[2].id must be the signing_key_id",
        ] {
            assert!(complaints.contains(expected), "{complaints}");
        }
        let half = with_keys("[[registration.signing_keys]]\nid = \"krn:key:1\"\n").unwrap_err().to_string();
        assert!(half.contains("acquirer.toml:9:1") && half.contains("missing field `secret`"), "{half}");
    }

    #[test]
    fn a_partner_has_one_key_plain_or_hashed() {
        let hashed = format!("api_key_sha256 = \"{}\"", "0f".repeat(32));
        let with_key = |key: &str| with(&FILE.replace("api_key = \"k\"", key), &[]);
        assert_eq!(with_key("api_key = \"k\"").unwrap().warnings().len(), 1);
        assert_eq!(with_key(&hashed).unwrap().warnings(), Vec::<String>::new());
        for key in ["", "api_key = \"\"", &format!("api_key = \"k\"\n{hashed}")] {
            let complaint = with_key(key).unwrap_err().to_string();
            assert!(complaint.contains("partner \"alpha\" needs either api_key"), "{complaint}");
        }
        let complaint = with_key("api_key_sha256 = \"k\"").unwrap_err().to_string();
        assert!(complaint.contains("partners[0].api_key_sha256: must be a SHA-256 in 64"), "{complaint}");
        // A plain key and its own hash are the same key.
        let hash = super::super::KeyHash::of(&"k".into()).to_hex();
        let twice = format!(
            "{FILE}\n[[partners]]\nname = \"beta\"\napi_key_sha256 = \"{hash}\"\nklarna_partner_account = \"krn:b\"\n"
        );
        let complaint = with(&twice, &[]).unwrap_err().to_string();
        assert!(complaint.contains("\"alpha\" and \"beta\" have the same api_key"), "{complaint}");
    }

    #[test]
    fn the_example_file_is_usable() {
        let example = concat!(env!("CARGO_MANIFEST_DIR"), "/acquirer.example.toml");
        let settings = load(&Sources { file: Some(example.into()), ..Sources::default() }).unwrap();
        assert_eq!(settings.klarna.api_key.expose_secret(), "klarna_test_api_local");
        let names: Vec<_> = settings.partners.iter().map(|partner| partner.name.as_str()).collect();
        assert_eq!(names, ["alpha", "beta"]);
    }
}
