//! What an adapter makes of an operation, without making a call: its requests, and how an answer is read.

use std::collections::BTreeMap;

use klarna_schemas::nearest::nearest;
use serde_json::Value;

use super::exchange::{DryRequest, PartnerExchange};
use super::facts::RequestFacts;
use super::follow_up::{About, FollowUp, FollowUpOutcome, Wish, with_wish};
use super::load::Checked;
use super::methods::ListMethods;
use super::operation::{Operation, add_call};
use super::outcome::Word;
use super::reading::Reads;
use super::request::Request;
use super::rules::{JudgedRule, Rules, Seen};
use super::template::TemplateError;
use super::variables::{CLOSES, OPENS, RunVariables, Secrets, sample_order, with_order, with_payment};
use super::{Adapter, Start};

/// Operations that an adapter can bind, in the order in which a payment meets them.
pub const OPERATIONS: &[&str] =
    &["list_payment_methods", "create_payment", "read_payment", "capture", "refund", "cancel"];

/// An operation, explained.
#[derive(Debug, Clone)]
pub struct Explained {
    /// Its calls in order; the last one is the operation's own.
    pub calls: Vec<ExplainedCall>,
}

/// One call of an operation.
#[derive(Debug, Clone)]
pub struct ExplainedCall {
    /// The request, by a sample order.
    pub request: DryRequest,
    /// The rules that turn its answer into an outcome, in words and in order.
    pub rules: Vec<String>,
    /// What is read from its answer, and from where.
    pub reads: Vec<(String, String)>,
}

/// An answer, as the adapter reads it.
#[derive(Debug, Clone)]
pub struct ExplainedAnswer {
    /// The rules up to the one that fits; all, where none does.
    pub rules: Vec<JudgedRule>,
    /// What the answer means; `None` where no rule fits, or the operation has no rules.
    pub outcome: Option<&'static str>,
    /// Each name, where it is read, and what was found: nothing, or an error in words.
    pub read: Vec<ReadValue>,
}

/// A value that is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadValue {
    /// Its name.
    pub name: String,
    /// Where it is looked for.
    pub from: String,
    /// What was found there; `Err` is why nothing can be.
    pub found: Result<Option<String>, String>,
}

/// Why an operation cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// There is no such operation.
    #[error("there is no operation \"{name}\"\n  hint: {hint}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What may have been meant, and what there is.
        hint: String,
    },
    /// The adapter does not bind it.
    #[error("{file}: the adapter binds no operation {name}\n  hint: it binds {bound}")]
    NotBound {
        /// The adapter's file.
        file: String,
        /// What was asked for.
        name: String,
        /// What it binds.
        bound: String,
    },
    /// A template fails on the sample order.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// An operation that is bound.
enum Bound<'a> {
    Payment(&'a Operation),
    FollowUp(&'a Operation<FollowUpOutcome>),
    Methods(&'a ListMethods),
}

impl Checked {
    fn bound(&self, name: &str) -> Option<Bound<'_>> {
        match name {
            "create_payment" => Some(Bound::Payment(&self.create_payment)),
            "read_payment" => self.read_payment.as_ref().map(Bound::Payment),
            "list_payment_methods" => self.list_payment_methods.as_ref().map(Bound::Methods),
            _ => follow_up(name).and_then(|kind| self.follow_ups.of(kind)).map(Bound::FollowUp),
        }
    }

    /// What templates see of a sample order, or of a sample payment that was created.
    fn sample_variables(&self, name: &str, base_url: &str) -> Value {
        let mut run = RunVariables::sample(true);
        run.acquirer_base_url = Some(base_url.to_owned());
        let mut variables = match self.partners.first() {
            Some(partner) => run.of_partner(partner, Secrets::Marked),
            None => serde_json::Map::new(),
        };
        RequestFacts::sample().add_to(&mut variables);
        if matches!(name, "create_payment" | "list_payment_methods") {
            return with_order(variables, &sample_order());
        }
        let payment = placeholders(self.create_payment.names_read());
        let Some(kind) = follow_up(name) else { return with_payment(variables, &payment) };
        let capture = placeholders(self.follow_ups.capture.iter().flat_map(Operation::names_read));
        let about = About { order: &sample_order(), payment: &payment, capture: &capture };
        with_wish(variables, about, &Wish::sample(kind))
    }
}

impl Adapter {
    /// The operations that the adapter binds, of [`OPERATIONS`].
    pub fn operations(&self) -> Vec<&'static str> {
        OPERATIONS.iter().copied().filter(|name| self.inner.bound(name).is_some()).collect()
    }

    /// Where a call would go: where the adapter attaches or, where the port is chosen at the start, an example.
    pub fn likely_base_url(&self) -> String {
        match &self.inner.start {
            Start::Attach(url) => url.as_str().trim_end_matches('/').to_owned(),
            Start::Process(_) => RunVariables::sample(true).acquirer_base_url.unwrap_or_default(),
        }
    }

    /// What a text names as `$NAME`: secrets of the first Partner's, and values of earlier answers.
    pub fn variables_in(&self, text: &str) -> Vec<(String, String)> {
        let partner = self.inner.partners.first().into_iter();
        let shown = partner.flat_map(|partner| &partner.shown_as);
        let secrets = shown.map(|(key, name)| (name.clone(), format!("partner.vars.{key}")));
        let captured = self.inner.follow_ups.capture.iter().flat_map(Operation::names_read);
        let read = self.inner.create_payment.names_read().chain(captured).map(|name| {
            let marked = placeholder(name);
            (marked.trim_matches([OPENS, CLOSES]).to_owned(), format!("{name}, read from an earlier answer"))
        });
        let named = |(name, _): &(String, String)| text.contains(&format!("\"${name}\""));
        secrets.chain(read).filter(named).collect()
    }

    /// Renders an operation's requests for a sample order of the first Partner, and tells how its answer is read.
    ///
    /// # Errors
    /// When there is no such operation, it is not bound, or a template fails.
    pub fn explain(&self, name: &str, base_url: &str) -> Result<Explained, ExplainError> {
        let bound = self.bound(name)?;
        let mut variables = self.inner.sample_variables(name, base_url);
        let Checked { templates, authentication, .. } = &*self.inner;
        let dry = |request: &Request, variables: &Value| {
            request.likeness(templates, authentication, base_url, variables).map(|likeness| likeness.dry())
        };
        let mut calls = Vec::new();
        match bound {
            Bound::Methods(methods) => calls.push(ExplainedCall {
                request: dry(&methods.request, &variables)?,
                rules: Vec::new(),
                reads: methods.in_words(),
            }),
            Bound::Payment(operation) => calls = explained(operation, &mut variables, dry)?,
            Bound::FollowUp(operation) => calls = explained(operation, &mut variables, dry)?,
        }
        Ok(Explained { calls })
    }

    /// Reads an answer to an operation's own call, and tells how it was read.
    ///
    /// # Errors
    /// When there is no such operation, or it is not bound.
    pub fn explain_answer(
        &self,
        name: &str,
        status: u16,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<ExplainedAnswer, ExplainError> {
        Ok(match self.bound(name)? {
            Bound::Payment(operation) => read_answer(operation, status, headers, body),
            Bound::FollowUp(operation) => read_answer(operation, status, headers, body),
            Bound::Methods(methods) => read_methods(methods, status, headers, body),
        })
    }

    fn bound(&self, name: &str) -> Result<Bound<'_>, ExplainError> {
        if !OPERATIONS.contains(&name) {
            let list = OPERATIONS.join(", ");
            let hint = match nearest(name, OPERATIONS) {
                Some(meant) => format!("did you mean \"{meant}\"? There are {list}"),
                None => format!("there are {list}"),
            };
            return Err(ExplainError::Unknown { name: name.to_owned(), hint });
        }
        self.inner.bound(name).ok_or_else(|| ExplainError::NotBound {
            file: self.file().to_owned(),
            name: name.to_owned(),
            bound: self.operations().join(", "),
        })
    }
}

