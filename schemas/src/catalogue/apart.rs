//! Schemas that are not of the catalogue: those of documents that embed ours.

use jsonschema::PatternOptions;
use serde_json::Value;

/// Every way in which `value` does not fit `schema`, a line each; formats are not looked at.
///
/// # Errors
/// When the schema is none, or a `$ref` in it leads nowhere.
pub fn check_against(schema: &Value, value: &Value) -> Result<Vec<String>, String> {
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(false)
        .with_pattern_options(PatternOptions::regex())
        .offline()
        .build(schema)
        .map_err(|error| error.to_string())?;
    Ok(validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_misfit_is_placed_and_a_schema_that_is_none_is_told() {
        let schema =
            json!({ "properties": { "a": { "$ref": "#/$defs/b" } }, "$defs": { "b": { "type": "null" } } });
        assert_eq!(check_against(&schema, &json!({ "a": null })), Ok(Vec::new()));
        let misfits = check_against(&schema, &json!({ "a": 1 })).unwrap();
        assert!(misfits.len() == 1 && misfits[0].starts_with("/a: "), "{misfits:?}");
        assert!(check_against(&json!({ "$ref": "#/nowhere" }), &json!(1)).is_err());
        assert!(check_against(&json!({ "type": "text" }), &json!(1)).is_err());
    }
}
