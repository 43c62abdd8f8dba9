//! A mistake in a feature file: where, what, what to do.

use std::fmt;
use std::sync::Arc;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path of the feature file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong, in one line.
    pub what: String,
    /// How to mend it, in one line; empty when there is nothing to add.
    pub hint: String,
    text: Arc<str>,
}

impl Problem {
    /// A mistake at a place of `file`, whose `text` is shown beside it.
    pub fn new(
        (file, text): (&str, &Arc<str>),
        (line, column): (usize, usize),
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            line,
            column: column.max(1),
            what: what.into(),
            hint: hint.into(),
            text: Arc::clone(text),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.what)?;
        write!(f, "  --> {}:{}:{}", self.file, self.line, self.column)?;
        if let Some(source) = self.line.checked_sub(1).and_then(|index| self.text.lines().nth(index)) {
            let number = self.line.to_string();
            let gutter = " ".repeat(number.len());
            let lead: String = source
                .chars()
                .take(self.column - 1)
                .map(|character| if character == '\t' { '\t' } else { ' ' })
                .collect();
            write!(f, "\n{gutter} |\n{number} | {source}\n{gutter} | {lead}^")?;
        }
        if !self.hint.is_empty() {
            write!(f, "\n  hint: {}", self.hint)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_the_place() {
        let text: Arc<str> = "Feature: x\n  Scenario: y\n".into();
        let problem = Problem::new(("a.feature", &text), (2, 3), "no steps", "write some");
        assert_eq!(
            problem.to_string(),
            "error: no steps\n  --> a.feature:2:3\n  |\n2 |   Scenario: y\n  |   ^\n  hint: write some"
        );
    }
}
