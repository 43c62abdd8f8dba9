//! The Partner: the shop that sells and asks its acquirer for a payment.

use std::future::ready;

use klarna_schemas::simulator::control::{MintSessionToken, MintedTokenState};

use super::definition::{Argument, Definition, Keyword, StepInput, StepResult, Voice, mode};
use super::doc_string;
use crate::adapter::{Mode, Outcome};
use crate::world::{Failure, Letters, Mistake, World};

pub(super) const STEPS: &[Definition] = &[
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::Given,
        expression: "a Partner with an order of {amount}",
        example: "a Partner with an order of 459.00 SEK",
        argument: Argument::None,
        doc: "A shop is about to sell something: two order lines that add up to the amount, a buyer, both addresses, and some plain Klarna Network Data.",
        run: |world, step| Box::pin(ready(order(world, step))),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::Given,
        expression: "the Partner shares this Klarna Network Data:",
        example: "the Partner shares this Klarna Network Data:",
        argument: Argument::DocString {
            example: "{\"experience\": {\"version\": 1.0}}",
            reads: doc_string::anything,
            page: "docs/steps.md",
        },
        doc: "The Partner sends exactly the text of the doc string as its Klarna Network Data, instead of the plain one.",
        run: |world, step| Box::pin(ready(world.share_network_data(step.doc_string.clone()))),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::Given,
        expression: "the Partner shares no Klarna Network Data",
        example: "the Partner shares no Klarna Network Data",
        argument: Argument::None,
        doc: "The Partner sends the order without Klarna Network Data.",
        run: |world, _| {
            world.order.network_data = None;
            Box::pin(ready(Ok(())))
        },
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::Given,
        expression: "the Partner has a Klarna Network session token",
        example: "the Partner has a Klarna Network session token",
        argument: Argument::None,
        doc: "Klarna gave the Partner's page a session token, in which nothing is completed yet; the Partner sends it with the order.",
        run: |world, step| Box::pin(session_token(world, step)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::Given,
        expression: "the Partner has a Klarna Network session token of {int} characters",
        example: "the Partner has a Klarna Network session token of 8192 characters",
        argument: Argument::None,
        doc: "The same, of exactly that length.",
        run: |world, step| Box::pin(long_session_token(world, step)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner creates the payment",
        example: "the Partner creates the payment",
        argument: Argument::None,
        doc: "The Partner asks its acquirer to start the Klarna payment, in redirect mode where the acquirer has it and else in SDK mode.",
        run: |world, step| Box::pin(create(world, step)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner creates the payment, sharing Klarna Network Data",
        example: "the Partner creates the payment, sharing Klarna Network Data",
        argument: Argument::None,
        doc: "The same, with Klarna Network Data that no two encoders write alike: odd key order, spaces, 1.0, escapes.",
        run: |world, step| Box::pin(create_sharing(world, step)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner creates the payment in {mode} mode",
        example: "the Partner creates the payment in redirect mode",
        argument: Argument::None,
        doc: "The same, in the mode named; tag the scenario @redirect or @sdk.",
        run: |world, step| Box::pin(create_in_mode(world, step)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner launches the Klarna purchase journey",
        example: "the Partner launches the Klarna purchase journey",
        argument: Argument::None,
        doc: "The Partner's page opens the URL, or starts Klarna's SDK with the payment request id, that the acquirer returned for this mode.",
        run: |world, step| Box::pin(launch(world, step)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::Given,
        expression: "the order has {mistake}",
        example: "the order has a negative amount",
        argument: Argument::None,
        doc: "One field of the order is wrong, whatever the acquirer calls it; the rest is sound.",
        run: |world, step| Box::pin(ready(spoil(world, step))),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::Given,
        expression: "the Partner shares Klarna Network Data of {int} {letters} characters",
        example: "the Partner shares Klarna Network Data of 10240 ASCII characters",
        argument: Argument::None,
        doc: "The Partner sends a JSON text of exactly this length; a non-ASCII character has two to four bytes.",
        run: |world, step| Box::pin(ready(share_data_of(world, step))),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::Given,
        expression: "the Partner shares Klarna Network Data with {peculiarity}",
        example: "the Partner shares Klarna Network Data with Windows line ends",
        argument: Argument::None,
        doc: "Sound JSON with characters in it that a feature cannot show.",
        run: |world, step| Box::pin(ready(world.share_peculiar(step.text(0)))),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::Given,
        expression: "the customer is to come back to the Partner's app",
        example: "the customer is to come back to the Partner's app",
        argument: Argument::None,
        doc: "The Partner gives the address of its app beside its return_url.",
        run: |world, _| {
            world.come_back_to_app();
            Box::pin(ready(Ok(())))
        },
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner answers the notification of the payment's end with status {int}",
        example: "the Partner answers the notification of the payment's end with status 500",
        argument: Argument::None,
        doc: "The first notification that the payment has ended does not get through; the next one does. Tag the scenario @notifications.",
        run: |world, step| Box::pin(ready(refuse_news(world, step))),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::Given,
        expression: "a second Partner of the acquirer with an order of {amount}",
        example: "a second Partner of the acquirer with an order of 799.00 SEK",
        argument: Argument::None,
        doc: "Another shop of the same acquirer, with a Klarna account of its own; the steps that follow are about it. Tag the scenario @exclusive.",
        run: |world, step| Box::pin(second_partner(world, step)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the story goes back to the first Partner",
        example: "the story goes back to the first Partner",
        argument: Argument::None,
        doc: "The steps that follow are about the first Partner and its payment again.",
        run: |world, _| {
            world.back_to_first_partner();
            Box::pin(ready(Ok(())))
        },
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner mends the order and creates the payment again",
        example: "the Partner mends the order and creates the payment again",
        argument: Argument::None,
        doc: "The same order without its mistake: the sound twin, which shows what the refusal was for.",
        run: |world, step| Box::pin(mend(world, step)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::When,
        expression: "the Partner tries again with a new payment for the same purchase",
        example: "the Partner tries again with a new payment for the same purchase",
        argument: Argument::None,
        doc: "The same order number and lines, under a new transaction reference of the Partner's.",
        run: |world, step| Box::pin(try_again(world, step)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::Then,
        expression: "the Partner can redirect the customer to its confirmation page",
        example: "the Partner can redirect the customer to its confirmation page",
        argument: Argument::None,
        doc: "The answer says approved and hands over no Purchase Journey: there is nothing left to do but to confirm the order.",
        run: |world, step| Box::pin(can_confirm(world, step)),
    },
    Definition {
        voice: Voice::Partner,
        keyword: Keyword::Then,
        expression: "the Partner can redirect the customer to its checkout page and display an error message",
        example: "the Partner can redirect the customer to its checkout page and display an error message",
        argument: Argument::None,
        doc: "The answer says declined and hands over no Purchase Journey: the Partner can offer another payment method.",
        run: |world, step| Box::pin(can_offer_another(world, step)),
    },
];

fn order(world: &mut World, step: &StepInput) -> StepResult {
    world.price_order(step.text(0), step.text(1))
}

fn spoil(world: &mut World, step: &StepInput) -> StepResult {
    let mistake = Mistake::from_words(step.text(0));
    world.spoil_order(mistake.ok_or_else(|| Failure::misused("no such mistake is known"))?)
}

fn share_data_of(world: &mut World, step: &StepInput) -> StepResult {
    let characters = step.text(0).parse().map_err(|_| Failure::misused("no such length is possible"))?;
    let letters = if step.text(1) == "ASCII" { Letters::Ascii } else { Letters::Beyond };
    world.share_network_data_of(characters, letters)
}

fn refuse_news(world: &mut World, step: &StepInput) -> StepResult {
    let status = step.text(0).parse().map_err(|_| Failure::misused("no status has this number"))?;
    world.refuse_first_news(status)
}

async fn second_partner(world: &mut World, step: &StepInput) -> StepResult {
    world.seat_another_partner().await?;
    world.price_order(step.text(0), step.text(1))
}

async fn mend(world: &mut World, _: &StepInput) -> StepResult {
    world.mend_and_create().await
}

async fn try_again(world: &mut World, _: &StepInput) -> StepResult {
    world.try_again().await
}

async fn session_token(world: &mut World, _: &StepInput) -> StepResult {
    mint(world, None).await
}

async fn long_session_token(world: &mut World, step: &StepInput) -> StepResult {
    let length = step.text(0).parse().map_err(|_| Failure::misused("no token is that long"))?;
    mint(world, Some(length)).await
}

async fn mint(world: &mut World, length: Option<usize>) -> StepResult {
    world.needs("session_token")?;
    let wish = MintSessionToken { length, state: MintedTokenState::Unused };
    let minted = world.run.control.mint_session_token(world.account(), &wish).await?;
    world.order.session_token = Some(minted.klarna_network_session_token);
    Ok(())
}

async fn create(world: &mut World, _: &StepInput) -> StepResult {
    world.create_payment(None).await
}

async fn create_sharing(world: &mut World, _: &StepInput) -> StepResult {
    world.share_peculiar_network_data()?;
    world.create_payment(None).await
}

async fn create_in_mode(world: &mut World, step: &StepInput) -> StepResult {
    world.create_payment(Some(mode(step.text(0)))).await
}

async fn launch(world: &mut World, _: &StepInput) -> StepResult {
    match world.payment()?.order.mode {
        Mode::Redirect => world.open_returned_url().await,
        Mode::Sdk => world.open_sdk().await,
    }
}

async fn can_confirm(world: &mut World, _: &StepInput) -> StepResult {
    world.must_have_answered(Outcome::Approved).await?;
    world.must_not_hand_over().await
}

async fn can_offer_another(world: &mut World, _: &StepInput) -> StepResult {
    world.must_have_answered(Outcome::Declined).await?;
    world.must_not_hand_over().await
}
