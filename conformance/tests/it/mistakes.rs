//! Acquirers that err: the Python acquirer with one line changed, and the finding that must say so.
//!
//! The defects of the proxy err towards Klarna; here are those at the Partner's side, and the ones
//! that only another acquirer can show.

use klarna_conformance::plan::{check, embedded_features};
use tempfile::TempDir;

use crate::suite::{Ran, root, run};

/// Changes the acquirer and plays one scenario against it.
fn with(from: &str, to: &str, scenario: &str) -> Ran {
    let program = std::fs::read_to_string(root().join("conformance/tests/foreign/acquirer.py")).unwrap();
    assert!(program.contains(from), "the acquirer has no line {from}");
    play(&program.replacen(from, to, 1), scenario)
}

/// Plays one scenario against a changed acquirer.
fn play(program: &str, scenario: &str) -> Ran {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("acquirer.py"), program).unwrap();
    let adapter = root().join("conformance/tests/foreign/adapter.yaml");
    std::fs::copy(adapter, folder.path().join("adapter.yaml")).unwrap();
    let scenarios = check(&embedded_features()).scenarios;
    let found = scenarios.iter().find(|known| known.id == scenario);
    let found = found.unwrap_or_else(|| panic!("no scenario {scenario}"));
    let adapter = folder.path().join("adapter.yaml").display().to_string();
    run(&[&format!("{}:{}", found.file, found.line), "--acquirer", &adapter, "--seed", "7"])
}

/// Asks that the mistake turns the scenario red by this finding.
#[track_caller]
fn shows(from: &str, to: &str, scenario: &str, rule: &str) -> Ran {
    let ran = with(from, to, scenario);
    ran.must_exit(1);
    let failing = ran.failing(scenario);
    assert!(failing.iter().any(|found| found == rule), "{failing:?} and not {rule}: {}", ran.all());
    ran
}

const BY_URL: &str = "step-up/purchase-journey/in-redirect-mode-the-customer-opens-the-url-that-the-acquirer-returned";
const BY_SDK: &str =
    "step-up/purchase-journey/in-sdk-mode-the-sdk-opens-with-the-payment-request-id-that-the-acquirer-returned";

#[test]
fn a_url_that_is_not_klarnas() {
    let from = "\"location\": interaction[\"payment_request_url\"],";
    let to = "\"location\": interaction[\"payment_request_url\"] + \"?utm=1\",";
    shows(from, to, BY_URL, "step-up.url-handed-over").must_say("what the Partner got is not Klarna's");
}

#[test]
fn a_url_that_leads_to_klarnas_is_no_mistake() {
    let original = root().join("conformance/tests/foreign/acquirer.py");
    let program = std::fs::read_to_string(original).unwrap();
    let from = "        if self.path == \"/alive\":";
    let to = "        if self.path.startswith(\"/go/\"):\n            self.send_response(302)\n            self.send_header(\"Location\", PAYMENTS[self.path[4:]][\"klarna\"])\n            self.send_header(\"Content-Length\", \"0\")\n            return self.end_headers()\n        if self.path == \"/alive\":";
    let location = "\"location\": interaction[\"payment_request_url\"],";
    let wrapped = "\"location\": f\"http://{HOST}:{PORT}/go/{payment['pspReference']}\",";
    let kept = "    with LOCK:\n        payment[\"action\"] = action";
    assert!(program.contains(from) && program.contains(location) && program.contains(kept));
    let program = program.replacen(from, to, 1).replacen(location, wrapped, 1).replacen(
        kept,
        &format!("    payment[\"klarna\"] = interaction[\"payment_request_url\"]\n{kept}"),
        1,
    );
    let ran = play(&program, BY_URL);
    ran.must_exit(0);
    assert!(
        ran.report("junit.xml").contains("the acquirer wraps Klarna&apos;s URL"),
        "{}",
        ran.report("junit.xml")
    );
}

#[test]
fn no_url_at_all() {
    let from = "\"location\": interaction[\"payment_request_url\"],";
    shows(from, "", BY_URL, "step-up.url-handed-over").must_say("carries no payment_request_url");
}

#[test]
fn an_id_that_is_not_klarnas() {
    let from = "interaction.get(\"payment_request_id\", request[\"payment_request_id\"])";
    shows(from, "payment[\"pspReference\"]", BY_SDK, "step-up.id-handed-over");
}

#[test]
fn a_partner_that_is_never_told() {
    let scenario = "partner/told/the-partner-is-notified";
    let ran = shows("later(notify, payment)", "pass", scenario, "partner.notified");
    ran.must_say("no notification says within 10 s");
}

