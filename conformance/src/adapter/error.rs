//! What can be wrong with an adapter file, or a list of what is expected to fail: where, what, and how
//! to mend it.

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};

/// A mistake in such a file, and those that were found beside it. Rendered by miette it shows the lines
/// themselves.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{place}: {message}", place = self.place(), message = self.details.message)]
pub struct AdapterError {
    details: Box<Details>,
    /// In the order in which they were found; none of them has others.
    others: Vec<AdapterError>,
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
        Self { details: Box::new(details), others: Vec::new() }
    }

    /// Each mistake that was found, this one first.
    pub fn each(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.others)
    }

    /// Each mistake by itself, to be shown one after another.
    pub fn alone(mut self) -> Vec<Self> {
        let others = std::mem::take(&mut self.others);
        std::iter::once(self).chain(others).collect()
    }

    /// This mistake and more; what says the same of the same place is said once.
    pub(super) fn and(mut self, mut more: Self) -> Self {
        let others = std::mem::take(&mut more.others);
        for one in std::iter::once(more).chain(others) {
            let said = |known: &Self| known.place() == one.place() && known.message() == one.message();
            if !self.each().any(said) {
                self.others.push(one);
            }
        }
        self
    }

    /// In the order of the file; what has no line comes first.
    pub(super) fn in_order(mut self) -> Self {
        let key = |one: &Self| (one.line(), one.column());
        let mut others = std::mem::take(&mut self.others);
        others.sort_by_key(key);
        match others.first() {
            Some(first) if key(first) < key(&self) => {
                let first = others.remove(0);
                let at = others.partition_point(|other| key(other) < key(&self));
                others.insert(at, self);
                Self { others, ..first }
            }
            _ => Self { others, ..self },
        }
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

/// The values, or every mistake among them.
pub(super) fn all<T>(
    results: impl IntoIterator<Item = Result<T, AdapterError>>,
) -> Result<Vec<T>, AdapterError> {
    let mut values = Vec::new();
    let mut mistake: Option<AdapterError> = None;
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(error) => {
                mistake = Some(match mistake {
                    None => error,
                    Some(known) => known.and(error),
                });
            }
        }
    }
    mistake.map_or(Ok(values), Err)
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

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.others.is_empty() {
            return None;
        }
        Some(Box::new(self.others.iter().map(|other| other as &dyn Diagnostic)))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.details.span?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some("here".to_owned()), span))))
    }
}
