//! The one place that reads the wall clock.

use jiff::Timestamp;

/// The time now, in whole milliseconds: as exact as the database keeps it.
#[expect(clippy::disallowed_methods, reason = "this module owns the wall clock")]
pub fn now() -> Timestamp {
    let exact = Timestamp::now();
    Timestamp::from_millisecond(exact.as_millisecond()).unwrap_or(exact)
}

/// The time after a pause from now; the end of time where there is none.
pub fn after(pause: std::time::Duration) -> Timestamp {
    now().checked_add(pause).unwrap_or(Timestamp::MAX)
}

/// How long it is until then; nothing where it has passed.
pub fn until(then: Timestamp) -> std::time::Duration {
    then.duration_since(now()).try_into().unwrap_or_default()
}
