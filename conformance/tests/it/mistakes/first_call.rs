//! The initial authorize.

use super::{IN_REDIRECT_MODE, IN_SDK_MODE, Mistake, all_show, shows, warns};

#[test]
fn another_partners_account() {
    let from = "    payment[\"root\"] = f\"/v2/accounts/{account}/payment\"";
    let other = "[other for other in MERCHANTS.values() if other is not merchant][0][\"klarnaAccount\"]";
    let to = format!("    account = {other}\n{from}");
    let ran = shows(
        from,
        &to,
        "purchase-data/what-the-partner-gave/the-purchase-data-goes-with-it",
        "initial.missing",
    );
    ran.must_say("other accounts were called");
}

#[test]
fn a_second_call_after_an_approval() {
    let from = "        return settle(payment, result)";
    let to = "        settle(payment, result)\n        authorize(payment, {**payment[\"body\"], \"step_up_config\": step_up}, token)\n        return";
    let ran = shows(from, to, "initial-authorization/decisions/klarna-approves-at-once", "initial.one");
    ran.must_say("an absence, proved by order").must_say("after-approved.no-second-call");
}

#[test]
fn one_key_for_everything() {
    let to = "\"0d1c6a52-7a0e-4c5d-9b57-0f6c2a3e9d11\"";
    let from = "str(uuid.uuid4())\n    data";
    let scenario = "initial-authorization/attempts/each-call-carries-an-idempotency-key-of-its-own";
    shows(from, &format!("{to}\n    data"), scenario, "idempotency-key.new-for-new");
}

#[test]
fn a_session_token_that_stays_behind() {
    let from = "later(begin, payment, step_up, token)";
    let scenario = "network-data/session-token/the-partners-session-token-goes-with-the-initial-authorize";
    let ran = shows(from, "later(begin, payment, step_up, None)", scenario, "session-token.forwarded");
    // The token is a secret: the report holds none of it.
    let curl = ran.events("finding")[0]["curl"].as_str().unwrap().to_owned();
    assert!(curl.contains("$KLARNA_NETWORK_SESSION_TOKEN"), "{curl}");
}

#[test]
fn a_session_token_that_is_cut() {
    let from = "later(begin, payment, step_up, token)";
    let scenario = "network-data/session-token/a-session-token-of-8192-characters-is-neither-cut-nor-refused";
    shows(
        from,
        "later(begin, payment, step_up, token and token[:4096])",
        scenario,
        "session-token.forwarded",
    );
}

#[test]
fn network_data_that_was_read() {
    let from = "body[\"klarna_network_data\"] = details[\"networkData\"]";
    let to = "body[\"klarna_network_data\"] = json.dumps(json.loads(details[\"networkData\"]))";
    shows(from, to, "network-data/byte-for-byte/reaches-klarna-byte-for-byte#6", "network-data.byte-equal");
}

#[test]
fn money_that_is_read_as_if_every_currency_were_the_same() {
    let scenario = "initial-authorization/decisions/the-amount-is-in-the-minor-units-of-its-currency#2";
    shows("scaleb(DIGITS.get(currency, 2))", "scaleb(2)", scenario, "amount.as-intended");
    let scenario = "initial-authorization/decisions/the-amount-is-in-the-minor-units-of-its-currency#3";
    shows("\"KWD\": 3", "\"KWD\": 2", scenario, "amount.as-intended");
    let scenario = "initial-authorization/decisions/the-amount-is-in-the-minor-units-of-its-currency#1";
    shows(
        "        \"currency\": currency,\n",
        "        \"currency\": \"SEK\",\n",
        scenario,
        "currency.as-intended",
    );
}

#[test]
fn network_data_with_less_in_it() {
    const FROM: &str = "body[\"klarna_network_data\"] = details[\"networkData\"]";
    let lost = |to: &'static str, scenario: &'static str| {
        let to = format!("{FROM}{to}");
        shows(FROM, &to, scenario, "network-data.byte-equal");
    };
    lost(".replace('\"list\":[],', '')", "network-data/byte-for-byte/reaches-klarna-byte-for-byte#15");
    lost(".replace('\\\\u0000', '')", "network-data/byte-for-byte/reaches-klarna-byte-for-byte#16");
    let odd = "network-data/byte-for-byte/reaches-klarna-with-characters-that-nobody-sees";
    for (to, row) in [
        (".replace('\\r\\n', '\\n')", "#1"),
        (".replace('\\ufeff', '')", "#2"),
        (".replace('\\u2028', '\\n')", "#3"),
    ] {
        let to = format!("{FROM}{to}");
        shows(FROM, &to, &format!("{odd}{row}"), "network-data.byte-equal");
    }
}

#[test]
fn another_way_in_than_the_partner_wants() {
    let from = "\"SDK\" if order[\"channel\"] == \"SDK\" else \"HANDOVER\"";
    warns(from, "\"HANDOVER\"", IN_SDK_MODE, "step-up-config.method");
    warns(from, "\"SDK\"", IN_REDIRECT_MODE, "step-up-config.method");
}

#[test]
fn no_way_back() {
    all_show(&[
        Mistake {
            name: "the app is forgotten",
            changes: &[("    if order[\"redirect\"].get(\"appReturnUrl\"):", "    if False:")],
            shown: &[(
                "step-up/purchase-journey/a-customer-of-the-partners-app-is-led-back-to-the-app",
                "step-up-config.app-return-url",
            )],
        },
        Mistake {
            name: "the query of the return URL is cut",
            changes: &[(
                "    interaction[\"return_url\"] = order[\"redirect\"][\"returnUrl\"]",
                "    interaction[\"return_url\"] = order[\"redirect\"][\"returnUrl\"].split(\"?\")[0]",
            )],
            shown: &[(IN_REDIRECT_MODE, "customer.comes-home")],
        },
    ]);
}
