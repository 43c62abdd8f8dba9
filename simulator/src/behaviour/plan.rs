//! The queue of outcomes that a tester has laid down for the calls to come.

use std::collections::VecDeque;

use klarna_schemas::simulator::control::{CallKind, QueuedOutcome};
use klarna_schemas::simulator::rules::Then;

use super::rules::{Occasion, illegal};

/// The most outcomes that wait at a time.
const MAX_QUEUED: usize = 1_000;

/// As many outcomes wait as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_QUEUED} outcomes would wait")]
pub(crate) struct TooManyOutcomes;

/// Outcomes still to be given, first come first served.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    queue: VecDeque<Waiting>,
}

/// An outcome that waits for its calls.
#[derive(Debug, Clone)]
struct Waiting {
    on: CallKind,
    /// How many calls it still serves, at least 1.
    times: u32,
    then: Then,
}

impl From<QueuedOutcome> for Waiting {
    fn from(outcome: QueuedOutcome) -> Self {
        Self { on: outcome.on, times: outcome.times, then: outcome.then() }
    }
}

impl Plan {
    /// Adds outcomes behind those that wait: all of them, or none where there is no room.
    pub(crate) fn queue(&mut self, outcomes: Vec<QueuedOutcome>) -> Result<(), TooManyOutcomes> {
        if self.queue.len() + outcomes.len() > MAX_QUEUED {
            return Err(TooManyOutcomes);
        }
        self.queue.extend(outcomes.into_iter().filter(|outcome| outcome.times > 0).map(Waiting::from));
        Ok(())
    }

    /// The first outcome that is for this call and legal for it: a step-up needs a way to the customer,
    /// unless it is forced. One that is not stays in the queue.
    pub(super) fn first(&self, occasion: &Occasion<'_>) -> Option<(usize, Then)> {
        let fits = |waiting: &Waiting| {
            (waiting.on == CallKind::Any || waiting.on == occasion.on)
                && illegal(&waiting.then, occasion).is_none()
        };
        let (position, waiting) = self.queue.iter().enumerate().find(|(_, waiting)| fits(waiting))?;
        Some((position, waiting.then.clone()))
    }

    /// Why the queue decides, or does not.
    pub(super) fn why(&self, decides: bool) -> String {
        match (decides, self.queue.len()) {
            (true, _) => "an outcome is queued for such a call".to_owned(),
            (false, 0) => "nothing is queued".to_owned(),
            (false, waiting) => format!("none of the {waiting} queued outcomes is for such a call"),
        }
    }

    /// Counts a call that an outcome has served.
    pub(super) fn serve(&mut self, position: usize) {
        let Some(entry) = self.queue.get_mut(position) else { return };
        entry.times = entry.times.saturating_sub(1);
        if entry.times == 0 {
            self.queue.remove(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use klarna_schemas::klarna::authorize::AuthorizationResult;
    use serde_json::Value;

    use super::*;

    fn outcome(on: CallKind, times: u32, result: AuthorizationResult) -> QueuedOutcome {
        QueuedOutcome { times, ..QueuedOutcome::once(on, result) }
    }

    fn take(plan: &mut Plan, on: CallKind, can_step_up: bool) -> Option<Then> {
        let occasion = Occasion { operation: "authorize", on, headers: &[], body: &Value::Null, can_step_up };
        let (position, then) = plan.first(&occasion)?;
        plan.serve(position);
        Some(then)
    }

    #[test]
    fn serves_each_entry_as_often_as_it_says_and_only_the_calls_it_is_for() {
        let mut plan = Plan::default();
        plan.queue(vec![
            outcome(CallKind::Final, 1, AuthorizationResult::Declined),
            outcome(CallKind::Any, 2, AuthorizationResult::Approved),
        ])
        .unwrap();
        let mut take = |call| take(&mut plan, call, true).and_then(|taken| taken.result);
        assert_eq!(take(CallKind::Initial), Some(AuthorizationResult::Approved));
        assert_eq!(take(CallKind::Final), Some(AuthorizationResult::Declined));
        assert_eq!(take(CallKind::Final), Some(AuthorizationResult::Approved));
        assert_eq!(take(CallKind::Initial), None);
    }

    #[test]
    fn a_step_up_waits_for_a_call_that_can_be_stepped_up() {
        let mut plan = Plan::default();
        plan.queue(vec![outcome(CallKind::Any, 1, AuthorizationResult::StepUpRequired)]).unwrap();
        assert!(take(&mut plan, CallKind::Initial, false).is_none());
        assert!(take(&mut plan, CallKind::Initial, true).is_some());
    }

    #[test]
    fn a_forced_step_up_waits_for_nothing_but_its_kind_of_call() {
        let mut plan = Plan::default();
        plan.queue(vec![QueuedOutcome {
            force: true,
            ..outcome(CallKind::Final, 1, AuthorizationResult::StepUpRequired)
        }])
        .unwrap();
        assert!(take(&mut plan, CallKind::Initial, false).is_none());
        assert!(take(&mut plan, CallKind::Final, false).is_some_and(|taken| taken.force));
    }

    #[test]
    fn there_is_an_end_to_queueing() {
        let mut plan = Plan::default();
        let many = |count| vec![outcome(CallKind::Any, 1, AuthorizationResult::Approved); count];
        plan.queue(many(MAX_QUEUED - 1)).unwrap();
        assert_eq!(plan.queue(many(2)), Err(TooManyOutcomes));
        plan.queue(many(1)).unwrap();
    }
}
