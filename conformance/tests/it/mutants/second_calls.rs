//! Defects of the final call, and which call is final.

use serde_json::{Value, json};

use super::scripted::{Answers, Party, STEP_UP};
use super::{authorize, before, between, http};

fn body(reference: &str) -> String {
    let transaction = json!({"amount": 5, "payment_transaction_reference": reference});
    json!({"currency": "SEK", "request_payment_transaction": transaction}).to_string()
}

fn approval(text: &str) -> Value {
    let answer: Value = serde_json::from_str(text).unwrap();
    assert_eq!(answer["payment_transaction_response"]["result"], "APPROVED");
    answer["payment_transaction_response"]["payment_transaction"].clone()
}

#[tokio::test]
async fn the_final_call_is_swallowed_and_answered() {
    let (klarna, proxy, http) = between("final-call-skipped").await;
    // A token that the Partner brings to a first call is none of this defect's business.
    assert_eq!(authorize(&proxy, &http, &body("tx-1"), Some("brought"), Some("k1")).await.1, STEP_UP);
    // Nor is the same call again, because its answer was lost.
    assert_eq!(authorize(&proxy, &http, &body("tx-1"), Some("brought"), Some("k1")).await.1, STEP_UP);
    // A second call without token is not final.
    assert_eq!(authorize(&proxy, &http, &body("tx-1"), None, Some("k2")).await.1, STEP_UP);
    assert_eq!(klarna.seen().len(), 3);
    let (status, text) = authorize(&proxy, &http, &body("tx-1"), Some("of the webhook"), Some("k3")).await;
    assert_eq!((status, klarna.seen().len()), (200, 3));
    let answer = approval(&text);
    assert_eq!((&answer["amount"], &answer["payment_transaction_reference"]), (&json!(5), &json!("tx-1")));
    let other = authorize(&proxy, &http, &body("tx-2"), Some("of the webhook"), Some("k4")).await;
    assert_eq!(other.1, STEP_UP);
}

#[tokio::test]
async fn the_token_is_taken_from_the_final_call_alone() {
    let (klarna, proxy, http) = between("final-call-without-token").await;
    authorize(&proxy, &http, &body("tx-1"), Some("brought"), Some("k1")).await;
    assert_eq!(klarna.last().header("klarna-network-session-token"), "brought");
    authorize(&proxy, &http, &body("tx-1"), Some("of the webhook"), Some("k2")).await;
    let got = klarna.last();
    assert!(!got.headers.contains_key("klarna-network-session-token"), "{got:?}");
    assert_eq!((got.header("klarna-idempotency-key"), &got.body[..]), ("k2", body("tx-1").as_bytes()));
}

#[tokio::test]
async fn the_token_is_that_of_the_payment_before() {
    let (klarna, proxy, http) = between("final-call-with-token-of-another-payment").await;
    let token = || klarna.last().header("klarna-network-session-token").to_owned();
    for reference in ["tx-1", "tx-2", "tx-3"] {
        authorize(&proxy, &http, &body(reference), None, Some(reference)).await;
    }
    for (reference, own, sent) in [
        ("tx-1", "t1", "t1"),
        ("tx-2", "t2", "t1"),
        ("tx-2", "t2", "t1"),
        ("tx-1", "t1", "t1"),
        ("tx-3", "t3", "t2"),
    ] {
        authorize(&proxy, &http, &body(reference), Some(own), Some("final")).await;
        assert_eq!(token(), sent, "{reference}");
    }
}

#[tokio::test]
async fn a_token_that_klarna_knows_no_more_mixes_nothing_up() {
    let klarna = Party::start(Answers::new(|got| match got.header("klarna-network-session-token") {
        "t1" => (404, String::new()),
        _ => (200, STEP_UP.to_owned()),
    }))
    .await;
    let (proxy, http) = (before("final-call-with-token-of-another-payment", &klarna).await, http());
    for (reference, own) in [("tx-1", "t1"), ("tx-2", "t2")] {
        authorize(&proxy, &http, &body(reference), None, Some(reference)).await;
        authorize(&proxy, &http, &body(reference), Some(own), Some("final")).await;
    }
    let tokens: Vec<String> =
        klarna.seen().iter().map(|got| got.header("klarna-network-session-token").to_owned()).collect();
    assert_eq!(tokens, ["", "t1", "", "t1", "t2"]);
}

#[tokio::test]
async fn a_second_final_call_follows_the_first_before_its_answer() {
    let klarna = Party::start(Answers::klarna()).await;
    let (proxy, http) = (before("final-call-twice", &klarna).await, http());
    authorize(&proxy, &http, &body("tx-1"), None, Some("k1")).await;
    assert_eq!(klarna.seen().len(), 1);
    let (_, text) = authorize(&proxy, &http, &body("tx-1"), Some("t"), Some("k2")).await;
    assert!(text.contains("APPROVED"), "{text}");
    let [_, first, second] = klarna.seen().try_into().unwrap();
    assert_eq!(first.body, body("tx-1").as_bytes());
    assert_eq!(second.json()["request_payment_transaction"]["payment_transaction_reference"], "tx-1-2");
    assert_eq!(second.header("klarna-network-session-token"), "t");
    assert!(!["", "k1", "k2"].contains(&second.header("klarna-idempotency-key")), "{second:?}");
}

#[tokio::test]
async fn the_amount_grows_in_the_final_call_alone() {
    let (klarna, proxy, http) = between("final-amount-changed").await;
    let amount = || klarna.last().json()["request_payment_transaction"]["amount"].clone();
    authorize(&proxy, &http, &body("tx-1"), None, Some("k1")).await;
    assert_eq!(amount(), 5);
    authorize(&proxy, &http, &body("tx-1"), Some("t"), Some("k2")).await;
    assert_eq!(amount(), 6);
}

#[tokio::test]
async fn a_step_up_is_told_as_an_approval() {
    let (klarna, proxy, http) = between("step-up-told-as-approved").await;
    let (status, text) = authorize(&proxy, &http, &body("tx-1"), None, None).await;
    assert_eq!((status, klarna.seen().len()), (200, 1));
    assert_eq!(approval(&text)["amount"], 5);
}
