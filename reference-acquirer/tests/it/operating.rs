//! Cancels, captures, refunds and voids: written down, made once, told.

use http::StatusCode;
use klarna_schemas::catalogue;
use reference_acquirer::payments::operation::{Kind, Operation, Outcome, Target};
use reference_acquirer::store::{self, Lease, NewOperation, OperationCall, OperationCreated};
use serde_json::{Value, json};

use crate::support::{
    ALPHA, Acquirer, CAPTURE_ID, Database, Exchange, REFUND_ID, REQUEST_ID, Reply, Setup, TRANSACTION_ID,
    assert_same_call, client, on_both, order, sealer, verify,
};

const ACCOUNT: &str = "krn:partner:global:account:test:ALPHA001";

/// An approved payment, and its id.
async fn approved(setup: &Setup) -> (Acquirer, String) {
    setup.klarna.will([Reply::approved()]);
    let acquirer = setup.start().await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    assert_eq!(payment["status"], "approved");
    (acquirer, payment["payment_id"].as_str().unwrap().to_owned())
}

fn fits(schema: &str, value: &Value) {
    assert_eq!(catalogue::check(schema, value), Ok(Vec::new()), "{value:#}");
}

/// What the Partner was told about operations, once there is so much of it.
async fn told_of_operations(setup: &Setup, count: usize) -> Vec<Value> {
    let about = |told: &Exchange| told.json()["type"] == "operation.updated";
    let told = setup.partner.heard.await_matching(count, about).await;
    told.iter().for_each(verify);
    told.iter().map(Exchange::json).inspect(|told| fits("acquirer/notification", told)).collect()
}

async fn operations_of(acquirer: &Acquirer, id: &str) -> Value {
    let (status, payment) = acquirer.read(ALPHA, id).await;
    assert_eq!(status, StatusCode::OK);
    fits("acquirer/payment", &payment);
    payment["operations"].clone()
}

/// What Klarna gets, what the Partner gets, and where it can be read again.
#[tokio::test]
async fn capture_refund_and_void() {
    let void = Reply::Raw(204, "text/plain", "");
    for (path, verb, reply, body, to_klarna, klarna_id) in [
        (
            "captures",
            "capture",
            Reply::captured(),
            json!({"amount": 40_000, "reference": "cap-1"}),
            Some(json!({"capture_amount": 40_000, "payment_capture_reference": "cap-1"})),
            Some(CAPTURE_ID),
        ),
        (
            "refunds",
            "refund",
            Reply::refunded(),
            json!({"amount": 1, "reference": "ref-1"}),
            Some(json!({"refund_amount": 1, "refund_reference": "ref-1"})),
            Some(REFUND_ID),
        ),
        ("void", "void", void, json!({}), None, None),
    ] {
        let setup = Setup::new().await;
        let (acquirer, id) = approved(&setup).await;
        setup.klarna.will_operate([reply]);
        let (status, operation) = acquirer.post(ALPHA, &format!("{id}/{path}"), &body).await;
        assert_eq!(status, StatusCode::CREATED, "{operation:#}");
        fits("acquirer/operation", &operation);
        assert_eq!(operation["status"], "succeeded");
        assert_eq!(operation["kind"], verb);
        assert_eq!(operation["klarna_id"].as_str(), klarna_id);

        let call = setup.klarna.operations().remove(0);
        assert_eq!(call.method, "POST");
        assert_eq!(call.path, format!("/v2/accounts/{ACCOUNT}/payment/transactions/{TRANSACTION_ID}/{verb}"));
        assert!(uuid::Uuid::parse_str(call.header("klarna-idempotency-key").unwrap()).is_ok());
        match to_klarna {
            Some(expected) => assert_eq!(call.json(), expected),
            None => assert!(call.body.is_empty()),
        }
        let told = told_of_operations(&setup, 1).await;
        assert_eq!(told[0]["data"], operation);
        assert_eq!(operations_of(&acquirer, &id).await, json!([operation]));
        assert_eq!(acquirer.read(ALPHA, &id).await.1["status"], "approved");
        acquirer.stop().await;
    }
}

