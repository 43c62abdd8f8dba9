//! Bad input to every operation, made from what the simulator says of itself: each field in each wrong
//! way, callers without a key or without a right, and things that are not there. Klarna's error body
//! names the parameter, and nothing has changed.

mod slips;

use reqwest::Method;
use serde_json::{Value, json};

use crate::client_certificates::{in_days, signing_request};
use crate::klarna::{ALPHA, Answer, BETA, Klarna, TOKEN, document, initial, last};
use slips::Slip;

/// An operation on one of its paths, as the document has it.
struct Described {
    id: String,
    method: Method,
    path: String,
    /// The schema of its body, if it takes one.
    body: Option<Value>,
}

impl Described {
    /// Its name in the table of operations, whichever path it is on.
    fn name(&self) -> &str {
        self.id.trim_end_matches(".own")
    }

    fn is_own(&self) -> bool {
        self.id != self.name()
    }
}

fn operations(document: &Value) -> Vec<Described> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push(Described {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                body: operation.pointer("/requestBody/content/application~1json/schema").cloned(),
            });
        }
    }
    assert!(all.len() > 50, "{}", all.len());
    all
}

/// A body for each operation that takes one, as it should be.
pub(crate) fn sound_body(operation: &str) -> Value {
    match operation {
        "authorize" => initial("t-1"),
        "payment_request.create" => json!({"currency": "SEK", "amount": 45_900}),
        "payment_request.update" | "payment_request.replace" | "payment_transaction.reauthorize" => {
            json!({"amount": 1})
        }
        "payment_transaction.capture" => json!({"capture_amount": 1, "payment_capture_reference": "c-1"}),
        "payment_transaction.refund" | "payment_capture.refund" => {
            json!({"refund_amount": 1, "payment_refund_reference": "r-1"})
        }
        "test_token.create" => json!({"customer_journey": "KLARNA_EXPRESS_CHECKOUT"}),
        "webhook.create" => json!({"url": "https://acquirer.example/", "event_types": ["payment.request.*"],
            "event_version": "v2", "signing_key_id": "none"}),
        "webhook.simulate" => json!({"event_type": "payment.request.updated", "event_version": "v2"}),
        "payment_transaction.update" | "webhook.update" => json!({}),
        "client_certificate.create" => {
            let (request, _) = signing_request("LOCALACQ", &rcgen::PKCS_ECDSA_P256_SHA256);
            json!({"config": {"usage": "MTLS", "certificate_signing_request": request}})
        }
        // Not yet: or the calls after it would be refused.
        "client_certificate.enforce" => json!({"enforced_from": in_days(1)}),
        other => panic!("{other} takes a body: give a sound one here"),
    }
}

/// Things that are there, by the path that reads them.
struct Things {
    request: String,
    transaction: String,
    capture: String,
    refund: String,
    webhook: String,
    signing_key: String,
}

impl Things {
    async fn made(klarna: &Klarna) -> Self {
        let text = |body: &Value, field: &str| body[field].as_str().unwrap().to_owned();
        let at = |rest: &str| format!("/v2/accounts/{ALPHA}/payment/{rest}");
        let post = async |path: String, body: Value| {
            let answer = klarna.call(Method::POST, &path, &[], Some(&body)).await;
            assert_eq!(answer.status, 201, "{path}: {answer:?}");
            answer.body
        };
        let request = post(at("requests"), sound_body("payment_request.create")).await;
        let (_, token) = klarna.completed("t-0").await;
        let approved = klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-0")).await;
        let made = &approved.body["payment_transaction_response"]["payment_transaction"];
        let transaction = text(made, "payment_transaction_id");
        let capture =
            post(at(&format!("transactions/{transaction}/capture")), json!({"capture_amount": 100})).await;
        let capture = text(&capture, "payment_capture_id");
        let refund = post(at(&format!("captures/{capture}/refund")), json!({"refund_amount": 10})).await;
        let key = post("/v2/notification/signing-keys".to_owned(), Value::Null).await;
        let mut webhook = sound_body("webhook.create");
        webhook["signing_key_id"] = key["signing_key_id"].clone();
        let webhook = post("/v2/notification/webhooks".to_owned(), webhook).await;
        Self {
            request: text(&request, "payment_request_id"),
            transaction,
            capture,
            refund: text(&refund, "payment_refund_id"),
            webhook: text(&webhook, "webhook_id"),
            signing_key: text(&key, "signing_key_id"),
        }
    }

    /// The path of an operation in ALPHA's account, about what is there.
    fn path(&self, operation: &Described) -> String {
        let id = match operation.name().split('.').next().unwrap() {
            "payment_request" => &self.request,
            "payment_transaction" => &self.transaction,
            "payment_capture" => &self.capture,
            "payment_refund" => &self.refund,
            "webhook" => &self.webhook,
            "signing_key" => &self.signing_key,
            _ => "none",
        };
        operation.path.replace("{account}", ALPHA).replace("{id}", id)
    }

    /// Everything, as it reads now.
    async fn seen(&self, klarna: &Klarna) -> Vec<Value> {
        let mut seen = Vec::new();
        for path in [
            format!("/v2/accounts/{ALPHA}/payment/requests/{}", self.request),
            format!("/v2/accounts/{ALPHA}/payment/transactions/{}", self.transaction),
            format!("/v2/accounts/{ALPHA}/payment/captures/{}", self.capture),
            format!("/v2/accounts/{ALPHA}/payment/refunds/{}", self.refund),
            "/v2/notification/webhooks".to_owned(),
            "/v2/notification/signing-keys".to_owned(),
        ] {
            let answer = klarna.get(&path).await;
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            seen.push(answer.body);
        }
        seen
    }
}

