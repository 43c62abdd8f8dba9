//! The rules file: read, with the place of each mistake.

mod tree;

use std::fmt;
use std::path::Path;

use klarna_schemas::catalogue::{self, Violation};
use klarna_schemas::klarna::webhook::EVENT_TYPES;
use klarna_schemas::nearest::nearest;
use klarna_schemas::simulator::control::WebhookWish;
use klarna_schemas::simulator::rules::{Rule, RulesFile};
use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};

use crate::api::operations::OPERATIONS;
use crate::behaviour::evolution::Evolved;
use crate::behaviour::known_fields;
use crate::behaviour::mistake::Mistake;
use crate::behaviour::rule_check::{self, KnownOperation};
use crate::behaviour::rules::Rules;
use crate::notify::Manner;
use crate::pattern::fits;
use tree::{Located, Place};

/// The schema of the file.
const SCHEMA: &str = "simulator/rules-file";
/// What to write where no rules are meant.
const EMPTY: &str = "a file without rules says `version: 1` (in TOML `version = 1`)";
/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// What rules may name.
static VOCABULARY: std::sync::LazyLock<Vec<KnownOperation>> = std::sync::LazyLock::new(|| {
    let known = |operation: &crate::api::operations::Operation| KnownOperation {
        id: operation.id,
        body: operation.request,
        is_of_a_partner: operation.is_of_a_partner(),
    };
    OPERATIONS.iter().map(known).collect()
});

/// What is wrong with a rules file: everything, each with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesError {
    file: String,
    text: String,
    complaints: Vec<Complaint>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Complaint {
    /// Line and column from 1; 0 where the file as a whole is meant.
    place: Place,
    message: String,
    hint: String,
}

/// One complaint as `miette` shows it: with the line.
#[derive(Debug)]
struct Shown {
    complaint: Complaint,
    source: NamedSource<String>,
    span: Option<SourceSpan>,
    at: String,
}

/// Whether the text is TOML or YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Toml,
    Yaml,
}

/// Reads a rules file.
///
/// # Errors
/// When it cannot be read, or with all that is wrong with it.
pub(crate) fn read(path: &Path) -> Result<Rules, RulesError> {
    let file = path.display().to_string();
    let refuse = |message: String, hint: &str| {
        let complaint = Complaint { place: Place::default(), message, hint: hint.to_owned() };
        RulesError { file: file.clone(), text: String::new(), complaints: vec![complaint] }
    };
    let format = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => Format::Toml,
        Some("yaml" | "yml") => Format::Yaml,
        _ => {
            let message = "the name of a rules file ends in .toml, .yaml or .yml".to_owned();
            return Err(refuse(message, "rename it"));
        }
    };
    let length = std::fs::metadata(path).map_or(0, |about| about.len());
    if length > MAX_BYTES {
        return Err(refuse(format!("the file has more than {MAX_BYTES} bytes"), "a thousand rules fit"));
    }
    match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => parse(&file, &text, format),
        Ok(Err(_)) => Err(refuse("the file is not UTF-8".to_owned(), "save it as UTF-8")),
        Err(error) => {
            Err(refuse(format!("the file cannot be read: {error}"), "see whether the path is right"))
        }
    }
}

/// Rules that came as JSON, by the control API.
///
/// # Errors
/// All that is wrong with them.
pub(crate) fn check(file: &RulesFile) -> Result<Rules, Vec<Mistake>> {
    let rules = rule_check::check(&file.rules, &VOCABULARY)?;
    let mistakes: Vec<Mistake> =
        file.rules.iter().enumerate().flat_map(|(index, rule)| wishes(index, rule)).collect();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(rules.in_a_klarna(Evolved::new(file.evolution.clone())))
}

/// What is wrong with the wishes of one rule for webhooks.
fn wishes(index: usize, rule: &Rule) -> Vec<Mistake> {
    let then = rule.then.iter().map(|then| (format!("/rules/{index}/then"), then));
    let chances = rule.one_of.iter().enumerate();
    let chances = chances.map(|(chance, one)| (format!("/rules/{index}/one_of/{chance}/then"), &one.then));
    then.chain(chances).flat_map(|(at, then)| check_wishes(&then.webhooks, &at)).collect()
}

