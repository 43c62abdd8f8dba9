//! What of the tester's hand on Klarna each step moves, in the words of the simulator's schemas. A test
//! holds this against the schemas and the features, so that nothing that a tester can ask of Klarna is
//! out of a feature's reach.

use klarna_schemas::simulator::control::{CustomerAct, Misbehaviour};
use serde::Serialize;
use serde_json::Value;

use super::definition::{Definition, StepInput};
use super::words::{ACTS, DECISIONS, FORGERIES, MANNERS, ODDITIES, Table, evolutions, fault, meaning};
use crate::world::Failure;

/// What a tester moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hand {
    /// What Klarna decides.
    Outcome,
    /// What the customer does.
    Act,
    /// What befalls a call of the acquirer.
    Fault,
    /// How Klarna has evolved.
    Evolution,
    /// How a webhook misbehaves.
    Webhook,
    /// How Klarna's clock is moved.
    Clock,
    /// By what an entry of Klarna's journal is looked for.
    Check,
}

/// One thing that a step moves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reached {
    /// What sort of thing.
    pub hand: Hand,
    /// Which, as the simulator's schemas call it.
    pub word: String,
}

type Moves = fn(&StepInput) -> Result<Vec<Reached>, Failure>;

/// What each step moves, by its expression; the others move nothing.
const MOVES: &[(&str, Moves)] = &[
    ("Klarna will {decision}( the payment)", |step| of_table(Hand::Outcome, DECISIONS, step.text(0))),
    ("Klarna will {decision}( the payment), with this Klarna Network Response Data:", |step| {
        of_table(Hand::Outcome, DECISIONS, step.text(0))
    }),
    ("at the final authorization, Klarna will {decision}", |step| {
        of_table(Hand::Outcome, DECISIONS, step.text(0))
    }),
    ("Klarna decides by these rules:", in_yaml),
    ("Klarna has evolved by {evolution}", |step| {
        Ok(evolutions(step.text(0))?.into_iter().filter_map(|kind| named(Hand::Evolution, &kind)).collect())
    }),
    ("the customer will {act} {duration} after the step-up", |step| of_table(Hand::Act, ACTS, step.text(0))),
    ("the customer will do this after the step-up:", in_yaml),
    ("the customer approves/completes the purchase( on Klarna)", |_| Ok(act(CustomerAct::Approve))),
    ("the customer refuses the purchase", |_| Ok(act(CustomerAct::Refuse))),
    ("the customer leaves the purchase undecided", |_| Ok(act(CustomerAct::Leave))),
    ("the customer comes back to the purchase", |_| Ok(act(CustomerAct::ComeBack))),
    ("the customer enters a wrong code", |_| Ok(act(CustomerAct::WrongCode))),
    ("the customer chooses another payment option", |_| Ok(act(CustomerAct::ChooseOption))),
    ("the customer looks at the purchase and changes nothing", |_| Ok(act(CustomerAct::ChangeNothing))),
    ("Klarna will meet the {call} authorize with {trouble}", |step| trouble(step.text(1))),
    ("Klarna will meet every {call} authorize with {trouble}", |step| trouble(step.text(1))),
    ("Klarna will meet the {followup} with {trouble}", |step| trouble(step.text(1))),
    ("Klarna will meet calls with this fault:", in_yaml),
    ("Klarna sends the {event} webhook again", |_| Ok(webhook(Misbehaviour::Duplicate))),
    ("Klarna holds the {event} webhook back", |_| Ok(webhook(Misbehaviour::Held))),
    ("Klarna is about to send the {event} webhook {manner}", |step| {
        of_table(Hand::Webhook, MANNERS, step.text(1))
    }),
    ("Klarna is about to send the {event} webhook {duration} late", |_| Ok(webhook(Misbehaviour::Delayed))),
    ("Klarna is about to send the {event} webhook again after {duration}", |_| {
        Ok(webhook(Misbehaviour::ReplayedLate))
    }),
    ("somebody sends the acquirer a {event} webhook {forgery}", |step| {
        of_table(Hand::Webhook, FORGERIES, step.text(1))
    }),
    ("Klarna sends a completed webhook {oddity}", |step| {
        let word = meaning(ODDITIES, step.text(0))?.misbehaviour();
        Ok(word.map(webhook).unwrap_or_default())
    }),
    ("Klarna's clock goes {duration} forward", |_| Ok(vec![plain(Hand::Clock, "advance")])),
    ("Klarna's clock is set to {time}", |_| Ok(vec![plain(Hand::Clock, "set")])),
    ("Klarna's clock stands still", |_| Ok(vec![plain(Hand::Clock, "freeze")])),
    ("Klarna's clock runs again", |_| Ok(vec![plain(Hand::Clock, "freeze")])),
    ("Klarna's journal shows an entry with:", conditions),
    ("Klarna's journal shows no entry with:", conditions),
    ("Klarna's journal shows at least {int} entry/entries of {operation}", |_| Ok(checks(&[]))),
    ("Klarna's journal shows an entry of {operation} with the header {header}", |_| Ok(checks(&["header"]))),
    ("Klarna's journal shows an entry of {operation} whose request has:", |_| Ok(checks(&["request_json"]))),
    ("Klarna's journal shows an entry of {operation} whose answer has:", |_| Ok(checks(&["response_json"]))),
];

