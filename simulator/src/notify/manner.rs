//! How one event misbehaves: what the tester's words mean for its bytes, its signature and its leaving.

mod body;

use jiff::SignedDuration;
use klarna_schemas::ids::SigningKeyId;
use klarna_schemas::simulator::control::{Misbehaviour, SendWebhook, SendWhen, WebhookWish};
use secrecy::SecretString;
use serde_json::{Map, Value};

pub(super) use self::body::Rendered;
use super::Subscription;
use crate::clock::LONGEST_WAIT;

/// The id of a key that no account has.
const NOBODYS_KEY: &str = "krn:partner:global:notification:signing-key:00000000-0000-4000-8000-000000000000";
/// What false signatures are made with.
const NOBODYS_SECRET: &str = "a secret that no account has been given";
/// Why a wish that changes nothing is refused.
const NOTHING: &str = "misbehaviour: with \"when\": \"next\" name at least one, or a patch: else the event comes as \
                       it would anyway";
/// How an event is signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Signing {
    /// By the webhook's key.
    #[default]
    Sound,
    /// With a wrong secret, under the id of the webhook's key.
    Forged,
    /// With another key of the account, under the id of the webhook's key.
    WrongKey,
    /// By a key that the account does not have, under that key's id.
    UnknownKey,
    /// Not at all.
    Unsigned,
    /// By the webhook's key, over other bytes.
    Altered,
    /// By a key that the webhook had before, or that the account has besides, under its id.
    OldKey,
}

impl Signing {
    /// Id and secret to sign with; `None` where nothing is signed.
    pub(super) fn key(self, to: &Subscription) -> Option<(SigningKeyId, SecretString)> {
        let right = || to.webhook.signing_key_id.clone();
        let nobodys = || SecretString::from(NOBODYS_SECRET);
        // Without another key nobody is asked to sign by it: the letter is signed soundly, and says so.
        let other = || to.other_key.clone().unwrap_or_else(|| (right(), to.secret.clone()));
        match self {
            Self::Sound | Self::Altered => Some((right(), to.secret.clone())),
            Self::Forged => Some((right(), nobodys())),
            Self::WrongKey => Some((right(), other().1)),
            Self::UnknownKey => Some((NOBODYS_KEY.into(), nobodys())),
            Self::Unsigned => None,
            Self::OldKey => Some(other()),
        }
    }

    /// Whether an acquirer must refuse it.
    pub(super) fn is_false(self) -> bool {
        !matches!(self, Self::Sound | Self::OldKey)
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

/// When an event leaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// In its turn.
    #[default]
    InTurn,
    /// When it is released.
    Held,
    /// When the first attempt of the payment's next event is over, or when it is released.
    Reordered,
    /// So much later, on the sandbox's clock.
    Delayed(SignedDuration),
    /// Never.
    Lost,
    /// Ahead of the answer to the call that caused it.
    BeforeResponse,
    /// The same, where no answer waits for it: in its turn.
    BeforeNothing,
}

/// Whether an event comes again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Repeated {
    /// Only where an attempt fails.
    #[default]
    Not,
    /// Once more, beside it.
    Twice,
    /// Once more, so much later, on the sandbox's clock.
    Late(SignedDuration),
    /// Once more, in the same moment.
    Parallel,
}

/// Where alone an event carries its session token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenOnly {
    /// In the payload.
    InPayload,
    /// In its `state_context`.
    InStateContext,
}

/// How an event misbehaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    pub(crate) signing: Signing,
    pub(crate) repeated: Repeated,
    pub(crate) leaving: Leaving,
    pub(crate) extent: Extent,
    /// Of a type that nobody has heard of.
    pub(crate) unknown_event: bool,
    pub(crate) token: Option<TokenOnly>,
    /// Laid over the payload.
    pub(crate) patch: Option<Map<String, Value>>,
    /// Laid over the metadata.
    pub(crate) metadata_patch: Option<Map<String, Value>>,
}