/// What is wrong with wishes for webhooks: names of no event, and words that contradict each other.
pub(crate) fn check_wishes(wishes: &[WebhookWish], at: &str) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (index, wish) in wishes.iter().enumerate() {
        let place = |member: &str| format!("{at}/webhooks/{index}/{member}");
        mistakes.extend(check_event_type(&wish.event_type, &place("event_type")));
        if let Err(why) = Manner::of_wish(wish) {
            let hint = "docs/webhooks.md says what goes together".to_owned();
            mistakes.push(Mistake { at: place("misbehaviour"), message: why.to_owned(), hint });
        }
    }
    mistakes
}

/// What is wrong with the name of events to come, or a pattern of such: there is none that fits it.
pub(crate) fn check_event_type(pattern: &str, at: &str) -> Option<Mistake> {
    if EVENT_TYPES.iter().any(|known| fits(pattern, known)) {
        return None;
    }
    let hint = match nearest(pattern.trim_end_matches('*'), EVENT_TYPES) {
        Some(meant) => format!("did you mean {meant}? A * at the end matches any rest"),
        None => "such as payment.request.state-change.completed, or payment.*".to_owned(),
    };
    let message = format!("there is no event {pattern:?}, so this can never befall one");
    Some(Mistake { at: at.to_owned(), message, hint })
}

/// Refuses the name of an operation that no rule can be for.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_operation(name: &str) -> Result<(), Mistake> {
    rule_check::check_name(name, "/operation", &VOCABULARY).map_or(Ok(()), Err)
}

fn parse(file: &str, text: &str, format: Format) -> Result<Rules, RulesError> {
    let located = match format {
        Format::Toml => tree::of_toml(text),
        Format::Yaml => tree::of_yaml(text),
    };
    let failed = |complaints| RulesError { file: file.to_owned(), text: text.to_owned(), complaints };
    let located = located.map_err(|complaint| failed(vec![complaint]))?;
    // Rather a file that is being written, or the wrong one, than no rules at all.
    if located.is_empty() {
        let complaint = Complaint::new(Place::default(), "there is nothing in this file", EMPTY);
        return Err(failed(vec![complaint]));
    }
    let violations = catalogue::check(SCHEMA, &located.value).unwrap_or_default();
    if !violations.is_empty() {
        return Err(failed(violations.iter().map(|violation| complaint(&located, violation)).collect()));
    }
    let read: RulesFile = serde_path_to_error::deserialize(&located.value).map_err(|error| {
        let place = located.place_of_parameter(&error.path().to_string());
        failed(vec![Complaint::new(place, error.inner().to_string(), "see docs/rules.md")])
    })?;
    check(&read).map_err(|mistakes| {
        let complaint =
            |mistake: Mistake| Complaint::new(located.place(&mistake.at), mistake.message, mistake.hint);
        failed(mistakes.into_iter().map(complaint).collect())
    })
}

fn complaint(located: &Located, violation: &Violation) -> Complaint {
    let Violation { parameter, reason, .. } = violation;
    let place = located.place_of_parameter(parameter);
    let what = if parameter == "$" { "the file" } else { parameter };
    let hint = known_fields::meant(SCHEMA, parameter, &located.value);
    Complaint::new(place, format!("{what}: {reason}"), hint.unwrap_or_else(|| "see docs/rules.md".to_owned()))
}

impl Complaint {
    fn new(place: Place, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { place, message: message.into(), hint: hint.into() }
    }
}

impl RulesError {
    fn at(&self, place: Place) -> String {
        match place.line {
            0 => self.file.clone(),
            line => format!("{}:{line}:{}", self.file, place.column),
        }
    }
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, complaint) in self.complaints.iter().enumerate() {
            let Complaint { place, message, hint } = complaint;
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{}: {message}\n  hint: {hint}", self.at(*place))?;
        }
        Ok(())
    }
}

impl std::error::Error for RulesError {}

