//! The vocabulary of the features, a file a speaker.
//!
//! A step is one row of a table: who speaks, how it reads, an example, what it means, and the
//! function that does it. The registry, the lint and docs/steps.md are made from these rows, so no
//! step is without its words.

mod acquirer;
mod behaviour;
mod catalogue;
mod customer;
mod definition;
mod doc_string;
mod docs;
mod events;
mod expression;
mod follow_ups;
mod journal;
mod klarna;
mod methods;
mod partner;
mod reach;
mod registrations;
mod trouble;
mod words;

pub(crate) use catalogue::compiled;
pub use catalogue::{Found, all, find, misfit, nearest, reads_as_a_step};
pub use definition::{Argument, Definition, Keyword, StepFuture, StepInput, StepResult, Voice};
pub use doc_string::{PAGING, Unreadable};
pub use docs::{listing, markdown};
pub use reach::{Hand, Reached, reached};
