//! A finding: one duty seen kept badly, with where, what and how to mend.

use serde::{Deserialize, Serialize};

pub use crate::requirements::Level;

/// What a rule found in the journal, or a check of the suite at the Partner's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Stable id of the rule or check, e.g. `final.missing`; what mutants and expectations name.
    pub rule: String,
    /// Duties of `requirements.toml` that it speaks about; the first one is the main one.
    pub duties: Vec<String>,
    /// What Klarna calls the main duty.
    pub level: Level,
    /// Whether it fails a verdict or only warns: a Required duty on confirmed ground fails.
    pub severity: Severity,
    /// On what ground it stands.
    pub evidence: Evidence,
    /// What in it is inferred, a fact a line; nothing where all is confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rests_on: Vec<String>,
    /// Where: the operation and field, in one line.
    pub r#where: String,
    /// What is wrong, in one line.
    pub what: String,
    /// How to mend it, in one line.
    pub mend: String,
    /// What should have stood there, where that can be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What stood there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
    /// Byte diff, where bytes are the point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<ByteDiff>,
    /// The simulator's name of the payment (`e2p1`), if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// Sequence numbers of the journal entries that prove it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<u64>,
}

impl Finding {
    /// Says of a finding that it rests on what is inferred: then it can only warn.
    pub fn rest_on(&mut self, fact: impl Into<String>) {
        self.severity = Severity::Warns;
        self.evidence = Evidence::Inferred;
        self.rests_on.push(fact.into());
    }
}

/// On what ground a duty, or a finding, stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// A source says so.
    Confirmed,
    /// We conclude so, or sources contradict each other: it can only warn.
    Inferred,
}

/// How hard a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A recommendation, or a duty on inferred ground: never turns a run red.
    Warns,
    /// A Required duty on confirmed ground.
    Fails,
}

/// Two byte strings that should have been one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByteDiff {
    /// What kind of change it is.
    pub kind: ChangeKind,
    /// Offset of the first differing byte.
    pub position: usize,
    /// Length in bytes of the expected side.
    pub expected_length: usize,
    /// Length in bytes of the side that came.
    pub got_length: usize,
    /// The expected bytes around the position, escaped for a terminal.
    pub expected_excerpt: String,
    /// The bytes that came around the position, escaped for a terminal.
    pub got_excerpt: String,
}

/// What happened to bytes that should have passed untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Nothing came.
    Dropped,
    /// Something came where nothing was given.
    Added,
    /// The same JSON value, written otherwise.
    ReEncoded,
    /// The same JSON value with its keys in another order.
    ReOrdered,
    /// A prefix only.
    Truncated,
    /// No longer a string.
    TypeChanged,
    /// Something else.
    Altered,
}
