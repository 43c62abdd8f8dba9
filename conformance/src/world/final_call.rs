//! What Klarna decides on the final authorize.

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{CallKind, QueuedOutcome};

use super::World;
use super::failure::Failure;

impl World {
    /// Queues Klarna's decision on the next final authorize; a step-up, which Klarna would not ask for
    /// there, by force.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn klarna_will_finally(&self, result: AuthorizationResult) -> Result<(), Failure> {
        let force = result == AuthorizationResult::StepUpRequired;
        let outcome = QueuedOutcome { force, ..QueuedOutcome::once(CallKind::Final, result) };
        self.run.control.queue_outcomes(self.account(), &[outcome]).await?;
        Ok(())
    }
}
