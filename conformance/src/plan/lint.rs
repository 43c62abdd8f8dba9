//! Reads features and refuses what would run as something other than it says.
//!
//! Gherkin forgives much: a mistyped keyword becomes prose, a scenario without steps passes, an
//! unknown step is skipped. A suite that judges others may not be so easily pleased.

use std::collections::HashMap;

use super::expand;
use super::problem::Problem;
use super::prose;
use super::scenario::{PlannedStep, Scenario};
use super::source::FeatureFile;
use super::tags::Tag;
use crate::steps::{self, Argument, Found};

/// What a set of feature files comes to.
#[derive(Debug, Default)]
pub struct Checked {
    /// The scenarios, in order.
    pub scenarios: Vec<Scenario>,
    /// The mistakes, in order; nothing may be started while there are any.
    pub problems: Vec<Problem>,
}

/// Collects the mistakes of one file.
#[derive(Debug)]
pub(super) struct Report<'a> {
    file: &'a FeatureFile,
    problems: Vec<Problem>,
}

impl Report<'_> {
    pub(super) fn at(&mut self, place: (usize, usize), what: impl Into<String>, hint: impl Into<String>) {
        let problem = Problem::new((&self.file.path, &self.file.text), place, what, hint);
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

/// Reads and checks feature files.
pub fn check(files: &[FeatureFile]) -> Checked {
    let mut checked = Checked::default();
    let mut ids: HashMap<String, String> = HashMap::new();
    for file in files {
        let mut report = Report { file, problems: Vec::new() };
        if let Some(feature) = parse(file, &mut report) {
            check_raw(file, &mut report);
            check_descriptions(file, &feature, &mut report);
            check_tags(file, &feature, &mut report);
            let scenarios = expand::scenarios(file, &feature, &mut report);
            check_shape(&feature, &mut report);
            for scenario in &scenarios {
                check_steps(file, scenario, &mut report);
                let place = format!("{}:{}", scenario.file, scenario.line);
                if let Some(first) = ids.insert(scenario.id.clone(), place) {
                    report.at(
                        (scenario.line, 1),
                        format!("the scenario id \"{}\" is taken", scenario.id),
                        format!("{first} has the same name; give one of them another"),
                    );
                }
            }
            checked.scenarios.extend(scenarios);
        }
        report.problems.sort_by_key(|problem| (problem.line, problem.column));
        checked.problems.append(&mut report.problems);
    }
    checked
}

fn parse(file: &FeatureFile, report: &mut Report<'_>) -> Option<gherkin::Feature> {
    match gherkin::Feature::parse(&*file.text, gherkin::GherkinEnv::default()) {
        Ok(feature) => Some(feature),
        Err(error) => {
            let (line, what, hint) = explain_parse_error(file, line_in(&error.to_string()));
            report.at((line, indent(file, line) + 1), what, hint);
            None
        }
    }
}

/// The parser keeps its position to itself, but prints it: the first number is the line. Its column
/// is where it gave up, which helps nobody.
fn line_in(message: &str) -> usize {
    let mut numbers = message.split(|character: char| !character.is_ascii_digit());
    numbers.find_map(|digits| digits.parse().ok()).unwrap_or(1)
}

/// Characters before the text of a line, given from 1.
fn indent(file: &FeatureFile, line: usize) -> usize {
    let text = file.text.lines().nth(line.wrapping_sub(1)).unwrap_or_default();
    text.chars().take_while(|character| character.is_whitespace()).count()
}

/// The line that is at fault, and why, as well as can be told from the text around it.
fn explain_parse_error(file: &FeatureFile, line: usize) -> (usize, String, String) {
    let lines: Vec<&str> = file.text.lines().collect();
    if lines.iter().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return (1, "this file holds no feature".to_owned(), "begin it with \"Feature: …\"".to_owned());
    }
    let trimmed = |number: usize| lines.get(number.wrapping_sub(1)).map_or("", |line| line.trim());
    // The parser's line can be one too far.
    for candidate in [line, line.saturating_sub(1)] {
        let text = trimmed(candidate);
        if text.is_empty() || text.starts_with(['#', '@']) {
            continue;
        }
        if text.starts_with('|') {
            return (
                candidate,
                "this table cannot be read".to_owned(),
                "every row needs the same number of cells; in a cell, write \\| for |, \\n for a line break and \\\\ for \\"
                    .to_owned(),
            );
        }
        let word = text.split_whitespace().next().unwrap_or_default().trim_end_matches(':');
        let keywords =
            ["Feature", "Rule", "Background", "Scenario", "Examples", "Given", "When", "Then", "And", "But"];
        if keywords.contains(&word) {
            continue;
        }
        let hint = prose::nearest(word, keywords)
            .map(|keyword| format!("did you mean {keyword}?"))
            .unwrap_or_default();
        return (candidate, format!("\"{word}\" is no Gherkin keyword that fits here"), hint);
    }
    (line, "this is not Gherkin".to_owned(), "see https://cucumber.io/docs/gherkin/reference".to_owned())
}

