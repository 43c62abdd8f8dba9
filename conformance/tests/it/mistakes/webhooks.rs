//! Klarna's webhooks.

use super::{Mistake, all_show, shows, with};
use crate::foreign_kit::Changed;
use crate::suite::run;

#[test]
fn a_subscription_with_gaps() {
    let scenario = "webhooks/subscription/the-acquirer-hears-of-every-state-change";
    let to = "\"payment.request.state-change.completed\"";
    shows("\"payment.request.state-change.*\"", to, scenario, "subscription.covers-state-changes");
}

#[test]
fn a_webhook_that_is_not_taken() {
    let scenario = "the-document/step-up-required";
    shows("return self.reply(202, {})", "return self.reply(500, {})", scenario, "webhook.delivered")
        .must_say("the acquirer did not take the event");
}

const SIGNATURE: &str = "        if key is None or not hmac.compare_digest(hmac.new(key, raw, hashlib.sha256).hexdigest(), claimed):";
const ENDS: &str = "(\"DECLINED\", \"CANCELED\", \"EXPIRED\")";

const FORGED: &str = "webhooks/signatures/a-forged-approval-has-no-effect#1";
const UNKNOWN_KEY: &str = "webhooks/signatures/a-forged-approval-has-no-effect#2";
const UNSIGNED: &str = "webhooks/signatures/a-forged-approval-has-no-effect#3";
const ALTERED: &str = "webhooks/signatures/a-forged-approval-has-no-effect#4";
const WRONG_KEY: &str = "webhooks/signatures/a-forged-approval-has-no-effect#5";
const FORGED_REFUSAL: &str = "webhooks/signatures/a-forged-refusal-has-no-effect";

#[test]
fn a_webhook_that_makes_no_sense_is_acted_on() {
    all_show(&[
        Mistake {
            name: "whose account an event is about is not looked at",
            changes: &[(
                "    if event[\"metadata\"].get(\"subject_account_id\") != payment[\"merchant\"][\"klarnaAccount\"]:",
                "    if False:",
            )],
            shown: &[(
                "webhooks/nonsense/a-webhook-that-makes-no-sense-does-no-harm#4",
                "nonsense.no-effect",
            )],
        },
        Mistake {
            name: "an event that breaks off ends the process",
            changes: &[(
                "            return self.reply(400, {\"problem\": \"no event\"})",
                "            os._exit(3)",
            )],
            shown: &[("webhooks/nonsense/a-webhook-that-makes-no-sense-does-no-harm#5", "acquirer.died")],
        },
        Mistake {
            name: "a large event ends the process",
            changes: &[("            self.close_connection = True", "            os._exit(3)")],
            shown: &[("webhooks/nonsense/a-webhook-that-makes-no-sense-does-no-harm#6", "acquirer.died")],
        },
    ]);
}

#[test]
fn a_webhook_that_is_believed_too_easily() {
    all_show(&[
        Mistake {
            name: "no signature is checked",
            changes: &[(SIGNATURE, "        if False:")],
            shown: &[
                (FORGED, "forged.no-effect"),
                (UNKNOWN_KEY, "forged.no-effect"),
                (UNSIGNED, "forged.no-effect"),
                (ALTERED, "forged.no-effect"),
                (FORGED_REFUSAL, "forged.no-effect"),
            ],
        },
        Mistake {
            name: "that the key is known is enough",
            changes: &[(SIGNATURE, "        if key is None:")],
            shown: &[
                (FORGED, "forged.no-effect"),
                (ALTERED, "forged.no-effect"),
                (WRONG_KEY, "forged.no-effect"),
            ],
        },
        Mistake {
            name: "a key that is unknown is no reason to refuse",
            changes: &[(
                SIGNATURE,
                "        if key is not None and not hmac.compare_digest(hmac.new(key, raw, hashlib.sha256).hexdigest(), claimed):",
            )],
            shown: &[(UNKNOWN_KEY, "forged.no-effect")],
        },
        Mistake {
            name: "only what claims to be signed is checked",
            changes: &[(
                SIGNATURE,
                "        if claimed and (key is None or not hmac.compare_digest(hmac.new(key, raw, hashlib.sha256).hexdigest(), claimed)):",
            )],
            shown: &[(UNSIGNED, "forged.no-effect")],
        },
        Mistake {
            name: "refused with 400, and acted on all the same",
            changes: &[(
                "            return self.reply(400, {\"problem\": \"signature\"})",
                "            later(handle_event, json.loads(raw))\n            return self.reply(400, {\"problem\": \"signature\"})",
            )],
            shown: &[(FORGED, "forged.no-effect")],
        },
    ]);
}

