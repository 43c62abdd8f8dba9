//! `Klarna-Idempotency-Key`: one logical action, one key, one body (AP-33).

use klarna_schemas::klarna::IDEMPOTENCY_KEY_HEADER;
use uuid::Uuid;

use super::api_call::Before;
use super::{ApiContext, CallContext, Judgement, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::of_api(
        "idempotency-key.present",
        &["AP-33"],
        "every POST and PATCH has an idempotency key",
        present,
    ),
    Rule::of_api(
        "idempotency-key.own-header",
        &["AP-33"],
        "the key comes in Klarna's header, not in one called Idempotency-Key",
        own_header,
    ),
    Rule::of_api("idempotency-key.uuid", &["AP-33"], "the key is a UUID, as Klarna advises", is_a_uuid),
    Rule::of_api(
        "idempotency-key.one-body",
        &["AP-33"],
        "a key stands for one action and one body",
        one_body,
    ),
    Rule::of_calls(
        "idempotency-key.kept-on-retry",
        &["AP-33", "AP-26"],
        "the same authorize, made again, has the key of its first attempt",
        kept_on_retry,
    ),
];

const HEADER: &str = "header Klarna-Idempotency-Key";

fn present(context: &ApiContext<'_>) -> Judgement {
    if !context.call.takes_a_key() {
        return Judgement::NotJudged;
    }
    if context.call.key().is_some() {
        return Judgement::Holds;
    }
    Judgement::found(
        &context.call.at(HEADER),
        "the call has no idempotency key",
        "send a UUID in this header on every POST and PATCH: new for a new action, the same on a retry",
        vec![context.seq],
    )
}

fn own_header(context: &ApiContext<'_>) -> Judgement {
    if context.call.header("idempotency-key").is_none() {
        return Judgement::NotJudged;
    }
    Judgement::found(
        &context.call.at("header Idempotency-Key"),
        "Klarna does not read a header of this name",
        "send the key as Klarna-Idempotency-Key",
        vec![context.seq],
    )
}

fn is_a_uuid(context: &ApiContext<'_>) -> Judgement {
    let Some(key) = context.call.header(IDEMPOTENCY_KEY_HEADER).filter(|_| context.call.takes_a_key()) else {
        return Judgement::NotJudged;
    };
    if Uuid::try_parse(key).is_ok() {
        return Judgement::Holds;
    }
    Judgement::found(
        &context.call.at(HEADER),
        "the key is no UUID",
        "draw a UUID of version 4, or make one of version 5 of what the action is about",
        vec![context.seq],
    )
}

fn one_body(context: &ApiContext<'_>) -> Judgement {
    if !context.call.takes_a_key() {
        return Judgement::NotJudged;
    }
    match context.key_before() {
        Before::Never => Judgement::NotJudged,
        Before::ByTheSame => Judgement::Holds,
        Before::ByAnother(seq) => Judgement::found(
            &context.call.at(HEADER),
            "the same key came with another body, session token or path",
            "a key stands for one action and one body; draw a new one for a new action",
            vec![seq, context.seq],
        ),
    }
}

fn kept_on_retry(context: &CallContext<'_>) -> Judgement {
    let call = context.call;
    let Some(earlier) = context.first_attempt() else { return Judgement::NotJudged };
    if earlier.key == call.key {
        return Judgement::Holds;
    }
    Judgement::found(
        "authorize request, header Klarna-Idempotency-Key",
        "the same call was made again with another key",
        "repeat a call with the key of its first attempt, so that Klarna can tell it from a new one",
        vec![earlier.seq, call.seq],
    )
}