/// What the parser drops before anybody could object.
fn check_raw(file: &FeatureFile, report: &mut Report<'_>) {
    let mut open: Option<&str> = None;
    for (index, line) in file.text.lines().enumerate() {
        let text = line.trim_start();
        let place = (index + 1, line.chars().count() - text.chars().count() + 1);
        let quotes = ["\"\"\"", "```"].into_iter().find(|quotes| text.starts_with(quotes));
        match (open, quotes) {
            (Some(opened), Some(closing)) if opened == closing => open = None,
            (None, Some(opening)) => {
                open = Some(opening);
                let media_type = text.trim_start_matches(opening).trim();
                if !media_type.is_empty() {
                    report.at(
                        place,
                        format!("the doc string names the media type \"{media_type}\""),
                        "it would become part of the text: leave it out",
                    );
                }
            }
            (None, None) if text.starts_with("* ") => report.at(
                place,
                "a step begins with \"*\"",
                "write Given, When, Then, And or But, so that a reader knows what it is",
            ),
            _ => {}
        }
    }
}

/// A mistyped keyword turns a step into prose, and the scenario passes.
fn check_descriptions(file: &FeatureFile, feature: &gherkin::Feature, report: &mut Report<'_>) {
    let mut described: Vec<(usize, Option<&String>)> = Vec::new();
    described.push((feature.position.line, feature.description.as_ref()));
    let ruled_backgrounds = feature.rules.iter().filter_map(|rule| rule.background.as_ref());
    for background in feature.background.iter().chain(ruled_backgrounds) {
        described.push((background.position.line, background.description.as_ref()));
    }
    for rule in &feature.rules {
        described.push((rule.position.line, rule.description.as_ref()));
    }
    let ruled = feature.rules.iter().flat_map(|rule| &rule.scenarios);
    for scenario in feature.scenarios.iter().chain(ruled) {
        described.push((scenario.position.line, scenario.description.as_ref()));
        for examples in &scenario.examples {
            described.push((examples.position.line, examples.description.as_ref()));
        }
    }
    let described = described.into_iter().filter_map(|(line, text)| Some((line, text?)));
    for (start, description) in described {
        for line in description.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let meant = prose::meant_keyword(line);
            let rest = line.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim());
            if meant.is_none() && !steps::reads_as_a_step(rest) {
                continue;
            }
            let found = file.text.lines().enumerate().skip(start).find(|(_, text)| text.trim() == line);
            let (number, text) = found.map_or((start, ""), |(index, text)| (index + 1, text));
            let column = text.chars().take_while(|character| character.is_whitespace()).count() + 1;
            let word = line.split_whitespace().next().unwrap_or_default();
            let hint = meant.map_or_else(
                || "begin it with Given, When, Then, And or But".to_owned(),
                |keyword| format!("did you mean {keyword}? If it is prose, begin it with another word"),
            );
            report.at(
                (number, column),
                format!("this line is prose to Gherkin, and looks like a step: it begins with \"{word}\""),
                hint,
            );
        }
    }
}

