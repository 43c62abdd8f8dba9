//! `Klarna-Idempotency-Key`: one logical action, one key, one body (AP-33).

use super::{CallContext, Judge, Judgement, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::of_calls("idempotency-key.present", &["AP-33"], present),
    Rule { id: "idempotency-key.own-header", duties: &["AP-33"], judge: Judge::Call(own_header) },
    Rule::of_calls("idempotency-key.one-body", &["AP-33"], one_body),
    Rule::of_calls("idempotency-key.kept-on-retry", &["AP-33", "AP-26"], kept_on_retry),
];

const HEADER: &str = "authorize request, header Klarna-Idempotency-Key";

fn present(context: &CallContext<'_>) -> Judgement {
    if context.call.key.as_deref().is_some_and(|key| !key.is_empty()) {
        return Judgement::Holds;
    }
    Judgement::found(
        HEADER,
        "the call has no idempotency key",
        "send a UUID in this header on every POST and PATCH: new for a new action, the same on a retry",
        vec![context.call.seq],
    )
}

fn own_header(context: &CallContext<'_>) -> Judgement {
    if !context.call.head.unprefixed_key {
        return Judgement::NotJudged;
    }
    Judgement::found(
        "authorize request, header Idempotency-Key",
        "Klarna does not read a header of this name",
        "send the key as Klarna-Idempotency-Key",
        vec![context.call.seq],
    )
}

fn one_body(context: &CallContext<'_>) -> Judgement {
    let Some(key) = &context.call.key else { return Judgement::NotJudged };
    let same_key = context.earlier.iter().filter(|call| call.key.as_ref() == Some(key));
    let mut seen = false;
    for earlier in same_key {
        seen = true;
        if !context.call.repeats(earlier) {
            return Judgement::found(
                HEADER,
                "the same key came with another body or session token",
                "a key stands for one action and one body; draw a new one for a new action",
                vec![earlier.seq, context.call.seq],
            );
        }
    }
    if seen { Judgement::Holds } else { Judgement::NotJudged }
}

fn kept_on_retry(context: &CallContext<'_>) -> Judgement {
    let call = context.call;
    let Some(earlier) = context.first_attempt() else { return Judgement::NotJudged };
    if earlier.key == call.key {
        return Judgement::Holds;
    }
    Judgement::found(
        HEADER,
        "the same call was made again with another key",
        "repeat a call with the key of its first attempt, so that Klarna can tell it from a new one",
        vec![earlier.seq, call.seq],
    )
}
