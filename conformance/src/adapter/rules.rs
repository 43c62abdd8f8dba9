//! Ordered rules that turn an answer or a notification into an [`Outcome`], or into another [`Word`].

use indexmap::IndexMap;
use serde_json::Value;
use serde_json_path::JsonPath;
use serde_saphyr::Spanned;

use super::error::{self, AdapterError};
use super::file::{NotificationRuleFile, RuleFile};
use super::node::{Node, Shape};
use super::outcome::{Outcome, Word};
use super::reading;
use super::source::{Place, Source};

/// Rules in order; the first one that fits decides.
#[derive(Debug, Clone)]
pub(super) struct Rules<O = Outcome>(Vec<Rule<O>>);

impl<O> Default for Rules<O> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[derive(Debug, Clone)]
struct Rule<O> {
    status: Vec<StatusRange>,
    conditions: Vec<Condition>,
    headers: Vec<(String, Test)>,
    is: O,
}

/// What a value of the body must be.
#[derive(Debug, Clone)]
struct Condition {
    /// As written; the library's own rendering is not exact.
    text: String,
    path: JsonPath,
    test: Test,
}

/// A rule that was held against something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedRule {
    /// Its place among the rules, from 1.
    pub number: usize,
    /// What it asks for and says, in words.
    pub words: String,
    /// What it says where it fits.
    pub is: &'static str,
    /// Why it does not fit; empty where it does.
    pub misses: Vec<String>,
}

/// What rules look at: an answer, or a notification.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen<'a> {
    /// HTTP status of an answer.
    pub(super) status: Option<u16>,
    pub(super) headers: &'a [(String, String)],
    /// `None` where the body is no JSON: only rules without `where` can fit it.
    pub(super) body: Option<&'a Value>,
}

/// Inclusive bounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct StatusRange(u16, u16);

impl StatusRange {
    /// Any success.
    pub(super) const SUCCESS: Self = Self(200, 299);
}

#[derive(Debug, Clone)]
enum Test {
    /// Some value that the path finds is one of these.
    Among(Vec<Value>),
    /// The path finds something, or nothing.
    Present(bool),
}

