//! What a Partner authenticates with, as the acquirer keeps it: hashed.
//!
//! A key is a long random string, so one round of SHA-256 is enough: there is no shorter way to a key
//! than to try them all. Passwords of people would need more.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::chance;

/// What new keys start with, so that people and scanners know what leaked.
const PREFIX: &str = "acquirer_";

/// The SHA-256 of a Partner's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a key.
    pub fn of(key: &SecretString) -> Self {
        Self(Sha256::digest(key.expose_secret()).into())
    }

    /// Whether two are the same, in a time that tells nothing about where they differ.
    pub fn is(&self, other: &Self) -> Choice {
        self.0.as_slice().ct_eq(other.0.as_slice())
    }

    /// As the setting `api_key_sha256` wants it.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }
}

impl<'de> Deserialize<'de> for KeyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash)
            .map_err(|_| serde::de::Error::custom("must be a SHA-256 in 64 hexadecimal digits"))?;
        Ok(Self(hash))
    }
}

/// A new key, which nobody can guess.
pub fn new_key() -> SecretString {
    format!("{PREFIX}{}", chance::unguessable()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf %s beta-test-key | sha256sum`
    const BY_SHA256SUM: &str = "57139734a7a24c4d88e92930ae1f700721160c919e799628190f8834e0b8dee4";

    #[test]
    fn agrees_with_sha256sum() {
        let hash = KeyHash::of(&"beta-test-key".into());
        assert_eq!(hash.to_hex(), BY_SHA256SUM);
        let read: KeyHash = serde_json::from_value(BY_SHA256SUM.to_uppercase().into()).unwrap();
        assert!(bool::from(read.is(&hash)));
        assert!(!bool::from(read.is(&KeyHash::of(&"alpha-test-key".into()))));
    }

    #[test]
    fn a_hash_has_64_hexadecimal_digits() {
        for text in [
            "",
            "beta-test-key",
            &BY_SHA256SUM[1..],
            &format!("{BY_SHA256SUM}0"),
            &BY_SHA256SUM.replace('3', "g"),
        ] {
            assert!(serde_json::from_value::<KeyHash>(text.into()).is_err(), "{text}");
        }
    }

    #[test]
    fn new_keys_are_long_and_differ() {
        let (one, other) = (new_key(), new_key());
        assert_ne!(one.expose_secret(), other.expose_secret());
        assert_eq!(one.expose_secret().len(), PREFIX.len() + 64);
    }
}
