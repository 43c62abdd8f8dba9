//! What can be wrong with rules that can be read: names of nothing, what never fits, what is never
//! reached.

use std::collections::HashMap;

use klarna_schemas::nearest::nearest;
use klarna_schemas::simulator::control::CallKind;
use klarna_schemas::simulator::rules::Rule;

use super::conditions::{Compiled, LooksAt, Unusable};
use super::doings::check_doings;
use super::known_fields;
use super::mistake::{Mistake, part};
use super::possible_values::Possible;
use super::rules::{Rules, UsableRule};
use super::shadowing;
use crate::pattern::fits;

/// The operation whose outcome rules decide.
pub(super) const AUTHORIZE: &str = "authorize";

/// An operation that rules may name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownOperation {
    /// The journal's name.
    pub(crate) id: &'static str,
    /// The schema of its body, if it has one.
    pub(crate) body: Option<&'static str>,
    /// Whether its calls belong to a Partner account: rules hold in sandboxes only.
    pub(crate) is_of_a_partner: bool,
}

/// Makes rules usable, or says all that is wrong with them.
pub(crate) fn check(rules: &[Rule], operations: &[KnownOperation]) -> Result<Rules, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut usable: Vec<UsableRule> = Vec::new();
    let mut names: HashMap<&str, usize> = HashMap::new();
    for (index, rule) in rules.iter().enumerate() {
        let at = format!("/rules/{index}");
        if let Some(first) = names.insert(&rule.name, index) {
            let message = format!("rule {} has this name, too", first + 1);
            mistakes.push(Mistake::new(
                format!("{at}/name"),
                message,
                "the journal tells rules apart by name",
            ));
        }
        let before = mistakes.len();
        check_operation(rule, &at, operations, &mut mistakes);
        let conditions = compile(rule, &at, operations, &mut mistakes);
        check_doings(rule, &at, &mut mistakes);
        let candidate = UsableRule { rule: rule.clone(), conditions };
        if mistakes.len() > before {
            continue;
        }
        let shadowers = shadowing::shadowers(&usable, &candidate);
        if !shadowers.is_empty() {
            mistakes.push(never_reached(at, &shadowers));
            continue;
        }
        usable.push(candidate);
    }
    if mistakes.is_empty() { Ok(Rules::new(usable)) } else { Err(mistakes) }
}

/// Of a rule that those before it leave nothing to.
fn never_reached(at: String, shadowers: &[&str]) -> Mistake {
    let names: Vec<String> = shadowers.iter().map(|name| format!("{name:?}")).collect();
    let (fit, hint) = match names.as_slice() {
        [_] => ("fits every call", "move it up, narrow the other one, or give that one `times`"),
        _ => ("together fit every call", "move it up, or narrow one of the others"),
    };
    let message =
        format!("this rule is never reached: {} before it {fit} that this one fits", names.join(" and "));
    Mistake::new(at, message, hint)
}

/// What is wrong with the name of an operation, or a pattern of such: no call of a sandbox fits it.
pub(crate) fn check_name(pattern: &str, at: &str, operations: &[KnownOperation]) -> Option<Mistake> {
    let here: Vec<&str> =
        operations.iter().filter(|known| known.is_of_a_partner).map(|known| known.id).collect();
    if here.iter().any(|known| fits(pattern, known)) {
        return None;
    }
    let elsewhere = operations.iter().any(|known| fits(pattern, known.id));
    let message = if elsewhere {
        format!("calls to {pattern} have no Partner account in their path, and rules hold in sandboxes")
    } else {
        format!("there is no operation {pattern:?}, so this rule can never match")
    };
    let hint = match nearest(pattern.trim_end_matches('*'), &here) {
        _ if elsewhere => "arm a fault there: POST /_simulator/v1/accounts/{acquirer}/faults".to_owned(),
        Some(meant) => format!("did you mean {meant}? Known: {}", here.join(", ")),
        None => format!("known: {}; a * at the end matches any rest", here.join(", ")),
    };
    Some(Mistake::new(at, message, hint))
}

/// Names of nothing, and which authorize of an operation that is none.
fn check_operation(rule: &Rule, at: &str, operations: &[KnownOperation], mistakes: &mut Vec<Mistake>) {
    let when = &rule.when;
    mistakes.extend(check_name(&when.operation, &format!("{at}/when/operation"), operations));
    if when.on != CallKind::Any && !fits(&when.operation, AUTHORIZE) {
        mistakes.push(Mistake::new(
            format!("{at}/when/on"),
            format!("only an authorize is initial or final, and this rule is for {}", when.operation),
            "take `on` out",
        ));
    }
    if rule.times == Some(0) {
        mistakes.push(Mistake::new(
            format!("{at}/times"),
            "a rule that serves no call can never match",
            "at least 1, or leave it out for all",
        ));
    }
}

