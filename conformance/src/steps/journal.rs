//! What Klarna's journal shows, and Klarna's clock: for features of one's own, beside the duties.

use klarna_schemas::simulator::control::{JournalQuery, SetClock};

use super::definition::{Argument, Definition, Keyword, StepInput, StepResult, Voice};
use super::doc_string;
use crate::world::{Failure, World};

pub(super) const STEPS: &[Definition] = &[
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Given,
        expression: "Klarna's clock stands still",
        example: "Klarna's clock stands still",
        argument: Argument::None,
        doc: "What waits for Klarna's time happens only by steps that move it.",
        run: |world, _| Box::pin(world.set_klarnas_clock(SetClock::Freeze(true))),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "Klarna's clock is set to {time}",
        example: "Klarna's clock is set to 2040-01-01T00:00:00Z",
        argument: Argument::None,
        doc: "A time later than Klarna's. What falls due on the way happens, and the webhooks that are then sent have been answered when the step ends.",
        run: |world, step| Box::pin(set_to(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::When,
        expression: "Klarna's clock runs again",
        example: "Klarna's clock runs again",
        argument: Argument::None,
        doc: "From where it stood.",
        run: |world, _| Box::pin(world.set_klarnas_clock(SetClock::Freeze(false))),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "Klarna's journal shows an entry with:",
        example: "Klarna's journal shows an entry with:",
        argument: Argument::DocString {
            example: "operation: authorize\npayment: this\nstatus: 200",
            reads: |text| doc_string::conditions(text).map(drop),
            page: "docs/journal.md",
        },
        doc: "An exchange in the Partner's account that meets every condition is awaited. The conditions are those of docs/journal.md, one a line: operation, direction, payment, header, request_json, response_json, status, ended, fault, finding, since, until. `payment: this` is the payment of the scenario.",
        run: |world, step| Box::pin(an_entry_with(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "Klarna's journal shows no entry with:",
        example: "Klarna's journal shows no entry with:",
        argument: Argument::DocString {
            example: "payment: this\nfinding: network-data.*",
            reads: |text| doc_string::conditions(text).map(drop),
            page: "docs/journal.md",
        },
        doc: "No exchange meets all of these conditions, which are the same; proved by a sound twin payment that is through before the look back, so say `payment: this` where the twin's calls would meet them.",
        run: |world, step| Box::pin(no_entry_with(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "Klarna's journal shows at least {int} entry/entries of {operation}",
        example: "Klarna's journal shows at least 2 entries of authorize",
        argument: Argument::None,
        doc: "So many exchanges of the operation, by the journal's name of it, are awaited in the Partner's account; a * at the end of the name matches any rest.",
        run: |world, step| Box::pin(at_least(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "Klarna's journal shows an entry of {operation} with the header {header}",
        example: "Klarna's journal shows an entry of authorize with the header Klarna-Idempotency-Key",
        argument: Argument::None,
        doc: "The same, of a request that has this header.",
        run: |world, step| Box::pin(with_header(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "Klarna's journal shows an entry of {operation} whose request has:",
        example: "Klarna's journal shows an entry of authorize whose request has:",
        argument: Argument::DocString {
            example: "$.step_up_config",
            reads: doc_string::anything,
            page: "docs/journal.md",
        },
        doc: "The same, of a request in whose body a JSONPath finds something, such as $.step_up_config.",
        run: |world, step| Box::pin(whose_request(world, step)),
    },
    Definition {
        voice: Voice::Klarna,
        keyword: Keyword::Then,
        expression: "Klarna's journal shows an entry of {operation} whose answer has:",
        example: "Klarna's journal shows an entry of authorize whose answer has:",
        argument: Argument::DocString {
            example: "$.payment_transaction_response",
            reads: doc_string::anything,
            page: "docs/journal.md",
        },
        doc: "The same of the answer's body.",
        run: |world, step| Box::pin(whose_answer(world, step)),
    },
];

async fn set_to(world: &mut World, step: &StepInput) -> StepResult {
    let time = step.text(0).parse().map_err(|_| Failure::misused("this is no time"))?;
    world.set_klarnas_clock(SetClock::Set(time)).await
}

fn of(operation: &str) -> JournalQuery {
    JournalQuery { operation: Some(operation.to_owned()), ..JournalQuery::default() }
}

async fn an_entry_with(world: &mut World, step: &StepInput) -> StepResult {
    let query = conditions(world, step).await?;
    world.journal_must_show(query, 1).await
}

async fn no_entry_with(world: &mut World, step: &StepInput) -> StepResult {
    let query = conditions(world, step).await?;
    world.journal_must_not_show(query).await
}

/// The conditions of a doc string.
async fn conditions(world: &mut World, step: &StepInput) -> Result<JournalQuery, Failure> {
    let query = doc_string::conditions(step.doc_string.as_deref().unwrap_or_default())?;
    Ok(match query.payment.as_deref() {
        Some("this") => JournalQuery { payment: Some(world.payment_name().await?), ..query },
        _ => query,
    })
}

async fn at_least(world: &mut World, step: &StepInput) -> StepResult {
    let count = step.text(0).parse().map_err(|_| Failure::misused("this is no number"))?;
    world.journal_must_show(of(step.text(1)), count).await
}

async fn with_header(world: &mut World, step: &StepInput) -> StepResult {
    let query = JournalQuery { header: Some(step.text(1).to_owned()), ..of(step.text(0)) };
    world.journal_must_show(query, 1).await
}

async fn whose_request(world: &mut World, step: &StepInput) -> StepResult {
    let query = JournalQuery { request_json: step.doc_string.clone(), ..of(step.text(0)) };
    world.journal_must_show(query, 1).await
}

async fn whose_answer(world: &mut World, step: &StepInput) -> StepResult {
    let query = JournalQuery { response_json: step.doc_string.clone(), ..of(step.text(0)) };
    world.journal_must_show(query, 1).await
}
