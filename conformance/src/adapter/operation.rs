//! One abstract operation as an adapter binds it: the request and how its answer is read.

use serde_json::Value;
use serde_saphyr::Spanned;

use super::error::{self, AdapterError};
use super::file::{CallFile, OperationFile};
use super::outcome::{Outcome, Word};
use super::reading::Reads;
use super::request::{Authentication, Request};
use super::rules::Rules;
use super::source::Place;
use super::template::{TemplateError, Templates};

/// A compiled operation.
#[derive(Debug, Clone)]
pub(super) struct Operation<O = Outcome> {
    /// Calls that are made before, in order.
    pub(super) before: Vec<Call<O>>,
    pub(super) request: Request,
    pub(super) rules: Rules<O>,
    /// Where the rules stand, for the complaint that none of them fits.
    pub(super) rules_place: Place,
    pub(super) reads: Reads,
}

/// A call that is made before the one that the operation is about.
#[derive(Debug, Clone)]
pub(super) struct Call<O = Outcome> {
    pub(super) request: Request,
    /// Answers that end the operation here.
    pub(super) rules: Rules<O>,
    pub(super) reads: Reads,
}

impl<O: Word> Call<O> {
    fn compile(file: &CallFile, templates: &mut Templates) -> Result<Self, AdapterError> {
        let source = templates.source();
        let rules = source.sift(Rules::of_answer(source, &file.answer.outcome)).unwrap_or_default();
        let reads = Reads::noting(source, &file.answer.read);
        Ok(Self { rules, reads, request: Request::compile(&file.request, templates)? })
    }
}

impl<O: Word> Operation<O> {
    pub(super) fn compile(
        file: &Spanned<OperationFile>,
        templates: &mut Templates,
    ) -> Result<Self, AdapterError> {
        let answer = &file.value.answer;
        let rules_place: Place = answer.outcome.referenced.into();
        let source = templates.source();
        let rules = Rules::of_answer(source, &answer.outcome.value).and_then(|rules| {
            if !rules.is_empty() {
                return Ok(rules);
            }
            Err(source.complain(
                rules_place,
                "no rule says what an answer means",
                Some(&format!(
                    "outcome: [{{status: 201, is: {}}}]",
                    O::ALL.first().map_or("", |word| word.word())
                )),
            ))
        });
        let rules = source.sift(rules).unwrap_or_default();
        let reads = Reads::noting(source, &answer.read);
        let before = error::all(file.value.before.iter().map(|call| Call::compile(&call.value, templates)))?;
        let request = Request::compile(&file.value.request, templates)?;
        Ok(Self { before, request, rules, rules_place, reads })
    }

    /// Names of all that its answers give, earlier ones included.
    pub(super) fn names_read(&self) -> impl Iterator<Item = &str> {
        self.before.iter().flat_map(|call| call.reads.names()).chain(self.reads.names())
    }

    /// All its calls as they would be made, as lines for a shell.
    pub(super) fn said(
        &self,
        templates: &Templates,
        authentication: &Authentication,
        base_url: &str,
        mut variables: Value,
    ) -> Result<Vec<String>, TemplateError> {
        for name in self.before.iter().flat_map(|call| call.reads.names()) {
            add_call(&mut variables, name, "sample");
        }
        let requests = self.before.iter().map(|call| &call.request).chain([&self.request]);
        requests
            .map(|request| Ok(request.likeness(templates, authentication, base_url, &variables)?.curl()))
            .collect()
    }

    pub(super) fn check(&self, templates: &Templates, sample: &Value) -> Result<(), AdapterError> {
        let mut sample = sample.clone();
        let mut checks = Vec::new();
        for call in &self.before {
            checks.push(call.request.check(templates, &sample));
            for name in call.reads.names() {
                add_call(&mut sample, name, "sample");
            }
        }
        checks.push(self.request.check(templates, &sample));
        error::all(checks).map(drop)
    }
}

/// Adds what an earlier answer gave: `call.<name>`.
pub(super) fn add_call(variables: &mut Value, name: &str, value: &str) {
    let Some(variables) = variables.as_object_mut() else { return };
    let call = variables.entry("call").or_insert_with(|| Value::Object(serde_json::Map::new()));
    if let Some(call) = call.as_object_mut() {
        call.insert(name.to_owned(), Value::from(value));
    }
}
