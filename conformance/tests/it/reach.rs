//! Whatever a tester can ask of Klarna, a feature can ask, and one does.

use std::collections::{BTreeMap, BTreeSet};

use klarna_conformance::plan::{check, embedded_features};
use klarna_conformance::steps::{self, Found, Hand, PAGING, Reached, StepInput};
use klarna_schemas::simulator::control::JournalQuery;
use klarna_schemas::simulator::journal::{Direction, Ending};
use serde_json::Value;

use crate::suite::root;

/// A part of a schema of the simulator.
fn schema(file: &str, pointer: &str) -> Value {
    let path = root().join("schemas/simulator").join(format!("{file}.schema.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    schema.pointer(pointer).unwrap_or_else(|| panic!("{file} has nothing at {pointer}")).clone()
}

fn words(file: &str, pointer: &str) -> Vec<String> {
    serde_json::from_value(schema(file, pointer)).unwrap()
}

fn members(value: &Value) -> Vec<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

/// What an entry of a journal can be looked for by: every member of a query has a value here, and a new
/// one without does not compile.
fn checks() -> Vec<String> {
    let text = || Some("x".to_owned());
    let time = Some("2040-01-01T00:00:00Z".parse().unwrap());
    let whole = JournalQuery {
        after: Some(1),
        direction: Some(Direction::Inbound),
        operation: text(),
        payment: text(),
        epoch: Some(1),
        header: text(),
        request_json: text(),
        response_json: text(),
        status: Some(200),
        ended: Some(Ending::Answered),
        fault: text(),
        finding: text(),
        since: time,
        until: time,
        limit: Some(1),
        min: Some(1),
        wait_ms: Some(1),
    };
    let named = members(&serde_json::to_value(whole).unwrap());
    assert!(PAGING.iter().all(|paging| named.iter().any(|name| name == paging)), "{named:?}");
    named.into_iter().filter(|name| !PAGING.contains(&name.as_str())).collect()
}

/// All that there is, by the schemas.
fn everything() -> BTreeSet<Reached> {
    let hands = [
        (Hand::Outcome, words("queued-outcomes", "/items/properties/result/enum")),
        (Hand::Act, words("customer-script", "/$defs/act/enum")),
        (Hand::Fault, words("fault", "/properties/kind/enum")),
        (Hand::Evolution, words("set-evolution", "/$defs/kinds/items/enum")),
        (Hand::Webhook, words("webhook-wish", "/$defs/misbehaviour/items/enum")),
        (Hand::Clock, members(&schema("set-clock", "/properties"))),
        (Hand::Check, checks()),
    ];
    let each = hands.into_iter().flat_map(|(hand, words)| {
        assert!(words.len() > 2, "{hand:?} has more than {words:?}");
        words.into_iter().map(move |word| Reached { hand, word })
    });
    each.collect()
}

/// What the features reach, and by which steps.
fn in_the_features() -> BTreeMap<Reached, BTreeSet<&'static str>> {
    let mut reached: BTreeMap<Reached, BTreeSet<&'static str>> = BTreeMap::new();
    let scenarios = check(&embedded_features()).scenarios;
    for step in scenarios.iter().flat_map(|scenario| &scenario.steps) {
        let Found::One { definition, captures } = steps::find(step.keyword, &step.text) else {
            panic!("no step reads {}", step.text);
        };
        let input = StepInput { captures, doc_string: step.doc_string.clone() };
        for one in steps::reached(definition, &input).unwrap() {
            reached.entry(one).or_default().insert(definition.expression);
        }
    }
    reached
}

#[test]
fn a_scenario_uses_each_thing_that_a_tester_can_ask_of_klarna() {
    let everything = everything();
    let reached: BTreeSet<Reached> = in_the_features().into_keys().collect();
    let missing: Vec<_> = everything.difference(&reached).collect();
    assert!(missing.is_empty(), "no scenario in features/ uses {missing:#?}");
    let unknown: Vec<_> = reached.difference(&everything).collect();
    assert!(unknown.is_empty(), "no schema knows {unknown:#?}");
}

/// Rules, scripts and faults in YAML can say it all; whoever wants one thing has words for it.
#[test]
fn each_thing_has_a_step_of_its_own_and_every_check_the_same_one() {
    let mut without = Vec::new();
    for (reached, steps) in in_the_features() {
        let has = if reached.hand == Hand::Check {
            steps.iter().any(|expression| {
                expression.starts_with("Klarna's journal shows") && expression.ends_with("entry with:")
            })
        } else {
            steps.iter().any(|expression| !expression.ends_with(':'))
        };
        if !has {
            without.push((reached, steps));
        }
    }
    assert!(without.is_empty(), "{without:#?}");
}
