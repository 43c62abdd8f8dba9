//! Orders that should be refused, network data of full length, whose account and key it is, odd
//! webhooks, and where the customer ends.

use super::{Mistake, all_show};

const ACCOUNTS: &str =
    "initial-authorization/accounts/two-partners-at-once-each-in-its-own-account-to-the-end";
const RACE: &str =
    "final-authorization/once/it-is-made-once-though-the-webhook-arrives-while-the-customer-comes-back";

macro_rules! refused {
    ($row:literal) => {
        concat!("validation/refused-orders/is-refused-and-klarna-never-hears-of-it#", $row)
    };
}

macro_rules! ends {
    ($how:literal) => {
        concat!("partner/where-the-customer-ends/", $how)
    };
}

#[test]
fn orders_that_should_be_refused() {
    all_show(&[
        Mistake {
            name: "nothing is checked",
            changes: &[
                ("scaled < least", "False"),
                ("re.fullmatch(\"[A-Z]{3}\", currency)", "isinstance(currency, str)"),
                ("re.fullmatch(r\"https?://[^\\s/]\\S*\", order[\"redirect\"][\"returnUrl\"])", "order"),
                ("len(text) > 10240", "False"),
            ],
            shown: &[
                (refused!(1), "answer.refused"),
                (refused!(2), "answer.refused"),
                (refused!(3), "answer.refused"),
                (refused!(4), "answer.refused"),
                (refused!(5), "answer.refused"),
                (refused!(6), "answer.refused"),
            ],
        },
        Mistake {
            name: "Klarna is called before the network data is checked",
            changes: &[
                ("        check_network_data(details[\"networkData\"])\n", ""),
                (
                    "    later(begin, payment, step_up, token).wait(ANSWER_S)",
                    "    later(begin, payment, step_up, token).wait(ANSWER_S)\n    check_network_data(body[\"klarna_network_data\"])",
                ),
            ],
            shown: &[(refused!(6), "refused.not-forwarded")],
        },
    ]);
}

#[test]
fn network_data_of_full_length() {
    const FULL: &str = "network-data/byte-for-byte/of-full-length-it-is-neither-cut-nor-refused#1";
    all_show(&[
        Mistake {
            name: "8 KiB are enough",
            changes: &[("len(text) > 10240", "len(text) > 8192")],
            shown: &[(FULL, "network-data.full-length")],
        },
        Mistake {
            name: "half of it is kept",
            changes: &[("= details[\"networkData\"]\n", "= details[\"networkData\"][:5120]\n")],
            shown: &[(FULL, "network-data.byte-equal")],
        },
    ]);
}

#[test]
fn whose_account_and_whose_key() {
    all_show(&[
        Mistake {
            name: "each call goes to all accounts",
            changes: &[(
                "    result, answer = authorize(payment, {**payment[\"body\"], \"step_up_config\": step_up}, token)",
                "    for other in MERCHANTS.values():\n        if other is not payment[\"merchant\"]:\n            klarna(\"POST\", f\"/v2/accounts/{other['klarnaAccount']}/payment/authorize\", payment[\"body\"])\n    result, answer = authorize(payment, {**payment[\"body\"], \"step_up_config\": step_up}, token)",
            )],
            shown: &[(ACCOUNTS, "partner.own-account")],
        },
        Mistake {
            name: "Partners' own keys",
            changes: &[(
                "\"Authorization\": \"Basic \" + API_KEY",
                "\"Authorization\": \"Basic \" + (\"klarna_test_api_partner\" if \"authorize\" in path else API_KEY)",
            )],
            shown: &[(
                "initial-authorization/accounts/the-acquirer-calls-with-its-own-api-key",
                "api-key.own",
            )],
        },
    ]);
}

#[test]
fn finalised_twice_by_webhook_and_question() {
    all_show(&[Mistake {
        name: "finalised by the webhook, and when the Partner asks",
        changes: &[
            ("        if payment[\"finalised\"]:\n            return\n", ""),
            (
                "        return self.reply(200, view(payment))",
                "        if payment[\"resultCode\"] == \"ActionRequired\":\n            request = next(one for one, known in BY_REQUEST.items() if known is payment)\n            _, request = klarna(\"GET\", payment[\"path\"].replace(\"authorize\", \"requests/\") + request)\n            if request.get(\"state\") == \"COMPLETED\":\n                finalise(payment, request[\"state_context\"][\"klarna_network_session_token\"])\n        return self.reply(200, view(payment))",
            ),
        ],
        shown: &[(RACE, "final.one-logical")],
    }]);
}

#[test]
fn customers_who_end_on_no_page() {
    const SETTLED: &str = "        payment[\"resultCode\"] = CODES.get(result, \"Error\")";
    all_show(&[
        Mistake {
            name: "redirected payments are not settled",
            changes: &[(
                SETTLED,
                "        if payment.get(\"action\", {}).get(\"kind\") == \"redirect\":\n            return\n        payment[\"resultCode\"] = CODES.get(result, \"Error\")",
            )],
            shown: &[
                (ends!("on-the-confirmation-page-after-an-approval-in-redirect-mode"), "customer.ends-right"),
                (
                    ends!("at-the-checkout-with-an-error-after-a-refusal-in-redirect-mode"),
                    "customer.ends-right",
                ),
            ],
        },
        Mistake {
            name: "payments in the SDK are not settled",
            changes: &[(
                SETTLED,
                "        if payment.get(\"action\", {}).get(\"kind\") == \"sdk\":\n            return\n        payment[\"resultCode\"] = CODES.get(result, \"Error\")",
            )],
            shown: &[
                (ends!("on-the-confirmation-page-after-an-approval-in-sdk-mode"), "customer.ends-right"),
                (ends!("at-the-checkout-with-an-error-after-a-refusal-in-sdk-mode"), "customer.ends-right"),
            ],
        },
        Mistake {
            name: "what Klarna decides at once or in the end is called an approval",
            changes: &[("CODES.get(result, \"Error\")", "\"Authorised\"")],
            shown: &[
                (ends!("at-the-checkout-with-an-error-after-a-decline-at-once"), "customer.ends-right"),
                (
                    ends!("at-the-checkout-with-an-error-after-klarna-declined-the-final-authorization"),
                    "customer.ends-right",
                ),
            ],
        },
    ]);
}
