//! Webhooks out of turn: repeated, held back, forged, or with nonsense in them.

use jiff::SignedDuration;
use klarna_schemas::simulator::control::Misbehaviour;

use super::definition::{Argument, Definition, Keyword, StepInput, StepResult, Voice};
use super::words::{FORGERIES, MANNERS, ODDITIES, meaning};
use crate::world::{Failure, World};

pub(super) const STEPS: &[Definition] = &[
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "Klarna sends the {event} webhook again",
        example: "Klarna sends the completed webhook again",
        argument: Argument::None,
        doc: "The same event, byte for byte, as Klarna sends it again when it is not sure that it has arrived.",
        run: |world, step| Box::pin(again(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "Klarna holds the {event} webhook back",
        example: "Klarna holds the completed webhook back",
        argument: Argument::None,
        doc: "The next such event waits at Klarna until a later step lets it go.",
        run: |world, step| Box::pin(held(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "Klarna is about to send the {event} webhook {manner}",
        example: "Klarna is about to send the in-progress webhook behind the next one",
        argument: Argument::None,
        doc: "What befalls the next such event of any payment: it comes behind the payment's next one, ahead of the answer to the call that caused it, or not at all; twice, one call after the other or both side by side; it is of a type that nobody knows; it is signed with the key that the webhook had before; or it carries its token in one place of two.",
        run: |world, step| Box::pin(in_a_manner(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "Klarna is about to send the {event} webhook {duration} late",
        example: "Klarna is about to send the completed webhook 10 minutes late",
        argument: Argument::None,
        doc: "The next such event waits, by Klarna's clock; a later step lets that go on.",
        run: |world, step| Box::pin(late(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "Klarna is about to send the {event} webhook again after {duration}",
        example: "Klarna is about to send the completed webhook again after 2 hours",
        argument: Argument::None,
        doc: "The next such event comes in its turn, and then again, byte for byte, that much later by Klarna's clock; a later step lets that go on.",
        run: |world, step| Box::pin(again_late(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "Klarna's clock goes {duration} forward",
        example: "Klarna's clock goes 10 minutes forward",
        argument: Argument::None,
        doc: "No real time passes. What falls due on the way happens, and the webhooks that are then sent have been answered when the step ends.",
        run: |world, step| Box::pin(forward(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "somebody sends the acquirer a {event} webhook {forgery}",
        example: "somebody sends the acquirer a completed webhook with a forged signature",
        argument: Argument::None,
        doc: "Not Klarna: the event names a final state and carries a session token that Klarna would honour, so that whoever believes it does harm.",
        run: |world, step| Box::pin(forged(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "Klarna sends a completed webhook {oddity}",
        example: "Klarna sends a completed webhook in a state that nobody knows",
        argument: Argument::None,
        doc: "Klarna's own event, rightly signed, and it makes no sense; it carries a session token that Klarna would honour.",
        run: |world, step| Box::pin(nonsense(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the forged webhook has no effect, while Klarna's own has",
        example: "the forged webhook has no effect, while Klarna's own has",
        argument: Argument::None,
        doc: "No call carries the forged event's token, and the Partner is told of the approval that Klarna's own event brought afterwards.",
        run: |world, step| Box::pin(forged_in_vain(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the odd webhook has no effect, while the next one has",
        example: "the odd webhook has no effect, while the next one has",
        argument: Argument::None,
        doc: "The same, for an event of Klarna's that made no sense.",
        run: |world, step| Box::pin(odd_in_vain(world, step)),
    },
];

/// A time span, from the words of a feature.
fn span(words: &str) -> Result<SignedDuration, Failure> {
    words.parse().map_err(|error| Failure::misused(&format!("\"{words}\" is no time span: {error}")))
}

async fn again(world: &mut World, step: &StepInput) -> StepResult {
    world.klarna_repeats(step.text(0)).await
}

async fn held(world: &mut World, step: &StepInput) -> StepResult {
    world.klarna_holds_back(step.text(0)).await
}

async fn in_a_manner(world: &mut World, step: &StepInput) -> StepResult {
    world.klarna_will_send(step.text(0), meaning(MANNERS, step.text(1))?, None).await
}

async fn late(world: &mut World, step: &StepInput) -> StepResult {
    world.klarna_will_send(step.text(0), Misbehaviour::Delayed, Some(span(step.text(1))?)).await
}

async fn again_late(world: &mut World, step: &StepInput) -> StepResult {
    world.klarna_will_send(step.text(0), Misbehaviour::ReplayedLate, Some(span(step.text(1))?)).await
}

async fn forward(world: &mut World, step: &StepInput) -> StepResult {
    world.let_time_pass_at_klarna(span(step.text(0))?).await
}

async fn forged(world: &mut World, step: &StepInput) -> StepResult {
    world.forge(step.text(0), meaning(FORGERIES, step.text(1))?).await
}

async fn nonsense(world: &mut World, step: &StepInput) -> StepResult {
    world.send_nonsense(meaning(ODDITIES, step.text(0))?).await
}

async fn forged_in_vain(world: &mut World, _: &StepInput) -> StepResult {
    world.must_have_had_no_effect("forged.no-effect").await
}

async fn odd_in_vain(world: &mut World, _: &StepInput) -> StepResult {
    world.must_have_had_no_effect("nonsense.no-effect").await
}
