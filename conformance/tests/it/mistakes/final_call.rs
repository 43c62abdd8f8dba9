//! The final authorize.

use super::shows;

#[test]
fn a_final_call_without_the_token() {
    let from = "result, _ = authorize(payment, payment[\"body\"], token)";
    let scenario = "final-authorization/content/it-carries-the-webhooks-session-token-not-the-partners";
    shows(
        from,
        "result, _ = authorize(payment, payment[\"body\"], None)",
        scenario,
        "final.token-of-webhook",
    )
    .must_say("no token");
}

#[test]
fn an_amount_that_changed_on_the_way() {
    let from = "    result, _ = authorize(payment, payment[\"body\"]";
    let to = "    payment[\"body\"][\"request_payment_transaction\"][\"amount\"] += 1\n    result, _ = authorize(payment, payment[\"body\"]";
    let scenario = "final-authorization/content/amount-currency-and-references-are-those-of-the-initial-call";
    shows(from, to, scenario, "final.amount-unchanged");
}

#[test]
fn a_return_taken_for_a_proof() {
    let from = "    if state == \"COMPLETED\" and token:";
    let scenario = "final-authorization/driven-by-the-webhook/a-return-of-the-customer-is-no-proof";
    let told = "    if state == \"SUBMITTED\":\n        settle(payment, \"APPROVED\")\n    elif state == \"COMPLETED\" and token:";
    shows(from, told, scenario, "partner.not-misled");
    let called = "    if state == \"SUBMITTED\":\n        finalise(payment, \"x\" * 64)\n    elif state == \"COMPLETED\" and token:";
    shows(from, called, scenario, "final.unasked");
}
