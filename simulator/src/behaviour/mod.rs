//! What the tester asked Klarna to do.

pub(crate) mod faults;
pub(crate) mod plan;
