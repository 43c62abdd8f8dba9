//! What the process says when it ends. These numbers are an API: scripts branch on them.

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// 0: every selected check held.
    Held,
    /// 1: some did not.
    NotHeld,
    /// 2: the command line makes no sense.
    Usage,
    /// 3: a feature file, the adapter file or the list of `--expected` is not valid; nothing was started.
    Invalid,
    /// 4: the selection is empty, or nothing in it applies to this acquirer.
    NothingSelected,
    /// 5: the acquirer or the simulator could not be started or reached.
    Unreachable,
    /// 6: the run itself broke, e.g. a report could not be written.
    Broken,
    /// 130: interrupted by Ctrl-C or SIGTERM; the reports hold what was seen until then.
    Interrupted,
}

impl Exit {
    /// Strongest first: when two apply, the earlier one is said.
    pub const PRECEDENCE: [Self; 8] = [
        Self::Interrupted,
        Self::Usage,
        Self::Invalid,
        Self::NothingSelected,
        Self::Unreachable,
        Self::Broken,
        Self::NotHeld,
        Self::Held,
    ];

    /// The number that the process ends with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::NotHeld => 1,
            Self::Usage => 2,
            Self::Invalid => 3,
            Self::NothingSelected => 4,
            Self::Unreachable => 5,
            Self::Broken => 6,
            Self::Interrupted => 130,
        }
    }

    /// Which of two is said.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::PRECEDENCE.into_iter().find(|exit| *exit == self || *exit == other).unwrap_or(self)
    }

    /// What it means, in words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Held => "every selected check held",
            Self::NotHeld => "some checks did not hold",
            Self::Usage => "the command line makes no sense",
            Self::Invalid => "a feature file, the adapter file or the list of --expected is not valid",
            Self::NothingSelected => "nothing was selected",
            Self::Unreachable => "the acquirer or the simulator could not be started or reached",
            Self::Broken => "the run itself broke",
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_reason_is_said() {
        let order: Vec<u8> = Exit::PRECEDENCE.iter().map(|exit| exit.code()).collect();
        assert_eq!(order, [130, 2, 3, 4, 5, 6, 1, 0]);
        assert_eq!(Exit::Held.or(Exit::NotHeld), Exit::NotHeld);
        assert_eq!(Exit::Broken.or(Exit::NotHeld), Exit::Broken);
        assert_eq!(Exit::Unreachable.or(Exit::Invalid), Exit::Invalid);
        assert_eq!(Exit::Interrupted.or(Exit::Usage), Exit::Interrupted);
    }
}
