//! One payment with canaries: whether an adapter and its acquirer understand each other, before anything is
//! judged.
//!
//! [`canaries`] makes an order in which each value is like no other, [`make`] lets the Partner pay it to its
//! end, and [`Report`] tells where each value came out and what could be read.

mod answers;
mod canary;
mod conclude;
mod course;
mod customer;
mod find;
mod report;
mod sureness;

pub use canary::{Canary, canaries};
pub use course::{TrialParties, make};
pub use find::Form;
pub use report::{CameOut, Heard, Report, WasRead};
pub use sureness::Sureness;
