//! What is wrong with settings that can be read, and what had better not be so.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::partners::PaymentMethod;
use super::payment_accounts;
use super::settings::Settings;
use crate::payments::create::is_loopback;
use crate::store::{self, Sealer};

/// The most calls to Klarna that one task makes: the last attempt of a final call, its withdrawal, and
/// the call once more.
const CALLS_IN_A_TASK: u32 = 3;

/// The longest time between two looks at a step-up: a session token that was issued in between must be alive
/// for the final call and its first retries.
const LONGEST_UNASKED: Duration = Duration::from_mins(45);

/// Settings that do not go together.
#[derive(Debug)]
pub(super) struct Complaint {
    /// The setting that is to be mended, e.g. `partners[1].api_key`.
    pub(super) setting: String,
    /// What is wrong, and how to mend it.
    pub(super) text: String,
}

impl Complaint {
    pub(super) fn new(setting: impl Into<String>, text: impl Into<String>) -> Self {
        Self { setting: setting.into(), text: text.into() }
    }
}

impl Settings {
    /// What can be used, but should not be so. Each names the setting and how to mend it.
    pub fn warnings(&self) -> Vec<String> {
        let plain = self.partners.iter().enumerate().filter(|(_, partner)| partner.api_key.is_some());
        plain
            .map(|(index, partner)| {
                format!(
                    "partners[{index}].api_key of {:?} stands in plain: whoever reads the file can pay as this \
                     Partner; put api_key_sha256 there instead, as `reference-acquirer new-api-key` prints it",
                    partner.name
                )
            })
            .collect()
    }

