//! Signing keys and webhooks.

use serde_json::{Value, json};

use crate::klarna::{Answer, Klarna};

async fn create_key(klarna: &Klarna) -> Answer {
    klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await
}

async fn delete(klarna: &Klarna, path: &str) -> u16 {
    let request = klarna.http.delete(klarna.url(path)).header("authorization", crate::klarna::KEY);
    klarna.send(request).await.status
}

fn webhook(key: &Value) -> Value {
    json!({
        "url": "https://acquirer.example/events", "event_types": ["payment.request.*", "settlement.*"],
        "event_version": "v2", "signing_key_id": key, "status": "ENABLED",
    })
}

#[tokio::test]
async fn a_signing_keys_secret_is_shown_once() {
    let klarna = Klarna::start().await;
    // No body and no Content-Type, as real clients call it.
    let url = klarna.url("/v2/notification/signing-keys");
    let created = klarna.send(klarna.http.post(url).header("authorization", crate::klarna::KEY)).await;
    assert_eq!(created.status, 201);
    assert!(created.body["signing_key"].is_string() && created.body["created_at"].is_string());
    let id = created.body["signing_key_id"].as_str().unwrap();
    let read = klarna.get(&format!("/v2/notification/signing-keys/{id}")).await;
    assert_eq!(read.body["signing_key_id"], id);
    assert!(read.body.get("signing_key").is_none());
    let list = klarna.get("/v2/notification/signing-keys").await;
    assert_eq!(list.body["signing_keys"].as_array().unwrap().len(), 1);
    assert!(list.body["signing_keys"][0].get("signing_key").is_none());
    assert_eq!(delete(&klarna, &format!("/v2/notification/signing-keys/{id}")).await, 204);
    assert_eq!(delete(&klarna, &format!("/v2/notification/signing-keys/{id}")).await, 404);
}

#[tokio::test]
async fn an_account_holds_at_most_fifty_keys() {
    let klarna = Klarna::start().await;
    for _ in 0..50 {
        assert_eq!(create_key(&klarna).await.status, 201);
    }
    assert_eq!(create_key(&klarna).await.refusal(), (403, "OPERATION_FORBIDDEN", ""));
}

#[tokio::test]
async fn webhooks_are_created_listed_read_and_deleted() {
    let klarna = Klarna::start().await;
    let key = create_key(&klarna).await.body["signing_key_id"].clone();
    let created = klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook(&key))).await;
    assert_eq!(created.status, 201);
    let violations = klarna_schemas::catalogue::check("klarna/webhook", &created.body).unwrap();
    assert!(violations.is_empty(), "{violations:?}");
    let twin = klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook(&key))).await;
    assert_eq!(twin.refusal(), (409, "RESOURCE_CONFLICT", ""));
    let path = format!("/v2/notification/webhooks/{}", created.body["webhook_id"].as_str().unwrap());
    assert_eq!(klarna.get(&path).await.body, created.body);
    assert_eq!(klarna.get("/v2/notification/webhooks").await.body["webhooks"], json!([created.body]));
    assert_eq!(delete(&klarna, &path).await, 204);
    assert_eq!(klarna.get(&path).await.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
    assert_eq!(klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook(&key))).await.status, 201);
}

#[tokio::test]
async fn wrong_webhooks_are_refused_by_field() {
    let klarna = Klarna::start().await;
    let key = create_key(&klarna).await.body["signing_key_id"].clone();
    let with = |field: &str, value: Value| {
        let mut body = webhook(&key);
        body[field] = value;
        body
    };
    let cases = [
        (with("url", json!("http://acquirer.example/x")), (400, "VALIDATION_ERROR", "url")),
        (with("url", json!("nonsense")), (400, "VALIDATION_ERROR", "url")),
        (with("event_types", json!("payment.*")), (400, "VALIDATION_ERROR", "event_types")),
        (with("signing_key_id", json!("krn:none")), (404, "RESOURCE_NOT_FOUND", "")),
    ];
    for (body, refusal) in cases {
        let answer = klarna.send(klarna.post("/v2/notification/webhooks", &[], &body)).await;
        assert_eq!(answer.refusal(), refusal, "{body}");
    }
    assert_eq!(klarna.get("/v2/notification/webhooks").await.body["webhooks"], json!([]));
}

#[tokio::test]
async fn accounts_do_not_see_each_other() {
    let klarna = Klarna::start().await;
    create_key(&klarna).await;
    let request = klarna.http.get(klarna.url("/v2/notification/signing-keys"));
    let other = klarna.send(request.header("authorization", "klarna_test_api_other")).await;
    assert_eq!(other.body["signing_keys"], json!([]));
}
