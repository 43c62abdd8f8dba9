//! The same call many times at once: one effect, one answer. And calls that do not wait for answers.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use klarna_schemas::simulator::control::SetClock;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use crate::klarna::{ALPHA, Answer, KEY, Klarna, TOKEN, initial, last};

/// How many come at once.
const TWINS: usize = 64;

/// Makes all these calls at once.
async fn at_once(klarna: &Klarna, calls: Vec<(Vec<(&'static str, String)>, Value)>) -> Vec<Answer> {
    let mut under_way = JoinSet::new();
    for (headers, body) in calls {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = klarna.post(&format!("/v2/accounts/{ALPHA}/payment/authorize"), &headers, &body);
        under_way.spawn(async move {
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Answer { status, headers, body: response.json().await.unwrap() }
        });
    }
    under_way.join_all().await
}

fn key(key: &str) -> Vec<(&'static str, String)> {
    vec![("Klarna-Idempotency-Key", key.to_owned())]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twins_have_one_effect_and_one_answer() {
    let klarna = Klarna::start().await;
    let answers = at_once(&klarna, (0..TWINS).map(|_| (key("k-1"), initial("t-1"))).collect()).await;
    let bodies: BTreeSet<String> = answers.iter().map(|answer| answer.body.to_string()).collect();
    assert_eq!((answers.len(), bodies.len()), (TWINS, 1), "{bodies:?}");
    assert_eq!(answers[0].result(), "STEP_UP_REQUIRED");

    let calls = klarna.journal("authorize").await.entries;
    assert_eq!(calls.len(), TWINS);
    let payments: BTreeSet<_> = calls.iter().map(|call| call.payment.clone().unwrap()).collect();
    assert_eq!(payments.len(), 1);
    let decided = calls.iter().filter(|call| call.rule.as_deref() == Some("default")).count();
    assert_eq!(decided, 1, "one call decides, the others are replays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_key_with_many_bodies_serves_one_of_them() {
    let klarna = Klarna::start().await;
    let bodies = (0..TWINS).map(|n| (key("k-1"), initial(&format!("t-{n}"))));
    let answers = at_once(&klarna, bodies.collect()).await;
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(served, 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(refused.refusal(), (409, "RESOURCE_CONFLICT", ""));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn final_twins_make_one_transaction_and_end_one_request() {
    let klarna = Klarna::start().await;
    let (_, token) = klarna.completed("t-1").await;
    // The token makes them one call, whatever their keys.
    let call = |n: usize| {
        let mut headers = key(&format!("final-{}", n % 2));
        headers.push((TOKEN, token.clone()));
        (headers, last("t-1"))
    };
    let answers = at_once(&klarna, (0..TWINS).map(call).collect()).await;
    let transactions: BTreeSet<String> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer.result(), "APPROVED");
            let response = &answer.body["payment_transaction_response"]["payment_transaction"];
            response["payment_transaction_id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(transactions.len(), 1);
    let two_hours = SetClock::Advance(SignedDuration::from_hours(2));
    let later = klarna.control().set_clock(&ALPHA.into(), &two_hours).await.unwrap();
    assert_eq!(later.happened, Vec::<String>::new(), "a spent token does not die");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_payments_at_once_do_not_mix() {
    let klarna = Klarna::start().await;
    let calls = (0..200).map(|n| (key(&format!("k-{n}")), initial(&format!("t-{n}"))));
    let answers = at_once(&klarna, calls.collect()).await;
    let requests: BTreeSet<String> = answers.iter().map(Answer::request_id).collect();
    assert_eq!(requests.len(), 200);
    for call in klarna.journal("authorize").await.entries {
        let (asked, answered) = (call.request.json().unwrap(), call.response.unwrap().json().unwrap());
        let wanted = &asked["step_up_config"]["payment_request_reference"];
        assert_eq!(&answered["payment_request"]["payment_request_reference"], wanted);
    }
}

#[tokio::test]
async fn pipelined_calls_are_answered_in_order() {
    let klarna = Klarna::start().await;
    let call = |reference: &str| {
        let body = initial(reference).to_string();
        format!(
            "POST /v2/accounts/{ALPHA}/payment/authorize HTTP/1.1\r\nHost: klarna\r\nAuthorization: Basic {KEY}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let address = klarna.simulator.base_url().socket_addrs(|| None).unwrap()[0];
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let rest = "GET /nowhere HTTP/1.1\r\nHost: klarna\r\nConnection: close\r\n\r\n";
    stream.write_all(format!("{}{}{rest}", call("t-1"), call("t-2")).as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    let places = ["pr-t-1", "pr-t-2", "HTTP/1.1 404"].map(|what| answers.find(what).unwrap());
    assert!(places.is_sorted(), "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2);
}
