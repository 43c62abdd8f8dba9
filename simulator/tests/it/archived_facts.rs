//! What an archive says of versions, times and sizes is what happened.

use klarna_schemas::simulator::control::{ArmFault, Fault, PutSandbox};
use reqwest::Client;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::journal::{journal_path, page, text};
use crate::klarna::{ALPHA, KEY, Klarna, initial};
use crate::sink::Sink;

/// How long an answer is delayed, in milliseconds: much longer than a call takes by itself.
const DELAY: u32 = 400;

/// The entries of an archive of what fits.
async fn archive(klarna: &Klarna, query: &str) -> Vec<Value> {
    let text = text(klarna, &journal_path(&format!("/export?format=har&{query}"))).await;
    serde_json::from_str::<Value>(&text).unwrap()["log"]["entries"].as_array().unwrap().clone()
}

async fn klarna() -> Klarna {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna
}

async fn call(klarna: &Klarna, http: &Client, body: String) -> u16 {
    let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
    let request = http.post(url).header("authorization", format!("Basic {KEY}"));
    let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
    let status = answer.status().as_u16();
    answer.bytes().await.unwrap();
    status
}

/// Lets real time pass: as much as a delayed call takes.
async fn let_time_pass(klarna: &Klarna) {
    let fault = ArmFault::once("authorize", Fault::Delay { ms: DELAY });
    klarna.control().arm_fault(&ALPHA.into(), &fault).await.unwrap();
    klarna.authorize(ALPHA, &[], &initial("time-passes")).await.result();
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// Asks that all of the time is the sum of its parts.
fn sums_up(entry: &Value) {
    let parts = ["send", "wait", "receive"].map(|part| number(&entry["timings"][part]));
    assert!(parts.iter().all(|part| *part >= 0.0), "{entry}");
    assert!((number(&entry["time"]) - parts.iter().sum::<f64>()).abs() < 1e-6, "{entry}");
}

#[tokio::test]
async fn versions_are_those_that_were_spoken_and_a_delay_shows_in_the_wait() {
    let one = Client::builder().no_proxy().build().unwrap();
    let two = Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    for (http, version) in [(one, "HTTP/1.1"), (two, "HTTP/2")] {
        let klarna = klarna().await;
        call(&klarna, &http, initial("t-1").to_string()).await;
        let fault = ArmFault::once("authorize", Fault::Delay { ms: DELAY });
        klarna.control().arm_fault(&ALPHA.into(), &fault).await.unwrap();
        call(&klarna, &http, initial("t-2").to_string()).await;
        let entries = archive(&klarna, "operation=authorize").await;
        assert_eq!(entries.len(), 2);
        for entry in &entries {
            assert_eq!(entry["request"]["httpVersion"], version);
            assert_eq!(entry["response"]["httpVersion"], version);
            assert_eq!(entry["timings"]["connect"], -1);
            assert_eq!(entry["timings"]["comment"], "not known, and no 0: receive");
            sums_up(entry);
        }
        let wait = |entry: &Value| number(&entry["timings"]["wait"]);
        assert!(wait(&entries[1]) >= f64::from(DELAY), "{version}: {}", entries[1]["timings"]);
        assert!(wait(&entries[0]) > 0.0, "{version}: {}", entries[0]["timings"]);
        assert!(number(&entries[1]["timings"]["send"]) < wait(&entries[1]), "the delay is no sending");
    }
}

#[tokio::test]
async fn a_body_that_is_long_under_way_shows_in_the_sending() {
    let klarna = klarna().await;
    let body = initial("t-slow").to_string();
    let base = klarna.simulator.base_url().clone();
    let address = format!("{}:{}", base.host_str().unwrap(), base.port().unwrap());
    let mut caller = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /v2/accounts/{ALPHA}/payment/authorize HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
        body.len()
    );
    caller.write_all(head.as_bytes()).await.unwrap();
    // Asked for the body, it is known that Klarna is waiting for it.
    let mut go_on = [0; 25];
    caller.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    let_time_pass(&klarna).await;
    caller.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    caller.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let entries = archive(&klarna, "operation=authorize&header=expect").await;
    assert_eq!(entries.len(), 1);
    assert!(number(&entries[0]["timings"]["send"]) >= f64::from(DELAY), "{}", entries[0]["timings"]);
    assert!(number(&entries[0]["timings"]["wait"]) < number(&entries[0]["timings"]["send"]));
    sums_up(&entries[0]);
}

#[tokio::test]
async fn a_slow_answer_to_a_webhook_shows_in_its_wait() {
    let (klarna, mut sink) = (klarna().await, Sink::start().await);
    sink.subscribe(&klarna, &["payment.request.*"]).await;
    sink.hold(true);
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    sink.next().await;
    let_time_pass(&klarna).await;
    sink.hold(false);
    // What passes the time sends an event, too.
    let query = [("direction", "outbound"), ("payment", "e1p1"), ("wait_ms", "10000")];
    let written = page(&klarna, &query).await.entries.remove(0);
    assert!(written.timings.is_some_and(|timings| timings.receive_us.is_some()), "{written:?}");
    let entries = archive(&klarna, "direction=outbound&payment=e1p1").await;
    assert_eq!(entries[0]["request"]["httpVersion"], "HTTP/1.1");
    assert!(number(&entries[0]["timings"]["wait"]) >= f64::from(DELAY), "{}", entries[0]["timings"]);
    assert_eq!(entries[0]["timings"]["comment"], "not known, and no 0: send");
    sums_up(&entries[0]);
}

#[tokio::test]
async fn a_webhook_that_nobody_took_was_spoken_in_no_version() {
    let klarna = klarna().await;
    let nobody = {
        let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        taken.local_addr().unwrap()
    };
    let mut sink = Sink::start().await;
    sink.url = format!("http://{nobody}/events");
    sink.subscribe(&klarna, &["payment.request.*"]).await;
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    page(&klarna, &[("direction", "outbound"), ("wait_ms", "10000")]).await;
    let entry = archive(&klarna, "direction=outbound").await.remove(0);
    assert_eq!(entry["request"]["httpVersion"], "unknown");
    assert_eq!((&entry["response"]["status"], &entry["response"]["bodySize"]), (&0.into(), &(-1).into()));
}

#[tokio::test]
async fn sizes_are_those_of_the_bodies_that_were_sent_though_they_are_blackened() {
    let klarna = klarna().await;
    let http = Client::builder().no_proxy().build().unwrap();
    let odd = "no JSON, and a secret in it".repeat(9);
    assert_eq!(call(&klarna, &http, odd.clone()).await, 400);
    let sound = initial("t-1").to_string();
    call(&klarna, &http, sound.clone()).await;
    let long = "x".repeat((1 << 20) + 1);
    assert_eq!(call(&klarna, &http, long.clone()).await, 413);
    let query = [("operation", "authorize")];
    let written = page(&klarna, &query).await.entries;
    let entries = archive(&klarna, "operation=authorize").await;
    for ((entry, body), written) in entries.iter().zip([odd, sound, long]).zip(&written) {
        assert_eq!(entry["request"]["bodySize"], body.len());
        assert_ne!(entry["request"]["postData"]["text"], body.as_str(), "it is blackened");
        let answered = written.response.as_ref().unwrap().body().len();
        assert_eq!(entry["response"]["bodySize"], answered);
        assert_eq!(entry["response"]["content"]["size"], answered);
    }
    assert_eq!(archive(&klarna, "status=413").await.len(), 1);
}
