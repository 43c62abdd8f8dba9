//! The Acquiring Partner: the one that is judged. It never acts by itself here; these steps look.

use super::definition::{Argument, Definition, Keyword, StepInput, StepResult, Voice, mode};
use crate::adapter::Outcome;
use crate::world::World;

pub(super) const STEPS: &[Definition] = &[
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer authorizes the payment with Klarna, initially",
        example: "the acquirer authorizes the payment with Klarna, initially",
        argument: Argument::None,
        doc: "An authorize for the Partner's own Klarna account reached Klarna, with a way to ask the customer in case of a step-up.",
        run: |world, step| Box::pin(initial(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer authorizes the payment with Klarna, finally",
        example: "the acquirer authorizes the payment with Klarna, finally",
        argument: Argument::None,
        doc: "A second authorize reached Klarna, with the session token of the completed webhook in its header.",
        run: |world, step| Box::pin(finalised(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the final authorize carries the session token of the webhook in its header",
        example: "the final authorize carries the session token of the webhook in its header",
        argument: Argument::None,
        doc: "The same, with the stress on the token: it is the webhook's, in Klarna-Network-Session-Token, unchanged.",
        run: |world, step| Box::pin(token_in_header(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer makes no final authorize",
        example: "the acquirer makes no final authorize",
        argument: Argument::None,
        doc: "Nothing follows the initial authorize; proved by a sound twin payment that is through before the look back.",
        run: |world, step| Box::pin(not_finalised(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer makes no second authorize",
        example: "the acquirer makes no second authorize",
        argument: Argument::None,
        doc: "The same, after a decision of Klarna on the initial call.",
        run: |world, step| Box::pin(no_second(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer makes exactly one final authorize",
        example: "the acquirer makes exactly one final authorize",
        argument: Argument::None,
        doc: "One final authorize, and nothing after it; proved by a sound twin payment that is through before the look back.",
        run: |world, step| Box::pin(one_final(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer returns the payment session, forwarding Klarna's payment URL or request id",
        example: "the acquirer returns the payment session, forwarding Klarna's payment URL or request id",
        argument: Argument::None,
        doc: "The answer to the Partner asks for a step-up and carries what the mode needs, unmodified: the URL in redirect mode, the id in SDK mode.",
        run: |world, step| Box::pin(handed_over(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the Klarna Network Response Data reached the Partner byte for byte",
        example: "the Klarna Network Response Data reached the Partner byte for byte",
        argument: Argument::None,
        doc: "The Partner has the same string that Klarna answered, from the create call or by reading the payment; not applicable where the adapter reads no network_response_data.",
        run: |world, step| Box::pin(response_data(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer responds that the payment is {outcome}",
        example: "the acquirer responds that the payment is approved",
        argument: Argument::None,
        doc: "The answer to the Partner's own request says so.",
        run: |world, step| Box::pin(responds(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer responds at once that the payment is {outcome}",
        example: "the acquirer responds at once that the payment is approved",
        argument: Argument::None,
        doc: "The same, and \"pending\" will not do; tag the scenario @sync_approval.",
        run: |world, step| Box::pin(responds_at_once(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer tells the Partner that the payment is {outcome}",
        example: "the acquirer tells the Partner that the payment is approved",
        argument: Argument::None,
        doc: "The Partner gets to know: by the answer, else by a notification where the acquirer has them, else by reading the payment.",
        run: |world, step| Box::pin(tells(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer notifies the Partner that the payment is {outcome}",
        example: "the acquirer notifies the Partner that the payment is approved",
        argument: Argument::None,
        doc: "A notification says so, and its signature fits; tag the scenario @notifications.",
        run: |world, step| Box::pin(notifies(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer notifies the Partner again that the payment is {outcome}",
        example: "the acquirer notifies the Partner again that the payment is approved",
        argument: Argument::None,
        doc: "After a notification that did not get through comes another; where none does and the Partner can read the payment, this only warns.",
        run: |world, step| Box::pin(notifies_again(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the initial authorize asks for a step-up in {mode} mode",
        example: "the initial authorize asks for a step-up in SDK mode",
        argument: Argument::None,
        doc: "customer_interaction_config.method is SDK, or HANDOVER; that Klarna insists on it is inferred, so it only warns.",
        run: |world, step| Box::pin(asks_for(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the initial authorize leads the customer back to the Partner's app",
        example: "the initial authorize leads the customer back to the Partner's app",
        argument: Argument::None,
        doc: "customer_interaction_config carries an app_return_url; not applicable where the acquirer's API has no place for it.",
        run: |world, step| Box::pin(leads_back_to_app(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the Partner is not told that the payment is {outcome}",
        example: "the Partner is not told that the payment is approved",
        argument: Argument::None,
        doc: "Neither answer nor notification nor a read says so; proved by a sound twin payment that is through before the look back.",
        run: |world, step| Box::pin(does_not_tell(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer redirects the customer to the Partner's confirmation page",
        example: "the acquirer redirects the customer to the Partner's confirmation page",
        argument: Argument::None,
        doc: "The browser goes where Klarna sent it and ends on the Partner's return_url; in SDK mode it may never have left the Partner's page.",
        run: |world, step| Box::pin(redirects_home(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer is subscribed to the state changes of payment requests",
        example: "the acquirer is subscribed to the state changes of payment requests",
        argument: Argument::None,
        doc: "When it authorized, a webhook of the acquirer covered every payment.request.state-change event.",
        run: |world, step| Box::pin(subscribed(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "each authorize carries an idempotency key of its own",
        example: "each authorize carries an idempotency key of its own",
        argument: Argument::None,
        doc: "Klarna-Idempotency-Key stands on each call, and the final authorize has another key than the initial one.",
        run: |world, step| Box::pin(own_keys(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer refuses the payment",
        example: "the acquirer refuses the payment",
        argument: Argument::None,
        doc: "The answer to the Partner's create call says that the request itself is wrong.",
        run: |world, step| Box::pin(refuses(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the refused payment left no authorize at Klarna",
        example: "the refused payment left no authorize at Klarna",
        argument: Argument::None,
        doc: "Nothing of it reached Klarna, though its mended twin did afterwards.",
        run: |world, step| Box::pin(left_nothing(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the new payment is an attempt of its own, with its own idempotency key and reference",
        example: "the new payment is an attempt of its own, with its own idempotency key and reference",
        argument: Argument::None,
        doc: "Its authorize shares neither with that of the payment before; the duty is recommended, so it only warns.",
        run: |world, step| Box::pin(own_attempt(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer authorizes the payment with its own API key",
        example: "the acquirer authorizes the payment with its own API key",
        argument: Argument::None,
        doc: "The initial authorize carries the API key that the acquirer was given, in any form in which Klarna takes it.",
        run: |world, step| Box::pin(own_api_key(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "each Partner's calls stand in its own Klarna account",
        example: "each Partner's calls stand in its own Klarna account",
        argument: Argument::None,
        doc: "No account of the scenario saw a call about another Partner's payment; proved by a sound twin payment in each.",
        run: |world, step| Box::pin(accounts_apart(world, step)),
    },
];

/// An outcome, from the words of a feature.
fn outcome(words: &str) -> Outcome {
    Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == words).unwrap_or(Outcome::Failed)
}

async fn initial(world: &mut World, _: &StepInput) -> StepResult {
    world.initial_call().await?;
    world.must_hold(&["authorize.unasked", "step-up-config.present"]).await
}

async fn finalised(world: &mut World, _: &StepInput) -> StepResult {
    world.must_finalise().await
}

async fn token_in_header(world: &mut World, _: &StepInput) -> StepResult {
    world.must_finalise().await?;
    world.must_hold(&["final.token-in-header"]).await
}

async fn not_finalised(world: &mut World, _: &StepInput) -> StepResult {
    let what = "an authorize followed, though the Customer has not completed the purchase";
    world.must_stay_at(1, "final.unasked", what).await
}

async fn no_second(world: &mut World, _: &StepInput) -> StepResult {
    let what = "a second authorize followed, though Klarna had decided on the first";
    world.must_stay_at(1, "initial.one", what).await
}

async fn one_final(world: &mut World, _: &StepInput) -> StepResult {
    world.must_finalise().await?;
    world.must_stay_at(2, "final.one-logical", "more than one final authorize was made").await
}

async fn handed_over(world: &mut World, _: &StepInput) -> StepResult {
    world.must_hand_over().await
}

async fn response_data(world: &mut World, _: &StepInput) -> StepResult {
    world.must_hand_response_data_back().await
}

async fn responds(world: &mut World, step: &StepInput) -> StepResult {
    world.must_have_answered(outcome(step.text(0))).await
}

async fn responds_at_once(world: &mut World, step: &StepInput) -> StepResult {
    world.must_have_answered_at_once(outcome(step.text(0))).await
}

async fn tells(world: &mut World, step: &StepInput) -> StepResult {
    world.must_tell(outcome(step.text(0))).await
}

async fn notifies(world: &mut World, step: &StepInput) -> StepResult {
    world.must_notify(outcome(step.text(0)), "partner.notified").await
}

async fn notifies_again(world: &mut World, step: &StepInput) -> StepResult {
    world.must_notify_again(outcome(step.text(0))).await
}

async fn asks_for(world: &mut World, step: &StepInput) -> StepResult {
    world.must_ask_for(mode(step.text(0))).await
}

async fn leads_back_to_app(world: &mut World, _: &StepInput) -> StepResult {
    world.must_lead_back_to_app().await
}

async fn does_not_tell(world: &mut World, step: &StepInput) -> StepResult {
    world.must_not_tell(outcome(step.text(0))).await
}

async fn redirects_home(world: &mut World, _: &StepInput) -> StepResult {
    world.come_back().await?;
    world.is_home().await
}

async fn subscribed(world: &mut World, _: &StepInput) -> StepResult {
    world.must_hold(&["subscription.covers-state-changes"]).await
}

async fn own_keys(world: &mut World, _: &StepInput) -> StepResult {
    world.must_hold(&["idempotency-key.present"]).await?;
    world.must_use_new_keys().await
}

async fn refuses(world: &mut World, _: &StepInput) -> StepResult {
    world.must_have_refused().await
}

async fn left_nothing(world: &mut World, _: &StepInput) -> StepResult {
    world.must_have_left_no_authorize().await
}

async fn own_attempt(world: &mut World, _: &StepInput) -> StepResult {
    world.must_be_an_attempt_of_its_own().await
}

async fn own_api_key(world: &mut World, _: &StepInput) -> StepResult {
    world.must_use_own_api_key().await
}

async fn accounts_apart(world: &mut World, _: &StepInput) -> StepResult {
    world.must_keep_accounts_apart().await
}
