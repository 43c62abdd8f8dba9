//! The bytes of an event that misbehaves: patched, cut off, padded, renamed, with its token moved.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::merge_patch::merge;
use super::{Extent, Manner, Signing, TokenOnly};

/// How much an oversized event is padded, in bytes: twice what Klarna itself takes of a body.
const OVERSIZE: usize = 2 << 20;
/// The last part of an event type that nobody has heard of.
const UNHEARD_OF: &str = "unheard-of";
/// Where an event carries its session token, by either name.
const TOKENS: [&str; 2] = ["klarna_network_session_token", "payment_token"];

/// An event's body, as it is signed and as it goes out.
#[derive(Debug)]
pub(in crate::notify) struct Rendered {
    pub(in crate::notify) signed: Bytes,
    pub(in crate::notify) sent: Bytes,
}

impl Manner {
    /// The body of an event that misbehaves so.
    pub(in crate::notify) fn rendered(&self, mut envelope: Value) -> Rendered {
        if let Some(place) = self.token {
            move_token(&mut envelope, place);
        }
        if self.unknown_event {
            rename(&mut envelope);
        }
        if self.signing != Signing::Altered {
            let sent = self.bytes(self.patched(envelope));
            return Rendered { signed: sent.clone(), sent };
        }
        let signed = self.bytes(envelope.clone());
        let mut changed = self.patched(envelope);
        if !self.is_patched()
            && let Some(payload) = changed.get_mut("payload").and_then(Value::as_object_mut)
        {
            payload.insert("altered".to_owned(), Value::Bool(true));
        }
        Rendered { signed, sent: self.bytes(changed) }
    }

    fn patched(&self, mut envelope: Value) -> Value {
        for (part, patch) in [("payload", &self.patch), ("metadata", &self.metadata_patch)] {
            if let Some((target, patch)) = envelope.get_mut(part).zip(patch.as_ref()) {
                merge(target, patch);
            }
        }
        envelope
    }

    fn bytes(&self, mut envelope: Value) -> Bytes {
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
}

/// Gives an event a type that nobody has heard of, beside its own.
fn rename(envelope: &mut Value) {
    let Some(Value::String(name)) = envelope.pointer_mut("/metadata/event_type") else { return };
    let start = name.rfind('.').map_or("", |dot| &name[..=dot]);
    *name = format!("{start}{UNHEARD_OF}");
}

/// Moves a session token to the one place where it shall stand.
fn move_token(envelope: &mut Value, place: TokenOnly) {
    let Some(Value::Object(payload)) = envelope.get_mut("payload") else { return };
    for name in TOKENS {
        let beside = payload.shift_remove(name);
        let context = payload.get_mut("state_context").and_then(Value::as_object_mut);
        let within = context.and_then(|context| context.shift_remove(name));
        let Some(token) = beside.or(within) else { continue };
        match place {
            TokenOnly::InPayload => {
                payload.insert(name.to_owned(), token);
            }
            TokenOnly::InStateContext => {
                let context = payload.entry("state_context").or_insert_with(|| json!({}));
                if let Some(context) = context.as_object_mut() {
                    context.insert(name.to_owned(), token);
                }
            }
        }
    }
}
