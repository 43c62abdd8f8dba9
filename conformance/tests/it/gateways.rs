//! The reference acquirer behind four other faces, each bound by its adapter alone: the features hold as
//! they are, and what a face spoils is found.

use tempfile::TempDir;

use crate::suite::{Ran, places, root, run_with};

/// How a gateway starts the reference acquirer.
const REFERENCE_ACQUIRER: &str = concat!(env!("CARGO_BIN_EXE_klarna-conformance"), " __reference-acquirer");

/// What only a run by TLS can tell.
const BY_TLS: &str = "transport/tls/klarna-is-called-by-tls-by-its-name";

const BYTES: &str = "network-data/byte-for-byte/reaches-klarna-byte-for-byte#3";
const IN_REDIRECT_MODE: &str =
    "step-up/purchase-journey/in-redirect-mode-the-customer-opens-the-url-that-the-acquirer-returned";
const IN_SDK_MODE: &str = "step-up/purchase-journey/in-sdk-mode-the-sdk-opens-with-the-payment-request-id-that-the-acquirer-returned";
const NOTIFIED: &str = "partner/told/the-partner-is-notified";
const TOLD_AGAIN: &str = "partner/told/a-notification-that-did-not-get-through-comes-again#2";

fn play(adapter: &str, args: &[&str]) -> Ran {
    let args = [args, &["--acquirer", adapter, "--seed", "7"]].concat();
    run_with(&args, &[("REFERENCE_ACQUIRER", REFERENCE_ACQUIRER)])
}

/// Plays the whole suite against a face as it stands in the repository: nothing is red, nothing is warned
/// of, and nothing is left out but what is named.
#[track_caller]
fn is_green(name: &str, args: &[&str], left_out: &[&str]) {
    let adapter = root().join(format!("conformance/adapters/{name}.yaml"));
    let ran = play(&adapter.display().to_string(), args);
    ran.must_exit(0).must_say(&format!("{name} at http://"));
    assert_eq!(ran.ended("not-applicable"), left_out);
    assert_eq!(ran.ended("passed").len(), ran.statuses().len() - left_out.len(), "{}", ran.all());
    assert!(ran.events("finding").is_empty(), "{}", ran.all());
}

#[test]
fn camel_case_with_hops_and_a_signature_in_the_body() {
    // By TLS, so that every scenario applies.
    is_green("camel-case", &["--tls"], &[]);
}

#[test]
fn a_step_up_as_403_with_signed_requests_and_callbacks() {
    is_green("step-up-as-403", &[], &[BY_TLS]);
}

#[test]
fn forms_in_two_calls() {
    is_green("form-two-calls", &[], &[BY_TLS]);
}

#[test]
fn decimals_with_tokens_and_notifications_that_are_ids() {
    is_green("decimal-oauth2", &[], &[BY_TLS]);
}

/// A face with a line of it changed, and what the suite must say of it.
struct Spoiled {
    from: &'static str,
    to: &'static str,
    scenario: &'static str,
    rule: &'static str,
}

/// A copy of a gateway and its adapter in which one line of one of the files is another.
fn spoiled(adapter: &str, changed: &str, from: &str, to: &str) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let (adapters, gateways) = (folder.path().join("adapters"), folder.path().join("tests/gateways"));
    for made in [&adapters, &gateways] {
        std::fs::create_dir_all(made).unwrap();
    }
    let file = format!("{adapter}.yaml");
    let program = format!("{}.py", adapter.replace('-', "_"));
    for (name, here, there) in [
        (file.as_str(), "adapters", &adapters),
        (program.as_str(), "tests/gateways", &gateways),
        ("gateway.py", "tests/gateways", &gateways),
    ] {
        let mut text = std::fs::read_to_string(root().join("conformance").join(here).join(name)).unwrap();
        if name == changed {
            assert_eq!(text.matches(from).count(), 1, "{name} holds once: {from}");
            text = text.replace(from, to);
        }
        std::fs::write(there.join(name), text).unwrap();
    }
    let path = adapters.join(file).display().to_string();
    (folder, path)
}

