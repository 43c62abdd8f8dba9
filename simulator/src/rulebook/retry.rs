//! Calls made again: unchanged after Klarna was in trouble, not at all after a refusal, and anew after
//! a payment came to nothing (AP-18, AP-37, AP-38).
//!
//! That a repeat of the same body keeps its key, and a key its body, is for `idempotency-key.*` to say.
//! How often a call is repeated is not judged, and how fast only after a 429: no number is published.

use klarna_schemas::simulator::control::Fault;

use super::{ApiContext, CallContext, DeathContext, Judge, Judgement, Rule};
use crate::engine::{AuthorizeCall, CallRole};

pub(super) const RULES: &[Rule] = &[
    Rule::of_calls(
        "retry.same-call",
        &["AP-38", "AP-26", "AP-33"],
        "after a 5xx, a 429 or no answer the same call is made again",
        same_call,
    ),
    Rule::of_api(
        "retry.not-after-4xx",
        &["AP-37"],
        "what Klarna has refused is not asked again unchanged",
        not_after_4xx,
    ),
    Rule::of_api(
        "retry.backed-off",
        &["AP-39"],
        "a call that met a 429 is made again after a pause",
        backed_off,
    ),
    Rule::of(
        "retry.made",
        &["AP-26", "AP-38"],
        "a final authorize that met a 5xx, a 429 or no answer is made again",
        Judge::TokenDied(made),
    ),
    Rule::of_calls("retry.new-reference", &["AP-18"], "a new try has a reference of its own", new_reference),
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

/// One try is none too few where it was refused, or is under way as the token dies.
fn made(context: &DeathContext<'_>) -> Judgement {
    let mut attempts = context.payment.final_attempts();
    match (attempts.next(), attempts.next()) {
        (Some(only), None) if is_to_be_repeated(only) && only.result.is_none() => Judgement::found(
            "authorize (final)",
            "the final authorize met no decision, and was not made again in the life of the token",
            "after a 5xx, a 429 or a time-out send the stored bytes again, with the same key and token",
            vec![only.seq],
        ),
        (Some(_), Some(_)) => Judgement::Holds,
        _ => Judgement::NotJudged,
    }
}

fn not_after_4xx(context: &ApiContext<'_>) -> Judgement {
    if !context.call.writes() {
        return Judgement::NotJudged;
    }
    match context.refusal_of_the_same() {
        Some(seq) => Judgement::found(
            &context.call.at("the whole of it"),
            "Klarna refused this very call, and it was made again unchanged",
            "after a 4xx other than 429 stop, tell the Partner, and let a person see why",
            vec![seq, context.seq],
        ),
        None if context.something_was_refused() => Judgement::Holds,
        None => Judgement::NotJudged,
    }
}

/// Klarna names whole seconds, and the quota may be renewed sooner: only what comes at once is no pause.
fn backed_off(context: &ApiContext<'_>) -> Judgement {
    const AT_ONCE: u32 = 10;
    let Some((seq, ago, reset)) = context.limited_before() else { return Judgement::NotJudged };
    if ago >= reset / AT_ONCE {
        return Judgement::Holds;
    }
    Judgement::found(
        &context.call.at("the whole of it"),
        format!("a call that met a 429 was made again at once; X-Ratelimit-Reset said {} s", reset.as_secs()),
        "after a 429 wait for what X-Ratelimit-Reset names, and longer each time, by chance",
        vec![seq, context.seq],
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