    /// What types cannot say. Each complaint names the setting and how to mend it.
    pub(super) fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let mut complain = |setting: &str, text: String| complaints.push(Complaint::new(setting, text));
        if self.klarna.api_key.expose_secret().is_empty() {
            complain(
                "klarna.api_key",
                "klarna.api_key is missing: set it in the file or as KLARNA_API_KEY".to_owned(),
            );
        }
        if !self.klarna.api_key.expose_secret().bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            complain(
                "klarna.api_key",
                "klarna.api_key must be visible ASCII: it travels in a header".to_owned(),
            );
        }
        if !matches!(self.klarna.base_url.scheme(), "http" | "https") {
            complain("klarna.base_url", "klarna.base_url must be http or https".to_owned());
        }
        if self.klarna.client_certificate_file.is_some() != self.klarna.client_key_file.is_some() {
            complain(
                "klarna.client_certificate_file",
                "klarna.client_certificate_file and klarna.client_key_file go together".to_owned(),
            );
        }
        let name = &self.klarna.integrator_name;
        if name.is_empty() || name.len() > 50 || !name.bytes().all(is_upper_snake) {
            complain(
                "klarna.integrator_name",
                "klarna.integrator_name must be 1 to 50 of A-Z, 0-9 and _".to_owned(),
            );
        }
        match &self.public_url {
            Some(url) if url.scheme() == "https" || url.scheme() == "http" && is_loopback(url) => {}
            Some(url) => complain(
                "public_url",
                format!("public_url {url} must be https, or plain http on loopback: Klarna calls no other"),
            ),
            None if self.listen.ip().is_loopback() => {}
            None => complain(
                "public_url",
                format!("public_url is missing: Klarna and customers cannot reach http://{}", self.listen),
            ),
        }
        if !store::is_known(self.database.expose_secret()) {
            complain("database", "database must start with sqlite:// or postgres://".to_owned());
        }
        match (self.database_key.expose_secret(), Sealer::new(&self.database_key)) {
            ("", _) => complain(
                "database_key",
                "database_key is missing: set REFERENCE_ACQUIRER_DATABASE_KEY to what `reference-acquirer \
                 new-database-key` prints, and keep it: what is secret in the database can be read with it only"
                    .to_owned(),
            ),
            (_, Err(error)) => complain("database_key", format!("database_key {error}")),
            (_, Ok(_)) => {}
        }
        complaints.extend(self.complaints_about_numbers());
        if stands_twice(&self.payment_methods) {
            complaints.push(Complaint::new("payment_methods", "payment_methods names a method twice"));
        }
        complaints.extend(self.complaints_about_signing_keys());
        complaints.extend(self.complaints_about_partners());
        complaints
    }

    fn complaints_about_numbers(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let mut complain = |setting: &str, text: String| complaints.push(Complaint::new(setting, text));
        let longest = (CALLS_IN_A_TASK * self.klarna.timeout).max(self.notifications.timeout);
        if self.outbox.lease <= longest {
            complain(
                "outbox.lease_ms",
                format!(
                    "outbox.lease_ms must be longer than notifications.timeout_ms and {CALLS_IN_A_TASK} times \
                     klarna.timeout_ms"
                ),
            );
        }
        for (setting, duration) in [
            ("outbox.poll_ms", self.outbox.poll),
            ("reconcile.first_ms", self.reconcile.first),
            ("reconcile.every_ms", self.reconcile.every),
            ("klarna.connect_timeout_ms", self.klarna.connect_timeout),
            ("klarna.timeout_ms", self.klarna.timeout),
            ("klarna.presentation_timeout_ms", self.klarna.presentation_timeout),
            ("klarna.retry.first_ms", self.klarna.retry.first),
            ("klarna.withdraw.first_ms", self.klarna.withdraw.first),
            ("klarna.operations.first_ms", self.klarna.operations.first),
            ("registration.check_ms", self.registration.check),
            ("notifications.retry.first_ms", self.notifications.retry.first),
            ("registration.retry.first_ms", self.registration.retry.first),
        ] {
            if duration.is_zero() {
                complain(setting, format!("{setting} must be at least 1"));
            }
        }
        for (setting, duration) in
            [("reconcile.first_ms", self.reconcile.first), ("reconcile.every_ms", self.reconcile.every)]
        {
            if duration > LONGEST_UNASKED {
                complain(
                    setting,
                    format!(
                        "{setting} must be at most {}: a session token lives 60 minutes",
                        LONGEST_UNASKED.as_millis()
                    ),
                );
            }
        }
        for (setting, count) in [
            ("outbox.concurrency", self.outbox.concurrency),
            ("klarna.breaker.calls", self.klarna.breaker.calls),
            ("klarna.breaker.failures", self.klarna.breaker.failures as usize),
            ("http.body_limit_bytes", self.http.body_limit_bytes),
            ("klarna.retry.attempts", self.klarna.retry.attempts as usize),
            ("klarna.withdraw.attempts", self.klarna.withdraw.attempts as usize),
            ("klarna.operations.attempts", self.klarna.operations.attempts as usize),
        ] {
            if count == 0 {
                complain(setting, format!("{setting} must be at least 1"));
            }
        }
        complaints
    }

    fn complaints_about_signing_keys(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let mut ids = BTreeSet::new();
        for (index, key) in self.registration.signing_keys.iter().enumerate() {
            let mut complain = |field: &str, text: &str| {
                let setting = format!("registration.signing_keys[{index}].{field}");
                complaints.push(Complaint::new(&setting, format!("{setting} {text}")));
            };
            let id = key.id.as_str();
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
                complain("id", "must be the signing_key_id that Klarna answered, krn:…:signing-key:…");
            }
            if !ids.insert(id) {
                complain("id", "stands twice");
            }
            if key.secret.expose_secret().is_empty() {
                complain(
                    "secret",
                    "is empty: it is the signing_key that Klarna showed once, when it was made",
                );
            }
        }
        complaints
    }

    fn complaints_about_partners(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        if self.partners.is_empty() {
            let text = "no partners: name at least one under [[partners]] (see acquirer.example.toml)";
            complaints.push(Complaint::new("partners", text));
        }
        complaints.extend(payment_accounts::complaints(&self.partners));
        let mut accounts = BTreeMap::new();
        let mut names = BTreeSet::new();
        let mut keys = BTreeMap::new();
        for (index, partner) in self.partners.iter().enumerate() {
            let mut complain = |field: &str, text: String| {
                complaints.push(Complaint::new(format!("partners[{index}].{field}"), text));
            };
            let name = partner.name.as_str();
            if !names.insert(name) {
                complain("name", format!("two partners are called {name:?}"));
            }
            if partner.payment_methods.as_deref().is_some_and(stands_twice) {
                complain("payment_methods", format!("partner {name:?} names a payment method twice"));
            }
            let setting = if partner.api_key.is_some() { "api_key" } else { "api_key_sha256" };
            if partner.key_hash().is_none() {
                let text = "needs either api_key, not empty, or api_key_sha256, and not both";
                complain(setting, format!("partner {name:?} {text}"));
            }
            if let Some(other) = partner.key_hash().and_then(|hash| keys.insert(hash, name)) {
                complain(setting, format!("partners {other:?} and {name:?} have the same api_key"));
            }
            if let Some(other) = accounts.insert(partner.klarna_partner_account.as_str(), name) {
                let account = &partner.klarna_partner_account;
                let text = format!(
                    "partners {other:?} and {name:?} share the Klarna account {account}; each needs its own"
                );
                complain("klarna_partner_account", text);
            }
            match (self.notification_url(partner), &partner.notification_secret) {
                (Some(_), None) => complain(
                    "notification_url",
                    format!(
                        "partner {name:?} has a notification URL but no notification_secret: it could not verify what it is told"
                    ),
                ),
                (_, Some(secret)) if crate::workers::notify::signing_keys(secret).is_none() => complain(
                    "notification_secret",
                    format!(
                        "notification_secret of partner {name:?} must be whsec_ and standard base64, or several with commas between"
                    ),
                ),
                _ => {}
            }
        }
        complaints
    }
}

fn stands_twice(methods: &[PaymentMethod]) -> bool {
    methods.iter().collect::<BTreeSet<_>>().len() < methods.len()
}

fn is_upper_snake(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}
