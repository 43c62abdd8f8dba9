//! Registers our steps with Cucumber, and plays them: time, panics and failures are ours to judge.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use cucumber::step::{Collection, Context};
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use klarna_schemas::simulator::finding::Severity;

use super::world::Stage;
use crate::steps::{self, Found, Keyword, StepInput, StepResult};
use crate::world::{Failure, StepRecord, World};

/// The longest that one step may take.
const STEP_BUDGET: Duration = Duration::from_secs(45);

/// The longest that the steps of one scenario may take together.
const SCENARIO_BUDGET: Duration = Duration::from_mins(3);

/// All steps, each with its expression and one and the same function: the step is found again by
/// its text, so that what Cucumber runs is exactly what the lint has seen.
pub(super) fn collection() -> Collection<Stage> {
    let mut collection = Collection::new();
    for step in steps::compiled() {
        let regex = step.regex.clone();
        collection = match step.definition.keyword {
            Keyword::Given => collection.given(None, regex, play),
            Keyword::When => collection.when(None, regex, play),
            Keyword::Then => collection.then(None, regex, play),
        };
    }
    collection
}

fn play(stage: &mut Stage, context: Context) -> LocalBoxFuture<'_, ()> {
    async move {
        let Some(world) = &mut stage.world else {
            fail("the scenario's world is not open");
        };
        let began = Instant::now();
        let line = context.step.position.line;
        let outcome = guarded(world, &context).await;
        if let Err(failure) = &outcome {
            world.note_failure(Some(line), failure).await;
        }
        let failure = outcome.err().filter(ends_the_scenario).map(|failure| failure.to_string());
        let scenario = world.scenario.id.clone();
        world.run.board.update(&scenario, |record| {
            let remarks = std::mem::take(&mut record.remarks);
            record.steps.push(StepRecord { line, took: began.elapsed(), remarks, failure: failure.clone() });
        });
        if let Some(failure) = failure {
            fail(&failure);
        }
    }
    .boxed_local()
}

/// A step fails for Cucumber by a panic and by nothing else. This one runs no panic hook.
fn fail(why: &str) -> ! {
    std::panic::resume_unwind(Box::new(why.to_owned()))
}

/// What only warns is noted, and the scenario goes on.
fn ends_the_scenario(failure: &Failure) -> bool {
    !matches!(failure, Failure::Found { finding, .. } if finding.severity == Severity::Warns)
}

async fn guarded(world: &mut World, context: &Context) -> StepResult {
    let keyword = match context.step.ty {
        gherkin::StepType::Given => Keyword::Given,
        gherkin::StepType::When => Keyword::When,
        gherkin::StepType::Then => Keyword::Then,
    };
    let Found::One { definition, captures } = steps::find(keyword, &context.step.value) else {
        return Err(Failure::Broken(format!("no step reads \"{keyword} {}\"", context.step.value)));
    };
    let input = StepInput { captures, doc_string: context.step.docstring.clone() };
    let left = SCENARIO_BUDGET.saturating_sub(world.began.elapsed());
    let budget = STEP_BUDGET.min(left);
    let running = AssertUnwindSafe((definition.run)(world, &input)).catch_unwind();
    match tokio::time::timeout(budget, running).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => {
            Err(world.broken_by("step.panicked", format!("the step panicked: {}", message(&panic))))
        }
        Err(_) => {
            let what = format!("the step did not end within {} ms", budget.as_millis());
            Err(world.broken_by("step.timed-out", what))
        }
    }
}

fn message(panic: &Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
