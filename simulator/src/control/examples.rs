//! A body for each operation that takes one, as docs/control-api.md shows it: for the documents, the hints and
//! the help of the command.

/// By operation. In the place of ids that only a run has stand ids of their form.
const EXAMPLES: &[(&str, &str)] = &[
    ("sandbox.put", r#"{"seed": 7, "clock": {"freeze": true}}"#),
    ("snapshot.take", r#"{"name": "before"}"#),
    ("clock.set", r#"{"advance": "PT10M"}"#),
    ("intent.put", r#"{"amount": 45900, "currency": "SEK", "network_data": "{ \"a\": 1 }"}"#),
    ("session_token.mint", r#"{"state": "unused", "length": 8193}"#),
    ("presentation.put", r#"{"instruction": "PRESELECT_KLARNA"}"#),
    (
        "outcomes.queue",
        r#"[{"result": "DECLINED", "result_reason": "no"}, {"on": "initial", "result": "STEP_UP_REQUIRED", "customer": [{"act": "open"}, {"act": "approve", "after": "30s"}]}]"#,
    ),
    (
        "rules.put",
        r#"{"rules": [{"name": "no euro", "when": {"body": {"$.currency": "EUR"}}, "then": {"result": "DECLINED"}}]}"#,
    ),
    (
        "explain",
        r#"{"body": {"currency": "EUR", "request_payment_transaction": {"amount": 100, "payment_transaction_reference": "t-1"}}}"#,
    ),
    ("evolution.put", r#"{"kinds": ["extra_fields", "another_2xx"]}"#),
    (
        "customer.act",
        r#"{"payment_request_id": "krn:payment:eu1:request:552603c0-fe8b-4ab1-aacb-41d55fafbdb4", "act": "approve"}"#,
    ),
    (
        "payment_request.end",
        r#"{"payment_request_id": "krn:payment:eu1:request:552603c0-fe8b-4ab1-aacb-41d55fafbdb4", "act": "cancel"}"#,
    ),
    ("transaction.charge_back", r#"{"amount": 100}"#),
    ("fault.arm", r#"{"operation": "authorize", "on": "final", "kind": "lose_answer"}"#),
    ("account.fault.arm", r#"{"operation": "webhook.create", "kind": "status", "status": 500}"#),
    ("account.forget", r#"{"what": "both"}"#),
    (
        "webhook.send",
        r#"{"payment_request_id": "krn:payment:eu1:request:552603c0-fe8b-4ab1-aacb-41d55fafbdb4", "event_type": "payment.request.state-change.completed", "misbehaviour": ["duplicate"], "when": "next"}"#,
    ),
    ("webhooks.release", "{}"),
];

/// A body that the operation takes.
pub(crate) fn example(operation: &str) -> Option<&'static str> {
    EXAMPLES.iter().find(|(id, _)| *id == operation).map(|(_, body)| *body)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use klarna_schemas::catalogue;
    use serde_json::Value;

    use super::*;
    use crate::control::operations::CONTROL;

    #[test]
    fn each_body_has_one_that_its_schema_takes() {
        for (operation, schema) in CONTROL.iter().filter_map(|one| Some((one.id, one.body?))) {
            let example = example(operation).unwrap_or_else(|| panic!("{operation} has none"));
            let body: Value = serde_json::from_str(example).unwrap();
            assert_eq!(catalogue::check(schema, &body).unwrap(), [], "{operation}");
        }
        let shown: BTreeSet<_> = EXAMPLES.iter().map(|(id, _)| *id).collect();
        let taken: BTreeSet<_> = CONTROL.iter().filter(|one| one.body.is_some()).map(|one| one.id).collect();
        assert_eq!(shown, taken);
        assert_eq!(shown.len(), EXAMPLES.len(), "none stands twice");
    }

    #[test]
    fn the_page_shows_the_same() {
        let page = include_str!("../../../docs/control-api.md");
        // What bash makes of the line; ids stand there as variables.
        let page = page.replace("\\\"", "\"");
        let id = "krn:payment:eu1:request:552603c0-fe8b-4ab1-aacb-41d55fafbdb4";
        for (operation, example) in EXAMPLES {
            let section = page.split(&format!("### {operation}\n")).nth(1).unwrap();
            let section = section.split("\n### ").next().unwrap();
            let shown = example.replace("\\\"", "\"").replace(id, "$request");
            assert!(section.contains(&shown), "{operation}: {shown}\n{section}");
        }
    }
}