/// What JSON Schema calls an integer is one, however it is written (2020-12 validation, 6.1.1).
#[tokio::test]
async fn whole_amounts_may_have_a_point_or_an_exponent() {
    let setup = Setup::new().await;
    let text = order("tx-1").to_string().replace("45900", "45900.0").replace(":1,", ":1e0,");
    assert!(text.contains("45900.0") && text.contains(":1e0,"));
    setup.klarna.will([Reply::approved()]);
    let acquirer = setup.start().await;
    let create = client()
        .post(format!("{}/v1/payments", acquirer.base_url))
        .bearer_auth(ALPHA)
        .header("content-type", "application/json");
    let response = create.body(text).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    let payment: Value = response.json().await.unwrap();
    assert_eq!(payment["amount"].to_string(), "45900");
    let id = payment["payment_id"].as_str().unwrap();

    let mut amounts = Vec::new();
    for (number, (written, read)) in [("100.0", 100), ("1e2", 100), ("7.00e0", 7)].into_iter().enumerate() {
        setup.klarna.will_operate([Reply::captured()]);
        let body = format!(r#"{{"amount":{written},"reference":"cap-{number}"}}"#);
        let request = acquirer.posting(ALPHA, &format!("{id}/captures"), &Value::Null).body(body);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::CREATED, "{written}");
        amounts.push(json!(read));
    }
    let sent: Vec<_> =
        setup.klarna.operations().iter().map(|call| call.json()["capture_amount"].clone()).collect();
    assert_eq!(sent, amounts);
    for written in ["100.5", "1e-1", "1e300", "0.0", "-1.0", "\"100\""] {
        let body = format!(r#"{{"amount":{written}}}"#);
        let request = acquirer.posting(ALPHA, &format!("{id}/captures"), &Value::Null).body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{written}");
        let problem: Value = response.json().await.unwrap();
        assert!(problem.to_string().contains("\"amount\""), "{written}: {problem:#}");
    }
    acquirer.stop().await;
    assert_eq!(setup.klarna.operations().len(), 3);
}

/// A Partner that gives no reference gets one, and Klarna gets the same.
#[tokio::test]
async fn a_reference_of_ours() {
    let setup = Setup::new().await;
    let (acquirer, id) = approved(&setup).await;
    setup.klarna.will_operate([Reply::captured(), Reply::captured()]);
    let path = format!("{id}/captures");
    for _ in 0..2 {
        let (status, operation) = acquirer.post(ALPHA, &path, &json!({"amount": 5})).await;
        assert_eq!(status, StatusCode::CREATED);
        let sent = setup.klarna.operations().pop().unwrap().json();
        assert_eq!(sent["payment_capture_reference"], operation["reference"]);
    }
    let calls = setup.klarna.operations();
    assert_ne!(calls[0].header("klarna-idempotency-key"), calls[1].header("klarna-idempotency-key"));
    acquirer.stop().await;
}

#[tokio::test]
async fn a_step_up_is_canceled() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up()]);
    let acquirer = setup.start().await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    let id = payment["payment_id"].as_str().unwrap();
    // No body at all will do.
    let request = acquirer.posting(ALPHA, &format!("{id}/cancel"), &Value::Null).body("");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    let operation: Value = response.json().await.unwrap();
    fits("acquirer/operation", &operation);
    assert_eq!(operation["status"], "succeeded");
    let cancel = setup.klarna.await_cancels(1).await.remove(0);
    assert_eq!(cancel.path, format!("/v2/accounts/{ACCOUNT}/payment/requests/{REQUEST_ID}"));

    // Klarna tells of it too, and the customer may be late: neither changes anything.
    let initial = setup.klarna.authorizes().remove(0);
    setup.klarna.send_event("e-1", "CANCELED", &initial).await;
    setup.klarna.send_event("e-2", "COMPLETED", &initial).await;
    let told = setup.partner.await_notifications(2).await;
    let mut types: Vec<_> =
        told.iter().map(|told| told.json()["type"].as_str().unwrap().to_owned()).collect();
    types.sort();
    assert_eq!(types, ["operation.updated", "payment.updated"]);
    acquirer.stop().await;
    let acquirer = setup.start().await;
    let (_, payment) = acquirer.read(ALPHA, id).await;
    assert_eq!((&payment["status"], &payment["operations"][0]), (&json!("canceled"), &operation));
    acquirer.stop().await;
    assert_eq!(setup.klarna.authorizes().len(), 1);
    assert_eq!(setup.partner.heard.matching(|_| true).len(), 2);
}

