//! Rules with everything in them.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use jiff::SignedDuration;
use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{
    CallKind, CustomerAct, CustomerScript, CustomerStep, Evolution, Fault, Misbehaviour, SetEvolution,
    WebhookWish,
};
use klarna_schemas::simulator::rules::{
    Chance, Condition, Considered, Explain, Explanation, Rule, RuleView, RulesFile, RulesFileView, RulesView,
    Tests, Then, When,
};
use serde_json::json;

use super::{Filled, filled, some};

pub(super) fn script() -> CustomerScript {
    let step = |act| CustomerStep {
        payment_option_id: some("option"),
        ..CustomerStep::after(act, SignedDuration::from_secs(5))
    };
    CustomerScript(CustomerAct::ALL.map(step).to_vec())
}

fn then() -> Then {
    Then {
        result: Some(AuthorizationResult::StepUpRequired),
        result_reason: some("a reason"),
        response_data: some("{}"),
        force: true,
        customer: script(),
        fault: Some(Fault::LoseAnswer),
        webhooks: vec![webhook()],
    }
}

pub(super) fn webhook() -> WebhookWish {
    let patch = json!({ "state": "COMPLETED" });
    WebhookWish {
        event_type: "payment.request.*".to_owned(),
        misbehaviour: Misbehaviour::ALL.to_vec(),
        payload_patch: patch.as_object().cloned(),
        metadata_patch: patch.as_object().cloned(),
        delay: Some(SignedDuration::from_secs(5)),
        times: Some(2),
    }
}

pub(super) fn rule() -> Rule {
    let tests = Tests {
        equals: Some(json!("SEK")),
        one_of: Some(vec![json!("SEK")]),
        min: Some(1.5),
        max: Some(2.5),
        starts_with: some("S"),
        ends_with: some("K"),
        contains: some("E"),
        matches: some("^SEK$"),
        present: Some(true),
    };
    let tests = Condition::Tests(Box::new(tests));
    Rule {
        name: "a rule".to_owned(),
        when: When {
            operation: "authorize".to_owned(),
            on: CallKind::Initial,
            account: some("krn:partner:*"),
            headers: IndexMap::from([("accept".to_owned(), tests.clone())]),
            body: IndexMap::from([
                ("$.currency".to_owned(), tests),
                ("$.payment".to_owned(), Condition::Equals(json!(1))),
            ]),
        },
        times: Some(2),
        then: Some(then()),
        one_of: vec![Chance { weight: 3, then: then() }],
    }
}

pub(super) fn filled_in() -> Vec<Filled> {
    let file = RulesFile {
        schema: some("rules-file.schema.json"),
        evolution: Evolution::ALL.into(),
        ..RulesFile::of(vec![rule()])
    };
    let explain = Explain {
        operation: "authorize".to_owned(),
        headers: BTreeMap::from([("accept".to_owned(), "*/*".to_owned())]),
        body: json!({}),
    };
    let explanation = Explanation {
        on: CallKind::Final,
        decided_by: "queued".to_owned(),
        then: then(),
        refused: Some("no".to_owned()),
        considered: vec![Considered { by: "queued".to_owned(), fits: true, why: "it fits".to_owned() }],
    };
    let view = || vec![RuleView { name: "a rule".to_owned(), served: 1, left: Some(1) }];
    let rules_file_view =
        RulesFileView { file: some("rules.yaml"), revision: 2, rules: 3, mistake: some("no TOML") };
    vec![
        filled("simulator/rules-file", &file),
        filled("simulator/customer-script", &script()),
        filled("simulator/set-evolution", &SetEvolution { kinds: Evolution::ALL.into() }),
        filled("simulator/explain", &explain),
        filled("simulator/explanation", &explanation),
        filled("simulator/rules-view", &RulesView { rules: view(), file: view() }),
        filled("simulator/rules-file-view", &rules_file_view),
    ]
}
