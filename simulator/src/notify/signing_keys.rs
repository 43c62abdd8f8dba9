//! Signing keys of an acquirer account (contract `webhooks-and-network-data.md` A.1).

use indexmap::IndexMap;
use jiff::Timestamp;
use klarna_schemas::ids::SigningKeyId;
use klarna_schemas::klarna::notification::SigningKey;
use secrecy::{ExposeSecret, SecretString};

use crate::engine::IdSource;

/// The most keys that an account may hold.
const MAX_KEYS: usize = 50;

/// An account's keys.
#[derive(Debug, Default)]
pub(crate) struct SigningKeys {
    keys: IndexMap<SigningKeyId, Held>,
}

#[derive(Debug)]
struct Held {
    secret: SecretString,
    created_at: Timestamp,
}

/// The account holds as many keys as it may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an account holds at most {MAX_KEYS} signing keys: delete one first")]
pub(crate) struct TooManyKeys;

impl SigningKeys {
    /// Makes a key. Its secret is in this answer and in no later one.
    pub(crate) fn create(&mut self, ids: &mut IdSource, now: Timestamp) -> Result<SigningKey, TooManyKeys> {
        if self.keys.len() >= MAX_KEYS {
            return Err(TooManyKeys);
        }
        let id =
            SigningKeyId(format!("krn:partner:global:notification:signing-key:{}", ids.uuid("signing-key")));
        let secret = SecretString::from(ids.text("signing-secret", 64));
        let shown = SigningKey {
            signing_key_id: id.clone(),
            signing_key: Some(secret.expose_secret().to_owned()),
            created_at: Some(now),
        };
        self.keys.insert(id, Held { secret, created_at: now });
        Ok(shown)
    }

    /// Takes over a key that was made before the start.
    pub(crate) fn lay_down(
        &mut self,
        id: SigningKeyId,
        secret: SecretString,
        now: Timestamp,
    ) -> Result<(), TooManyKeys> {
        if self.keys.len() >= MAX_KEYS {
            return Err(TooManyKeys);
        }
        self.keys.insert(id, Held { secret, created_at: now });
        Ok(())
    }

    /// All keys, without secrets.
    pub(crate) fn list(&self) -> Vec<SigningKey> {
        self.keys.keys().filter_map(|id| self.read(id)).collect()
    }

    /// One key, without its secret.
    pub(crate) fn read(&self, id: &SigningKeyId) -> Option<SigningKey> {
        let held = self.keys.get(id)?;
        Some(SigningKey { signing_key_id: id.clone(), signing_key: None, created_at: Some(held.created_at) })
    }

    /// Deletes a key; webhooks that use it keep signing with it (contract, decisions).
    pub(crate) fn delete(&mut self, id: &SigningKeyId) -> bool {
        self.keys.shift_remove(id).is_some()
    }

    /// Loses all keys; webhooks that use one keep signing with it.
    pub(crate) fn forget(&mut self) {
        self.keys.clear();
    }

    /// The oldest key but this one, with its secret.
    pub(crate) fn other_than(&self, id: &SigningKeyId) -> Option<(SigningKeyId, SecretString)> {
        let (id, held) = self.keys.iter().find(|(held, _)| *held != id)?;
        Some((id.clone(), held.secret.clone()))
    }

    /// A key's secret.
    pub(crate) fn secret(&self, id: &SigningKeyId) -> Option<SecretString> {
        self.keys.get(id).map(|held| held.secret.clone())
    }
}
