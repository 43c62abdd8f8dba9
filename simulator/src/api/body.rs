//! Bodies: bytes become JSON, JSON becomes typed values, once.

use axum::http::HeaderMap;
use klarna_schemas::catalogue::{self, Disposition, Violation};
use klarna_schemas::klarna::error::ValidationError;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::KlarnaError;
use super::older_names;
use crate::config::{OddityPolicy, OlderNamesPolicy, PolicySettings};

/// The body as JSON. `Content-Type` may be missing only where the body is JSON all the same.
pub(super) fn json(headers: &HeaderMap, body: &[u8]) -> Result<Value, KlarnaError> {
    if let Some(kind) = header(headers, "content-type") {
        let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence != "application/json" && !essence.ends_with("+json") {
            return Err(KlarnaError::not_json(format!(
                "the Content-Type is {essence}, not application/json"
            )));
        }
    }
    serde_json::from_slice(body)
        .map_err(|error| KlarnaError::not_json(format!("the body is no JSON: {error}")))
}

/// The body of an operation that does without one: JSON where there is one, else null.
pub(super) fn json_or_nothing(headers: &HeaderMap, body: &[u8]) -> Result<Value, KlarnaError> {
    if body.iter().all(u8::is_ascii_whitespace) { Ok(Value::Null) } else { json(headers, body) }
}

/// A body that was read.
pub(super) struct Parsed<T> {
    /// What it asks for, or every field that does not validate.
    pub(super) request: Result<T, Vec<ValidationError>>,
    /// What is not as documented, and yet accepted.
    pub(super) undocumented: Vec<ValidationError>,
    /// What stands under a name of an older revision.
    pub(super) older_names: Vec<ValidationError>,
}

impl<T> Parsed<T> {
    /// What the policies refuse, though no schema does.
    pub(super) fn refused_by(&self, policies: &PolicySettings) -> Vec<ValidationError> {
        let mut refused = Vec::new();
        if policies.undocumented_fields == OddityPolicy::Invalid {
            refused.extend(self.undocumented.iter().cloned());
        }
        if policies.older_names == OlderNamesPolicy::Invalid {
            refused.extend(self.older_names.iter().cloned());
        }
        refused
    }
}

/// The body as a typed view, with what is odd in it.
pub(super) fn parse<T: DeserializeOwned>(schema: &str, raw: &Value) -> Parsed<T> {
    let (rejected, undocumented) = judged(schema, raw);
    if !rejected.is_empty() {
        return Parsed { request: Err(rejected), undocumented: Vec::new(), older_names: Vec::new() };
    }
    let request = serde_path_to_error::deserialize(raw)
        .map_err(|error| vec![ValidationError::new(error.path().to_string(), error.inner().to_string())]);
    Parsed { request, undocumented, older_names: older_names::in_body(raw) }
}

/// The body as a typed view; what is odd in it matters only where the policies are strict.
pub(super) fn typed<T: DeserializeOwned>(
    schema: &str,
    raw: &Value,
    policies: &PolicySettings,
) -> Result<T, KlarnaError> {
    let parsed = parse(schema, raw);
    let refused = parsed.refused_by(policies);
    let request = parsed.request.map_err(KlarnaError::invalid)?;
    if refused.is_empty() { Ok(request) } else { Err(KlarnaError::invalid(refused)) }
}

/// What a schema rejects in a body, and what it only reports.
fn judged(schema: &str, raw: &Value) -> (Vec<ValidationError>, Vec<ValidationError>) {
    let violations = catalogue::check(schema, raw).unwrap_or_else(|error| {
        tracing::error!(%error, "a schema is missing from this build");
        Vec::new()
    });
    let (rejected, reported): (Vec<_>, Vec<_>) =
        violations.into_iter().partition(|violation| violation.disposition == Disposition::Reject);
    let errors = |violations: Vec<Violation>| {
        let error = |Violation { parameter, reason, .. }| ValidationError::new(parameter, reason);
        violations.into_iter().map(error).collect()
    };
    (errors(rejected), errors(reported))
}

/// A header as text.
pub(super) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
