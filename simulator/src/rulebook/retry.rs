//! Calls made again: unchanged after Klarna was in trouble, not at all after a refusal, and anew after
//! a payment came to nothing (AP-18, AP-37, AP-38).
//!
//! That a repeat of the same body keeps its key, and a key its body, is for `idempotency-key.*` to say.
//! How often and how fast a call is repeated is not judged here: no number is published.

use klarna_schemas::simulator::control::Fault;

use super::{CallContext, Judgement, Rule};
use crate::engine::{AuthorizeCall, CallRole};

pub(super) const RULES: &[Rule] = &[
    Rule::of_calls("retry.same-call", &["AP-38", "AP-26", "AP-33"], same_call),
    Rule::of_calls("retry.not-after-4xx", &["AP-37"], not_after_4xx),
    Rule::of_calls("retry.new-reference", &["AP-18"], new_reference),
];

/// Whether a call is to be made again: it met a 429, a 5xx, or no answer that can be read.
fn is_to_be_repeated(call: &AuthorizeCall) -> bool {
    match call.fault.or(call.unheard) {
        Some(Fault::Status { status, .. }) => status == 429 || status >= 500,
        // Whoever is patient has the answer of one that is late.
        None | Some(Fault::Delay { .. } | Fault::Drip { .. }) => false,
        Some(
            Fault::Stall
            | Fault::Reset
            | Fault::Garbage
            | Fault::LoseAnswer
            | Fault::Cut { .. }
            | Fault::Truncate
            | Fault::WrongLength,
        ) => true,
    }
}

fn same_call(context: &CallContext<'_>) -> Judgement {
    let call = context.call;
    // The initial and the final call are two actions, each with its own retries.
    let is_final = |call: &AuthorizeCall| call.role == CallRole::Final;
    let same_kind = |earlier: &&AuthorizeCall| is_final(earlier) == is_final(call);
    let before = context.earlier.iter().rev().find(same_kind);
    let Some(before) = before.filter(|before| is_to_be_repeated(before)) else {
        return Judgement::NotJudged;
    };
    match (call.repeats(before), call.key == before.key) {
        (true, true) => Judgement::Holds,
        (false, false) => Judgement::found(
            "authorize request",
            "the call before it got no answer that can be read, and this one is another call: other key, other body",
            "after a 5xx, a 429 or a time-out send the stored bytes again, with the same key and token",
            vec![before.seq, call.seq],
        ),
        // One of the two: a rule on keys says so.
        _ => Judgement::NotJudged,
    }
}

fn not_after_4xx(context: &CallContext<'_>) -> Judgement {
    let is_refusal = |call: &&AuthorizeCall| match call.fault {
        Some(Fault::Status { status, .. }) => (400..500).contains(&status) && status != 429,
        Some(_) => false,
        None => call.refused,
    };
    let mut refused = context.earlier.iter().filter(is_refusal).peekable();
    if refused.peek().is_none() {
        return Judgement::NotJudged;
    }
    let Some(same) = refused.find(|earlier| context.call.repeats(earlier)) else { return Judgement::Holds };
    Judgement::found(
        "authorize request",
        "Klarna refused this very call, and it was made again unchanged",
        "after a 4xx other than 429 stop, tell the Partner, and let a person see why",
        vec![same.seq, context.call.seq],
    )
}

fn new_reference(context: &CallContext<'_>) -> Judgement {
    let Some(earlier) = context.payment.earlier_attempt.as_ref().filter(|_| context.is_first()) else {
        return Judgement::NotJudged;
    };
    if earlier.reference.is_none() || earlier.reference != context.call.reference {
        return Judgement::Holds;
    }
    Judgement::found(
        "authorize request, request_payment_transaction.payment_transaction_reference",
        "a new try has the reference of one that came to nothing",
        "give each try a reference of its own, so that its decisions and events can be told apart",
        vec![earlier.seq, context.call.seq],
    )
}
