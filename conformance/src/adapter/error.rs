//! What can be wrong with an adapter file: where, what, and how to mend it.

use miette::{Diagnostic, NamedSource, SourceSpan};

/// A mistake in an adapter file. Rendered by miette it shows the line itself.
#[derive(Debug, Clone, thiserror::Error, Diagnostic)]
#[error("{place}: {message}", place = self.place())]
#[diagnostic(code(conformance::adapter))]
pub struct AdapterError {
    /// The file, or `builtin:<name>`.
    pub file: String,
    /// From 1, where known.
    pub line: Option<usize>,
    /// From 1, where known.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    #[help]
    pub hint: Option<String>,
    /// The known name that the author may have meant.
    pub nearest: Option<String>,
    #[source_code]
    pub(super) source_text: NamedSource<String>,
    #[label("here")]
    pub(super) span: Option<SourceSpan>,
}

impl AdapterError {
    /// `file:line:column`, as far as known.
    pub fn place(&self) -> String {
        match (self.line, self.column) {
            (Some(line), Some(column)) => format!("{}:{line}:{column}", self.file),
            (Some(line), None) => format!("{}:{line}", self.file),
            _ => self.file.clone(),
        }
    }
}

pub(super) fn unfinished(source: &super::AdapterSource) -> AdapterError {
    AdapterError {
        file: format!("{source:?}"),
        line: None,
        column: None,
        message: "reading adapters is being built".to_owned(),
        hint: None,
        nearest: None,
        source_text: NamedSource::new("", String::new()),
        span: None,
    }
}
