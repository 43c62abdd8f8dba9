//! The queue of faults that a tester has armed for the calls to come.

use std::collections::VecDeque;

use klarna_schemas::simulator::control::{ArmFault, CallKind, Fault};

use crate::pattern::fits;

/// The most faults that wait at a time.
const MAX_ARMED: usize = 1_000;

/// Faults still to be played, first come first served.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    armed: VecDeque<ArmFault>,
}

/// As many faults wait as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_ARMED} faults are armed already")]
pub(crate) struct TooManyFaults;

impl Faults {
    /// Arms a fault behind those that wait.
    pub(crate) fn arm(&mut self, fault: ArmFault) -> Result<(), TooManyFaults> {
        if self.armed.len() >= MAX_ARMED {
            return Err(TooManyFaults);
        }
        self.armed.push_back(fault);
        Ok(())
    }

    /// Takes the first fault for this operation; `call` tells authorize calls apart, and is `Any` for what is
    /// neither an initial nor a final one.
    pub(crate) fn take(&mut self, operation: &str, call: CallKind) -> Option<Fault> {
        let position = self.armed.iter().position(|armed| meets(armed, operation, call))?;
        let armed = self.armed.get_mut(position)?;
        let fault = armed.fault;
        armed.times = armed.times.saturating_sub(1);
        if armed.times == 0 {
            self.armed.remove(position);
        }
        Some(fault)
    }

    /// Those that wait; `times` is how many calls each still meets.
    pub(crate) fn armed(&self) -> Vec<ArmFault> {
        self.armed.iter().cloned().collect()
    }

    /// Takes them all back.
    pub(crate) fn lift(&mut self) {
        self.armed.clear();
    }
}

fn meets(armed: &ArmFault, operation: &str, call: CallKind) -> bool {
    fits(&armed.operation, operation) && (armed.on == CallKind::Any || armed.on == call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_meets_as_many_calls_as_it_says_and_only_those_it_is_for() {
        let mut faults = Faults::default();
        let mut last = ArmFault::once("authorize", Fault::Reset);
        last.on = CallKind::Final;
        faults.arm(last).unwrap();
        faults.arm(ArmFault { times: 2, ..ArmFault::once("auth*", Fault::Stall) }).unwrap();
        assert_eq!(faults.take("payment_request.read", CallKind::Any), None);
        assert_eq!(faults.take("authorize", CallKind::Initial), Some(Fault::Stall));
        assert_eq!(faults.take("authorize", CallKind::Final), Some(Fault::Reset));
        assert_eq!(faults.take("authorize", CallKind::Final), Some(Fault::Stall));
        assert_eq!(faults.take("authorize", CallKind::Final), None);
    }

    #[test]
    fn what_is_for_final_calls_meets_no_other_operation() {
        let mut faults = Faults::default();
        faults.arm(ArmFault { on: CallKind::Final, ..ArmFault::once("*", Fault::Reset) }).unwrap();
        assert_eq!(faults.take("presentation.read", CallKind::Any), None);
        assert_eq!(faults.take("authorize", CallKind::Final), Some(Fault::Reset));
    }

    #[test]
    fn lifted_faults_meet_nobody_and_there_is_an_end_to_arming() {
        let mut faults = Faults::default();
        let armed = || ArmFault::once("*", Fault::Reset);
        for _ in 0..MAX_ARMED {
            faults.arm(armed()).unwrap();
        }
        assert_eq!(faults.arm(armed()), Err(TooManyFaults));
        faults.lift();
        assert_eq!(faults.take("webhook.create", CallKind::Any), None);
    }
}