on_both! { cancels_that_are_asked_at_once_are_one }

/// Without an idempotency key, and whether or not the first has ended when the last is written down.
async fn cancels_that_are_asked_at_once_are_one(database: &Database) {
    const ROUNDS: usize = 8;
    let setup = Setup::new().await;
    setup.klarna.will((0..ROUNDS).map(|_| Reply::step_up()));
    let acquirer = setup.start_with(|settings| settings.database = database.url().into()).await;
    for round in 1..=ROUNDS {
        let (_, payment) = acquirer.create(ALPHA, &order(&format!("tx-{round}"))).await;
        let id = payment["payment_id"].as_str().unwrap();
        let path = format!("{id}/cancel");
        let body = json!({});
        let asked = futures::future::join_all((0..12).map(|_| acquirer.post(ALPHA, &path, &body))).await;
        assert_eq!(asked.iter().filter(|(status, _)| *status == StatusCode::CREATED).count(), 1);
        for (status, answer) in &asked {
            assert!(matches!(status.as_u16(), 200 | 201 | 409), "{status} {answer:#}");
        }
        assert_eq!(operations_of(&acquirer, id).await.as_array().unwrap().len(), 1);
        assert_eq!(setup.klarna.await_cancels(round).await.len(), round);
    }
    acquirer.stop().await;
    assert_eq!(setup.klarna.heard.matching(Exchange::is_cancel).len(), ROUNDS);
}

/// The customer was quicker: Klarna does not cancel any more, and the payment goes its way.
#[tokio::test]
async fn a_cancel_that_comes_too_late_fails() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up()]);
    setup.klarna.will_cancel([Reply::error(403, "OPERATION_FORBIDDEN")]);
    let acquirer = setup.start().await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    let id = payment["payment_id"].as_str().unwrap();
    let (status, operation) = acquirer.post(ALPHA, &format!("{id}/cancel"), &json!({})).await;
    assert_eq!((status, &operation["status"]), (StatusCode::CREATED, &json!("failed")));
    assert_eq!(operation["failure_reason"], "refused");
    assert_eq!(operation["klarna_error_code"], "OPERATION_FORBIDDEN");
    fits("acquirer/operation", &operation);
    assert_eq!(acquirer.read(ALPHA, id).await.1["status"], "step_up_required");
    acquirer.stop().await;
}

/// A refusal is an answer: nothing is repeated.
#[tokio::test]
async fn a_refusal_is_told() {
    for (reply, code) in [
        (Reply::error(403, "OPERATION_FORBIDDEN"), Some("OPERATION_FORBIDDEN")),
        (Reply::error(400, "VALIDATION_ERROR"), Some("VALIDATION_ERROR")),
        (Reply::error(409, "RESOURCE_CONFLICT"), Some("RESOURCE_CONFLICT")),
        (Reply::error(404, "not a\u{0}name"), None),
        (Reply::Raw(403, "text/html", "<html>"), None),
    ] {
        let setup = Setup::new().await;
        let (acquirer, id) = approved(&setup).await;
        setup.klarna.will_operate([reply]);
        let (status, operation) =
            acquirer.post(ALPHA, &format!("{id}/captures"), &json!({"amount": 1})).await;
        assert_eq!(status, StatusCode::CREATED);
        fits("acquirer/operation", &operation);
        assert_eq!(
            (&operation["status"], &operation["failure_reason"]),
            (&json!("failed"), &json!("refused"))
        );
        assert_eq!(operation["klarna_error_code"].as_str(), code);
        assert_eq!(told_of_operations(&setup, 1).await[0]["data"], operation);
        acquirer.stop().await;
        assert_eq!(setup.klarna.operations().len(), 1);
    }
}

