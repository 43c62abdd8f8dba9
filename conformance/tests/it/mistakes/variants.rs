//! Other ways to be right: none of them may turn anything red, alone or together.

use std::collections::BTreeSet;

use super::{Changes, all_harmless, at_once, changed, none, play_at};

const FINAL: &str = "    result, _ = authorize(payment, payment[\"body\"], token)";
const FIRST: &str =
    "    result, answer = authorize(payment, {**payment[\"body\"], \"step_up_config\": step_up}, token)";
const TAKEN: &str = "return self.reply(202, {})";
const RETURN_URL: &str = "interaction[\"return_url\"] = order[\"redirect\"][\"returnUrl\"]";
const ACTION: &str = "        payment[\"action\"] = action";
/// Keeps the Payment Request's id, for those who read it.
const REQUEST_KEPT: (&str, &str) = (
    ACTION,
    "        payment[\"action\"] = action\n        payment[\"request\"] = request[\"payment_request_id\"]",
);

const FINAL_CALL: &[&str] = &[
    "features/the-document.feature",
    "features/final-authorization/content.feature",
    "features/final-authorization/driven-by-the-webhook.feature",
    "features/final-authorization/klarnas-last-word.feature",
    "features/final-authorization/once.feature",
    "features/klarna-errors/final-authorization.feature",
];
const WEBHOOKS: &[&str] = &[
    "features/final-authorization/once.feature",
    "features/step-up/endings.feature",
    "features/webhooks/nonsense.feature",
    "features/webhooks/signatures.feature",
    "features/webhooks/subscription.feature",
    "features/webhooks/time-and-order.feature",
];
const PARTNER: &[&str] = &[
    "features/the-document.feature",
    "features/partner/told.feature",
    "features/partner/where-the-customer-ends.feature",
    "features/step-up/purchase-journey.feature",
    "features/final-authorization/driven-by-the-webhook.feature",
];
const EVERY_CALL: &[&str] = &[
    "features/the-document.feature",
    "features/initial-authorization/attempts.feature",
    "features/initial-authorization/decisions.feature",
    "features/klarna-errors/initial-authorization.feature",
    "features/klarna-errors/final-authorization.feature",
    "features/payment-methods/listing.feature",
];

/// A way to be right.
struct Variant {
    name: &'static str,
    changes: Changes<'static>,
    /// The features that it touches.
    touches: &'static [&'static str],
    /// What is warned of, where what is right is not said in as many words.
    warned_of: &'static [&'static str],
}

