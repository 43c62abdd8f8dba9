//! Payment Transactions after their authorize: captured, refunded, voided, renewed, read.

mod bad_input;
mod repeats;
mod time;

use klarna_schemas::catalogue;
use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::money::MinorUnits;
use klarna_schemas::simulator::control::{MintSessionToken, MintedTokenState, PutSandbox};
use klarna_simulator::Simulator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, KEY, Klarna, TOKEN, initial, last};
use crate::sink::Sink;

/// What a payment of the tests is over.
const AMOUNT: i64 = 45_900;

/// The path of something in ALPHA's account.
fn at(rest: &str) -> String {
    format!("/v2/accounts/{ALPHA}/payment/{rest}")
}

/// A call with a body, under a key of its own where one is given.
async fn send(klarna: &Klarna, method: Method, rest: &str, key: Option<&str>, body: &Value) -> Answer {
    let key: Vec<_> = key.map(|key| ("Klarna-Idempotency-Key", key)).into_iter().collect();
    klarna.call(method, &at(rest), &key, Some(body)).await
}

/// `POST …/transactions/{id}/{act}`.
async fn act(klarna: &Klarna, id: &str, act: &str, body: &Value) -> Answer {
    send(klarna, Method::POST, &format!("transactions/{id}/{act}"), None, body).await
}

/// `POST …/transactions/{id}/void`, without a body.
async fn void(klarna: &Klarna, id: &str) -> Answer {
    klarna.call(Method::POST, &at(&format!("transactions/{id}/void")), &[], None).await
}

