//! Klarna in trouble: what befalls the acquirer's calls, and how it bears that.

use super::definition::{Argument, Definition, Keyword, StepInput, StepResult, Voice};
use super::doc_string;
use super::words::fault;
use crate::world::{Which, World};

pub(super) const STEPS: &[Definition] = &[
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Given,
        expression: "Klarna will meet the {call} authorize with {trouble}",
        example: "Klarna will meet the initial authorize with status 500",
        argument: Argument::None,
        doc: "What befalls the next such call of the acquirer. With an error status, silence, a broken connection or an answer that is no HTTP, nothing is decided; with the others Klarna decides, and the answer suffers.",
        run: |world, step| Box::pin(meets_one(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Given,
        expression: "Klarna will meet every {call} authorize with {trouble}",
        example: "Klarna will meet every initial authorize with status 500",
        argument: Argument::None,
        doc: "The same for all such calls, until Klarna is well again.",
        run: |world, step| Box::pin(meets_every(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Given,
        expression: "Klarna will meet calls with this fault:",
        example: "Klarna will meet calls with this fault:",
        argument: Argument::DocString {
            example: "{operation: authorize, on: initial, times: 2, kind: status, status: 502, body: none}",
            reads: |text| doc_string::fault(text).map(drop),
            page: "docs/faults.md",
        },
        doc: "Any fault of docs/faults.md, in YAML, for any operation in the Partner's account, so often as it says: `operation`, `on`, `times`, `kind` and what the kind takes.",
        run: |world, step| Box::pin(meets_with(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "Klarna is well again",
        example: "Klarna is well again",
        argument: Argument::None,
        doc: "No call is met with trouble any more.",
        run: |world, step| Box::pin(well_again(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer repeats the {call} authorize with the same key and body",
        example: "the acquirer repeats the initial authorize with the same key and body",
        argument: Argument::None,
        doc: "Within the time that the adapter claims, the call that met trouble was made again, as the same call; tag the scenario @timing.retry_within_ms.",
        run: |world, step| Box::pin(repeats(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer does not repeat the {call} authorize",
        example: "the acquirer does not repeat the initial authorize",
        argument: Argument::None,
        doc: "The call that Klarna refused was made once; proved by a sound twin payment that is through before the look back.",
        run: |world, step| Box::pin(does_not_repeat(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer waits before it repeats the {call} authorize",
        example: "the acquirer waits before it repeats the initial authorize",
        argument: Argument::None,
        doc: "Between the 429 and the next attempt lie at least the seconds of X-Ratelimit-Reset.",
        run: |world, step| Box::pin(waits(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer answers the Partner in time",
        example: "the acquirer answers the Partner in time",
        argument: Argument::None,
        doc: "The answer to the create call came within the time that the adapter claims, whatever Klarna did; tag the scenario @timing.answer_ms.",
        run: |world, step| Box::pin(answers_in_time(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer serves the Partner's next payment",
        example: "the acquirer serves the Partner's next payment",
        argument: Argument::None,
        doc: "Another payment, which Klarna approves at once, is approved: what was met before did no lasting harm.",
        run: |world, step| Box::pin(serves_the_next(world, step)),
    },
];

/// Which call, from the words of a feature.
fn which(words: &str) -> Which {
    if words == "final" { Which::Final } else { Which::Initial }
}

async fn meets_one(world: &mut World, step: &StepInput) -> StepResult {
    world.trouble(which(step.text(0)), fault(step.text(1))?, false).await
}

async fn meets_every(world: &mut World, step: &StepInput) -> StepResult {
    world.trouble(which(step.text(0)), fault(step.text(1))?, true).await
}

async fn meets_with(world: &mut World, step: &StepInput) -> StepResult {
    let fault = doc_string::fault(step.doc_string.as_deref().unwrap_or_default())?;
    world.meet_calls(&fault).await
}

async fn well_again(world: &mut World, _: &StepInput) -> StepResult {
    world.recover().await
}

async fn repeats(world: &mut World, step: &StepInput) -> StepResult {
    world.must_repeat(which(step.text(0))).await
}

async fn does_not_repeat(world: &mut World, step: &StepInput) -> StepResult {
    world.must_not_repeat(which(step.text(0))).await
}

async fn waits(world: &mut World, step: &StepInput) -> StepResult {
    world.must_have_waited(which(step.text(0))).await
}

async fn answers_in_time(world: &mut World, _: &StepInput) -> StepResult {
    world.must_have_answered_in_time().await
}

async fn serves_the_next(world: &mut World, _: &StepInput) -> StepResult {
    world.must_serve_the_next().await
}
