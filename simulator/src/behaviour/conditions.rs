//! Conditions of a rule, compiled: whether a call meets them, and why not.

use klarna_schemas::simulator::rules::{Condition, Tests};
use regex::Regex;
use serde_json::Value;

use super::places::Place;

/// How much of a value a reason shows, in characters.
const SHOWN: usize = 60;

/// One condition and what it looks at.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    pub(super) looks_at: LooksAt,
    pub(super) tests: Tests,
    matches: Option<Regex>,
}

#[derive(Debug, Clone)]
pub(super) enum LooksAt {
    /// By name in lower case.
    Header(String),
    Body(Place),
}

/// Why a condition cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// What is wrong.
    pub(crate) message: String,
    /// How to mend it.
    pub(crate) hint: String,
}

impl Unusable {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

impl Compiled {
    /// A condition on a header.
    pub(crate) fn header(name: &str, condition: &Condition) -> Result<Self, Unusable> {
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(Unusable::new(
                format!("{name:?} is no name of a header"),
                "letters, digits and dashes",
            ));
        }
        if name.eq_ignore_ascii_case("authorization") {
            return Err(Unusable::new(
                "rules do not look at credentials",
                "tell acquirers apart by account, or by another header",
            ));
        }
        Self::new(LooksAt::Header(name.to_ascii_lowercase()), condition)
    }

    /// A condition on a place in the body.
    pub(crate) fn body(place: &str, condition: &Condition) -> Result<Self, Unusable> {
        Self::new(LooksAt::Body(Place::parse(place)?), condition)
    }

    fn new(looks_at: LooksAt, condition: &Condition) -> Result<Self, Unusable> {
        let tests = match condition {
            Condition::Equals(value) => Tests { equals: Some(value.clone()), ..Tests::default() },
            Condition::Tests(tests) => (**tests).clone(),
        };
        check(&tests)?;
        let matches = tests.matches.as_deref().map(Regex::new).transpose().map_err(|error| {
            Unusable::new(
                format!("matches: {error}"),
                "a regular expression of the Rust crate regex: no look-around, no back-references",
            )
        })?;
        let compiled = Self { looks_at, tests, matches };
        if compiled.only_values().is_some_and(|values| values.is_empty()) {
            return Err(never("no value that it names holds the other tests"));
        }
        Ok(compiled)
    }

    /// The same of one value alone.
    pub(super) fn of_value(&self, value: &Value) -> Self {
        let tests = Tests { equals: Some(value.clone()), ..Tests::default() };
        Self { looks_at: self.looks_at.clone(), tests, matches: None }
    }

    /// The values that hold all tests, where tests name them.
    pub(super) fn only_values(&self) -> Option<Vec<&Value>> {
        let Tests { equals, one_of, .. } = &self.tests;
        let named = match (equals, one_of) {
            (Some(value), _) => std::slice::from_ref(value),
            (None, Some(values)) => values,
            (None, None) => return None,
        };
        Some(named.iter().filter(|value| self.misfit_of(value).is_none()).collect())
    }

    /// Why a call does not meet it; `None` where it does.
    pub(crate) fn misfit(&self, headers: &[(String, String)], body: &Value) -> Option<String> {
        match &self.looks_at {
            LooksAt::Header(name) => {
                let values = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
                let values: Vec<Value> = values.map(|(_, value)| Value::from(value.as_str())).collect();
                self.judge(&format!("header {name}"), &values.iter().collect::<Vec<_>>())
            }
            LooksAt::Body(place) => self.judge(place.written(), &place.values(body)),
        }
    }

    /// One of the values must hold all tests; where only absence is asked for, there must be none.
    fn judge(&self, place: &str, values: &[&Value]) -> Option<String> {
        match (self.tests.present, values.first()) {
            (Some(false), Some(value)) => return Some(format!("{place} is there: {}", shown(value))),
            (Some(false), None) => return None,
            (_, None) => return Some(format!("{place} is not there")),
            (_, Some(_)) => {}
        }
        let mut first = None;
        for value in values {
            let misfit = self.misfit_of(value)?;
            first.get_or_insert_with(|| format!("{place} is {}, {misfit}", shown(value)));
        }
        first
    }

    /// Which test one value does not hold.
    pub(super) fn misfit_of(&self, value: &Value) -> Option<String> {
        let tests = &self.tests;
        let text = value.as_str().unwrap_or_default();
        let number = value.as_f64();
        if let Some(wanted) = tests.equals.as_ref().filter(|wanted| !equal(wanted, value)) {
            return Some(format!("not {}", shown(wanted)));
        }
        if let Some(wanted) = &tests.one_of
            && !wanted.iter().any(|wanted| equal(wanted, value))
        {
            return Some("none of those asked for".to_owned());
        }
        if let Some(min) = tests.min
            && number.is_none_or(|number| number < min)
        {
            return Some(format!("not at least {min}"));
        }
        if let Some(max) = tests.max
            && number.is_none_or(|number| number > max)
        {
            return Some(format!("not at most {max}"));
        }
        if let Some(start) = &tests.starts_with
            && !(value.is_string() && text.starts_with(start))
        {
            return Some(format!("and does not begin with {start:?}"));
        }
        if let Some(end) = &tests.ends_with
            && !(value.is_string() && text.ends_with(end))
        {
            return Some(format!("and does not end with {end:?}"));
        }
        if let Some(part) = &tests.contains
            && !(value.is_string() && text.contains(part))
        {
            return Some(format!("and has no {part:?} in it"));
        }
        if let Some(pattern) = &self.matches
            && !(value.is_string() && pattern.is_match(text))
        {
            return Some(format!("and does not match {pattern}"));
        }
        None
    }
}