/// Each by itself.
const VARIANTS: &[Variant] = &[
    Variant {
        name: "a minimal body in the final call",
        changes: &[(
            FINAL,
            "    short = {name: payment[\"body\"][name] for name in (\"currency\", \"request_payment_transaction\")}\n    result, _ = authorize(payment, short, token)",
        )],
        touches: FINAL_CALL,
        warned_of: &["final.purchase-data-unchanged"],
    },
    Variant {
        name: "no network data in the final call",
        changes: &[(
            FINAL,
            "    kept = {name: value for name, value in payment[\"body\"].items() if name != \"klarna_network_data\"}\n    result, _ = authorize(payment, kept, token)",
        )],
        touches: FINAL_CALL,
        warned_of: &[],
    },
    Variant {
        name: "step_up_config kept in the final call",
        changes: &[
            (
                FINAL,
                "    result, _ = authorize(payment, {**payment[\"body\"], \"step_up_config\": payment[\"stepUp\"]}, token)",
            ),
            (
                FIRST,
                "    payment[\"stepUp\"] = step_up\n    result, answer = authorize(payment, {**payment[\"body\"], \"step_up_config\": step_up}, token)",
            ),
        ],
        touches: FINAL_CALL,
        warned_of: &[],
    },
    Variant {
        name: "the members of the final call's body in another order",
        changes: &[(
            FINAL,
            "    result, _ = authorize(payment, dict(reversed(payment[\"body\"].items())), token)",
        )],
        touches: FINAL_CALL,
        warned_of: &[],
    },
    Variant {
        name: "the final call a while later",
        changes: &[(
            FINAL,
            "    time.sleep(0.3)\n    result, _ = authorize(payment, payment[\"body\"], token)",
        )],
        touches: FINAL_CALL,
        warned_of: &[],
    },
    Variant {
        name: "the Payment Request read before the final call",
        changes: &[
            (
                FINAL,
                "    klarna(\"GET\", payment[\"path\"].replace(\"authorize\", \"requests/\" + payment[\"request\"]))\n    result, _ = authorize(payment, payment[\"body\"], token)",
            ),
            REQUEST_KEPT,
        ],
        touches: FINAL_CALL,
        warned_of: &[],
    },
    Variant {
        name: "the token of the final call read from Klarna, since the webhook only wakes",
        changes: &[
            (
                FINAL,
                "    _, read = klarna(\"GET\", payment[\"path\"].replace(\"authorize\", \"requests/\" + payment[\"request\"]))\n    token = read[\"state_context\"][\"klarna_network_session_token\"]\n    result, _ = authorize(payment, payment[\"body\"], token)",
            ),
            REQUEST_KEPT,
        ],
        touches: FINAL_CALL,
        warned_of: &[],
    },
    Variant {
        name: "webhooks answered 200",
        changes: &[(TAKEN, "return self.reply(200, {})")],
        touches: WEBHOOKS,
        warned_of: &[],
    },
    Variant {
        name: "webhooks answered 204",
        changes: &[(TAKEN, "self.send_response(204)\n        return self.end_headers()")],
        touches: WEBHOOKS,
        warned_of: &[],
    },
    Variant {
        name: "each end of a Payment Request subscribed to by its name",
        changes: &[(
            "\"event_types\": [\"payment.request.state-change.*\"]",
            "\"event_types\": [\"payment.request.state-change.\" + end for end in (\"completed\", \"declined\", \"canceled\", \"expired\")]",
        )],
        touches: WEBHOOKS,
        warned_of: &[],
    },
    Variant {
        name: "keys by version 1 of UUID",
        changes: &[(
            "headers[\"Klarna-Idempotency-Key\"] = str(uuid.uuid4())",
            "headers[\"Klarna-Idempotency-Key\"] = str(uuid.uuid1())",
        )],
        touches: EVERY_CALL,
        warned_of: &[],
    },
    Variant {
        name: "more headers, and names in capitals",
        changes: &[(
            "    headers.update(extra or {})",
            "    headers.update(extra or {})\n    headers = {name.upper(): value for name, value in headers.items()}\n    headers.update({\"X-Request-Id\": \"1\", \"Partner-Correlation-Id\": \"c\", \"Accept\": \"application/json\", \"User-Agent\": \"acquirer/1\"})",
        )],
        touches: EVERY_CALL,
        warned_of: &[],
    },
    Variant {
        name: "colons of an account as they are in paths",
        changes: &[(
            "urllib.parse.quote(merchant[\"klarnaAccount\"], safe=\"\")",
            "merchant[\"klarnaAccount\"]",
        )],
        touches: EVERY_CALL,
        warned_of: &[],
    },
    Variant {
        name: "a transaction reference of the acquirer's own",
        changes: &[(
            "\"payment_transaction_reference\": order[\"merchantReference\"]",
            "\"payment_transaction_reference\": \"t-\" + uuid.uuid4().hex",
        )],
        touches: EVERY_CALL,
        warned_of: &[],
    },
    Variant {
        name: "JSON with spaces, line breaks and letters as they are",
        changes: &[(
            "data = json.dumps(body).encode()",
            "data = json.dumps(body, ensure_ascii=False, indent=2).encode()",
        )],
        touches: EVERY_CALL,
        warned_of: &[],
    },
    Variant {
        name: "slow notifications",
        changes: &[("def notify(payment):\n", "def notify(payment):\n    time.sleep(0.4)\n")],
        touches: PARTNER,
        warned_of: &[],
    },
    Variant {
        name: "each notification twice",
        changes: &[("    later(notify, payment)", "    later(notify, payment)\n    later(notify, payment)")],
        touches: PARTNER,
        warned_of: &[],
    },
    Variant {
        name: "a hop of the acquirer's own on the customer's way back",
        changes: &[
            (
                RETURN_URL,
                "interaction[\"return_url\"] = f\"http://{HOST}:{PORT}/back?to=\" + urllib.parse.quote(order[\"redirect\"][\"returnUrl\"], safe=\"\")",
            ),
            (
                "        if self.path == \"/alive\":",
                "        if self.path.startswith(\"/back?to=\"):\n            self.send_response(303)\n            self.send_header(\"Location\", urllib.parse.unquote(self.path[9:]))\n            self.send_header(\"Content-Length\", \"0\")\n            return self.end_headers()\n        if self.path == \"/alive\":",
            ),
        ],
        touches: PARTNER,
        warned_of: &[],
    },
    Variant {
        name: "a page of the acquirer's own on the customer's way back, which moves on by itself",
        changes: &[
            (
                RETURN_URL,
                "interaction[\"return_url\"] = f\"http://{HOST}:{PORT}/back?to=\" + urllib.parse.quote(order[\"redirect\"][\"returnUrl\"], safe=\"\")",
            ),
            (
                "        if self.path == \"/alive\":",
                "        if self.path.startswith(\"/back?to=\"):\n            content = f\"<meta http-equiv=refresh content='0;url={urllib.parse.unquote(self.path[9:]).replace('&', '&amp;')}'>\".encode()\n            self.send_response(200)\n            self.send_header(\"Content-Type\", \"text/html\")\n            self.send_header(\"Content-Length\", str(len(content)))\n            self.end_headers()\n            return self.wfile.write(content)\n        if self.path == \"/alive\":",
            ),
        ],
        touches: PARTNER,
        warned_of: &[],
    },
];

