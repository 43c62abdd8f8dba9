//! Calls that carry an idempotency key (contract `payments.md` 5.1 and the table of decisions):
//! a key that comes again gets the first answer again, and nothing is done twice.
//!
//! Payment Authorize keeps keys of its own: its calls belong to payments, which are judged.

use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::command::IdempotencyKey;
use super::effect::{Effect, Refusal};
use super::sandbox::Sandbox;

/// How long a key is remembered.
pub(crate) const KEY_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// How many keys are remembered at a time; the oldest makes room.
const REMEMBERED_KEYS: usize = 10_000;
/// How many bytes their answers may have together; the oldest makes room, but for the newest.
const REMEMBERED_BYTES: usize = 16 << 20;

/// A call that changes something, as far as repeats are told by it.
#[derive(Debug, Clone)]
pub(crate) struct KeyedCall {
    /// Credential, method and path: the same key means another call elsewhere.
    pub(crate) scope: String,
    pub(crate) key: Option<IdempotencyKey>,
    /// The id that the path names, if it names one.
    pub(crate) about: Option<String>,
    /// What was asked; null where there is no body.
    pub(crate) body: Value,
}

/// What a call came to: the resource that it answers with (null where it answers with none), or why
/// there is none.
pub(crate) type Outcome = Result<Value, Refusal>;

/// A resource as an answer shows it.
pub(crate) fn shown(resource: &impl Serialize) -> Value {
    // Text, numbers, times and options only: this does not fail.
    serde_json::to_value(resource).unwrap_or(Value::Null)
}

/// Keys that were used, and what they got.
#[derive(Debug, Clone, Default)]
pub(crate) struct UsedKeys {
    used: IndexMap<(String, IdempotencyKey), Used>,
    /// Of all answers.
    bytes: usize,
}

#[derive(Clone)]
struct Used {
    /// Of the body: the same JSON has the same, whatever its spacing and the order of its members.
    body: [u8; 32],
    outcome: Outcome,
    bytes: usize,
    payment: Option<String>,
    at: Timestamp,
}

fn digest(body: &Value) -> [u8; 32] {
    let mut body = body.clone();
    body.sort_all_objects();
    Sha256::digest(body.to_string()).into()
}

/// Not what was answered: that can be a secret.
impl std::fmt::Debug for Used {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Used").field("payment", &self.payment).field("at", &self.at).finish_non_exhaustive()
    }
}

/// What a key that comes again gets.
#[derive(Debug, Clone)]
pub(crate) struct Repeated {
    pub(crate) outcome: Outcome,
    /// The payment that the first call was about.
    pub(crate) payment: Option<String>,
    /// Whether the first answer is given again, and not a conflict.
    pub(crate) replayed: bool,
}

impl Repeated {
    /// What decided, as the journal has it.
    pub(crate) fn by(&self) -> &'static str {
        if self.replayed { "replay" } else { "idempotency" }
    }
}

impl UsedKeys {
    /// The first answer again, or a conflict where the key was used for something else.
    pub(crate) fn repeat(&mut self, call: &KeyedCall, now: Timestamp) -> Option<Repeated> {
        let name = (call.scope.clone(), call.key.clone()?);
        let used = self.used.get(&name)?;
        if now.duration_since(used.at) > KEY_LIFE {
            self.forget(&name);
            return None;
        }
        let payment = used.payment.clone();
        if used.body == digest(&call.body) {
            return Some(Repeated { outcome: used.outcome.clone(), payment, replayed: true });
        }
        let why = "this Klarna-Idempotency-Key was used with another body".to_owned();
        Some(Repeated { outcome: Err(Refusal::Conflict(why)), payment, replayed: false })
    }

    /// Remembers what a call came to.
    pub(crate) fn remember(
        &mut self,
        call: &KeyedCall,
        outcome: &Outcome,
        payment: Option<String>,
        now: Timestamp,
    ) {
        let Some(key) = call.key.clone() else { return };
        let bytes = outcome.as_ref().map_or(0, |answer| answer.to_string().len());
        let used = Used { body: digest(&call.body), outcome: outcome.clone(), bytes, payment, at: now };
        self.bytes += bytes;
        if let Some(before) = self.used.insert((call.scope.clone(), key), used) {
            self.bytes -= before.bytes;
        }
        while self.used.len() > REMEMBERED_KEYS || (self.bytes > REMEMBERED_BYTES && self.used.len() > 1) {
            let Some((_, oldest)) = self.used.shift_remove_index(0) else { return };
            self.bytes -= oldest.bytes;
        }
    }

    fn forget(&mut self, name: &(String, IdempotencyKey)) {
        if let Some(used) = self.used.shift_remove(name) {
            self.bytes -= used.bytes;
        }
    }

    /// The keys themselves, for late traffic to be told by.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &IdempotencyKey> {
        self.used.keys().map(|(_, key)| key)
    }
}

