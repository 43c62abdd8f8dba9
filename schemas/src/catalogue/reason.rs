//! What is wrong, in words for a person, never with a value out of the body.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::parameter::shorten;

/// Longest `reason` in characters (contract `payments.md` 5.2).
const LONGEST: usize = 512;

/// The sentence for one error. Only schema text, type names and lengths go into it.
pub(super) fn reason(error: &ValidationError<'_>) -> String {
    use ValidationErrorKind as Kind;
    let text = match error.kind() {
        Kind::Required { .. } => "is required, and missing".to_owned(),
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } => {
            "is not a field that is known here".to_owned()
        }
        Kind::Type { kind } => {
            format!("must be {}, not {}", expected(kind), article(type_of(error.instance())))
        }
        Kind::Enum { options } => format!("must be one of {}", list(options)),
        Kind::Constant { expected_value } => format!("must be {}", plain(expected_value)),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MinLength { limit: 1 } => "must not be empty".to_owned(),
        Kind::MinLength { limit } => format!("must have at least {limit} characters"),
        Kind::MaxLength { limit } => format!("must have at most {limit} characters"),
        Kind::MinItems { limit: 1 } => "must not be an empty list".to_owned(),
        Kind::MinItems { limit } => format!("must have at least {limit} items"),
        Kind::MaxItems { limit } => format!("must have at most {limit} items"),
        Kind::MinProperties { limit } => format!("must have at least {limit} fields"),
        Kind::MaxProperties { limit } => format!("must have at most {limit} fields"),
        Kind::UniqueItems => "must not hold the same item twice".to_owned(),
        Kind::Pattern { pattern } => format!("must match the pattern {pattern}"),
        Kind::Format { format } => format!("must be {}", format_name(format)),
        Kind::FalseSchema => "must not be here".to_owned(),
        Kind::OneOfMultipleValid { .. } => {
            "fits more than one of the forms that exclude each other".to_owned()
        }
        Kind::Custom { message, .. } => message.clone(),
        _ => error.masked().to_string(),
    };
    shorten(text, LONGEST)
}

/// The sentence for a value that fits none of several forms.
pub(super) fn none_of(forms: &[String]) -> String {
    shorten(format!("fits none of the forms that are allowed: {}", forms.join("; or ")), LONGEST)
}

/// The sentence for an object that lacks all of several fields of which it needs one.
pub(super) fn one_required(fields: &[&str]) -> String {
    shorten(format!("one of {} is required, and none is there", fields.join(", ")), LONGEST)
}

fn list(options: &Value) -> String {
    match options.as_array() {
        Some(options) => options.iter().map(plain).collect::<Vec<_>>().join(", "),
        None => plain(options),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn expected(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(json_type) => article(*json_type).to_owned(),
        TypeKind::Multiple(types) => types.iter().map(article).collect::<Vec<_>>().join(" or "),
    }
}

fn article(json_type: JsonType) -> &'static str {
    match json_type {
        JsonType::Null => "null",
        JsonType::Boolean => "a boolean",
        JsonType::Integer => "an integer",
        JsonType::Number => "a number",
        JsonType::String => "a string",
        JsonType::Array => "an array",
        JsonType::Object => "an object",
    }
}

fn type_of(value: &Value) -> JsonType {
    match value {
        Value::Null => JsonType::Null,
        Value::Bool(_) => JsonType::Boolean,
        Value::Number(number) if number.is_f64() => JsonType::Number,
        Value::Number(_) => JsonType::Integer,
        Value::String(_) => JsonType::String,
        Value::Array(_) => JsonType::Array,
        Value::Object(_) => JsonType::Object,
    }
}

fn format_name(format: &str) -> String {
    match format {
        "date" => "a date such as 2026-01-31".to_owned(),
        "date-time" => "a date and time with zone such as 2026-01-31T09:30:00Z".to_owned(),
        "duration" => "an ISO 8601 duration such as PT30M".to_owned(),
        "email" => "an email address".to_owned(),
        "time-span" => "a span of time such as PT3H or 3h".to_owned(),
        "uri" => "an absolute URI".to_owned(),
        "uuid" => "a UUID".to_owned(),
        other => format!("a well-formed {other}"),
    }
}
