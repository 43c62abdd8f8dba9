//! Whatever comes: Klarna's error body, the parameter named, and nothing changed.

use super::*;
use crate::klarna::BETA;

/// A call: method, path under the payment API, body.
type Call = (Method, String, Value);

/// One sound call of each operation that takes a body, and its required fields.
fn sound(id: &str) -> Vec<(Call, &'static [&'static str])> {
    let post = |rest: &str, body| (Method::POST, rest.to_owned(), body);
    vec![
        ((Method::PATCH, format!("transactions/{id}"), json!({"payment_transaction_reference": "t-9"})), &[]),
        (post(&format!("transactions/{id}/authorize"), json!({"extension_days": 1})), &[]),
        (post(&format!("transactions/{id}/capture"), json!({"capture_amount": 1})), &["capture_amount"]),
        (post(&format!("transactions/{id}/refund"), json!({"refund_amount": 1})), &["refund_amount"]),
        (post(&format!("captures/{id}:capture:1/refund"), json!({"refund_amount": 1})), &["refund_amount"]),
    ]
}

/// Fields of each operation with a value that does not do, in the order of [`sound`].
fn wrong() -> [Vec<(&'static str, Value)>; 5] {
    let long = || json!("x".repeat(256));
    let amounts = |field| {
        [json!("1"), json!(0), json!(-1), json!(1.5), json!(2_147_483_648_u64), json!(null), json!([])]
            .map(|value| (field, value))
            .to_vec()
    };
    let references = |field| [json!(""), long(), json!(7), json!(null)].map(|value| (field, value)).to_vec();
    let objects = |field| [json!([]), json!("x"), json!(null)].map(|value| (field, value)).to_vec();
    let days = [json!("7"), json!(0), json!(-1), json!(1.5), json!(366), json!(u64::MAX)];
    let purchase = || objects("supplementary_purchase_data");
    let refund = || {
        [
            amounts("refund_amount"),
            references("payment_refund_reference"),
            references("refund_reference"),
            objects("supplementary_refund_data"),
        ]
        .concat()
    };
    [
        [references("payment_transaction_reference"), purchase()].concat(),
        [days.map(|value| ("extension_days", value)).to_vec(), amounts("amount"), purchase()].concat(),
        [
            amounts("capture_amount"),
            references("payment_capture_reference"),
            vec![("remaining_authorization", json!(1))],
            objects("supplementary_capture_data"),
            purchase(),
        ]
        .concat(),
        refund(),
        refund(),
    ]
}

/// Every call that each operation has on a transaction and its captures.
fn all_calls(id: &str) -> Vec<Call> {
    let get = |rest: String| (Method::GET, rest, Value::Null);
    let mut calls: Vec<Call> = sound(id).into_iter().map(|(call, _)| call).collect();
    calls.push((Method::POST, format!("transactions/{id}/void"), Value::Null));
    calls.extend([
        get(format!("transactions/{id}")),
        get(format!("captures/{id}:capture:1")),
        get(format!("refunds/{id}:refund:1")),
        get(format!("chargebacks/{id}:chargeback:1")),
    ]);
    calls
}

#[tokio::test]
async fn each_wrong_field_is_named_and_nothing_changes() {
    let klarna = approving().await;
    let id = captured(&klarna, "t-1", &[1000]).await;
    let before = transaction(&klarna, &id).await;
    for (((method, path, body), required), wrong) in sound(&id).into_iter().zip(wrong()) {
        let call = async |body: Value| send(&klarna, method.clone(), &path, None, &body).await;
        for field in required {
            let mut without = body.clone();
            without.as_object_mut().unwrap().remove(*field);
            assert_eq!(call(without).await.refusal(), (400, "VALIDATION_ERROR", *field), "{path}");
        }
        for (field, value) in wrong {
            let mut changed = body.clone();
            changed[field] = value.clone();
            let answer = call(changed).await;
            assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR", field), "{path} {field} = {value}");
        }
        for no_object in [json!([]), json!(null), json!("x")] {
            assert_eq!(call(no_object).await.refusal(), (400, "VALIDATION_ERROR", "$"), "{path}");
        }
        assert_eq!(transaction(&klarna, &id).await, before, "{path}");
    }
    let deep = json!({"capture_amount": 1, "supplementary_capture_data": {"shipments": [{"delivery": 1}]}});
    let answer = act(&klarna, &id, "capture", &deep).await;
    let parameter = "supplementary_capture_data.shipments[0].delivery";
    assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR", parameter));
    for amount in [999, 1000] {
        let answer = act(&klarna, &id, "authorize", &json!({"amount": amount})).await;
        assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR", "amount"), "{amount} is captured already");
    }
    assert_eq!(transaction(&klarna, &id).await, before);
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let klarna = approving().await;
    let id = captured(&klarna, "t-1", &[1000]).await;
    let before = transaction(&klarna, &id).await;
    let void = (Method::POST, format!("transactions/{id}/void"), Value::Null);
    for (method, path, _) in sound(&id).into_iter().map(|(call, _)| call).chain([void]) {
        for body in ["{", "not json", "{\"capture_amount\":\"\\ud800\"}"] {
            let request = klarna.http.request(method.clone(), klarna.url(&at(&path))).body(body);
            let answer = klarna.send(request.header("authorization", KEY)).await;
            assert_eq!(answer.refusal(), (400, "INVALID_CONTENT_TYPE", ""), "{path} {body}");
        }
    }
    assert_eq!(transaction(&klarna, &id).await, before);
}

#[tokio::test]
async fn unknown_fields_are_accepted() {
    let klarna = approving().await;
    let id = captured(&klarna, "t-1", &[1000]).await;
    for ((method, path, mut body), _) in sound(&id) {
        body["unknown_field"] = json!({"a": [1]});
        let answer = send(&klarna, method, &path, None, &body).await;
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn what_is_of_another_account_or_of_nobody_is_not_served() {
    let klarna = approving().await;
    let id = captured(&klarna, "t-1", &[1000]).await;
    assert_eq!(act(&klarna, &id, "refund", &json!({"refund_amount": 1})).await.status, 201);
    let before = transaction(&klarna, &id).await;
    // The caller's other account does not have it.
    klarna.authorize(BETA, &[], &initial("t-1")).await;
    let path = |account: &str, rest: &str| klarna.url(&format!("/v2/accounts/{account}/payment/{rest}"));
    for (method, rest, body) in all_calls(&id) {
        let request = klarna.http.request(method, path(BETA, &rest)).header("authorization", KEY);
        let answer = klarna.send(request.body(body.to_string())).await;
        assert_eq!(answer.refusal(), (404, "RESOURCE_NOT_FOUND", ""), "{rest}");
    }
    // Another acquirer does not get at this account.
    for (method, rest, body) in all_calls(&id) {
        let request =
            klarna.http.request(method, path(ALPHA, &rest)).header("authorization", "klarna_test_api_other");
        let answer = klarna.send(request.body(body.to_string())).await;
        assert_eq!(answer.refusal(), (403, "OPERATION_FORBIDDEN", ""), "{rest}");
    }
    let garbage =
        ["unknown", ":", ":::", "krn:payment:eu1:transaction:1", "%00", "%F0%9F%92%B6", &"x".repeat(5000)];
    for (method, rest, body) in garbage.iter().flat_map(|id| all_calls(id)) {
        let answer = send(&klarna, method, &rest, None, &body).await;
        assert_eq!(answer.refusal(), (404, "RESOURCE_NOT_FOUND", ""), "{rest}");
    }
    // Ids of one kind do not do for another.
    for rest in
        [format!("captures/{id}:refund:1"), format!("refunds/{id}:capture:1"), format!("captures/{id}")]
    {
        assert_eq!(klarna.get(&at(&rest)).await.refusal(), (404, "RESOURCE_NOT_FOUND", ""), "{rest}");
    }
    assert_eq!(transaction(&klarna, &id).await, before);
}

#[tokio::test]
async fn what_the_state_does_not_allow_is_forbidden() {
    let klarna = approving().await;
    let completed = captured(&klarna, "t-1", &[AMOUNT]).await;
    let closed = authorized(&klarna, "t-2").await;
    assert_eq!(void(&klarna, &closed).await.status, 200);
    let deeds = |id: &str| {
        let post = |deed: &str, body| (Method::POST, format!("transactions/{id}/{deed}"), body);
        vec![
            (Method::PATCH, format!("transactions/{id}"), json!({"payment_transaction_reference": "t-9"})),
            post("authorize", json!({"amount": 2 * AMOUNT})),
            post("capture", json!({"capture_amount": 1})),
            post("void", json!({})),
        ]
    };
    let mut forbidden = [deeds(&completed), deeds(&closed)].concat();
    forbidden.push((Method::POST, format!("transactions/{closed}/refund"), json!({"refund_amount": 1})));
    let before = (transaction(&klarna, &completed).await, transaction(&klarna, &closed).await);
    for (method, path, body) in forbidden {
        let answer = send(&klarna, method, &path, None, &body).await;
        assert_eq!(answer.refusal(), (403, "OPERATION_FORBIDDEN", ""), "{path}");
    }
    assert_eq!((transaction(&klarna, &completed).await, transaction(&klarna, &closed).await), before);
}