/// Refuses tests that nothing can hold.
fn check(tests: &Tests) -> Result<(), Unusable> {
    if *tests == Tests::default() {
        return Err(Unusable::new("there is no test in it", "such as {present: true}, or the value itself"));
    }
    if tests.present == Some(false) && *tests != (Tests { present: Some(false), ..Tests::default() }) {
        return Err(never("what is not there has no value"));
    }
    if let (Some(min), Some(max)) = (tests.min, tests.max)
        && min > max
    {
        return Err(never(&format!("at least {min} and at most {max}")));
    }
    let needs_number = tests.min.is_some() || tests.max.is_some();
    let needs_text = tests.starts_with.is_some()
        || tests.ends_with.is_some()
        || tests.contains.is_some()
        || tests.matches.is_some();
    if needs_number && needs_text {
        return Err(never("it would have to be a number and text"));
    }
    Ok(())
}

fn never(why: &str) -> Unusable {
    Unusable::new(format!("nothing can hold this: {why}"), "take one of them out")
}

/// Whether two values are the same; numbers by their worth.
fn equal(one: &Value, other: &Value) -> bool {
    match (one.as_i64().zip(other.as_i64()), one.as_f64().zip(other.as_f64())) {
        (Some((one, other)), _) => one == other,
        (None, Some((one, other))) => one.total_cmp(&other).is_eq(),
        (None, None) => one == other,
    }
}

/// A value for a reader, cut short.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn misfit(condition: &Value, body: &Value) -> Option<String> {
        let condition: Condition = serde_json::from_value(condition.clone()).unwrap();
        Compiled::body("$.a", &condition).unwrap().misfit(&[], body)
    }

    #[test]
    fn each_test_takes_what_it_is_for_and_says_what_it_misses() {
        for (condition, sound, odd, why) in [
            (json!("x"), json!("x"), json!("y"), "$.a is \"y\", not \"x\""),
            (json!(1), json!(1.0), json!(2), "$.a is 2, not 1"),
            (json!({"equals": null}), json!(null), json!(0), "not null"),
            (json!({"one_of": [1, 2]}), json!(2), json!(3), "none of those"),
            (json!({"min": 10}), json!(10), json!(9), "not at least 10"),
            (json!({"min": 10}), json!(10), json!("10"), "not at least 10"),
            (json!({"max": 10}), json!(10), json!(10.5), "not at most 10"),
            (json!({"starts_with": "ab"}), json!("abc"), json!("bab"), "does not begin"),
            (json!({"ends_with": "ab"}), json!("bab"), json!("abc"), "does not end"),
            (json!({"contains": "b"}), json!("abc"), json!(["b"]), "has no \"b\""),
            (json!({"matches": "^[0-9]+$"}), json!("12"), json!("1x"), "does not match"),
        ] {
            assert_eq!(misfit(&condition, &json!({ "a": sound })), None, "{condition}");
            let found = misfit(&condition, &json!({ "a": odd })).unwrap();
            assert!(found.contains(why), "{condition}: {found}");
            assert_eq!(misfit(&condition, &json!({})), Some("$.a is not there".to_owned()), "{condition}");
        }
    }

    #[test]
    fn presence_and_absence() {
        assert_eq!(misfit(&json!({"present": true}), &json!({"a": null})), None);
        assert_eq!(misfit(&json!({"present": false}), &json!({})), None);
        assert_eq!(misfit(&json!({"present": false}), &json!({"a": 1})), Some("$.a is there: 1".to_owned()));
    }

    #[test]
    fn one_of_several_places_is_enough_and_headers_have_no_case() {
        let some = Compiled::body("lines[*].n", &Condition::Equals(json!(2))).unwrap();
        assert_eq!(some.misfit(&[], &json!({"lines": [{"n": 1}, {"n": 2}]})), None);
        assert!(some.misfit(&[], &json!({"lines": [{"n": 1}, {"n": 3}]})).unwrap().contains("is 1, not 2"));
        let header = Compiled::header("X-Case", &Condition::Equals(json!("a"))).unwrap();
        assert_eq!(header.misfit(&[("x-CASE".to_owned(), "a".to_owned())], &Value::Null), None);
    }

    #[test]
    fn values_are_held_to_the_other_tests() {
        let condition: Condition = serde_json::from_value(json!({"one_of": [1, 20, "x"], "min": 5})).unwrap();
        assert_eq!(Compiled::body("a", &condition).unwrap().only_values(), Some(vec![&json!(20)]));
    }

    #[test]
    fn what_nothing_can_hold_is_refused() {
        for tests in [
            json!({}),
            json!({"min": 2, "max": 1}),
            json!({"present": false, "equals": 1}),
            json!({"equals": 1, "one_of": [2]}),
            json!({"one_of": []}),
            json!({"equals": 5, "min": 10}),
            json!({"one_of": ["SEK", "EUR"], "starts_with": "N"}),
            json!({"min": 1, "starts_with": "a"}),
            json!({"matches": "("}),
        ] {
            let condition: Condition = serde_json::from_value(tests.clone()).unwrap();
            assert!(Compiled::body("a", &condition).is_err(), "{tests}");
        }
        assert!(Compiled::body("$[", &Condition::Equals(json!(1))).is_err());
        assert!(Compiled::header("a b", &Condition::Equals(json!(1))).is_err());
        assert!(Compiled::header("Authorization", &Condition::Equals(json!("x"))).is_err());
    }
}
