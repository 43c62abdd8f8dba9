//! The exported script, run against a listener that keeps every byte.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};

use klarna_schemas::simulator::control::{JournalQuery, PutSandbox};

use crate::klarna::{ALPHA, KEY, Klarna};

/// A request as it stands on the wire: its first line, its headers by name, its body.
#[derive(Debug, PartialEq, Eq)]
struct Wire {
    first: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// Reads one request whole.
fn read(stream: &TcpStream) -> Wire {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = Vec::new();
        reader.read_until(b'\n', &mut line).unwrap();
        line.truncate(line.len().saturating_sub(2));
        line
    };
    let first = String::from_utf8(line()).unwrap();
    let mut headers = Vec::new();
    loop {
        let header = line();
        if header.is_empty() {
            break;
        }
        let colon = header.iter().position(|byte| *byte == b':').unwrap();
        let name = String::from_utf8(header[..colon].to_ascii_lowercase()).unwrap();
        headers.push((name, header[colon + 1..].trim_ascii().to_vec()));
    }
    let value = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let mut body = Vec::new();
    if value("expect").is_some() {
        (&*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
    }
    if let Some(length) = value("content-length") {
        body.resize(String::from_utf8(length).unwrap().parse().unwrap(), 0);
        reader.read_exact(&mut body).unwrap();
    } else if value("transfer-encoding").is_some() {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).unwrap();
            let mut chunk = vec![0; usize::from_str_radix(size.trim(), 16).unwrap() + 2];
            reader.read_exact(&mut chunk).unwrap();
            if chunk.len() == 2 {
                break;
            }
            body.extend_from_slice(&chunk[..chunk.len() - 2]);
        }
    }
    headers.retain(|(name, _)| name != "host" && name != "connection");
    headers.sort();
    Wire { first, headers, body }
}

fn run(shell: &str, script: &str, base: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("again.sh");
    std::fs::write(&file, script).unwrap();
    let mut shell = Command::new(shell);
    let shell = shell.arg(&file).env("KLARNA_BASE_URL", base).env("KLARNA_API_KEY", KEY).env("no_proxy", "*");
    shell.output().unwrap()
}

/// Calls as nobody's library makes them.
fn calls() -> Vec<Vec<u8>> {
    let authorize = format!("/v2/accounts/{ALPHA}/payment/authorize");
    let requests = format!("/v2/accounts/{ALPHA}/payment/requests");
    let big: Vec<u8> = (0..300_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let length = |body: &[u8]| format!("Content-Length: {}\r\n", body.len());
    let json = "Content-Type: application/json\r\n";
    let parts: Vec<(String, String, Vec<u8>)> = vec![
        (format!("POST {requests}?a={{1,2}}&b=[1-3]&c=$HOME"), length(b"{}"), b"{}".into()),
        (format!("GET {requests}/.."), String::new(), Vec::new()),
        (format!("HEAD {requests}/x"), "Accept: */*\r\n".to_owned(), Vec::new()),
        (format!("DELETE {requests}/it's"), "User-Agent: nobody\r\n".to_owned(), Vec::new()),
        (format!("POST {authorize}"), length(b""), Vec::new()),
        (format!("POST {authorize}"), String::new(), Vec::new()),
        (format!("POST {authorize}"), json.to_owned() + &length(&big), big.clone()),
        (format!("POST {authorize}"), length(b"@/etc/hostname"), b"@/etc/hostname".into()),
        (format!("POST {authorize}"), length(b"\x00\xff\n\n'"), b"\x00\xff\n\n'".into()),
        (format!("POST {authorize}"), "X-Lit: caf\\xe9\r\nX-Utf: \u{e9}\r\nX-At: @/etc/hostname\r\nX-Empty:\r\nX-Two: a\r\nX-Two: 100%\r\nX-Tab: a\tb\r\nX-Quote: it's \"\\odd\"; $HOME\r\n".to_owned() + &length(b"{}"), b"{}".into()),
        (format!("POST {authorize}"), format!("Expect: 100-continue\r\n{json}{}", length(b"{}")), b"{}".into()),
        (format!("POST {authorize}"), "Transfer-Encoding: chunked\r\n".to_owned(), b"3\r\n{ }\r\n0\r\n\r\n".into()),
    ];
    let mut calls: Vec<Vec<u8>> = parts
        .into_iter()
        .map(|(line, headers, body)| {
            let head = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic {KEY}\r\n{headers}\r\n");
            [head.into_bytes(), body].concat()
        })
        .collect();
    let head = format!(
        "POST {authorize} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic {KEY}\r\n"
    );
    calls.push([head.as_bytes(), b"X-Bin: caf\xe9 \xff\\ 50% 'x'\r\nContent-Length: 2\r\n\r\n{}"].concat());
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_makes_the_same_calls_byte_for_byte_in_any_shell() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let address = klarna.url("").trim_start_matches("http://").to_owned();
    let calls = calls();
    let count = calls.len();
    let sent = tokio::task::spawn_blocking(move || {
        let mut sent = Vec::new();
        for call in calls {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let mut to_read = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (kept, _) = listener.accept().unwrap();
            let copy = call.clone();
            let writing = std::thread::spawn(move || to_read.write_all(&copy).map(|()| to_read));
            sent.push(read(&kept));
            drop(writing.join().unwrap().unwrap());
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.write_all(&call).unwrap();
            stream.read_to_end(&mut Vec::new()).unwrap();
        }
        sent
    });
    let sent = sent.await.unwrap();
    let page = klarna.control().journal(&ALPHA.into(), &JournalQuery::default()).await.unwrap();
    assert_eq!(page.entries.len(), count, "each call is in this journal");
    let export = format!("/_simulator/v1/sandboxes/{ALPHA}/journal/export?format=curl&redact=false");
    let script = klarna.http.get(klarna.url(&export)).send().await.unwrap().text().await.unwrap();
    for shell in ["sh", "bash"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let hearing = tokio::task::spawn_blocking(move || {
            let heard = (0..count).map(|_| {
                let (mut stream, _) = listener.accept().unwrap();
                let heard = read(&stream);
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .unwrap();
                heard
            });
            heard.collect::<Vec<_>>()
        });
        let script = script.clone();
        let ran = tokio::task::spawn_blocking(move || run(shell, &script, &base)).await.unwrap();
        assert!(ran.status.success(), "{shell}: {}", String::from_utf8_lossy(&ran.stderr));
        for (heard, sent) in hearing.await.unwrap().iter().zip(&sent) {
            assert_eq!(heard, sent, "{shell}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_whose_calls_cannot_be_made_says_which() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/x")).await;
    klarna.authorize(ALPHA, &[], &serde_json::json!({})).await;
    let export = format!("/_simulator/v1/sandboxes/{ALPHA}/journal/export?format=curl&redact=false");
    let script = klarna.http.get(klarna.url(&export)).send().await.unwrap().text().await.unwrap();
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let ran = tokio::task::spawn_blocking(move || run("sh", &script, &nobody)).await.unwrap();
    assert_eq!(ran.status.code(), Some(1));
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.contains("these calls failed: 1 2"), "{said}");
}
