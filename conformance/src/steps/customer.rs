//! The Customer: at the checkout, in the Purchase Journey, and back.

use std::future::ready;

use klarna_schemas::simulator::control::CustomerAct;

use super::definition::{Argument, Definition, Keyword, StepInput, StepResult, Voice};
use crate::world::{Page, World};

pub(super) const STEPS: &[Definition] = &[
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::Given,
        expression: "the customer visits the checkout page with an order of {amount}",
        example: "the customer visits the checkout page with an order of 459.00 SEK",
        argument: Argument::None,
        doc: "The same as \"a Partner with an order of\", told from the Customer's side.",
        run: |world, step| Box::pin(ready(visit(world, step))),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::When,
        expression: "the customer selects Klarna and clicks the Pay button",
        example: "the customer selects Klarna and clicks the Pay button",
        argument: Argument::None,
        doc: "Nothing leaves the Partner's page yet: what follows is the Partner's request to its acquirer.",
        run: |_, _| Box::pin(ready(Ok(()))),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::When,
        expression: "the customer opens the URL that the acquirer returned",
        example: "the customer opens the URL that the acquirer returned",
        argument: Argument::None,
        doc: "A browser opens the URL in the acquirer's answer and goes on by redirects, refreshes, and forms and literal URLs that a page's script sends it to; it must arrive at Klarna's own payment_request_url.",
        run: |world, step| Box::pin(open_url(world, step)),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::When,
        expression: "the customer opens the SDK with the payment request id that the acquirer returned",
        example: "the customer opens the SDK with the payment request id that the acquirer returned",
        argument: Argument::None,
        doc: "Klarna's SDK starts on the Partner's page with the id in the acquirer's answer, which must be Klarna's own.",
        run: |world, step| Box::pin(open_sdk(world, step)),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::When,
        expression: "the customer approves/completes the purchase( on Klarna)",
        example: "the customer approves the purchase",
        argument: Argument::None,
        doc: "The Customer says yes in the Purchase Journey; Klarna then tells the acquirer by webhook.",
        run: |world, step| Box::pin(approve(world, step)),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::When,
        expression: "the customer refuses the purchase",
        example: "the customer refuses the purchase",
        argument: Argument::None,
        doc: "The Customer says no for good; the payment request is declined.",
        run: |world, step| Box::pin(refuse(world, step)),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::When,
        expression: "the customer leaves the purchase undecided",
        example: "the customer leaves the purchase undecided",
        argument: Argument::None,
        doc: "The Customer leaves the Purchase Journey and may come back to it; Klarna sends the browser to the return URL all the same.",
        run: |world, step| Box::pin(leave(world, step)),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::When,
        expression: "the customer comes back to the Partner",
        example: "the customer comes back to the Partner",
        argument: Argument::None,
        doc: "The browser goes where Klarna sent it and on from there in the same ways, to the Partner's return page.",
        run: |world, step| Box::pin(come_back(world, step)),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::When,
        expression: "the customer comes back to the Partner as the webhook arrives",
        example: "the customer comes back to the Partner as the webhook arrives",
        argument: Argument::None,
        doc: "The browser follows where Klarna sent it while the webhook that Klarna held back is on its way: both at once.",
        run: |world, step| Box::pin(come_back_meanwhile(world, step)),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::When,
        expression: "the customer never comes back",
        example: "the customer never comes back",
        argument: Argument::None,
        doc: "The browser is closed: nothing calls the acquirer's return URL in this scenario.",
        run: |world, _| {
            world.stays_away = true;
            Box::pin(ready(Ok(())))
        },
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::Then,
        expression: "the customer lands on the Partner's return page",
        example: "the customer lands on the Partner's return page",
        argument: Argument::None,
        doc: "The browser was seen at the Partner's return_url, and the URL carried no token.",
        run: |world, step| Box::pin(landed(world, step)),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::Then,
        expression: "the customer ends on the Partner's {page}",
        example: "the customer ends on the Partner's confirmation page",
        argument: Argument::None,
        doc: "The Partner's page shows what the acquirer lets it know by now: a confirmation after an approval, the checkout with an error after anything else that is final.",
        run: |world, step| Box::pin(ends_on(world, step)),
    },
];

fn visit(world: &mut World, step: &StepInput) -> StepResult {
    world.price_order(step.text(0), step.text(1))
}

async fn open_url(world: &mut World, _: &StepInput) -> StepResult {
    world.open_returned_url().await
}

async fn open_sdk(world: &mut World, _: &StepInput) -> StepResult {
    world.open_sdk().await
}

async fn approve(world: &mut World, _: &StepInput) -> StepResult {
    world.act(CustomerAct::Approve).await
}

async fn refuse(world: &mut World, _: &StepInput) -> StepResult {
    world.act(CustomerAct::Refuse).await
}

async fn leave(world: &mut World, _: &StepInput) -> StepResult {
    world.act(CustomerAct::Leave).await
}

async fn come_back(world: &mut World, _: &StepInput) -> StepResult {
    if world.stays_away {
        return Err(crate::world::Failure::misused("the Customer never comes back, and then does"));
    }
    world.come_back().await
}

async fn landed(world: &mut World, _: &StepInput) -> StepResult {
    world.is_home().await
}

async fn come_back_meanwhile(world: &mut World, _: &StepInput) -> StepResult {
    world.come_back_as_the_webhook_arrives().await
}

async fn ends_on(world: &mut World, step: &StepInput) -> StepResult {
    let page = if step.text(0).starts_with("confirmation") { Page::Confirmation } else { Page::Checkout };
    world.must_end_on(page).await
}