/// Compiles the conditions, and looks for those that no call can meet.
fn compile(
    rule: &Rule,
    at: &str,
    operations: &[KnownOperation],
    mistakes: &mut Vec<Mistake>,
) -> Vec<Compiled> {
    let mut compiled: Vec<Compiled> = Vec::new();
    let when = &rule.when;
    let called: Vec<&KnownOperation> =
        operations.iter().filter(|known| fits(&when.operation, known.id)).collect();
    let headers = when.headers.iter().map(|(name, test)| ("headers", name, Compiled::header(name, test)));
    let body = when.body.iter().map(|(place, test)| ("body", place, Compiled::body(place, test)));
    for (kind, name, condition) in headers.chain(body) {
        let checked = condition.and_then(|condition| {
            check_possible(&condition, &called)?;
            match compiled.iter().find_map(|before| before.contradiction(&condition)) {
                Some(why) => Err(why),
                None => Ok(condition),
            }
        });
        match checked {
            Ok(condition) => compiled.push(condition),
            Err(Unusable { message, hint }) => {
                let place = format!("{at}/when/{kind}/{}", part(name));
                mistakes.push(Mistake::new(place, message, hint));
            }
        }
    }
    compiled
}

/// Refuses a condition on a field that there is not, or that never is so.
fn check_possible(condition: &Compiled, called: &[&KnownOperation]) -> Result<(), Unusable> {
    match &condition.looks_at {
        LooksAt::Header(_) => Possible::of_header().check(condition),
        LooksAt::Body(place) => {
            let schemas: Vec<&str> = called.iter().filter_map(|known| known.body).collect();
            let field = known_fields::look_up(place, &schemas)?;
            // Other calls meet their rules before their bodies are judged.
            match called {
                [known] if known.id == AUTHORIZE => Possible::of_field(&field).check(condition),
                _ => Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use klarna_schemas::simulator::rules::RulesFile;
    use serde_json::{Value, json};

    use super::*;

    const OPERATIONS: &[KnownOperation] = &[
        KnownOperation { id: AUTHORIZE, body: Some("klarna/authorize-request"), is_of_a_partner: true },
        KnownOperation { id: "payment_request.read", body: None, is_of_a_partner: true },
        KnownOperation { id: "webhook.create", body: Some("klarna/create-webhook"), is_of_a_partner: false },
    ];

    fn mistakes(rules: &Value) -> Vec<Mistake> {
        let file: RulesFile = serde_json::from_value(json!({ "version": 1, "rules": rules })).unwrap();
        check(&file.rules, OPERATIONS).err().unwrap_or_default()
    }

    /// Calls of other operations meet their rules before anybody has judged their bodies.
    #[test]
    fn what_klarna_would_refuse_is_ruled_out_for_authorize_alone() {
        let rule = |operation: &str| {
            let when = json!({"operation": operation, "body": {"currency": 752}});
            json!([{"name": "r", "when": when, "then": {"fault": {"kind": "reset"}}}])
        };
        assert_eq!(mistakes(&rule("authorize")).len(), 1);
        assert_eq!(mistakes(&rule("*")), []);
    }

    #[test]
    fn each_mistake_is_found_at_its_place() {
        let declined = json!({"result": "DECLINED"});
        for (rule, at, says) in [
            (
                json!({"when": {"operation": "autorize"}, "then": declined}),
                "/when/operation",
                "can never match",
            ),
            (
                json!({"when": {"operation": "webhook.*"}, "then": declined}),
                "/when/operation",
                "no Partner account",
            ),
            (
                json!({"when": {"operation": "payment_request.read", "on": "final"}, "then": {}}),
                "/when/on",
                "only an authorize",
            ),
            (
                json!({"when": {"body": {"$.curency": "SEK"}}, "then": declined}),
                "/when/body/$.curency",
                "no field",
            ),
            (json!({"when": {"body": {"$[": 1}}, "then": declined}), "/when/body/$[", "JSONPath"),
            (json!({"when": {"headers": {"a b": 1}}, "then": declined}), "/when/headers/a b", "no name"),
            (json!({"times": 0, "then": declined}), "/times", "can never match"),
            (json!({}), "", "does nothing"),
            (json!({"then": {}}), "/then", "does nothing"),
            (json!({"then": declined, "one_of": [{"weight": 1, "then": declined}]}), "/one_of", "either"),
            (json!({"one_of": [{"weight": 0, "then": declined}]}), "/one_of/0/weight", "never happens"),
            (
                json!({"when": {"on": "final"}, "then": {"result": "STEP_UP_REQUIRED"}}),
                "/then/result",
                "can never match",
            ),
            (json!({"then": {"result": "MAYBE"}}), "/then/result", "no result MAYBE"),
            (
                json!({"when": {"operation": "payment_request.read"}, "then": declined}),
                "/then/result",
                "is of an authorize",
            ),
            (
                json!({"then": {"result": "APPROVED", "customer": {"act": "approve"}}}),
                "/then/customer",
                "no step-up",
            ),
            (
                json!({"then": {"customer": [{"act": "approve", "after": "-5s"}]}}),
                "/then/customer/0/after",
                "in the past",
            ),
            (
                json!({"then": {"customer": [{"act": "approve"}, {"act": "refuse"}]}}),
                "/then/customer/1/act",
                "has approved before",
            ),
            (
                json!({"when": {"headers": {"X-Try": 1}}, "then": declined}),
                "/when/headers/X-Try",
                "can never match",
            ),
            (
                json!({"when": {"body": {"currency": 752}}, "then": declined}),
                "/when/body/currency",
                "can never match",
            ),
            (json!({"then": {"force": true}}), "/then/force", "no result"),
            (
                json!({"then": {"result": "DECLINED", "fault": {"kind": "stall"}}}),
                "/then/fault",
                "not served",
            ),
        ] {
            let mut rule = rule;
            rule["name"] = json!("r");
            let found = mistakes(&json!([rule]));
            let wanted = format!("/rules/0{at}");
            assert!(
                found.iter().any(|mistake| mistake.at == wanted && mistake.message.contains(says)),
                "{rule}: {found:#?}"
            );
        }
    }

    #[test]
    fn what_several_rules_shadow_together_is_never_reached() {
        let declined = || json!({"result": "DECLINED"});
        let rule = |name: &str, when: Value| json!({"name": name, "when": when, "then": declined()});
        let currency = |test: Value| json!({"body": {"currency": test}});
        let found =
            |rules: Value| mistakes(&rules).into_iter().map(|mistake| mistake.message).collect::<String>();
        let halves = json!([
            rule("a", json!({"on": "initial"})),
            rule("b", json!({"on": "final"})),
            rule("c", json!({}))
        ]);
        assert!(found(halves).contains("\"a\" and \"b\" before it together fit every call"));
        let two = [rule("a", currency(json!("SEK"))), rule("b", currency(json!("EUR")))];
        let listed = |currencies: Value| {
            found(json!([two[0], two[1], rule("c", currency(json!({"one_of": currencies})))]))
        };
        assert!(listed(json!(["EUR", "SEK"])).contains("never reached"));
        assert_eq!(listed(json!(["EUR", "SEK", "NOK"])), "");
    }

    #[test]
    fn one_place_has_one_condition() {
        let rule = |when: Value| json!([{"name": "r", "when": when, "then": {"result": "DECLINED"}}]);
        let twice = mistakes(&rule(json!({"body": {"currency": "SEK", "$.currency": {"starts_with": "S"}}})));
        assert!(twice[0].message.contains("is the place that currency names, too"), "{twice:?}");
        assert_eq!(twice[0].at, "/rules/0/when/body/$.currency");
        let headers = mistakes(&rule(json!({"headers": {"X-A": "1", "x-a": "2"}})));
        assert!(headers[0].message.contains("names, too"), "{headers:?}");
        let within = mistakes(&rule(json!({"body": {
            "step_up_config": {"present": false},
            "step_up_config.payment_request_reference": "r"
        }})));
        assert!(within[0].message.contains("is within step_up_config"), "{within:?}");
    }

    #[test]
    fn what_another_rule_shadows_is_never_reached() {
        let rule = |name: &str, when: Value, then: Value| json!({"name": name, "when": when, "then": then});
        let declined = || json!({"result": "DECLINED"});
        let sek = || json!({"body": {"currency": "SEK"}});
        let shadowed = |first: Value, second: Value| {
            mistakes(&json!([first, second])).iter().any(|mistake| mistake.message.contains("never reached"))
        };
        assert!(shadowed(rule("a", json!({}), declined()), rule("b", sek(), declined())));
        assert!(shadowed(
            rule("a", sek(), declined()),
            rule("b", json!({"body": {"$.currency": "SEK"}, "on": "final"}), declined())
        ));
        assert!(!shadowed(rule("a", sek(), declined()), rule("b", json!({}), declined())));
        assert!(!shadowed(
            rule("a", sek(), declined()),
            rule("b", json!({"body": {"currency": "EUR"}}), declined())
        ));
        assert!(!shadowed(rule("a", json!({"on": "initial"}), declined()), rule("b", json!({}), declined())));
        // What cannot be stepped up goes on to the next.
        assert!(!shadowed(
            rule("a", json!({}), json!({"result": "STEP_UP_REQUIRED"})),
            rule("b", json!({}), declined())
        ));
        // But what asks for one, too, has nothing left either.
        let step_up = || json!({"result": "STEP_UP_REQUIRED"});
        assert!(shadowed(rule("a", json!({}), step_up()), rule("b", sek(), step_up())));
        assert!(!shadowed(
            rule("a", json!({}), step_up()),
            rule("b", sek(), json!({"customer": {"act": "approve"}}))
        ));
        // What lies within a range, a list or a beginning.
        let amount = |test: Value| json!({"body": {"request_payment_transaction.amount": test}});
        assert!(shadowed(
            rule("a", amount(json!({"min": 100})), declined()),
            rule("b", amount(json!({"min": 200})), declined())
        ));
        assert!(!shadowed(
            rule("a", amount(json!({"min": 200})), declined()),
            rule("b", amount(json!({"min": 100})), declined())
        ));
        let mut once = rule("a", json!({}), declined());
        once["times"] = json!(1);
        assert!(!shadowed(once, rule("b", json!({}), declined())));
        assert!(
            !mistakes(&json!([rule("a", sek(), declined()), rule("a", json!({}), declined())])).is_empty()
        );
    }
}
