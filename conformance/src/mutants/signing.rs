//! Klarna's signing keys, as the acquirer was given them through the proxy.

use std::sync::{Mutex, MutexGuard, PoisonError};

use klarna_schemas::signature::{SIGNATURE_HEADER, SIGNING_KEY_ID_HEADER, sign};
use secrecy::SecretString;

use crate::wire::{Answer, Call};

/// Most keys that Klarna keeps for an account (contract `webhooks-and-network-data.md` A.1).
const KEPT: usize = 50;

/// The keys, oldest first.
#[derive(Debug, Default)]
pub(super) struct SigningKeys(Mutex<Vec<(String, SecretString)>>);

impl SigningKeys {
    fn lock(&self) -> MutexGuard<'_, Vec<(String, SecretString)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns a key from the answer that made it: the only time that Klarna shows the secret.
    pub(super) fn learn(&self, answer: &Answer) {
        let Some(body) = answer.json() else { return };
        let text = |name: &str| body.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        let (Some(id), Some(secret)) = (text("signing_key_id"), text("signing_key")) else { return };
        let mut keys = self.lock();
        keys.retain(|(known, _)| *known != id);
        keys.push((id, SecretString::from(secret)));
        if keys.len() > KEPT {
            keys.remove(0);
        }
    }

    /// Signs an event by the key that it names, if that is known here, else by the newest.
    pub(super) fn sign(&self, event: &mut Call) {
        let keys = self.lock();
        let named = event.header(SIGNING_KEY_ID_HEADER);
        let key = keys.iter().find(|(id, _)| Some(id.as_str()) == named).or_else(|| keys.last());
        let Some((id, secret)) = key else {
            tracing::warn!(
                "the acquirer has made no signing key through the defect proxy: an event stays as it is"
            );
            return;
        };
        let signature = sign(secret, &event.body);
        event.set_header(SIGNING_KEY_ID_HEADER, id);
        event.set_header(SIGNATURE_HEADER, &signature);
    }
}
