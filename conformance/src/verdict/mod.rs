//! From what was found to how each duty stands.

mod duties;
mod overall;
mod scenario;

pub use duties::{duty, of_duties};
pub use overall::{Conclusion, Cut, conclude};
pub use scenario::of_scenario;
