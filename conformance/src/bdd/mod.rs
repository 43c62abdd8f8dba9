//! Cucumber, and nothing else that names it.
//!
//! The runner, the expressions' registry and the event model are Cucumber's; what a step is, what a
//! scenario needs and what a run leaves behind are ours. Another runner could take its place here.

mod features;
mod pause;
mod recorder;
mod registry;
mod runner;
mod world;

pub use runner::{Manner, run};
