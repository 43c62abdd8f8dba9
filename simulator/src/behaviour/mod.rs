//! What the tester asked Klarna to do.

pub(crate) mod choosing;
mod conditions;
pub(crate) mod customer_script;
pub(crate) mod doings;
pub(crate) mod evolution;
pub(crate) mod faults;
mod implied;
pub(crate) mod known_fields;
mod magic_values;
pub(crate) mod mistake;
mod places;
pub(crate) mod plan;
mod possible_values;
pub(crate) mod rule_check;
pub(crate) mod rules;
mod shadowing;