impl<O: Word> Rules<O> {
    pub(super) fn of_answer(source: &Source, rules: &[RuleFile]) -> Result<Self, AdapterError> {
        let read = |rule: &RuleFile| {
            Ok(Rule {
                status: match &rule.status {
                    Some(node) => statuses(source, node)?,
                    None => Vec::new(),
                },
                conditions: conditions(source, &rule.r#where)?,
                headers: headers(source, &rule.headers)?,
                is: word(source, &rule.is)?,
            })
        };
        error::all(rules.iter().map(read)).map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the first fitting rule says.
    pub(super) fn decide(&self, seen: Seen<'_>) -> Option<O> {
        self.0.iter().find(|rule| rule.fits(seen)).map(|rule| rule.is)
    }

    /// What each rule asks for and says, in words and in order.
    pub(super) fn in_words(&self) -> Vec<String> {
        self.0.iter().map(Rule::words).collect()
    }

    /// Each rule held against what was seen, up to the first that fits.
    pub(super) fn judge(&self, seen: Seen<'_>) -> Vec<JudgedRule> {
        let mut judged = Vec::new();
        for (index, rule) in self.0.iter().enumerate() {
            let misses = rule.misses(seen);
            let fits = misses.is_empty();
            judged.push(JudgedRule { number: index + 1, words: rule.words(), is: rule.is.word(), misses });
            if fits {
                break;
            }
        }
        judged
    }
}

impl Rules {
    pub(super) fn of_notification(
        source: &Source,
        rules: &[NotificationRuleFile],
    ) -> Result<Self, AdapterError> {
        let read = |rule: &NotificationRuleFile| {
            Ok(Rule {
                status: Vec::new(),
                conditions: conditions(source, &rule.r#where)?,
                headers: Vec::new(),
                is: word(source, &rule.is)?,
            })
        };
        error::all(rules.iter().map(read)).map(Self)
    }
}

impl<O: Word> Rule<O> {
    fn fits(&self, seen: Seen<'_>) -> bool {
        self.misses(seen).is_empty()
    }

    /// Why the rule does not fit; nothing where it does.
    fn misses(&self, seen: Seen<'_>) -> Vec<String> {
        let Seen { status, headers, body } = seen;
        let mut misses = Vec::new();
        if !self.status.is_empty() && !status.is_some_and(|status| is_among(&self.status, status)) {
            let got =
                status.map_or_else(|| "there is no status".to_owned(), |got| format!("the status is {got}"));
            misses.push(format!("{got}, and not {}", status_words(&self.status)));
        }
        for Condition { text, path, test } in &self.conditions {
            match body {
                None => misses.push(format!("{text} finds nothing: the body is no JSON")),
                Some(body) => misses.extend(test.miss(text, &path.query(body).all())),
            }
        }
        for (name, test) in &self.headers {
            let values = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
            let values: Vec<Value> = values.map(|(_, value)| Value::from(value.as_str())).collect();
            misses.extend(test.miss(&format!("the header {name}"), &values.iter().collect::<Vec<_>>()));
        }
        misses
    }

    fn words(&self) -> String {
        let mut asked = Vec::new();
        if !self.status.is_empty() {
            asked.push(format!("the status is {}", status_words(&self.status)));
        }
        asked.extend(self.conditions.iter().map(|condition| condition.test.words(&condition.text)));
        asked.extend(self.headers.iter().map(|(name, test)| test.words(&format!("the header {name}"))));
        if asked.is_empty() {
            return format!("whatever comes: {}", self.is.word());
        }
        format!("where {}: {}", asked.join(", and "), self.is.word())
    }
}

/// Statuses as a file would write them.
pub(super) fn status_words(ranges: &[StatusRange]) -> String {
    let one = |StatusRange(low, high): &StatusRange| {
        if low == high { low.to_string() } else { format!("{}xx", low / 100) }
    };
    ranges.iter().map(one).collect::<Vec<_>>().join(" or ")
}

/// Whether a status lies in one of the ranges.
pub(super) fn is_among(ranges: &[StatusRange], status: u16) -> bool {
    ranges.iter().any(|StatusRange(low, high)| (*low..=*high).contains(&status))
}

impl Test {
    /// Why it does not hold of what was found at a place, if it does not.
    fn miss(&self, place: &str, found: &[&Value]) -> Option<String> {
        if self.holds_of(found) {
            return None;
        }
        let shown: Vec<String> = found.iter().map(|value| shown(value)).collect();
        let got = match (self, shown.as_slice()) {
            (_, []) => format!("{place} finds nothing"),
            (Self::Present(false), _) => format!("{place} is there"),
            (_, [one]) => format!("{place} is {one}"),
            (_, several) => format!("{place} is among {}", several.join(", ")),
        };
        Some(match self {
            Self::Among(values) => {
                let wanted: Vec<String> = values.iter().map(shown_wanted).collect();
                format!("{got}, and not {}", wanted.join(" or "))
            }
            Self::Present(_) => got,
        })
    }

    fn words(&self, place: &str) -> String {
        match self {
            Self::Present(true) => format!("{place} is there"),
            Self::Present(false) => format!("{place} is not there"),
            Self::Among(values) => {
                let wanted: Vec<String> = values.iter().map(shown_wanted).collect();
                format!("{place} is {}", wanted.join(" or "))
            }
        }
    }

    fn holds_of(&self, found: &[&Value]) -> bool {
        match self {
            Self::Present(wanted) => found.iter().any(|value| !value.is_null()) == *wanted,
            Self::Among(values) => found.iter().any(|got| values.iter().any(|value| same(got, value))),
        }
    }
}

/// How much of a value is shown, in characters.
const SHOWN: usize = 80;

/// A value that was found, as JSON, cut where it is long.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// A value that a rule asks for, as the file has it.
fn shown_wanted(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Equal as JSON, or as the text of a scalar: `true` in a rule fits `"true"` in a body.
fn same(got: &Value, wanted: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    got == wanted || text(got).is_some_and(|got| text(wanted) == Some(got))
}

fn word<O: Word>(source: &Source, word: &Spanned<String>) -> Result<O, AdapterError> {
    O::ALL.iter().copied().find(|known| known.word() == word.value).ok_or_else(|| {
        let known: Vec<&str> = O::ALL.iter().map(|known| known.word()).collect();
        source.unknown(word.referenced.into(), "outcome", &word.value, &known)
    })
}

fn conditions(
    source: &Source,
    conditions: &IndexMap<Spanned<String>, Node>,
) -> Result<Vec<Condition>, AdapterError> {
    error::all(conditions.iter().map(|(path, node)| {
        let place: Place = path.referenced.into();
        let compiled = reading::compile(source, &path.value, place)?;
        Ok(Condition { text: path.value.clone(), path: compiled, test: test(source, node)? })
    }))
}

fn headers(
    source: &Source,
    conditions: &IndexMap<Spanned<String>, Node>,
) -> Result<Vec<(String, Test)>, AdapterError> {
    conditions
        .iter()
        .map(|(name, node)| {
            source.header_name(name)?;
            Ok((name.value.clone(), test(source, node)?))
        })
        .collect()
}

fn test(source: &Source, node: &Node) -> Result<Test, AdapterError> {
    let wrong = |place| {
        source.complain(
            place,
            "a condition is a value, a list of values, or {present: true}",
            Some("where: {$.status: [OK, DONE], $.action: {present: true}}"),
        )
    };
    match node.shape() {
        Shape::Scalar(_) | Shape::Text(_) => Ok(Test::Among(node.scalar().into_iter().collect())),
        Shape::List(items) => items
            .iter()
            .map(|item| item.scalar().ok_or_else(|| wrong(item.place())))
            .collect::<Result<_, _>>()
            .map(Test::Among),
        Shape::Map(pairs) => match (pairs.as_slice(), node.get("present").map(Node::shape)) {
            ([_], Some(Shape::Scalar(Value::Bool(present)))) => Ok(Test::Present(*present)),
            _ => Err(wrong(node.place())),
        },
    }
}

pub(super) fn statuses(source: &Source, node: &Node) -> Result<Vec<StatusRange>, AdapterError> {
    match node.shape() {
        Shape::List(items) => items.iter().map(|item| status(source, item)).collect(),
        _ => Ok(vec![status(source, node)?]),
    }
}

fn status(source: &Source, node: &Node) -> Result<StatusRange, AdapterError> {
    let text = match node.scalar() {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let class = text.strip_suffix("xx").and_then(|digit| digit.parse::<u16>().ok());
    match (class, text.parse::<u16>()) {
        (Some(class @ 1..=5), _) => Ok(StatusRange(class * 100, class * 100 + 99)),
        (None, Ok(code @ 100..=599)) => Ok(StatusRange(code, code)),
        _ => Err(source.complain(
            node.place(),
            &format!("\"{text}\" is no HTTP status"),
            Some("a status is a number as 201, or a class as \"2xx\""),
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(yaml: &str) -> Result<Rules, AdapterError> {
        let source = Source::new("a.yaml".to_owned(), yaml.to_owned());
        let parsed: Vec<RuleFile> = serde_saphyr::from_str(yaml).unwrap();
        Rules::of_answer(&source, &parsed)
    }

    #[test]
    fn the_first_rule_that_fits_wholly_decides() {
        let rules = rules(
            "- {status: [201, 403], where: {$.error: Step-up required}, is: step_up}\n\
             - {status: 2xx, where: {$.ok: true, $.state: [new, ok]}, is: approved}\n\
             - {status: [\"5xx\", 429], is: failed}\n\
             - {where: {$.action: {present: true}}, is: pending}\n\
             - {where: {$.action: {present: false}, $.n: 7}, is: canceled}\n",
        )
        .unwrap();
        let decide = |status, body: &Value| {
            rules.decide(Seen { status: Some(status), body: Some(body), ..Seen::default() })
        };
        assert_eq!(decide(403, &json!({"error": "Step-up required"})), Some(Outcome::StepUp));
        assert_eq!(decide(400, &json!({"error": "Step-up required"})), None);
        assert_eq!(decide(299, &json!({"ok": "true", "state": "ok"})), Some(Outcome::Approved));
        assert_eq!(decide(200, &json!({"ok": true, "state": "fail"})), None);
        assert_eq!(decide(503, &json!(null)), Some(Outcome::Failed));
        assert_eq!(rules.decide(Seen { status: Some(429), ..Seen::default() }), Some(Outcome::Failed));
        assert_eq!(decide(200, &json!({"action": {}})), Some(Outcome::Pending));
        assert_eq!(decide(200, &json!({"action": null, "n": "7"})), Some(Outcome::Canceled));
        assert_eq!(rules.decide(Seen { status: Some(200), ..Seen::default() }), None);
    }

    #[test]
    fn headers_decide_too() {
        let rules = rules(
            "- {status: 302, headers: {Location: {present: true}}, is: step_up}\n\
             - {headers: {X-State: [ok, fine]}, is: approved}\n",
        )
        .unwrap();
        let decide = |status, name: &str, value: &str| {
            let headers = [(name.to_owned(), value.to_owned())];
            rules.decide(Seen { status: Some(status), headers: &headers, body: None })
        };
        assert_eq!(decide(302, "location", "/x"), Some(Outcome::StepUp));
        assert_eq!(decide(200, "location", "/x"), None);
        assert_eq!(decide(200, "x-state", "fine"), Some(Outcome::Approved));
        assert_eq!(decide(200, "x-state", "bad"), None);
    }

    #[test]
    fn mistakes_are_shown_at_their_place() {
        let error = rules("- {is: aproved}\n").unwrap_err();
        assert_eq!((error.place().as_str(), error.nearest()), ("a.yaml:1:8", Some("approved")));
        let error = rules("- {status: 2x, is: approved}\n").unwrap_err();
        assert_eq!(error.to_string(), "a.yaml:1:12: \"2x\" is no HTTP status");
        assert!(rules("- {status: 99, is: approved}\n").is_err());
        assert!(rules("- {status: \"6xx\", is: approved}\n").is_err());
        let error = rules("- {where: {\"$.a[\": 1}, is: approved}\n").unwrap_err();
        assert_eq!(error.place(), "a.yaml:1:12");
        let error = rules("- {where: {$.a: {presnt: true}}, is: approved}\n").unwrap_err();
        assert_eq!(error.line(), Some(1));
    }
}
