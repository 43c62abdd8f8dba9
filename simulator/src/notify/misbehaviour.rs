//! Webhooks that are not as they should be, at the tester's word.

use std::collections::VecDeque;

use bytes::Bytes;
use klarna_schemas::ids::{PaymentRequestId, SigningKeyId};
use klarna_schemas::simulator::control::{Misbehaviour, ReleaseWebhooks, SendWebhook, SendWhen};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::Subscription;
use crate::engine::EventDraft;

/// The most events that are held, and the most misbehaviours that wait, in one sandbox.
const MAX_WAITING: usize = 1_000;
/// How much an oversized event is padded, in bytes: twice what Klarna itself takes of a body.
const OVERSIZE: usize = 2 << 20;
/// The id of a key that no account has.
const NOBODYS_KEY: &str = "krn:partner:global:notification:signing-key:00000000-0000-4000-8000-000000000000";
/// What false signatures are made with.
const NOBODYS_SECRET: &str = "a secret that no account has been given";

/// How an event is signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Signing {
    /// By the webhook's key.
    #[default]
    Sound,
    /// With a wrong secret, under the id of the webhook's key.
    Forged,
    /// By a key that the account does not have, under that key's id.
    UnknownKey,
    /// Not at all.
    Unsigned,
}

impl Signing {
    /// Id and secret to sign with; `None` where nothing is signed.
    pub(super) fn key(self, to: &Subscription) -> Option<(SigningKeyId, SecretString)> {
        let right = &to.webhook.signing_key_id;
        match self {
            Self::Sound => Some((right.clone(), to.secret.clone())),
            Self::Forged => Some((right.clone(), SecretString::from(NOBODYS_SECRET))),
            Self::UnknownKey => Some((NOBODYS_KEY.into(), SecretString::from(NOBODYS_SECRET))),
            Self::Unsigned => None,
        }
    }
}

/// How much there is of an event's body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it.
    #[default]
    Whole,
    /// It is cut off in the middle.
    Malformed,
    /// It is padded to two megabytes.
    Oversized,
}

/// How an event misbehaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    pub(crate) signing: Signing,
    /// Sent twice, or once more.
    pub(crate) twice: bool,
    /// Kept until released.
    pub(crate) held: bool,
    /// How much of its body there is.
    pub(crate) extent: Extent,
    /// Laid over the payload.
    pub(crate) patch: Option<Map<String, Value>>,
    /// Laid over the metadata.
    pub(crate) metadata_patch: Option<Map<String, Value>>,
}

impl Manner {
    /// Reads what a tester asks for.
    ///
    /// # Errors
    /// When the words contradict each other.
    pub(crate) fn of(asked: &SendWebhook) -> Result<Self, &'static str> {
        let mut manner = Self {
            patch: asked.payload_patch.clone(),
            metadata_patch: asked.metadata_patch.clone(),
            ..Self::default()
        };
        for word in &asked.misbehaviour {
            let signing = match word {
                Misbehaviour::Duplicate => {
                    manner.twice = true;
                    continue;
                }
                Misbehaviour::Held => {
                    manner.held = true;
                    continue;
                }
                Misbehaviour::Malformed => {
                    manner.extent = Extent::Malformed;
                    continue;
                }
                Misbehaviour::Oversized => {
                    manner.extent = Extent::Oversized;
                    continue;
                }
                Misbehaviour::Forged => Signing::Forged,
                Misbehaviour::UnknownKey => Signing::UnknownKey,
                Misbehaviour::Unsigned => Signing::Unsigned,
            };
            if manner.signing != Signing::Sound && manner.signing != signing {
                return Err("misbehaviour: one of forged, unknown_key and unsigned at a time");
            }
            manner.signing = signing;
        }
        let now = asked.when == SendWhen::Now;
        if now && manner.held {
            return Err("misbehaviour: held is for the next event; add \"when\": \"next\"");
        }
        if now && manner.twice && manner.is_odd() {
            return Err("misbehaviour: a duplicate has the same bytes and headers as before");
        }
        Ok(manner)
    }

    /// The body of an event that misbehaves so.
    pub(super) fn rendered(&self, mut envelope: Value) -> Bytes {
        if let Some(patch) = &self.patch
            && let Some(payload) = envelope.get_mut("payload")
        {
            merge(payload, patch);
        }
        if let Some(patch) = &self.metadata_patch
            && let Some(metadata) = envelope.get_mut("metadata")
        {
            merge(metadata, patch);
        }
        if self.extent == Extent::Oversized
            && let Some(members) = envelope.as_object_mut()
        {
            members.insert("padding".to_owned(), Value::String("x".repeat(OVERSIZE)));
        }
        // Strings, numbers and options only: this never fails, and an empty body would show at once.
        let mut body = serde_json::to_vec(&envelope).unwrap_or_default();
        if self.extent == Extent::Malformed {
            body.truncate(body.len() / 2);
        }
        Bytes::from(body)
    }

    /// Whether it is not what Klarna would send.
    pub(crate) fn is_odd(&self) -> bool {
        self.signing != Signing::Sound
            || self.extent != Extent::Whole
            || self.patch.is_some()
            || self.metadata_patch.is_some()
    }

    /// As the journal names it; nothing where the event is sound.
    pub(crate) fn word(&self) -> Option<String> {
        let word = match self.signing {
            Signing::Forged => "forged",
            Signing::UnknownKey => "unknown_key",
            Signing::Unsigned => "unsigned",
            Signing::Sound if self.extent == Extent::Malformed => "malformed",
            Signing::Sound if self.extent == Extent::Oversized => "oversized",
            Signing::Sound if self.patch.is_some() || self.metadata_patch.is_some() => "patched",
            Signing::Sound if self.held => "held",
            Signing::Sound if self.twice => "duplicate",
            Signing::Sound => return None,
        };
        Some(format!("webhook {word}"))
    }
}

