//! Templates in the leaves of an adapter: compiled once, checked against what will be there, and
//! rendered without ever looking inside the data that they place.
//!
//! A leaf that is exactly one `{{ expression }}` gives the expression's own JSON value: numbers stay
//! numbers, and a string arrives byte for byte whatever it holds. Any other leaf is text.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use serde_saphyr::Spanned;
use tera::{Context, ErrorKind, Tera};

use super::error::AdapterError;
use super::filters::{self, OMITTED};
use super::source::{Place, Source};

/// A compiled leaf; meaningful with the [`Templates`] that compiled it only.
#[derive(Debug, Clone)]
pub(super) struct Template {
    id: String,
    place: Place,
    typed: bool,
}

/// A template that could not be rendered.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{place}: {message}")]
pub struct TemplateError {
    /// `file:line:column` in the adapter.
    pub place: String,
    /// What is wrong, with the names that exist.
    pub message: String,
}

/// All templates of one adapter.
pub(super) struct Templates {
    tera: Tera,
    source: Source,
    /// Id and text as written, for the check of the names in it.
    written: Vec<(String, Place, String)>,
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Templates").field("source", &self.source.name).finish_non_exhaustive()
    }
}

#[expect(clippy::expect_used, reason = "the patterns are constants, and a test compiles them")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

static OMIT_CALL: LazyLock<Regex> = LazyLock::new(|| pattern(r"\|\s*omit\b"));
static TAG: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)\{\{-?(.*?)-?\}\}|\{%-?(.*?)-?%\}"));
static STRING: LazyLock<Regex> = LazyLock::new(|| pattern(r#""[^"]*"|'[^']*'|`[^`]*`"#));
static PATH: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:^|[^A-Za-z0-9_.])([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z_][A-Za-z0-9_]*)+)"));

impl Templates {
    pub(super) fn new(source: Source) -> Self {
        let mut tera = Tera::new();
        filters::register(&mut tera);
        Self { tera, source, written: Vec::new() }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Compiles a leaf that gives a JSON value.
    pub(super) fn value(&mut self, text: &str, place: Place) -> Result<Template, AdapterError> {
        self.compile(text, place, sole_expression(text).is_some())
    }

    /// Compiles a leaf that gives text.
    pub(super) fn text(&mut self, text: &Spanned<String>) -> Result<Template, AdapterError> {
        self.compile(&text.value, text.referenced.into(), false)
    }

    fn compile(&mut self, text: &str, place: Place, typed: bool) -> Result<Template, AdapterError> {
        // A quoted scalar begins one character after its place.
        let quoted = matches!(self.source.char_at(place), Some('"' | '\''));
        let begins = Place { line: place.line, column: place.column + usize::from(quoted) };
        let id = format!("{}:{}:{}#{}", self.source.name, begins.line, begins.column, self.written.len());
        let template = Template { id: id.clone(), place: begins, typed };
        // Compiled as written first, so that complaints have the author's own columns. With `omit`
        // blanked it also serves to find names that `omit` would hide.
        let strict = OMIT_CALL.replace_all(text, |found: &regex::Captures<'_>| {
            " ".repeat(found.get(0).map_or(0, |whole| whole.as_str().chars().count()))
        });
        self.add(&id, text, begins)?;
        self.add(&strict_id(&id), &strict, begins)?;
        if let Some(expression) = sole_expression(text).filter(|_| typed) {
            self.add(&id, &format!("{{{{({expression}) | {}}}}}", filters::LEAF), begins)?;
        }
        self.written.push((id, begins, text.to_owned()));
        Ok(template)
    }

    fn add(&mut self, id: &str, text: &str, place: Place) -> Result<(), AdapterError> {
        self.tera.add_raw_template(id, text).map_err(|error| self.refused(&error, place))
    }

