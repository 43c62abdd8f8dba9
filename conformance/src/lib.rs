//! Shows whether an acquirer forwards Klarna Network Data byte for byte and completes final
//! authorization.
//!
//! The way of a run: [`cli`] reads the command line, [`plan`] reads and checks the features,
//! [`adapter`] binds the abstract operations to one acquirer's API, [`launch`] starts it as another
//! process, [`bdd`] runs the scenarios with the [`steps`], each in a [`world`] of its own,
//! [`verdict`] weighs what was found, and [`report`] renders the run [`model`].
//!
//! Nothing here knows the reference acquirer but [`builtin`], which starts it.

pub mod adapter;
pub mod authority;
pub mod bdd;
pub mod browser;
pub mod builtin;
mod cause;
pub mod cli;
pub mod draft;
pub mod exit_code;
pub mod expected;
pub mod launch;
pub mod model;
pub mod mutants;
pub mod partner;
pub mod plan;
mod port;
mod redaction;
pub mod report;
pub mod steps;
pub mod traces;
pub mod trial;
pub mod verdict;
mod wire;
pub mod world;
