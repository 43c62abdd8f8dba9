//! What the simulator tells a tester: the shapes of `/_simulator/v1`, of the journal and of findings.

pub mod control;
pub mod finding;
pub mod journal;
pub mod rules;