    fn refused(&self, error: &tera::Error, place: Place) -> AdapterError {
        match error.kind() {
            ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
                self.source.complain(shifted(place, report.span()), report.message(), None)
            }
            // Unknown filters, tests and functions come as finished text only.
            other => {
                let text = other.to_string();
                let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
                let at = position_in(&text).map_or(place, |(line, column)| moved(place, line, column));
                match first.strip_prefix("Unknown filter `").and_then(|rest| rest.strip_suffix('`')) {
                    Some(name) => self.source.unknown(at, "filter", name, filters::KNOWN),
                    None => self.source.complain(at, &first, None),
                }
            }
        }
    }

    /// Checks that every name in a leaf exists in `sample`, and that the leaf renders with it.
    pub(super) fn check(&self, template: &Template, sample: &Value) -> Result<(), AdapterError> {
        let Some((_, place, text)) = self.written.iter().find(|(id, ..)| *id == template.id) else {
            return Ok(());
        };
        self.check_paths(*place, text, sample)?;
        let roots: Vec<&str> = sample.as_object().into_iter().flatten().map(|(name, _)| &**name).collect();
        let used = self.tera.get_template_variables(&template.id).unwrap_or_default();
        let mut unknown: Vec<&str> = used.into_iter().filter(|name| !roots.contains(name)).collect();
        unknown.sort_unstable();
        if let Some(name) = unknown.first() {
            let at = find_word(text, name).map_or(*place, |(line, column)| moved(*place, line, column));
            return Err(self.source.unknown(at, "variable", name, &roots));
        }
        let rendered = self.tera.render(&strict_id(&template.id), &context(sample));
        rendered.map(drop).map_err(|error| self.refused(&error, *place))
    }

    fn check_paths(&self, place: Place, text: &str, sample: &Value) -> Result<(), AdapterError> {
        for tag in TAG.find_iter(text) {
            // Strings inside the expression name nothing.
            let bare = STRING.replace_all(tag.as_str(), |found: &regex::Captures<'_>| {
                "\"".repeat(found.get(0).map_or(0, |whole| whole.as_str().len()))
            });
            for found in PATH.captures_iter(&bare) {
                let (Some(root), Some(rest)) = (found.get(1), found.get(2)) else { continue };
                let Some(mut value) = sample.get(root.as_str()) else { continue };
                let mut path = root.as_str().to_owned();
                let mut offset = tag.start() + rest.start();
                for step in rest.as_str().split('.').skip(1) {
                    offset += 1;
                    let Value::Object(fields) = value else { break };
                    let Some(next) = fields.get(step) else {
                        let (line, column) = line_and_column(text, offset);
                        let known: Vec<&str> = fields.keys().map(String::as_str).collect();
                        let what = format!("field of {path}");
                        return Err(self.source.unknown(moved(place, line, column), &what, step, &known));
                    };
                    value = next;
                    offset += step.len();
                    path = format!("{path}.{step}");
                }
            }
        }
        Ok(())
    }

    /// A complaint about a leaf.
    pub(super) fn complain(&self, template: &Template, message: &str) -> AdapterError {
        self.source.complain(template.place, message, None)
    }

    /// A leaf that gave what it must not.
    pub(super) fn fail(&self, template: &Template, message: &str) -> TemplateError {
        TemplateError { place: self.source.at(template.place), message: message.to_owned() }
    }

    /// The JSON value of a leaf; `None` when `omit` dropped it.
    pub(super) fn render_value(
        &self,
        template: &Template,
        context: &Context,
    ) -> Result<Option<Value>, TemplateError> {
        if !template.typed {
            return Ok(self.render_text(template, context)?.map(Value::String));
        }
        let rendered = self.render(template, &template.id, context)?;
        if rendered.is_empty() {
            // Undefined. As written, the engine says which name it was and which there are.
            let complaint = self.render(template, &strict_id(&template.id), context).err();
            return Err(complaint.unwrap_or_else(|| TemplateError {
                place: self.source.at(template.place),
                message: "the expression gives nothing; add `| omit` to drop the key then".to_owned(),
            }));
        }
        if rendered.contains(OMITTED) {
            return Ok(None);
        }
        serde_json::from_str(&rendered).map(Some).map_err(|error| TemplateError {
            place: self.source.at(template.place),
            message: format!("the expression gives no JSON value: {error}"),
        })
    }

    /// The text of a leaf; `None` when `omit` dropped it.
    pub(super) fn render_text(
        &self,
        template: &Template,
        context: &Context,
    ) -> Result<Option<String>, TemplateError> {
        if template.typed {
            return Ok(self.render_value(template, context)?.map(|value| match value {
                Value::String(text) => text,
                other => other.to_string(),
            }));
        }
        let rendered = self.render(template, &template.id, context)?;
        Ok((!rendered.contains(OMITTED)).then_some(rendered))
    }

    fn render(&self, template: &Template, id: &str, context: &Context) -> Result<String, TemplateError> {
        self.tera.render(id, context).map_err(|error| match error.kind() {
            ErrorKind::RenderingError(report) => TemplateError {
                place: self.source.at(shifted(template.place, report.span())),
                message: report.message().to_owned(),
            },
            other => TemplateError { place: self.source.at(template.place), message: other.to_string() },
        })
    }
}

/// The variables of a template, from a JSON object.
pub(super) fn context(variables: &Value) -> Context {
    let mut context = Context::new();
    for (name, value) in variables.as_object().into_iter().flatten() {
        context.insert(name.clone(), value);
    }
    context
}

fn strict_id(id: &str) -> String {
    format!("{id}#strict")
}

/// What stands between the braces, if the leaf is exactly one `{{ … }}`.
fn sole_expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix('-').unwrap_or(inner);
    let inner = inner.strip_suffix('-').unwrap_or(inner);
    let bare = STRING.replace_all(inner, "");
    (!bare.contains("}}") && !bare.contains("{{") && !bare.contains("{%")).then_some(inner)
}

/// A place in the file from a span in a leaf that begins at `place`.
fn shifted(place: Place, span: &tera::Span) -> Place {
    moved(place, span.start_line, span.start_col + 1)
}

/// A place in the file from a line and column, from 1, in a leaf that begins at `place`.
fn moved(place: Place, line: usize, column: usize) -> Place {
    // The lines of a block scalar all begin in its first line's column.
    Place { line: place.line + line.saturating_sub(1), column: place.column + column.saturating_sub(1) }
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

fn find_word(text: &str, word: &str) -> Option<(usize, usize)> {
    let offset = Regex::new(&format!(r"\b{}\b", regex::escape(word))).ok()?.find(text)?.start();
    Some(line_and_column(text, offset))
}

/// Line and column out of the engine's ` --> name:line:column`.
fn position_in(report: &str) -> Option<(usize, usize)> {
    let place = report.lines().find_map(|line| line.trim_start().strip_prefix("--> "))?;
    let (rest, column) = place.rsplit_once(':')?;
    let (_, line) = rest.rsplit_once(':')?;
    Some((line.parse().ok()?, column.parse().ok()?))
}
