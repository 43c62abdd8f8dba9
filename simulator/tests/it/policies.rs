//! What Klarna has not published is a setting: each value of each policy, seen on the wire.

mod explained;
mod strict;

use jiff::SignedDuration;
use klarna_schemas::simulator::control::{CustomerAct, RequestEnd, SetClock};
use klarna_simulator::Simulator;
use klarna_simulator::config::Settings;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, BETA, Klarna, TOKEN, initial, last};
use crate::sink::Sink;

/// A simulator with one policy chosen.
async fn with(policy: &str, value: &str) -> Klarna {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("listen = \"127.0.0.1:0\"\n[policies]\n{policy} = \"{value}\"\n"))
        .unwrap();
    Klarna::of(Simulator::builder().seed(7).settings(Settings::load(Some(file.path())).unwrap())).await
}

/// Status and code of an answer; the result where it was decided.
fn outcome(answer: &Answer) -> (u16, String) {
    let decided = answer.body["payment_transaction_response"]["result"].as_str();
    let code = || answer.body["error_code"].as_str().unwrap_or_default();
    (answer.status, decided.unwrap_or_else(code).to_owned())
}

fn is(status: u16, word: &str) -> (u16, String) {
    (status, word.to_owned())
}

/// What each word of a policy that refuses means.
fn refused(word: &str) -> (u16, String) {
    match word {
        "invalid" => is(400, "VALIDATION_ERROR"),
        "forbidden" => is(403, "OPERATION_FORBIDDEN"),
        "not-found" => is(404, "RESOURCE_NOT_FOUND"),
        "conflict" => is(409, "RESOURCE_CONFLICT"),
        _ => is(200, "DECLINED"),
    }
}

const REFUSING: [&str; 4] = ["invalid", "forbidden", "not-found", "conflict"];
const DECIDING: [&str; 4] = ["invalid", "not-found", "conflict", "declined"];

#[tokio::test]
async fn no_way_to_the_customer() {
    for word in DECIDING {
        let klarna = with("no_way_to_the_customer", word).await;
        let answer = klarna.authorize(ALPHA, &[], &last("t-1")).await;
        assert_eq!(outcome(&answer), refused(word), "{word}");
    }
}

#[tokio::test]
async fn a_token_that_names_nothing() {
    for word in REFUSING {
        let klarna = with("unknown_token", word).await;
        let answer = klarna.authorize(ALPHA, &[(TOKEN, "krn:nothing")], &last("t-1")).await;
        assert_eq!(outcome(&answer), refused(word), "{word}");
        if word == "invalid" {
            assert_eq!(answer.refusal().2, TOKEN);
        }
    }
}

#[tokio::test]
async fn a_token_that_has_expired() {
    for word in DECIDING {
        let klarna = with("expired_token", word).await;
        let (_, token) = klarna.completed("t-1").await;
        let later = SetClock::Advance(SignedDuration::from_mins(61));
        klarna.control().set_clock(&ALPHA.into(), &later).await.unwrap();
        let answer = klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-1")).await;
        assert_eq!(outcome(&answer), refused(word), "{word}");
        assert!(answer.body["payment_transaction_response"]["payment_transaction"].is_null());
    }
}

#[tokio::test]
async fn a_token_of_another_account() {
    for word in REFUSING {
        let klarna = with("foreign_token", word).await;
        let (_, token) = klarna.completed("t-1").await;
        let answer = klarna.authorize(BETA, &[(TOKEN, &token)], &last("t-1")).await;
        assert_eq!(outcome(&answer), refused(word), "{word}");
    }
}

#[tokio::test]
async fn another_amount_or_currency() {
    for word in DECIDING {
        let klarna = with("other_amount", word).await;
        for (pointer, value) in
            [("/request_payment_transaction/amount", json!(1)), ("/currency", json!("EUR"))]
        {
            let (_, token) = klarna.completed(&format!("t-{pointer}")).await;
            let mut body = last("t-1");
            *body.pointer_mut(pointer).unwrap() = value;
            let answer = klarna.authorize(ALPHA, &[(TOKEN, &token)], &body).await;
            assert_eq!(outcome(&answer), refused(word), "{word} {pointer}");
        }
    }
}

