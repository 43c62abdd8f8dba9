//! The wire contract of the local Klarna.
//!
//! The JSON Schema 2020-12 files beside this crate are the truth about every shape that crosses a
//! wire; [`catalogue`] compiles them offline and answers violations in Klarna's dot notation. The
//! other modules are typed views of the same shapes, written by hand, and the few facts that all
//! parts must agree on: ids, money, signatures, duties.

pub mod catalogue;
pub mod cause;
pub mod ids;
pub mod klarna;
pub mod money;
pub mod nearest;
pub mod open_enum;
pub mod requirements;
pub mod signature;
pub mod simulator;
