//! What Klarna decides on the final authorize, and whether it came in time.

use jiff::SignedDuration;
use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{CallKind, JournalQuery, QueuedOutcome};

use super::World;
use super::checks::finding;
use super::failure::Failure;
use super::journal::{AUTHORIZE, Call, token_of_event};

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

    /// Asks that the final authorize came within the life of its session token.
    ///
    /// # Errors
    /// When it came later, or not at all.
    pub async fn must_finalise_within(&mut self, minutes: i64) -> Result<(), Failure> {
        self.must_finalise().await?;
        let name = self.payment_name().await?;
        let Some(completed) = self.await_event(&name, "completed", false).await? else {
            return Err(Failure::NothingToJudge("no completed event was sent".to_owned()));
        };
        let token = token_of_event(&completed);
        let calls = JournalQuery {
            operation: Some(AUTHORIZE.to_owned()),
            payment: Some(name.clone()),
            ..JournalQuery::default()
        };
        let calls = self.entries(calls).await?.into_iter().map(|entry| Call { entry });
        let Some(call) = calls.into_iter().find(|call| call.token() == token.as_deref()) else {
            return Err(Failure::NothingToJudge("no final authorize was made".to_owned()));
        };
        self.judged("final.in-time", 1);
        let took = call.entry.virtual_at.duration_since(completed.virtual_at);
        if took <= SignedDuration::from_mins(minutes) {
            return Ok(());
        }
        let mut finding = finding(
            "final.in-time",
            &self.scenario.duties,
            "Payment Authorize (final)",
            "the final authorize came after the life of its session token",
        );
        finding.expected = Some(format!("within {minutes} minutes of the completed event"));
        finding.got = Some(format!("after {} minutes", took.as_mins()));
        finding.exchanges = vec![completed.seq, call.entry.seq];
        finding.payment = Some(name);
        self.weigh(finding, None).await
    }
}