/// What a step moves, with these parameters.
///
/// # Errors
/// When its parameters or its doc string cannot be understood.
pub fn reached(definition: &Definition, step: &StepInput) -> Result<Vec<Reached>, Failure> {
    let moves = MOVES.iter().find(|(expression, _)| *expression == definition.expression);
    moves.map_or_else(|| Ok(Vec::new()), |(_, moves)| moves(step))
}

fn plain(hand: Hand, word: &str) -> Reached {
    Reached { hand, word: word.to_owned() }
}

/// A value as the schemas call it.
fn named(hand: Hand, value: &impl Serialize) -> Option<Reached> {
    let value = serde_json::to_value(value).ok()?;
    let word = if hand == Hand::Fault { value.get("kind")? } else { &value };
    Some(plain(hand, word.as_str()?))
}

fn of_table<T: Clone + Serialize>(
    hand: Hand,
    table: &Table<T>,
    words: &str,
) -> Result<Vec<Reached>, Failure> {
    Ok(named(hand, &meaning(table, words)?).into_iter().collect())
}

fn act(act: CustomerAct) -> Vec<Reached> {
    named(Hand::Act, &act).into_iter().collect()
}

fn webhook(word: Misbehaviour) -> Vec<Reached> {
    named(Hand::Webhook, &word).into_iter().collect()
}

fn trouble(words: &str) -> Result<Vec<Reached>, Failure> {
    Ok(named(Hand::Fault, &fault(words)?).into_iter().collect())
}

fn conditions(step: &StepInput) -> Result<Vec<Reached>, Failure> {
    let conditions = yaml(step)?;
    let names = conditions.as_object().into_iter().flatten();
    Ok(names.map(|(name, _)| plain(Hand::Check, name)).collect())
}

fn checks(names: &[&str]) -> Vec<Reached> {
    let names = names.iter().chain(&["operation"]);
    names.map(|name| plain(Hand::Check, name)).collect()
}

fn yaml(step: &StepInput) -> Result<Value, Failure> {
    let text = step.doc_string.as_deref().unwrap_or_default();
    serde_saphyr::from_str(text).map_err(|error| Failure::misused(&format!("this is no YAML: {error}")))
}

/// What stands in a doc string of rules, of a customer's script or of a fault.
fn in_yaml(step: &StepInput) -> Result<Vec<Reached>, Failure> {
    let mut found = Vec::new();
    gather(&yaml(step)?, &mut found);
    Ok(found)
}

fn gather(value: &Value, found: &mut Vec<Reached>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Value::Object(members) => {
            for (name, value) in members {
                let hand = match name.as_str() {
                    "result" => Hand::Outcome,
                    "act" => Hand::Act,
                    "kind" => Hand::Fault,
                    "evolution" => Hand::Evolution,
                    "misbehaviour" => Hand::Webhook,
                    // What calls are like that a rule is for; no name in it is one of these.
                    "when" => continue,
                    _ => {
                        gather(value, found);
                        continue;
                    }
                };
                let words = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                found.extend(words.iter().filter_map(|word| named_word(hand, word)));
            }
        }
        _ => {}
    }
}

fn named_word(hand: Hand, word: &Value) -> Option<Reached> {
    Some(plain(hand, word.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::{Argument, Found, all, find};

    #[test]
    fn every_example_moves_something_where_its_step_does() {
        for (expression, _) in MOVES {
            let definition = all().find(|step| step.expression == *expression).unwrap();
            let Found::One { captures, .. } = find(definition.keyword, definition.example) else {
                panic!("{definition:?}")
            };
            let doc_string = match definition.argument {
                Argument::DocString { example, .. } => Some(example.to_owned()),
                Argument::None => None,
            };
            let moved = reached(definition, &StepInput { captures, doc_string }).unwrap();
            assert!(!moved.is_empty() || expression.contains("{oddity}"), "{definition:?}");
        }
    }

    #[test]
    fn every_expression_here_is_a_step() {
        for (index, (expression, _)) in MOVES.iter().enumerate() {
            assert!(all().any(|step| step.expression == *expression), "{expression}");
            assert!(MOVES.iter().skip(index + 1).all(|(other, _)| other != expression), "{expression} twice");
        }
    }
}
