//! What a command makes happen, in order.

use std::borrow::Cow;

use jiff::Timestamp;
use klarna_schemas::ids::{AcquirerAccountId, PaymentRequestId};
use klarna_schemas::klarna::authorize::AuthorizeResponse;
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::klarna::webhook::PaymentRequestPayload;
use klarna_schemas::simulator::control::{CustomerAct, Fault, WebhookWish};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::sandbox::Sandbox;
use crate::behaviour::choosing::Choice;
use crate::behaviour::evolution::NEW_EVENT;

/// One thing that a command makes happen.
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    /// The answer to whoever asked. Exactly one per authorize.
    Reply(Box<Decided>),
    /// An event to be sent to the acquirer's webhooks.
    Emit(Box<EventDraft>),
    /// A token of this sandbox now exists.
    TokenIssued(String),
    /// The oldest payment was forgotten, to make room: its journeys and its tokens are no more.
    Forgot { payment: String, journeys: Vec<Uuid>, tokens: Vec<String> },
    /// A token died without a final call (payment name).
    TokenDied(String),
    /// The customer has done what was planned, or could not.
    ActedAsPlanned { payment: String, uuid: Uuid, act: CustomerAct, refused: Option<String> },
}

/// What decided.
#[derive(Debug, Clone)]
pub(crate) struct Decider {
    /// As the journal names it: `default`, `queued`, `rule:<name>`, `token`, `replay`, …
    pub(crate) name: Cow<'static, str>,
    /// What befalls the answer.
    pub(crate) fault: Option<Fault>,
    /// What befalls webhooks about the payment.
    pub(crate) webhooks: Vec<WebhookWish>,
}

impl From<&'static str> for Decider {
    fn from(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), fault: None, webhooks: Vec::new() }
    }
}

impl From<Choice> for Decider {
    fn from(choice: Choice) -> Self {
        Self { name: choice.by, fault: choice.then.fault, webhooks: choice.then.webhooks }
    }
}

/// An answer and what decided it.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    pub(crate) reply: Reply,
    pub(crate) by: Decider,
    /// The simulator's name of the payment, if the call could be tied to one.
    pub(crate) payment: Option<String>,
    /// Which of the payment's calls this was.
    pub(crate) call: Option<usize>,
    /// The epoch that the call belongs to.
    pub(crate) epoch: u64,
}

/// An answer, without a word of HTTP.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Klarna's decision.
    Authorized(Box<AuthorizeResponse>),
    /// No decision.
    Refused(Refusal),
}

/// Why there was no decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Fields or headers that do not validate.
    Invalid(Vec<ValidationError>),
    /// Something named is not there, or no longer.
    NotFound(String),
    /// The caller may not.
    Forbidden(String),
    /// It collides with what was done before.
    Conflict(String),
}

impl Refusal {
    /// For a person.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Invalid(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|field| format!("{} {}", field.parameter, field.reason)).collect();
                format!("it does not validate: {}", fields.join("; "))
            }
            Self::NotFound(why) | Self::Forbidden(why) | Self::Conflict(why) => why.clone(),
        }
    }
}

/// What an event tells.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum EventPayload {
    /// How a Payment Request fares.
    Request(Box<PaymentRequestPayload>),
    /// Anything else, as it goes out.
    Other(Value),
}

impl EventPayload {
    /// The Payment Request that it is about, if it is about one.
    pub(crate) fn request(&self) -> Option<&PaymentRequestId> {
        match self {
            Self::Request(payload) => Some(&payload.payment_request_id),
            Self::Other(_) => None,
        }
    }
}

impl Effect {
    /// The payment that a reply among the effects is about, and what is to befall its webhooks.
    pub(crate) fn wishes(effects: &[Self]) -> Option<(&str, &[WebhookWish])> {
        effects.iter().find_map(|effect| match effect {
            Self::Reply(decided) => Some((decided.payment.as_deref()?, decided.by.webhooks.as_slice())),
            _ => None,
        })
    }

    /// The Purchase Journeys that events tell of.
    pub(crate) fn journeys(effects: &[Self], machine: &Sandbox) -> Vec<Uuid> {
        let of_event = |effect: &Self| match effect {
            Self::Emit(event) => Some(machine.request(event.payload.request()?)?.uuid),
            _ => None,
        };
        effects.iter().filter_map(of_event).collect()
    }
}

impl EventDraft {
    /// An event about the same of a type that nobody knows.
    pub(crate) fn of_a_new_type(&self) -> Self {
        Self {
            event_id: format!("later-{}", self.event_id),
            event_type: NEW_EVENT.to_owned(),
            ..self.clone()
        }
    }
}

/// An event before it is addressed to a webhook.
#[derive(Debug, Clone)]
pub(crate) struct EventDraft {
    /// Where it stands among the effects of its sandbox.
    pub(crate) number: u64,
    /// What repeats are told by.
    pub(crate) event_id: String,
    /// E.g. `payment.request.state-change.completed`.
    pub(crate) event_type: String,
    pub(crate) occurred_at: Timestamp,
    pub(crate) recipient: AcquirerAccountId,
    pub(crate) payload: EventPayload,
    /// The simulator's name of the payment.
    pub(crate) payment: String,
    pub(crate) epoch: u64,
}
