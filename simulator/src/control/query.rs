//! What queries take: one table for the documents, the hints, and the check of every call.

use klarna_schemas::nearest::nearest;

use super::problem::Problem;
use Kind::{AtMost, OneOf, Text, Time, Whole, YesOrNo};

/// What a query takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Query {
    Nothing,
    /// Conditions on entries of a journal.
    Journal,
    /// The same without `limit`; `min` and `wait_ms` end it.
    Stream,
    /// The same with `format` and `redact`.
    Export,
    /// One payment.
    Payment,
}

/// One parameter of a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What it does, in a sentence.
    pub(crate) about: &'static str,
}

/// What the values of a parameter are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Whole,
    AtMost(u32),
    Time,
    YesOrNo,
    OneOf(&'static [&'static str]),
}

const fn parameter(name: &'static str, kind: Kind, about: &'static str) -> Parameter {
    Parameter { name, kind, about }
}

const CONDITIONS: &[Parameter] = &[
    parameter("after", Whole, "Only entries with a greater seq."),
    parameter("direction", OneOf(&["inbound", "outbound"]), "Who called whom."),
    parameter("operation", Text, "Only this operation; a * at the end matches any rest."),
    parameter("payment", Text, "Only this payment, by any of its names."),
    parameter("epoch", Whole, "Only this epoch of the sandbox."),
    parameter("header", Text, "A request header: Name, or Name: value."),
    parameter("request_json", Text, "A JSONPath that finds something in the request's body."),
    parameter("response_json", Text, "The same for the answer's body."),
    parameter("status", Whole, "Only answers with this HTTP status."),
    parameter("ended", OneOf(&["answered", "timed_out", "broken"]), "How the exchange ended."),
    parameter("fault", Text, "A fault or misbehaviour; a * at the end matches any rest."),
    parameter("finding", Text, "A rule that cites it; a * at the end matches any rest."),
    parameter("since", Time, "By the sandbox's time."),
    parameter("until", Time, "By the sandbox's time."),
];
const ENDS: &[Parameter] = &[
    parameter("min", Whole, "After how many it ends, at least 1."),
    parameter("wait_ms", AtMost(60_000), "After how long it ends, in real milliseconds."),
];
const BOUNDS: &[Parameter] = &[
    parameter("limit", Whole, "At most so many, the oldest first."),
    parameter("min", Whole, "How many to wait for."),
    parameter("wait_ms", AtMost(60_000), "How long, in real milliseconds."),
];
const FORMS: &[Parameter] = &[
    parameter("format", OneOf(&["har", "curl", "ndjson", "stable"]), "As what."),
    parameter("redact", YesOrNo, "Whether secrets and personal data are blackened."),
];
const PAYMENT: &[Parameter] = &[parameter("payment", Text, "Only this payment, by any of its names.")];

impl Parameter {
    pub(crate) fn is_required(&self) -> bool {
        self.name == "format"
    }
}

impl Query {
    /// All that it takes.
    pub(crate) fn parameters(self) -> impl Iterator<Item = &'static Parameter> {
        let (first, then): (&[_], &[_]) = match self {
            Self::Nothing => (&[], &[]),
            Self::Payment => (PAYMENT, &[]),
            Self::Stream => (CONDITIONS, ENDS),
            Self::Journal => (CONDITIONS, BOUNDS),
            Self::Export => (FORMS, CONDITIONS),
        };
        first.iter().chain(then)
    }

    /// What it takes, in words.
    pub(super) fn told(self) -> String {
        let names: Vec<_> = self.parameters().map(|parameter| parameter.name).collect();
        if names.is_empty() {
            "this call takes no query".to_owned()
        } else {
            format!("the query takes {}", names.join(", "))
        }
    }

    /// Refuses what it does not take: a condition that is ignored would look like one that is met.
    pub(super) fn check(self, query: &str) -> Result<(), Problem> {
        let names: Vec<_> = self.parameters().map(|parameter| parameter.name).collect();
        for (name, _) in url::form_urlencoded::parse(query.as_bytes()) {
            if names.contains(&name.as_ref()) {
                continue;
            }
            let meant = nearest(&name, &names).map(|meant| format!("did you mean {meant}? "));
            return Err(Problem::bad_request(
                format!("{name}: there is no such parameter here"),
                meant.unwrap_or_default() + &self.told(),
            ));
        }
        Ok(())
    }
}
