//! A local Klarna.

pub mod control;

/// Chooses the one TLS provider of this process; later calls change nothing.
pub fn install_crypto_provider() {
    // An error only says that a provider stands already.
    let _already_there = rustls::crypto::ring::default_provider().install_default();
}
