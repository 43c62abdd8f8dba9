//! The document of the API, and its page.

use std::collections::BTreeSet;

use klarna_schemas::catalogue::check_against;
use serde_json::{Value, json};

use klarna_simulator::config::ExpiredRequestPolicy;

use crate::klarna::{ALPHA, KEY, Klarna, document};

/// The schema of OpenAPI 3.1 documents, of 2022-10-07, as the OpenAPI Initiative publishes it under
/// the Apache License 2.0. It knows JSON Schema by name only: what it says of schemas is checked apart.
const OPENAPI: &str = include_str!("openapi-3.1.schema.json");

/// Methods that a path item may have.
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

#[tokio::test]
async fn the_document_is_openapi_and_leads_nowhere_else() {
    let document = document(&Klarna::start().await).await;
    let schema: Value = serde_json::from_str(OPENAPI).unwrap();
    assert_eq!(check_against(&schema, &document), Ok(Vec::new()));
    // It refuses what is none.
    let mut none = document.clone();
    none["paths"]["/v2/payment/authorize"]["post"]["responses"] = json!([]);
    assert!(!check_against(&schema, &none).unwrap().is_empty());

    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 60, "{}", found.len());
    for reference in found {
        let pointer =
            reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leaves the document"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in schemas.keys() {
        let mut one = json!({ "$ref": format!("#/components/schemas/{name}") });
        one["components"] = document["components"].clone();
        check_against(&one, &Value::Null).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    assert!(schemas.contains_key("PaymentRequest_state_context"));
    // What refuses nothing stands apart, so that a client made from the document asks for no more.
    let request = &schemas["PaymentRequest"];
    assert_eq!(
        (&request["x-reported"], request.get("additionalProperties")),
        (&json!({"additionalProperties": false}), None)
    );
    assert!(!document.to_string().contains("\"x-report\""), "a mark is left");
    assert!(!document.to_string().contains("schema.json"), "a reference to a file is left");
}

#[tokio::test]
async fn what_the_document_says_is_served_and_nothing_else_on_its_paths() {
    let klarna = Klarna::start().await;
    let document = document(&klarna).await;
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let url = klarna.url(&path.replace("{account}", ALPHA).replace(['{', '}'], ""));
        for method in METHODS {
            let call = klarna.http.request(method.to_uppercase().parse().unwrap(), &url);
            let answer = klarna.send(call.header("authorization", KEY)).await;
            let served = answer.body["error_code"] != "NOT_FOUND";
            assert_eq!(served, item.get(method).is_some(), "{method} {path}: {answer:?}");
            let Some(operation) = item.get(method) else { continue };
            let said = &operation["responses"][answer.status.to_string()];
            assert!(said.is_object(), "{method} {path} does not say {}", answer.status);
            assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{operation}");
            let known = &operation["x-evidence"];
            assert!(known["confirmed"].is_array() && known["inferred"].is_array(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_page_shows_every_operation_and_fetches_nothing() {
    let klarna = Klarna::start().await;
    let document = document(&klarna).await;
    let response = klarna.http.get(klarna.url("/docs")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-security-policy"], "default-src 'none'; style-src 'self'");
    let page = response.text().await.unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(page.contains(&format!("<code>{path}</code>")), "{path} is not on the page");
        for operation in item.as_object().unwrap().values() {
            assert!(page.contains(operation["summary"].as_str().unwrap()), "{operation}");
        }
    }
    for shown in ["request_payment_transaction", "1 to 2147483647", "Klarna-Idempotency-Key", "expired_token"]
    {
        assert!(page.contains(shown), "{shown}");
    }
    for fetched in ["src=", "http://", "https://", "<script"] {
        assert!(
            !page.contains(&format!("\"{fetched}")) && !page.contains(&format!(" {fetched}\"")),
            "{fetched}"
        );
    }
    let anchors: BTreeSet<&str> =
        page.split("id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(anchors.contains(target), "#{target} leads nowhere");
    }
    let style = klarna.http.get(klarna.url("/static/docs.css")).send().await.unwrap();
    assert_eq!(style.headers()["content-type"], "text/css; charset=utf-8");
}

#[tokio::test]
async fn the_document_and_the_page_show_the_policies_as_they_are_set() {
    let klarna =
        Klarna::with(|settings| settings.policies.expired_request = ExpiredRequestPolicy::NotFound).await;
    let policies = document(&klarna).await["x-policies"].clone();
    assert_eq!(
        (&policies["expired_request"]["value"], &policies["other_amount"]["value"]),
        (&json!("not-found"), &json!("invalid"))
    );
    let page = klarna.http.get(klarna.url("/docs")).send().await.unwrap().text().await.unwrap();
    assert!(
        page.contains("expired_request = \"not-found\"")
            || page.contains("expired_request = &quot;not-found&quot;")
    );
    assert!(page.contains("Set so here; it is <code>\"readable\"</code> by default."));
}
