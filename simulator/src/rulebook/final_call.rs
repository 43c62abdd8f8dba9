//! The final authorize: once, in time, with the token, and the same payment (AP-13 … AP-27).

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::klarna::payment_request::PaymentRequestState;
use klarna_schemas::money::Currency;
use serde_json::Value;

use super::{CallContext, DeathContext, Judge, Judgement, Rule};
use crate::engine::{AuthorizeCall, CallRole};

pub(super) const RULES: &[Rule] = &[
    Rule::of_calls(
        "step-up-config.present",
        &["AP-13"],
        "an initial authorize says how the customer is brought to Klarna and back",
        step_up_config_present,
    ),
    Rule::of_calls(
        "after-approved.no-second-call",
        &["AP-16"],
        "nothing follows an approval on the initial authorize",
        nothing_after_approval,
    ),
    Rule::of_calls(
        "after-declined.no-second-call",
        &["AP-17"],
        "nothing follows a decline on the initial authorize, and the same is not tried again",
        nothing_after_decline,
    ),
    Rule::of_calls(
        "final.token-in-header",
        &["AP-23"],
        "a final authorize carries the session token in its header",
        token_in_header,
    ),
    Rule::of_calls(
        "transaction-reference.unique",
        &["AP-35", "AP-18"],
        "a reference stands for one order",
        reference_of_one,
    ),
    Rule::of_calls(
        "final.after-completed",
        &["AP-28", "AP-20"],
        "a final authorize comes only after the customer has completed",
        only_after_completed,
    ),
    Rule::of_calls(
        "final.one-logical",
        &["AP-25"],
        "there is one final authorize, whatever races or repeats there are",
        one_logical,
    ),
    Rule::of_calls(
        "final.amount-unchanged",
        &["AP-24"],
        "the final amount is the one that the customer approved",
        amount_unchanged,
    ),
    Rule::of_calls(
        "final.currency-unchanged",
        &["AP-24"],
        "the final currency is the one that the customer approved",
        currency_unchanged,
    ),
    Rule::of_calls(
        "final.reference-unchanged",
        &["AP-23"],
        "the final authorize has the reference of the initial one",
        reference_unchanged,
    ),
    Rule::of(
        "final.purchase-data-unchanged",
        &["AP-23"],
        "the final authorize has the purchase data of the initial one",
        Judge::Call(purchase_data_unchanged),
    ),
    Rule::of_calls(
        "final.in-time",
        &["AP-22", "AP-53"],
        "a final authorize comes in the life of its token",
        in_time,
    ),
    Rule::of(
        "final.missing",
        &["AP-27", "AP-22"],
        "a completed purchase is finalised in the life of its token",
        Judge::TokenDied(never_finalised),
    ),
];

fn step_up_config_present(context: &CallContext<'_>) -> Judgement {
    if context.call.role != CallRole::Initial {
        return Judgement::NotJudged;
    }
    let config = context.call.raw.pointer("/step_up_config/customer_interaction_config");
    let returns = ["return_url", "app_return_url"];
    if config.is_some_and(|config| returns.iter().any(|name| config.get(name).is_some_and(Value::is_string)))
    {
        return Judgement::Holds;
    }
    Judgement::found(
        "authorize request, step_up_config.customer_interaction_config",
        "the initial call leaves Klarna no way to ask the customer and bring them back",
        "send step_up_config with customer_interaction_config and a return_url or app_return_url",
        vec![context.call.seq],
    )
}

/// Nothing follows a decision of this kind on the initial call.
fn nothing_after(
    context: &CallContext<'_>,
    decision: &AuthorizationResult,
    what: &str,
    mend: &str,
) -> Judgement {
    let Some(initial) = context.initial() else {
        let decided = context.call.result.as_ref() == Some(decision);
        return if decided { Judgement::Holds } else { Judgement::NotJudged };
    };
    if initial.result.as_ref() != Some(decision) {
        return Judgement::NotJudged;
    }
    if context.call.role == CallRole::Replay {
        return Judgement::Holds;
    }
    Judgement::found("authorize request", what, mend, vec![initial.seq, context.call.seq])
}