/// What stands for a value of an earlier answer: a variable of the shell.
fn placeholder(name: &str) -> String {
    let shown: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("{OPENS}{shown}{CLOSES}")
}

fn placeholders<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    names.map(|name| (name.to_owned(), placeholder(name))).collect()
}

/// A capture, a refund or a cancel, by the operation's name.
fn follow_up(name: &str) -> Option<FollowUp> {
    FollowUp::ALL.into_iter().find(|kind| kind.as_str() == name)
}

/// Each call of an operation; later ones see what stands for the answers of earlier ones.
fn explained<O: Word>(
    operation: &Operation<O>,
    variables: &mut Value,
    dry: impl Fn(&Request, &Value) -> Result<DryRequest, TemplateError>,
) -> Result<Vec<ExplainedCall>, TemplateError> {
    let in_words = |request: DryRequest, rules: &Rules<O>, reads: &Reads| ExplainedCall {
        request,
        rules: rules.in_words(),
        reads: reads.in_words(),
    };
    let mut calls = Vec::new();
    for call in &operation.before {
        calls.push(in_words(dry(&call.request, variables)?, &call.rules, &call.reads));
        for name in call.reads.names() {
            add_call(variables, name, &placeholder(name));
        }
    }
    calls.push(in_words(dry(&operation.request, variables)?, &operation.rules, &operation.reads));
    Ok(calls)
}

fn read_answer<O: Word>(
    operation: &Operation<O>,
    status: u16,
    headers: &[(String, String)],
    body: &[u8],
) -> ExplainedAnswer {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let rules = operation.rules.judge(Seen { status: Some(status), headers, body: body.as_ref() });
    let outcome = rules.last().filter(|rule| rule.misses.is_empty()).map(|rule| rule.is);
    let found = operation.reads.read(headers, body.as_ref().unwrap_or(&Value::Null));
    let of = |name: &str| match &found {
        Ok(found) => Ok(found.get(name).cloned()),
        Err(ambiguous) => Err(ambiguous.to_string()),
    };
    let words = operation.reads.in_words();
    let read = words.into_iter().map(|(name, from)| ReadValue { found: of(&name), name, from }).collect();
    ExplainedAnswer { rules, outcome, read }
}

fn read_methods(
    methods: &ListMethods,
    status: u16,
    headers: &[(String, String)],
    body: &[u8],
) -> ExplainedAnswer {
    let exchange = PartnerExchange {
        method: String::new(),
        url: String::new(),
        request_headers: Vec::new(),
        request_body: Vec::new(),
        status,
        response_headers: headers.to_vec(),
        response_body: body.to_vec(),
        curl: String::new(),
    };
    let words = methods.in_words();
    let answer = methods.read(&exchange);
    let found = |index: usize| {
        let answer = answer.as_ref().map_err(Clone::clone)?;
        Ok(match index {
            0 => Some(answer.names.join(", ")),
            1 => answer.lists_klarna().then(|| "among them".to_owned()),
            _ => answer.given.get(index - 2).and_then(|given| given.value.as_ref()).map(Value::to_string),
        })
    };
    let values = words.into_iter().enumerate();
    let read = values.map(|(index, (name, from))| ReadValue { name, from, found: found(index) }).collect();
    ExplainedAnswer { rules: Vec::new(), outcome: None, read }
}