impl RulesError {
    /// Each complaint with the line that it is about, for a person.
    pub fn reports(&self) -> impl Iterator<Item = miette::Report> + '_ {
        self.complaints.iter().map(|complaint| {
            let Place { line, column, offset } = complaint.place;
            miette::Report::new(Shown {
                complaint: complaint.clone(),
                source: NamedSource::new(&self.file, self.text.clone()),
                span: (line > 0 && column > 0).then(|| SourceSpan::from((offset.min(self.text.len()), 1))),
                at: self.at(complaint.place),
            })
        })
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.complaint.message)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.complaint.hint))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.span.is_some().then_some(&self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some("here".to_owned()), span))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str, format: Format) -> Vec<String> {
        match parse("rules", text, format) {
            Ok(_) => Vec::new(),
            Err(error) => error.to_string().lines().map(str::to_owned).collect(),
        }
    }

    const TOML: &str = "version = 1\n\n[[rules]]\nname = \"a\"\nwhen = { body = { \"$.curency\" = \"SEK\" } }\nthen = { result = \"DECLINED\" }\n";
    const YAML: &str = "version: 1\nrules:\n  - name: a\n    when: {body: {$.curency: SEK}}\n    then:\n      result: DECLINED\n";

    #[test]
    fn the_same_mistake_is_found_in_both_forms_at_its_place() {
        let toml = complaints(TOML, Format::Toml);
        assert!(toml[0].starts_with("rules:5:19: there is no field curency in $"), "{toml:?}");
        assert!(toml[1].contains("did you mean currency?"), "{toml:?}");
        let yaml = complaints(YAML, Format::Yaml);
        assert!(yaml[0].starts_with("rules:4:19: there is no field curency in $"), "{yaml:?}");
    }

    #[test]
    fn what_was_likely_meant_is_said() {
        for (rule, meant) in [
            ("name: a\n    than: {result: DECLINED}", "did you mean then?"),
            ("name: a\n    then: {result: DECLIND}", "did you mean DECLINED?"),
            ("name: a\n    then: {fault: {kind: stal}}", "did you mean stall?"),
            ("name: a\n    then: {customer: {act: aprove}}", "did you mean approve?"),
            ("name: a\n    then: {customer: [{act: aprove}]}", "did you mean approve?"),
            ("name: a\n    when: {on: finall}\n    then: {result: DECLINED}", "did you mean final?"),
            (
                "name: a\n    when: {body: {currency: {mn: 4}}}\n    then: {result: DECLINED}",
                "did you mean min?",
            ),
            (
                "name: a\n    then: {webhooks: [{event_type: '*', misbehaviour: [dublicate]}]}",
                "did you mean duplicate?",
            ),
        ] {
            let found = complaints(&format!("version: 1\nrules:\n  - {rule}\n"), Format::Yaml).join("\n");
            assert!(found.contains(meant), "{rule}: {found}");
        }
        let found = complaints("version: 1\nevolution: [extra_field]\n", Format::Yaml).join("\n");
        assert!(found.contains("did you mean extra_fields?"), "{found}");
    }

    #[test]
    fn sound_rules_are_read_from_both_forms() {
        for (text, format) in [(TOML, Format::Toml), (YAML, Format::Yaml)] {
            let text = text.replace("curency", "currency");
            assert_eq!(parse("rules", &text, format).map(|rules| rules.len()).unwrap(), 1);
        }
        assert!(parse("rules", "version = 1", Format::Toml).is_ok());
    }

    #[test]
    fn what_cannot_be_read_has_its_place_too() {
        for (text, format, starts, says) in [
            ("version = 1\nrules = [", Format::Toml, "rules:2:", ""),
            ("version: 1\nrules: [", Format::Yaml, "rules:", ""),
            ("version = 2", Format::Toml, "rules:1:", "version"),
            ("", Format::Toml, "rules: ", "nothing in this file"),
            ("# none\n", Format::Yaml, "rules: ", "nothing in this file"),
            ("- a\n", Format::Yaml, "rules:1:", "the file: must be an object"),
            (
                "version: 1\n---\nversion: 1\n",
                Format::Yaml,
                "rules:3:1: multiple YAML documents detected",
                "",
            ),
            ("version: 1\nrules:\n- name: a\n  than: {}\n", Format::Yaml, "rules:4:", "than"),
            ("version: 1\nrules:\n- name: a\n  then: {result: MAYBE}\n", Format::Yaml, "rules:4:", "result"),
            ("version: 1\nrules:\n- name: a\n  name: b\n", Format::Yaml, "rules:4:", ""),
            ("version = 1\n[[rules]]\nname = \"a\"\nname = \"b\"\n", Format::Toml, "rules:4:", ""),
            (
                "version = 1\n[[rules]]\nname = 5\nthen = {result = \"APPROVED\"}\n",
                Format::Toml,
                "rules:3:",
                "name",
            ),
        ] {
            let found = complaints(text, format);
            assert!(found[0].starts_with(starts) && found[0].contains(says), "{text}: {found:?}");
        }
    }
}
