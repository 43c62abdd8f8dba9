//! Events that nobody can hear: what is certain need not be waited for.

use std::time::Duration;

use klarna_schemas::simulator::finding::Severity;

use super::World;
use super::context::PATIENCE;
use super::failure::Failure;
use crate::adapter::Outcome;

/// The rule of the simulator that finds an event without an enabled webhook.
const UNCOVERED: &str = "subscription.covers-state-changes";

/// How long such an event is waited for all the same: the acquirer may register late, and go on.
const GRACE: Duration = Duration::from_millis(500);

impl World {
    /// How long an event of this type is worth waiting for.
    ///
    /// Where Klarna's rules have found that no enabled webhook covers it, the scenario has failed by
    /// that already, and no wait makes it better; so a slow acquirer, which has one, loses nothing.
    pub(super) async fn patience_for(&self, event_type: &str) -> Result<Duration, Failure> {
        Ok(if self.is_unheard(event_type).await? { GRACE } else { PATIENCE })
    }

    /// How long news are worth waiting for that the acquirer can only learn by an event of this type;
    /// `None` is as long as ever.
    pub(super) async fn patience_for_news(&self, event_type: &str) -> Result<Option<Duration>, Failure> {
        let by_event = self.answered(Outcome::StepUp)?;
        Ok((by_event && self.is_unheard(event_type).await?).then_some(GRACE))
    }

    async fn is_unheard(&self, event_type: &str) -> Result<bool, Failure> {
        let found = self.run.control.findings(self.account(), None).await?.findings;
        let uncovered = found.iter().any(|finding| {
            finding.rule == UNCOVERED
                && finding.severity == Severity::Fails
                && finding.what.contains(event_type)
        });
        if uncovered {
            self.remark(format!(
                "no enabled webhook of the acquirer covers {event_type}: nothing to wait for"
            ));
        }
        Ok(uncovered)
    }
}
