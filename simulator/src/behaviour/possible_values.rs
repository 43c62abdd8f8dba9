//! Tests that no call can hold: what Klarna refuses never comes as far as rules.

use std::collections::BTreeSet;

use klarna_schemas::catalogue::reports;
use klarna_schemas::simulator::rules::Tests;
use serde_json::Value;

use super::conditions::{Compiled, LooksAt, Unusable, shown};
use super::known_fields::{Field, Node};

/// A kind of value, as schemas name it and as readers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Whole,
    Number,
    Text,
    Truth,
    List,
    Object,
    Null,
}

/// What can stand at a place.
#[derive(Debug, Default)]
pub(super) struct Possible {
    /// `None` for any.
    kinds: Option<BTreeSet<Kind>>,
    least: Option<f64>,
    most: Option<f64>,
    is_always_there: bool,
}

impl Possible {
    /// What the value of a header can be.
    pub(super) fn of_header() -> Self {
        Self { kinds: Some(BTreeSet::from([Kind::Text])), ..Self::default() }
    }

    /// What a schema lets stand in a field.
    pub(super) fn of_field(field: &Field) -> Self {
        let nodes = &field.nodes;
        let kinds = nodes.iter().map(kinds_of).collect::<Option<Vec<_>>>();
        let kinds =
            kinds.filter(|kinds| !kinds.is_empty()).map(|kinds| kinds.into_iter().flatten().collect());
        let bounds = |keyword| nodes.iter().map(|node| bound(node, keyword)).collect::<Option<Vec<f64>>>();
        let least = bounds("minimum").and_then(|bounds| bounds.into_iter().reduce(f64::min));
        let most = bounds("maximum").and_then(|bounds| bounds.into_iter().reduce(f64::max));
        Self { kinds, least, most, is_always_there: field.is_always_there }
    }

    /// Refuses a condition that nothing can meet which may stand there.
    pub(super) fn check(&self, condition: &Compiled) -> Result<(), Unusable> {
        let place = match &condition.looks_at {
            LooksAt::Header(name) => format!("header {name}"),
            LooksAt::Body(place) => place.written().to_owned(),
        };
        let tests = &condition.tests;
        let never = |why: &str, hint: &str| {
            Err(Unusable::new(format!("{place} {why}, so this rule can never match"), hint))
        };
        if tests.present == Some(false) {
            return if self.is_always_there {
                never("is in every call that Klarna does not refuse", "take the condition out")
            } else {
                Ok(())
            };
        }
        if let Some(values) = condition.only_values() {
            if values.iter().any(|value| self.can_be(value)) {
                return Ok(());
            }
            let value = values.first().map(|value| shown(value)).unwrap_or_default();
            return never(&format!("is {}, never {value}", self.in_words()), self.meant(&values));
        }
        if asks_for_number(tests) && !self.allows(|kind| matches!(kind, Kind::Whole | Kind::Number)) {
            return never(
                &format!("is {}, and min and max are for numbers", self.in_words()),
                "see docs/rules.md",
            );
        }
        if asks_for_text(tests) && !self.allows(|kind| kind == Kind::Text) {
            let why = format!("is {}, and these tests are for text", self.in_words());
            return never(&why, "numbers have equals, one_of, min and max");
        }
        if asks_for_number(tests) && !self.has_number_between(tests.min, tests.max) {
            return never(&format!("is {}, and none is within these bounds", self.in_words()), "widen them");
        }
        Ok(())
    }

    fn allows(&self, is_meant: impl Fn(Kind) -> bool) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.iter().copied().any(is_meant))
    }

    fn can_be(&self, value: &Value) -> bool {
        let within = value.as_f64().is_none_or(|number| {
            self.least.is_none_or(|least| number >= least) && self.most.is_none_or(|most| number <= most)
        });
        within && self.allows(|kind| kind.takes(value))
    }

    /// Whether there is a number that may stand there between two bounds.
    fn has_number_between(&self, min: Option<f64>, max: Option<f64>) -> bool {
        let least = [min, self.least].into_iter().flatten().reduce(f64::max).unwrap_or(f64::NEG_INFINITY);
        let most = [max, self.most].into_iter().flatten().reduce(f64::min).unwrap_or(f64::INFINITY);
        // Between whole numbers there is nothing.
        if self.allows(|kind| kind != Kind::Whole) { least <= most } else { least.ceil() <= most.floor() }
    }

    /// What was likely meant by values that cannot be.
    fn meant(&self, values: &[&Value]) -> &'static str {
        let is_text = values.iter().all(|value| value.is_string());
        if is_text && self.kinds.as_ref().is_some_and(|kinds| *kinds == BTreeSet::from([Kind::List])) {
            "to look at the items of the list, add [*] to the place"
        } else if is_text && !self.allows(|kind| kind == Kind::Text) {
            "write it without quotes"
        } else if !is_text && !self.allows(|kind| kind != Kind::Text) {
            "write it in quotes"
        } else {
            "see which values Klarna accepts there"
        }
    }

    fn in_words(&self) -> String {
        let kinds = self.kinds.iter().flatten().map(|kind| kind.name());
        let words = kinds.collect::<Vec<_>>().join(" or ");
        match (self.least, self.most) {
            (Some(least), Some(most)) => format!("{words} from {least} to {most}"),
            (Some(least), None) => format!("{words} of at least {least}"),
            (None, Some(most)) => format!("{words} of at most {most}"),
            (None, None) => words,
        }
    }
}

