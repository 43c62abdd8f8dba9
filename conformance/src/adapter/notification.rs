//! How an adapter reads what the acquirer tells its Partners.

use serde_json::Value;
use serde_saphyr::Spanned;

use super::error::AdapterError;
use super::file::NotificationsFile;
use super::form;
use super::hmac::word;
use super::outcome::Outcome;
use super::parts::Message as Came;
use super::reading::Reads;
use super::rules::{Rules, Seen};
use super::template::{TemplateError, Templates};
use super::variables::{RunVariables, Secrets};
use super::vars::PartnerBinding;
use super::verify::Verify;

/// The `notifications` part of an adapter, compiled.
#[derive(Debug, Clone)]
pub(super) struct Notifications {
    pub(super) verify: Option<Verify>,
    kind: Kind,
    reads: Reads,
    rules: Rules,
    answer: Answer,
}

/// What a notification is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Form,
    /// The query of a call without a body.
    Query,
}

const KINDS: &[(&str, Kind)] = &[("json", Kind::Json), ("form", Kind::Form), ("query", Kind::Query)];

/// What the Partner answers to a notification that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Whether a notification is the acquirer's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// The adapter claims no signature.
    NotClaimed,
    /// The signature fits.
    Good,
    /// It does not, and why.
    Bad(String),
}

/// What was understood of one notification.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) partner: Option<String>,
    pub(crate) payment_id: Option<String>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) verified: Verification,
    pub(crate) unreadable: Option<String>,
}

/// The ears of all Partners of a run: each with its own key.
#[derive(Debug, Clone)]
pub(crate) struct Ears {
    notifications: Option<Notifications>,
    keys: Vec<(String, Vec<u8>)>,
    partners: Vec<String>,
}

impl Notifications {
    /// Whether they say no more than which payment they are about.
    pub(super) fn say_ids_alone(&self) -> bool {
        self.rules.is_empty()
    }

    pub(super) fn compile(
        file: &Spanned<NotificationsFile>,
        templates: &mut Templates,
    ) -> Result<Self, AdapterError> {
        let body = &file.value.body;
        let kind = word(templates.source(), "kind of body", Some(body), KINDS)?.unwrap_or(Kind::Json);
        let verify = file.value.verify.as_ref().map(|verify| Verify::compile(verify, templates)).transpose();
        let source = templates.source();
        let verify = source.sift(verify).flatten();
        let reads = Reads::noting(source, &file.value.read);
        if !reads.names().any(|name| name == "payment_id") {
            return Err(source.complain(
                file.referenced.into(),
                "notifications.read does not say where the payment_id is",
                Some("read: {payment_id: $.data.payment_id}"),
            ));
        }
        let answer = &file.value.answer;
        let status = match &answer.status {
            None => 200,
            Some(status) if (200..=599).contains(&status.value) => status.value,
            Some(status) => {
                let message = format!("{} is no HTTP status", status.value);
                return Err(source.complain(status.referenced.into(), &message, None));
            }
        };
        let answer = Answer { status, body: answer.body.clone().unwrap_or_default() };
        let rules = source.sift(Rules::of_notification(source, &file.value.outcome)).unwrap_or_default();
        Ok(Self { verify, kind, reads, rules, answer })
    }
}

impl Ears {
    pub(super) fn new(
        notifications: Option<&Notifications>,
        partners: &[PartnerBinding],
        templates: &Templates,
        run: &RunVariables,
    ) -> Result<Self, TemplateError> {
        let mut keys = Vec::new();
        if let Some(verify) = notifications.and_then(|notifications| notifications.verify.as_ref()) {
            for partner in partners {
                let variables = Value::Object(run.of_partner(partner, Secrets::Revealed));
                keys.push((partner.name.clone(), verify.key(templates, &variables)?));
            }
        }
        let partners = partners.iter().map(|partner| partner.name.clone()).collect();
        Ok(Self { notifications: notifications.cloned(), keys, partners })
    }

    /// Whether a Partner of this name has an ear.
    pub(crate) fn knows(&self, partner: &str) -> bool {
        self.partners.iter().any(|name| name == partner)
    }

    /// What the Partner answers.
    pub(crate) fn answer(&self) -> Answer {
        self.notifications
            .as_ref()
            .map_or(Answer { status: 200, body: String::new() }, |notifications| notifications.answer.clone())
    }

    /// Whether notifications say no more than which payment they are about: how it stands must be read.
    pub(crate) fn hear_ids_alone(&self) -> bool {
        self.notifications.as_ref().is_some_and(Notifications::say_ids_alone)
    }

    /// Understands a notification that came to `partner`'s own URL, or to the URL of all.
    pub(crate) fn hear(&self, partner: Option<&str>, came: &Came<'_>) -> Heard {
        let mut heard = Heard {
            partner: partner.map(str::to_owned),
            payment_id: None,
            outcome: None,
            verified: Verification::NotClaimed,
            unreadable: None,
        };
        let Some(notifications) = &self.notifications else {
            heard.unreadable = Some("the adapter has no notifications".to_owned());
            return heard;
        };
        if let Some(verify) = &notifications.verify {
            heard.verified = self.verify(verify, &mut heard.partner, came);
        }
        let body: Value = match notifications.kind {
            Kind::Form => form::decode(came.body),
            Kind::Query => form::decode(came.query.as_bytes()),
            Kind::Json => match serde_json::from_slice(came.body) {
                Ok(body) => body,
                Err(error) => {
                    heard.unreadable = Some(format!("the body is no JSON: {error}"));
                    return heard;
                }
            },
        };
        match notifications.reads.read(came.headers, &body) {
            Ok(mut found) => heard.payment_id = found.remove("payment_id"),
            Err(error) => heard.unreadable = Some(format!("notifications.{error}")),
        }
        if heard.payment_id.is_none() && heard.unreadable.is_none() {
            heard.unreadable = Some("notifications.read.payment_id finds nothing in the body".to_owned());
        }
        let seen = Seen { status: None, headers: came.headers, body: Some(&body) };
        heard.outcome = notifications.rules.decide(seen);
        heard
    }

    fn verify(&self, verify: &Verify, partner: &mut Option<String>, came: &Came<'_>) -> Verification {
        let fits = |key: &[u8]| verify.scheme.verify(key, came);
        let signer = || self.keys.iter().find(|(_, key)| fits(key).is_ok()).map(|(name, _)| name.clone());
        let Some(name) = partner else {
            *partner = signer();
            if partner.is_some() {
                return Verification::Good;
            }
            let reason = self.keys.first().and_then(|(_, key)| fits(key).err());
            return Verification::Bad(reason.unwrap_or_else(|| "no Partner has a secret".to_owned()));
        };
        let Some((_, key)) = self.keys.iter().find(|(candidate, _)| candidate == name) else {
            return Verification::Bad(format!("no Partner is called {name}"));
        };
        match (fits(key), signer()) {
            (Ok(()), _) => Verification::Good,
            (Err(_), Some(other)) => {
                Verification::Bad(format!("it is signed with the secret of Partner {other}"))
            }
            (Err(reason), None) => Verification::Bad(reason),
        }
    }
}
