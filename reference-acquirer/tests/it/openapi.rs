//! The document of the API is OpenAPI 3.1, and says what is served.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use klarna_schemas::catalogue::check_against;
use reference_acquirer::http::routes::{Caller, ROUTES};
use serde_json::{Value, json};

use crate::support::{ALPHA, Setup, client};

/// As the OpenAPI Initiative publishes it; the simulator's document is held against it too.
const OPENAPI: &str = include_str!("../../../simulator/tests/it/openapi-3.1.schema.json");

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

async fn document(base_url: &str) -> Value {
    client().get(format!("{base_url}/openapi.json")).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn it_is_openapi_and_leads_nowhere_else() {
    let setup = Setup::new().await;
    let acquirer = setup.start().await;
    let document = document(&acquirer.base_url).await;
    let schema: Value = serde_json::from_str(OPENAPI).unwrap();
    assert_eq!(check_against(&schema, &document), Ok(Vec::new()));
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in found {
        let pointer =
            reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leaves the document"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        let mut one = json!({ "$ref": format!("#/components/schemas/{name}") });
        one["components"] = document["components"].clone();
        check_against(&one, &Value::Null).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for route in ROUTES {
        for (name, schema) in route.query {
            let schema: Value = serde_json::from_str(schema).unwrap();
            assert!(schema.is_object(), "{route:?} {name}");
        }
        let said = &document["paths"][route.path][route.method.as_str().to_ascii_lowercase()];
        assert_eq!(said["security"].is_array(), route.caller == Caller::Partner, "{route:?}");
    }
    acquirer.stop().await;
}

/// What the document has is served, and what it has not is not: on each of its paths every method is
/// tried, and every path of the table is in it.
#[tokio::test]
async fn it_has_every_route_and_no_other() {
    let setup = Setup::new().await;
    let acquirer = setup.start().await;
    let document = document(&acquirer.base_url).await;
    let paths = document["paths"].as_object().unwrap();
    let mut said = BTreeSet::new();
    for (path, item) in paths {
        let concrete = path.replace(['{', '}'], "");
        for method in METHODS {
            let request = client().request(
                method.to_ascii_uppercase().parse::<Method>().unwrap(),
                format!("{}{concrete}", acquirer.base_url),
            );
            let answer = request.bearer_auth(ALPHA).send().await.unwrap();
            let status = answer.status();
            let text = answer.text().await.unwrap();
            if item.get(method).is_some() {
                said.insert((path.clone(), method.to_ascii_uppercase()));
                assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
                // A return key that nobody has is a path that nobody has.
                assert!(!text.contains("no-such-path") || path == "/return/{return_key}", "{method} {path}");
            } else {
                assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            }
        }
    }
    let table: BTreeSet<_> =
        ROUTES.iter().map(|route| (route.path.to_owned(), route.method.as_str().to_owned())).collect();
    assert_eq!(said, table);
    acquirer.stop().await;
}
