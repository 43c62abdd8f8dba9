//! `Idempotency-Key`: done once, answered alike.

use http::{Method, StatusCode};
use reference_acquirer::http::routes::{Caller, ROUTES};
use reference_acquirer::payments::operation::{Kind, Operation, Outcome, Target};
use reference_acquirer::store::{
    self, Begun, KeyedRequest, Lease, NewOperation, OperationCall, OperationCreated,
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{
    ALPHA, Acquirer, BETA, CAPTURE_ID, Exchange, Reply, Setup, TRANSACTION_ID, client, order, sealer, sound,
};

fn posting(acquirer: &Acquirer, key: &str, path: &str, body: &Value, idempotency: &str) -> RequestBuilder {
    client()
        .post(format!("{}{path}", acquirer.base_url))
        .bearer_auth(key)
        .header("content-type", "application/json")
        .header("idempotency-key", idempotency)
        .body(body.to_string())
}

/// Status, `Location` and body.
async fn sent(request: RequestBuilder) -> (StatusCode, Option<String>, Value) {
    let response = request.send().await.unwrap();
    let location = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    (response.status(), location, response.json().await.unwrap())
}

/// What Klarna heard but for its registration.
fn heard(setup: &Setup) -> usize {
    setup.klarna.heard.matching(|exchange: &Exchange| !exchange.path.contains("/notification/")).len()
}

/// Every POST of the table: the same answer again, also after a restart, and Klarna hears it once;
/// another body or path under the same key is refused.
#[tokio::test]
async fn every_post_is_done_once() {
    for route in ROUTES.iter().filter(|it| it.caller == Caller::Partner && it.method == Method::POST) {
        let setup = Setup::new().await;
        let acquirer = setup.start().await;
        let (path, body) = sound(&setup, &acquirer, route).await;
        let first = sent(posting(&acquirer, ALPHA, &path, &body, "key-1")).await;
        assert!(first.0.is_success(), "{route:?}: {}", first.2);
        let calls = heard(&setup);
        assert_eq!(sent(posting(&acquirer, ALPHA, &path, &body, "key-1")).await, first, "{route:?}");
        acquirer.stop().await;
        let acquirer = setup.start().await;
        assert_eq!(sent(posting(&acquirer, ALPHA, &path, &body, "key-1")).await, first, "{route:?}");

        let mut other = body.clone();
        match other.get_mut("amount") {
            Some(amount) => *amount = json!(8),
            None => other = json!({}),
        }
        let spaced = posting(&acquirer, ALPHA, &path, &other, "key-1").body(format!(" {other}"));
        let elsewhere = json!({"currency": "SEK", "amount": 9, "locale": "sv-SE"});
        for request in [spaced, posting(&acquirer, ALPHA, "/v1/payment-methods", &elsewhere, "key-1")] {
            let (status, _, problem) = sent(request).await;
            assert_eq!(status, StatusCode::CONFLICT, "{route:?}");
            assert_eq!(problem["type"], "/problems/idempotency-key-taken");
            assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
        }
        assert_eq!(heard(&setup), calls, "{route:?}");
        acquirer.stop().await;
    }
}

/// Two Partners who number their requests alike.
#[tokio::test]
async fn a_key_is_a_partners_own() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved(), Reply::declined()]);
    let acquirer = setup.start().await;
    let alphas = sent(posting(&acquirer, ALPHA, "/v1/payments", &order("tx-1"), "1")).await;
    let betas = sent(posting(&acquirer, BETA, "/v1/payments", &order("tx-1"), "1")).await;
    assert_eq!((alphas.0, &alphas.2["status"]), (StatusCode::CREATED, &json!("approved")));
    assert_eq!((betas.0, &betas.2["status"]), (StatusCode::CREATED, &json!("declined")));
    acquirer.stop().await;
}

#[tokio::test]
async fn what_a_key_looks_like() {
    let setup = Setup::new().await;
    let acquirer = setup.start().await;
    let longest = "k".repeat(255);
    let too_long = "k".repeat(256);
    for wrong in ["", " ", "a b", "\t", "nyckelå", &too_long] {
        let request = posting(&acquirer, ALPHA, "/v1/payments", &order("tx-1"), wrong);
        let (status, _, problem) = sent(request).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong:?}");
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key", "{wrong:?}");
    }
    let twice = posting(&acquirer, ALPHA, "/v1/payments", &order("tx-1"), "a").header("idempotency-key", "b");
    assert_eq!(sent(twice).await.0, StatusCode::BAD_REQUEST);
    setup.klarna.will([Reply::approved()]);
    let request = posting(&acquirer, ALPHA, "/v1/payments", &order("tx-1"), &longest);
    assert_eq!(sent(request).await.0, StatusCode::CREATED);
    acquirer.stop().await;
    assert_eq!(heard(&setup), 1);
}