/// What came of doing what a call asks for.
pub(crate) struct Acted {
    pub(crate) outcome: Outcome,
    /// The simulator's name of the payment that it is about, if it is about one.
    pub(crate) payment: Option<String>,
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    pub(crate) payment: Option<String>,
    /// What decided, for the journal, where it was not the call itself.
    pub(crate) by: Option<&'static str>,
    /// The epoch that the call belongs to.
    pub(crate) epoch: u64,
}

impl Sandbox {
    /// Does what a call asks for, unless its key says that this was done.
    pub(crate) fn once(
        &mut self,
        call: &KeyedCall,
        now: Timestamp,
        act: impl FnOnce(&mut Self, Timestamp, &mut Vec<Effect>) -> Acted,
    ) -> (Done, Vec<Effect>) {
        let mut effects = self.tick(now);
        let by_id = call.about.as_deref().map(|id| self.epoch_of_id(id));
        let by_key = || call.key.as_ref().map(|key| self.epoch_of_key(key));
        let epoch = by_id.filter(|epoch| *epoch != self.epoch).or_else(by_key).unwrap_or(self.epoch);
        let done = |outcome, payment, by| Done { outcome, payment, by, epoch };
        if epoch != self.epoch {
            let why = "this call belongs to what was in the sandbox before its reset".to_owned();
            return (done(Err(Refusal::NotFound(why)), None, Some("epoch")), effects);
        }
        if let Some(repeated) = self.used_keys.repeat(call, now) {
            let by = Some(repeated.by());
            return (done(repeated.outcome, repeated.payment, by), effects);
        }
        let Acted { outcome, payment } = act(self, now, &mut effects);
        self.used_keys.remember(call, &outcome, payment.clone(), now);
        (done(outcome, payment, None), effects)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(scope: &str, key: &str, body: Value) -> KeyedCall {
        KeyedCall { scope: scope.to_owned(), key: Some(IdempotencyKey(key.to_owned())), about: None, body }
    }

    #[test]
    fn a_key_is_good_for_one_body_on_one_path_for_a_day() {
        let now = Timestamp::UNIX_EPOCH;
        let mut keys = UsedKeys::default();
        let first = call("POST /a", "k", json!({"amount": 1}));
        assert!(keys.repeat(&first, now).is_none());
        keys.remember(&first, &Ok(json!({"id": 7})), None, now);
        let again = keys.repeat(&first, now).unwrap();
        assert_eq!((again.outcome, again.replayed), (Ok(json!({"id": 7})), true));
        let two = call("POST /a", "two", json!({"a": 1, "b": {"c": 2, "d": 3}}));
        keys.remember(&two, &Ok(Value::Null), None, now);
        let turned = call("POST /a", "two", json!({"b": {"d": 3, "c": 2}, "a": 1}));
        assert!(keys.repeat(&turned, now).unwrap().replayed, "the order of members says nothing");
        let other = keys.repeat(&call("POST /a", "k", json!({"amount": 2})), now).unwrap();
        assert!(matches!(other.outcome, Err(Refusal::Conflict(_))) && !other.replayed);
        assert!(keys.repeat(&call("POST /b", "k", json!({"amount": 1})), now).is_none());
        let later = now.checked_add(KEY_LIFE + SignedDuration::from_secs(1)).unwrap();
        assert!(keys.repeat(&first, later).is_none(), "a day is over");
    }

    #[test]
    fn the_oldest_key_makes_room() {
        let now = Timestamp::UNIX_EPOCH;
        let mut keys = UsedKeys::default();
        for number in 0..=REMEMBERED_KEYS {
            keys.remember(&call("POST /a", &number.to_string(), Value::Null), &Ok(Value::Null), None, now);
        }
        assert!(keys.repeat(&call("POST /a", "0", Value::Null), now).is_none());
        assert!(keys.repeat(&call("POST /a", "1", Value::Null), now).is_some());
    }

    #[test]
    fn large_answers_make_room_too_but_the_newest_stays() {
        let now = Timestamp::UNIX_EPOCH;
        let mut keys = UsedKeys::default();
        let large = Ok(json!("x".repeat(REMEMBERED_BYTES / 2)));
        for number in ["1", "2", "3"] {
            keys.remember(&call("POST /a", number, Value::Null), &large, None, now);
        }
        let known =
            |keys: &mut UsedKeys, number| keys.repeat(&call("POST /a", number, Value::Null), now).is_some();
        assert!(!known(&mut keys, "1") && !known(&mut keys, "2") && known(&mut keys, "3"));
        let huge = Ok(json!("x".repeat(REMEMBERED_BYTES * 2)));
        keys.remember(&call("POST /a", "4", Value::Null), &huge, None, now);
        assert!(!known(&mut keys, "3") && known(&mut keys, "4"));
        let later = now.checked_add(KEY_LIFE + SignedDuration::from_secs(1)).unwrap();
        assert!(keys.repeat(&call("POST /a", "4", Value::Null), later).is_none());
        assert_eq!(keys.bytes, 0);
    }
}
