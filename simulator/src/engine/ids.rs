//! Ids and tokens, drawn from the seed alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Makes every id of one sandbox and epoch: each is a keyed hash of (seed, place, kind, ordinal), so
/// drawing one more id of one kind changes no other.
#[derive(Debug, Clone)]
pub(crate) struct IdSource {
    seed: u64,
    place: String,
    next: std::collections::HashMap<&'static str, u64>,
}

impl IdSource {
    pub(crate) fn new(seed: u64, place: impl Into<String>) -> Self {
        Self { seed, place: place.into(), next: std::collections::HashMap::new() }
    }

    /// The next ordinal of a kind, from 1.
    pub(crate) fn ordinal(&mut self, kind: &'static str) -> u64 {
        let next = self.next.entry(kind).or_insert(0);
        *next += 1;
        *next
    }

    /// The next UUID of a kind.
    pub(crate) fn uuid(&mut self, kind: &'static str) -> Uuid {
        let ordinal = self.ordinal(kind);
        let digest = self.hash(kind, ordinal, 0);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(digest.get(..16).unwrap_or(&[0; 16]));
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// The next opaque text of a kind, of exactly `length` URL-safe characters.
    pub(crate) fn text(&mut self, kind: &'static str, length: usize) -> String {
        let ordinal = self.ordinal(kind);
        let mut text = String::with_capacity(length + 43);
        let mut block = 0;
        while text.len() < length {
            text.push_str(&URL_SAFE_NO_PAD.encode(self.hash(kind, ordinal, block)));
            block += 1;
        }
        text.truncate(length);
        text
    }

    /// What makes an id longer, and of another form.
    pub(crate) fn tail(&mut self) -> String {
        format!("~v2_{}", self.text("longer-id", 120))
    }

    /// A number below `below` for an ordinal of a kind; drawing it draws nothing of the others.
    pub(crate) fn number(&self, kind: &str, ordinal: u64, below: u64) -> u64 {
        let digest = self.hash(kind, ordinal, 0);
        let mut bytes = [0; 8];
        bytes.copy_from_slice(digest.get(..8).unwrap_or(&[0; 8]));
        // The remainder favours none by more than one in 2^44: weights sum up to 10^8 at most.
        u64::from_be_bytes(bytes).checked_rem(below).unwrap_or(0)
    }

    fn hash(&self, kind: &str, ordinal: u64, block: u64) -> Vec<u8> {
        let mut hash = Sha256::new();
        for part in [&self.seed.to_be_bytes()[..], &ordinal.to_be_bytes(), &block.to_be_bytes()] {
            hash.update(part);
        }
        hash.update(self.place.as_bytes());
        hash.update([0]);
        hash.update(kind.as_bytes());
        hash.finalize().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids_and_kinds_do_not_disturb_each_other() {
        let mut one = IdSource::new(7, "a#1");
        let mut other = IdSource::new(7, "a#1");
        other.text("token", 40);
        assert_eq!(one.uuid("request"), other.uuid("request"));
        assert_ne!(one.uuid("request"), IdSource::new(7, "a#2").uuid("request"));
        assert_ne!(one.uuid("request"), IdSource::new(8, "a#1").uuid("request"));
    }

    #[test]
    fn text_has_the_length_asked_for() {
        for length in [1, 43, 44, 10_240] {
            assert_eq!(IdSource::new(1, "a").text("token", length).len(), length);
        }
    }
}