/// What awaits the events of one sandbox, and the events that are held.
#[derive(Debug, Default)]
pub(crate) struct Misbehaviours {
    next: VecDeque<(PaymentRequestId, String, Manner)>,
    held: VecDeque<(EventDraft, Manner)>,
}

/// As many wait as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_WAITING} misbehaviours wait already")]
pub(crate) struct TooManyMisbehaviours;

impl Misbehaviours {
    /// Lets the next such event misbehave.
    pub(crate) fn expect(&mut self, asked: &SendWebhook, manner: Manner) -> Result<(), TooManyMisbehaviours> {
        if self.next.len() >= MAX_WAITING {
            return Err(TooManyMisbehaviours);
        }
        self.next.push_back((asked.payment_request_id.clone(), asked.event_type.clone(), manner));
        Ok(())
    }

    /// How an event that has happened is to be sent; `None` where it is held.
    pub(crate) fn befall(&mut self, event: &EventDraft) -> Option<Manner> {
        let fits = |(request, event_type, _): &(PaymentRequestId, String, Manner)| {
            event.payload.request() == Some(request) && *event_type == event.event_type
        };
        let Some(position) = self.next.iter().position(fits) else { return Some(Manner::default()) };
        let (_, _, manner) = self.next.remove(position)?;
        if !manner.held {
            return Some(manner);
        }
        if self.held.len() >= MAX_WAITING {
            tracing::error!("too many events are held: this one is sent");
            return Some(manner);
        }
        self.held.push_back((event.clone(), manner));
        None
    }

    /// Takes out what is held and fits, in order.
    pub(crate) fn release(&mut self, which: &ReleaseWebhooks) -> Vec<(EventDraft, Manner)> {
        let fits = |event: &EventDraft| {
            which.payment_request_id.as_ref().is_none_or(|id| event.payload.request() == Some(id))
                && which.event_type.as_ref().is_none_or(|name| *name == event.event_type)
        };
        let (released, held) = self.held.drain(..).partition(|(event, _)| fits(event));
        self.held = held;
        let released: VecDeque<_> = released;
        released.into()
    }
}

/// Lays a merge patch over a value (RFC 7396).
fn merge(target: &mut Value, patch: &Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, change) in patch {
        match change {
            Value::Null => {
                members.shift_remove(name);
            }
            Value::Object(inner) => merge(members.entry(name.clone()).or_insert(Value::Null), inner),
            other => {
                members.insert(name.clone(), other.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patches_merge_as_the_standard_says() {
        // Cases of RFC 7396, appendix A.
        let cases = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!(["a", "b"]), json!({"a": "b"}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ];
        for (mut target, patch, merged) in cases {
            merge(&mut target, patch.as_object().unwrap());
            assert_eq!(target, merged);
        }
    }

    #[test]
    fn words_that_contradict_each_other_are_refused() {
        let asked = |body: Value| {
            let mut whole = json!({"payment_request_id": "krn:r", "event_type": "e"});
            merge(&mut whole, body.as_object().unwrap());
            Manner::of(&serde_json::from_value(whole).unwrap()).map(|manner| manner.word())
        };
        for bad in [
            json!({"misbehaviour": ["forged", "unsigned"]}),
            json!({"misbehaviour": ["held"]}),
            json!({"misbehaviour": ["duplicate", "forged"]}),
            json!({"misbehaviour": ["duplicate"], "payload_patch": {"state": "COMPLETED"}}),
        ] {
            assert!(asked(bad.clone()).is_err(), "{bad}");
        }
        let word = |word: &str| Ok(Some(format!("webhook {word}")));
        assert_eq!(asked(json!({})), Ok(None));
        assert_eq!(asked(json!({"misbehaviour": ["held"], "when": "next"})), word("held"));
        assert_eq!(asked(json!({"misbehaviour": ["held", "unsigned"], "when": "next"})), word("unsigned"));
        assert_eq!(asked(json!({"payload_patch": {}})), word("patched"));
    }
}