/// Whatever went wrong, the same call again: same key, same bytes.
#[tokio::test]
async fn a_call_without_an_answer_is_repeated() {
    let setup = Setup::new().await;
    let (acquirer, id) = approved(&setup).await;
    let broken = [Reply::Closed, Reply::error(503, "DOWN"), Reply::Raw(200, "text/html", "<html>")];
    setup.klarna.will_operate(broken);
    setup.klarna.will_operate([Reply::captured()]);
    let (status, operation) = acquirer.post(ALPHA, &format!("{id}/captures"), &json!({"amount": 7})).await;
    assert_eq!((status, &operation["status"]), (StatusCode::CREATED, &json!("succeeded")));
    let calls = setup.klarna.operations();
    assert_eq!(calls.len(), 4);
    assert_same_call(&calls);
    acquirer.stop().await;
}

/// After the last attempt nobody knows, and that is what the Partner is told.
#[tokio::test]
async fn a_call_that_is_never_answered_is_given_up() {
    let setup = Setup::new().await;
    let (acquirer, id) = approved(&setup).await;
    setup.klarna.will_operate((0..4).map(|_| Reply::error(500, "TIMEOUT")));
    let (_, operation) = acquirer.post(ALPHA, &format!("{id}/refunds"), &json!({"amount": 7})).await;
    assert_eq!(operation["status"], "failed", "{operation:#}");
    assert_eq!(operation["failure_reason"], "unanswered");
    acquirer.stop().await;
    assert_eq!(setup.klarna.operations().len(), 4);
}

/// Klarna takes its time: 202, and the notification brings the end.
#[tokio::test]
async fn a_slow_answer_comes_by_notification() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved()]);
    let acquirer =
        setup.start_with(|settings| settings.create.answer = std::time::Duration::from_millis(50)).await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    let id = payment["payment_id"].as_str().unwrap();
    setup.klarna.will_operate([Reply::Held(json!({"payment_capture_id": CAPTURE_ID}))]);
    let (status, pending) = acquirer.post(ALPHA, &format!("{id}/captures"), &json!({"amount": 7})).await;
    assert_eq!((status, &pending["status"]), (StatusCode::ACCEPTED, &json!("pending")));
    assert_eq!(operations_of(&acquirer, id).await, json!([pending]));
    setup.klarna.let_go();
    let told = told_of_operations(&setup, 1).await.remove(0);
    assert_eq!(
        (&told["data"]["status"], &told["data"]["klarna_id"]),
        (&json!("succeeded"), &json!(CAPTURE_ID))
    );
    assert_eq!(told["data"]["operation_id"], pending["operation_id"]);
    acquirer.stop().await;
}

/// What was stored before a crash is done after it, by the call that was written down.
#[tokio::test]
async fn an_operation_survives_a_crash() {
    let setup = Setup::new().await;
    let (acquirer, id) = approved(&setup).await;
    acquirer.stop().await;
    let store = store::open(&setup.database(), sealer()).await.unwrap();
    let now = reference_acquirer::clock::now();
    let new = NewOperation {
        operation: Operation {
            id: "op_1".to_owned(),
            payment_id: id.clone(),
            kind: Kind::Capture,
            reference: "cap-1".to_owned(),
            amount: Some(klarna_schemas::money::MinorUnits(7)),
            outcome: Outcome::Pending,
            created_at: now,
            updated_at: now,
        },
        call: OperationCall {
            target: Target::Transaction(TRANSACTION_ID.into()),
            payment_id: id.clone(),
            idempotency_key: "written-down".to_owned(),
            body: Some("{\"as\":\"written\"}".into()),
        },
        lease: Lease { owner: "a run that crashed".to_owned(), until: jiff::Timestamp::MAX },
    };
    assert!(matches!(store.create_operation(&new).await.unwrap(), OperationCreated::Stored(_)));
    store.close().await;

    setup.klarna.will_operate([Reply::captured()]);
    let acquirer = setup.start().await;
    assert_eq!(told_of_operations(&setup, 1).await[0]["data"]["status"], "succeeded");
    let call = setup.klarna.operations().remove(0);
    assert_eq!(call.header("klarna-idempotency-key"), Some("written-down"));
    assert_eq!(call.body, "{\"as\":\"written\"}");
    acquirer.stop().await;
}

