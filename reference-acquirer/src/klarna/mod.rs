//! All that passes between this acquirer and Klarna.

pub mod answer;
pub mod client;
pub mod listener;
mod presentation;
pub use presentation::{Presentation, PresentationCall};
pub mod presentation;
pub mod subscribe;
