//! Order lines add up (AP-09; contract `payments.md` 2.2). Klarna's documents say so, and a sample of its
//! own does not keep to it: this can only warn.

use super::{CallContext, Judge, Judgement, Rule};
use crate::engine::{CallRole, line_totals};

pub(super) const RULES: &[Rule] = &[Rule::of(
    "line-totals.add-up",
    &["AP-09", "AP-08"],
    "the order lines add up to the amount",
    Judge::Call(add_up),
)];

const MEND: &str = "let the totals of the lines add up to the amount, and each line's total be its unit price times its quantity; discounts and shipping are lines of their own";

fn add_up(context: &CallContext<'_>) -> Judgement {
    let call = context.call;
    // Another amount than the first call's is a matter of its own: other rules speak of it.
    let other_amount = context.initial().is_some_and(|initial| initial.amount != call.amount);
    let lines = call.raw.pointer("/supplementary_purchase_data");
    let (Some(amount), Some(total), false) =
        (call.amount, lines.and_then(line_totals::total), other_amount || call.role == CallRole::Replay)
    else {
        return Judgement::NotJudged;
    };
    if total != i128::from(amount.0) {
        return Judgement::equal(
            "authorize request, supplementary_purchase_data.line_items",
            "the order lines do not add up to the amount",
            MEND,
            Some(amount.to_string()),
            Some(total.to_string()),
            vec![call.seq],
        );
    }
    match lines.and_then(|lines| lines.get("line_items")).and_then(line_totals::odd_line) {
        None => Judgement::Holds,
        Some(odd) => Judgement::equal(
            &format!("authorize request, supplementary_purchase_data.line_items[{}]", odd.position),
            "the line's total is not its unit price times its quantity",
            MEND,
            Some(odd.product.to_string()),
            odd.total.map(|total| total.to_string()),
            vec![call.seq],
        ),
    }
}