/// The same reference is the same operation, however often and at once; another amount is not.
#[tokio::test]
async fn a_reference_is_used_once() {
    let setup = Setup::new().await;
    let (acquirer, id) = approved(&setup).await;
    setup.klarna.will_operate([Reply::captured()]);
    let path = format!("{id}/captures");
    let body = json!({"amount": 7, "reference": "cap-1"});
    let answers = futures::future::join_all((0..8).map(|_| acquirer.post(ALPHA, &path, &body))).await;
    let made = answers.iter().filter(|(status, _)| *status == StatusCode::CREATED).count();
    let repeated = answers.iter().filter(|(status, _)| *status == StatusCode::OK).count();
    assert_eq!((made, repeated), (1, 7), "{answers:#?}");
    assert!(answers.iter().all(|(_, operation)| *operation == answers[0].1), "{answers:#?}");
    let (status, problem) = acquirer.post(ALPHA, &path, &json!({"amount": 8, "reference": "cap-1"})).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::CONFLICT, &json!("reference")));
    acquirer.stop().await;
    assert_eq!(setup.klarna.operations().len(), 1);
}

/// Each kind against each status: what is not listed is refused, and Klarna hears nothing.
#[tokio::test]
async fn a_payment_must_be_in_a_state_for_it() {
    let all = ["cancel", "captures", "refunds", "void"];
    for (replies, status, allowed) in [
        (vec![Reply::declined()], "declined", &[][..]),
        (vec![Reply::error(400, "VALIDATION_ERROR")], "failed", &[]),
        (vec![Reply::step_up()], "step_up_required", &["cancel"]),
        (vec![Reply::approved()], "approved", &["captures", "refunds", "void"]),
        (vec![Reply::Held(json!({}))], "pending", &[]),
    ] {
        let setup = Setup::new().await;
        setup.klarna.will(replies);
        // Where Klarna answers, its answer is waited for however slow the machine is.
        let acquirer = setup
            .start_with(|settings| {
                if status == "pending" {
                    settings.create.answer = std::time::Duration::from_millis(50);
                }
            })
            .await;
        let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
        assert_eq!(payment["status"], status);
        for what in all.iter().filter(|what| !allowed.contains(what)) {
            let body = if matches!(*what, "captures" | "refunds") { json!({"amount": 1}) } else { json!({}) };
            let path = format!("{}/{what}", payment["payment_id"].as_str().unwrap());
            let (code, problem) = acquirer.post(ALPHA, &path, &body).await;
            assert_eq!(
                (code, &problem["type"]),
                (StatusCode::CONFLICT, &json!("/problems/wrong-state")),
                "{what}"
            );
            assert!(problem["detail"].as_str().unwrap().contains(status), "{problem}");
        }
        setup.klarna.let_go();
        acquirer.stop().await;
        assert_eq!(setup.klarna.operations().len(), 0);
        assert_eq!(setup.klarna.heard.matching(Exchange::is_cancel).len(), 0);
    }
}

/// Klarna's own limit (AP-50) is told before Klarna has to.
#[tokio::test]
async fn klarnas_limit_is_kept() {
    let setup = Setup::new().await;
    let (acquirer, id) = approved(&setup).await;
    setup.klarna.will_operate((0..200).map(|_| Reply::captured()));
    let path = format!("{id}/captures");
    let body = json!({"amount": 1});
    let captures = futures::future::join_all((0..200).map(|_| acquirer.post(ALPHA, &path, &body))).await;
    assert!(captures.iter().all(|(status, _)| *status == StatusCode::CREATED));
    let (status, problem) = acquirer.post(ALPHA, &path, &body).await;
    assert_eq!((status, &problem["type"]), (StatusCode::CONFLICT, &json!("/problems/too-many-operations")));
    acquirer.stop().await;
    assert_eq!(setup.klarna.operations().len(), 200);
}
