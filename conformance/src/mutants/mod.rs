//! Deliberate defects, as a proxy between a sound acquirer and Klarna: they show that the suite can
//! fail.
//!
//! Towards the acquirer the proxy is Klarna, towards Klarna it is the acquirer; it knows no
//! acquirer's own API. What the defect does not touch passes byte for byte, both ways; where either
//! side ends an exchange without an answer, so does the proxy.

mod answers;
mod defects;
mod passage;
mod payments;
mod plan;
mod plans;
mod proxy;
mod registration;
mod signing;

pub use defects::{DEFECTS, Defect};
pub use proxy::{MutantError, MutantProxy};