fn play_spoiled(adapter: &str, changed: &str, change: &Spoiled) -> Ran {
    let (_folder, path) = spoiled(adapter, changed, change.from, change.to);
    let places = places(&[change.scenario]);
    play(&path, &places.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Asks that each change turns its scenario red by its finding.
#[track_caller]
fn all_found(adapter: &str, changes: &[Spoiled]) {
    let program = format!("{}.py", adapter.replace('-', "_"));
    for change in changes {
        let ran = play_spoiled(adapter, &program, change);
        let Spoiled { to, scenario, rule, .. } = change;
        assert_eq!(ran.code, 1, "{to}: {}", ran.all());
        let failing = ran.failing(scenario);
        assert!(failing.iter().any(|found| found == rule), "{to}: {failing:?}, not {rule}: {}", ran.all());
    }
}

#[test]
fn what_camel_case_spoils_is_found() {
    all_found(
        "camel-case",
        &[
            Spoiled {
                from: "\n        \"klarna_network_data\": own.get(\"klarna.networkData\"),",
                to: "\n        \"klarna_network_data\": json.dumps(json.loads(own[\"klarna.networkData\"])),",
                scenario: BYTES,
                rule: "network-data.byte-equal",
            },
            Spoiled {
                from: "html.escape(payment[\"payment_request_url\"])",
                to: "html.escape(payment[\"payment_request_url\"] + \"?lang=en\")",
                scenario: IN_REDIRECT_MODE,
                rule: "step-up.url-handed-over",
            },
            // The signature of the fields in another order.
            Spoiled {
                from: "payment[\"currency\"], item[\"eventCode\"], item[\"success\"],",
                to: "payment[\"currency\"], item[\"success\"], item[\"eventCode\"],",
                scenario: NOTIFIED,
                rule: "notification.signed",
            },
            Spoiled {
                from: "\"reference\": asked[\"reference\"]}\n        became, operation = self.inner.operate(merchant, known[\"payment_id\"], act, wanted, key)",
                to: "\"reference\": gateway.secrets.token_hex(8)}\n        became, operation = self.inner.operate(merchant, known[\"payment_id\"], act, wanted)",
                scenario: "after-the-payment/refund/asked-for-twice-it-is-made-once",
                rule: "follow-up.once",
            },
        ],
    );
}

#[test]
fn what_a_step_up_as_403_spoils_is_found() {
    all_found(
        "step-up-as-403",
        &[
            Spoiled {
                from: "            shown[\"stepUpUrl\"] = payment[\"payment_request_url\"]\n            shown[\"stepUpId\"] = payment[\"payment_request_id\"]\n            return Answer(403, shown)",
                to: "            shown[\"stepUpUrl\"] = payment[\"payment_request_url\"]\n            shown[\"stepUpId\"] = transaction\n            return Answer(403, shown)",
                scenario: IN_SDK_MODE,
                rule: "step-up.id-handed-over",
            },
            Spoiled {
                from: "    \"declined\": (\"fail\", \"DECLINED\"),",
                to: "    \"declined\": (\"ok\", \"\"),",
                scenario: "initial-authorization/decisions/klarna-declines",
                rule: "answer.outcome",
            },
            Spoiled {
                from: "        query[\"signature\"] = ",
                to: "        _ = ",
                scenario: NOTIFIED,
                rule: "notification.signed",
            },
            Spoiled {
                from: "\"klarna_network_session_token\": own.get(\"networkSessionToken\"),",
                to: "",
                scenario: "network-data/session-token/the-partners-session-token-goes-with-the-initial-authorize",
                rule: "session-token.forwarded",
            },
            Spoiled {
                from: "\"refused\": 400, \"failed\": 502",
                to: "\"refused\": 201, \"failed\": 502",
                scenario: "after-the-payment/capture/more-than-what-is-left-is-refused-and-the-partner-is-told",
                rule: "follow-up.answered",
            },
        ],
    );
}

#[test]
fn what_forms_in_two_calls_spoil_is_found() {
    all_found(
        "form-two-calls",
        &[
            // Decoded twice: a plus in the data is a space then.
            Spoiled {
                from: "\n        \"klarna_network_data\": own.get(\"data\"),",
                to: "\n        \"klarna_network_data\": own.get(\"data\") and gateway.urllib.parse.unquote_plus(own[\"data\"]),",
                scenario: "network-data/byte-for-byte/reaches-klarna-byte-for-byte#10",
                rule: "network-data.byte-equal",
            },
            Spoiled {
                from: "window.location.replace({script})",
                to: "window.location.replace({script} + window.location.search)",
                scenario: IN_REDIRECT_MODE,
                rule: "step-up.url-handed-over",
            },
            Spoiled {
                from: "f\"{now}.\".encode() + body",
                to: "body",
                scenario: NOTIFIED,
                rule: "notification.signed",
            },
            Spoiled {
                from: "{\"amount\": whole(amount),",
                to: "{\"amount\": whole(intent[\"made\"][\"amount\"]),",
                scenario: "after-the-payment/capture/asked-for-twice-it-is-made-once",
                rule: "follow-up.as-asked",
            },
        ],
    );
}

#[test]
fn what_decimals_with_tokens_spoil_is_found() {
    all_found(
        "decimal-oauth2",
        &[
            Spoiled {
                from: "\"amount\": minor(asked[\"amount\"][\"value\"], currency),\n        \"currency\": currency,",
                to: "\"amount\": int(float(asked[\"amount\"][\"value\"]) * 100),\n        \"currency\": currency,",
                scenario: "initial-authorization/decisions/the-amount-is-in-the-minor-units-of-its-currency#2",
                rule: "amount.as-intended",
            },
            Spoiled {
                from: "{\"id\": self.payments.note(merchant, payment)}",
                to: "{\"id\": payment[\"payment_id\"]}",
                scenario: NOTIFIED,
                rule: "partner.notified",
            },
            Spoiled {
                from: "\"approved\": (\"authorized\", None),",
                to: "\"approved\": (\"pending\", None),",
                scenario: "partner/told/one-word-is-enough-in-the-answer-or-by-notification#1",
                rule: "partner.told",
            },
            Spoiled {
                from: "json.dumps({\"networkResponseData\": payment[\"klarna_network_response_data\"]})",
                to: "json.dumps({\"networkResponseData\": json.loads(payment[\"klarna_network_response_data\"])})",
                scenario: "network-data/response-data/reaches-the-partner-byte-for-byte#3",
                rule: "response-data.byte-equal",
            },
            Spoiled {
                from: "minor(asked[\"amount\"][\"value\"], asked[\"amount\"][\"currency\"])",
                to: "minor(asked[\"amount\"][\"value\"], \"KRW\") // 10",
                scenario: "after-the-payment/capture/in-two-parts#2",
                rule: "follow-up.as-asked",
            },
            // Said to be called off, and Klarna never hears of it.
            Spoiled {
                from: "        became, operation = self.inner.operate(merchant, known[\"payment_id\"], act, wanted, key)",
                to: "        if act == \"cancel\":\n            return Answer(204)\n        became, operation = self.inner.operate(merchant, known[\"payment_id\"], act, wanted, key)",
                scenario: "after-the-payment/cancel/while-the-customer-is-in-a-step-up",
                rule: "follow-up.made",
            },
        ],
    );
}

/// Each gateway repeats what a Partner did not take: one that does not is warned of, as the Partner can ask.
#[test]
fn a_gateway_that_forgets_what_the_partner_did_not_take_is_warned_of() {
    let forgets = Spoiled {
        from: "Answer(502)",
        to: "Answer(204)",
        scenario: TOLD_AGAIN,
        rule: "partner.notified-again",
    };
    let ran = play_spoiled("camel-case", "gateway.py", &forgets);
    ran.must_exit(0);
    assert_eq!(ran.warning(TOLD_AGAIN), [forgets.rule], "{}", ran.all());
}

/// What errs towards Klarna is found whatever face the Partner sees.
#[test]
fn a_defect_towards_klarna_is_found_behind_any_face() {
    for (adapter, defect, scenario, rule) in [
        ("form-two-calls", "final-call-skipped", "the-document/step-up-required", "final.missing"),
        ("decimal-oauth2", "network-data-reserialised", BYTES, "network-data.byte-equal"),
    ] {
        let path = root().join(format!("conformance/adapters/{adapter}.yaml")).display().to_string();
        let place = places(&[scenario]);
        let ran = play(&path, &[&place[0], "--defect", defect]);
        ran.must_exit(1);
        let failing = ran.failing(scenario);
        assert!(failing.iter().any(|found| found == rule), "{defect}: {failing:?}: {}", ran.all());
    }
}

/// No gateway takes anybody for its Partner: what the adapters show and sign is looked at.
#[test]
fn who_shows_or_signs_another_thing_is_refused() {
    const SCENARIO: &str = "the-document/transaction-approved";
    for (adapter, from, to, refusal) in [
        (
            "camel-case",
            "value: \"{{ partner.vars.api_key }}\"}",
            "value: \"{{ partner.vars.hmac_key }}\"}",
            "Unauthorized",
        ),
        (
            "step-up-as-403",
            "message: [{headers: checkout-}, body]",
            "message: [body, {headers: checkout-}]",
            "the answer 401 {\"status\": \"error\", \"message\": \"signature\"}",
        ),
        (
            "form-two-calls",
            "username: \"{{ partner.vars.secret_key }}\"",
            "username: \"{{ partner.name }}\"",
            "Invalid API Key provided",
        ),
        (
            "decimal-oauth2",
            "client_secret: \"{{ partner.vars.client_secret }}\"",
            "client_secret: \"{{ partner.vars.client_id }}\"",
            "it answered 401 Unauthorized",
        ),
    ] {
        let (_folder, path) = spoiled(adapter, &format!("{adapter}.yaml"), from, to);
        let ran = play(&path, &[&places(&[SCENARIO])[0]]);
        assert_eq!(ran.ended("passed"), [""; 0], "{adapter}: {}", ran.all());
        ran.must_say(refusal);
    }
}

/// `adapter check` finds nothing to complain about in an example: each value comes out where it says.
#[test]
fn each_adapter_of_a_gateway_passes_its_check() {
    for adapter in ["camel-case", "step-up-as-403", "form-two-calls", "decimal-oauth2"] {
        let path = root().join(format!("conformance/adapters/{adapter}.yaml")).display().to_string();
        let ran = run_with(&["adapter", "check", &path], &[("REFERENCE_ACQUIRER", REFERENCE_ACQUIRER)]);
        ran.must_exit(0).must_say("seen");
        assert!(!ran.all().contains("does not fit"), "{}", ran.all());
    }
}
