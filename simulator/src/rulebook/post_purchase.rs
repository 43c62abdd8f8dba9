//! What follows an approval: captures, refunds, voids (AP-50).

use super::api_call::{Before, own_references};
use super::{ApiContext, Judgement, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::of_api(
        "post-purchase.own-reference",
        &["AP-50", "AP-35"],
        "a capture or a refund has a reference of its own",
        own_reference,
    ),
    Rule::of_api(
        "post-purchase.accepted",
        &["AP-50"],
        "captures, refunds and voids stay within what the transaction allows",
        accepted,
    ),
];

const WITH_REFERENCES: [&str; 3] =
    ["payment_transaction.capture", "payment_transaction.refund", "payment_capture.refund"];

fn own_reference(context: &ApiContext<'_>) -> Judgement {
    const MEND: &str =
        "give every capture and every refund a reference of your own, unique, 1 to 255 characters";
    let call = context.call;
    if !WITH_REFERENCES.contains(&call.operation.as_str()) {
        return Judgement::NotJudged;
    }
    let Some((kind, reference)) = own_references(call).find(|(_, reference)| !reference.is_empty()) else {
        let what = "it has no reference of the acquirer's";
        return Judgement::found(&call.at("body"), what, MEND, vec![context.seq]);
    };
    match context.reference_before(kind, reference) {
        Before::ByAnother(seq) => Judgement::found(
            &call.at(kind),
            "its reference is another one's already",
            MEND,
            vec![seq, context.seq],
        ),
        Before::Never | Before::ByTheSame => Judgement::Holds,
    }
}

fn accepted(context: &ApiContext<'_>) -> Judgement {
    let call = context.call;
    let is_one =
        WITH_REFERENCES.contains(&call.operation.as_str()) || call.operation == "payment_transaction.void";
    if !is_one || call.by_fault {
        return Judgement::NotJudged;
    }
    if !call.is_refused() {
        return if call.succeeded() { Judgement::Holds } else { Judgement::NotJudged };
    }
    let why = call.error_message.as_deref().or(call.error_code.as_deref()).unwrap_or("without a word");
    Judgement::found(
        &call.at("body"),
        format!("Klarna refused it: {why}"),
        "keep what was captured, refunded and voided, and ask for no more than is left; at most 200 of each",
        vec![context.seq],
    )
}
