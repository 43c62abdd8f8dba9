//! The one place of the suite that owns chance: the seed of a run that names none.

/// A new seed: small enough to be typed again.
#[expect(
    clippy::disallowed_methods,
    reason = "this module owns chance; the seed is printed, and the rest follows from it"
)]
pub(super) fn new_seed() -> u64 {
    use rand::RngExt as _;
    rand::rng().random_range(1..=999_999_999)
}
