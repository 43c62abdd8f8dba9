//! The payment option that the customer chose in the payment form (contract
//! `webhooks-and-network-data.md` C). That it goes back to Klarna is published; that Klarna minds one
//! that it has not issued is inferred, so that rule warns.

use serde_json::Value;

use super::{CallContext, Judge, Judgement, Rule};
use crate::engine::CallRole;

pub(super) const RULES: &[Rule] = &[
    Rule::of(
        "payment-option.known",
        &["AP-01"],
        "the payment option is one that Klarna has issued",
        Judge::Call(known),
    ),
    Rule::of_calls(
        "payment-option.as-intended",
        &["AP-01"],
        "the payment option is the one that the customer chose",
        as_intended,
    )
    .by_intent(),
];

const FIELD: &str = "authorize request, request_payment_transaction.payment_option_id";

fn known(context: &CallContext<'_>) -> Judgement {
    if context.call.role == CallRole::Replay {
        return Judgement::NotJudged;
    }
    match context.call.payment_option_known {
        None => Judgement::NotJudged,
        Some(true) => Judgement::Holds,
        Some(false) => Judgement::found(
            FIELD,
            "Klarna has issued no payment option of this id in this account",
            "take payment_option_id from the presentation of this payment, unchanged, or leave it out",
            vec![context.call.seq],
        ),
    }
}

/// The initial call, and the final one where it names an option at all.
fn as_intended(context: &CallContext<'_>) -> Judgement {
    let intended = context.payment.intent.as_ref().and_then(|intent| intent.payment_option_id.clone());
    let came = context.call.raw.pointer("/request_payment_transaction/payment_option_id");
    let judged = context.is_first() || context.call.role == CallRole::Final && came.is_some();
    let (true, Some(intended)) = (judged, intended) else {
        return Judgement::NotJudged;
    };
    Judgement::equal(
        FIELD,
        "the payment option is not the one that the customer chose",
        "hand the Partner's payment option on, unchanged",
        Some(intended),
        came.and_then(Value::as_str).map(str::to_owned),
        vec![context.call.seq],
    )
}
