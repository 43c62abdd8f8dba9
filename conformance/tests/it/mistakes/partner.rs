//! What the Partner is told.

use super::{shows, warns, with};

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
fn a_notification_that_another_partner_could_read_as_its_own() {
    let from = "payment[\"merchant\"][\"hmacKey\"]";
    let to = "[other for other in MERCHANTS.values() if other is not payment[\"merchant\"]][0][\"hmacKey\"]";
    shows(from, to, "partner/told/the-partner-is-notified", "notification.signed")
        .must_say("or was signed with its secret");
}

#[test]
fn a_partner_that_was_down_and_is_never_told() {
    // The Partner can read the payment, so it only warns.
    let from = ", again=lambda status: not 200 <= status < 300)";
    for row in ["#1", "#2"] {
        let scenario = format!("partner/told/a-notification-that-did-not-get-through-comes-again{row}");
        warns(from, ", again=lambda status: False)", &scenario, "partner.notified-again");
    }
}
