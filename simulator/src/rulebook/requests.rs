//! Payment Requests: how long they live, when they are changed, and what becomes of those that led to
//! nothing (AP-21, AP-30, AP-31, AP-32).

use klarna_schemas::klarna::payment_request::PaymentRequestState;

use super::{ApiContext, CallContext, DeathContext, Judge, Judgement, Rule};
use crate::engine::{CallRole, OUT_OF_TURN};

pub(super) const RULES: &[Rule] = &[
    Rule::of_api(
        "request.updated-in-time",
        &["AP-31"],
        "a Payment Request is changed only while it is SUBMITTED",
        updated_in_time,
    ),
    Rule::of_api(
        "request.expiry-in-range",
        &["AP-32"],
        "an interaction_expiry that is asked for lies between 15 minutes and 48 hours",
        expiry_in_range,
    ),
    Rule::of_calls(
        "request.ended",
        &["AP-21"],
        "no authorize goes on with a Payment Request that was declined, canceled or has expired",
        nothing_after_the_end,
    ),
    Rule::of(
        "request.canceled-when-given-up",
        &["AP-30"],
        "a Payment Request whose final authorize came to nothing is canceled",
        Judge::TokenDied(canceled_when_given_up),
    ),
];

fn updated_in_time(context: &ApiContext<'_>) -> Judgement {
    let call = context.call;
    if !["payment_request.update", "payment_request.replace"].contains(&call.operation.as_str()) {
        return Judgement::NotJudged;
    }
    if call.succeeded() {
        return Judgement::Holds;
    }
    match call.error_message.as_ref().filter(|message| message.contains(OUT_OF_TURN)) {
        Some(message) => Judgement::found(
            &call.at("Payment Request"),
            message.clone(),
            "once the customer has opened the Purchase Journey, cancel the request and make a new one",
            vec![context.seq],
        ),
        None => Judgement::NotJudged,
    }
}

fn expiry_in_range(context: &ApiContext<'_>) -> Judgement {
    const FIELD: &str = "interaction_expiry";
    let call = context.call;
    let config = call.body.get("step_up_config").unwrap_or(&call.body);
    if config.pointer("/customer_interaction_config/interaction_expiry").is_none() {
        return Judgement::NotJudged;
    }
    if call.succeeded() {
        return Judgement::Holds;
    }
    match call.wrong_fields.iter().find(|field| field.contains(FIELD)) {
        Some(field) => Judgement::found(
            &call.at(field),
            "Klarna refused how long the customer is to have",
            "ask for 15 minutes to 48 hours, or leave it out: then it is 3 hours",
            vec![context.seq],
        ),
        None => Judgement::NotJudged,
    }
}

fn nothing_after_the_end(context: &CallContext<'_>) -> Judgement {
    use PaymentRequestState::{Canceled, Declined, Expired};
    let call = context.call;
    let ended = matches!(call.request_state, Some(Canceled | Declined | Expired));
    if !ended || call.is_late() || context.first_attempt().is_some() {
        return Judgement::NotJudged;
    }
    match (call.role, &call.request_state) {
        (CallRole::Further, Some(state)) => Judgement::found(
            "authorize request",
            format!("an authorize was made for a Payment Request that is {state}"),
            "on DECLINED, CANCELED and EXPIRED end the payment and tell the Partner; another try is a new payment",
            context.initial().map(|initial| initial.seq).into_iter().chain([call.seq]).collect(),
        ),
        _ => Judgement::NotJudged,
    }
}

/// A token that dies unused stands for a Payment Request that was neither finalised nor canceled.
fn canceled_when_given_up(context: &DeathContext<'_>) -> Judgement {
    let tried: Vec<u64> = context.payment.final_attempts().map(|call| call.seq).collect();
    if tried.is_empty() || context.payment.finals().next().is_some() {
        return Judgement::NotJudged;
    }
    Judgement::found(
        "payment_request.cancel",
        "no final authorize was answered with a decision, and the Payment Request was left as it was",
        "when the final authorize is given up, cancel the Payment Request, so that nothing comes of it later",
        tried,
    )
}
