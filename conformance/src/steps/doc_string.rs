//! What stands below a step, read before anything is started: a slip in it is one of the feature.

use klarna_schemas::simulator::control::{ArmFault, CustomerScript, JournalQuery};
use klarna_schemas::simulator::rules::RulesFile;
use serde::de::DeserializeOwned;

use crate::world::Failure;

/// Members of a journal query that say how much of it is wanted and when, and nothing about an entry: a step
/// awaits the entries of its own scenario.
pub const PAGING: [&str; 5] = ["after", "epoch", "limit", "min", "wait_ms"];

/// Why a doc string cannot be read, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Line of the doc string, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// In words.
    pub why: String,
}

impl From<Unreadable> for Failure {
    fn from(Unreadable { line, column, why }: Unreadable) -> Self {
        Self::misused(&format!("line {line}, column {column} of the doc string: {why}"))
    }
}

/// Text that is passed on as it is.
#[expect(clippy::unnecessary_wraps, reason = "one shape for every doc string")]
pub(super) fn anything(_: &str) -> Result<(), Unreadable> {
    Ok(())
}

/// Rules, as docs/rules.md has them.
pub(super) fn rules(text: &str) -> Result<RulesFile, Unreadable> {
    yaml(text)
}

/// What the customer does, as `customer` in docs/rules.md has it.
pub(super) fn script(text: &str) -> Result<CustomerScript, Unreadable> {
    yaml(text)
}

/// A fault, as docs/faults.md has it.
pub(super) fn fault(text: &str) -> Result<ArmFault, Unreadable> {
    yaml(text)
}

/// Conditions of an entry, as docs/journal.md has them.
pub(super) fn conditions(text: &str) -> Result<JournalQuery, Unreadable> {
    let query: JournalQuery = yaml(text)?;
    let asked = serde_json::to_value(&query).unwrap_or_default();
    let Some(paging) = PAGING.iter().find(|name| asked.get(name).is_some()) else { return Ok(query) };
    let line = text.lines().position(|line| line.contains(paging)).map_or(1, |index| index + 1);
    let why = format!("the step looks for an entry of this scenario: leave {paging} out");
    Err(Unreadable { line, column: 1, why })
}

fn yaml<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        let number = |number: u64| usize::try_from(number).unwrap_or(1);
        let (line, column) =
            error.location().map_or((1, 1), |place| (number(place.line()), number(place.column())));
        let told = error.to_string();
        // The place stands beside it.
        let why = told.strip_suffix(&format!(" at line {line}, column {column}")).unwrap_or(&told);
        Unreadable { line, column, why: why.to_owned() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_with_its_place() {
        let slip = rules("rules:\n  - name: a\n    than: {}").unwrap_err();
        assert_eq!((slip.line, slip.column), (3, 5), "{slip:?}");
        assert!(slip.why.starts_with("unknown field `than`"), "{slip:?}");
        assert!(script("- {act: aprove}").unwrap_err().why.contains("expected one of open, approve"));
        assert!(fault("{operation: authorize, kind: status, status: 99}").is_err());
        let slip = conditions("operation: authorize\nmin: 2").unwrap_err();
        assert_eq!((slip.line, slip.why.ends_with("leave min out")), (2, true), "{slip:?}");
        assert!(conditions("operation: authorize\npayment: this").is_ok());
    }
}
