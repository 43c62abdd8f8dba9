//! HMAC as adapters declare it: algorithm, and how keys and signatures are written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_saphyr::Spanned;
use sha2::{Digest as _, Sha256, Sha512};

use super::error::AdapterError;
use super::source::Source;

/// Which hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha512,
}

/// How bytes are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Base64,
}

/// How the key's bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretEncoding {
    Utf8,
    Hex,
    Base64,
}

/// Names of hashes, as digests have them.
pub(super) const HASHES: &[(&str, Hash)] = &[("sha256", Hash::Sha256), ("sha512", Hash::Sha512)];
/// Names of algorithms.
pub(super) const ALGORITHMS: &[(&str, Hash)] =
    &[("hmac-sha256", Hash::Sha256), ("hmac-sha512", Hash::Sha512)];

impl Hash {
    /// The HMAC of a message.
    pub(super) fn sign(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => mac::<Hmac<Sha256>>(key, message).map(|mac| mac.finalize().into_bytes().to_vec()),
            Self::Sha512 => mac::<Hmac<Sha512>>(key, message).map(|mac| mac.finalize().into_bytes().to_vec()),
        }
        .unwrap_or_default()
    }

    /// Whether a claimed HMAC is that of the message; in constant time.
    pub(super) fn fits(self, key: &[u8], message: &[u8], claimed: &[u8]) -> bool {
        match self {
            Self::Sha256 => {
                mac::<Hmac<Sha256>>(key, message).is_some_and(|mac| mac.verify_slice(claimed).is_ok())
            }
            Self::Sha512 => {
                mac::<Hmac<Sha512>>(key, message).is_some_and(|mac| mac.verify_slice(claimed).is_ok())
            }
        }
    }

    /// The hash of bytes, without a key.
    pub(super) fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// HMAC takes keys of any length.
fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Option<M> {
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    mac.update(message);
    Some(mac)
}

impl Encoding {
    /// Reads its names.
    pub(super) fn read_name(
        source: &Source,
        name: Option<&Spanned<String>>,
    ) -> Result<Option<Self>, AdapterError> {
        word(source, "encoding", name, &[("hex", Self::Hex), ("base64", Self::Base64)])
    }

    /// Bytes as text.
    pub(super) fn write(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => STANDARD.encode(bytes),
        }
    }

    /// Text as bytes.
    ///
    /// # Errors
    /// What the text is not.
    pub(super) fn read(self, text: &str) -> Result<Vec<u8>, &'static str> {
        match self {
            Self::Hex => hex::decode(text).map_err(|_| "hexadecimal"),
            Self::Base64 => STANDARD.decode(text).map_err(|_| "base64"),
        }
    }
}

impl SecretEncoding {
    /// Reads its names; UTF-8 where nothing is said.
    pub(super) fn read_name(source: &Source, name: Option<&Spanned<String>>) -> Result<Self, AdapterError> {
        let known = [("utf8", Self::Utf8), ("hex", Self::Hex), ("base64", Self::Base64)];
        Ok(word(source, "encoding", name, &known)?.unwrap_or(Self::Utf8))
    }

    /// The bytes of a key.
    ///
    /// # Errors
    /// What the secret is not.
    pub(super) fn key(self, secret: String) -> Result<Vec<u8>, &'static str> {
        match self {
            Self::Utf8 => Ok(secret.into_bytes()),
            Self::Hex => Encoding::Hex.read(&secret),
            Self::Base64 => Encoding::Base64.read(&secret),
        }
    }
}

/// The meaning of a word, if it stands there.
pub(super) fn word<T: Copy>(
    source: &Source,
    what: &str,
    word: Option<&Spanned<String>>,
    known: &[(&str, T)],
) -> Result<Option<T>, AdapterError> {
    let Some(word) = word else { return Ok(None) };
    if let Some((_, value)) = known.iter().find(|(name, _)| *name == word.value) {
        return Ok(Some(*value));
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    Err(source.unknown(word.referenced.into(), what, &word.value, &names))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '%s' 'message' | openssl dgst -sha256 -hmac key` and the same with `-sha512`
    #[test]
    fn both_hashes_agree_with_openssl() {
        let sha256 = "6e9ef29b75fffc5b7abae527d58fdadb2fe42e7219011976917343065f58ed4a";
        assert_eq!(hex::encode(Hash::Sha256.sign(b"key", b"message")), sha256);
        let sha512 = "e477384d7ca229dd1426e64b63ebf2d36ebd6d7e669a6735424e72ea6c01d3f8b56eb39c36d8232f5427999b8d1a3f9cd1128fc69f4d75b434216810fa367e98";
        assert_eq!(hex::encode(Hash::Sha512.sign(b"key", b"message")), sha512);
        assert!(Hash::Sha512.fits(b"key", b"message", &hex::decode(sha512).unwrap()));
        assert!(!Hash::Sha256.fits(b"key", b"massage", &hex::decode(sha256).unwrap()));
    }
}
