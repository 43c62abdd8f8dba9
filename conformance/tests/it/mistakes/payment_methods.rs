//! The list of payment methods: what is said of Klarna, and whether the rest stays.

use super::{Mistake, all_show};

const LISTED: &str = "payment-methods/listing/klarna-is-listed-as-it-presents-itself";
const PRESELECTED: &str = "payment-methods/listing/the-partner-learns-that-klarna-wants-to-be#1";
const ONLY_ONE: &str = "payment-methods/listing/the-partner-learns-that-klarna-wants-to-be#2";
const HIDDEN: &str = "payment-methods/listing/klarna-hides-itself";
const FAILING: &str = "payment-methods/listing/klarnas-presentation-and-the-shop-goes-on-selling#1";
const SILENT: &str = "payment-methods/listing/klarnas-presentation-and-the-shop-goes-on-selling#2";
const HTML: &str = "payment-methods/listing/klarnas-presentation-and-the-shop-goes-on-selling#3";
const TOKEN: &str = "payment-methods/listing/the-partners-session-token-goes-to-klarnas-presentation";
const LONG_TOKEN: &str =
    "payment-methods/listing/a-session-token-of-8192-characters-goes-to-klarnas-presentation-whole";
const OPTION: &str = "payment-methods/listing/the-payment-option-that-the-customer-chose-reaches-klarna";

/// Klarna's answer to the Python acquirer.
const ANSWERED: &str = "    status, content, _ = once(\"GET\", url, None, headers, KLARNA_TIMEOUT_S)\n";
const SHOWN: &str = "    shown = present(merchant, wanted)\n";

#[test]
fn klarna_is_shown_otherwise_than_it_wants() {
    all_show(&[
        Mistake {
            name: "a text of the acquirer's own",
            changes: &[("option[\"header\"][\"text\"]", "\"Klarna\"")],
            shown: &[(LISTED, "methods.as-presented")],
        },
        Mistake {
            name: "the instruction is not read",
            changes: &[("\"directive\": shown[\"instruction\"]", "\"directive\": \"SHOW_KLARNA\"")],
            shown: &[(PRESELECTED, "methods.as-presented"), (ONLY_ONE, "methods.as-presented")],
        },
        Mistake {
            name: "what is to stand alone is only preselected",
            changes: &[(
                "\"directive\": shown[\"instruction\"]",
                "\"directive\": shown[\"instruction\"].replace(\"SHOW_ONLY\", \"PRESELECT\")",
            )],
            shown: &[(ONLY_ONE, "methods.as-presented")],
        },
        Mistake {
            name: "Klarna is listed though it hides",
            changes: &[(
                SHOWN,
                "    listed.append({\"kind\": \"klarna_network\"})\n    shown = {}\n    present(merchant, wanted)\n",
            )],
            shown: &[(HIDDEN, "methods.klarna")],
        },
        Mistake {
            name: "Klarna hides, and all the rest with it",
            changes: &[(
                SHOWN,
                "    shown = present(merchant, wanted)\n    listed = listed if shown else []\n",
            )],
            shown: &[(HIDDEN, "methods.others")],
        },
        Mistake {
            name: "Klarna is not asked",
            changes: &[(SHOWN, "    shown = {}\n")],
            shown: &[(LISTED, "presentation.asked"), (HIDDEN, "presentation.asked")],
        },
        Mistake {
            name: "Klarna is asked about another purchase",
            changes: &[("\"locale\": wanted[\"shopperLocale\"]", "\"locale\": \"en-US\"")],
            shown: &[(LISTED, "presentation.asked")],
        },
    ]);
}

#[test]
fn a_presentation_that_fails_takes_the_list_with_it() {
    let on =
        |condition: &str| format!("{ANSWERED}    if {condition}:\n        raise ValueError(\"klarna\")\n");
    let (fails, silent, html) = (on("status == 500"), on("status == 0"), on("content.startswith(b\"<\")"));
    all_show(&[
        Mistake { name: "status 500", changes: &[(ANSWERED, &fails)], shown: &[(FAILING, "methods.listed")] },
        Mistake { name: "silence", changes: &[(ANSWERED, &silent)], shown: &[(SILENT, "methods.listed")] },
        Mistake { name: "HTML", changes: &[(ANSWERED, &html)], shown: &[(HTML, "methods.listed")] },
    ]);
}

#[test]
fn what_the_partner_gives_does_not_reach_klarna() {
    let present = "    if token is not None:\n        headers[\"Klarna-Network-Session-Token\"] = token\n";
    let option = "    if details.get(\"optionKey\") is not None:\n";
    all_show(&[
        Mistake {
            name: "the session token is dropped",
            changes: &[(present, "")],
            shown: &[(TOKEN, "presentation.session-token-forwarded")],
        },
        Mistake {
            name: "the session token is changed",
            changes: &[("Session-Token\"] = token\n", "Session-Token\"] = token.lower()\n")],
            shown: &[(TOKEN, "presentation.session-token-forwarded")],
        },
        Mistake {
            name: "the session token is cut where it is long",
            changes: &[("Session-Token\"] = token\n", "Session-Token\"] = token[:4096]\n")],
            shown: &[(LONG_TOKEN, "presentation.session-token-forwarded")],
        },
        Mistake {
            name: "the payment option is dropped",
            changes: &[(option, "    if False:\n")],
            shown: &[
                (OPTION, "payment-option.as-intended"),
                (
                    "the-document/the-partner-integrates-klarnas-sdk-directly-for-the-payment-presentation",
                    "payment-option.as-intended",
                ),
            ],
        },
        Mistake {
            name: "the payment option is always the same",
            changes: &[("= details[\"optionKey\"]\n", "= \"S0xBUk5B\"\n")],
            shown: &[(OPTION, "payment-option.as-intended")],
        },
    ]);
}
