//! From schema files to validators: offline, formats checked, patterns in linear time.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use jsonschema::paths::Location;
use jsonschema::{Keyword, PatternOptions, Registry, ValidationError, Validator};
use serde_json::{Map, Value};

use super::documents::Documents;
use super::embedded::{BASE, SUFFIX};

/// Validators by schema name, and what is wrong with the files that have none.
pub(super) struct Compiled {
    pub(super) validators: BTreeMap<String, Validator>,
    pub(super) defects: BTreeMap<String, String>,
}

/// Compiles every document. One that is broken is taken out, with all that lean on it, and never
/// keeps the others from working.
pub(super) fn compile(documents: &mut Documents, mut defects: BTreeMap<String, String>) -> Compiled {
    loop {
        let broken = documents.iter().find_map(|(name, document)| {
            let place = format!("{BASE}{name}{SUFFIX}");
            if let Err(error) = jsonschema::draft202012::meta::validate(document) {
                return Some((name.to_owned(), format!("is no JSON Schema 2020-12: {error}")));
            }
            if document.get("$id").and_then(Value::as_str) != Some(&place) {
                return Some((name.to_owned(), format!("its $id is not {place}")));
            }
            let reference = documents.dangling(name)?;
            Some((name.to_owned(), format!("its $ref {reference} leads nowhere")))
        });
        let Some((name, why)) = broken else { break };
        documents.remove(&name);
        defects.insert(name, why);
    }
    let mut validators = BTreeMap::new();
    match registry(documents) {
        Ok(registry) => {
            for (name, _) in documents.iter() {
                match validator(&registry, name) {
                    Ok(validator) => {
                        validators.insert(name.to_owned(), validator);
                    }
                    Err(error) => {
                        defects.insert(name.to_owned(), error.to_string());
                    }
                }
            }
        }
        Err(error) => {
            defects.extend(documents.iter().map(|(name, _)| (name.to_owned(), error.to_string())));
        }
    }
    Compiled { validators, defects }
}

fn registry(documents: &Documents) -> Result<Registry<'_>, Box<dyn std::error::Error>> {
    let mut builder = Registry::new();
    for (name, document) in documents.iter() {
        builder = builder.add(format!("{BASE}{name}{SUFFIX}"), document)?;
    }
    Ok(builder.prepare()?)
}

fn validator(registry: &Registry<'_>, name: &str) -> Result<Validator, ValidationError<'static>> {
    jsonschema::draft202012::options()
        .with_registry(registry)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .with_format("date-time", is_timestamp)
        .with_format("time-span", |text| text.parse::<SignedDuration>().is_ok())
        .with_keyword("x-whole", whole)
        .with_pattern_options(PatternOptions::regex())
        .offline()
        .build(&serde_json::json!({ "$ref": format!("{BASE}{name}{SUFFIX}") }))
}

/// RFC 3339 in shape and within the range of [`Timestamp`], so that what passes can be read.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= "2026-01-31T09:30:00Z".len()
        && bytes.get(10).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'T'))
        && bytes.get(13) == Some(&b':')
        && bytes.get(16) == Some(&b':')
        && bytes.iter().all(|byte| byte.is_ascii_digit() || b"-:.+TtZz".contains(byte))
        && bytes.first().is_some_and(u8::is_ascii_digit);
    shaped && text.parse::<Timestamp>().is_ok()
}

/// The keyword `x-whole`: `1.0` and `1e3` are integers to JSON Schema, but not to those who read them.
struct Whole;

impl Whole {
    const MESSAGE: &'static str = "must be written as a whole number, without fraction or exponent";
}

impl<'i> Keyword<'i> for Whole {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) { Ok(()) } else { Err(ValidationError::custom(Self::MESSAGE)) }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        // A fraction other than zero is the affair of `type`.
        match instance {
            Value::Number(number) => {
                !number.is_f64() || number.as_f64().is_some_and(|number| number.fract() != 0.0)
            }
            _ => true,
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature that jsonschema asks for")]
fn whole<'a>(
    _parent: &'a Map<String, Value>,
    _value: &'a Value,
    _path: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    Ok(Box::new(Whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_a_zone_and_a_place_in_our_calendar() {
        for good in [
            "2026-01-31T09:30:00Z",
            "2026-02-24T17:25:34.534721775Z",
            "2026-01-31t09:30:00+01:00",
            "2026-01-31T09:30:00z",
        ] {
            assert!(is_timestamp(good), "{good}");
        }
        for bad in [
            "2026-01-31",
            "2026-01-31T09:30:00",
            "2026-01-31 09:30:00Z",
            "2026-02-30T09:30:00Z",
            "20260131T093000Z",
            "9999-12-31T23:59:59Z",
            "2026-01-31T09:30:00Z[Europe/Stockholm]",
            "",
            "-002026-01-31T09:30:00Z",
        ] {
            assert!(!is_timestamp(bad), "{bad}");
        }
    }
}