fn nothing_after_approval(context: &CallContext<'_>) -> Judgement {
    nothing_after(
        context,
        &AuthorizationResult::Approved,
        "a second authorize was made for a payment that was approved at once",
        "on APPROVED store the transaction and tell the Partner; there is nothing to finalise",
    )
}

fn nothing_after_decline(context: &CallContext<'_>) -> Judgement {
    nothing_after(
        context,
        &AuthorizationResult::Declined,
        "a second authorize was made for a payment that was declined",
        "on DECLINED tell the Partner; a retry is a new payment with its own reference and key",
    )
}

fn token_in_header(context: &CallContext<'_>) -> Judgement {
    match (context.call.role, &context.call.request_state) {
        (CallRole::Final, _) => Judgement::Holds,
        (CallRole::Further, Some(PaymentRequestState::Completed)) => Judgement::found(
            "authorize request, header Klarna-Network-Session-Token",
            "the customer has completed, but this authorize does not carry the session token",
            "send the token of the completed event in this header on the final call",
            context.initial().map(|initial| initial.seq).into_iter().chain([context.call.seq]).collect(),
        ),
        _ => Judgement::NotJudged,
    }
}

fn only_after_completed(context: &CallContext<'_>) -> Judgement {
    use PaymentRequestState::{Canceled, Completed, Declined, Expired};
    // The same call again is a retry, whatever its key: the rules on keys speak of that.
    if context.first_attempt().is_some() || asks_anew(context) {
        return Judgement::NotJudged;
    }
    match (context.call.role, &context.call.request_state) {
        (CallRole::Final, _) => Judgement::Holds,
        // One that has come to nothing is for `request.ended`, and a token that has died for `in_time`.
        (CallRole::Further, None | Some(Completed | Canceled | Declined | Expired)) => Judgement::NotJudged,
        (CallRole::Further, Some(state)) => Judgement::found(
            "authorize request",
            format!("a second authorize was made while the Payment Request is {state}"),
            "finalise only when the completed event has come; a return of the customer proves nothing",
            context.initial().map(|initial| initial.seq).into_iter().chain([context.call.seq]).collect(),
        ),
        _ => Judgement::NotJudged,
    }
}

/// Whether this is the initial call of another order, under a reference that is taken.
fn asks_anew(context: &CallContext<'_>) -> bool {
    let call = context.call;
    let order = |call: &AuthorizeCall| {
        let purchase = call.raw.pointer("/supplementary_purchase_data/purchase_reference").cloned();
        (call.amount, call.currency.clone(), purchase)
    };
    call.role == CallRole::Further
        && call.token.is_none()
        && call.raw.get("step_up_config").is_some()
        && context.initial().is_some_and(|initial| order(initial) != order(call))
}

fn reference_of_one(context: &CallContext<'_>) -> Judgement {
    if context.is_first() {
        return Judgement::Holds;
    }
    if !asks_anew(context) {
        return Judgement::NotJudged;
    }
    Judgement::found(
        "authorize request, request_payment_transaction.payment_transaction_reference",
        "another order came under a reference that a payment has already",
        "give every transaction a reference of your own, unique, 1 to 255 characters",
        with_initial(context),
    )
}

fn in_time(context: &CallContext<'_>) -> Judgement {
    match context.call.role {
        CallRole::Final => Judgement::Holds,
        _ if context.call.is_late() => Judgement::found(
            "authorize request, header Klarna-Network-Session-Token",
            "the final authorize came after the session token had died",
            "finalise within 60 minutes of the completed event; later it is a failure, and the Partner is told",
            with_initial(context),
        ),
        _ => Judgement::NotJudged,
    }
}

fn one_logical(context: &CallContext<'_>) -> Judgement {
    if context.call.role != CallRole::Final {
        return Judgement::NotJudged;
    }
    let other =
        context.earlier.iter().find(|call| call.role == CallRole::Final && call.raw != context.call.raw);
    let Some(other) = other else { return Judgement::Holds };
    Judgement::found(
        "authorize request",
        "a second final authorize differs from the first",
        "claim the final call once per payment; repeat it only with the same key and body",
        vec![other.seq, context.call.seq],
    )
}

