//! What Klarna is told to do: rules, a customer who acts by itself, and how Klarna has evolved.

use klarna_schemas::simulator::control::{CustomerAct, CustomerScript, CustomerStep};

use super::definition::{Argument, Definition, Keyword, StepInput, StepResult, Voice};
use super::doc_string;
use super::words::{ACTS, evolutions, meaning};
use crate::world::{Failure, World};

pub(super) const STEPS: &[Definition] = &[
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Given,
        expression: "Klarna decides by these rules:",
        example: "Klarna decides by these rules:",
        argument: Argument::DocString {
            example: "rules:\n  - name: small orders\n    when: {body: {request_payment_transaction.amount: {max: 50000}}}\n    then: {result: APPROVED}",
            reads: |text| doc_string::rules(text).map(drop),
            page: "docs/rules.md",
        },
        doc: "Rules in YAML, as docs/rules.md has them, for the Partner's account; the first that fits a call decides.",
        run: |world, step| Box::pin(rules(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Given,
        expression: "Klarna has evolved by {evolution}",
        example: "Klarna has evolved by fields that nobody knows",
        argument: Argument::None,
        doc: "What Klarna may change at any time, in its answers and its webhooks; `everything at once` is all of it.",
        run: |world, step| Box::pin(evolved(world, step)),
    },
    Definition {
        voice: Voice::Acquirer,
        keyword: Keyword::Then,
        expression: "the acquirer lives with what is new",
        example: "the acquirer lives with what is new",
        argument: Argument::None,
        doc: "It took every webhook about the payment, and gave no call up of which Klarna's answer had changed; comes after the step that awaits the payment's end.",
        run: |world, _| Box::pin(world.must_live_with_what_is_new()),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::Given,
        expression: "the customer will {act} {duration} after the step-up",
        example: "the customer will approve the purchase 10 minutes after the step-up",
        argument: Argument::None,
        doc: "Klarna requires a step-up, and the Customer acts by itself, on Klarna's clock.",
        run: |world, step| Box::pin(will_act(world, step)),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::Given,
        expression: "the customer will do this after the step-up:",
        example: "the customer will do this after the step-up:",
        argument: Argument::DocString {
            example: "- {act: leave, after: 1m}\n- {act: come_back, after: 30m}\n- {act: approve, after: 1m}",
            reads: |text| doc_string::script(text).map(drop),
            page: "docs/rules.md",
        },
        doc: "The same, of several acts in order: a list in YAML as `customer` in docs/rules.md has it, each `{act: …, after: …}`.",
        run: |world, step| Box::pin(will_do(world, step)),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::Given,
        expression: "the customer is one whom Klarna's test environment always {treatment}",
        example: "the customer is one whom Klarna's test environment always declines",
        argument: Argument::None,
        doc: "The email of one of Klarna's test customers; it decides unless the scenario says otherwise of Klarna. One who is approved is asked first, like anybody.",
        run: |world, step| {
            world.order_of_a_test_customer(step.text(0) == "declines");
            Box::pin(async { Ok(()) })
        },
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::When,
        expression: "the customer enters a wrong code",
        example: "the customer enters a wrong code",
        argument: Argument::None,
        doc: "The one-time code 999999: nothing is decided, and the Purchase Journey goes on.",
        run: |world, _| Box::pin(world.act(CustomerAct::WrongCode)),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::When,
        expression: "the customer chooses another payment option",
        example: "the customer chooses another payment option",
        argument: Argument::None,
        doc: "Another one than that of the checkout; the purchase stays undecided.",
        run: |world, _| Box::pin(world.act(CustomerAct::ChooseOption)),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::When,
        expression: "the customer looks at the purchase and changes nothing",
        example: "the customer looks at the purchase and changes nothing",
        argument: Argument::None,
        doc: "The Purchase Journey is open, and stays so.",
        run: |world, _| Box::pin(world.act(CustomerAct::ChangeNothing)),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::When,
        expression: "the customer comes back to the purchase",
        example: "the customer comes back to the purchase",
        argument: Argument::None,
        doc: "Who has left the Purchase Journey undecided is in it again.",
        run: |world, _| Box::pin(world.act(CustomerAct::ComeBack)),
    },
    Definition {
        voice: Voice::Customer,
        keyword: Keyword::When,
        expression: "the time of the customer has come",
        example: "the time of the customer has come",
        argument: Argument::None,
        doc: "Klarna's clock goes on until the Customer has done what was planned.",
        run: |world, _| Box::pin(world.let_the_customer_act()),
    },
];

async fn rules(world: &mut World, step: &StepInput) -> StepResult {
    let rules = doc_string::rules(step.doc_string.as_deref().unwrap_or_default())?;
    world.klarna_decides_by(&rules).await
}

async fn evolved(world: &mut World, step: &StepInput) -> StepResult {
    world.klarna_evolves(&evolutions(step.text(0))?).await
}

async fn will_act(world: &mut World, step: &StepInput) -> StepResult {
    let act = meaning(ACTS, step.text(0))?;
    let after = step.text(1).parse().map_err(|_| Failure::misused("this is no span of time"))?;
    world.customer_will(CustomerScript(vec![CustomerStep::after(act, after)])).await
}

async fn will_do(world: &mut World, step: &StepInput) -> StepResult {
    let script = doc_string::script(step.doc_string.as_deref().unwrap_or_default())?;
    world.customer_will(script).await
}