#[test]
fn a_notification_that_anybody_could_have_sent() {
    let scenario = "partner/told/the-partner-is-notified";
    let ran = with("\"sha256=\" + signature", "\"sha256=\" + signature[::-1]", scenario);
    ran.must_exit(1).must_say("signature");
}

#[test]
fn a_decline_that_is_called_an_approval() {
    let scenario = "initial-authorization/decisions/klarna-declines";
    let ran = shows(
        "return settle(payment, result)",
        "return settle(payment, \"APPROVED\")",
        scenario,
        "answer.outcome",
    );
    assert!(ran.failing(scenario).contains(&"partner.not-misled".to_owned()), "{}", ran.all());
}

#[test]
fn another_partners_account() {
    let from = "urllib.parse.quote(merchant[\"klarnaAccount\"], safe=\"\")";
    let to = "urllib.parse.quote(list(MERCHANTS.values())[-1][\"klarnaAccount\"], safe=\"\")";
    let ran = shows(from, to, "purchase-data/what-the-partner-gave/the-purchase-data-goes-with-it", "initial.missing");
    ran.must_say("other accounts were called").must_say("SOUTH001");
}

#[test]
fn a_final_call_without_the_token() {
    let from = "result, _ = authorize(payment, payment[\"body\"], token)";
    let scenario = "final-authorization/content/it-carries-the-webhooks-session-token-not-the-partners";
    shows(
        from,
        "result, _ = authorize(payment, payment[\"body\"], None)",
        scenario,
        "final.token-of-webhook",
    )
    .must_say("no token");
}

#[test]
fn a_subscription_with_gaps() {
    let scenario = "webhooks/subscription/the-acquirer-hears-of-every-state-change";
    let to = "\"payment.request.state-change.completed\"";
    shows("\"payment.request.state-change.*\"", to, scenario, "subscription.covers-state-changes");
}

#[test]
fn a_second_call_after_an_approval() {
    let from = "        return settle(payment, result)";
    let to = "        settle(payment, result)\n        authorize(payment, {**payment[\"body\"], \"step_up_config\": step_up}, token)\n        return";
    let ran = shows(from, to, "initial-authorization/decisions/klarna-approves-at-once", "initial.one");
    ran.must_say("an absence, proved by order").must_say("after-approved.no-second-call");
}

#[test]
fn an_amount_that_changed_on_the_way() {
    let from = "    result, _ = authorize(payment, payment[\"body\"]";
    let to = "    payment[\"body\"][\"request_payment_transaction\"][\"amount\"] += 1\n    result, _ = authorize(payment, payment[\"body\"]";
    let scenario = "final-authorization/content/amount-currency-and-references-are-those-of-the-initial-call";
    shows(from, to, scenario, "final.amount-unchanged");
}

#[test]
fn a_return_taken_for_a_proof() {
    let from = "    if state == \"COMPLETED\" and token:";
    let scenario = "final-authorization/driven-by-the-webhook/a-return-of-the-customer-is-no-proof";
    let told = "    if state == \"SUBMITTED\":\n        settle(payment, \"APPROVED\")\n    elif state == \"COMPLETED\" and token:";
    shows(from, told, scenario, "partner.not-misled");
    let called = "    if state == \"SUBMITTED\":\n        finalise(payment, \"x\" * 64)\n    elif state == \"COMPLETED\" and token:";
    shows(from, called, scenario, "final.unasked");
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
fn a_customer_who_is_lost() {
    let from = "interaction[\"return_url\"] = order[\"redirect\"][\"returnUrl\"]";
    let to = "interaction[\"return_url\"] = f\"http://{HOST}:{PORT}/alive\"";
    shows(from, to, BY_URL, "customer.comes-home").must_say("does not come back to the Partner's return_url");
}

#[test]
fn network_data_that_was_read() {
    let from = "body[\"klarna_network_data\"] = details[\"networkData\"]";
    let to = "body[\"klarna_network_data\"] = json.dumps(json.loads(details[\"networkData\"]))";
    shows(from, to, "network-data/byte-for-byte/reaches-klarna-byte-for-byte#6", "network-data.byte-equal");
}

#[test]
fn a_webhook_that_is_not_taken() {
    let scenario = "the-document/step-up-required";
    shows("return self.reply(202, {})", "return self.reply(500, {})", scenario, "webhook.delivered")
        .must_say("the acquirer did not take the event");
}

#[test]
fn a_purchase_journey_that_nobody_needs() {
    let from = "            shown[\"action\"] = payment[\"action\"]";
    let to = "            shown[\"action\"] = payment[\"action\"]\n        else:\n            shown[\"action\"] = {\"location\": \"http://127.0.0.1/x\"}";
    shows(from, to, "the-document/transaction-approved", "step-up.not-handed-over");
}
