//! The tester's API under `/_simulator/v1`, and a client for it.

pub mod client;
