//! What rules and queued outcomes let Klarna do: whether it is something, and something that can be done.

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::CallKind;
use klarna_schemas::simulator::rules::{Rule, Then, When};

use super::customer_script::impossible_step;
use super::mistake::Mistake;
use super::rule_check::AUTHORIZE;
use crate::clock::LONGEST_WAIT;
use crate::pattern::fits;

/// What a rule does must be something, and something that Klarna may do with such calls.
pub(super) fn check_doings(rule: &Rule, at: &str, mistakes: &mut Vec<Mistake>) {
    match (&rule.then, rule.one_of.as_slice()) {
        (None, []) => mistakes.push(Mistake::new(
            at,
            "this rule does nothing",
            "say what Klarna does: then = { result = \"DECLINED\" }",
        )),
        (Some(_), [_, ..]) => mistakes.push(Mistake::new(
            format!("{at}/one_of"),
            "a rule has either then or one_of",
            "put what always happens into each of one_of",
        )),
        (Some(then), []) => check_then(&rule.when, then, &format!("{at}/then"), mistakes),
        (None, chances) => {
            for (index, chance) in chances.iter().enumerate() {
                check_then(&rule.when, &chance.then, &format!("{at}/one_of/{index}/then"), mistakes);
                if chance.weight == 0 {
                    mistakes.push(Mistake::new(
                        format!("{at}/one_of/{index}/weight"),
                        "what weighs nothing never happens",
                        "at least 1",
                    ));
                }
            }
        }
    }
}

/// All that is wrong with what one authorize shall get.
pub(crate) fn check_outcome(on: CallKind, then: &Then, at: &str) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    check_then(&When { on, ..When::default() }, then, at, &mut mistakes);
    mistakes
}

fn check_then(when: &When, then: &Then, at: &str, mistakes: &mut Vec<Mistake>) {
    let mut wrong = |member: &str, message: String, hint: &str| {
        mistakes.push(Mistake::new(format!("{at}{member}"), message, hint));
    };
    let decides_authorize = fits(&when.operation, AUTHORIZE);
    if *then == Then::default() {
        wrong("", "this rule does nothing".to_owned(), "say what Klarna does: { result = \"DECLINED\" }");
    }
    if let Some(AuthorizationResult::Unknown(other)) = &then.result {
        wrong("/result", format!("Klarna has no result {other}"), "APPROVED, DECLINED or STEP_UP_REQUIRED");
    }
    let steps_up = then.result == Some(AuthorizationResult::StepUpRequired);
    if steps_up && when.on == CallKind::Final && !then.force {
        let message = "Klarna asks for no step-up on a final call, so this rule can never match".to_owned();
        wrong(
            "/result",
            message,
            "APPROVED or DECLINED, or force = true to see what the acquirer makes of it",
        );
    }
    for (member, is_there) in [
        ("result", then.result.is_some()),
        ("result_reason", then.result_reason.is_some()),
        ("response_data", then.response_data.is_some()),
        ("customer", !then.customer.is_empty()),
        ("webhooks", !then.webhooks.is_empty()),
    ] {
        if is_there && !decides_authorize {
            let message = format!("{member} is of an authorize, and this rule is for {}", when.operation);
            wrong(&format!("/{member}"), message, "only a fault can befall other calls");
        }
    }
    let no_step_up =
        matches!(then.result, Some(AuthorizationResult::Approved | AuthorizationResult::Declined))
            || when.on == CallKind::Final;
    if !then.customer.is_empty() && no_step_up && !(steps_up && then.force) {
        let message = "there is no step-up, and so nothing for the customer to do".to_owned();
        wrong("/customer", message, "result = \"STEP_UP_REQUIRED\", or take customer out");
    }
    if let Some((index, why)) = impossible_step(&then.customer) {
        let hint = "docs/rules.md says what the customer can do, and when";
        wrong(&format!("/customer/{index}/act"), why.to_owned(), hint);
    }
    for (index, step) in then.customer.0.iter().enumerate() {
        if step.after.is_some_and(|after| after.is_negative()) {
            wrong(
                &format!("/customer/{index}/after"),
                "nobody acts in the past".to_owned(),
                "leave it out for at once",
            );
        }
        if step.after.is_some_and(|after| after > LONGEST_WAIT) {
            let message = "the customer waits at most PT168H, a week".to_owned();
            wrong(&format!("/customer/{index}/after"), message, "a shorter one, or several steps");
        }
    }
    let decides = then.result.is_some()
        || then.result_reason.is_some()
        || then.response_data.is_some()
        || !then.customer.is_empty()
        || !then.webhooks.is_empty();
    if then.fault.is_some_and(|fault| !fault.lets_serve()) && decides {
        let message =
            "a call that meets this fault is not served, so nothing else is decided on it".to_owned();
        wrong("/fault", message, "lose_answer, delay, drip, cut, truncate and wrong_length let it be served");
    }
    if then.force && then.result.is_none() {
        wrong("/force", "there is no result to force".to_owned(), "add result, or take force out");
    }
}