impl Kind {
    fn of_schema(name: &str) -> Option<Self> {
        Some(match name {
            "integer" => Self::Whole,
            "number" => Self::Number,
            "string" => Self::Text,
            "boolean" => Self::Truth,
            "array" => Self::List,
            "object" => Self::Object,
            "null" => Self::Null,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Whole => "a whole number",
            Self::Number => "a number",
            Self::Text => "text",
            Self::Truth => "true or false",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Null => "null",
        }
    }

    fn takes(self, value: &Value) -> bool {
        match self {
            Self::Whole => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            Self::Number => value.is_number(),
            Self::Text => value.is_string(),
            Self::Truth => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
            Self::Null => value.is_null(),
        }
    }
}

/// The kinds that a schema allows; `None` for any.
fn kinds_of((_, node): &Node) -> Option<BTreeSet<Kind>> {
    let kinds = node.get("type").filter(|_| !reports(node, "type"))?;
    match kinds {
        Value::Array(kinds) => kinds.iter().map(|kind| Kind::of_schema(kind.as_str()?)).collect(),
        kind => Some(BTreeSet::from([Kind::of_schema(kind.as_str()?)?])),
    }
}

fn bound((_, node): &Node, keyword: &str) -> Option<f64> {
    node.get(keyword).filter(|_| !reports(node, keyword))?.as_f64()
}

fn asks_for_number(tests: &Tests) -> bool {
    tests.min.is_some() || tests.max.is_some()
}

fn asks_for_text(tests: &Tests) -> bool {
    tests.starts_with.is_some()
        || tests.ends_with.is_some()
        || tests.contains.is_some()
        || tests.matches.is_some()
}

#[cfg(test)]
mod tests {
    use klarna_schemas::simulator::rules::Condition;
    use serde_json::json;

    use super::super::known_fields::look_up;
    use super::super::places::Place;
    use super::*;

    fn checked(place: &str, condition: &Value) -> Result<(), Unusable> {
        let condition: Condition = serde_json::from_value(condition.clone()).unwrap();
        let field = look_up(&Place::parse(place).unwrap(), &["klarna/authorize-request"]).unwrap();
        Possible::of_field(&field).check(&Compiled::body(place, &condition).unwrap())
    }

    const AMOUNT: &str = "request_payment_transaction.amount";
    const CODES: &str = "request_payment_transaction.payment_program_enablement_codes";

    #[test]
    fn what_klarna_refuses_can_never_match() {
        for (place, condition, says, hint) in [
            (
                AMOUNT,
                json!("9900"),
                "is a whole number from 1 to 2147483647, never \"9900\"",
                "without quotes",
            ),
            (AMOUNT, json!({"one_of": ["1", "2"]}), "never \"1\"", "without quotes"),
            (AMOUNT, json!(0), "never 0", "accepts"),
            (AMOUNT, json!(1.5), "never 1.5", "accepts"),
            (AMOUNT, json!({"max": 0}), "within these bounds", "widen"),
            (AMOUNT, json!({"min": 1.2, "max": 1.8}), "within these bounds", "widen"),
            (AMOUNT, json!({"starts_with": "99"}), "these tests are for text", "min"),
            ("currency", json!(752), "is text, never 752", "in quotes"),
            ("currency", json!({"min": 5}), "min and max are for numbers", ""),
            ("currency", json!({"present": false}), "is in every call", "take"),
            (CODES, json!("A"), "is a list, never \"A\"", "[*]"),
        ] {
            let refused = checked(place, &condition).unwrap_err();
            assert!(refused.message.contains(says), "{place} {condition}: {refused:?}");
            assert!(refused.hint.contains(hint), "{place} {condition}: {refused:?}");
        }
    }

    #[test]
    fn what_may_come_is_allowed() {
        for (place, condition) in [
            (AMOUNT, json!(9900)),
            (AMOUNT, json!(9900.0)),
            (AMOUNT, json!({"one_of": ["1", 2]})),
            (AMOUNT, json!({"min": 0, "max": 1})),
            (AMOUNT, json!({"present": false})),
            ("currency", json!("SEK")),
            ("currency", json!({"starts_with": "S"})),
            ("point_of_transaction.type", json!("ELSEWHERE")),
            (&format!("{CODES}[*]"), json!("A")),
            ("$..email", json!(5)),
            // Whatever is odd in these is reported, and no call is refused for it.
            ("supplementary_purchase_data.ondemand_service.average_amount", json!("459")),
        ] {
            assert_eq!(checked(place, &condition), Ok(()), "{place} {condition}");
        }
    }
}
