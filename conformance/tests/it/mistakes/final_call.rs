//! The final authorize.

use super::{Mistake, all_show, shows};

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

#[test]
fn two_calls_where_two_events_meet() {
    // Looked at first, written afterwards: what lies between is the time of a database and a busy machine.
    const LOOK: &str = "    with LOCK:\n        if payment[\"finalised\"]:\n            return\n        payment[\"finalised\"] = True\n";
    const THEN_WRITE: &str = "    if payment[\"finalised\"]:\n        return\n    time.sleep(0.05)\n    payment[\"finalised\"] = True\n";
    all_show(&[Mistake {
        name: "the payment is looked at first and marked afterwards, and no event is known again",
        changes: &[
            (LOOK, THEN_WRITE),
            ("            fresh = event_id not in SEEN_EVENTS", "            fresh = True"),
        ],
        shown: &[(
            "final-authorization/once/it-is-made-once-though-the-webhook-arrives-twice-at-the-same-moment",
            "final.one-logical",
        )],
    }]);
}

const FINAL: &str = "    result, _ = authorize(payment, payment[\"body\"], token)";
const DECLINED: &str = "final-authorization/klarnas-last-word/klarna-declines-the-final-authorization";

#[test]
fn klarnas_last_word_that_is_not_heard() {
    all_show(&[
        Mistake {
            name: "a final decline is tried again",
            changes: &[(
                FINAL,
                "    result, _ = authorize(payment, payment[\"body\"], token)\n    if result == \"DECLINED\": result, _ = authorize(payment, payment[\"body\"], token)",
            )],
            shown: &[(DECLINED, "final.one-logical")],
        },
        Mistake {
            name: "the Partner is told before the final call",
            changes: &[(
                "        payment[\"finalised\"] = True",
                "        payment[\"finalised\"] = True\n    settle(payment, \"APPROVED\")",
            )],
            shown: &[(DECLINED, "partner.not-misled")],
        },
        Mistake {
            name: "a second step-up is an approval",
            changes: &[(
                "CODES = {\"APPROVED\": \"Authorised\"",
                "CODES = {\"STEP_UP_REQUIRED\": \"Authorised\", \"APPROVED\": \"Authorised\"",
            )],
            shown: &[(
                "final-authorization/klarnas-last-word/klarna-asks-for-a-step-up-once-more",
                "partner.not-misled",
            )],
        },
        Mistake {
            name: "the last token of the shop serves every payment",
            changes: &[(
                FINAL,
                "    first = payment[\"merchant\"].setdefault(\"token\", token)\n    result, _ = authorize(payment, payment[\"body\"], first)",
            )],
            shown: &[(
                "final-authorization/content/each-of-two-payments-is-finalised-with-its-own-session-token",
                "final.token-of-webhook",
            )],
        },
    ]);
}
