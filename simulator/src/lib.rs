//! A local Klarna: Payment Authorize, the Purchase Journey, signed webhooks, a clock and a journal.
//!
//! Run it alone with `klarna-simulator serve`, or embed it:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use klarna_simulator::Simulator;
//!
//! let simulator = Simulator::builder().seed(7).start().await?;
//! println!("Klarna is at {}", simulator.base_url());
//! simulator.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! Data flows one way: `server` → `api`, `journey`, `control` → `engine` → `klarna_schemas`. The
//! engine knows no HTTP, no clock and no I/O; `world` is the only place that holds locks.

mod api;
mod authority;
mod behaviour;
mod by_name;
pub mod cli;
mod clock;
pub mod config;
mod connection;
pub mod control;
mod engine;
mod evidence;
mod icons;
mod journal;
mod journey;
mod notify;
mod openapi;
mod pattern;
mod qr_code;
mod rulebook;
mod rules_file;
mod server;
mod simulator;
mod world;

pub use authority::TlsError;
pub use config::{DefaultOutcome, UnknownAccounts};
pub use simulator::{Simulator, SimulatorBuilder, StartError};
pub use world::{Tallied, Tally};

/// Chooses the one TLS provider of this process; later calls change nothing.
pub fn install_crypto_provider() {
    // An error only says that a provider stands already.
    let _already_there = rustls::crypto::ring::default_provider().install_default();
}
