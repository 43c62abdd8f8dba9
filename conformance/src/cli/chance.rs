//! The one place of the suite that owns chance: the seed of a run that names none, and the token of a simulator
//! that the network can reach.

/// A token that nobody guesses.
#[expect(clippy::disallowed_methods, reason = "this module owns chance")]
pub(super) fn new_token() -> secrecy::SecretString {
    use rand::RngExt as _;
    let half = || format!("{:032x}", rand::rng().random::<u128>());
    (half() + &half()).into()
}

/// A new seed: small enough to be typed again.
#[expect(
    clippy::disallowed_methods,
    reason = "this module owns chance; the seed is printed, and the rest follows from it"
)]
pub(super) fn new_seed() -> u64 {
    use rand::RngExt as _;
    rand::rng().random_range(1..=999_999_999)
}
