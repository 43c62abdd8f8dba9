//! Why a step did not hold.

use klarna_schemas::simulator::finding::Finding;
use klarna_simulator::control::client::ControlError;

use crate::adapter::PartnerExchange;

/// Why a step ends its scenario.
#[derive(Debug)]
pub enum Failure {
    /// A duty was seen kept badly.
    Found {
        /// Which, where, what, and how to mend it.
        finding: Box<Finding>,
        /// The call of the Partner that shows it, if one does.
        exchange: Option<Box<PartnerExchange>>,
    },
    /// There was nothing to judge: the step neither holds nor fails.
    NothingToJudge(String),
    /// The acquirer has nothing that the scenario could be about: it is not asked of it.
    NotApplicable(String),
    /// The suite or the simulator failed, not the acquirer.
    Broken(String),
}

impl Failure {
    /// A finding with no call of the Partner to show.
    pub fn found(finding: Finding) -> Self {
        Self::found_in(finding, None)
    }

    /// A finding, with the call of the Partner that shows it, if one does.
    pub fn found_in(finding: Finding, exchange: Option<PartnerExchange>) -> Self {
        Self::Found { finding: Box::new(finding), exchange: exchange.map(Box::new) }
    }

    /// A feature that uses steps in an order that makes no sense.
    pub fn misused(what: &str) -> Self {
        Self::Broken(format!("the scenario cannot be played: {what}"))
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Found { finding, .. } => write!(f, "{}: {}", finding.rule, finding.what),
            Self::NothingToJudge(why) => write!(f, "nothing to judge: {why}"),
            Self::NotApplicable(why) => write!(f, "not applicable: {why}"),
            Self::Broken(why) => f.write_str(why),
        }
    }
}
