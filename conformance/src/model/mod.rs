//! The run model: what happened, in the order in which it happened, one JSON object a line.
//!
//! It is written while the run goes on, and it is the only thing that reports read.

mod clock;
mod event;
mod exchange;
mod writer;

pub use clock::now;
pub use event::{
    Counts, Event, ExpectedEnd, ExpectedFate, FindingSeen, Line, MODEL_VERSION, Overall, Plan, PlanStep,
    PlannedScenario, RunFinished, RunStarted, ScenarioFinished, ScenarioStarted, ScenarioStatus,
    StepFinished, StepStatus, Unclaimed, Verdict, VerdictKind,
};
pub(crate) use exchange::mask;
pub use exchange::{Exchange, cut_secret};
pub use writer::{Listener, ModelWriter};