/// Every parameter that a refusal names.
fn named(answer: &Answer) -> Vec<&str> {
    let fields = answer.body["validation_errors"].as_array();
    fields.into_iter().flatten().map(|field| field["parameter"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_field_in_each_wrong_way_is_named_and_changes_nothing() {
    let klarna = Klarna::start().await;
    let things = Things::made(&klarna).await;
    let before = things.seen(&klarna).await;
    let events = klarna.journal("event:*").await.entries.len();
    let document = document(&klarna).await;
    let mut tried = 0;
    for operation in operations(&document).iter().filter(|operation| !operation.is_own()) {
        let Some(schema) = &operation.body else { continue };
        let path = things.path(operation);
        for Slip { body, parameter, kind } in slips::of(&document, schema, &sound_body(operation.name())) {
            let answer = klarna.call(operation.method.clone(), &path, &[], Some(&body)).await;
            let about = format!("{} {kind} {parameter}: {body} got {answer:?}", operation.id);
            assert_eq!((answer.refusal().0, answer.refusal().1), (400, "VALIDATION_ERROR"), "{about}");
            assert!(named(&answer).contains(&parameter.as_str()), "{about}");
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried}");
    assert_eq!(things.seen(&klarna).await, before);
    assert_eq!(klarna.journal("event:*").await.entries.len(), events);
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body_and_nothing_where_there_is_no_get() {
    let klarna = Klarna::start().await;
    let things = Things::made(&klarna).await;
    let all = operations(&document(&klarna).await);
    for operation in &all {
        let path = things.path(operation);
        let head = klarna.call(Method::HEAD, &path, &[], None).await;
        let has_get = all.iter().any(|other| other.path == operation.path && other.method == Method::GET);
        let wanted = if has_get { klarna.get(&path).await.status } else { 404 };
        assert_eq!((head.status, head.body), (wanted, Value::Null), "{} {path}", operation.id);
    }
}

#[tokio::test]
async fn without_a_key_that_opens_an_account_nothing_is_served() {
    let klarna = Klarna::start().await;
    let things = Things::made(&klarna).await;
    let before = things.seen(&klarna).await;
    for operation in operations(&document(&klarna).await) {
        let body = operation.body.is_some().then(|| sound_body(operation.name()).to_string());
        for key in [None, Some("Basic klarna_live_api_secret"), Some("Bearer klarna_test_api_local")] {
            let mut request =
                klarna.http.request(operation.method.clone(), klarna.url(&things.path(&operation)));
            if let Some(key) = key {
                request = request.header("authorization", key);
            }
            if let Some(body) = &body {
                request = request.header("content-type", "application/json").body(body.clone());
            }
            let answer = klarna.send(request).await;
            assert_eq!(answer.refusal(), (401, "UNAUTHORIZED", ""), "{} {key:?}", operation.id);
        }
    }
    assert_eq!(things.seen(&klarna).await, before);
}

#[tokio::test]
async fn another_acquirers_account_is_forbidden_and_its_things_are_not_there() {
    let klarna = Klarna::start().await;
    let things = Things::made(&klarna).await;
    let before = things.seen(&klarna).await;
    for operation in operations(&document(&klarna).await) {
        let body = operation.body.is_some().then(|| sound_body(operation.name()));
        let call = async |path: &str| {
            let key = [("authorization", "klarna_test_api_stranger")];
            let request =
                klarna.http.request(operation.method.clone(), klarna.url(path)).header(key[0].0, key[0].1);
            let request = match &body {
                Some(body) => request.header("content-type", "application/json").body(body.to_string()),
                None => request,
            };
            klarna.send(request).await
        };
        let path = things.path(&operation);
        if operation.path.contains("{account}") {
            let refused = call(&path).await;
            assert_eq!(refused.refusal().1, "OPERATION_FORBIDDEN", "{}: {refused:?}", operation.id);
        } else if operation.path.contains("{id}") {
            // In the stranger's own account, there is no such thing.
            let refused = call(&path).await;
            assert_eq!(refused.refusal().1, "RESOURCE_NOT_FOUND", "{}: {refused:?}", operation.id);
        }
    }
    assert_eq!(things.seen(&klarna).await, before);
}

#[tokio::test]
async fn what_is_not_there_is_not_found_here_or_in_another_partners_account() {
    let klarna = Klarna::start().await;
    let things = Things::made(&klarna).await;
    let before = things.seen(&klarna).await;
    for operation in operations(&document(&klarna).await) {
        if !operation.path.contains("{id}") {
            continue;
        }
        let body = operation.body.is_some().then(|| sound_body(operation.name()));
        let mut paths = vec![operation.path.replace("{account}", ALPHA).replace("{id}", "krn:none")];
        if operation.path.contains("{account}") {
            // The same acquirer's, and yet another Partner's.
            paths.push(things.path(&operation).replace(ALPHA, BETA));
        }
        for path in paths {
            let answer = klarna.call(operation.method.clone(), &path, &[], body.as_ref()).await;
            assert_eq!(answer.refusal(), (404, "RESOURCE_NOT_FOUND", ""), "{} at {path}", operation.id);
        }
    }
    assert_eq!(things.seen(&klarna).await, before);
}
