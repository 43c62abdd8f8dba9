//! Who may use the control API: what a call must say of where it comes from and to whom it goes.

use klarna_schemas::simulator::control::PutSandbox;
use klarna_simulator::Simulator;
use klarna_simulator::config::Settings;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::klarna::{ALPHA, Klarna, initial};

#[tokio::test]
async fn a_token_guards_the_control_api_and_nothing_else() {
    let klarna = Klarna::guarded().await;
    let path = klarna.url("/_simulator/v1/sandboxes");
    let without = klarna.send(klarna.http.get(&path)).await;
    assert_eq!(without.status, 401);
    assert!(without.body["hint"].as_str().unwrap().contains("Bearer"));
    assert_eq!(klarna.send(klarna.http.get(&path).bearer_auth("wrong")).await.status, 401);
    assert_eq!(klarna.send(klarna.http.get(&path).bearer_auth("a-secret")).await.status, 200);
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.status, 200);
}

#[tokio::test]
async fn a_page_of_somebody_else_cannot_use_it() {
    let klarna = Klarna::start().await;
    let request = klarna.http.get(klarna.url("/_simulator/v1/sandboxes"));
    let refused = klarna.send(request.header("origin", "https://evil.example")).await;
    assert_eq!(refused.status, 403);
    let rebound = klarna.http.get(klarna.url("/_simulator/v1/sandboxes")).header("host", "evil.example");
    assert_eq!(klarna.send(rebound).await.status, 403);
}

#[tokio::test]
async fn it_is_not_opened_to_the_network_unasked() {
    let open = |open: bool, token: &str| {
        let mut settings = Settings::defaults().unwrap();
        settings.listen = "0.0.0.0:0".parse().unwrap();
        settings.control.open = open;
        settings.control.token = token.to_owned().into();
        Simulator::builder().settings(settings).start()
    };
    let refused = open(false, "").await.unwrap_err().to_string();
    assert!(refused.contains("KLARNA_SIMULATOR_CONTROL__TOKEN"), "{refused}");
    assert!(open(true, "").await.is_ok());
    assert!(open(false, "a-secret").await.is_ok());
}

/// Status and head of the answer to some bytes.
async fn raw(klarna: &Klarna, request: &str) -> (u16, String) {
    let address = klarna.simulator.base_url().socket_addrs(|| None).unwrap()[0];
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

#[tokio::test]
async fn a_call_must_come_to_a_name_of_this_machine() {
    let klarna = Klarna::start().await;
    for (host, status) in [
        ("Host: LOCALHOST\r\n", 200),
        ("Host: localhost.\r\n", 200),
        ("", 400),
        ("Host: a b\r\n", 400),
        ("Host:\r\n", 400),
        ("Host: localhost\r\nHost: evil.example\r\n", 400),
        ("Host: evil.example\r\n", 403),
        ("Host: localhost\r\nSec-Fetch-Site: cross-site\r\n", 403),
        ("Host: localhost\r\nSec-Fetch-Site: same-site\r\n", 403),
        ("Host: localhost\r\nSec-Fetch-Site: none\r\n", 200),
        ("Host: localhost\r\nSec-Fetch-Site: same-origin\r\n", 200),
    ] {
        let request = format!("GET /_simulator/v1/sandboxes HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        let (answered, said) = raw(&klarna, &request).await;
        assert_eq!(answered, status, "{host:?}: {said}");
        assert!(status == 200 || said.contains("\"hint\""), "{host:?}: {said}");
    }
}

#[tokio::test]
async fn a_refusal_for_want_of_a_token_names_the_scheme() {
    let klarna = Klarna::guarded().await;
    let get = || klarna.http.get(klarna.url("/_simulator/v1/sandboxes"));
    let answer = klarna.send(get()).await;
    assert_eq!(answer.status, 401);
    assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer realm="), "{answer:?}");
    for scheme in ["bearer", "BEARER", "Bearer"] {
        let answer = klarna.send(get().header("authorization", format!("{scheme} a-secret"))).await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
}