#[tokio::test]
async fn a_token_that_comes_again_with_another_call() {
    for word in ["conflict", "replay"] {
        let klarna = with("token_reused", word).await;
        let (_, token) = klarna.completed("t-1").await;
        let first = klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-1")).await;
        let mut other = last("t-1");
        other["request_payment_transaction"]["payment_transaction_reference"] = json!("t-2");
        let again = klarna.authorize(ALPHA, &[(TOKEN, &token)], &other).await;
        if word == "replay" {
            assert_eq!(again.body, first.body);
        } else {
            assert_eq!(outcome(&again), refused(word));
        }
    }
}

#[tokio::test]
async fn changes_and_cancellations_out_of_turn() {
    for word in REFUSING {
        for policy in ["update_out_of_turn", "cancel_out_of_turn"] {
            let klarna = with(policy, word).await;
            let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
            klarna.act(&answer, CustomerAct::Refuse).await;
            let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", answer.request_id()));
            let call = if policy == "update_out_of_turn" {
                klarna.http.patch(url).body("{\"amount\": 1}")
            } else {
                klarna.http.delete(url)
            };
            let call = call.header("authorization", "klarna_test_api_local");
            assert_eq!(outcome(&klarna.send(call).await), refused(word), "{policy} {word}");
        }
    }
}

#[tokio::test]
async fn an_expired_request() {
    for (word, status) in [("readable", 200), ("not-found", 404)] {
        let klarna = with("expired_request", word).await;
        let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
        let id = answer.request_id();
        klarna
            .control()
            .end_payment_request(&ALPHA.into(), &id.as_str().into(), RequestEnd::Expire)
            .await
            .unwrap();
        let read = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{id}")).await;
        assert_eq!(read.status, status, "{word}");
    }
}

#[tokio::test]
async fn where_the_token_stands_in_a_completed_event() {
    for (word, in_payload, in_context) in
        [("both", true, true), ("payload", true, false), ("state-context", false, true)]
    {
        let klarna = with("token_in_events", word).await;
        let mut sink = Sink::start().await;
        let key = klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await;
        let webhook = json!({"url": sink.url, "event_types": ["payment.request.state-change.completed"],
            "event_version": "v2", "signing_key_id": key.body["signing_key_id"], "status": "ENABLED"});
        klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook)).await;
        let (_, token) = klarna.completed("t-1").await;
        let payload = sink.next().await.json()["payload"].clone();
        let stands = |place: &Value| place["klarna_network_session_token"] == token.as_str();
        assert_eq!((stands(&payload), stands(&payload["state_context"])), (in_payload, in_context), "{word}");
        let finalised = klarna.authorize(ALPHA, &[(TOKEN, &token)], &last("t-1")).await;
        assert_eq!(finalised.result(), "APPROVED");
    }
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let defaults: toml::Table = klarna_simulator::config::DEFAULTS.parse().unwrap();
    let policies = defaults["policies"].as_table().unwrap();
    let chosen: Vec<_> =
        policies.iter().map(|(name, word)| (name.as_str(), word.as_str().unwrap())).collect();
    let contract = [
        ("cancel_out_of_turn", "forbidden"),
        ("error_list", "validation_errors"),
        ("expired_request", "readable"),
        ("expired_token", "not-found"),
        ("foreign_token", "forbidden"),
        ("line_totals", "report"),
        ("missing_key", "report"),
        ("no_way_to_the_customer", "declined"),
        ("older_names", "accept"),
        ("other_amount", "invalid"),
        ("token_in_events", "both"),
        ("token_reused", "conflict"),
        ("undocumented_fields", "report"),
        ("unknown_token", "invalid"),
        ("update_out_of_turn", "forbidden"),
    ];
    assert_eq!(chosen.len(), contract.len(), "{chosen:?}");
    for default in contract {
        assert!(chosen.contains(&default), "{default:?} is no default: {chosen:?}");
    }
}

#[test]
fn a_word_that_is_none_is_refused_with_those_that_are() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[policies]\nunknown_token = \"declined\"\n").unwrap();
    let error = Settings::load(Some(file.path())).unwrap_err().to_string();
    assert!(error.contains("declined") && error.contains("invalid"), "{error}");
}
