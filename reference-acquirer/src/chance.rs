//! The one place that draws random values: names that nobody may guess, and jitter.

use rand::Rng as _;
use uuid::Uuid;

/// A new name with a prefix that tells what it names, e.g. `pay_0199…`. Names sort by age.
#[expect(clippy::disallowed_methods, reason = "this module owns chance")]
pub fn new_id(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::now_v7().simple())
}

/// So many random bytes, for keys and nonces.
#[expect(clippy::disallowed_methods, reason = "this module owns chance")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// 256 bits that nobody can guess, as hexadecimal digits.
pub fn unguessable() -> String {
    hex::encode(bytes::<32>())
}

/// A share between one half and one, so that those who failed together do not return together.
#[expect(clippy::disallowed_methods, reason = "this module owns chance")]
pub fn jitter() -> f64 {
    0.5 + f64::from(rand::rng().next_u32()) / f64::from(u32::MAX) / 2.0
}
