//! What the rulebook says of how a call travelled.

use klarna_simulator::Simulator;
use reqwest::Version;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::klarna::{ALPHA, KEY, Klarna, initial};

/// The findings about transport of the first payment.
async fn found(klarna: &Klarna) -> Vec<String> {
    let rules = ["tls.", "client-certificate.", "headers."];
    let mut found = klarna.findings("e1p1").await;
    found.retain(|rule| rules.iter().any(|start| rule.starts_with(start)));
    found
}

async fn with(headers: &[(&str, &str)]) -> Vec<String> {
    let klarna = Klarna::start().await;
    assert_eq!(klarna.authorize(ALPHA, headers, &initial("t-1")).await.result(), "STEP_UP_REQUIRED");
    found(&klarna).await
}

#[tokio::test]
async fn what_klarna_takes_raises_nothing_and_a_long_token_neither() {
    let (token, ids) = ("t".repeat(8192), "i".repeat(255));
    let headers = [("Klarna-Network-Session-Token", token.as_str()), ("Partner-Correlation-Id", &ids)];
    assert_eq!(with(&headers).await, Vec::<String>::new());
}

#[tokio::test]
async fn headers_that_are_too_long_or_too_many_are_found() {
    let (one, id) = ("h".repeat(6 * 1024 + 1), "i".repeat(256));
    let four: Vec<_> = (0..4).map(|index| format!("x-part-{index}")).collect();
    let part = "p".repeat(6 * 1024);
    let all: Vec<(&str, &str)> = four.iter().map(|name| (name.as_str(), part.as_str())).collect();
    for headers in [vec![("x-cart", one.as_str())], vec![("Partner-Correlation-Id", id.as_str())], all] {
        assert_eq!(with(&headers).await, ["headers.size"]);
    }
}

#[tokio::test]
async fn tracing_headers_are_found_and_their_like_not() {
    for name in ["traceparent", "X-B3-TraceId", "b3", "x-datadog-trace-id"] {
        assert_eq!(with(&[(name, "0af7651916cd43dd")]).await, ["headers.no-tracing"], "{name}");
    }
    assert_eq!(with(&[("b3x", "1"), ("x-b3", "1")]).await, Vec::<String>::new());
}

/// An authorize over a connection whose handshake names the server or does not.
async fn handshake(named: bool, host: &str) -> Vec<String> {
    let klarna = Klarna::trusted(Simulator::builder().seed(7).tls()).await;
    let authority = std::fs::read(klarna.simulator.ca_file().unwrap()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::pem::PemObject::from_pem_slice(&authority).unwrap()).unwrap();
    let mut config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.enable_sni = named;
    let address = klarna.simulator.base_url().socket_addrs(|| None).unwrap()[0];
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let mut stream = connector.connect(host.to_owned().try_into().unwrap(), stream).await.unwrap();
    let body = initial("t-1").to_string();
    let head = format!(
        "POST /v2/accounts/{ALPHA}/payment/authorize HTTP/1.1\r\nHost: {host}:443\r\nAuthorization: Basic {KEY}\r\n\
         Connection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // The server may end the connection without a farewell.
    let _ended = stream.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    found(&klarna).await
}

#[tokio::test]
async fn a_handshake_that_names_no_server_is_found_unless_an_address_was_called() {
    assert_eq!(handshake(true, "localhost").await, Vec::<String>::new());
    assert_eq!(handshake(false, "localhost").await, ["tls.server-name"]);
    assert_eq!(handshake(false, "127.0.0.1").await, Vec::<String>::new());
}

#[tokio::test]
async fn the_name_is_looked_at_with_either_version_of_http() {
    let klarna = Klarna::trusted(Simulator::builder().seed(7).tls()).await;
    let url =
        klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize")).replace("127.0.0.1", "localhost");
    let call = klarna.http.post(url).header("authorization", KEY).header("content-type", "application/json");
    let answer = call.body(initial("t-1").to_string()).send().await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (Version::HTTP_2, 200));
    assert_eq!(found(&klarna).await, Vec::<String>::new());
    let finding = klarna.journal("authorize").await.entries[0].tls.clone().unwrap();
    assert_eq!(finding.server_name.as_deref(), Some("localhost"));
}
