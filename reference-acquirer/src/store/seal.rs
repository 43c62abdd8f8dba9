//! What is secret in the database is encrypted there (AES-256-GCM).
//!
//! A sealed text is `s1:` and the base64 of nonce, ciphertext and tag. The tag covers the column it
//! stands in, too, so that nobody who can write to the database makes one thing pass for another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use secrecy::{ExposeSecret as _, SecretString};

use crate::chance;

/// What every sealed text starts with.
const PREFIX: &str = "s1:";

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// A key that is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be the standard base64 of {KEY_BYTES} bytes, or several of them with commas between")]
pub struct NotAKey;

/// What could not be sealed or opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// Beyond what the cipher can take, 64 GiB.
    #[error("a text is too long to be encrypted")]
    CannotSeal,
    /// None of the keys opens it.
    #[error("{0} cannot be opened with the database_key that is set: was it sealed with another one?")]
    CannotOpen(&'static str),
}

/// Seals with the first key, opens with any: so a key can be replaced while the database holds what
/// the old one sealed.
#[derive(Debug)]
pub struct Sealer {
    first: LessSafeKey,
    older: Vec<LessSafeKey>,
}

impl Sealer {
    /// Of one or more keys, with commas between.
    pub fn new(keys: &SecretString) -> Result<Self, NotAKey> {
        let mut keys = keys.expose_secret().split(',').map(|key| {
            let key = STANDARD.decode(key.trim()).map_err(|_| NotAKey)?;
            Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).map_err(|_| NotAKey)?))
        });
        Ok(Self { first: keys.next().ok_or(NotAKey)??, older: keys.collect::<Result<_, _>>()? })
    }

    /// A new key, as the setting wants it.
    pub fn new_key() -> SecretString {
        STANDARD.encode(chance::bytes::<KEY_BYTES>()).into()
    }

    /// Seals a text for its column.
    pub(super) fn seal(&self, column: &'static str, text: &SecretString) -> Result<String, SealError> {
        // 96 random bits: far below the 2^32 texts that one key may seal with random nonces.
        let nonce = chance::bytes::<NONCE_LEN>();
        let mut sealed = text.expose_secret().as_bytes().to_vec();
        let tag = self
            .first
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(column), &mut sealed)
            .map_err(|_| SealError::CannotSeal)?;
        let bytes = [nonce.as_slice(), &sealed, tag.as_ref()].concat();
        Ok(format!("{PREFIX}{}", STANDARD.encode(bytes)))
    }

    /// Opens what was sealed for that column.
    pub(super) fn open(&self, column: &'static str, sealed: &str) -> Result<SecretString, SealError> {
        let cannot = || SealError::CannotOpen(column);
        let bytes =
            sealed.strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok()).ok_or_else(cannot)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(cannot)?;
        let opened = std::iter::once(&self.first).chain(&self.older).find_map(|key| {
            let mut text = sealed.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let length = key.open_in_place(nonce, Aad::from(column), &mut text).ok()?.len();
            text.truncate(length);
            String::from_utf8(text).ok()
        });
        opened.map(SecretString::from).ok_or_else(cannot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(keys: &[&SecretString]) -> Sealer {
        let keys: Vec<&str> = keys.iter().map(|key| key.expose_secret()).collect();
        Sealer::new(&keys.join(",").into()).unwrap()
    }

    #[test]
    fn what_is_sealed_is_opened_in_its_column_alone() {
        let one = sealer(&[&Sealer::new_key()]);
        let text = SecretString::from("whsec_1, å");
        let sealed = one.seal("a", &text).unwrap();
        assert!(!sealed.contains("whsec"));
        assert_ne!(sealed, one.seal("a", &text).unwrap(), "a nonce is used once");
        assert_eq!(one.open("a", &sealed).unwrap().expose_secret(), text.expose_secret());
        assert_eq!(one.open("b", &sealed).unwrap_err(), SealError::CannotOpen("b"));
    }

    #[test]
    fn a_text_that_was_altered_or_never_sealed_is_not_opened() {
        let one = sealer(&[&Sealer::new_key()]);
        let sealed = one.seal("a", &"secret".into()).unwrap();
        let mut altered = STANDARD.decode(sealed.strip_prefix(PREFIX).unwrap()).unwrap();
        *altered.last_mut().unwrap() ^= 1;
        for text in
            [format!("{PREFIX}{}", STANDARD.encode(altered)), "secret".into(), PREFIX.into(), String::new()]
        {
            assert_eq!(one.open("a", &text).unwrap_err(), SealError::CannotOpen("a"), "{text}");
        }
    }

    #[test]
    fn a_key_is_replaced_without_losing_what_the_old_one_sealed() {
        let (old, new) = (Sealer::new_key(), Sealer::new_key());
        let sealed = sealer(&[&old]).seal("a", &"secret".into()).unwrap();
        let both = sealer(&[&new, &old]);
        assert!(both.open("a", &sealed).is_ok());
        let sealed_anew = both.seal("a", &"secret".into()).unwrap();
        assert!(sealer(&[&new]).open("a", &sealed_anew).is_ok(), "the first key seals");
        assert_eq!(sealer(&[&new]).open("a", &sealed).unwrap_err(), SealError::CannotOpen("a"));
    }

    #[test]
    fn a_key_has_32_bytes() {
        for text in ["", "AAAA", "not base64!", ",", &format!("{},", Sealer::new_key().expose_secret())] {
            assert_eq!(Sealer::new(&text.into()).unwrap_err(), NotAKey, "{text}");
        }
    }
}
