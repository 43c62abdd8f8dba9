//! What the Partner and the Customer get of a step-up.

use super::{IN_REDIRECT_MODE, IN_SDK_MODE, changed, play, shows};

#[test]
fn a_url_that_is_not_klarnas() {
    let from = "\"location\": interaction[\"payment_request_url\"],";
    let to = "\"location\": interaction[\"payment_request_url\"] + \"?utm=1\",";
    shows(from, to, IN_REDIRECT_MODE, "step-up.url-handed-over")
        .must_say("what the Partner got is not Klarna's");
}

#[test]
fn a_url_that_leads_to_klarnas_is_no_mistake() {
    let ran = play(
        &changed(&[
            (
                "        if self.path == \"/alive\":",
                "        if self.path.startswith(\"/go/\"):\n            self.send_response(302)\n            self.send_header(\"Location\", PAYMENTS[self.path[4:]][\"klarna\"])\n            self.send_header(\"Content-Length\", \"0\")\n            return self.end_headers()\n        if self.path == \"/alive\":",
            ),
            (
                "\"location\": interaction[\"payment_request_url\"],",
                "\"location\": f\"http://{HOST}:{PORT}/go/{payment['pspReference']}\",",
            ),
            (
                "    with LOCK:\n        payment[\"action\"] = action",
                "    payment[\"klarna\"] = interaction[\"payment_request_url\"]\n    with LOCK:\n        payment[\"action\"] = action",
            ),
        ]),
        &[IN_REDIRECT_MODE],
    );
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
    shows(from, "", IN_REDIRECT_MODE, "step-up.url-handed-over").must_say("carries no payment_request_url");
}

#[test]
fn an_id_that_is_not_klarnas() {
    let from = "interaction.get(\"payment_request_id\", request[\"payment_request_id\"])";
    shows(from, "payment[\"pspReference\"]", IN_SDK_MODE, "step-up.id-handed-over");
}

#[test]
fn a_customer_who_is_lost() {
    let from = "interaction[\"return_url\"] = order[\"redirect\"][\"returnUrl\"]";
    let to = "interaction[\"return_url\"] = f\"http://{HOST}:{PORT}/alive\"";
    shows(from, to, IN_REDIRECT_MODE, "customer.comes-home")
        .must_say("does not come back to the Partner's return_url");
}

#[test]
fn a_purchase_journey_that_nobody_needs() {
    let from = "            shown[\"action\"] = payment[\"action\"]";
    let to = "            shown[\"action\"] = payment[\"action\"]\n        else:\n            shown[\"action\"] = {\"location\": \"http://127.0.0.1/x\"}";
    shows(from, to, "the-document/transaction-approved", "step-up.not-handed-over");
}

#[test]
fn response_data_that_does_not_come_as_it_was() {
    const FROM: &str =
        "shown[\"additionalData\"] = {\"klarna\": {\"responseData\": payment[\"responseData\"]}}";
    const ROWS: &str = "network-data/response-data/reaches-the-partner-byte-for-byte";
    let rewritten =
        FROM.replace("payment[\"responseData\"]", "json.dumps(json.loads(payment[\"responseData\"]))");
    for row in ["#1", "#2", "#3"] {
        shows(FROM, &rewritten, &format!("{ROWS}{row}"), "response-data.byte-equal");
    }
    shows(FROM, "pass", &format!("{ROWS}#3"), "response-data.byte-equal").must_say("does not get it");
}
