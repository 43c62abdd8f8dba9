//! What the tester asked Klarna to do.

pub(crate) mod choosing;
mod conditions;
mod customer_script;
pub(crate) mod evolution;
pub(crate) mod faults;
mod implied;
mod known_fields;
mod magic_values;
mod places;
pub(crate) mod plan;
mod possible_values;
pub(crate) mod rule_check;
pub(crate) mod rules;
mod shadowing;
