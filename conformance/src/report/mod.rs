//! Renders the run model, a file a format. Nothing here reads anything else.

mod console;
mod failure;
mod junit;

pub use console::Console;
pub use junit::junit;