async fn read(klarna: &Klarna, rest: &str) -> Value {
    let answer = klarna.get(&at(rest)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

async fn transaction(klarna: &Klarna, id: &str) -> Value {
    let body = read(klarna, &format!("transactions/{id}")).await;
    fits("klarna/payment-transaction", &body);
    body
}

fn fits(schema: &str, body: &Value) {
    assert_eq!(catalogue::check(schema, body).unwrap(), [], "{schema}: {body:#}");
}

fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_else(|| panic!("no {field} in {body:#}")).to_owned()
}

/// A simulator in which every initial authorize is approved.
async fn approving() -> Klarna {
    let builder = Simulator::builder().seed(7).default_outcome(AuthorizationResult::Approved);
    Klarna::of(builder).await
}

/// An authorize that is approved at once; the transaction in its answer.
async fn approved(klarna: &Klarna, body: &Value) -> Value {
    let answer = klarna.authorize(ALPHA, &[], body).await;
    assert_eq!(answer.result(), "APPROVED");
    fits("klarna/authorize-response", &answer.body);
    answer.body["payment_transaction_response"]["payment_transaction"].clone()
}

/// The id of a transaction that is AUTHORIZED.
async fn authorized(klarna: &Klarna, reference: &str) -> String {
    text(&approved(klarna, &initial(reference)).await, "payment_transaction_id")
}

/// The id of a transaction of which so much is captured, in so many captures.
async fn captured(klarna: &Klarna, reference: &str, amounts: &[i64]) -> String {
    let id = authorized(klarna, reference).await;
    for amount in amounts {
        assert_eq!(act(klarna, &id, "capture", &json!({"capture_amount": amount})).await.status, 201);
    }
    id
}

#[tokio::test]
async fn an_approved_payment_is_read_captured_in_parts_and_completed() {
    let klarna = approving().await;
    let made = approved(&klarna, &initial("t-1")).await;
    assert_eq!((&made["state"], &made["amount"]), (&json!("AUTHORIZED"), &json!(AMOUNT)));
    assert_eq!((&made["payment_captures"], &made["payment_pricing"]), (&json!([]), &json!({})));
    assert!(made.get("supplementary_purchase_data").is_none(), "the caller has just sent it");
    let id = text(&made, "payment_transaction_id");
    let found = transaction(&klarna, &id).await;
    assert_eq!(found["payment_transaction_reference"], "t-1");
    assert_eq!(found["expires_at"], made["expires_at"]);
    assert_eq!(found["supplementary_purchase_data"]["purchase_reference"], "ORDER-1");

    let body = json!({"capture_amount": 40_000, "payment_capture_reference": "c-1"});
    let first = act(&klarna, &id, "capture", &body).await;
    assert_eq!(first.status, 201);
    fits("klarna/payment-capture", &first.body);
    let capture = text(&first.body, "payment_capture_id");
    assert_eq!(capture, format!("{id}:capture:1"));
    assert_eq!(read(&klarna, &format!("captures/{capture}")).await, first.body);
    assert_eq!(transaction(&klarna, &id).await["state"], "AUTHORIZED");
    let too_much = act(&klarna, &id, "capture", &json!({"capture_amount": 5901})).await;
    assert_eq!(too_much.refusal(), (400, "VALIDATION_ERROR", "capture_amount"));
    let second = act(&klarna, &id, "capture", &json!({"capture_amount": 5900})).await;
    assert_eq!(second.body["payment_capture_id"], format!("{id}:capture:2"));
    let found = transaction(&klarna, &id).await;
    assert_eq!(found["state"], "COMPLETED");
    assert_eq!(found["payment_captures"], json!([first.body, second.body]));
    let more = act(&klarna, &id, "capture", &json!({"capture_amount": 1})).await;
    assert_eq!(more.refusal(), (403, "OPERATION_FORBIDDEN", ""));
    // A Partner with a key of its own leaves its account out of the path: this one has no such id.
    let own = klarna.get(&format!("/v2/payment/transactions/{id}")).await;
    assert_eq!(own.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
}

#[tokio::test]
async fn a_partner_works_on_its_own_account_without_naming_it() {
    let klarna = approving().await;
    let made = klarna.send(klarna.post("/v2/payment/authorize", &[], &initial("t-1"))).await;
    let id =
        text(&made.body["payment_transaction_response"]["payment_transaction"], "payment_transaction_id");
    let path = format!("/v2/payment/transactions/{id}/capture");
    let capture = klarna.send(klarna.post(&path, &[], &json!({"capture_amount": 100}))).await;
    assert_eq!(capture.status, 201);
    let capture = text(&capture.body, "payment_capture_id");
    let path = format!("/v2/payment/captures/{capture}/refund");
    let refund = klarna.send(klarna.post(&path, &[], &json!({"refund_amount": 100}))).await;
    assert_eq!(refund.status, 201);
    for rest in
        [format!("captures/{capture}"), format!("refunds/{}", text(&refund.body, "payment_refund_id"))]
    {
        assert_eq!(klarna.get(&format!("/v2/payment/{rest}")).await.status, 200);
    }
}

#[tokio::test]
async fn an_auto_capture_completes_at_once() {
    let klarna = approving().await;
    let mut body = initial("t-1");
    body["request_payment_transaction"]["capture"] = json!("NOW");
    body["request_payment_transaction"]["payment_capture_reference"] = json!("c-1");
    let made = approved(&klarna, &body).await;
    assert_eq!(made["state"], "COMPLETED");
    let row = &made["payment_captures"][0];
    assert_eq!((&row["payment_capture_reference"], &row["capture_amount"]), (&json!("c-1"), &json!(AMOUNT)));
    assert_eq!(&read(&klarna, &format!("captures/{}", text(row, "payment_capture_id"))).await, row);
    let id = text(&made, "payment_transaction_id");
    let refund = act(&klarna, &id, "refund", &json!({"refund_amount": AMOUNT})).await;
    assert_eq!(refund.status, 201);
}

#[tokio::test]
async fn a_final_authorize_makes_a_transaction_that_knows_its_request() {
    let klarna = Klarna::start().await;
    let mut sink = Sink::start().await;
    sink.subscribe(&klarna, &["payment.transaction.*"]).await;
    let (first, token) = klarna.completed("t-1").await;
    let answer = klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-1")).await;
    let made = &answer.body["payment_transaction_response"]["payment_transaction"];
    let id = text(made, "payment_transaction_id");
    assert_eq!(transaction(&klarna, &id).await["state"], "AUTHORIZED");
    let event = sink.next().await.json();
    assert_eq!(event["payload"]["payment_request_id"], first.request_id());
    assert_eq!(event["payload"]["payment_transaction_id"], id);
    // The same call again makes no other one, and tells of none.
    let again = klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-1")).await;
    assert_eq!(again.body, answer.body);
    assert_eq!(act(&klarna, &id, "capture", &json!({"capture_amount": 1})).await.status, 201);
    assert_eq!(sink.next().await.json()["metadata"]["event_type"], "payment.transaction.captured");
}

#[tokio::test]
async fn a_minted_token_without_a_request_makes_a_payment_with_a_transaction() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let mint = MintSessionToken { length: None, state: MintedTokenState::Completed };
    let token = klarna.control().mint_session_token(&ALPHA.into(), &mint).await.unwrap();
    let headers = [(TOKEN, token.klarna_network_session_token.as_str())];
    let answer = klarna.authorize(ALPHA, &headers, &last("t-1")).await;
    let made = &answer.body["payment_transaction_response"]["payment_transaction"];
    let found = klarna.get(&at(&format!("transactions/{}", text(made, "payment_transaction_id")))).await;
    assert_eq!(found.status, 200);
    let page = klarna.journal("payment_transaction.read").await;
    assert_eq!(page.entries[0].payment.as_deref(), Some("e1p1"));
}

#[tokio::test]
async fn refunds_go_over_the_captures_and_no_further() {
    let klarna = approving().await;
    let id = captured(&klarna, "t-1", &[1000, 2000]).await;
    let body = json!({"refund_amount": 1500, "refund_reference": "r-1",
        "supplementary_refund_data": {"line_items": [{"name": "Shoe", "quantity": 1, "total_amount": 1500}]}});
    let over_all = act(&klarna, &id, "refund", &body).await;
    assert_eq!(over_all.status, 201);
    fits("klarna/payment-refund", &over_all.body);
    let refund = text(&over_all.body, "payment_refund_id");
    assert_eq!(
        (&refund, &over_all.body["payment_refund_reference"]),
        (&format!("{id}:refund:1"), &json!("r-1"))
    );
    assert_eq!(read(&klarna, &format!("refunds/{refund}")).await, over_all.body);

    // The first capture is used up, 1500 are left of the second.
    let of = async |capture: u8, body: Value| {
        send(&klarna, Method::POST, &format!("captures/{id}:capture:{capture}/refund"), None, &body).await
    };
    let used_up = of(1, json!({"refund_amount": 1})).await;
    assert_eq!(used_up.refusal(), (400, "VALIDATION_ERROR", "refund_amount"));
    let by_capture = of(2, json!({"refund_amount": 1400, "payment_refund_reference": "r-2"})).await;
    assert_eq!(by_capture.status, 201);
    assert_eq!(by_capture.body["payment_capture_id"], format!("{id}:capture:2"));
    assert_eq!(by_capture.body["payment_refund_reference"], "r-2");
    let too_much = act(&klarna, &id, "refund", &json!({"refund_amount": 101})).await;
    assert_eq!(too_much.refusal(), (400, "VALIDATION_ERROR", "refund_amount"));
    assert_eq!(act(&klarna, &id, "refund", &json!({"refund_amount": 100})).await.status, 201);
    let nothing_left = act(&klarna, &id, "refund", &json!({"refund_amount": 1})).await;
    assert_eq!(nothing_left.refusal(), (400, "VALIDATION_ERROR", "refund_amount"));
}

#[tokio::test]
async fn a_refund_of_one_capture_leaves_the_others_alone() {
    let klarna = approving().await;
    let id = captured(&klarna, "t-1", &[1000, 2000]).await;
    for (capture, amount, status) in [(2, 2000, 201), (2, 1, 400), (1, 1001, 400), (1, 1000, 201)] {
        let path = format!("captures/{id}:capture:{capture}/refund");
        let answer = send(&klarna, Method::POST, &path, None, &json!({"refund_amount": amount})).await;
        assert_eq!(answer.status, status, "{amount} of {capture}");
    }
}

#[tokio::test]
async fn a_release_and_a_void_give_up_what_is_left() {
    let klarna = approving().await;
    let id = authorized(&klarna, "t-1").await;
    let body = json!({"capture_amount": 100, "remaining_authorization": "RELEASE"});
    assert_eq!(act(&klarna, &id, "capture", &body).await.status, 201);
    assert_eq!(transaction(&klarna, &id).await["state"], "COMPLETED");

    let id = captured(&klarna, "t-2", &[100]).await;
    let voided = void(&klarna, &id).await;
    assert_eq!((voided.status, &voided.body["state"]), (200, &json!("COMPLETED")));
    assert_eq!(void(&klarna, &id).await.refusal(), (403, "OPERATION_FORBIDDEN", ""));
    assert_eq!(act(&klarna, &id, "refund", &json!({"refund_amount": 100})).await.status, 201);

    let id = authorized(&klarna, "t-3").await;
    // A body is not asked for, and does no harm.
    let voided = act(&klarna, &id, "void", &json!({})).await;
    assert_eq!((voided.status, &voided.body["state"]), (200, &json!("CLOSED")));
    assert_eq!(transaction(&klarna, &id).await, voided.body);
}

#[tokio::test]
async fn an_update_changes_what_is_sent_and_nothing_else() {
    let klarna = approving().await;
    let id = authorized(&klarna, "t-1").await;
    let before = transaction(&klarna, &id).await;
    let path = format!("transactions/{id}");
    let body = json!({"payment_transaction_reference": "t-2"});
    let renamed = send(&klarna, Method::PATCH, &path, None, &body).await;
    assert_eq!(renamed.status, 200);
    let mut expected = before.clone();
    expected["payment_transaction_reference"] = json!("t-2");
    assert_eq!(renamed.body, expected);
    let data = json!({"purchase_reference": "ORDER-2"});
    let body = json!({"supplementary_purchase_data": data});
    expected["supplementary_purchase_data"] = data;
    assert_eq!(send(&klarna, Method::PATCH, &path, None, &body).await.body, expected);
    assert_eq!(transaction(&klarna, &id).await, expected);
}

#[tokio::test]
async fn a_chargeback_is_made_by_hand_and_read() {
    let klarna = approving().await;
    let mut sink = Sink::start().await;
    sink.subscribe(&klarna, &["payment.transaction.chargeback"]).await;
    let id = captured(&klarna, "t-1", &[1000]).await;
    let (account, transaction) = (ALPHA.into(), id.as_str().into());
    let charge_back = async |amount| {
        klarna
            .control()
            .charge_back(&account, &transaction, MinorUnits(amount))
            .await
            .map_err(|e| e.to_string())
    };
    let made = charge_back(600).await.unwrap();
    let found = read(&klarna, &format!("chargebacks/{}", made.payment_chargeback_id)).await;
    assert_eq!(found, serde_json::to_value(&made).unwrap());
    fits("klarna/payment-chargeback", &found);
    let event = sink.next().await.json();
    fits("klarna/payment-transaction-event", &event);
    assert_eq!(event["payload"]["chargeback_amount"], 600);
    for (amount, status) in [(401, "409"), (0, "400"), (-1, "400")] {
        assert!(charge_back(amount).await.unwrap_err().contains(status), "{amount}");
    }
    // What Klarna took back cannot be refunded.
    let too_much = act(&klarna, &id, "refund", &json!({"refund_amount": 401})).await;
    assert_eq!(too_much.refusal(), (400, "VALIDATION_ERROR", "refund_amount"));
    assert_eq!(act(&klarna, &id, "refund", &json!({"refund_amount": 400})).await.status, 201);
    let unknown = klarna.control().charge_back(&account, &"unknown".into(), MinorUnits(1)).await;
    assert!(unknown.unwrap_err().to_string().contains("404"));
    let none = klarna.get(&at(&format!("chargebacks/{id}:chargeback:2"))).await;
    assert_eq!(none.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
}

#[tokio::test]
async fn each_deed_and_each_state_is_told() {
    let klarna = approving().await;
    let mut sink = Sink::start().await;
    sink.subscribe(&klarna, &["payment.transaction.*"]).await;
    let id = authorized(&klarna, "t-1").await;
    let mut told = vec![sink.next().await.json()];
    for (deed, body, events) in [
        ("capture", json!({"capture_amount": 100, "payment_capture_reference": "c-1"}), 1),
        ("refund", json!({"refund_amount": 40, "refund_reference": "r-1"}), 1),
        ("capture", json!({"capture_amount": AMOUNT - 100}), 2),
    ] {
        assert_eq!(act(&klarna, &id, deed, &body).await.status, 201);
        let mut of_deed = Vec::new();
        for _ in 0..events {
            of_deed.push(sink.next().await.json());
        }
        // Deliveries of one deed run side by side.
        of_deed.sort_by_key(|event| event["metadata"]["event_type"].to_string());
        told.extend(of_deed);
    }
    for event in &told {
        fits("klarna/payment-transaction-event", event);
        assert_eq!(event["payload"]["payment_transaction_id"], id);
        assert_eq!(event["payload"]["payment_transaction_reference"], "t-1");
        assert_eq!(event["metadata"]["subject_account_id"], ALPHA);
    }
    let types: Vec<_> = told.iter().map(|event| text(&event["metadata"], "event_type")).collect();
    assert_eq!(
        types,
        [
            "payment.transaction.state-change.authorized",
            "payment.transaction.captured",
            "payment.transaction.refunded",
            "payment.transaction.captured",
            "payment.transaction.state-change.completed",
        ]
    );
    assert_eq!(told[1]["payload"]["payment_capture_id"], format!("{id}:capture:1"));
    assert_eq!(told[1]["payload"]["payment_capture_reference"], "c-1");
    assert_eq!(told[2]["payload"]["payment_refund_id"], format!("{id}:refund:1"));
    assert_eq!(told[2]["payload"]["refund_amount"], 40);
    assert_eq!(told[4]["payload"]["previous_state"], "AUTHORIZED");
    // Each is the payment's, and follows the answer of what it tells of.
    let page = klarna.awaited("*", 4 + told.len()).await;
    let of_payment = page.entries.iter().filter(|entry| entry.payment.as_deref() == Some("e1p1"));
    let operations: Vec<_> = of_payment.map(|entry| entry.operation.clone()).collect();
    assert_eq!(operations.len(), 4 + told.len(), "{operations:?}");
    let first = |name: &str| operations.iter().position(|operation| operation == name).unwrap();
    assert!(first("payment_transaction.refund") < first("event:payment.transaction.refunded"));
}

#[tokio::test]
async fn an_auto_capture_is_told_as_captured_and_completed() {
    let klarna = approving().await;
    let mut sink = Sink::start().await;
    sink.subscribe(&klarna, &["payment.transaction.*"]).await;
    let mut body = initial("t-1");
    body["request_payment_transaction"]["capture"] = json!("NOW");
    approved(&klarna, &body).await;
    let mut types = [sink.next().await.json(), sink.next().await.json()]
        .map(|event| text(&event["metadata"], "event_type"));
    types.sort_unstable();
    assert_eq!(types, ["payment.transaction.captured", "payment.transaction.state-change.completed"]);
    klarna.awaited("event:*", 2).await;
    assert_eq!(sink.left(), 0);
}
