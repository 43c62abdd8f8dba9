//! Faults that leave a decided answer, and let its caller have less of it; by the bytes on the wire.

use std::io::ErrorKind;

use klarna_schemas::simulator::control::{ArmFault, CallKind, Fault, PutSandbox};
use klarna_schemas::simulator::journal::Ending;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::faults::{arm, found, klarna, raw_authorize, read_out};
use crate::klarna::{ALPHA, KEY, Klarna, TOKEN, initial, last};

/// Head and body of an answer on the wire.
fn parts(bytes: &[u8]) -> (String, Vec<u8>) {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("there is no whole head") + 4;
    (String::from_utf8(bytes[..end].to_vec()).unwrap(), bytes[end..].to_vec())
}

/// What `Content-Length` says.
fn length_of(head: &str) -> usize {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-length:")).unwrap();
    line.split(':').nth(1).unwrap().trim().parse().unwrap()
}

/// What was decided on the one call there was, by the journal, and how that ended.
async fn written(klarna: &Klarna) -> (Value, Ending, String) {
    let entry = klarna.journal("authorize").await.entries[0].clone();
    (entry.response.unwrap().json().unwrap(), entry.ended, entry.fault.unwrap())
}

#[tokio::test]
async fn a_lost_answer_was_decided_and_the_same_call_gets_it() {
    let klarna = klarna(ArmFault::once("authorize", Fault::LoseAnswer)).await;
    let (bytes, ended) = read_out(raw_authorize(&klarna, "t-1").await).await;
    assert_eq!((bytes.as_slice(), ended), (&b""[..], Err(ErrorKind::ConnectionReset)));
    let (decided, ending, fault) = written(&klarna).await;
    assert_eq!((ending, fault.as_str()), (Ending::Broken, "lose_answer"));
    let again = klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "t-1")], &initial("t-1")).await;
    assert_eq!(again.body, decided, "the same key and body get the first answer");
    assert_eq!(klarna.journal("authorize").await.entries[1].rule.as_deref(), Some("replay"));
    assert_eq!(found(&klarna).await, Vec::<String>::new());
}

#[tokio::test]
async fn who_never_heard_and_asks_anew_is_found() {
    let klarna = klarna(ArmFault::once("authorize", Fault::LoseAnswer)).await;
    let (bytes, _) = read_out(raw_authorize(&klarna, "t-1").await).await;
    assert_eq!(bytes, b"");
    let mut other = initial("t-1");
    other["request_payment_transaction"]["amount"] = json!(1);
    klarna.authorize(ALPHA, &[("Klarna-Idempotency-Key", "k-2")], &other).await;
    assert!(found(&klarna).await.contains(&"retry.same-call".to_owned()));
}

#[tokio::test]
async fn a_lost_final_answer_takes_the_money_once() {
    let klarna = Klarna::start().await;
    let (_, token) = klarna.completed("t-1").await;
    arm(&klarna, &ArmFault { on: CallKind::Final, ..ArmFault::once("authorize", Fault::LoseAnswer) }).await;
    let headers = [(TOKEN, token.as_str()), ("Klarna-Idempotency-Key", "final")];
    let path = format!("/v2/accounts/{ALPHA}/payment/authorize");
    assert!(klarna.post(&path, &headers, &last("t-1")).send().await.is_err());
    let again = klarna.authorize(ALPHA, &headers, &last("t-1")).await;
    assert_eq!(again.result(), "APPROVED");
    let entries = klarna.journal("authorize").await.entries;
    let first = entries[1].response.clone().unwrap().json().unwrap();
    assert_eq!(first, again.body, "one transaction");
    assert_eq!(found(&klarna).await, Vec::<String>::new());
}

#[tokio::test]
async fn garbage_is_no_http_and_nothing_was_decided() {
    let klarna = klarna(ArmFault::once("authorize", Fault::Garbage)).await;
    let (bytes, ended) = read_out(raw_authorize(&klarna, "t-1").await).await;
    assert_eq!(ended, Ok(()));
    assert!(!bytes.is_empty() && !bytes.starts_with(b"HTTP"), "{bytes:?}");
    let entry = &klarna.journal("authorize").await.entries[0];
    assert_eq!((entry.ended, entry.rule.as_deref(), entry.response.is_none()), (Ending::Broken, None, true));
}

