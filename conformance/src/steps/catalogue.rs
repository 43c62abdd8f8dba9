//! All steps, and how a line of a feature finds its own.

use std::sync::LazyLock;

use regex::Regex;

use super::definition::{Definition, Keyword};
use super::expression::Misfit;
use super::{
    acquirer, behaviour, customer, events, expression, follow_ups, journal, klarna, methods, partner,
    registrations, trouble,
};

/// A step with its compiled expression.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) definition: &'static Definition,
    pub(crate) regex: Regex,
}

static COMPILED: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    all()
        .filter_map(|definition| {
            // A test compiles every expression, so none is lost here.
            let regex = expression::compile(definition.expression).ok()?;
            Some(Compiled { definition, regex })
        })
        .collect()
});

/// What a line of a feature found.
#[derive(Debug)]
pub enum Found {
    /// No step.
    None,
    /// Its step, and what the parameters took.
    One {
        /// The step.
        definition: &'static Definition,
        /// What the parameters took.
        captures: Vec<String>,
    },
    /// More than one: a mistake of the vocabulary.
    Several(Vec<&'static str>),
}

/// Every step, by voice.
pub fn all() -> impl Iterator<Item = &'static Definition> {
    [
        methods::STEPS,
        partner::STEPS,
        customer::STEPS,
        klarna::STEPS,
        behaviour::STEPS,
        journal::STEPS,
        trouble::STEPS,
        follow_ups::STEPS,
        events::STEPS,
        registrations::STEPS,
        acquirer::STEPS,
    ]
    .into_iter()
    .flatten()
}

/// Every step with its regular expression.
pub(crate) fn compiled() -> &'static [Compiled] {
    &COMPILED
}

/// The step that a line means.
pub fn find(keyword: Keyword, text: &str) -> Found {
    let mut matching = COMPILED.iter().filter(|step| step.definition.keyword == keyword).filter_map(|step| {
        let captures = step.regex.captures(text)?;
        let captures = captures.iter().skip(1).flatten().map(|group| group.as_str().to_owned()).collect();
        Some((step.definition, captures))
    });
    let Some((definition, captures)) = matching.next() else { return Found::None };
    let others: Vec<&'static str> = matching.map(|(other, _)| other.expression).collect();
    if others.is_empty() {
        return Found::One { definition, captures };
    }
    Found::Several(std::iter::once(definition.expression).chain(others).collect())
}

/// Whether a text is a step of any keyword.
pub fn reads_as_a_step(text: &str) -> bool {
    COMPILED.iter().any(|step| step.regex.is_match(text))
}

/// The step that was perhaps meant: its keyword and an example.
pub fn nearest(keyword: Keyword, text: &str) -> Option<(Keyword, &'static str)> {
    if let Some(other) = COMPILED.iter().find(|step| step.regex.is_match(text)) {
        return Some((other.definition.keyword, other.definition.example));
    }
    all()
        .map(|definition| {
            let likeness = strsim::normalized_damerau_levenshtein(text, definition.example);
            // Of two that are as near, the one of the same keyword.
            let bonus = if definition.keyword == keyword { 0.05 } else { 0.0 };
            (likeness + bonus, definition)
        })
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, definition)| (definition.keyword, definition.example))
}

/// What keeps a line from being a step, where that is one parameter: what the parameter takes.
pub fn misfit(keyword: Keyword, text: &str) -> Option<String> {
    let of_keyword = all().filter(|definition| definition.keyword == keyword);
    let misfits = of_keyword.filter_map(|definition| expression::misfit(definition.expression, text));
    // The less of the text does not fit, the nearer is the step.
    let Misfit { parameter, given, takes } = misfits.min_by_key(|misfit| misfit.given.len())?;
    let nearest = takes
        .iter()
        .map(|words| (strsim::normalized_damerau_levenshtein(&given, words), words))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    Some(match nearest {
        Some((_, meant)) => format!("{{{parameter}}} does not take \"{given}\": did you mean \"{meant}\"?"),
        None if takes.is_empty() => {
            format!(
                "{{{parameter}}} does not take \"{given}\": docs/steps.md says at its beginning what it takes"
            )
        }
        None => format!("{{{parameter}}} does not take \"{given}\", but: {}", takes.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::expression::compile;

    #[test]
    fn every_expression_compiles() {
        for definition in all() {
            if let Err(error) = compile(definition.expression) {
                panic!("{error}");
            }
        }
        assert_eq!(COMPILED.len(), all().count());
    }

    #[test]
    fn every_example_finds_its_own_step_and_no_other() {
        for definition in all() {
            match find(definition.keyword, definition.example) {
                Found::One { definition: found, .. } => assert_eq!(found.expression, definition.expression),
                other => panic!("{definition:?}: its example finds {other:?}"),
            }
            let of_any_keyword: Vec<_> =
                COMPILED.iter().filter(|step| step.regex.is_match(definition.example)).collect();
            assert_eq!(of_any_keyword.len(), 1, "{definition:?} reads like {of_any_keyword:?}");
        }
    }

    #[test]
    fn every_step_says_what_it_means_in_one_line() {
        for definition in all() {
            assert!(!definition.doc.contains('\n'), "{definition:?}");
            assert!(definition.doc.ends_with('.'), "{definition:?}: {}", definition.doc);
        }
    }
}
