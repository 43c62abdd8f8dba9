//! What an answer or a notification of an acquirer means to its Partner.

use serde::{Deserialize, Serialize};

/// How a payment stands, in the words of the features, whatever the acquirer calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The money is promised.
    Approved,
    /// It never will be.
    Declined,
    /// The Customer must be asked first.
    StepUp,
    /// The acquirer refused the request itself.
    Invalid,
    /// Not known yet.
    Pending,
    /// The acquirer gave up.
    Failed,
    /// Called off by the Customer or the Partner.
    Canceled,
    /// The Customer took too long.
    Expired,
}

impl Outcome {
    /// Every outcome, in the order in which help texts list them.
    pub const ALL: [Self; 8] = [
        Self::Approved,
        Self::Declined,
        Self::StepUp,
        Self::Invalid,
        Self::Pending,
        Self::Failed,
        Self::Canceled,
        Self::Expired,
    ];

    /// The word that adapters and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::StepUp => "step_up",
            Self::Invalid => "invalid",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }

    /// Whether nothing more is to come.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::StepUp | Self::Pending)
    }
}

/// What `is` of a rule can be: a closed set of words.
pub(super) trait Word: Copy + 'static {
    /// All, in the order in which help texts list them.
    const ALL: &'static [Self];

    /// The word that adapters use.
    fn word(self) -> &'static str;
}

impl Word for Outcome {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
