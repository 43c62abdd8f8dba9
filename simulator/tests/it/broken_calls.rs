//! Calls that their callers break off, and what of odd calls stands in the journal.

use klarna_schemas::simulator::control::{ArmFault, Fault, JournalQuery, PutSandbox};
use klarna_schemas::simulator::journal::{Ending, JournalEntry};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::klarna::{ALPHA, KEY, Klarna, initial};

async fn klarna() -> Klarna {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna
}

/// A connection on which an authorize has begun whose body is said to be so long.
async fn begun(klarna: &Klarna, body: &str, length: usize) -> TcpStream {
    let address = klarna.url("").trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v2/accounts/{ALPHA}/payment/authorize HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    stream
}

/// Waits for the entry that has ended so.
async fn ended(klarna: &Klarna, ended: Ending) -> JournalEntry {
    let query =
        JournalQuery { ended: Some(ended), wait_ms: Some(10_000), min: Some(1), ..JournalQuery::default() };
    let mut page = klarna.control().journal(&ALPHA.into(), &query).await.unwrap();
    assert!(!page.timed_out, "{page:?}");
    page.entries.remove(0)
}

#[tokio::test]
async fn a_body_that_breaks_off_is_told_as_broken_with_the_bytes_that_came() {
    let klarna = klarna().await;
    for reset in [false, true] {
        let before = klarna.journal("authorize").await.entries.len();
        let mut stream = begun(&klarna, "{\"half\":", 100).await;
        if reset {
            // The bytes have come before the reset throws them away: an answer to another call shows it.
            klarna.get("/v2/notification/webhooks").await;
            stream.set_zero_linger().unwrap();
        } else {
            stream.shutdown().await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.unwrap();
        }
        drop(stream);
        let entry = klarna.awaited("authorize", before + 1).await.entries.remove(before);
        assert_eq!(entry.ended, Ending::Broken, "{entry:?}");
        if !reset {
            assert_eq!(entry.request.body(), b"{\"half\":");
        }
        assert_eq!(entry.findings, Vec::<String>::new(), "nobody knows what it would have been");
    }
    let lobby = klarna.control().lobby_journal(&JournalQuery::default()).await.unwrap();
    assert!(lobby.entries.is_empty());
}

#[tokio::test]
async fn an_answer_whose_caller_was_gone_is_told_as_broken() {
    let klarna = klarna().await;
    let late = ArmFault::once("authorize", Fault::Delay { ms: 60_000 });
    klarna.control().arm_fault(&ALPHA.into(), &late).await.unwrap();
    let body = initial("t-1").to_string();
    let stream = begun(&klarna, &body, body.len()).await;
    assert_eq!(klarna.awaited("authorize", 1).await.entries[0].ended, Ending::Answered, "as far as is known");
    stream.set_zero_linger().unwrap();
    drop(stream);
    let entry = ended(&klarna, Ending::Broken).await;
    assert_eq!(entry.response.unwrap().status, 200, "Klarna had done it all");
    // And whoever stays has his answer.
    klarna.authorize(ALPHA, &[], &initial("t-2")).await;
    let last = klarna.journal("authorize").await.entries.remove(1);
    assert_eq!(last.ended, Ending::Answered);
}

#[tokio::test]
async fn of_a_body_that_is_too_long_the_beginning_is_kept_and_marked() {
    let klarna = klarna().await;
    let mut body = initial("t-1");
    body["padding"] = json!("x".repeat(1 << 20));
    assert_eq!(klarna.authorize(ALPHA, &[], &body).await.status, 413);
    let entry = klarna.journal("authorize").await.entries.remove(0);
    assert!(entry.request.truncated);
    assert_eq!(entry.request.body(), body.to_string().as_bytes()[..64 << 10]);
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    assert!(!klarna.journal("authorize").await.entries[1].request.truncated);
}

#[tokio::test]
async fn a_head_has_no_body_in_its_answer() {
    let klarna = klarna().await;
    let path = format!("/v2/accounts/{ALPHA}/payment/requests/x");
    let head = klarna.http.head(klarna.url(&path)).header("authorization", format!("Basic {KEY}"));
    assert_eq!(head.send().await.unwrap().status(), 404);
    let page = klarna.control().journal(&ALPHA.into(), &JournalQuery::default()).await.unwrap();
    let lobby = klarna.control().lobby_journal(&JournalQuery::default()).await.unwrap();
    let entry = page.entries.into_iter().chain(lobby.entries).next().unwrap();
    assert_eq!((entry.request.method.as_str(), entry.ended), ("HEAD", Ending::Answered));
    assert!(entry.response.unwrap().body().is_empty());
}
