//! What the proxy remembers of the payments that pass.

use std::sync::{Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;

use crate::wire::{Answer, Call};

/// How many payments are remembered; the oldest is forgotten first.
pub(super) const REMEMBERED: usize = 10_000;

/// The path of an authorize, which names the account, and the acquirer's reference.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) path: String,
    pub(super) reference: String,
}

impl Name {
    /// The payment that an authorize is about.
    pub(super) fn of(call: &Call) -> Option<Self> {
        let body = call.json()?;
        let reference = body.pointer("/request_payment_transaction/payment_transaction_reference")?;
        Some(Self { path: call.path().to_owned(), reference: reference.as_str()?.to_owned() })
    }
}

/// Payments for which Klarna wants a step-up, with the idempotency key of the call that it answered
/// so.
#[derive(Debug, Default)]
pub(super) struct SteppedUp(Mutex<IndexMap<Name, Option<String>>>);

impl SteppedUp {
    fn lock(&self) -> MutexGuard<'_, IndexMap<Name, Option<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes Klarna's answer to an authorize.
    pub(super) fn note(&self, name: Name, call: &Call, answer: &Answer) {
        if asks_for_step_up(answer) {
            remember(&mut self.lock(), name, key_of(call));
        }
    }

    /// Whether this call with a session token ends a step-up. The call that led to it, made again
    /// under its key, does not.
    pub(super) fn is_ended_by(&self, name: &Name, call: &Call) -> bool {
        match self.lock().get(name) {
            Some(Some(key)) => key_of(call).as_ref() != Some(key),
            Some(None) => true,
            None => false,
        }
    }
}

/// The account that a path of Klarna's names; empty where it names none.
pub(super) fn account_of(path: &str) -> String {
    let account = path.strip_prefix("/v2/accounts/").and_then(|rest| rest.split('/').next());
    percent_encoding::percent_decode_str(account.unwrap_or_default()).decode_utf8_lossy().into_owned()
}

fn key_of(call: &Call) -> Option<String> {
    call.header(klarna_schemas::klarna::IDEMPOTENCY_KEY_HEADER).map(str::to_owned)
}

/// Whether Klarna wants the Customer to be asked.
pub(super) fn asks_for_step_up(answer: &Answer) -> bool {
    let result = || {
        Some(answer.json()?.pointer("/payment_transaction_response/result")?.as_str()? == "STEP_UP_REQUIRED")
    };
    answer.status.is_success() && result().unwrap_or(false)
}

/// Puts an entry in; where there is no room, the oldest goes.
pub(super) fn remember<K: std::hash::Hash + Eq, V>(map: &mut IndexMap<K, V>, key: K, value: V) {
    map.insert(key, value);
    if map.len() > REMEMBERED {
        map.shift_remove_index(0);
    }
}
