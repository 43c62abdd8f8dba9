//! Webhooks out of turn: repeated, held back, forged, or with nonsense in them.

use klarna_schemas::simulator::control::Misbehaviour;

use super::definition::{Argument, Definition, Keyword, StepInput, StepResult, Voice};
use crate::world::World;

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
        expression: "Klarna is about to send the {event} webhook twice at once",
        example: "Klarna is about to send the completed webhook twice at once",
        argument: Argument::None,
        doc: "The next such event arrives as two calls side by side, byte for byte the same.",
        run: |world, step| Box::pin(twice_at_once(world, step)),
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

/// How an event is forged, from the words of a feature.
fn forgery(words: &str) -> Misbehaviour {
    match words {
        "with a forged signature" => Misbehaviour::Forged,
        "under an unknown signing key" => Misbehaviour::UnknownKey,
        _ => Misbehaviour::Unsigned,
    }
}

async fn again(world: &mut World, step: &StepInput) -> StepResult {
    world.klarna_repeats(step.text(0)).await
}

async fn held(world: &mut World, step: &StepInput) -> StepResult {
    world.klarna_holds_back(step.text(0)).await
}

async fn twice_at_once(world: &mut World, step: &StepInput) -> StepResult {
    world.klarna_sends_twice(step.text(0)).await
}

async fn forged(world: &mut World, step: &StepInput) -> StepResult {
    world.forge(step.text(0), forgery(step.text(1))).await
}

async fn nonsense(world: &mut World, step: &StepInput) -> StepResult {
    world.send_nonsense(step.text(0)).await
}

async fn forged_in_vain(world: &mut World, _: &StepInput) -> StepResult {
    world.must_have_had_no_effect("forged.no-effect").await
}

async fn odd_in_vain(world: &mut World, _: &StepInput) -> StepResult {
    world.must_have_had_no_effect("nonsense.no-effect").await
}
