//! The acquirer's signing keys and webhooks at Klarna: rotated, or lost. They are all Partners', so such a
//! scenario runs alone.

use klarna_schemas::simulator::control::Registrations;

use super::definition::{Argument, Definition, Keyword, StepInput, StepResult, Voice};
use crate::world::World;

pub(super) const STEPS: &[Definition] = &[
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "the acquirer's webhooks get another signing key",
        example: "the acquirer's webhooks get another signing key",
        argument: Argument::None,
        doc: "As in a rotation: Klarna signs with it from now on, and the key before stays in the account. The acquirer is not told the new one, so let what follows be \"signed with the key before\". Tag the scenario @exclusive.",
        run: |world, _| Box::pin(world.rotate_signing_keys()),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "Klarna forgets the acquirer's {registration}",
        example: "Klarna forgets the acquirer's signing keys and webhooks",
        argument: Argument::None,
        doc: "Klarna has lost what the acquirer had registered, of all Partners. Tag the scenario @exclusive.",
        run: |world, step| Box::pin(forgets(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer registers its webhook again",
        example: "the acquirer registers its webhook again",
        argument: Argument::None,
        doc: "Within the time that the adapter claims, the acquirer has made the webhook anew, or mended it; tag the scenario @timing.registers_within_ms, since who registers by hand need not.",
        run: |world, _| Box::pin(world.must_register_again()),
    },
];

async fn forgets(world: &mut World, step: &StepInput) -> StepResult {
    let what = match step.text(0) {
        "signing keys" => Registrations::SigningKeys,
        "webhooks" => Registrations::Webhooks,
        _ => Registrations::Both,
    };
    world.klarna_forgets(what).await
}