#[tokio::test]
async fn a_truncated_answer_ends_politely_in_its_middle() {
    let klarna = klarna(ArmFault::once("authorize", Fault::Truncate)).await;
    let (bytes, ended) = read_out(raw_authorize(&klarna, "t-1").await).await;
    assert_eq!(ended, Ok(()));
    let (head, body) = parts(&bytes);
    assert_eq!(body.len(), length_of(&head) / 2);
    let (decided, ending, _) = written(&klarna).await;
    assert_eq!((decided.to_string().as_bytes().starts_with(&body), ending), (true, Ending::Broken));
}

#[tokio::test]
async fn a_cut_answer_ends_by_a_reset_after_as_many_bytes_as_it_says() {
    for (after, sent) in [(Some(7), Some(7)), (Some(0), Some(0)), (None, None), (Some(1_000_000), None)] {
        let klarna = klarna(ArmFault::once("authorize", Fault::Cut { after })).await;
        let (bytes, ended) = read_out(raw_authorize(&klarna, "t-1").await).await;
        assert_eq!(ended, Err(ErrorKind::ConnectionReset), "{after:?}");
        let (head, body) = parts(&bytes);
        assert_eq!(body.len(), sent.unwrap_or(length_of(&head) / 2), "{after:?}");
    }
}

#[tokio::test]
async fn a_wrong_length_leaves_the_rest_of_the_body_on_the_connection() {
    let klarna = klarna(ArmFault::once("authorize", Fault::WrongLength)).await;
    let mut stream = raw_authorize(&klarna, "t-1").await;
    // The next answer on the connection stands behind what the length left out.
    let next = format!(
        "GET /v2/accounts/{ALPHA}/payment/requests/x HTTP/1.1\r\nHost: klarna\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(next.as_bytes()).await.unwrap();
    let (bytes, ended) = read_out(stream).await;
    assert_eq!(ended, Ok(()));
    let (head, rest) = parts(&bytes);
    let whole = written(&klarna).await.0.to_string();
    assert_eq!(length_of(&head), whole.len() / 2);
    assert!(rest.starts_with(whole.as_bytes()), "the whole body comes all the same");
    assert!(rest[whole.len()..].starts_with(b"HTTP/1.1 401"));
}

#[tokio::test]
async fn a_dripping_answer_comes_whole_in_small_pieces_and_at_once_when_lifted() {
    let klarna = klarna(ArmFault::once("authorize", Fault::Drip { bytes: 64, every_ms: 1 })).await;
    let (bytes, ended) = {
        let mut stream = raw_authorize(&klarna, "t-1").await;
        let (mut pieces, mut all) = (0, Vec::new());
        let mut piece = [0; 4096];
        // The connection stays open: the length says where the answer ends.
        while all.windows(4).all(|window| window != b"\r\n\r\n")
            || parts(&all).1.len() < length_of(&parts(&all).0)
        {
            let read = stream.read(&mut piece).await.unwrap();
            assert!(read > 0);
            all.extend_from_slice(&piece[..read]);
            pieces += 1;
        }
        (all, pieces)
    };
    assert!(ended > 1, "it came in {ended} pieces");
    assert_eq!(parts(&bytes).1, written(&klarna).await.0.to_string().as_bytes());
    // A minute a byte: only lifting brings the rest.
    arm(&klarna, &ArmFault::once("authorize", Fault::Drip { bytes: 1, every_ms: 60_000 })).await;
    let slow = klarna.post(&format!("/v2/accounts/{ALPHA}/payment/authorize"), &[], &initial("t-2"));
    let slow = tokio::spawn(slow.send());
    klarna.awaited("authorize", 2).await;
    klarna.control().lift_faults(&ALPHA.into()).await.unwrap();
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_delayed_answer_waits_until_the_fault_is_lifted_at_the_latest() {
    let klarna = klarna(ArmFault::once("authorize", Fault::Delay { ms: 60_000 })).await;
    let mut delayed = raw_authorize(&klarna, "t-1").await;
    klarna.awaited("authorize", 1).await;
    let nothing = delayed.try_read(&mut [0; 16]).map_err(|error| error.kind());
    assert_eq!(nothing, Err(ErrorKind::WouldBlock));
    klarna.control().lift_faults(&ALPHA.into()).await.unwrap();
    let mut start = [0; 15];
    delayed.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    // One that is short passes by itself.
    arm(&klarna, &ArmFault::once("authorize", Fault::Delay { ms: 1 })).await;
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-2")).await.result(), "STEP_UP_REQUIRED");
}

#[tokio::test]
async fn with_http_2_the_one_stream_suffers() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
    let call = async |reference: &str| {
        let request = http.post(&url).header("authorization", format!("Basic {KEY}"));
        let request = request.header("content-type", "application/json").body(initial(reference).to_string());
        request.send().await?.bytes().await
    };
    for (index, fault) in [
        Fault::LoseAnswer,
        Fault::Garbage,
        Fault::Truncate,
        Fault::Cut { after: Some(3) },
        Fault::WrongLength,
    ]
    .into_iter()
    .enumerate()
    {
        arm(&klarna, &ArmFault::once("authorize", fault)).await;
        assert!(call(&format!("t-{index}")).await.is_err(), "{fault}");
        let sound = call(&format!("s-{index}")).await;
        assert!(sound.is_ok(), "after {fault} the connection is sound: {sound:?}");
    }
    arm(&klarna, &ArmFault::once("authorize", Fault::Drip { bytes: 200, every_ms: 1 })).await;
    assert!(call("t-last").await.unwrap().len() > 200);
}

/// Status, promised length, and the bytes that come before the stream of an answer ends badly.
async fn before_the_end(http: &reqwest::Client, url: &str, reference: &str) -> (u16, usize, Vec<u8>) {
    let request = http.post(url).header("authorization", format!("Basic {KEY}"));
    let request = request.header("content-type", "application/json").body(initial(reference).to_string());
    let mut answer = request.send().await.expect("there is no head");
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    let length = answer.headers()["content-length"].to_str().unwrap().parse().unwrap();
    let mut bytes = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => panic!("the stream ended well after {} bytes", bytes.len()),
            Err(_) => return (answer.status().as_u16(), length, bytes),
        }
    }
}

