//! How sure it is that something came out, or was read.

use std::fmt;

/// How sure it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sureness {
    /// Each time that it could be: twice or more.
    Seen,
    /// In one place only.
    SeenOnce,
    /// Some of the times that it could be.
    SeenSometimes {
        /// How often.
        times: usize,
        /// Of how many.
        of: usize,
    },
    /// Never, and why.
    NotSeen(String),
}

impl Sureness {
    /// Of something that was there so many times of so many; `why` it was not, if it never was.
    pub(super) fn of(times: usize, of: usize, why: impl FnOnce() -> String) -> Self {
        match times {
            0 => Self::NotSeen(why()),
            1 => Self::SeenOnce,
            times if times == of => Self::Seen,
            times => Self::SeenSometimes { times, of },
        }
    }

    /// Whether it was there at all.
    pub fn is_seen(&self) -> bool {
        !matches!(self, Self::NotSeen(_))
    }
}

impl fmt::Display for Sureness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seen => f.write_str("seen"),
            Self::SeenOnce => f.write_str("seen once"),
            Self::SeenSometimes { times, of } => write!(f, "seen {times} times of {of}"),
            Self::NotSeen(why) => write!(f, "not seen: {why}"),
        }
    }
}
