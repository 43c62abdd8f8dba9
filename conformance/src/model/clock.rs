//! The suite's wall clock: only for the times that a report prints.

use jiff::Timestamp;

/// Now.
#[expect(clippy::disallowed_methods, reason = "this module owns the suite's clock; nothing is judged by it")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
