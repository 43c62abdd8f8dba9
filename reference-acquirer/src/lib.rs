//! An Acquiring Partner that integrates Klarna as it should be done, and durably.
//!
//! The way of a payment is the way through the folders: a Partner's request comes in by [`http`],
//! [`payments::service`] decides what it means, [`store`] makes it durable, [`klarna`] speaks to
//! Klarna, and [`workers`] go on with whatever is not finished, also after a restart.
//!
//! Three rules hold everywhere:
//!
//! 1. What is answered is durable first: a payment, the calls it needs and its open work commit
//!    together before anybody hears of it.
//! 2. A Klarna call is written down (idempotency key and body) before it is made, so that every
//!    repetition is the same call.
//! 3. Only an answer of Klarna or a verified webhook changes a payment's state, and only by the
//!    state machine in [`payments::payment`].

pub mod chance;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dead_letters;
pub mod http;
pub mod klarna;
pub mod payments;
pub mod points;
pub mod server;
pub mod spans;
pub mod store;
pub mod telemetry;
pub mod workers;
