//! The order reaches Klarna as the Partner gave it (AP-07, AP-08).

use serde_json::Value;

use super::{CallContext, Judge, Judgement, RefusedContext, Rule};
use crate::engine::CallRole;

pub(super) const RULES: &[Rule] = &[
    Rule::of(
        "body.as-documented",
        &["AP-07"],
        "a body holds what is documented, and nothing else",
        Judge::Call(as_documented),
    ),
    Rule::of("authorize.valid", &["AP-07"], "an authorize validates", Judge::Refused(valid)),
    // What the tester has made stricter than Klarna is known to be can only warn.
    Rule::of(
        "authorize.strictly-valid",
        &["AP-07"],
        "an authorize validates where the policies are stricter than Klarna is known to be",
        Judge::Refused(strictly_valid),
    ),
    Rule::of_calls(
        "authorize.unasked",
        &["AP-17"],
        "a payment is authorized because a Partner asked for it",
        unasked,
    )
    .by_intent(),
    Rule::of_calls("amount.as-intended", &["AP-07"], "the amount is the Partner's", amount).by_intent(),
    Rule::of_calls("currency.as-intended", &["AP-07"], "the currency is the Partner's", currency).by_intent(),
    Rule::of_calls(
        "transaction-reference.present",
        &["AP-07"],
        "a transaction has a reference of the acquirer's",
        reference_present,
    ),
    Rule::of_calls(
        "purchase-data.present",
        &["AP-08"],
        "purchase reference, order lines, customer and shipping come where the Partner gave them",
        purchase_data_present,
    )
    .by_intent(),
    Rule::of_calls(
        "purchase-reference.as-intended",
        &["AP-08"],
        "the purchase reference is the Partner's",
        purchase_reference,
    )
    .by_intent(),
    Rule::of_calls(
        "line-items.as-intended",
        &["AP-08"],
        "the order lines are the Partner's, field by field",
        line_items,
    )
    .by_intent(),
];

fn as_documented(context: &CallContext<'_>) -> Judgement {
    const SHOWN: usize = 3;
    if context.call.role == CallRole::Replay {
        return Judgement::NotJudged;
    }
    let odd = &context.call.undocumented;
    let Some(first) = odd.first() else { return Judgement::Holds };
    let list: Vec<String> =
        odd.iter().take(SHOWN).map(|field| format!("{} {}", field.parameter, field.reason)).collect();
    let more = odd.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    Judgement::found(
        &format!("authorize request, {}", first.parameter),
        format!("the body is accepted, but not as documented: {}{rest}", list.join("; ")),
        "compare the body with schemas/klarna/authorize-request.schema.json",
        vec![context.call.seq],
    )
}

/// Judged only where it fails: a call that validates is judged by what it says.
fn valid(context: &RefusedContext<'_>) -> Judgement {
    if context.by_policy { Judgement::NotJudged } else { refused(context, "it does not validate") }
}

/// Judged only where it fails, too.
fn strictly_valid(context: &RefusedContext<'_>) -> Judgement {
    if context.by_policy {
        refused(context, "the simulator's policies are strict")
    } else {
        Judgement::NotJudged
    }
}

fn refused(context: &RefusedContext<'_>, why: &str) -> Judgement {
    let Some(first) = context.fields.first() else { return Judgement::NotJudged };
    let list: Vec<String> =
        context.fields.iter().map(|field| format!("{} {}", field.parameter, field.reason)).collect();
    Judgement::found(
        &format!("authorize request, {}", first.parameter),
        format!("Klarna refused the authorize, for {why}: {}", list.join("; ")),
        "compare the body with schemas/klarna/authorize-request.schema.json; do not send it again unchanged",
        vec![context.seq],
    )
}

fn unasked(context: &CallContext<'_>) -> Judgement {
    if !context.is_first() || !context.intents_declared {
        return Judgement::NotJudged;
    }
    if context.payment.intent.is_some() {
        return Judgement::Holds;
    }
    Judgement::found(
        "authorize request",
        "a new payment was authorized that no Partner asked for",
        "authorize once per payment that a Partner creates; repeat a call with its own key and reference",
        vec![context.call.seq],
    )
}

fn amount(context: &CallContext<'_>) -> Judgement {
    let (true, Some(intent)) = (context.is_first(), &context.payment.intent) else {
        return Judgement::NotJudged;
    };
    Judgement::equal(
        "authorize request, request_payment_transaction.amount",
        "the amount is not the one that the Partner asked for",
        "send the Partner's amount in minor units of the currency",
        Some(intent.amount.to_string()),
        context.call.amount.map(|amount| amount.to_string()),
        vec![context.call.seq],
    )
}

