//! What the tester asked Klarna to do.

pub(crate) mod plan;
