//! Payment methods: what the Partner shows its Customer before there is a payment.

use klarna_schemas::klarna::presentation::PresentationInstruction as Instruction;
use klarna_schemas::simulator::control::{Fault, FaultBody};

use super::definition::{Argument, Definition, Keyword, StepInput, StepResult, Voice};
use crate::world::World;

pub(super) const STEPS: &[Definition] = &[
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Given,
        expression: "Klarna wants to be {presentation}",
        example: "Klarna wants to be preselected",
        argument: Argument::None,
        doc: "What Klarna's presentation tells payment forms: the instruction SHOW_KLARNA, PRESELECT_KLARNA, SHOW_ONLY_KLARNA or HIDE_KLARNA.",
        run: |world, step| Box::pin(presents(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Given,
        expression: "Klarna's presentation {failure}",
        example: "Klarna's presentation fails",
        argument: Argument::None,
        doc: "Every request for Klarna's presentation is answered with status 500, or never.",
        run: |world, step| Box::pin(fails(world, step)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner asks the acquirer for the payment methods",
        example: "the Partner asks the acquirer for the payment methods",
        argument: Argument::None,
        doc: "The Partner asks what it can offer for the order, with its amount, currency and locale, and with its session token and Klarna Network Data if it has them; tag the scenario @payment_methods.",
        run: |world, step| Box::pin(list(world, step)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner asks Klarna itself for its presentation of the order",
        example: "the Partner asks Klarna itself for its presentation of the order",
        argument: Argument::None,
        doc: "A Partner that integrates Klarna's presentation itself calls Klarna with an API key of its own; no acquirer takes part.",
        run: |world, step| Box::pin(ask_klarna(world, step)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner creates the payment with the payment option that was offered",
        example: "the Partner creates the payment with the payment option that was offered",
        argument: Argument::None,
        doc: "The Customer has chosen Klarna; the Partner hands on the id of the payment option that the list, or Klarna itself, had offered.",
        run: |world, step| Box::pin(create_with_option(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer asks Klarna for its presentation of the order",
        example: "the acquirer asks Klarna for its presentation of the order",
        argument: Argument::None,
        doc: "Klarna's presentation was asked for in the Partner's own account, with the order's currency, amount and locale.",
        run: |world, step| Box::pin(asks(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "Klarna is among the payment methods",
        example: "Klarna is among the payment methods",
        argument: Argument::None,
        doc: "The acquirer's list names Klarna.",
        run: |world, step| Box::pin(is_listed(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "Klarna is not among the payment methods",
        example: "Klarna is not among the payment methods",
        argument: Argument::None,
        doc: "The acquirer's list does not name Klarna.",
        run: |world, step| Box::pin(is_not_listed(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the other payment methods are there all the same",
        example: "the other payment methods are there all the same",
        argument: Argument::None,
        doc: "They are those, in the order, that stand beside Klarna in a second list, for which Klarna is well and wants to be shown.",
        run: |world, step| Box::pin(others_stay(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "what the list says of Klarna is what Klarna presented",
        example: "what the list says of Klarna is what Klarna presented",
        argument: Argument::None,
        doc: "Instruction, descriptors and payment option, as far as the adapter says where they stand, are the values of Klarna's presentation.",
        run: |world, step| Box::pin(as_presented(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the Partner is told that Klarna wants to be {presentation}",
        example: "the Partner is told that Klarna wants to be preselected",
        argument: Argument::None,
        doc: "The same, with the stress on the instruction.",
        run: |world, step| Box::pin(instructed(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the Partner's session token reached Klarna's presentation",
        example: "the Partner's session token reached Klarna's presentation",
        argument: Argument::None,
        doc: "The header Klarna-Network-Session-Token of the request for the presentation carries the token that the Partner gave, unchanged.",
        run: |world, step| Box::pin(token_forwarded(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "the payment option reached Klarna with the authorize",
        example: "the payment option reached Klarna with the authorize",
        argument: Argument::None,
        doc: "request_payment_transaction.payment_option_id of the initial authorize is the one that the Partner handed back.",
        run: |world, step| Box::pin(option_reached(world, step)),
    },
];

/// `Klarna wants to be hidden`, from the words of a feature.
fn instruction(words: &str) -> Instruction {
    match words {
        "preselected" => Instruction::PreselectKlarna,
        "the only one shown" => Instruction::ShowOnlyKlarna,
        "hidden" => Instruction::HideKlarna,
        _ => Instruction::ShowKlarna,
    }
}

async fn presents(world: &mut World, step: &StepInput) -> StepResult {
    world.klarna_presents(instruction(step.text(0))).await
}

async fn fails(world: &mut World, step: &StepInput) -> StepResult {
    let fault = match step.text(0) {
        "is not answered" => Fault::Stall,
        "is a page of HTML" => Fault::Status { status: 502, body: FaultBody::Html },
        _ => Fault::Status { status: 500, body: FaultBody::Klarna },
    };
    world.presentation_fails(fault).await
}

async fn list(world: &mut World, _: &StepInput) -> StepResult {
    world.list_methods().await
}

async fn ask_klarna(world: &mut World, _: &StepInput) -> StepResult {
    world.ask_klarna_itself().await
}

async fn create_with_option(world: &mut World, _: &StepInput) -> StepResult {
    world.choose_offered_option().await?;
    world.create_payment(None).await
}

async fn asks(world: &mut World, _: &StepInput) -> StepResult {
    world.must_ask_for_presentation().await
}

async fn is_listed(world: &mut World, _: &StepInput) -> StepResult {
    world.must_list_klarna(true).await
}

async fn is_not_listed(world: &mut World, _: &StepInput) -> StepResult {
    world.must_list_klarna(false).await
}

async fn others_stay(world: &mut World, _: &StepInput) -> StepResult {
    world.must_keep_other_methods().await
}

async fn as_presented(world: &mut World, _: &StepInput) -> StepResult {
    world.must_hand_presentation_on().await
}

async fn instructed(world: &mut World, step: &StepInput) -> StepResult {
    world.must_hand_instruction_on(instruction(step.text(0))).await
}

async fn token_forwarded(world: &mut World, _: &StepInput) -> StepResult {
    world.must_forward_token_to_presentation().await
}

async fn option_reached(world: &mut World, _: &StepInput) -> StepResult {
    world.must_carry_option().await
}
