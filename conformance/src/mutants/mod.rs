//! Deliberate defects, as a proxy between a sound acquirer and Klarna: they show that the suite can
//! fail.
//!
//! What the defect does not touch passes byte for byte, both ways.

mod defects;
mod network_data;
mod proxy;

pub use defects::{DEFECTS, Defect};
pub use proxy::{MutantError, MutantProxy};
