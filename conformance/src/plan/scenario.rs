//! A scenario as it is planned: outlines expanded, backgrounds folded in.

use crate::steps::Keyword;

/// One scenario of the plan.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Path without extension, `/`, slug of the name, and `#row` for a row of an outline.
    pub id: String,
    /// Path of the feature file.
    pub file: String,
    /// Line of the scenario, or of the row of its outline.
    pub line: usize,
    /// Lines that select it: from its first tag or keyword to its last line.
    pub lines: std::ops::RangeInclusive<usize>,
    /// Whether `lines` are those of a row, which selects more narrowly than its outline.
    pub row: bool,
    /// Lines of the whole outline, for a row of one.
    pub outline_lines: std::ops::RangeInclusive<usize>,
    /// Name of the feature.
    pub feature: String,
    /// Name as written, placeholders filled.
    pub name: String,
    /// Tags without `@`, of feature, rule, scenario and examples.
    pub tags: Vec<String>,
    /// Duties that it shows.
    pub duties: Vec<String>,
    /// What it needs.
    pub needs: Needs,
    /// Steps in order.
    pub steps: Vec<PlannedStep>,
}

/// What a scenario asks of acquirer and run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Capabilities that the adapter must claim.
    pub capabilities: Vec<String>,
    /// Claims about its own clocks that the adapter must make, of [`crate::adapter::Timing::CLAIMS`].
    pub timing: Vec<String>,
    /// Whether it must run alone.
    pub exclusive: bool,
}

/// One step of a planned scenario.
#[derive(Debug, Clone)]
pub struct PlannedStep {
    /// Line in the file.
    pub line: usize,
    /// Keyword as written, e.g. `And`.
    pub written: String,
    /// What it counts as.
    pub keyword: Keyword,
    /// Text, placeholders filled.
    pub text: String,
    /// The doc string, its first and last line break taken off.
    pub doc_string: Option<String>,
}

/// What becomes of a selected scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// It runs.
    Run,
    /// It does not apply to this acquirer, for this reason.
    NotApplicable(String),
}

impl Scenario {
    /// Whether it runs against an acquirer, by why it does not claim a capability, and by the timing
    /// that it claims.
    pub fn disposition(
        &self,
        why_not: impl Fn(&str) -> Option<String>,
        claims_timing: impl Fn(&str) -> bool,
    ) -> Disposition {
        if let Some(reason) = self.needs.capabilities.iter().find_map(|capability| why_not(capability)) {
            return Disposition::NotApplicable(reason);
        }
        if let Some(missing) = self.needs.timing.iter().find(|claim| !claims_timing(claim)) {
            return Disposition::NotApplicable(format!("the adapter does not claim timing.{missing}"));
        }
        Disposition::Run
    }

    /// The command that repeats it alone.
    pub fn repeat_command(&self, rest: &str) -> String {
        format!("klarna-conformance run {}:{}{rest}", self.file, self.line)
    }
}

/// A name as it stands in an id: lower-case words joined by `-`, without the placeholders of an
/// outline, whose rows are told apart by number.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    let mut in_placeholder = false;
    for character in name.chars().flat_map(char::to_lowercase) {
        in_placeholder = (in_placeholder || character == '<') && character != '>';
        if in_placeholder {
            continue;
        }
        if character.is_alphanumeric() {
            slug.push(character);
        } else if character != '\'' && !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain() {
        assert_eq!(slug("Klarna approves: at once!"), "klarna-approves-at-once");
        assert_eq!(slug("The Partner's token"), "the-partners-token");
        assert_eq!(slug("Byte for byte: <peculiarity>"), "byte-for-byte");
    }
}