/// Whether this call ends a step-up and can be compared with the initial one.
fn ends_step_up(context: &CallContext<'_>) -> bool {
    context.call.role == CallRole::Final
        || (context.call.role == CallRole::Further
            && context.call.request_state == Some(PaymentRequestState::Completed))
}

/// What the customer approved is what the Payment Request asks for: that can have changed since the
/// initial call, and there need not have been one.
fn amount_unchanged(context: &CallContext<'_>) -> Judgement {
    let asked_for = context.call.asked_for.as_ref().map(|(amount, _)| *amount);
    let approved = asked_for.or_else(|| context.initial()?.amount);
    let (Some(approved), true) = (approved, ends_step_up(context)) else { return Judgement::NotJudged };
    Judgement::equal(
        "authorize request, request_payment_transaction.amount",
        "the final amount is not the one that the customer approved",
        "finalise with the amount of the Payment Request",
        Some(approved.to_string()),
        context.call.amount.map(|amount| amount.to_string()),
        with_initial(context),
    )
}

fn currency_unchanged(context: &CallContext<'_>) -> Judgement {
    let asked_for = context.call.asked_for.as_ref().map(|(_, currency)| currency);
    let approved = asked_for.or_else(|| context.initial()?.currency.as_ref());
    let (Some(approved), true) = (approved, ends_step_up(context)) else { return Judgement::NotJudged };
    let shown = |currency: &Currency| currency.as_str().to_ascii_uppercase();
    Judgement::equal(
        "authorize request, currency",
        "the final currency is not the one that the customer approved",
        "finalise in the currency of the Payment Request",
        Some(shown(approved)),
        context.call.currency.as_ref().map(shown),
        with_initial(context),
    )
}

/// The exchanges that show both ends of a step-up.
fn with_initial(context: &CallContext<'_>) -> Vec<u64> {
    context.initial().map(|initial| initial.seq).into_iter().chain([context.call.seq]).collect()
}

fn reference_unchanged(context: &CallContext<'_>) -> Judgement {
    let Some(initial) = context.initial().filter(|_| ends_step_up(context)) else {
        return Judgement::NotJudged;
    };
    Judgement::equal(
        "authorize request, request_payment_transaction.payment_transaction_reference",
        "the final call carries another transaction reference than the initial one",
        "finalise under the reference of the initial call",
        initial.reference.clone(),
        context.call.reference.clone(),
        vec![initial.seq, context.call.seq],
    )
}

/// Whether the Payment Request asks for something else than the initial call did.
fn asks_for_more_or_less(context: &CallContext<'_>, initial: &AuthorizeCall) -> bool {
    let asked_for = context.call.asked_for.as_ref().map(|(amount, _)| *amount);
    asked_for.is_some() && asked_for != initial.amount
}

fn purchase_data_unchanged(context: &CallContext<'_>) -> Judgement {
    const FIELD: &str = "supplementary_purchase_data";
    let Some(initial) = context.initial().filter(|_| context.call.role == CallRole::Final) else {
        return Judgement::NotJudged;
    };
    match (initial.raw.get(FIELD), context.call.raw.get(FIELD)) {
        (None, _) => Judgement::NotJudged,
        // The request was changed since, and its purchase with it.
        _ if asks_for_more_or_less(context, initial) => Judgement::NotJudged,
        (one, other) if one == other => Judgement::Holds,
        (_, other) => Judgement::found(
            "authorize request, supplementary_purchase_data",
            format!(
                "the final call's purchase data is {}",
                if other.is_some() { "changed" } else { "missing" }
            ),
            "send the same payload as on the initial call; only step_up_config may be left out",
            vec![initial.seq, context.call.seq],
        ),
    }
}

fn never_finalised(context: &DeathContext<'_>) -> Judgement {
    let payment = context.payment;
    // Whoever tried and was not served did what it could; other rules look at how.
    if payment.final_attempts().next().is_some() {
        return Judgement::Holds;
    }
    let completed = payment.completed_event;
    Judgement::found(
        "authorize (final)",
        "the customer completed the purchase, and no final authorize came in the life of the token",
        "on payment.request.state-change.completed authorize again with the event's session token, within 60 minutes",
        payment.initial().map(|call| call.seq).into_iter().chain(completed).collect(),
    )
}
