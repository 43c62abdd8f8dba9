//! Which of the checked scenarios a run takes: `FILE[:LINE]` and `--tags`.

use std::path::PathBuf;

use gherkin::tagexpr::TagOperation;

use super::scenario::Scenario;

/// `FILE` or `FILE:LINE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: Option<usize>,
}

impl Spot {
    /// Reads `FILE[:LINE]`; a colon before anything but digits belongs to the name.
    pub fn read(text: &str) -> Self {
        if let Some((file, line)) = text.rsplit_once(':')
            && let Ok(line) = line.parse()
        {
            return Self { file: file.into(), line: Some(line) };
        }
        Self { file: text.into(), line: None }
    }
}

/// What to take.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only these places; all when empty.
    pub spots: Vec<Spot>,
    /// Only scenarios whose tags fit.
    pub tags: Option<TagOperation>,
}

/// A line that selects nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}:{line}: no scenario stands there\n  hint: {hint}")]
pub struct SelectionError {
    file: String,
    line: usize,
    hint: String,
}

impl Selection {
    /// The selected scenarios, in their order.
    ///
    /// # Errors
    /// When a `FILE:LINE` points outside every scenario of its file.
    pub fn apply(&self, scenarios: Vec<Scenario>) -> Result<Vec<Scenario>, SelectionError> {
        for spot in &self.spots {
            let Some(line) = spot.line else { continue };
            if scenarios.iter().all(|scenario| !at(spot, scenario)) {
                let nearest = scenarios
                    .iter()
                    .filter(|scenario| same_file(spot, scenario))
                    .min_by_key(|scenario| scenario.line.abs_diff(line));
                let hint = nearest.map_or_else(
                    || "the file holds no scenario".to_owned(),
                    |near| format!("the nearest is \"{}\" at line {}", near.name, near.line),
                );
                return Err(SelectionError { file: spot.file.display().to_string(), line, hint });
            }
        }
        let exact: Vec<&Spot> = self
            .spots
            .iter()
            .filter(|spot| scenarios.iter().any(|scenario| scenario.row && on_row(spot, scenario)))
            .collect();
        let wanted = |scenario: &Scenario| {
            self.spots.is_empty()
                || self.spots.iter().any(|spot| {
                    // A line of the examples means that row alone, any other line the whole outline.
                    if exact.contains(&spot) { on_row(spot, scenario) } else { at(spot, scenario) }
                })
        };
        let fits = |scenario: &Scenario| self.tags.as_ref().is_none_or(|tags| holds(tags, &scenario.tags));
        Ok(scenarios.into_iter().filter(|scenario| wanted(scenario) && fits(scenario)).collect())
    }
}

fn same_file(spot: &Spot, scenario: &Scenario) -> bool {
    let asked = spot.file.display().to_string();
    asked.trim_start_matches("./") == scenario.file.trim_start_matches("./")
}

fn on_row(spot: &Spot, scenario: &Scenario) -> bool {
    same_file(spot, scenario) && spot.line.is_some_and(|line| scenario.lines.contains(&line))
}

fn at(spot: &Spot, scenario: &Scenario) -> bool {
    same_file(spot, scenario) && spot.line.is_none_or(|line| scenario.outline_lines.contains(&line))
}

fn holds(expression: &TagOperation, tags: &[String]) -> bool {
    match expression {
        TagOperation::And(one, other) => holds(one, tags) && holds(other, tags),
        TagOperation::Or(one, other) => holds(one, tags) || holds(other, tags),
        TagOperation::Not(inner) => !holds(inner, tags),
        TagOperation::Tag(tag) => tags.iter().any(|known| known == tag),
    }
}
