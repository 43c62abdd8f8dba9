//! A Klarna that evolves, and answers that are lost: what acquirers then get wrong.

use super::{Mistake, all_show};

const OTHER_STATUSES: &str = "forward-compatibility/evolution/a-payment-with-a-step-up-comes-to-its-end#4";
const NEW_EVENTS: &str = "forward-compatibility/evolution/a-payment-with-a-step-up-comes-to-its-end#7";
const EXTRA_FIELDS: &str = "forward-compatibility/evolution/a-payment-with-a-step-up-comes-to-its-end#1";
const LOST_AT_LAST: &str =
    "klarna-errors/final-authorization/an-answer-that-was-lost-is-asked-for-again-as-the-same-call#1";
const AGAIN: &str = "        status, content, asked = once(method, url, body, headers, timeout)";

#[test]
fn what_is_new_is_not_lived_with() {
    all_show(&[
        Mistake {
            name: "200 is the only success",
            changes: &[(
                "    decided = answer.get(\"payment_transaction_response\", {}) if 200 <= status < 300 else {}",
                "    decided = answer.get(\"payment_transaction_response\", {}) if status == 200 else {}",
            )],
            shown: &[(OTHER_STATUSES, "step-up.url-handed-over")],
        },
        Mistake {
            name: "events that nobody knows are refused",
            changes: &[(
                "            event_id = event[\"metadata\"][\"event_id\"]",
                "            event_id = event[\"metadata\"][\"event_id\"]\n            event[\"metadata\"][\"event_type\"].index(\"state-change\")",
            )],
            shown: &[(NEW_EVENTS, "evolution.lived-with")],
        },
        Mistake {
            name: "fields that nobody knows are a mistake",
            changes: &[(
                "            event_id = event[\"metadata\"][\"event_id\"]",
                "            event_id = event[\"metadata\"][\"event_id\"]\n            assert \"introduced_later\" not in event or self.reply(400, {})",
            )],
            shown: &[(EXTRA_FIELDS, "webhook.answer")],
        },
        Mistake {
            name: "a lost answer is asked for under another key",
            changes: &[(
                AGAIN,
                "        headers = {**headers, \"Klarna-Idempotency-Key\": str(uuid.uuid4())} if \"Klarna-Idempotency-Key\" in headers else headers\n        status, content, asked = once(method, url, body, headers, timeout)",
            )],
            shown: &[(LOST_AT_LAST, "authorize.repeated-the-same")],
        },
    ]);
}
