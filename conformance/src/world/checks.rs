//! The checks that steps name: ids of the simulator's rules, and of the suite's own checks.

use klarna_schemas::requirements::{Level, Requirement, Requirements};
use klarna_schemas::simulator::finding::{Evidence, Finding, Severity};

/// A check and the duties that it speaks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Its id, which findings carry.
    pub rule: &'static str,
    /// Duties, the main one first.
    pub duties: &'static [&'static str],
    /// How to mend what it finds; empty for the simulator's rules, which say it themselves.
    pub mend: &'static str,
    /// Whether it asks only for what the adapter claims: who does not keep that fails, even where the
    /// duty to have it is only recommended.
    pub of_a_claim: bool,
}

const fn rule(rule: &'static str, duties: &'static [&'static str]) -> Check {
    Check { rule, duties, mend: "", of_a_claim: false }
}

const fn own(rule: &'static str, duties: &'static [&'static str], mend: &'static str) -> Check {
    Check { rule, duties, mend, of_a_claim: false }
}

const fn of_a_claim(rule: &'static str, duties: &'static [&'static str], mend: &'static str) -> Check {
    Check { rule, duties, mend, of_a_claim: true }
}

/// Every check that a step or the watch names.
pub const CHECKS: &[Check] = &[
    // Rules of the simulator's rulebook.
    rule("network-data.byte-equal", &["AP-11"]),
    rule("network-data.is-a-string", &["AP-11"]),
    rule("token.known", &["AP-11"]),
    rule("body.as-documented", &["AP-07"]),
    rule("authorize.valid", &["AP-07"]),
    rule("authorize.strictly-valid", &["AP-07"]),
    rule("session-token.forwarded", &["AP-11", "AP-10"]),
    rule("authorize.unasked", &["AP-17"]),
    rule("transaction-reference.present", &["AP-07"]),
    rule("amount.as-intended", &["AP-07"]),
    rule("currency.as-intended", &["AP-07"]),
    rule("purchase-reference.as-intended", &["AP-08"]),
    rule("line-items.as-intended", &["AP-08"]),
    rule("line-totals.add-up", &["AP-09", "AP-08"]),
    rule("purchase-data.present", &["AP-08"]),
    rule("payment-option.known", &["AP-01"]),
    rule("payment-option.as-intended", &["AP-01"]),
    rule("step-up-config.present", &["AP-13"]),
    rule("final.token-in-header", &["AP-23"]),
    rule("final.one-logical", &["AP-25"]),
    rule("final.after-completed", &["AP-28", "AP-20"]),
    rule("final.amount-unchanged", &["AP-24"]),
    rule("final.currency-unchanged", &["AP-24"]),
    rule("final.reference-unchanged", &["AP-23"]),
    rule("final.network-data-unchanged", &["AP-11", "AP-23"]),
    rule("final.purchase-data-unchanged", &["AP-23"]),
    rule("after-approved.no-second-call", &["AP-16"]),
    rule("after-declined.no-second-call", &["AP-17"]),
    rule("idempotency-key.present", &["AP-33"]),
    own(
        "idempotency-key.new-for-new",
        &["AP-33"],
        "draw a new key for each logical action: the final authorize is another action than the initial one",
    ),
    rule("idempotency-key.own-header", &["AP-33"]),
    rule("idempotency-key.one-body", &["AP-33"]),
    rule("idempotency-key.kept-on-retry", &["AP-33", "AP-26"]),
    rule("retry.same-call", &["AP-38", "AP-26", "AP-33"]),
    rule("retry.not-after-4xx", &["AP-37"]),
    rule("retry.new-reference", &["AP-18"]),
    rule("webhook.answer", &["AP-49"]),
    rule("webhook.forged-refused", &["AP-49"]),
    rule("subscription.covers-state-changes", &["AP-19"]),
    rule("integration-metadata.present", &["AP-34"]),
    rule("token.current-name", &["AP-44"]),
    rule("body.current-names", &["AP-44"]),
    rule("secret.in-url", &["AP-52"]),
    rule("tls.server-name", &["AP-05"]),
    rule("client-certificate.valid", &["AP-04"]),
    rule("headers.size", &["AP-43"]),
    rule("headers.no-tracing", &["AP-43"]),
    rule("idempotency-key.uuid", &["AP-33"]),
    rule("retry.made", &["AP-26", "AP-38"]),
    rule("retry.backed-off", &["AP-39"]),
    rule("final.in-time", &["AP-22", "AP-53"]),
    rule("transaction-reference.unique", &["AP-35", "AP-18"]),
    rule("request.updated-in-time", &["AP-31"]),
    rule("request.expiry-in-range", &["AP-32"]),
    rule("request.ended", &["AP-21"]),
    rule("request.canceled-when-given-up", &["AP-30"]),
    rule("evolution.finalised", &["AP-41"]),
    rule("bare-error.survived", &["AP-42"]),
    rule("post-purchase.own-reference", &["AP-50", "AP-35"]),
    rule("post-purchase.accepted", &["AP-50"]),
    rule("api-key.known", &["AP-03"]),
    rule("account.known", &["AP-06"]),
    // The suite's own checks, at the Partner's side or by awaiting.
    own(
        "evolution.lived-with",
        &["AP-41"],
        "read from Klarna's answers and webhooks what is needed, ignore all else, take any 2xx for a success, and keep ids as text",
    ),
    own(
        "initial.missing",
        &["AP-07", "AP-06"],
        "call Payment Authorize for the Partner's own Klarna account when the Partner starts a payment",
    ),
    own(
        "initial.one",
        &["AP-16", "AP-17"],
        "when Klarna has decided on the initial authorize, make no other",
    ),
    own(
        "final.missing",
        &["AP-27", "AP-20", "AP-23", "AP-22"],
        "when the webhook says COMPLETED, call Payment Authorize again with its session token, whether or not the Customer comes back",
    ),
    own(
        "final.token-of-webhook",
        &["AP-20", "AP-23"],
        "take the session token of the completed webhook into the header Klarna-Network-Session-Token",
    ),
    own(
        "final.unasked",
        &["AP-28", "AP-17"],
        "make the final authorize only after the webhook says COMPLETED",
    ),
    own(
        "step-up.url-handed-over",
        &["AP-15"],
        "give the Partner Klarna's payment_request_url unmodified in the answer to its create call",
    ),
    own(
        "step-up.id-handed-over",
        &["AP-15"],
        "give the Partner Klarna's payment_request_id unmodified in the answer to its create call",
    ),
    own(
        "step-up.not-handed-over",
        &["AP-15", "AP-16"],
        "give a Purchase Journey to the Partner only when Klarna asks for a step-up",
    ),
    own(
        "step-up-config.method",
        &["AP-13"],
        "ask with customer_interaction_config.method for SDK where the Partner starts Klarna's SDK, and for HANDOVER where it opens a URL",
    ),
    own(
        "step-up-config.app-return-url",
        &["AP-13"],
        "send the address of the Partner's app as customer_interaction_config.app_return_url, beside return_url",
    ),
    own(
        "response-data.byte-equal",
        &["AP-12"],
        "hand klarna_network_response_data of Klarna's answer back to the Partner, as the string that it is",
    ),
    own("answer.outcome", &["AP-16", "AP-17"], "answer the Partner with what Klarna decided"),
    own(
        "partner.told",
        &["AP-29", "AP-21", "AP-27"],
        "tell the Partner how the payment ended, by a notification or where it can read it",
    ),
    own("partner.notified", &["AP-29"], "send the Partner a notification when the payment ends"),
    own(
        "partner.notified-again",
        &["AP-29"],
        "send a notification again, after a while and with its own id, until the Partner has answered 2xx",
    ),
    own(
        "partner.not-misled",
        &["AP-28", "AP-29"],
        "call a payment approved only when Klarna has approved it",
    ),
    own("notification.signed", &["AP-29"], "sign notifications as the adapter says"),
    own("customer.comes-home", &["AP-29"], "send the Customer on to the Partner's return_url"),
    own(
        "klarna.answer",
        &["AP-07"],
        "see in the exchange why Klarna answered otherwise, and mend the request",
    ),
    own(
        "answer.refused",
        &["AP-02"],
        "check the Partner's order before anything else, and refuse it with an answer that says what is wrong",
    ),
    own("refused.not-forwarded", &["AP-02"], "call Klarna only with an order that has been checked"),
    own(
        "network-data.full-length",
        &["AP-10"],
        "take Klarna Network Data of up to 10 240 characters, and keep room for it on the whole way",
    ),
    own(
        "purchase-data.field",
        &["AP-08"],
        "map each field of the Partner's order into supplementary_purchase_data",
    ),
    own(
        "api-key.own",
        &["AP-03"],
        "call Klarna with the acquirer's API key, whichever Partner the call is for",
    ),
    own("line-items.add-up", &["AP-09"], "make discounts and shipping order lines of their own"),
    own(
        "attempt.of-its-own",
        &["AP-18"],
        "give each attempt a transaction reference and an idempotency key of its own",
    ),
    own(
        "partner.own-account",
        &["AP-06", "AP-45"],
        "map each Partner to its own Klarna account, and call that one for all of its payments",
    ),
    own(
        "customer.ends-right",
        &["AP-29", "AP-16", "AP-17", "AP-21"],
        "let the Partner know how the payment ended by the time that the Customer is back: by notification or when it reads the payment",
    ),
    own(
        "forged.no-effect",
        &["AP-49"],
        "verify Klarna-Signature over the raw body with the key that Klarna-Signing-Key-Id names, and drop what does not fit",
    ),
    own(
        "nonsense.no-effect",
        &["AP-49"],
        "act only on events about a payment that you know, in a state that you know, and live with all others",
    ),
    own(
        "authorize.repeated",
        &["AP-38", "AP-26", "AP-39", "AP-40", "AP-42", "AP-36"],
        "repeat a call after 5xx, 429, time-outs and broken connections, with a delay and an end",
    ),
    own(
        "authorize.repeated-the-same",
        &["AP-33", "AP-26", "AP-38"],
        "repeat a call with its own idempotency key, token and body, so that Klarna can tell it from a new one",
    ),
    own(
        "authorize.not-repeated",
        &["AP-37", "AP-36", "AP-42"],
        "take a 4xx other than 429 for an answer: the same call would get the same again",
    ),
    own(
        "authorize.backed-off",
        &["AP-39"],
        "after a 429 wait at least as many seconds as X-Ratelimit-Reset says, and longer each time",
    ),
    own(
        "answer.in-time",
        &["AP-38"],
        "answer the Partner after a while with \"pending\", and go on in the background",
    ),
    of_a_claim(
        "follow-up.made",
        &["AP-50", "AP-30"],
        "ask Klarna for each capture, refund and cancel that the Partner asks for, in the Partner's own Klarna account",
    ),
    of_a_claim(
        "follow-up.as-asked",
        &["AP-50"],
        "send the Partner's amount, in minor units, and nothing else",
    ),
    of_a_claim(
        "follow-up.once",
        &["AP-33", "AP-50"],
        "draw one idempotency key for each capture and refund of the Partner's, write it down, and use it for every repetition",
    ),
    of_a_claim(
        "follow-up.answered",
        &["AP-50", "AP-30"],
        "answer the Partner with what Klarna has done, and with a refusal where Klarna has not",
    ),
    own(
        "follow-up.repeated",
        &["AP-38", "AP-36"],
        "repeat a call after 5xx, 429, time-outs and broken connections, with a delay and an end",
    ),
    own(
        "follow-up.repeated-the-same",
        &["AP-33", "AP-38"],
        "repeat a call with its own idempotency key and body, so that Klarna can tell it from a new one",
    ),
    own(
        "answer.at-once",
        &["AP-16"],
        "answer the create call with Klarna's approval, where it comes at once",
    ),
    own(
        "next.served",
        &["AP-42", "AP-37", "AP-38"],
        "let no answer of Klarna's, however odd, get in the way of other payments",
    ),
    own(
        "webhook.delivered",
        &["AP-19", "AP-49", "AP-21"],
        "answer Klarna's webhooks with 200, 201, 202 or 204",
    ),
    own(
        "subscription.registered-again",
        &["AP-19"],
        "look from time to time whether Klarna still has signing key and webhook, and make what is missing",
    ),
    own("subscription.registered", &["AP-19"], "subscribe to payment.request.state-change.* at Klarna"),
    own(
        "methods.listed",
        &["AP-01"],
        "answer the Partner with the payment methods that there are; where Klarna's presentation fails, without Klarna",
    ),
    own(
        "methods.klarna",
        &["AP-01"],
        "list Klarna when its presentation says so, and leave it out when it says HIDE_KLARNA or fails",
    ),
    own(
        "methods.others",
        &["AP-01"],
        "list the Partner's other payment methods whatever becomes of Klarna's presentation",
    ),
    own(
        "methods.as-presented",
        &["AP-01"],
        "hand instruction, descriptors and payment option of Klarna's presentation on as they are",
    ),
    own(
        "presentation.asked",
        &["AP-01"],
        "ask Klarna for its presentation of the order, for the Partner's own Klarna account",
    ),
    own(
        "presentation.session-token-forwarded",
        &["AP-11", "AP-10"],
        "send the Partner's klarna_network_session_token unchanged in the header Klarna-Network-Session-Token",
    ),
    own(
        "partner-api.unreachable",
        &["AP-01"],
        "see that the acquirer runs and that the adapter's base URL is right",
    ),
    own(
        "partner-api.timed-out",
        &["AP-01"],
        "answer the Partner in time, or raise operation_timeout_ms in the adapter",
    ),
    own(
        "partner-api.unreadable",
        &["AP-01"],
        "answer as the adapter says, or add a rule for this answer to the adapter",
    ),
    own("acquirer.died", &["AP-01"], "read the acquirer's log"),
    own("step.panicked", &[], "this is a mistake of the suite: please report it"),
    own("step.timed-out", &[], "see which call hangs in the exchanges"),
];

/// A check by its id.
pub fn check(rule: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.rule == rule)
}

impl Check {
    /// The duties that it speaks about in a scenario which shows `shown`.
    ///
    /// A rule of the simulator is about its duties wherever it judges. A check of the suite can serve
    /// several: where the scenario names some of them, it is about those.
    pub fn speaks_about<'a>(&'a self, shown: &'a [String]) -> Vec<&'a str> {
        let all = self.duties.iter().copied();
        if self.mend.is_empty() {
            return all.collect();
        }
        let both: Vec<&str> =
            shown.iter().map(String::as_str).filter(|duty| self.duties.contains(duty)).collect();
        if both.is_empty() { all.collect() } else { both }
    }
}

/// A finding of one of the suite's own checks.
pub(super) fn finding(
    rule: &str,
    shown: &[String],
    place: impl Into<String>,
    what: impl Into<String>,
) -> Finding {
    let known = check(rule);
    let duties: Vec<String> = known
        .map(|check| check.speaks_about(shown))
        .unwrap_or_default()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let main = duties.first().and_then(|duty| Requirements::global().get(duty));
    let inferred = main.filter(|duty| duty.evidence == Evidence::Inferred);
    let rests_on = inferred.map(|duty| format!("{}: {}", duty.id, duty.note.as_ref().unwrap_or(&duty.title)));
    Finding {
        rule: rule.to_owned(),
        // What no duty names is a plain failure.
        level: main.map_or(Level::Required, |duty| duty.level),
        severity: if known.is_some_and(|check| check.of_a_claim) {
            Severity::Fails
        } else {
            severity(&duties)
        },
        evidence: main.map_or(Evidence::Confirmed, |duty| duty.evidence),
        rests_on: rests_on.into_iter().collect(),
        duties,
        r#where: place.into(),
        what: what.into(),
        mend: mend(known, main),
        expected: None,
        got: None,
        diff: None,
        payment: None,
        exchanges: Vec::new(),
    }
}

/// How to mend it. The simulator's rules say so in their own findings; where the suite itself finds that
/// one is broken, the duty says what to do.
fn mend(check: Option<&Check>, main: Option<&Requirement>) -> String {
    match (check.map(|check| check.mend), main) {
        (Some(mend), _) if !mend.is_empty() => mend.to_owned(),
        (_, Some(duty)) => format!("{}, as {} asks", duty.title, duty.id),
        _ => "see what was expected and what came".to_owned(),
    }
}

/// A Required duty on confirmed ground fails; the rest warns. What no duty names is a plain failure.
fn severity(duties: &[String]) -> Severity {
    let main = duties.first().and_then(|duty| Requirements::global().get(duty));
    main.map_or(Severity::Fails, Requirement::severity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_names_duties_that_exist_and_stands_once() {
        for (index, check) in CHECKS.iter().enumerate() {
            assert!(
                CHECKS.iter().skip(index + 1).all(|other| other.rule != check.rule),
                "{} stands twice",
                check.rule
            );
            for duty in check.duties {
                assert!(Requirements::global().get(duty).is_some(), "{}: no duty {duty}", check.rule);
            }
        }
    }

    #[test]
    fn every_finding_says_how_to_mend_it() {
        for check in CHECKS {
            assert!(!finding(check.rule, &[], "here", "this").mend.is_empty(), "{}", check.rule);
        }
        let twice = finding("final.one-logical", &[], "here", "this");
        assert!(twice.mend.ends_with(", as AP-25 asks"), "{}", twice.mend);
    }

    #[test]
    fn a_check_of_the_suite_speaks_about_what_its_scenario_shows() {
        let shown = vec!["AP-17".to_owned(), "AP-02".to_owned()];
        assert_eq!(check("answer.outcome").unwrap().speaks_about(&shown), ["AP-17"]);
        assert_eq!(check("answer.outcome").unwrap().speaks_about(&[]), ["AP-16", "AP-17"]);
        assert_eq!(check("network-data.byte-equal").unwrap().speaks_about(&shown), ["AP-11"]);
    }
}