#[tokio::test]
async fn with_http_2_head_and_bytes_come_before_the_stream_is_reset() {
    let plain = Klarna::start().await;
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let by_tls = Klarna::trusted(klarna_simulator::Simulator::builder().tls()).await;
    for (klarna, http) in [(&plain, &http), (&by_tls, &by_tls.http)] {
        klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
        let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
        let cases = [
            (Fault::Cut { after: Some(40) }, Some(40)),
            (Fault::Cut { after: Some(0) }, Some(0)),
            (Fault::Truncate, None),
        ];
        for (index, (fault, sent)) in cases.into_iter().enumerate() {
            arm(klarna, &ArmFault::once("authorize", fault)).await;
            let (status, length, bytes) = before_the_end(http, &url, &format!("t-{index}")).await;
            assert_eq!((status, bytes.len()), (200, sent.unwrap_or(length / 2)), "{fault}");
        }
    }
}

#[tokio::test]
async fn over_tls_the_answer_suffers_all_the_same() {
    let klarna = Klarna::trusted(klarna_simulator::Simulator::builder().tls()).await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    for fault in [Fault::LoseAnswer, Fault::Garbage, Fault::Truncate, Fault::Cut { after: None }] {
        arm(&klarna, &ArmFault::once("authorize", fault)).await;
        let path = format!("/v2/accounts/{ALPHA}/payment/authorize");
        let key = fault.to_string();
        let sent = klarna.post(&path, &[("Klarna-Idempotency-Key", &key)], &initial(&key)).send().await;
        let read = match sent {
            Ok(response) => response.bytes().await,
            Err(error) => Err(error),
        };
        assert!(read.is_err(), "{fault}");
    }
}
