//! Faults armed in a sandbox or an acquirer account, and the calls that stall by them.

use klarna_schemas::simulator::control::{ArmFault, CallKind, Fault, FaultsView};
use tokio_util::sync::CancellationToken;

use crate::behaviour::faults::{Faults, TooManyFaults};

/// Armed faults, and how to let go the calls that one of them holds.
#[derive(Debug)]
pub(crate) struct ArmedFaults {
    faults: Faults,
    /// What ends with the place itself.
    place: CancellationToken,
    /// What ends when the faults are lifted.
    hold: CancellationToken,
}

/// A fault that a call has met.
#[derive(Debug, Clone)]
pub(crate) struct Met {
    pub(crate) fault: Fault,
    /// Ends when a call that stalls is to be let go.
    pub(crate) hold: CancellationToken,
    /// The rule that chose it, as the journal names it; none where it was armed.
    pub(crate) by: Option<String>,
}

impl ArmedFaults {
    /// None yet. Calls that stall are let go when `place` ends at the latest.
    pub(crate) fn new(place: CancellationToken) -> Self {
        Self { faults: Faults::default(), hold: place.child_token(), place }
    }

    pub(crate) fn arm(&mut self, fault: ArmFault) -> Result<(), TooManyFaults> {
        self.faults.arm(fault)
    }

    pub(crate) fn take(&mut self, operation: &str, call: CallKind) -> Option<Met> {
        let fault = self.faults.take(operation, call)?;
        Some(Met { fault, hold: self.hold.clone(), by: None })
    }

    /// A fault that something else has chosen, let go with the others.
    pub(crate) fn met(&self, fault: Fault, by: Option<String>) -> Met {
        Met { fault, hold: self.hold.clone(), by }
    }

    /// Those that wait.
    pub(super) fn waiting(&self) -> Faults {
        self.faults.clone()
    }

    /// Lets those wait again that waited once.
    pub(super) fn arm_again(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Those that wait, for the tester.
    pub(crate) fn view(&self) -> FaultsView {
        FaultsView { faults: self.faults.armed() }
    }

    /// Takes all faults back and lets go the calls that stall.
    pub(crate) fn lift(&mut self) {
        self.faults.lift();
        self.hold.cancel();
        self.hold = self.place.child_token();
    }
}
