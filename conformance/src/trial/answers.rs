//! What was read from the acquirer's answers.

use std::collections::BTreeMap;

use super::report::WasRead;
use super::sureness::Sureness;
use crate::adapter::{Adapter, ExplainedAnswer, PartnerExchange};

/// The answers of a payment, each read once more with its reasons.
#[derive(Debug, Default)]
pub(super) struct Answers(Vec<(&'static str, ExplainedAnswer)>);

impl Answers {
    /// Adds an answer to an operation.
    pub(super) fn add(&mut self, adapter: &Adapter, operation: &'static str, exchange: &PartnerExchange) {
        let PartnerExchange { status, response_headers, response_body, .. } = exchange;
        let explained = adapter.explain_answer(operation, *status, response_headers, response_body);
        self.0.extend(explained.ok().map(|answer| (operation, answer)));
    }

    /// What each was understood as, and every name that is read.
    pub(super) fn was_read(&self) -> Vec<WasRead> {
        let decided = self.0.iter().filter(|(_, answer)| !answer.rules.is_empty());
        let outcomes = decided.map(|(operation, answer)| WasRead {
            name: format!("outcome of {operation}"),
            value: answer.outcome.map(|outcome| {
                let rule = answer.rules.last().map_or(0, |rule| rule.number);
                format!("{outcome}, by rule {rule}")
            }),
            sure: Sureness::of(usize::from(answer.outcome.is_some()), 1, || {
                let misses = answer.rules.last().map(|rule| rule.misses.join("; ")).unwrap_or_default();
                format!("no rule fits; the last one does not because {misses}")
            }),
        });
        outcomes.chain(self.names()).collect()
    }

    /// Each name that is read, over all answers that could hold it.
    fn names(&self) -> Vec<WasRead> {
        // Name → what was found, and where nothing was.
        let mut names: BTreeMap<&str, (Vec<String>, Vec<String>)> = BTreeMap::new();
        for (operation, answer) in &self.0 {
            for value in &answer.read {
                let (found, missing) = names.entry(value.name.as_str()).or_default();
                match &value.found {
                    Ok(Some(text)) => found.push(text.clone()),
                    Ok(None) => missing.push(format!("{operation}: nothing at {}", value.from)),
                    Err(why) => missing.push(format!("{operation}: {why}")),
                }
            }
        }
        let read = names.into_iter().map(|(name, (found, missing))| WasRead {
            name: name.to_owned(),
            sure: Sureness::of(found.len(), found.len() + missing.len(), || missing.join("; ")),
            value: found.into_iter().next(),
        });
        read.collect()
    }
}
