//! All that passes between this acquirer and Klarna.

pub mod answer;
mod breaker;
pub mod client;
pub mod listener;
pub mod presentation;
pub mod subscribe;
pub mod transactions;