/// A refusal makes nothing and leaves nothing, so the mended request may have the key.
#[tokio::test]
async fn a_refusal_does_not_use_the_key_up() {
    let setup = Setup::new().await;
    let acquirer = setup.start().await;
    setup.klarna.will([Reply::step_up()]);
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    let path = format!("/v1/payments/{}", payment["payment_id"].as_str().unwrap());
    for (path, body, expected) in [
        (format!("{path}/captures"), json!({"amount": 0}), 400),
        (format!("{path}/captures"), json!({"amount": 1}), 409),
        ("/v1/payments/nobody/void".to_owned(), json!({}), 404),
        (format!("{path}/cancel"), json!({}), 201),
    ] {
        let (status, _, answer) = sent(posting(&acquirer, ALPHA, &path, &body, "key-1")).await;
        assert_eq!(status, expected, "{answer:#}");
    }
    acquirer.stop().await;
}

/// A Partner who gave up waiting and asks again hears of what its first request made.
#[tokio::test]
async fn who_hangs_up_may_ask_again() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved()]);
    let acquirer = setup.start().await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    let path = format!("/v1/payments/{}/captures", payment["payment_id"].as_str().unwrap());
    let request = || posting(&acquirer, ALPHA, &path, &json!({"amount": 7}), "key-1");
    setup.klarna.will_operate([Reply::Held(json!({"payment_capture_id": CAPTURE_ID}))]);
    let first = tokio::spawn(request().send());
    setup.klarna.heard.await_matching(1, Exchange::is_operation).await;
    first.abort();
    assert!(first.await.is_err());
    let (status, _, problem) = sent(request()).await;
    assert_eq!((status, &problem["type"]), (StatusCode::CONFLICT, &json!("/problems/request-under-way")));

    setup.klarna.let_go();
    setup.partner.await_notifications(2).await;
    // The Partner is told and the answer kept at about the same time.
    let answer = loop {
        let answer = sent(request()).await;
        if answer.0 != StatusCode::CONFLICT {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((answer.0, &answer.2["status"]), (StatusCode::CREATED, &json!("succeeded")));
    acquirer.stop().await;
    assert_eq!(setup.klarna.operations().len(), 1);
}

/// Many at once: one is done, the others are told so or get its answer.
#[tokio::test]
async fn many_at_once_make_one() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved()]);
    let acquirer = setup.start().await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    let path = format!("/v1/payments/{}/captures", payment["payment_id"].as_str().unwrap());
    setup.klarna.will_operate([Reply::captured()]);
    let body = json!({"amount": 7});
    let request = || sent(posting(&acquirer, ALPHA, &path, &body, "key-1"));
    let answers = futures::future::join_all((0..10).map(|_| request())).await;
    let good: Vec<_> = answers.iter().filter(|(status, ..)| *status == StatusCode::CREATED).collect();
    assert!(!good.is_empty() && good.iter().all(|answer| *answer == good[0]), "{answers:#?}");
    for (status, _, problem) in answers.iter().filter(|(status, ..)| *status != StatusCode::CREATED) {
        assert_eq!(
            (*status, &problem["type"]),
            (StatusCode::CONFLICT, &json!("/problems/request-under-way"))
        );
    }
    acquirer.stop().await;
    assert_eq!(setup.klarna.operations().len(), 1);
}

/// A crash between what was made and the answer: the request, repeated, finds what it made although
/// it gave no reference.
#[tokio::test]
async fn a_crash_before_the_answer_makes_nothing_twice() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved()]);
    let acquirer = setup.start().await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    let id = payment["payment_id"].as_str().unwrap().to_owned();
    acquirer.stop().await;

    let path = format!("/v1/payments/{id}/captures");
    let store = store::open(&setup.database(), sealer()).await.unwrap();
    let now = reference_acquirer::clock::now();
    let lease = Lease { owner: "a run that crashed".to_owned(), until: jiff::Timestamp::MAX };
    let fingerprint = {
        use sha2::Digest as _;
        hex::encode(sha2::Sha256::digest(format!("{path}\n{{\"amount\":7}}")))
    };
    let request = KeyedRequest {
        partner: "alpha".to_owned(),
        key: "key-1".to_owned(),
        fingerprint,
        makes: "op_1".to_owned(),
    };
    assert!(matches!(store.begin_request(&request, &lease, now, now).await.unwrap(), Begun::Ours { .. }));
    let new = NewOperation {
        operation: Operation {
            id: "op_1".to_owned(),
            payment_id: id.clone(),
            kind: Kind::Capture,
            reference: "op_1".to_owned(),
            amount: Some(klarna_schemas::money::MinorUnits(7)),
            outcome: Outcome::Pending,
            created_at: now,
            updated_at: now,
        },
        call: OperationCall {
            target: Target::Transaction(TRANSACTION_ID.into()),
            payment_id: id.clone(),
            idempotency_key: "written-down".to_owned(),
            body: Some("{}".into()),
        },
        lease,
    };
    assert!(matches!(store.create_operation(&new).await.unwrap(), OperationCreated::Stored(_)));
    store.close().await;

    setup.klarna.will_operate([Reply::captured()]);
    let acquirer = setup.start().await;
    let (status, _, operation) = sent(posting(&acquirer, ALPHA, &path, &json!({"amount": 7}), "key-1")).await;
    assert_eq!(status, StatusCode::OK, "{operation:#}");
    assert_eq!((&operation["operation_id"], &operation["status"]), (&json!("op_1"), &json!("succeeded")));
    acquirer.stop().await;
    assert_eq!(setup.klarna.operations().len(), 1);
}
