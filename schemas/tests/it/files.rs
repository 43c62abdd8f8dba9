//! Every schema file is what it claims to be.

use klarna_schemas::catalogue::{Catalogue, files};
use serde_json::Value;

/// Meta-schema, `$id` and `$ref` of every file: the catalogue looks at them when it compiles.
#[test]
fn every_file_compiles() {
    let defects: Vec<_> = Catalogue::global().defects().collect();
    assert!(defects.is_empty(), "broken schema files: {defects:#?}");
    assert!(Catalogue::global().names().count() >= 15);
}

#[test]
fn every_file_on_disk_is_embedded_and_says_what_it_is() {
    let mut seen = 0;
    for folder in ["klarna", "acquirer", "simulator", "conformance"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let Ok(entries) = std::fs::read_dir(&path) else { continue };
        for entry in entries {
            let file = entry.unwrap().file_name().into_string().unwrap();
            let name =
                file.strip_suffix(".schema.json").unwrap_or_else(|| panic!("{folder}/{file} is no schema"));
            let name = format!("{folder}/{name}");
            let schema =
                Catalogue::global().schema(&name).unwrap_or_else(|| panic!("{name} is not embedded"));
            let id = format!("https://schemas.klarna-local.test/{name}.schema.json");
            assert_eq!(schema["$id"], Value::String(id));
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
            for key in ["title", "description"] {
                assert!(schema[key].as_str().is_some_and(|text| !text.is_empty()), "{name} has no {key}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, Catalogue::global().names().count());
    for (path, bytes) in files() {
        let on_disk = std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)).unwrap();
        assert!(on_disk == *bytes, "{path} is embedded as it is not on disk");
        seen -= 1;
    }
    assert_eq!(seen, 0);
}

/// `x-report` names keywords that stand beside it, or `*`; a slip there would reject in silence.
#[test]
fn every_x_report_names_a_keyword_that_it_can_reach() {
    for name in Catalogue::global().names() {
        walk(name, Catalogue::global().schema(name).unwrap());
    }
}

fn walk(name: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Array(keywords)) = members.get("x-report") {
                let reached = members.get("$ref").and_then(Value::as_str).map(|reference| {
                    Catalogue::global().resolve(name, reference).expect("refs were checked").1
                });
                for keyword in keywords {
                    let keyword = keyword.as_str().expect("x-report holds keyword names");
                    assert!(
                        keyword == "*"
                            || members.contains_key(keyword)
                            || reached.is_some_and(|schema| schema.get(keyword).is_some()),
                        "{name}: x-report names {keyword}, which is not there"
                    );
                }
            }
            members.values().for_each(|member| walk(name, member));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(name, item)),
        _ => {}
    }
}
