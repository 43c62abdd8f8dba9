//! A body that is too large is refused in Klarna's words, whether its caller asks first, listens while he
//! sends, or listens only when all is sent.

use std::io::Write as _;
use std::time::Duration;

use klarna_schemas::simulator::control::PutSandbox;
use klarna_schemas::simulator::journal::{Ending, JournalEntry};
use reqwest::{Client, Version};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::journal::page;
use crate::klarna::{ALPHA, KEY, Klarna, initial};

const LARGE: usize = 8 << 20;
const KEPT: usize = 64 << 10;

async fn klarna() -> Klarna {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna
}

fn head(more: &str) -> Vec<u8> {
    let path = format!("/v2/accounts/{ALPHA}/payment/authorize");
    format!(
        "POST {path} HTTP/1.1\r\nHost: klarna\r\nAuthorization: Basic {KEY}\r\n\
         Content-Type: application/json\r\n{more}\r\n\r\n"
    )
    .into_bytes()
}

async fn caller(klarna: &Klarna) -> TcpStream {
    let base = klarna.simulator.base_url();
    TcpStream::connect((base.host_str().unwrap(), base.port().unwrap())).await.unwrap()
}

/// Reads an answer with a length: status and body. What comes too late is a failure.
async fn answer(stream: &mut TcpStream) -> (u16, Value) {
    let read = async {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "it ends before its head does");
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let length: usize = length.parse().unwrap();
        while bytes.len() < end + 4 + length {
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "it ends before its body does");
        }
        (head[9..12].parse().unwrap(), serde_json::from_slice(&bytes[end + 4..]).unwrap())
    };
    tokio::time::timeout(Duration::from_secs(20), read).await.expect("no answer comes")
}

fn assert_refused(status: u16, body: &Value) {
    assert_eq!(status, 413, "{body}");
    assert_eq!(klarna_schemas::catalogue::check("klarna/error", body).unwrap(), []);
    assert_eq!(body["error_code"], "PAYLOAD_TOO_LARGE");
}

/// The one call that is in the journal, as it ended.
async fn written(klarna: &Klarna, ended: &str) -> JournalEntry {
    let query = [("operation", "authorize"), ("ended", ended), ("wait_ms", "10000")];
    let mut entries = page(klarna, &query).await.entries;
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.remove(0)
}

#[tokio::test]
async fn who_sends_it_all_before_he_listens_hears_why_and_goes_on() {
    let klarna = klarna().await;
    let mut caller = caller(&klarna).await;
    caller.write_all(&head(&format!("Content-Length: {LARGE}"))).await.unwrap();
    caller.write_all(&vec![b'x'; LARGE]).await.unwrap();
    let (status, body) = answer(&mut caller).await;
    assert_refused(status, &body);
    let entry = written(&klarna, "answered").await;
    assert!(entry.request.truncated);
    assert_eq!(entry.request.body(), vec![b'x'; KEPT]);
    let sound = initial("t-1").to_string();
    caller.write_all(&head(&format!("Content-Length: {}", sound.len()))).await.unwrap();
    caller.write_all(sound.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut caller).await.0, 200, "the connection is as good as before");
}

#[tokio::test]
async fn who_asks_first_need_not_send_it() {
    let klarna = klarna().await;
    let mut caller = caller(&klarna).await;
    caller.write_all(&head(&format!("Content-Length: {LARGE}\r\nExpect: 100-continue"))).await.unwrap();
    let (status, body) = answer(&mut caller).await;
    assert_refused(status, &body);
    // Nobody could tell what comes next from what was not sent.
    let closed = tokio::time::timeout(Duration::from_secs(20), caller.read(&mut [0; 16])).await;
    assert_eq!(closed.expect("it stays open").unwrap(), 0);
    let entry = written(&klarna, "answered").await;
    assert!(entry.request.truncated && entry.request.body_base64.is_empty());
}

#[tokio::test]
async fn with_http_2_who_sends_it_all_hears_why_and_goes_on() {
    let klarna = klarna().await;
    let http = Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let call = async |body: String| {
        let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
        let request = http.post(url).header("authorization", format!("Basic {KEY}")).body(body);
        let answer = request.header("content-type", "application/json").send().await.unwrap();
        assert_eq!(answer.version(), Version::HTTP_2);
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, body) = call("x".repeat(LARGE)).await;
    assert_refused(status, &body);
    assert_eq!(call(initial("t-1").to_string()).await.0, 200);
}

/// What curl is answered, and how it ends; a body of so many bytes comes from its standard input.
async fn curl(klarna: &Klarna, options: &'static [&str], length: usize) -> (bool, String) {
    let url = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
    let ran = tokio::task::spawn_blocking(move || {
        let mut body = tempfile::NamedTempFile::new().unwrap();
        body.write_all(&vec![b'x'; length]).unwrap();
        let mut curl = std::process::Command::new("curl");
        curl.args(["-q", "-sS", "--noproxy", "*", "-m", "30", "-w", " %{http_code} %{size_upload}"]);
        curl.args(["-H", &format!("Authorization: Basic {KEY}"), "-H", "Content-Type: application/json"]);
        curl.args(options).arg("--data-binary").arg(format!("@{}", body.path().display())).arg(url);
        curl.output().unwrap()
    });
    let ran = ran.await.unwrap();
    (ran.status.success(), String::from_utf8(ran.stdout).unwrap())
}

#[tokio::test]
async fn curl_hears_why_in_each_of_its_ways() {
    let klarna = klarna().await;
    for (options, sent) in [
        (&["-H", "Expect: 100-continue"][..], 0),
        (&["-H", "Expect:"], LARGE),
        (&["--http2-prior-knowledge", "-H", "Expect:"], LARGE),
    ] {
        let (ended_well, said) = curl(&klarna, options, LARGE).await;
        assert!(ended_well && said.contains("PAYLOAD_TOO_LARGE"), "{options:?}: {said}");
        assert!(said.ends_with(&format!(" 413 {sent}")), "{options:?}: {said}");
    }
}

#[tokio::test]
async fn what_has_no_end_is_not_read_for_ever() {
    const PIECE: usize = 1 << 20;
    let klarna = klarna().await;
    let mut caller = caller(&klarna).await;
    caller.write_all(&head("Transfer-Encoding: chunked")).await.unwrap();
    let mut chunk = format!("{PIECE:x}\r\n").into_bytes();
    chunk.extend(vec![b'x'; PIECE]);
    chunk.extend(b"\r\n");
    let endless = async {
        let mut taken = 0;
        while caller.write_all(&chunk).await.is_ok() {
            taken += 1;
            assert!(taken < 256, "{taken} MiB were taken");
        }
        taken
    };
    let taken = tokio::time::timeout(Duration::from_secs(50), endless).await.expect("it goes on and on");
    assert!(taken >= 16, "refused after {taken} MiB");
    assert_eq!(written(&klarna, "answered").await.response.unwrap().status, 413);
}

#[tokio::test]
async fn who_goes_while_the_rest_is_thrown_away_is_told_as_broken() {
    let klarna = klarna().await;
    let mut caller = caller(&klarna).await;
    caller.write_all(&head(&format!("Content-Length: {LARGE}"))).await.unwrap();
    caller.write_all(&vec![b'x'; LARGE / 2]).await.unwrap();
    caller.set_zero_linger().unwrap();
    drop(caller);
    let entry = written(&klarna, "broken").await;
    assert_eq!(entry.ended, Ending::Broken);
    assert!(entry.request.truncated);
    assert_eq!(entry.request.body(), vec![b'x'; KEPT]);
}