#[test]
fn an_end_that_is_not_told() {
    all_show(&[
        Mistake {
            name: "canceled is not told",
            changes: &[(ENDS, "(\"DECLINED\", \"EXPIRED\")")],
            shown: &[("step-up/endings/klarna-cancels-the-payment-request", "partner.told")],
        },
        Mistake {
            name: "a cancellation is told as an approval",
            changes: &[("\"CANCELED\": \"Cancelled\"", "\"CANCELED\": \"Authorised\"")],
            shown: &[("step-up/endings/klarna-cancels-the-payment-request", "partner.not-misled")],
        },
        Mistake {
            name: "an expiry is told as an approval",
            changes: &[("\"EXPIRED\": \"Expired\"", "\"EXPIRED\": \"Authorised\"")],
            shown: &[(
                "partner/where-the-customer-ends/at-the-checkout-with-an-error-after-the-payment-request-expired",
                "partner.not-misled",
            )],
        },
    ]);
}

#[test]
fn an_expiry_that_is_not_told_warns() {
    // That Klarna tells of an expiry in this way is inferred, so the run stays green.
    let scenario = "step-up/endings/the-customer-takes-too-long";
    let ran = with(ENDS, "(\"DECLINED\", \"CANCELED\")", scenario);
    ran.must_exit(0);
    let warned = ran
        .events("finding")
        .into_iter()
        .any(|line| line["finding"]["severity"] == "warns" && line["finding"]["rule"] == "partner.told");
    assert!(warned, "{}", ran.all());
}

#[test]
fn a_webhook_that_counts_each_time_it_comes() {
    all_show(&[Mistake {
        name: "neither events nor final calls are counted",
        changes: &[
            ("        if fresh:", "        if True:"),
            ("        if payment[\"finalised\"]:", "        if False:"),
        ],
        shown: &[(
            "final-authorization/once/it-is-made-once-though-klarna-sends-the-webhook-twice",
            "final.one-logical",
        )],
    }]);
}

const LONG_AFTER: &str =
    "webhooks/time-and-order/the-completed-webhook-comes-again-long-after-the-payment-was-made";
const BEHIND: &str = "webhooks/time-and-order/the-in-progress-webhook-comes-behind-the-completed-one";
const LOST: &str = "webhooks/time-and-order/the-in-progress-webhook-is-lost";
const AHEAD: &str =
    "webhooks/time-and-order/the-submitted-webhook-comes-before-klarnas-answer-to-the-call-that-caused-it";

#[test]
fn webhooks_that_are_relied_on_to_come_in_order() {
    all_show(&[
        Mistake {
            name: "a completed event counts only behind one that is in progress",
            changes: &[(
                "    if state == \"COMPLETED\" and token:",
                "    if state == \"IN_PROGRESS\":\n        payment[\"begun\"] = True\n    if state == \"COMPLETED\" and token and \"begun\" in payment:",
            )],
            shown: &[(BEHIND, "partner.told"), (LOST, "partner.told")],
        },
        Mistake {
            name: "an event ahead of the answer ends the process",
            changes: &[(
                "            if len(EARLY_EVENTS) < 1000:",
                "            os._exit(3)\n            if True:",
            )],
            shown: &[(AHEAD, "acquirer.died")],
        },
        Mistake {
            name: "an event counts again when it comes again long after",
            changes: &[
                ("        if fresh:", "        if True:"),
                ("        if payment[\"finalised\"]:", "        if False:"),
            ],
            shown: &[(LONG_AFTER, "final.one-logical")],
        },
    ]);
}

#[test]
fn the_key_before_a_rotation_is_forgotten_too_early() {
    let scenario = "webhooks/rotation/a-webhook-that-is-signed-with-the-key-before-the-rotation-is-believed";
    let key = "        key = SIGNING_KEYS.get(self.headers.get(\"Klarna-Signing-Key-Id\", \"\"))";
    let current = "        current = klarna(\"GET\", \"/v2/notification/webhooks\")[1][\"webhooks\"][0][\"signing_key_id\"]\n        \
                   key = SIGNING_KEYS.get(current)";
    shows(key, current, scenario, "webhook.delivered");
}

#[test]
fn a_claim_to_register_again_that_is_not_kept() {
    let acquirer =
        Changed::new().adapter("retry_within_ms: 3000", "retry_within_ms: 3000, registers_within_ms: 100");
    let scenario = "webhooks/rotation/what-klarna-has-forgotten-is-registered-again#2";
    let feature = "features/webhooks/rotation.feature";
    let ran = run(&["--acquirer", &acquirer.path(), feature, "--seed", "7"]);
    ran.must_exit(1).must_say("Klarna had lost them, and the acquirer did not register its webhook again");
    assert_eq!(ran.failing(scenario), ["subscription.registered-again"], "{}", ran.all());
}
