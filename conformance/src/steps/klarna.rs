//! Klarna: what it will decide, what it answered, what it sent, and what reached it.

use super::definition::{Argument, Definition, Keyword, StepInput, StepResult, Voice};
use super::doc_string;
use super::words::{DECISIONS, meaning};
use crate::world::{Failure, Field, World};

pub(super) const STEPS: &[Definition] = &[
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Given,
        expression: "Klarna will {decision}( the payment)",
        example: "Klarna will approve the payment",
        argument: Argument::None,
        doc: "What Klarna decides on the initial authorize of the next payment.",
        run: |world, step| Box::pin(will(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Given,
        expression: "Klarna will {decision}( the payment), with this Klarna Network Response Data:",
        example: "Klarna will approve the payment, with this Klarna Network Response Data:",
        argument: Argument::DocString {
            example: "{\"experience\": {\"version\": 1.0}}",
            reads: doc_string::anything,
            page: "docs/steps.md",
        },
        doc: "The same; the answer carries exactly the text of the doc string for the Partner.",
        run: |world, step| Box::pin(will_with_data(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Given,
        expression: "at the final authorization, Klarna will {decision}",
        example: "at the final authorization, Klarna will decline",
        argument: Argument::None,
        doc: "What Klarna decides on the final authorize; a step-up, which Klarna would not ask for there, by force.",
        run: |world, step| Box::pin(will_finally(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "Klarna cancels the payment request",
        example: "Klarna cancels the payment request",
        argument: Argument::None,
        doc: "The payment request is canceled at Klarna's side, and the event says so.",
        run: |world, step| Box::pin(cancels(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "the payment request expires",
        example: "the payment request expires",
        argument: Argument::None,
        doc: "Klarna's clock goes on until the payment request has outlived itself, and the event says so.",
        run: |world, step| Box::pin(expires(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "Klarna returns a payment request for step-up, with its URL and request id",
        example: "Klarna returns a payment request for step-up, with its URL and request id",
        argument: Argument::None,
        doc: "Klarna answered the initial authorize with STEP_UP_REQUIRED.",
        run: |world, step| Box::pin(returned_step_up(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "Klarna answers that the payment is {outcome}",
        example: "Klarna answers that the payment is approved",
        argument: Argument::None,
        doc: "Klarna's last answer to an authorize of this payment was APPROVED, or DECLINED.",
        run: |world, step| Box::pin(answers(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "Klarna notifies the acquirer by webhook that the payment request is {event}",
        example: "Klarna notifies the acquirer by webhook that the payment request is completed",
        argument: Argument::None,
        doc: "The event payment.request.state-change.{event} was sent, signed, and the acquirer answered 200, 201, 202 or 204.",
        run: |world, step| Box::pin(event_delivered(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "the network data reached Klarna byte for byte",
        example: "the network data reached Klarna byte for byte",
        argument: Argument::None,
        doc: "The string that the Partner gave as Klarna Network Data is the string in the initial authorize: the same bytes, after one JSON decode on each side.",
        run: |world, step| Box::pin(network_data_equal(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "the Partner's session token reached Klarna with the initial authorize",
        example: "the Partner's session token reached Klarna with the initial authorize",
        argument: Argument::None,
        doc: "The header Klarna-Network-Session-Token of the initial authorize carries the token that the Partner gave, unchanged.",
        run: |world, step| Box::pin(session_token_forwarded(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "the amount and currency of the order reached Klarna",
        example: "the amount and currency of the order reached Klarna",
        argument: Argument::None,
        doc: "The initial authorize is about the Partner's amount in minor units, in the Partner's currency.",
        run: |world, step| Box::pin(money_as_ordered(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "the acquirer called Klarna by TLS, naming the server",
        example: "the acquirer called Klarna by TLS, naming the server",
        argument: Argument::None,
        doc: "The initial authorize came by TLS 1.2 or newer, and the handshake named the server (SNI). Not applicable where Klarna speaks plain http in this run, or is called by an address, which is no name.",
        run: |world, step| Box::pin(called_by_tls(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "the purchase data of the order reached Klarna",
        example: "the purchase data of the order reached Klarna",
        argument: Argument::None,
        doc: "supplementary_purchase_data holds the purchase reference, each order line as it was given, the customer and the shipping.",
        run: |world, step| Box::pin(purchase_data(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "amount, currency and references are the same in both authorize calls",
        example: "amount, currency and references are the same in both authorize calls",
        argument: Argument::None,
        doc: "The final authorize is about the same amount, currency and transaction reference as the initial one.",
        run: |world, step| Box::pin(unchanged(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "the full length of the network data reached Klarna byte for byte",
        example: "the full length of the network data reached Klarna byte for byte",
        argument: Argument::None,
        doc: "The acquirer took data as long as Klarna allows and forwarded all of it; that the limit counts characters and not bytes only warns.",
        run: |world, step| Box::pin(full_length(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "the network data was refused, or reached Klarna byte for byte",
        example: "the network data was refused, or reached Klarna byte for byte",
        argument: Argument::None,
        doc: "For data that an acquirer may refuse: refused, it leaves no authorize; taken, it arrives unchanged.",
        run: |world, step| Box::pin(refused_or_equal(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "the {field} of the order reached Klarna",
        example: "the city to ship to of the order reached Klarna",
        argument: Argument::None,
        doc: "This field stands in supplementary_purchase_data of the initial authorize as the Partner gave it.",
        run: |world, step| Box::pin(field(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "the order lines that reached Klarna add up to the amount",
        example: "the order lines that reached Klarna add up to the amount",
        argument: Argument::None,
        doc: "The totals of the lines in the initial authorize sum up to its amount; the duty is recommended, so it only warns.",
        run: |world, step| Box::pin(adds_up(world, step)),
    },
];

async fn will(world: &mut World, step: &StepInput) -> StepResult {
    world.klarna_will(meaning(DECISIONS, step.text(0))?).await
}

async fn will_with_data(world: &mut World, step: &StepInput) -> StepResult {
    let data = step.doc_string.as_deref().unwrap_or_default();
    world.klarna_will_with(meaning(DECISIONS, step.text(0))?, data).await
}

async fn returned_step_up(world: &mut World, _: &StepInput) -> StepResult {
    world.klarna_must_have_answered("STEP_UP_REQUIRED").await
}

async fn answers(world: &mut World, step: &StepInput) -> StepResult {
    world.klarna_must_have_answered(&step.text(0).to_uppercase()).await
}

async fn event_delivered(world: &mut World, step: &StepInput) -> StepResult {
    world.must_be_told_by_webhook(step.text(0)).await
}

async fn network_data_equal(world: &mut World, _: &StepInput) -> StepResult {
    world.must_hold(&["network-data.byte-equal"]).await
}

async fn session_token_forwarded(world: &mut World, _: &StepInput) -> StepResult {
    world.must_hold(&["session-token.forwarded"]).await
}

async fn money_as_ordered(world: &mut World, _: &StepInput) -> StepResult {
    world.must_hold(&["amount.as-intended", "currency.as-intended"]).await
}

async fn called_by_tls(world: &mut World, _: &StepInput) -> StepResult {
    world.must_be_called_by_tls().await
}

async fn purchase_data(world: &mut World, _: &StepInput) -> StepResult {
    let rules = ["purchase-data.present", "purchase-reference.as-intended", "line-items.as-intended"];
    world.must_hold(&rules).await
}

async fn unchanged(world: &mut World, _: &StepInput) -> StepResult {
    world.must_finalise().await?;
    let rules = ["final.amount-unchanged", "final.currency-unchanged", "final.reference-unchanged"];
    world.must_hold(&rules).await
}

async fn will_finally(world: &mut World, step: &StepInput) -> StepResult {
    world.klarna_will_finally(meaning(DECISIONS, step.text(0))?).await
}

async fn cancels(world: &mut World, _: &StepInput) -> StepResult {
    world.klarna_cancels().await
}

async fn expires(world: &mut World, _: &StepInput) -> StepResult {
    world.let_expire().await
}

async fn full_length(world: &mut World, _: &StepInput) -> StepResult {
    world.must_forward_full_length().await
}

async fn refused_or_equal(world: &mut World, _: &StepInput) -> StepResult {
    world.must_refuse_or_forward().await
}

async fn field(world: &mut World, step: &StepInput) -> StepResult {
    let field = Field::from_words(step.text(0));
    world.must_carry(field.ok_or_else(|| Failure::misused("no such field is known"))?).await
}

async fn adds_up(world: &mut World, _: &StepInput) -> StepResult {
    world.must_add_up().await
}
