//! The initial authorize.

use super::shows;

#[test]
fn another_partners_account() {
    let from = "    payment[\"path\"] = f\"/v2/accounts/{account}/payment/authorize\"";
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
