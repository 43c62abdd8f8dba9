//! One abstract operation as an adapter binds it: the request and how its answer is read.

use serde_json::Value;
use serde_saphyr::Spanned;

use super::error::AdapterError;
use super::file::OperationFile;
use super::reading::Reads;
use super::request::Request;
use super::rules::Rules;
use super::source::Place;
use super::template::Templates;

/// A compiled operation.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) request: Request,
    pub(super) rules: Rules,
    /// Where the rules stand, for the complaint that none of them fits.
    pub(super) rules_place: Place,
    pub(super) reads: Reads,
}

impl Operation {
    pub(super) fn compile(
        file: &Spanned<OperationFile>,
        templates: &mut Templates,
    ) -> Result<Self, AdapterError> {
        let answer = &file.value.answer;
        let rules_place: Place = answer.outcome.referenced.into();
        let rules = Rules::of_answer(templates.source(), &answer.outcome.value)?;
        if rules.is_empty() {
            return Err(templates.source().complain(
                rules_place,
                "no rule says what an answer means",
                Some("outcome: [{status: 201, is: approved}]"),
            ));
        }
        let reads = Reads::compile(templates.source(), &answer.read)?;
        let request = Request::compile(&file.value.request, templates)?;
        Ok(Self { request, rules, rules_place, reads })
    }

    pub(super) fn check(&self, templates: &Templates, sample: &Value) -> Result<(), AdapterError> {
        self.request.check(templates, sample)
    }
}
