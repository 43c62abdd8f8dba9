//! Calls that come again, calls that come at once, and calls that are too many.

use std::collections::BTreeSet;

use tokio::task::JoinSet;

use super::*;

/// How many come at once.
const TWINS: usize = 64;

#[tokio::test]
async fn a_key_that_comes_again_gets_the_first_answer_and_does_nothing_twice() {
    let klarna = approving().await;
    let mut sink = Sink::start().await;
    sink.subscribe(&klarna, &["payment.transaction.captured", "payment.transaction.refunded"]).await;
    let id = authorized(&klarna, "t-1").await;
    for (deed, body, other) in [
        ("capture", json!({"capture_amount": 1000}), json!({"capture_amount": 1001})),
        ("refund", json!({"refund_amount": 600}), json!({"refund_amount": 300})),
    ] {
        let path = format!("transactions/{id}/{deed}");
        let call = async |key, body| send(&klarna, Method::POST, &path, Some(key), body).await;
        let first = call("k-1", &body).await;
        assert_eq!(first.status, 201);
        let again = call("k-1", &body).await;
        assert_eq!((again.status, again.body), (201, first.body));
        assert_eq!(call("k-1", &other).await.refusal(), (409, "RESOURCE_CONFLICT", ""));
        sink.next().await;
    }
    // A refusal is replayed, too.
    let path = format!("transactions/{id}/refund");
    let too_much = json!({"refund_amount": 500});
    let refused = send(&klarna, Method::POST, &path, Some("k-2"), &too_much).await;
    assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", "refund_amount"));
    assert_eq!(act(&klarna, &id, "capture", &json!({"capture_amount": 1000})).await.status, 201);
    sink.next().await;
    let again = send(&klarna, Method::POST, &path, Some("k-2"), &too_much).await;
    assert_eq!(again.refusal(), (400, "VALIDATION_ERROR", "refund_amount"));

    assert_eq!(transaction(&klarna, &id).await["payment_captures"].as_array().unwrap().len(), 2);
    assert_eq!(klarna.get(&at(&format!("refunds/{id}:refund:2"))).await.status, 404);
    klarna.awaited("event:*", 3).await;
    assert_eq!(sink.left(), 0, "and nothing is told twice");
    let rules: Vec<_> = klarna
        .journal("payment_transaction.refund")
        .await
        .entries
        .into_iter()
        .map(|entry| entry.rule)
        .collect();
    let (replay, conflict) = (Some("replay".to_owned()), Some("idempotency".to_owned()));
    assert_eq!(rules, [None, replay.clone(), conflict, None, replay]);
}

/// The same call many times at once, under one key or under none.
async fn at_once(klarna: &Klarna, path: &str, key: Option<&str>, body: &Value) -> Vec<Answer> {
    let mut under_way = JoinSet::new();
    for _ in 0..TWINS {
        let headers: Vec<_> = key.iter().map(|key| ("Klarna-Idempotency-Key", *key)).collect();
        let request = klarna.post(&at(path), &headers, body);
        under_way.spawn(async move {
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Answer { status, headers, body: response.json().await.unwrap() }
        });
    }
    under_way.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twins_have_one_effect_and_one_answer() {
    let klarna = approving().await;
    let id = authorized(&klarna, "t-1").await;
    for (path, body) in [
        (format!("transactions/{id}/capture"), json!({"capture_amount": 1000})),
        (format!("transactions/{id}/refund"), json!({"refund_amount": 10})),
        (format!("captures/{id}:capture:1/refund"), json!({"refund_amount": 10})),
    ] {
        let answers = at_once(&klarna, &path, Some("k-1"), &body).await;
        assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
        let bodies: BTreeSet<_> = answers.iter().map(|answer| answer.body.to_string()).collect();
        assert_eq!(bodies.len(), 1, "{bodies:?}");
    }
    assert_eq!(transaction(&klarna, &id).await["payment_captures"].as_array().unwrap().len(), 1);
    assert_eq!(klarna.get(&at(&format!("refunds/{id}:refund:2"))).await.status, 200);
    assert_eq!(klarna.get(&at(&format!("refunds/{id}:refund:3"))).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rivals_never_take_more_than_there_is() {
    let klarna = approving().await;
    let id = authorized(&klarna, "t-1").await;
    // 45 900 is enough for nine.
    for (deed, field) in [("capture", "capture_amount"), ("refund", "refund_amount")] {
        let path = format!("transactions/{id}/{deed}");
        let answers = at_once(&klarna, &path, None, &json!({field: 5000})).await;
        let served = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(served, 9, "{deed}");
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", field));
        }
    }
}

#[tokio::test]
async fn two_hundred_captures_and_refunds_and_five_hundred_deeds_are_enough() {
    let klarna = approving().await;
    let forbidden = (403, "OPERATION_FORBIDDEN", "");
    let id = captured(&klarna, "t-1", &[1; 200]).await;
    assert_eq!(act(&klarna, &id, "capture", &json!({"capture_amount": 1})).await.refusal(), forbidden);
    for _ in 0..199 {
        assert_eq!(act(&klarna, &id, "refund", &json!({"refund_amount": 1})).await.status, 201);
    }
    let path = format!("captures/{id}:capture:200/refund");
    let last = send(&klarna, Method::POST, &path, None, &json!({"refund_amount": 1})).await;
    assert_eq!(last.status, 201);
    assert_eq!(act(&klarna, &id, "refund", &json!({"refund_amount": 1})).await.refusal(), forbidden);
    for _ in 0..100 {
        assert_eq!(act(&klarna, &id, "authorize", &json!({"extension_days": 1})).await.status, 200);
    }
    let before = transaction(&klarna, &id).await;
    assert_eq!(act(&klarna, &id, "authorize", &json!({"extension_days": 1})).await.refusal(), forbidden);
    assert_eq!(void(&klarna, &id).await.refusal(), forbidden);
    assert_eq!(transaction(&klarna, &id).await, before);
}