fn check_shape(feature: &gherkin::Feature, report: &mut Report<'_>) {
    let ruled = feature.rules.iter().flat_map(|rule| &rule.scenarios);
    let scenarios: Vec<_> = feature.scenarios.iter().chain(ruled).collect();
    if scenarios.is_empty() {
        report.at(
            (feature.position.line, feature.position.col),
            format!("the feature \"{}\" holds no scenario", feature.name),
            "a file without scenarios would pass and show nothing",
        );
    }
    for scenario in scenarios {
        let place = (scenario.position.line, scenario.position.col);
        if scenario.name.trim().is_empty() {
            report.at(place, "this scenario has no name", "its id is made from its name");
        }
        if scenario.steps.is_empty() {
            report.at(
                place,
                format!("the scenario \"{}\" has no steps", scenario.name),
                "it would pass and show nothing",
            );
        }
        let says_outline = scenario.keyword.trim() != "Scenario" && scenario.keyword.trim() != "Example";
        if says_outline && scenario.examples.is_empty() {
            report.at(
                place,
                format!("the outline \"{}\" has no examples", scenario.name),
                "it would run once with its placeholders unfilled: add an Examples table",
            );
        }
    }
}

fn check_tags(file: &FeatureFile, feature: &gherkin::Feature, report: &mut Report<'_>) {
    let ruled = feature.rules.iter().flat_map(|rule| &rule.scenarios);
    let scenarios = feature.scenarios.iter().chain(ruled);
    let examples = scenarios.clone().flat_map(|scenario| &scenario.examples).map(|examples| &examples.tags);
    let all = std::iter::once(&feature.tags)
        .chain(feature.rules.iter().map(|rule| &rule.tags))
        .chain(scenarios.map(|scenario| &scenario.tags))
        .chain(examples);
    let mut known: Vec<&String> = all.flatten().collect();
    known.sort();
    known.dedup();
    for tag in known {
        if let Err(refused) = Tag::read(tag) {
            for place in places_of_tag(file, tag) {
                report.at(place, refused.what.clone(), refused.hint.clone());
            }
        }
    }
}

/// The parser keeps no place of a tag.
fn places_of_tag(file: &FeatureFile, tag: &str) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        if !line.trim_start().starts_with('@') {
            continue;
        }
        let mut offset = 0;
        for word in line.split_whitespace() {
            let Some(found) = line.get(offset..).and_then(|rest| rest.find(word)) else { break };
            let at = offset + found;
            offset = at + word.len();
            if word.strip_prefix('@') == Some(tag) {
                places.push((index + 1, line.get(..at).unwrap_or_default().chars().count() + 1));
            }
        }
    }
    places
}

fn check_steps(file: &FeatureFile, scenario: &Scenario, report: &mut Report<'_>) {
    for step in &scenario.steps {
        let place = (step.line, indent(file, step.line) + 1);
        match steps::find(step.keyword, &step.text) {
            Found::One { definition, .. } => check_argument(file, step, definition.argument, report),
            Found::Several(expressions) => report.at(
                place,
                format!("{} steps read \"{}\"", expressions.len(), step.text),
                format!("they are: {}", expressions.join("; ")),
            ),
            Found::None => {
                let near = steps::nearest(step.keyword, &step.text);
                let hint = match (steps::misfit(step.keyword, &step.text), near) {
                    (Some(misfit), _) => misfit,
                    (None, Some((keyword, example))) if keyword == step.keyword => {
                        format!("did you mean \"{keyword} {example}\"?")
                    }
                    (None, Some((keyword, example))) => format!(
                        "there is \"{keyword} {example}\": it is a {keyword} step, and here stands a {}",
                        step.keyword
                    ),
                    (None, None) => "`klarna-conformance steps` lists every step".to_owned(),
                };
                report.at(place, format!("no step reads \"{} {}\"", step.keyword, step.text), hint);
            }
        }
    }
}

fn check_argument(file: &FeatureFile, step: &PlannedStep, argument: Argument, report: &mut Report<'_>) {
    let place = (step.line, indent(file, step.line) + 1);
    match (argument, &step.doc_string) {
        (Argument::DocString { reads, page, .. }, Some(text)) => {
            let Err(slip) = reads(text) else { return };
            // The text begins on the line behind the quotes, and as far to the right as these.
            let quotes = step.line + 1;
            let place = (quotes + slip.line, indent(file, quotes) + slip.column);
            report.at(place, slip.why, format!("see {page}"));
        }
        (Argument::DocString { .. }, None) => report.at(
            place,
            "this step needs a doc string",
            "write the text on the next lines, between two lines of \"\"\"",
        ),
        (Argument::None, Some(_)) => {
            report.at(place, "this step takes no doc string", "take the text below it away");
        }
        _ => {}
    }
}