fn currency(context: &CallContext<'_>) -> Judgement {
    let (true, Some(intent)) = (context.is_first(), &context.payment.intent) else {
        return Judgement::NotJudged;
    };
    Judgement::equal(
        "authorize request, currency",
        "the currency is not the one that the Partner asked for",
        "send the Partner's currency",
        Some(intent.currency.as_str().to_ascii_uppercase()),
        context.call.currency.as_ref().map(|currency| currency.as_str().to_ascii_uppercase()),
        vec![context.call.seq],
    )
}

fn reference_present(context: &CallContext<'_>) -> Judgement {
    if !context.is_first() {
        return Judgement::NotJudged;
    }
    if context.call.reference.as_deref().is_some_and(|reference| !reference.is_empty()) {
        return Judgement::Holds;
    }
    Judgement::found(
        "authorize request, request_payment_transaction.payment_transaction_reference",
        "the transaction has no reference of the acquirer's",
        "give every transaction a reference of your own, unique, 1 to 255 characters",
        vec![context.call.seq],
    )
}

fn purchase_data_present(context: &CallContext<'_>) -> Judgement {
    let Some(intent) = context.payment.intent.as_ref().filter(|_| context.is_first()) else {
        return Judgement::NotJudged;
    };
    // Only what the Partner was declared to give is missed, and nothing that it gave empty.
    let items = intent.line_items.as_ref();
    let given: Vec<&str> = [
        ("purchase_reference", intent.purchase_reference.as_ref().is_some_and(|text| !text.is_empty())),
        ("line_items", items.is_some_and(|items| !items.is_empty())),
        ("customer", intent.customer.as_ref().is_some_and(|customer| !is_empty(customer))),
        ("shipping", intent.shipping.as_ref().is_some_and(|shipping| !shipping.is_empty())),
    ]
    .into_iter()
    .filter_map(|(part, is_given)| is_given.then_some(part))
    .collect();
    if given.is_empty() {
        return Judgement::NotJudged;
    }
    let data = context.call.raw.get("supplementary_purchase_data");
    let missing: Vec<&str> =
        given.into_iter().filter(|part| data.and_then(|data| data.get(part)).is_none_or(is_empty)).collect();
    if missing.is_empty() {
        return Judgement::Holds;
    }
    Judgement::found(
        "authorize request, supplementary_purchase_data",
        format!("these parts of the purchase data are missing: {}", missing.join(", ")),
        "send what the Partner knows of the purchase on every initial call",
        vec![context.call.seq],
    )
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn purchase_reference(context: &CallContext<'_>) -> Judgement {
    let intended = context.payment.intent.as_ref().and_then(|intent| intent.purchase_reference.clone());
    let (true, Some(intended)) = (context.is_first(), intended) else {
        return Judgement::NotJudged;
    };
    let came =
        context.call.raw.pointer("/supplementary_purchase_data/purchase_reference").and_then(Value::as_str);
    Judgement::equal(
        "authorize request, supplementary_purchase_data.purchase_reference",
        "the purchase reference is not the Partner's: the customer would see another order number",
        "hand the Partner's purchase reference on",
        Some(intended),
        came.map(str::to_owned),
        vec![context.call.seq],
    )
}

fn line_items(context: &CallContext<'_>) -> Judgement {
    let intended = context.payment.intent.as_ref().and_then(|intent| intent.line_items.as_ref());
    let (true, Some(intended)) = (context.is_first(), intended) else {
        return Judgement::NotJudged;
    };
    let came = context.call.raw.pointer("/supplementary_purchase_data/line_items").and_then(Value::as_array);
    let came: &[Value] = came.map_or(&[], Vec::as_slice);
    if intended.len() != came.len() {
        return Judgement::equal(
            "authorize request, supplementary_purchase_data.line_items",
            "the order lines are not as many as the Partner gave",
            "hand every order line on",
            Some(format!("{} lines", intended.len())),
            Some(format!("{} lines", came.len())),
            vec![context.call.seq],
        );
    }
    for (index, (one, other)) in intended.iter().zip(came).enumerate() {
        // Only what the Partner gave is asked for; the acquirer may know more.
        for (field, value) in one.as_object().into_iter().flatten() {
            let got = other.get(field).or_else(|| other.get(other_name(field)?));
            if !got.is_some_and(|got| is_same(value, got)) {
                return Judgement::equal(
                    &format!("authorize request, supplementary_purchase_data.line_items[{index}].{field}"),
                    "an order line is not as the Partner gave it",
                    "map each order line field by field",
                    Some(value.to_string()),
                    got.map(Value::to_string),
                    vec![context.call.seq],
                );
            }
        }
    }
    Judgement::Holds
}

/// The other of the two names that a line's reference has had.
fn other_name(field: &str) -> Option<&'static str> {
    match field {
        "line_item_reference" => Some("reference"),
        "reference" => Some("line_item_reference"),
        _ => None,
    }
}

/// Whether two values are one: `1` and `1.0` are the same number.
fn is_same(one: &Value, other: &Value) -> bool {
    one == other || one.is_number() && one.as_f64() == other.as_f64()
}