/// Sets what no other word has set.
fn only<T: PartialEq>(field: &mut T, unset: &T, value: T, why: &'static str) -> Result<(), &'static str> {
    if *field != *unset && *field != value {
        return Err(why);
    }
    *field = value;
    Ok(())
}

impl Manner {
    /// Reads what a tester wishes for events to come.
    ///
    /// # Errors
    /// When the words contradict each other.
    pub(crate) fn of_wish(wish: &WebhookWish) -> Result<Self, &'static str> {
        let mut manner = Self {
            patch: wish.payload_patch.clone(),
            metadata_patch: wish.metadata_patch.clone(),
            ..Self::default()
        };
        for word in &wish.misbehaviour {
            manner.take_word(*word, wish.delay)?;
        }
        let later = matches!(manner.leaving, Leaving::Delayed(_));
        let again_later = matches!(manner.repeated, Repeated::Late(_));
        if wish.delay.is_some() && !later && !again_later {
            return Err("delay: goes with delayed or replayed_late");
        }
        if later && again_later {
            return Err("misbehaviour: delayed and replayed_late share one delay; take one of them");
        }
        if wish.delay.is_some_and(|delay| delay <= SignedDuration::ZERO) {
            return Err("delay: must be longer than nothing");
        }
        if wish.delay.is_some_and(|delay| delay > LONGEST_WAIT) {
            return Err("delay: at most PT168H, a week");
        }
        if wish.times == Some(0) {
            return Err("times: is at least 1");
        }
        let changed = manner.is_odd() || manner.repeated != Repeated::Not;
        if manner.leaving == Leaving::Lost && changed {
            return Err("misbehaviour: what is lost is never seen, so nothing else goes with lost");
        }
        Ok(manner)
    }

    fn take_word(&mut self, word: Misbehaviour, delay: Option<SignedDuration>) -> Result<(), &'static str> {
        const NO_DELAY: &str = "delay: delayed and replayed_late need one, such as \"PT3H\"";
        const SIGNING: &str = "misbehaviour: one of forged, wrong_key, unknown_key, unsigned, altered and \
                               old_key at a time";
        let signing = match word {
            Misbehaviour::Duplicate => return self.is_repeated(Repeated::Twice),
            Misbehaviour::Parallel => return self.is_repeated(Repeated::Parallel),
            Misbehaviour::ReplayedLate => return self.is_repeated(Repeated::Late(delay.ok_or(NO_DELAY)?)),
            Misbehaviour::Held => return self.leaves(Leaving::Held),
            Misbehaviour::Reordered => return self.leaves(Leaving::Reordered),
            Misbehaviour::Lost => return self.leaves(Leaving::Lost),
            Misbehaviour::BeforeResponse => return self.leaves(Leaving::BeforeResponse),
            Misbehaviour::Delayed => return self.leaves(Leaving::Delayed(delay.ok_or(NO_DELAY)?)),
            Misbehaviour::Malformed => return self.has_extent(Extent::Malformed),
            Misbehaviour::Oversized => return self.has_extent(Extent::Oversized),
            Misbehaviour::TokenOnlyInPayload => return self.has_token(TokenOnly::InPayload),
            Misbehaviour::TokenOnlyInStateContext => return self.has_token(TokenOnly::InStateContext),
            Misbehaviour::UnknownEvent => {
                self.unknown_event = true;
                return Ok(());
            }
            Misbehaviour::Forged => Signing::Forged,
            Misbehaviour::WrongKey => Signing::WrongKey,
            Misbehaviour::UnknownKey => Signing::UnknownKey,
            Misbehaviour::Unsigned => Signing::Unsigned,
            Misbehaviour::Altered => Signing::Altered,
            Misbehaviour::OldKey => Signing::OldKey,
        };
        only(&mut self.signing, &Signing::Sound, signing, SIGNING)
    }

    fn is_repeated(&mut self, repeated: Repeated) -> Result<(), &'static str> {
        let why = "misbehaviour: one of duplicate, replayed_late and parallel at a time";
        only(&mut self.repeated, &Repeated::Not, repeated, why)
    }

    fn leaves(&mut self, leaving: Leaving) -> Result<(), &'static str> {
        let why = "misbehaviour: one of held, reordered, delayed, lost and before_response at a time";
        only(&mut self.leaving, &Leaving::InTurn, leaving, why)
    }

    fn has_extent(&mut self, extent: Extent) -> Result<(), &'static str> {
        only(
            &mut self.extent,
            &Extent::Whole,
            extent,
            "misbehaviour: one of malformed and oversized at a time",
        )
    }

    fn has_token(&mut self, place: TokenOnly) -> Result<(), &'static str> {
        let why = "misbehaviour: one of token_only_in_payload and token_only_in_state_context at a time";
        only(&mut self.token, &None, Some(place), why)
    }

    /// Reads what a tester asks for.
    ///
    /// # Errors
    /// When the words contradict each other.
    pub(crate) fn of(asked: &SendWebhook) -> Result<Self, &'static str> {
        let manner = Self::of_wish(&asked.wish())?;
        if asked.when == SendWhen::Next {
            let nothing = asked.misbehaviour.is_empty() && !manner.is_patched();
            return if nothing { Err(NOTHING) } else { Ok(manner) };
        }
        match manner.leaving {
            Leaving::Held => return Err("misbehaviour: held is for the next event; add \"when\": \"next\""),
            Leaving::Reordered | Leaving::Lost | Leaving::BeforeResponse => {
                return Err("misbehaviour: reordered, lost and before_response are for the next event; add \
                            \"when\": \"next\"");
            }
            Leaving::InTurn | Leaving::Delayed(_) | Leaving::BeforeNothing => {}
        }
        if asked.times.is_some() {
            return Err("times: goes with \"when\": \"next\"");
        }
        if manner.repeated != Repeated::Not && (manner.is_odd() || manner.leaving != Leaving::InTurn) {
            return Err("misbehaviour: a duplicate has the same bytes and headers as before");
        }
        Ok(manner)
    }

    fn is_patched(&self) -> bool {
        self.patch.is_some() || self.metadata_patch.is_some()
    }

    /// Whether its bytes are not what Klarna would send.
    pub(crate) fn is_odd(&self) -> bool {
        self.signing != Signing::Sound
            || self.extent != Extent::Whole
            || self.unknown_event
            || self.token.is_some()
            || self.is_patched()
    }

    /// Whether it is signed by a key that is not the webhook's own.
    pub(crate) fn needs_another_key(&self) -> bool {
        matches!(self.signing, Signing::WrongKey | Signing::OldKey)
    }

    /// As the journal names it; nothing where the event is sound.
    pub(crate) fn word(&self) -> Option<String> {
        let word = match self.signing {
            Signing::Forged => Misbehaviour::Forged,
            Signing::WrongKey => Misbehaviour::WrongKey,
            Signing::UnknownKey => Misbehaviour::UnknownKey,
            Signing::Unsigned => Misbehaviour::Unsigned,
            Signing::Altered => Misbehaviour::Altered,
            Signing::OldKey => Misbehaviour::OldKey,
            Signing::Sound => return self.word_of_sound().map(|word| format!("webhook {word}")),
        };
        Some(format!("webhook {}", word.as_str()))
    }

    /// The same where the signature is not what is wrong.
    fn word_of_sound(&self) -> Option<&'static str> {
        let word = match self.extent {
            Extent::Malformed => Misbehaviour::Malformed,
            Extent::Oversized => Misbehaviour::Oversized,
            Extent::Whole if self.unknown_event => Misbehaviour::UnknownEvent,
            Extent::Whole => match self.token {
                Some(TokenOnly::InPayload) => Misbehaviour::TokenOnlyInPayload,
                Some(TokenOnly::InStateContext) => Misbehaviour::TokenOnlyInStateContext,
                None if self.is_patched() => return Some("patched"),
                None => return self.word_of_leaving(),
            },
        };
        Some(word.as_str())
    }

    fn word_of_leaving(&self) -> Option<&'static str> {
        let word = match self.leaving {
            Leaving::Held => Misbehaviour::Held,
            Leaving::Reordered => Misbehaviour::Reordered,
            Leaving::Delayed(_) => Misbehaviour::Delayed,
            Leaving::Lost => Misbehaviour::Lost,
            Leaving::BeforeResponse => Misbehaviour::BeforeResponse,
            Leaving::BeforeNothing => return Some("unplayed before_response"),
            Leaving::InTurn => return None,
        };
        Some(word.as_str())
    }

    /// What the journal calls the second copy.
    pub(super) fn word_of_copy(&self) -> Option<String> {
        let word = match self.repeated {
            Repeated::Not => return None,
            Repeated::Twice => Misbehaviour::Duplicate,
            Repeated::Late(_) => Misbehaviour::ReplayedLate,
            Repeated::Parallel => Misbehaviour::Parallel,
        };
        Some(format!("webhook {}", word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::merge_patch::merge;
    use super::*;

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
            json!({"misbehaviour": ["lost"]}),
            json!({"misbehaviour": ["before_response"]}),
            json!({"misbehaviour": ["delayed"]}),
            json!({"misbehaviour": ["delayed"], "delay": "PT0S"}),
            json!({"misbehaviour": [], "delay": "PT1H"}),
            json!({"misbehaviour": [], "times": 2}),
            json!({"when": "next"}),
            json!({"misbehaviour": [], "when": "next"}),
            json!({"misbehaviour": ["delayed"], "delay": "PT168H1S"}),
            json!({"misbehaviour": ["replayed_late"], "delay": "PT80000000H", "when": "next"}),
            json!({"misbehaviour": ["delayed", "replayed_late"], "delay": "PT1H", "when": "next"}),
            json!({"misbehaviour": ["lost", "forged"], "when": "next"}),
            json!({"misbehaviour": ["lost", "duplicate"], "when": "next"}),
            json!({"misbehaviour": ["lost", "held"], "when": "next"}),
            json!({"misbehaviour": ["malformed", "oversized"]}),
            json!({"misbehaviour": ["duplicate", "parallel"], "when": "next"}),
            json!({"misbehaviour": ["altered", "wrong_key"]}),
            json!({"misbehaviour": ["token_only_in_payload", "token_only_in_state_context"]}),
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
