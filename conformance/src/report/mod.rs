//! Renders the run model, a file a format. Nothing here reads anything else.

mod console;
mod failure;
mod junit;
mod scenario;

pub use console::Console;
pub use junit::junit;
pub(crate) use scenario::{planned, scenario_text};
