//! After the create call: what the Partner captures, refunds and cancels, and what becomes of it.

use super::definition::{Argument, Definition, Keyword, StepInput, StepResult, Voice};
use super::words::fault;
use crate::adapter::{FollowUp, FollowUpOutcome};
use crate::world::{Failure, World};

pub(super) const STEPS: &[Definition] = &[
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner captures {amount}",
        example: "the Partner captures 100.00 SEK",
        argument: Argument::None,
        doc: "The Partner takes a part of the approved payment's money; tag the scenario @capture, and @partial_capture where it is less than the whole.",
        run: |world, step| Box::pin(follow_up(world, FollowUp::Capture, Some(part(step)))),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner captures the whole amount",
        example: "the Partner captures the whole amount",
        argument: Argument::None,
        doc: "The Partner takes all of the approved payment's money; tag the scenario @capture.",
        run: |world, _| Box::pin(follow_up(world, FollowUp::Capture, None)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner refunds {amount}",
        example: "the Partner refunds 100.00 SEK",
        argument: Argument::None,
        doc: "The Partner gives a part of the captured money back; tag the scenario @capture and @refund, and @partial_refund where it is less than was captured.",
        run: |world, step| Box::pin(follow_up(world, FollowUp::Refund, Some(part(step)))),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner refunds the whole amount",
        example: "the Partner refunds the whole amount",
        argument: Argument::None,
        doc: "The Partner gives back what the order cost; tag the scenario @capture and @refund.",
        run: |world, _| Box::pin(follow_up(world, FollowUp::Refund, None)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner cancels the payment",
        example: "the Partner cancels the payment",
        argument: Argument::None,
        doc: "The Partner calls the payment off while its customer is in a step-up; tag the scenario @cancel.",
        run: |world, _| Box::pin(follow_up(world, FollowUp::Cancel, None)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner asks for the same {followup} again",
        example: "the Partner asks for the same capture again",
        argument: Argument::None,
        doc: "The same request, with the same reference and idempotency key; not applicable where the acquirer's API has a place for neither.",
        run: |world, step| Box::pin(again(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Given,
        expression: "Klarna will meet the {followup} with {trouble}",
        example: "Klarna will meet the capture with status 503",
        argument: Argument::None,
        doc: "What befalls the next such call of the acquirer; a refund's by transaction or by capture.",
        run: |world, step| Box::pin(meets(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "Klarna has captured {amount} in {int} capture(s)",
        example: "Klarna has captured 459.00 SEK in 1 capture",
        argument: Argument::None,
        doc: "So much of the payment in so many captures, and no call asked for another amount, or for one more; proved by a sound twin payment that is through before the look back.",
        run: |world, step| Box::pin(has_moved(world, FollowUp::Capture, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "Klarna has refunded {amount} in {int} refund(s)",
        example: "Klarna has refunded 459.00 SEK in 1 refund",
        argument: Argument::None,
        doc: "The same of refunds, by transaction or by capture.",
        run: |world, step| Box::pin(has_moved(world, FollowUp::Refund, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "Klarna has canceled the payment request",
        example: "Klarna has canceled the payment request",
        argument: Argument::None,
        doc: "The acquirer asked Klarna to cancel the payment request of the step-up, and Klarna did.",
        run: |world, _| Box::pin(has_canceled(world)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer responds that the {followup} is {settlement}",
        example: "the acquirer responds that the capture is done",
        argument: Argument::None,
        doc: "The answer to the Partner's last such request says so; an answer that says \"pending\" is judged by what reaches Klarna alone.",
        run: |world, step| Box::pin(responds(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer repeats the {followup} with the same key and body",
        example: "the acquirer repeats the capture with the same key and body",
        argument: Argument::None,
        doc: "Within the time that the adapter claims, the call that met trouble was made again, as the same call; tag the scenario @timing.retry_within_ms.",
        run: |world, step| Box::pin(repeats(world, step)),
    },
];

/// Which, from the words of a feature.
fn kind(words: &str) -> Result<FollowUp, Failure> {
    let found = FollowUp::ALL.into_iter().find(|kind| kind.as_str() == words);
    found.ok_or_else(|| Failure::misused("no such operation is known"))
}

fn part(step: &StepInput) -> (&str, &str) {
    (step.text(0), step.text(1))
}

async fn follow_up(world: &mut World, kind: FollowUp, part: Option<(&str, &str)>) -> StepResult {
    world.follow_up(kind, part).await
}

async fn again(world: &mut World, step: &StepInput) -> StepResult {
    world.follow_up_again(kind(step.text(0))?).await
}

async fn meets(world: &mut World, step: &StepInput) -> StepResult {
    world.trouble_follow_up(kind(step.text(0))?, fault(step.text(1))?).await
}

async fn has_moved(world: &mut World, kind: FollowUp, step: &StepInput) -> StepResult {
    let count = step.text(2).parse().map_err(|_| Failure::misused("nobody counts that far"))?;
    world.klarna_must_have_moved(kind, part(step), count).await
}

async fn has_canceled(world: &mut World) -> StepResult {
    world.klarna_must_have_canceled().await
}

async fn responds(world: &mut World, step: &StepInput) -> StepResult {
    let outcome = if step.text(1) == "done" { FollowUpOutcome::Done } else { FollowUpOutcome::Refused };
    world.must_have_answered_follow_up(kind(step.text(0))?, outcome).await
}

async fn repeats(world: &mut World, step: &StepInput) -> StepResult {
    world.must_repeat_follow_up(kind(step.text(0))?).await
}
