//! Which scenarios a run holds: feature files, lint, tags, capabilities, selection.

mod embedded;
mod expand;
mod lint;
mod problem;
mod prose;
mod scenario;
mod select;
mod source;
mod tags;

pub use embedded::{embedded_adapters, embedded_features};
pub use lint::{Checked, check};
pub use problem::Problem;
pub use scenario::{Disposition, Needs, PlannedStep, Scenario, slug};
pub use select::{Selection, SelectionError, Spot};
pub use source::{FeatureFile, SourceError};
