//! Rules: what Klarna shall do with calls that are so and so. They stand in a rules file, or are laid
//! down in one sandbox by the control API; the words are the same.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::control::{CallKind, CustomerScript, Evolution, Fault, WebhookWish};
use crate::klarna::authorize::AuthorizationResult;

/// A rules file, and the body of `PUT /sandboxes/{a}/rules`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesFile {
    /// For editors: where the schema of this file is.
    #[serde(default, rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The revision of the format; 1.
    #[serde(default = "first")]
    pub version: u32,
    /// The rules. The first that fits a call decides.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// In which ways Klarna has evolved, beside what the control API says.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub evolution: BTreeSet<Evolution>,
}

fn first() -> u32 {
    1
}

impl RulesFile {
    /// These rules, in this revision of the format.
    pub fn of(rules: Vec<Rule>) -> Self {
        Self { schema: None, version: first(), rules, evolution: BTreeSet::new() }
    }
}

/// One rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What the journal and `explain` call it by; unique.
    pub name: String,
    /// Which calls it is for; every authorize when absent.
    #[serde(default)]
    pub when: When,
    /// How many calls it serves in a sandbox and epoch; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// What Klarna does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<Then>,
    /// One of these, drawn by their weights from the sandbox's seed; in the place of `then`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<Chance>,
}

/// Which calls a rule is for: those that meet every condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// By the journal's name of the operation; a `*` at the end matches any rest.
    #[serde(default = "authorize")]
    pub operation: String,
    /// Which authorize calls.
    #[serde(default)]
    pub on: CallKind,
    /// Which Partner accounts; a `*` at the end matches any rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// By header, whatever its case.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, Condition>,
    /// By place in the body: a JSONPath (RFC 9535), or dots (`request_payment_transaction.amount`).
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub body: IndexMap<String, Condition>,
}

fn authorize() -> String {
    "authorize".to_owned()
}

impl Default for When {
    fn default() -> Self {
        Self {
            operation: authorize(),
            on: CallKind::Any,
            account: None,
            headers: IndexMap::new(),
            body: IndexMap::new(),
        }
    }
}

/// What a header or a place in a body must be like: a value that it equals, or tests.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Condition {
    /// All of these.
    Tests(Box<Tests>),
    /// Equal to this.
    Equals(Value),
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        match Value::deserialize(deserializer)? {
            tests @ Value::Object(_) => {
                serde_json::from_value(tests).map(Self::Tests).map_err(D::Error::custom)
            }
            value => Ok(Self::Equals(value)),
        }
    }
}

/// Tests of one value. Each that is named must hold; a value that is not there holds none but
/// `present: false`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tests {
    /// Equal to this; `null` is a value like others.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "there")]
    pub equals: Option<Value>,
    /// Equal to one of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<Value>>,
    /// A number of at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// A number of at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Text that begins so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_with: Option<String>,
    /// Text that ends so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_with: Option<String>,
    /// Text that has this in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// Text that this regular expression finds something in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// Whether it is there at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<bool>,
}

/// A value that is there, `null` or not.
fn there<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// What Klarna does with a call. What is not named is as it would be without the rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// The result of an authorize.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<AuthorizationResult>,
    /// `result_reason` of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_reason: Option<String>,
    /// `klarna_network_response_data` of the answer, as it is (AP-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_data: Option<String>,
    /// Gives the result even where Klarna would not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub force: bool,
    /// What the customer does by itself, where there is a step-up.
    #[serde(default, skip_serializing_if = "CustomerScript::is_empty")]
    pub customer: CustomerScript,
    /// What befalls the call, or its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// What befalls webhooks about the payment, from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<WebhookWish>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_false(value: &bool) -> bool {
    !value
}

/// One of several things that Klarna may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chance {
    /// How often, against the other weights; at least 1.
    pub weight: u32,
    /// What.
    pub then: Then,
}

/// `POST /sandboxes/{a}/explain`: what would be decided on a call, without making it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explain {
    /// The journal's name of the operation; `authorize` when absent.
    #[serde(default = "authorize")]
    pub operation: String,
    /// Headers that rules look at, and the session token.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: Value,
}

/// Answer to [`Explain`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// Whether it is an initial or a final authorize; `any` for other operations.
    pub on: CallKind,
    /// What decides, by the name that the journal gives it.
    pub decided_by: String,
    /// What Klarna does.
    pub then: Then,
    /// Why Klarna refuses the call, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Everything that was looked at, in the order of decision.
    pub considered: Vec<Considered>,
}

/// One thing that might have decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Considered {
    /// Its name: `queued`, `rule <name>`, `file rule <name>`, `magic value`, `customer-token`, `default`.
    pub by: String,
    /// Whether it fits the call.
    pub fits: bool,
    /// Why, or why not.
    pub why: String,
}

/// Answer to `GET` and `PUT /sandboxes/{a}/rules`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesView {
    /// The sandbox's own rules, in order.
    pub rules: Vec<RuleView>,
    /// The rules of the file that hold here, in order.
    pub file: Vec<RuleView>,
}

/// One rule and what it has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleView {
    /// Its name.
    pub name: String,
    /// How many calls it has served in this epoch.
    pub served: u64,
    /// How many more it may serve; any number when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<u32>,
}

/// Answer to `GET /rules` and `POST /rules/reload`: the rules file of a running simulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesFileView {
    /// The file; absent where none is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How often it has been read anew since the start.
    pub revision: u64,
    /// How many rules hold.
    pub rules: usize,
    /// What is wrong with the file as it is now; the rules that held before hold on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mistake: Option<String>,
}
