//! What the tester asked Klarna to do.

pub(crate) mod choosing;
mod conditions;
pub(crate) mod evolution;
pub(crate) mod faults;
mod known_fields;
mod magic_values;
pub(crate) mod plan;
pub(crate) mod rule_check;
pub(crate) mod rules;
