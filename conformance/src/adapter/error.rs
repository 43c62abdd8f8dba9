//! What can be wrong with an adapter file, or a list of what is expected to fail: where, what, and how
//! to mend it.

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};

/// A mistake in such a file. Rendered by miette it shows the line itself.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{place}: {message}", place = self.place(), message = self.details.message)]
pub struct AdapterError {
    details: Box<Details>,
}

#[derive(Debug, Clone)]
pub(super) struct Details {
    pub(super) file: String,
    pub(super) line: Option<usize>,
    pub(super) column: Option<usize>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) nearest: Option<String>,
    pub(super) source_text: Option<NamedSource<String>>,
    pub(super) span: Option<SourceSpan>,
}

impl AdapterError {
    pub(super) fn new(details: Details) -> Self {
        Self { details: Box::new(details) }
    }

    /// The file as it was named, or `builtin:<name>`.
    pub fn file(&self) -> &str {
        &self.details.file
    }

    /// From 1, where known.
    pub fn line(&self) -> Option<usize> {
        self.details.line
    }

    /// From 1, where known.
    pub fn column(&self) -> Option<usize> {
        self.details.column
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.details.message
    }

    /// How to mend it.
    pub fn hint(&self) -> Option<&str> {
        self.details.hint.as_deref()
    }

    /// The known name that the author may have meant.
    pub fn nearest(&self) -> Option<&str> {
        self.details.nearest.as_deref()
    }

    /// `file:line:column`, as far as known.
    pub fn place(&self) -> String {
        match (self.line(), self.column()) {
            (Some(line), Some(column)) => format!("{}:{line}:{column}", self.file()),
            (Some(line), None) => format!("{}:{line}", self.file()),
            _ => self.file().to_owned(),
        }
    }
}

impl Diagnostic for AdapterError {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new("conformance::adapter"))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.hint().map(|hint| Box::new(hint) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.details.source_text.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.details.span?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some("here".to_owned()), span))))
    }
}
