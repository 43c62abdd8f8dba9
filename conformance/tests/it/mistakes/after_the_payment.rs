//! After the create call: captures and refunds that are not what the Partner asked for, and cancels
//! that Klarna never hears of.

use super::{Mistake, all_show};

const WHOLE: &str = "after-the-payment/capture/the-whole-amount";
const IN_PARTS: &str = "after-the-payment/capture/in-two-parts#1";
const IN_PARTS_OF_YEN: &str = "after-the-payment/capture/in-two-parts#2";
const TOO_MUCH: &str = "after-the-payment/capture/more-than-what-is-left-is-refused-and-the-partner-is-told";
const ASKED_TWICE: &str = "after-the-payment/capture/asked-for-twice-it-is-made-once";
const AFTER_503: &str = "after-the-payment/capture/klarna-in-trouble-is-asked-again-for-the-same-capture#1";
const AFTER_A_LOST_ANSWER: &str =
    "after-the-payment/capture/klarna-in-trouble-is-asked-again-for-the-same-capture#3";
const REFUND: &str = "after-the-payment/refund/all-that-was-captured";
const REFUND_ASKED_TWICE: &str = "after-the-payment/refund/asked-for-twice-it-is-made-once";
const REFUND_TOO_MUCH: &str =
    "after-the-payment/refund/more-than-what-was-captured-is-refused-and-the-partner-is-told";
const REFUND_AFTER_A_LOST_ANSWER: &str =
    "after-the-payment/refund/klarna-in-trouble-is-asked-again-for-the-same-refund#2";
const CANCEL: &str = "after-the-payment/cancel/while-the-customer-is-in-a-step-up";
const CANCEL_AFTER_503: &str = "after-the-payment/cancel/klarna-in-trouble-is-asked-again";

const MOVE: &str = "    status, answer = klarna(\"POST\", path, body)";
const AGAIN: &str = "        status, content, asked = once(method, url, body, headers, timeout)";

#[test]
fn money_that_is_moved_more_than_once() {
    all_show(&[
        Mistake {
            name: "each capture and refund is sent twice, as two",
            changes: &[(MOVE, &format!("{MOVE}\n{MOVE}"))],
            shown: &[(WHOLE, "follow-up.once"), (IN_PARTS, "follow-up.once"), (REFUND, "follow-up.once")],
        },
        Mistake {
            name: "the Partner's idempotency key is not looked at",
            changes: &[(
                "        fresh = key not in payment[\"moves\"]",
                "        fresh = payment[\"moves\"].pop(key, None) or True",
            )],
            shown: &[(ASKED_TWICE, "follow-up.once"), (REFUND_ASKED_TWICE, "follow-up.once")],
        },
    ]);
}

#[test]
fn money_that_nobody_asked_for() {
    all_show(&[
        Mistake {
            name: "an öre more",
            changes: &[("{\"capture_amount\": amount,", "{\"capture_amount\": amount + 1,")],
            shown: &[(WHOLE, "follow-up.as-asked"), (IN_PARTS, "follow-up.as-asked")],
        },
        Mistake {
            name: "a capture is always of the whole payment",
            changes: &[(
                "{\"capture_amount\": amount,",
                "{\"capture_amount\": payment[\"body\"][\"request_payment_transaction\"][\"amount\"],",
            )],
            shown: &[(IN_PARTS, "follow-up.as-asked")],
        },
        Mistake {
            name: "every currency has two digits",
            changes: &[(
                "    amount = minor(asked[\"amount\"][\"value\"], asked[\"amount\"][\"currency\"], least=1)",
                "    amount = minor(asked[\"amount\"][\"value\"], \"SEK\", least=1)",
            )],
            shown: &[(IN_PARTS_OF_YEN, "follow-up.as-asked")],
        },
        Mistake {
            name: "a refund is of a half",
            changes: &[("{\"refund_amount\": amount,", "{\"refund_amount\": amount // 2,")],
            shown: &[(REFUND, "follow-up.as-asked")],
        },
    ]);
}

#[test]
fn what_klarna_never_hears_of() {
    all_show(&[
        Mistake {
            name: "captures and refunds are kept in the books alone",
            changes: &[(MOVE, "    status, answer = 201, {\"payment_capture_id\": \"capture-1\"}")],
            shown: &[(WHOLE, "follow-up.made"), (REFUND, "follow-up.made")],
        },
        Mistake {
            name: "a refund does not reach Klarna",
            changes: &[(
                MOVE,
                "    status, answer = klarna(\"POST\", path, body) if act == \"captures\" else (201, {})",
            )],
            shown: &[(REFUND, "follow-up.made")],
        },
        Mistake {
            name: "a cancel does not reach Klarna",
            changes: &[("    status, _ = klarna(\"DELETE\", path)", "    status = 200")],
            shown: &[(CANCEL, "follow-up.made")],
        },
    ]);
}

#[test]
fn trouble_that_is_not_borne() {
    let new_key = format!(
        "        if \"Klarna-Idempotency-Key\" in headers: headers[\"Klarna-Idempotency-Key\"] = str(uuid.uuid4())\n{AGAIN}"
    );
    let new_amount = format!(
        "        if attempt and body and b\"capture_amount\" in body:\n            b = json.loads(body); b[\"capture_amount\"] -= 1; body = json.dumps(b).encode()\n{AGAIN}"
    );
    all_show(&[
        Mistake {
            name: "each attempt with a key of its own",
            changes: &[(AGAIN, &new_key)],
            shown: &[
                (AFTER_503, "follow-up.repeated-the-same"),
                (AFTER_A_LOST_ANSWER, "follow-up.repeated-the-same"),
                (REFUND_AFTER_A_LOST_ANSWER, "follow-up.repeated-the-same"),
            ],
        },
        Mistake {
            name: "another amount from the second attempt on",
            changes: &[(AGAIN, &new_amount)],
            shown: &[(AFTER_503, "follow-up.repeated-the-same")],
        },
        Mistake {
            name: "no retries at all",
            changes: &[("TRIES = 6", "TRIES = 1")],
            shown: &[(AFTER_503, "follow-up.repeated"), (CANCEL_AFTER_503, "follow-up.repeated")],
        },
    ]);
}

#[test]
fn a_refusal_that_the_partner_is_not_told() {
    all_show(&[Mistake {
        name: "what Klarna refuses is called done",
        changes: &[(
            "STATUSES = {True: \"Done\", False: \"Refused\"",
            "STATUSES = {True: \"Done\", False: \"Done\"",
        )],
        shown: &[(TOO_MUCH, "follow-up.answered"), (REFUND_TOO_MUCH, "follow-up.answered")],
    }]);
}
