//! The acquirer goes on where Klarna's answers are not what they were yesterday (AP-41, AP-42).

use klarna_schemas::simulator::control::{Fault, FaultBody};

use super::{CallContext, DeathContext, Judge, Judgement, Rule};
use crate::engine::{AuthorizeCall, CallRole};

pub(super) const RULES: &[Rule] = &[
    Rule::of_calls(
        "evolution.finalised",
        &["AP-41"],
        "the final authorize comes where Klarna's answers and webhooks have more in them than is documented",
        finalised,
    )
    .also(Judge::TokenDied(died_evolved)),
    Rule::of_calls(
        "bare-error.survived",
        &["AP-42"],
        "a final authorize that met an error which is no JSON is made again",
        made_again,
    )
    .also(Judge::TokenDied(not_made_again)),
];

fn finalised(context: &CallContext<'_>) -> Judgement {
    if context.evolved && context.call.role == CallRole::Final {
        Judgement::Holds
    } else {
        Judgement::NotJudged
    }
}

fn died_evolved(context: &DeathContext<'_>) -> Judgement {
    if !context.evolved || context.payment.final_attempts().next().is_some() {
        return Judgement::NotJudged;
    }
    Judgement::found(
        "authorize (final)",
        "the customer completed the purchase while Klarna had evolved, and no final authorize came",
        "read from Klarna's answers and webhooks what is needed, ignore all else, and keep ids as text",
        context.payment.initial().map(|call| call.seq).into_iter().collect(),
    )
}

/// A server's error, or a quota's, without Klarna's body: the call is to be made again.
fn is_bare(call: &AuthorizeCall) -> bool {
    let bare = |body| matches!(body, FaultBody::None | FaultBody::Html);
    matches!(call.fault, Some(Fault::Status { status, body }) if (status == 429 || status >= 500) && bare(body))
}

fn made_again(context: &CallContext<'_>) -> Judgement {
    let before = context.earlier.iter().rev().find(|call| call.role == CallRole::Final);
    match before {
        Some(before) if is_bare(before) && context.call.repeats(before) => Judgement::Holds,
        _ => Judgement::NotJudged,
    }
}

fn not_made_again(context: &DeathContext<'_>) -> Judgement {
    let mut attempts = context.payment.final_attempts();
    let (Some(only), None) = (attempts.next().filter(|call| is_bare(call)), attempts.next()) else {
        return Judgement::NotJudged;
    };
    Judgement::found(
        "authorize (final)",
        "the final authorize met an error that is no JSON, and was not made again in the life of the token",
        "branch on the status, whatever the body is: after a 5xx or a 429 send the same call again",
        vec![only.seq],
    )
}