#[test]
fn each_other_way_to_be_right_stays_green_by_itself() {
    none(&at_once(VARIANTS, |variant| {
        let files = variant.touches.iter().map(|&file| file.to_owned()).collect();
        let ran = play_at(&changed(variant.changes), files);
        let findings = ran.events("finding");
        let found: BTreeSet<&str> =
            findings.iter().filter_map(|line| line["finding"]["rule"].as_str()).collect();
        let as_it_should = found.iter().eq(variant.warned_of) && !ran.ended("passed").is_empty();
        (ran.code != 0 || !as_it_should).then(|| format!("{}: {found:?}\n{}", variant.name, ran.all()))
    }));
}

#[test]
fn other_ways_to_be_right_stay_green_together() {
    all_harmless(&[
        (
            "minimal final body, a while late, after reading the request; 204; raw colons; a reference of its own",
            &[
                (
                    FINAL,
                    "    klarna(\"GET\", payment[\"path\"].replace(\"authorize\", \"requests/\" + payment[\"request\"]))\n    time.sleep(0.2)\n    short = {name: payment[\"body\"][name] for name in (\"currency\", \"request_payment_transaction\")}\n    result, _ = authorize(payment, short, token)",
                ),
                (
                    "        payment[\"action\"] = action",
                    "        payment[\"action\"] = action\n        payment[\"request\"] = request[\"payment_request_id\"]",
                ),
                (TAKEN, "self.send_response(204)\n        return self.end_headers()"),
                ("urllib.parse.quote(merchant[\"klarnaAccount\"], safe=\"\")", "merchant[\"klarnaAccount\"]"),
                (
                    "\"payment_transaction_reference\": order[\"merchantReference\"]",
                    "\"payment_transaction_reference\": \"t-\" + uuid.uuid4().hex",
                ),
            ],
        ),
        (
            "no network data in the final call, which keeps step_up_config; 200; slow notifications, each twice; more headers",
            &[
                (
                    FINAL,
                    "    kept = {name: value for name, value in payment[\"body\"].items() if name != \"klarna_network_data\"}\n    result, _ = authorize(payment, {**kept, \"step_up_config\": payment[\"stepUp\"]}, token)",
                ),
                (
                    FIRST,
                    "    payment[\"stepUp\"] = step_up\n    result, answer = authorize(payment, {**payment[\"body\"], \"step_up_config\": step_up}, token)",
                ),
                (TAKEN, "return self.reply(200, {})"),
                ("def notify(payment):\n", "def notify(payment):\n    time.sleep(0.2)\n"),
                ("    later(notify, payment)", "    later(notify, payment)\n    later(notify, payment)"),
                (
                    "    headers.update(extra or {})",
                    "    headers.update(extra or {})\n    headers.update({\"X-Request-Id\": \"1\", \"Partner-Correlation-Id\": \"c\", \"Accept\": \"application/json\"})",
                ),
            ],
        ),
        (
            "a return hop of its own; the token read from Klarna; each end subscribed to by name; network data not checked for JSON",
            &[
                (
                    RETURN_URL,
                    "interaction[\"return_url\"] = f\"http://{HOST}:{PORT}/back?to=\" + urllib.parse.quote(order[\"redirect\"][\"returnUrl\"], safe=\"\")",
                ),
                (
                    "        if self.path == \"/alive\":",
                    "        if self.path.startswith(\"/back?to=\"):\n            self.send_response(303)\n            self.send_header(\"Location\", urllib.parse.unquote(self.path[9:]))\n            self.send_header(\"Content-Length\", \"0\")\n            return self.end_headers()\n        if self.path == \"/alive\":",
                ),
                (
                    FINAL,
                    "    _, read = klarna(\"GET\", payment[\"path\"].replace(\"authorize\", \"requests/\" + payment[\"request\"]))\n    token = read[\"state_context\"][\"klarna_network_session_token\"]\n    result, _ = authorize(payment, payment[\"body\"], token)",
                ),
                (
                    "        payment[\"action\"] = action",
                    "        payment[\"action\"] = action\n        payment[\"request\"] = request[\"payment_request_id\"]",
                ),
                (
                    "\"event_types\": [\"payment.request.state-change.*\"]",
                    "\"event_types\": [\"payment.request.state-change.\" + end for end in (\"completed\", \"declined\", \"canceled\", \"expired\")]",
                ),
                ("    json.dumps(json.loads(text), ensure_ascii=False).encode()\n", ""),
            ],
        ),
    ]);
}
