//! From parsed features to planned scenarios: outlines become rows, backgrounds join the steps.

use std::ops::RangeInclusive;

use super::lint::Report;
use super::prose::nearest;
use super::scenario::{Needs, PlannedStep, Scenario, slug};
use super::source::FeatureFile;
use super::tags::Tag;
use crate::steps::Keyword;

/// One way of filling the placeholders of an outline.
struct Row<'a> {
    names: &'a [String],
    values: &'a [String],
    line: usize,
    tags: &'a [String],
}

/// All scenarios of a feature, in file order.
pub(super) fn scenarios(
    file: &FeatureFile,
    feature: &gherkin::Feature,
    report: &mut Report<'_>,
) -> Vec<Scenario> {
    let mut planned = Vec::new();
    let outer = feature.background.as_ref();
    for scenario in &feature.scenarios {
        expand(file, feature, (&[], [outer, None]), scenario, report, &mut planned);
    }
    for rule in &feature.rules {
        let backgrounds = [outer, rule.background.as_ref()];
        for scenario in &rule.scenarios {
            expand(file, feature, (&rule.tags, backgrounds), scenario, report, &mut planned);
        }
    }
    planned
}

fn expand(
    file: &FeatureFile,
    feature: &gherkin::Feature,
    (ruled, backgrounds): (&[String], [Option<&gherkin::Background>; 2]),
    scenario: &gherkin::Scenario,
    report: &mut Report<'_>,
    planned: &mut Vec<Scenario>,
) {
    let examples = rows(file, scenario);
    let is_outline = !scenario.examples.is_empty();
    if is_outline && examples.is_empty() {
        report.at(
            (scenario.position.line, scenario.position.col),
            format!("the outline \"{}\" has no row of examples", scenario.name),
            "write an Examples table with a header and at least one row",
        );
        return;
    }
    let lines = extent(file, scenario);
    let inherited: Vec<&String> = feature.tags.iter().chain(ruled).chain(&scenario.tags).collect();
    let background_steps = backgrounds.into_iter().flatten().flat_map(|background| &background.steps);
    let steps: Vec<&gherkin::Step> = background_steps.chain(&scenario.steps).collect();
    let id = format!("{}/{}", file.stem, slug(&scenario.name));

    if !is_outline {
        let tags = inherited.into_iter().cloned().collect();
        let steps = steps.iter().map(|step| plan_step(step, |text, _| text.to_owned())).collect();
        planned.push(finish(
            file,
            feature,
            scenario,
            id,
            (scenario.position.line, lines.clone(), lines),
            tags,
            steps,
        ));
        return;
    }
    for (number, row) in examples.iter().enumerate() {
        let tags = inherited.iter().copied().chain(row.tags).cloned().collect();
        let mut filled_in = |text: &str, place: (usize, usize)| fill(text, row, place, number == 0, report);
        let steps = steps.iter().map(|step| plan_step(step, &mut filled_in)).collect();
        let mut filled = scenario.clone();
        filled.name = filled_in(&scenario.name, (scenario.position.line, scenario.position.col));
        let row_lines = row.line..=row.line;
        let id = format!("{id}#{}", number + 1);
        planned.push(finish(file, feature, &filled, id, (row.line, row_lines, lines.clone()), tags, steps));
    }
}

fn finish(
    file: &FeatureFile,
    feature: &gherkin::Feature,
    scenario: &gherkin::Scenario,
    id: String,
    (line, lines, outline_lines): (usize, RangeInclusive<usize>, RangeInclusive<usize>),
    mut tags: Vec<String>,
    steps: Vec<PlannedStep>,
) -> Scenario {
    let mut seen = std::collections::HashSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    let mut duties = Vec::new();
    let mut needs = Needs::default();
    for tag in &tags {
        match Tag::read(tag) {
            Ok(Tag::Duty(duty)) => duties.push(duty),
            Ok(Tag::Capability(capability)) => needs.capabilities.push(capability),
            Ok(Tag::Timing(claim)) => needs.timing.push(claim),
            Ok(Tag::Exclusive) => needs.exclusive = true,
            // Refused tags are reported by the lint.
            Ok(Tag::Document) | Err(_) => {}
        }
    }
    Scenario {
        id,
        file: file.path.clone(),
        line,
        row: lines != outline_lines,
        lines,
        outline_lines,
        feature: feature.name.clone(),
        name: scenario.name.clone(),
        tags,
        duties,
        needs,
        steps,
    }
}

fn rows<'a>(file: &FeatureFile, scenario: &'a gherkin::Scenario) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for examples in &scenario.examples {
        let Some(table) = &examples.table else { continue };
        let Some((names, values)) = table.rows.split_first() else { continue };
        // The parser gives the table's place and no row's: rows are the lines that begin with `|`.
        let mut lines = file
            .text
            .lines()
            .enumerate()
            .skip(examples.position.line)
            .filter(|(_, line)| line.trim_start().starts_with('|'))
            .map(|(index, _)| index + 1)
            .skip(1);
        for values in values {
            let line = lines.next().unwrap_or(examples.position.line);
            rows.push(Row { names, values, line, tags: &examples.tags });
        }
    }
    rows
}

/// From the first tag to the last line that is not blank.
fn extent(file: &FeatureFile, scenario: &gherkin::Scenario) -> RangeInclusive<usize> {
    let lines: Vec<&str> = file.text.lines().collect();
    let line = |number: usize| lines.get(number.wrapping_sub(1)).map_or("", |line| line.trim());
    let mut first = scenario.position.line;
    while first > 1 && (line(first - 1).starts_with('@') || line(first - 1).starts_with('#')) {
        first -= 1;
    }
    let end = scenario.span.end.min(file.text.len());
    let mut last = file.text.get(..end).map_or(lines.len(), |before| before.lines().count());
    while last > scenario.position.line
        && (line(last).is_empty() || line(last).starts_with('@') || line(last).starts_with('#'))
    {
        last -= 1;
    }
    first..=last
}

fn plan_step(step: &gherkin::Step, mut fill: impl FnMut(&str, (usize, usize)) -> String) -> PlannedStep {
    let place = (step.position.line, step.position.col);
    PlannedStep {
        line: step.position.line,
        written: step.keyword.trim().to_owned(),
        keyword: match step.ty {
            gherkin::StepType::Given => Keyword::Given,
            gherkin::StepType::When => Keyword::When,
            gherkin::StepType::Then => Keyword::Then,
        },
        text: fill(&step.value, place),
        doc_string: step.docstring.as_deref().map(|text| fill(between_the_quotes(text), place)),
    }
}

/// A doc string begins and ends with the line breaks beside its quotes.
fn between_the_quotes(text: &str) -> &str {
    let text = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')).unwrap_or(text);
    let text = text.strip_suffix(|character| character == ' ' || character == '\t').unwrap_or(text);
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text)
}

fn fill(text: &str, row: &Row<'_>, place: (usize, usize), complain: bool, report: &mut Report<'_>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once('>') else {
            filled.push('<');
            rest = after;
            continue;
        };
        let value = row.names.iter().position(|known| known == name).and_then(|index| row.values.get(index));
        if let Some(value) = value {
            filled.push_str(value);
            rest = behind;
            continue;
        }
        filled.push('<');
        rest = after;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || " _-".contains(c));
        if is_name && complain {
            let hint = match nearest(name, row.names.iter().map(String::as_str)) {
                Some(known) => format!("did you mean <{known}>?"),
                None => format!("the examples have the columns {}", row.names.join(", ")),
            };
            report.at(place, format!("the examples have no column <{name}>"), hint);
        }
    }
    filled.push_str(rest);
    filled
}
