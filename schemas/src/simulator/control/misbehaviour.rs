//! What can be wrong with a webhook, and the wish for one.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What can be wrong with a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misbehaviour {
    /// The same bytes again, as the last such event that was sent; or the next one twice.
    Duplicate,
    /// The same bytes again, `delay` later on the sandbox's clock.
    ReplayedLate,
    /// Twice in the same moment: neither call sets out before both may.
    Parallel,
    /// Leaves only when the first attempt of the payment's next event is over.
    Reordered,
    /// Leaves `delay` after it has happened, on the sandbox's clock.
    Delayed,
    /// Never sent and never tried again; the journal says so.
    Lost,
    /// Its first attempt is over before the answer of the call that caused it leaves.
    BeforeResponse,
    /// Kept until it is released.
    Held,
    /// Signed with a wrong secret, under the id of the right key.
    Forged,
    /// Signed with another key of the account, under the id of the right one.
    WrongKey,
    /// Signed by a key that the account does not have, under that key's id.
    UnknownKey,
    /// Without signature and key id.
    Unsigned,
    /// Rightly signed, and changed afterwards: patches are laid on behind the signature.
    Altered,
    /// Rightly signed by a key that the webhook had before, or that the account has besides, under its id.
    OldKey,
    /// Cut off in the middle of its JSON, and signed as it is.
    Malformed,
    /// Two megabytes of it, rightly signed.
    Oversized,
    /// Of a type that nobody has heard of, rightly signed.
    UnknownEvent,
    /// Its session token stands in the payload, and not in `state_context`.
    TokenOnlyInPayload,
    /// Its session token stands in `state_context`, and not beside it.
    TokenOnlyInStateContext,
}

impl Misbehaviour {
    /// All, in the order in which they are documented.
    pub const ALL: [Self; 19] = [
        Self::Duplicate,
        Self::ReplayedLate,
        Self::Parallel,
        Self::Reordered,
        Self::Delayed,
        Self::Lost,
        Self::BeforeResponse,
        Self::Held,
        Self::Forged,
        Self::WrongKey,
        Self::UnknownKey,
        Self::Unsigned,
        Self::Altered,
        Self::OldKey,
        Self::Malformed,
        Self::Oversized,
        Self::UnknownEvent,
        Self::TokenOnlyInPayload,
        Self::TokenOnlyInStateContext,
    ];

    /// As it stands in a body.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::ReplayedLate => "replayed_late",
            Self::Parallel => "parallel",
            Self::Reordered => "reordered",
            Self::Delayed => "delayed",
            Self::Lost => "lost",
            Self::BeforeResponse => "before_response",
            Self::Held => "held",
            Self::Forged => "forged",
            Self::WrongKey => "wrong_key",
            Self::UnknownKey => "unknown_key",
            Self::Unsigned => "unsigned",
            Self::Altered => "altered",
            Self::OldKey => "old_key",
            Self::Malformed => "malformed",
            Self::Oversized => "oversized",
            Self::UnknownEvent => "unknown_event",
            Self::TokenOnlyInPayload => "token_only_in_payload",
            Self::TokenOnlyInStateContext => "token_only_in_state_context",
        }
    }
}

/// How events of a payment to come shall misbehave: an entry of `webhooks` beside an outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookWish {
    /// The events' name; a `*` at its end matches any rest.
    pub event_type: String,
    /// What is wrong with them.
    #[serde(default)]
    pub misbehaviour: Vec<Misbehaviour>,
    /// Laid over the payload before it is signed, as a JSON merge patch (RFC 7396).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_patch: Option<Map<String, Value>>,
    /// The same for the envelope's metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_patch: Option<Map<String, Value>>,
    /// How late, with `delayed` and `replayed_late`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<SignedDuration>,
    /// How many events; one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}
