//! Whether what meets one condition meets another, whatever the call.

use klarna_schemas::simulator::rules::Tests;

use super::conditions::{Compiled, LooksAt, Unusable};

/// Only that something is there.
const IS_THERE: Tests = Tests {
    present: Some(true),
    equals: None,
    one_of: None,
    min: None,
    max: None,
    starts_with: None,
    ends_with: None,
    contains: None,
    matches: None,
};

impl Compiled {
    /// Whether every call that meets this one meets a wider one, too. Where that cannot be told, as of two
    /// regular expressions, it is taken not to.
    pub(super) fn implies(&self, wider: &Self) -> bool {
        match (&self.looks_at, &wider.looks_at) {
            (LooksAt::Header(name), LooksAt::Header(other)) => name == other && self.is_stricter_than(wider),
            (LooksAt::Body(here), LooksAt::Body(there)) => {
                match (self.tests.present == Some(false), wider.tests.present == Some(false)) {
                    // What is not there has nothing within it.
                    (true, true) => there.is_within(here),
                    (false, false) if wider.tests == IS_THERE => here.is_within(there),
                    (false, false) => there.finds_all_of(here) && self.is_stricter_than(wider),
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// Why no call can meet both this one and another.
    pub(super) fn contradiction(&self, other: &Self) -> Option<Unusable> {
        let (LooksAt::Body(here), LooksAt::Body(there)) = (&self.looks_at, &other.looks_at) else {
            let (LooksAt::Header(here), LooksAt::Header(there)) = (&self.looks_at, &other.looks_at) else {
                return None;
            };
            return (here == there).then(|| twice(here, there));
        };
        if here.finds_all_of(there) && there.finds_all_of(here) {
            return Some(twice(here.written(), there.written()));
        }
        let [missing, found] = match (self.tests.present == Some(false), other.tests.present == Some(false)) {
            (true, false) => [here, there],
            (false, true) => [there, here],
            _ => return None,
        };
        let (missing, found, lies) = (missing.written(), found.written(), found.is_within(missing));
        lies.then(|| {
            let why = format!("nothing can hold this: {found} is within {missing}, which is not to be there");
            Unusable::new(why, "take one of them out")
        })
    }

    /// Whether every value that holds its tests holds those of another.
    fn is_stricter_than(&self, wider: &Self) -> bool {
        if let Some(values) = self.only_values() {
            return wider.tests.present != Some(false)
                && values.into_iter().all(|value| wider.misfit_of(value).is_none());
        }
        let (narrow, wide) = (&self.tests, &wider.tests);
        let Tests { present: _, equals, one_of, min, max, starts_with, ends_with, contains, matches } = wide;
        let absent = |tests: &Tests| tests.present == Some(false);
        absent(narrow) == absent(wide)
            && equals.is_none()
            && one_of.is_none()
            && min.is_none_or(|wide| narrow.min.is_some_and(|narrow| narrow >= wide))
            && max.is_none_or(|wide| narrow.max.is_some_and(|narrow| narrow <= wide))
            && starts_with.as_deref().is_none_or(|wide| begins(narrow, wide))
            && ends_with.as_deref().is_none_or(|wide| ends(narrow, wide))
            && contains.as_deref().is_none_or(|wide| has_in_it(narrow, wide))
            && (matches.is_none() || *matches == narrow.matches)
    }
}

/// Of a place that two conditions look at: the tests of one would be read and those of the other missed.
fn twice(here: &str, there: &str) -> Unusable {
    Unusable::new(
        format!("{there} is the place that {here} names, too"),
        "put all tests of it under one name",
    )
}

fn begins(narrow: &Tests, wide: &str) -> bool {
    narrow.starts_with.as_ref().is_some_and(|narrow| narrow.starts_with(wide))
}

fn ends(narrow: &Tests, wide: &str) -> bool {
    narrow.ends_with.as_ref().is_some_and(|narrow| narrow.ends_with(wide))
}

fn has_in_it(narrow: &Tests, wide: &str) -> bool {
    [&narrow.starts_with, &narrow.ends_with, &narrow.contains]
        .into_iter()
        .flatten()
        .any(|narrow| narrow.contains(wide))
}

#[cfg(test)]
mod tests {
    use klarna_schemas::simulator::rules::Condition;
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::{Value, json};

    use super::*;

    fn body(place: &str, condition: &Value) -> Compiled {
        let condition: Condition = serde_json::from_value(condition.clone()).unwrap();
        Compiled::body(place, &condition).unwrap()
    }

    #[test]
    fn a_narrower_condition_implies_a_wider_one_and_not_the_other_way() {
        for (narrow, wide) in [
            (json!({"min": 200}), json!({"min": 100})),
            (json!({"max": 100}), json!({"max": 200})),
            (json!({"min": 5, "max": 6}), json!({"min": 5})),
            (json!(150), json!({"min": 100, "max": 200})),
            (json!({"one_of": [150, 160]}), json!({"min": 100})),
            (json!("SEK"), json!({"one_of": ["SEK", "EUR"]})),
            (json!({"one_of": ["SEK", "EUR"]}), json!({"one_of": ["EUR", "SEK", "NOK"]})),
            (json!("slow@a.example"), json!({"matches": "^slow.*example$"})),
            (json!({"starts_with": "slowly"}), json!({"starts_with": "slow"})),
            (json!({"ends_with": "@a.example"}), json!({"ends_with": ".example"})),
            (json!({"starts_with": "slowly"}), json!({"contains": "low"})),
            (json!({"ends_with": "slowly"}), json!({"contains": "low"})),
            (json!({"contains": "slow"}), json!({"contains": "low"})),
            (json!({"matches": "^a", "starts_with": "a"}), json!({"matches": "^a"})),
            (json!({"min": 1}), json!({"present": true})),
            (json!("x"), json!({"present": true})),
        ] {
            assert!(body("a", &narrow).implies(&body("a", &wide)), "{narrow} and {wide}");
            assert!(!body("a", &wide).implies(&body("a", &narrow)), "{wide} and {narrow}");
            assert!(!body("a", &narrow).implies(&body("b", &wide)), "elsewhere");
        }
    }

    #[test]
    fn what_is_missing_implies_only_that_more_is_missing() {
        let (missing, there) = (json!({"present": false}), json!({"present": true}));
        assert!(body("a", &missing).implies(&body("a", &missing)));
        assert!(body("a", &missing).implies(&body("a.b", &missing)));
        assert!(!body("a.b", &missing).implies(&body("a", &missing)));
        for other in [there.clone(), json!(1), json!({"min": 1})] {
            assert!(!body("a", &missing).implies(&body("a", &other)), "{other}");
            assert!(!body("a", &other).implies(&body("a", &missing)), "{other}");
        }
        assert!(body("a.b", &json!(1)).implies(&body("a", &there)), "what has something in it is there");
        assert!(!body("a", &json!(1)).implies(&body("a.b", &there)));
        assert!(!body("a.b", &json!(1)).implies(&body("a", &json!(1))));
    }

    #[test]
    fn one_of_several_values_is_enough_for_both() {
        assert!(body("l[0].n", &json!({"min": 5})).implies(&body("l[*].n", &json!({"min": 2}))));
        assert!(!body("l[*].n", &json!({"min": 5})).implies(&body("l[0].n", &json!({"min": 2}))));
        assert!(body("$..n", &json!(5)).implies(&body("$..n", &json!({"min": 2}))));
    }

    fn some_value() -> impl Strategy<Value = Value> {
        select(vec![json!(0), json!(1), json!(2), json!("a"), json!("ab"), json!("bab"), json!(null)])
    }

    fn some_tests() -> impl Strategy<Value = Value> {
        let number = || select(vec![json!(0), json!(1), json!(2)]);
        let text = || select(vec![json!(""), json!("a"), json!("ab"), json!("b")]);
        prop_oneof![
            some_value(),
            vec(some_value(), 1..3).prop_map(|values| json!({ "one_of": values })),
            number().prop_map(|number| json!({ "min": number })),
            (number(), number()).prop_map(|(one, other)| json!({"min": one, "max": other})),
            text().prop_map(|text| json!({ "starts_with": text })),
            (text(), text()).prop_map(|(one, other)| json!({"ends_with": one, "contains": other})),
            text().prop_map(|text| json!({ "matches": text })),
            any::<bool>().prop_map(|present| json!({ "present": present })),
        ]
    }

    fn some_condition() -> impl Strategy<Value = Compiled> {
        let place = select(vec!["a", "$.a", "a.b", "$['a']['b']", "l", "l[0]", "l[1]", "l[*]", "$..b"]);
        (place, some_tests()).prop_filter_map("it can be met", |(place, tests)| {
            Compiled::body(place, &serde_json::from_value(tests).ok()?).ok()
        })
    }

    fn some_body() -> impl Strategy<Value = Value> {
        let inner = prop_oneof![some_value(), some_value().prop_map(|value| json!({ "b": value }))];
        (option::of(inner), option::of(vec(some_value(), 0..3))).prop_map(|(a, l)| {
            let members = [a.map(|a| ("a".to_owned(), a)), l.map(|l| ("l".to_owned(), Value::Array(l)))];
            Value::Object(members.into_iter().flatten().collect())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// What is said to be implied is, of any body; and what contradicts is never met together.
        #[test]
        fn no_body_shows_it_wrong(one in some_condition(), other in some_condition(), body in some_body()) {
            let meets = |condition: &Compiled| condition.misfit(&[], &body).is_none();
            prop_assert!(!(one.implies(&other) && meets(&one)) || meets(&other), "{one:?} {other:?} {body}");
            let same_place = one.contradiction(&other).is_some_and(|why| why.message.contains("names, too"));
            let contradict = one.contradiction(&other).is_some() && !same_place;
            prop_assert!(!(contradict && meets(&one) && meets(&other)), "{one:?} {other:?} {body}");
        }
    }

    #[test]
    fn headers_imply_by_name() {
        let header = |name: &str, value: Value| {
            let condition: Condition = serde_json::from_value(value).unwrap();
            Compiled::header(name, &condition).unwrap()
        };
        assert!(header("X-A", json!("ab")).implies(&header("x-a", json!({"starts_with": "a"}))));
        assert!(!header("X-A", json!("ab")).implies(&header("x-b", json!({"starts_with": "a"}))));
        assert!(!header("X-A", json!("ab")).implies(&header("x-a", json!({"present": false}))));
        assert!(!header("X-A", json!({"present": false})).implies(&header("x-a", json!({"present": true}))));
        assert!(header("X-A", json!({"present": false})).implies(&header("x-a", json!({"present": false}))));
    }
}
