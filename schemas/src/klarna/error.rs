//! Klarna's error body (contract `payments.md` 5.2 and 5.3).

use serde::{Deserialize, Serialize};

/// The body of every answer that is no success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A UUID to quote to Klarna.
    pub error_id: String,
    /// `ACCESS_ERROR`, `INPUT_ERROR`, `RESOURCE_ERROR` or `TECHNICAL_ERROR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_type: Option<String>,
    /// What programs branch on (AP-36), up to 64 characters.
    pub error_code: String,
    /// What people read, up to 2048 characters.
    pub error_message: String,
    /// Which fields, for `VALIDATION_ERROR`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation_errors: Vec<ValidationError>,
    /// The same list as an older sample has it, in the place of the current one (contract `payments.md` 10).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<OlderValidationError>,
}

impl ErrorBody {
    /// The same refusal, with its fields listed as in the older sample.
    #[must_use]
    pub fn with_older_list(mut self) -> Self {
        self.errors = self.validation_errors.drain(..).map(OlderValidationError::from).collect();
        self
    }
}

/// One field that did not validate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidationError {
    /// Dot notation, e.g. `line_items[0].quantity`, up to 256 characters.
    pub parameter: String,
    /// Up to 512 characters.
    pub reason: String,
    /// Where to read on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_url: Option<String>,
}

/// One field that did not validate, as an older sample has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OlderValidationError {
    /// Dot notation, e.g. `line_items[0].quantity`.
    pub parameter: String,
    /// What is wrong with it.
    pub error_message: String,
    /// Where to read on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_url: Option<String>,
}

impl From<ValidationError> for OlderValidationError {
    fn from(field: ValidationError) -> Self {
        Self { parameter: field.parameter, error_message: field.reason, doc_url: field.doc_url }
    }
}

impl ValidationError {
    /// A field and what is wrong with it, with nowhere to read on.
    pub fn new(parameter: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { parameter: parameter.into(), reason: reason.into(), doc_url: None }
    }
}
