//! The signature on Klarna's webhooks (contract `webhooks-and-network-data.md` A.4).
//!
//! HMAC-SHA256 over the exact body bytes, keyed by the UTF-8 bytes of the signing key as Klarna
//! returned it, written as 64 lower-case hexadecimal digits.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Header that carries the signature.
pub const SIGNATURE_HEADER: &str = "klarna-signature";
/// Header that names the signing key.
pub const SIGNING_KEY_ID_HEADER: &str = "klarna-signing-key-id";

fn keyed(signing_key: &SecretString) -> Hmac<Sha256> {
    match Hmac::<Sha256>::new_from_slice(signing_key.expose_secret().as_bytes()) {
        Ok(mac) => mac,
        // HMAC takes keys of every length; the error type exists for other algorithms.
        Err(_) => unreachable!("HMAC-SHA256 refuses no key length"),
    }
}

/// The value of `Klarna-Signature` for a body.
pub fn sign(signing_key: &SecretString, body: &[u8]) -> String {
    let mut mac = keyed(signing_key);
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// Whether a signature fits a body. The comparison takes constant time.
pub fn verify(signing_key: &SecretString, body: &[u8], signature: &str) -> bool {
    let Ok(claimed) = hex::decode(signature) else {
        return false;
    };
    let mut mac = keyed(signing_key);
    mac.update(body);
    mac.verify_slice(&claimed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '%s' '{"metadata":{"event_id":"e-1"}}' | openssl dgst -sha256 -hmac 'key-å-1'`
    const BY_OPENSSL: &str = "dd2ab2497af676d98a6a540c08635d7be9ca553ba7ccceacf81c92b4560f1abe";

    #[test]
    fn agrees_with_openssl() {
        let key = SecretString::from("key-å-1");
        let body = br#"{"metadata":{"event_id":"e-1"}}"#;
        assert_eq!(sign(&key, body), BY_OPENSSL);
        assert!(verify(&key, body, BY_OPENSSL));
    }

    #[test]
    fn one_changed_byte_breaks_it() {
        let key = SecretString::from("key-å-1");
        assert!(!verify(&key, br#"{"metadata":{"event_id":"e-2"}}"#, BY_OPENSSL));
        assert!(!verify(&SecretString::from("other"), br#"{"metadata":{"event_id":"e-1"}}"#, BY_OPENSSL));
        assert!(!verify(&key, b"", "not hex"));
    }
}
