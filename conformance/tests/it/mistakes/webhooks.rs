//! Klarna's webhooks.

use super::shows;

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
