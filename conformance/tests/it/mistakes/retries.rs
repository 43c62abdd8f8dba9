//! A Klarna in trouble: calls made again, or not, or as others.

use super::{Mistake, all_show};

const AGAIN: &str = "        status, content, asked = once(method, url, body, headers, timeout)";
const TROUBLE: &str = "    return status in (0, 429) or status >= 500";
const PAUSE: &str = "            time.sleep(max(asked, 0.1 * 2**attempt) * random.uniform(1, 1.2))";

const INITIALLY_500: &str =
    "klarna-errors/initial-authorization/the-call-is-repeated-after-trouble-that-passes#1";
const INITIALLY_BROKEN: &str =
    "klarna-errors/initial-authorization/the-call-is-repeated-after-trouble-that-passes#3";
const INITIALLY_SILENT: &str =
    "klarna-errors/initial-authorization/the-call-is-repeated-when-klarna-does-not-answer";
const FINALLY_500: &str =
    "klarna-errors/final-authorization/the-call-is-repeated-with-its-token-key-and-body#1";
const FINALLY_BROKEN: &str =
    "klarna-errors/final-authorization/the-call-is-repeated-with-its-token-key-and-body#2";
const TOO_MANY: &str =
    "klarna-errors/initial-authorization/the-call-is-repeated-after-a-pause-when-there-were-too-many";
const REFUSED_400: &str =
    "klarna-errors/initial-authorization/the-call-is-not-repeated-when-klarna-refuses-it#1";
const REFUSED_409: &str =
    "klarna-errors/initial-authorization/the-call-is-not-repeated-when-klarna-refuses-it#2";
const FINALLY_REFUSED: &str =
    "klarna-errors/final-authorization/the-call-is-not-repeated-when-klarna-refuses-it";
const EMPTY_403: &str = "klarna-errors/initial-authorization/a-403-without-a-body-is-survived";
const FOR_GOOD: &str = "klarna-errors/initial-authorization/when-klarna-fails-for-good-the-partner-is-told-and-the-next-payment-is-served";
const SILENT_FOR_A_WHILE: &str =
    "klarna-errors/initial-authorization/when-klarna-is-silent-for-a-while-the-partner-is-not-kept-waiting";

#[test]
fn a_call_that_is_not_made_again() {
    all_show(&[
        Mistake {
            name: "no retries at all",
            changes: &[("TRIES = 6", "TRIES = 1")],
            shown: &[(INITIALLY_500, "authorize.repeated"), (FINALLY_500, "authorize.repeated")],
        },
        Mistake {
            name: "no answer is taken for an answer",
            changes: &[(TROUBLE, "    return status == 429 or status >= 500")],
            shown: &[(INITIALLY_BROKEN, "authorize.repeated"), (INITIALLY_SILENT, "authorize.repeated")],
        },
        Mistake {
            name: "429 is taken for a refusal",
            changes: &[(TROUBLE, "    return status == 0 or status >= 500")],
            shown: &[(TOO_MANY, "authorize.repeated")],
        },
    ]);
}

#[test]
fn a_call_that_is_made_again_as_another() {
    let again = |line: &str| format!("{line}\n{AGAIN}");
    let new_key = again(
        "        if \"Klarna-Idempotency-Key\" in headers: headers[\"Klarna-Idempotency-Key\"] = str(uuid.uuid4())",
    );
    let edited = |edit: &str| {
        again(&format!(
            "        if attempt and body and \"authorize\" in url:\n            b = json.loads(body); {edit}; body = json.dumps(b).encode()"
        ))
    };
    let reference =
        edited("b[\"request_payment_transaction\"][\"payment_transaction_reference\"] += \"-again\"");
    let network_data = edited("b.pop(\"klarna_network_data\", None)");
    let token = again("        if attempt: headers.pop(\"Klarna-Network-Session-Token\", None)");
    all_show(&[
        Mistake {
            name: "each attempt with a key of its own",
            changes: &[(AGAIN, &new_key)],
            shown: &[
                (INITIALLY_500, "authorize.repeated-the-same"),
                (FINALLY_BROKEN, "authorize.repeated-the-same"),
            ],
        },
        Mistake {
            name: "each attempt with a reference of its own",
            changes: &[(AGAIN, &reference)],
            shown: &[(INITIALLY_500, "authorize.repeated")],
        },
        Mistake {
            name: "without network data from the second attempt on",
            changes: &[(AGAIN, &network_data)],
            shown: &[(INITIALLY_BROKEN, "authorize.repeated-the-same")],
        },
        Mistake {
            name: "without the token from the second attempt on",
            changes: &[(AGAIN, &token)],
            shown: &[(FINALLY_500, "authorize.repeated")],
        },
    ]);
}

#[test]
fn a_call_that_klarna_refused_and_that_is_made_again() {
    all_show(&[
        Mistake {
            name: "400 and 409 are tried again",
            changes: &[(TROUBLE, "    return status in (0, 400, 409, 429) or status >= 500")],
            shown: &[
                (REFUSED_400, "authorize.not-repeated"),
                (REFUSED_409, "authorize.not-repeated"),
                (FINALLY_REFUSED, "authorize.not-repeated"),
            ],
        },
        Mistake {
            name: "403 is tried again",
            changes: &[(TROUBLE, "    return status in (0, 403, 429) or status >= 500")],
            shown: &[(EMPTY_403, "authorize.not-repeated")],
        },
    ]);
}

#[test]
fn a_pause_that_is_not_made() {
    all_show(&[
        Mistake {
            name: "no pause at all",
            changes: &[(PAUSE, "            pass")],
            shown: &[(TOO_MANY, "authorize.backed-off")],
        },
        Mistake {
            name: "the pause that Klarna asks for is not read",
            changes: &[("max(asked, 0.1 * 2**attempt)", "0.1 * 2**attempt")],
            shown: &[(TOO_MANY, "authorize.backed-off")],
        },
    ]);
}

#[test]
fn a_partner_who_is_left_in_the_dark() {
    all_show(&[
        Mistake {
            name: "the Partner waits as long as Klarna is silent",
            changes: &[("token).wait(ANSWER_S)", "token).wait()")],
            shown: &[(SILENT_FOR_A_WHILE, "answer.in-time"), (FOR_GOOD, "answer.in-time")],
        },
        Mistake {
            name: "that it failed is not told",
            changes: &[(
                "        payment[\"resultCode\"] = CODES.get(result, \"Error\")",
                "        if result not in CODES: return\n        payment[\"resultCode\"] = CODES[result]",
            )],
            shown: &[(FOR_GOOD, "partner.told")],
        },
        Mistake {
            name: "no decision is an approval",
            changes: &[("CODES.get(result, \"Error\")", "CODES.get(result, \"Authorised\")")],
            shown: &[(REFUSED_400, "partner.not-misled"), (FINALLY_REFUSED, "partner.not-misled")],
        },
    ]);
}
